/** ARCHITECTURE.md says what the code does: the chains as they print themselves, and files that exist. */
import { generateKeyPairSync } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { silentLogger } from '../../pkg/base/index.ts'
import { FakeClock } from '../../pkg/base/testing/index.ts'
import { EndpointServer } from '../../pkg/endpoint/index.ts'
import { staticSource, TokenMinter } from '../../pkg/identity/index.ts'
import { PointToPointIpam, parseGroups } from '../../pkg/ipam/index.ts'
import { TestNode } from '../../pkg/request/testing/test-node.ts'

const architecture = readFileSync(new URL('../../ARCHITECTURE.md', import.meta.url), 'utf8')
const inOneLine = architecture.replaceAll(/\s+/g, ' ')

function endpoint(): EndpointServer {
  const clock = new FakeClock()
  const ipam = new PointToPointIpam(parseGroups('172.16.0.0/24'))
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const svid = { spiffeId: 'spiffe://west/node/n1/uid/0', chain: [], privateKey, expiresMs: 0 }
  const identity = staticSource({ svid, bundles: new Map() })
  const minter = new TokenMinter(clock)
  const paths = { maxLifetimeMs: 600_000, unsigned: 'never' } as const
  return new EndpointServer({
    name: 'nse',
    services: [],
    ipam,
    identity,
    minter,
    ...paths,
    clock,
    logger: silentLogger,
  })
}

describe('ARCHITECTURE.md', () => {
  const node = new TestNode({ connect: () => expect.fail('nobody is called') }).service.chains
  it.each([
    ['request at a node', node.request],
    ['close at a node', node.close],
    ['request at an endpoint', endpoint().chains.request],
    ['close at an endpoint', endpoint().chains.close],
  ])('lists the steps of a %s', (name, chain) => {
    expect(inOneLine).toContain(`${name} ${chain} `)
  })

  it('counts the files on the way of a Request, and names none that does not exist', () => {
    const walk = architecture.split('### A Request, file by file')[1]?.split('\n**Crash rules**')[0] ?? ''
    const files = [...walk.matchAll(/`([a-z0-9-]+\/[a-z0-9/-]+\.ts)`/g)].map(([, path = '']) => `pkg/${path}`)
    expect(files.filter((path) => !existsSync(new URL(`../../${path}`, import.meta.url)))).toEqual([])
    expect(walk).toContain(`: ${new Set(files).size} of \`pkg/\``)
  })
})
