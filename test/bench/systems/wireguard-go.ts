/** wireguard-go at both ends, set up by `wg`. */
import { writeFileSync } from 'node:fs'
import { run } from '../../lab/shell.ts'
import { until } from '../../lab/until.ts'
import { peerProgram, peerVersion } from '../peers.ts'
import type { System } from '../system.ts'

const PORT = 51999

export const wireguardGo: System = {
  name: 'wireguard-go',
  version: () => peerVersion('wireguard-go'),
  async up({ lab, left, right }) {
    const [leftKey, rightKey] = [await newKey(), await newKey()]
    const ends = [
      { own: left, ownKey: leftKey, other: right, otherKey: rightKey, device: 'wgleft', inner: '10.92.0.1' },
      { own: right, ownKey: rightKey, other: left, otherKey: leftKey, device: 'wgright', inner: '10.92.0.2' },
    ]
    for (const { own, ownKey, other, otherKey, device, inner } of ends) {
      const { host } = own
      host.start([peerProgram('wireguard-go'), '--foreground', device], `${lab.directory}/${device}.log`)
      await until(device, async () => (await host.tryRun(['wg', 'show', device])).code === 0)
      const file = `${lab.directory}/${device}.key`
      writeFileSync(file, ownKey.privateKey, { mode: 0o600 })
      const peer = ['peer', otherKey.publicKey, 'allowed-ips', '10.92.0.0/24', 'endpoint', `${other.address}:${PORT}`]
      await host.run(['wg', 'set', device, 'listen-port', `${PORT}`, 'private-key', file, ...peer])
      await host.ip(`address add ${inner}/24 dev ${device}`, `link set ${device} mtu 1420 up`)
    }
    return { client: left.host, server: right.host, address: '10.92.0.2' }
  },
}

async function newKey(): Promise<{ privateKey: string; publicKey: string }> {
  const privateKey = (await run(['wg', 'genkey'])).trim()
  return { privateKey, publicKey: (await run(['wg', 'pubkey'], { input: privateKey })).trim() }
}
