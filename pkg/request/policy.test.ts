import { describe, expect, it } from 'vitest'
import { TestPolicies } from '../policy/testing/index.ts'
import { firstRequest, refreshOf, TestEndpoint, TestNode } from './testing/test-node.ts'

function nodeWithPolicy() {
  const policy = new TestPolicies()
  const endpoint = new TestEndpoint()
  const node = new TestNode({ policy, connect: () => endpoint.hop() })
  node.serve('files', 'nse-a')
  return { policy, endpoint, node }
}

describe('a request at a node with a policy', () => {
  it('is refused, with the rule, before the endpoint hears of it', async () => {
    const { policy, endpoint, node } = nodeWithPolicy()
    policy.change("rules: [{name: not-here, effect: deny, actions: [request], when: service == 'files'}]")
    await expect(node.service.request(firstRequest('files'), node.call())).rejects.toMatchObject({
      code: 'permission_denied',
      fields: { rule: 'not-here', networkService: 'files' },
    })
    expect([endpoint.asked.length, node.established.length]).toEqual([0, 0])
  })

  it('goes to another endpoint where the policy leaves one', async () => {
    const { policy, node } = nodeWithPolicy()
    node.serve('files', 'nse-b')
    policy.change("rules: [{name: only-b, effect: deny, actions: [request], when: endpoint != 'nse-b'}]")
    for (let turn = 0; turn < 2; turn += 1) {
      await node.service.request(firstRequest('files'), node.call({ spiffeId: `spiffe://west/node/n1/uid/${turn}` }))
    }
    expect([...node.table.all()].map(({ target }) => target.endpoint)).toEqual(['nse-b', 'nse-b'])
  })

  it('sees the mechanism, the payload, the labels and who serves', async () => {
    const { policy, node } = nodeWithPolicy()
    const condition = `mechanism == 'KERNEL' && payload == 'IP' && claimed.labels.nodeName == 'n1' && client.uid == '1000'`
    policy.change(`defaults: {request: deny}
rules:
  - {name: plain, effect: allow, actions: [request], when: "${condition}"}
  - {name: server, effect: deny, actions: [serve], when: client.uid == '0'}`)
    await expect(node.service.request(firstRequest('files'), node.call())).rejects.toMatchObject({
      message: expect.stringContaining('Cannot serve the network service'),
      fields: { rule: 'server' },
    })
    policy.change(`defaults: {request: deny}
rules: [{name: plain, effect: allow, actions: [request], when: "${condition}"}]`)
    await node.service.request(firstRequest('files'), node.call())
    expect(node.established).toHaveLength(1)
  })

  it('is refused as a refresh too, once the policy has changed', async () => {
    const { policy, node } = nodeWithPolicy()
    const connection = await node.service.request(firstRequest('files'), node.call())
    policy.change('defaults: {request: deny}')
    await expect(node.service.request(refreshOf(connection), node.call())).rejects.toMatchObject({
      code: 'permission_denied',
    })
    expect([...node.table.all()].map(({ connection: { state } }) => state)).toEqual(['DOWN'])
  })
})
