import { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { Admission } from './admission.ts'

const shares = { total: 8, unproven: 4, unprovenPerSource: 2, strangersPerSource: 1, provenPerIdentity: 6 }

function enter(admission: Admission, source: string): Socket {
  const socket = new Socket()
  admission.enter(socket, source)
  return socket
}

const isStanding = ({ destroyed }: Socket) => !destroyed

test('the oldest unproven connection of a source leaves when the source has more than its share', () => {
  const admission = new Admission(shares)
  const idle = [enter(admission, 'a'), enter(admission, 'a'), enter(admission, 'a')]
  expect(idle.map(isStanding)).toEqual([false, true, true])
})

test('who has just come is no more idle than those that sent a byte and stopped', () => {
  const admission = new Admission({ ...shares, unprovenPerSource: 4 })
  const stopped = [enter(admission, 'a'), enter(admission, 'a'), enter(admission, 'a')]
  for (const socket of stopped) Object.defineProperty(socket, 'bytesRead', { value: 1 })
  const honest = enter(admission, 'a')
  enter(admission, 'a')
  expect([...stopped, honest].map(isStanding)).toEqual([false, true, true, true])
})

test('a connection that is proven no longer counts for its source', () => {
  const admission = new Admission(shares)
  const proven = enter(admission, 'a')
  expect(admission.prove(proven, 'spiffe://west/node/n1')).toBe(true)
  const others = [enter(admission, 'a'), enter(admission, 'a'), enter(admission, 'a')]
  expect([proven, ...others].map(isStanding)).toEqual([true, false, true, true])
})

test('when too many are unproven, the source with most of them loses one', () => {
  const admission = new Admission(shares)
  const [first, second] = [enter(admission, 'a'), enter(admission, 'a')]
  const others = ['b', 'c', 'd'].map((source) => enter(admission, source))
  expect([first, second, ...others].map(isStanding)).toEqual([false, true, true, true, true])
})

test('the oldest stranger of a source leaves when the source has more than its share', () => {
  const admission = new Admission(shares)
  const strangers = ['a', 'a', 'b'].map((source) => {
    const socket = enter(admission, source)
    admission.meet(socket, source)
    return socket
  })
  expect(strangers.map(isStanding)).toEqual([false, true, true])
})

test('when all places are taken, a stranger leaves before anyone who is proven', () => {
  const admission = new Admission({ ...shares, total: 2 })
  const [stranger, proven] = [enter(admission, 'a'), enter(admission, 'b')]
  admission.meet(stranger, 'a')
  admission.prove(proven, 'x')
  expect([stranger, proven, enter(admission, 'c')].map(isStanding)).toEqual([false, true, true])
})

test('an identity has no more than its share', () => {
  const admission = new Admission(shares)
  const prove = () => admission.prove(enter(admission, 'a'), 'spiffe://west/node/n1')
  expect(Array.from({ length: 7 }, prove)).toEqual([true, true, true, true, true, true, false])
})

test('when all places are taken, the identity with most of them loses its newest', () => {
  const admission = new Admission(shares)
  const proven = ['x', 'x', 'x', 'x', 'x', 'y', 'y', 'y'].map((identity) => {
    const socket = enter(admission, identity)
    admission.prove(socket, identity)
    return socket
  })
  const honest = enter(admission, 'z')
  expect(admission.prove(honest, 'z')).toBe(true)
  expect(proven.map(isStanding)).toEqual([true, true, true, true, false, true, true, true])
})

test('the place of a closed connection is free again', async () => {
  const admission = new Admission({ ...shares, provenPerIdentity: 1 })
  const first = enter(admission, 'a')
  expect(admission.prove(first, 'x')).toBe(true)
  first.destroy()
  await new Promise((resolve) => first.once('close', resolve))
  expect(admission.prove(enter(admission, 'a'), 'x')).toBe(true)
})
