import { expect, test } from 'vitest'
import type { PolicySource, Question } from '../policy/index.ts'
import { RouteExceptions } from './route-exceptions.ts'
import { firstRequest, TestEndpoint, TestNode } from './testing/test-node.ts'

const { self } = new TestNode({ connect: () => new TestEndpoint().hop() })

/** A policy that allows all routes, or those to one prefix. */
function exceptions(only?: string) {
  const asked: Question[] = []
  const decide = (question: Question) => {
    asked.push(question)
    return { isAllowed: only === undefined || question.prefix === only, rule: '', reason: '' }
  }
  const policy: PolicySource = { current: () => ({ decide }), subscribe: () => () => {} }
  const { connection } = firstRequest('vpn@east')
  const target = { at: 'node', endpoint: 'nse@east', url: '', domain: 'east' } as const
  const wanted = { owner: 'spiffe://west/node/n1/uid/7', identities: ['spiffe://west/a'], connection, target }
  return { asked, exceptions: new RouteExceptions({ policy, self }, wanted) }
}

test('RouteExceptions asks the policy about each prefix once, with all that is known of the wire', () => {
  const { asked, exceptions: found } = exceptions('10.0.0.0/8')
  expect(['10.0.0.0/8', '11.0.0.0/8', '10.0.0.0/8'].map((prefix) => found.isAllowed(prefix))).toEqual([
    true,
    false,
    true,
  ])
  expect(asked).toHaveLength(2)
  expect(asked[0]).toMatchObject({
    action: 'route',
    prefix: '10.0.0.0/8',
    service: 'vpn@east',
    caller: 'spiffe://west/node/n1/uid/7',
    client: 'spiffe://west/a',
    endpoint: 'nse@east',
    isAllowedByDefault: false,
  })
  expect(found.allowed).toEqual(['10.0.0.0/8'])
})

test('RouteExceptions asks about at most 64 prefixes of a wire', () => {
  const { asked, exceptions: found } = exceptions()
  const answers = Array.from({ length: 2_000 }, (_, at) => found.isAllowed(`10.0.${at >> 8}.${at & 255}/32`))
  expect(answers.filter((isAllowed) => isAllowed)).toHaveLength(64)
  expect(asked).toHaveLength(64)
  expect(found.isAllowed('10.0.0.1/32')).toBe(true)
})
