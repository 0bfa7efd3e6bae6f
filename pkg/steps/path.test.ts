import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Connection, emptyContext, type PathSegment } from '../api/index.ts'
import { arrive, changeSegment, leave } from './path.ts'

function segment(name: string, id: string): PathSegment {
  return { name, id, token: '', expiresMs: undefined, metrics: {} }
}

function connection(id: string, index: number, segments: readonly PathSegment[]): Connection {
  return {
    id,
    networkService: 'files',
    mechanism: undefined,
    context: emptyContext,
    labels: {},
    path: { index, segments },
    endpointName: '',
    payload: '',
    state: 'UP',
  }
}

const arrival = { name: 'node-1', newId: () => 'new' }
const client = segment('client', 'c-0')

describe('arrive', () => {
  it('appends a segment with a new id behind the caller', () => {
    const arrived = arrive(connection('c-0', 0, [client]), arrival)
    expect(arrived.id).toBe('new')
    expect(arrived.path).toEqual({ index: 1, segments: [client, segment('node-1', 'new')] })
  })

  it('keeps the id of its own segment, so that a refresh means the same connection', () => {
    const own = { ...segment('node-1', 'kept'), token: 'jwt' }
    const arrived = arrive(connection('c-0', 0, [client, own, segment('nse', 'e')]), arrival)
    expect(arrived.id).toBe('kept')
    expect(arrived.path.segments).toHaveLength(3)
    expect(arrived.path.segments[1]).toEqual(own)
  })

  it('names a segment of somebody else anew', () => {
    const arrived = arrive(connection('c-0', 0, [client, segment('node-9', 'other')]), arrival)
    expect(arrived.path.segments[1]).toEqual(segment('node-1', 'new'))
  })

  it('does not take a caller of the same name for itself', () => {
    const arrived = arrive(connection('x', 1, [client, segment('node-1', 'x')]), arrival)
    expect([arrived.id, arrived.path.index, arrived.path.segments.length]).toEqual(['new', 2, 3])
  })

  it('begins a path where there is none', () => {
    expect(arrive(connection('', 0, []), arrival).path).toEqual({ index: 0, segments: [segment('node-1', 'new')] })
    expect(arrive(connection('given', 0, []), arrival).id).toBe('given')
  })

  it('refuses an index outside the path and an id that is not the current one', () => {
    expect(() => arrive(connection('c-0', 1, [client]), arrival)).toThrow(/index \+ 1 must not exceed/)
    expect(() => arrive(connection('c-1', 0, [client]), arrival)).toThrow(/current id must be the id of the connection/)
  })

  it('gives the caller back its id and index, whatever the path', () => {
    const names = fc.array(fc.constantFrom('a', 'b', 'node-1'), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(names, fc.nat(4), (path, at) => {
        const index = at % path.length
        const segments = path.map((name, position) => segment(name, `id-${position}`))
        const asked = connection(`id-${index}`, index, segments)
        const arrived = arrive(asked, arrival)
        expect(arrived.path.segments[arrived.path.index]).toMatchObject({ name: 'node-1', id: arrived.id })
        const answered = leave(arrived, asked)
        expect([answered.id, answered.path.index]).toEqual([asked.id, index])
      }),
    )
  })
})

describe('changeSegment', () => {
  it('changes one segment and leaves the view alone', () => {
    const changed = changeSegment(connection('c-0', 0, [client, segment('b', 'b')]), 1, { token: 'jwt' })
    expect(changed.path.index).toBe(0)
    expect(changed.path.segments.map(({ token }) => token)).toEqual(['', 'jwt'])
  })
})
