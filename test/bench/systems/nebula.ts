/** nebula at both ends, each in the other's static host map. */
import { writeFileSync } from 'node:fs'
import { run } from '../../lab/shell.ts'
import { peerProgram, peerVersion } from '../peers.ts'
import type { System } from '../system.ts'

const PORT = 4242

export const nebula: System = {
  name: 'nebula',
  version: () => peerVersion('nebula'),
  async up({ lab, left, right }) {
    const folder = lab.folder('nebula')
    const authority = ['-out-crt', `${folder}/ca.crt`, '-out-key', `${folder}/ca.key`]
    await run([peerProgram('nebula-cert'), 'ca', '-name', 'bench', ...authority])
    const ends = [
      { own: left, other: right, device: 'nebleft', inner: '10.93.0.1', otherInner: '10.93.0.2' },
      { own: right, other: left, device: 'nebright', inner: '10.93.0.2', otherInner: '10.93.0.1' },
    ]
    for (const { own, other, device, inner, otherInner } of ends) {
      const files = ['-out-crt', `${folder}/${device}.crt`, '-out-key', `${folder}/${device}.key`]
      const signer = ['-ca-crt', `${folder}/ca.crt`, '-ca-key', `${folder}/ca.key`]
      await run([peerProgram('nebula-cert'), 'sign', '-name', device, '-ip', `${inner}/24`, ...signer, ...files])
      const config = {
        pki: { ca: `${folder}/ca.crt`, cert: `${folder}/${device}.crt`, key: `${folder}/${device}.key` },
        static_host_map: { [otherInner]: [`${other.address}:${PORT}`] },
        lighthouse: { am_lighthouse: false },
        listen: { host: own.address, port: PORT, read_buffer: 10_485_760, write_buffer: 10_485_760 },
        tun: { dev: device, mtu: 1420 },
        firewall: { inbound: [ANYTHING], outbound: [ANYTHING] },
      }
      writeFileSync(`${folder}/${device}.json`, JSON.stringify(config))
      own.host.start([peerProgram('nebula'), '-config', `${folder}/${device}.json`], `${lab.directory}/${device}.log`)
    }
    return { client: left.host, server: right.host, address: '10.93.0.2' }
  },
}

const ANYTHING = { port: 'any', proto: 'any', host: 'any' }
