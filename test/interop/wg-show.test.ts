/** Sessions as people who know WireGuard look at them: with `wg show`, on a wire between two nodes. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { beforeAll, expect, test } from 'vitest'
import { type Node, nodeReady, nsmctl } from '../lab/cluster.ts'
import { oneCluster } from '../lab/one-cluster.ts'
import type { Outcome } from '../lab/shell.ts'
import { tryRun } from '../lab/shell.ts'
import { until } from '../lab/until.ts'
import { requestServices, serveService, startWorkload, type Workload } from '../lab/workload.ts'

const SERVICE_IPS = ['172.16.1.100', 'fd00::100']
/** Bytes of each ping, so that what is counted is more than keepalives. */
const PING_BYTES = 1000

/** The first node shows its sessions; the second does not, as is the default, and may use no AEAD but WireGuard's. */
const cluster = oneCluster(2, {
  environment: (lab, index): Record<string, string> =>
    index === 1
      ? { NSM_UAPI_SOCKET: `${lab.directory}/west-1/state/wireguard/west-1.sock` }
      : { NSM_AEADS: 'chacha20-poly1305' },
})
let client: Workload

beforeAll(async () => {
  const { lab, nodes } = cluster()
  const [near, far] = nodes as [Node, Node]
  client = await startWorkload(lab, near, 'client-1')
  serveService(lab, await startWorkload(lab, far, 'files-1'), {
    service: 'files',
    cidr: '[172.16.1.100/31],[fd00::100/127]',
  })
  await until('the endpoint', async () => (await nsmctl(near, 'get', 'endpoints')).stdout.includes('files'))
  await requestServices(lab, client, 'kernel://files/nsm-1')
  for (const ip of SERVICE_IPS) {
    await client.host.run(['ping', '-c', '3', '-i', '0.05', '-W', '2', '-s', `${PING_BYTES}`, ip])
  }
}, 60_000)

function stateOf(node: Node): string {
  return `${cluster().lab.directory}/${node.name}/state`
}

function socketOf(node: Node): string {
  return `${stateOf(node)}/wireguard/${node.name}.sock`
}

/** `wg` looks in /var/run/wireguard alone: it is shown the node's folder there, and nobody else sees that. */
function wg(node: Node, ...args: readonly string[]): Promise<Outcome> {
  const script = [
    'mount --bind "$1" /mnt',
    'mount -t tmpfs tmpfs /run',
    'mkdir /run/wireguard',
    'mount --bind /mnt /run/wireguard',
    'shift',
    'exec wg "$@"',
  ]
  return tryRun(['unshare', '--mount', 'sh', '-ec', script.join('\n'), 'sh', `${stateOf(node)}/wireguard`, ...args])
}

test('wg show dump lists the wire: peer, endpoint, allowed ips, handshake, transfer, keepalive', async () => {
  const { nodes } = cluster()
  const [near, far] = nodes as [Node, Node]
  const { code, stdout, stderr } = await wg(near, 'show', near.name, 'dump')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const [device, peer, ...others] = stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'))
  expect(others).toEqual([])
  expect(device).toEqual(['(none)', '(none)', '51820', 'off'])
  const [publicKey = '', preshared, endpoint, allowedIps, handshake, received, sent, keepalive] = peer ?? []
  expect(keptOf(near, 'peerInitiatorKey')).toContain(publicKey)
  expect([preshared, endpoint, keepalive]).toEqual(['(none)', `${far.address}:51820`, '10'])
  expect(allowedIps?.split(',')).toEqual(SERVICE_IPS.map((ip) => `${ip}/${ip.includes(':') ? 128 : 32}`))
  expect(Math.abs(Date.now() / 1000 - Number(handshake))).toBeLessThan(60)
  for (const bytes of [received, sent]) expect(Number(bytes)).toBeGreaterThan(2 * 3 * PING_BYTES)
})

