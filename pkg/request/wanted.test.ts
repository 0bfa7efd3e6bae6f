import { expect, test } from 'vitest'
import { NsmError } from '../base/index.ts'
import { firstRequest, refreshOf, TestEndpoint, TestNode } from './testing/test-node.ts'

test('what a client asks for in vain is wanted until it is there; what stands and is refused is not', async () => {
  const endpoint = new TestEndpoint()
  const node = new TestNode({ connect: () => endpoint.hop() })
  const ask = () => node.service.request(firstRequest('files'), node.call())
  node.serve('files', 'nse')
  endpoint.refusal = new NsmError('resource_exhausted', 'Cannot lease an address: the pool is empty')
  await expect(ask()).rejects.toThrow('the pool is empty')
  await expect(ask()).rejects.toThrow('the pool is empty')
  expect(node.service.wanted.all()).toMatchObject([
    { networkService: 'files', tries: 2, problem: expect.stringContaining('the pool is empty') },
  ])
  endpoint.refusal = undefined
  const wire = await ask()
  expect(node.service.wanted.all()).toEqual([])
  endpoint.refusal = new NsmError('permission_denied', 'Cannot serve it any more')
  await expect(node.service.request(refreshOf(wire), node.call())).rejects.toThrow('any more')
  expect(node.service.wanted.all()).toEqual([])
})

test('a client that closes what it has asked for in vain does not want it any more', async () => {
  const node = new TestNode({ connect: () => new TestEndpoint().hop() })
  const request = firstRequest('files')
  await expect(node.service.request(request, node.call())).rejects.toThrow()
  expect(node.service.wanted.all()).toHaveLength(1)
  await node.service.close(request.connection, node.call())
  expect(node.service.wanted.all()).toEqual([])
})