test('a wire to a node that may use nothing else is exact WireGuard', async () => {
  for (const node of cluster().nodes) {
    const [wire] = JSON.parse((await nsmctl(node, 'get', 'wires', '-o', 'json')).stdout)
    expect([wire.client.aead, wire.server.aead]).toContain('chacha20poly1305')
  }
})

test('wg show is readable for people, and finds the node by itself', async () => {
  const { node } = cluster()
  const { stdout } = await wg(node, 'show')
  expect(stdout).toContain(`interface: ${node.name}`)
  expect(stdout).toMatch(/latest handshake: .*ago|latest handshake: Now/)
  expect(stdout).toMatch(/transfer: .* received, .* sent/)
  expect((await wg(node, 'show', 'interfaces')).stdout.trim()).toBe(node.name)
})

test('wg set is refused, and changes nothing', async () => {
  const { node } = cluster()
  const before = (await wg(node, 'show', node.name, 'peers')).stdout
  const { code, stderr } = await wg(node, 'set', node.name, 'listen-port', '1', 'peer', before.trim(), 'remove')
  expect(code).not.toBe(0)
  expect(stderr).toContain('Operation not permitted')
  expect((await wg(node, 'show', node.name, 'peers')).stdout).toBe(before)
})

test('no private key of the node is in what the socket gives', async () => {
  const { node } = cluster()
  const said = (await Promise.all(['get=1\n\n', 'set=1\n\n', 'dump\n'].map((text) => exchange(node, text)))).join('')
  expect(said).toContain('public_key=')
  const secrets = privateKeys(node)
  expect(secrets.length).toBeGreaterThan(1)
  for (const base64 of secrets) {
    const key = Buffer.from(base64, 'base64')
    expect(key).toHaveLength(32)
    for (const text of [base64, key.toString('hex')]) expect(said).not.toContain(text)
  }
  expect(said).not.toMatch(/private|preshared/)
})

test('the socket is for the node alone, and there is none by default', async () => {
  const { nodes } = cluster()
  const [near, far] = nodes as [Node, Node]
  expect(statSync(socketOf(near)).mode & 0o777).toBe(0o600)
  expect(statSync(`${stateOf(near)}/wireguard`).mode & 0o777).toBe(0o700)
  expect(existsSync(`${stateOf(far)}/wireguard`)).toBe(false)
})

test('nsmd that was killed serves the socket again, with the same wire', async () => {
  const { node } = cluster()
  const before = (await wg(node, 'show', node.name, 'peers')).stdout
  const { restarts } = node.nsmd
  node.nsmd.kill()
  await until('nsmd to restart', async () => node.nsmd.restarts > restarts)
  await nodeReady(node)
  expect((await wg(node, 'show', node.name, 'peers')).stdout).toBe(before)
}, 30_000)

test('the socket goes when nsmd ends', async () => {
  const { node } = cluster()
  await node.nsmd.close()
  expect(existsSync(socketOf(node))).toBe(false)
})

function exchange(node: Node, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(socketOf(node), () => socket.write(request))
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => {
      text += chunk
    })
    socket.once('error', reject)
    socket.once('end', () => resolve(text))
  })
}

/** The node's own key, and those with which its wires initiate. */
function privateKeys(node: Node): readonly string[] {
  return [readFileSync(`${stateOf(node)}/node-key`, 'utf8').trim(), ...keptOf(node, 'privateKey')]
}

/** All values that the node's intents on disk have for `name`: its database is locked, but not encoded. */
function keptOf(node: Node, name: string): readonly string[] {
  const files = ['wires.db', 'wires.db-wal']
    .map((file) => `${stateOf(node)}/${file}`)
    .filter((path) => existsSync(path))
  const text = files.map((path) => readFileSync(path, 'latin1')).join('')
  return [...text.matchAll(new RegExp(`"${name}":"([^"]+)"`, 'g'))].map(([, value = '']) => value)
}
