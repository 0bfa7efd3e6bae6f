/**
 * Wires of nsmesh whose kind and cipher are chosen by hand: a holder on each host, told what to do as its daemon would.
 * What differs from `nsmesh-aes` is only what the name says; requests cannot choose it.
 */
import { type AeadName, generateKey, type WireKey } from '../../../pkg/mechanism/index.ts'
import { wireguardPort } from '../../../pkg/mechanism/testing/index.ts'
import { DATAPLANE } from '../../lab/programs.ts'
import { type SteeredDataplane, soon, startDataplane } from '../dataplane.ts'
import type { Pair, PublicHost, System } from '../system.ts'
import { PLAIN_DATAPLANE } from '../tools.ts'

const WIREGUARD_MTU_BYTES = 1420
const VXLAN_MTU_BYTES = 1450
const VNI = 95
/** Beside the kernel's 4789 on the same hosts. */
const VXLAN_PORT = 4790

interface End {
  readonly own: PublicHost
  readonly other: PublicHost
  readonly holder: SteeredDataplane
  readonly key: WireKey
  readonly otherKey: WireKey
  readonly inner: string
}

interface Wires {
  readonly name: string
  readonly program: string
  /** First three bytes of the inner addresses. */
  readonly subnet: string
  readonly mtuBytes: number
  setPorts(end: End): Promise<void>
}

/** Exactly WireGuard: the cipher that foreign peers get. */
export const nsmeshChacha = wires({
  name: 'nsmesh-chacha',
  program: DATAPLANE,
  subnet: '10.95.0',
  mtuBytes: WIREGUARD_MTU_BYTES,
  setPorts: (end) => wireguard(end, { port: 51995, aead: 'chacha20poly1305' }),
})

/** As nsmesh-aes but for the encryption. */
export const nsmeshPlain = wires({
  name: 'nsmesh-plain',
  program: PLAIN_DATAPLANE,
  subnet: '10.96.0',
  mtuBytes: WIREGUARD_MTU_BYTES,
  setPorts: (end) => wireguard(end, { port: 51996, aead: 'aes256gcm' }),
})

export const nsmeshVxlan = wires({
  name: 'nsmesh-vxlan',
  program: DATAPLANE,
  subnet: '10.97.0',
  mtuBytes: VXLAN_MTU_BYTES,
  setPorts: vxlan,
})

function wires({ name, program, subnet, mtuBytes, setPorts }: Wires): System {
  return {
    name,
    async up({ lab, left, right }: Pair) {
      const [leftKey, rightKey] = [generateKey(), generateKey()]
      const ends = [
        { own: left, other: right, key: leftKey, otherKey: rightKey, inner: `${subnet}.1`, side: 'left' },
        { own: right, other: left, key: rightKey, otherKey: leftKey, inner: `${subnet}.2`, side: 'right' },
      ]
      for (const { side, ...end } of ends) {
        const holder = await startDataplane(lab, end.own.host, `${name}-${side}`, program)
        const interfaceName = name.replace('nsmesh', 'nsm')
        const kind = name === 'nsmesh-vxlan' ? 'tap' : 'tun'
        const { dataplane, namespace } = holder
        await dataplane.setPort({ id: 'device', kind, namespace, interfaceName }, soon())
        await setPorts({ ...end, holder })
        await dataplane.setCrossConnect({ id: 'wire', ports: ['device', 'network'] }, soon())
        await checkCiphers(holder, program)
        const address = `address add ${end.inner}/24 dev ${interfaceName}`
        await end.own.host.ip(address, `link set ${interfaceName} mtu ${mtuBytes} up`)
      }
      return { client: left.host, server: right.host, address: `${subnet}.2` }
    },
  }
}

/** A figure under the wrong name would be worse than none. Known as soon as the engine has taken an object. */
async function checkCiphers({ dataplane }: SteeredDataplane, program: string): Promise<void> {
  const aead = (await dataplane.status(soon())).features.get('aead')
  if ((aead === 'none') !== (program === PLAIN_DATAPLANE)) throw new Error(`${program} says that its AEAD is ${aead}`)
}

async function wireguard(
  { own, other, holder, key, otherKey, inner }: End,
  { port, aead }: { port: number; aead: AeadName },
): Promise<void> {
  const { dataplane } = holder
  const { privateKey } = key
  await dataplane.setUnderlay({ id: 'net', kind: 'wireguard', listen: { ip: own.address, port }, privateKey }, soon())
  const spec = wireguardPort({
    id: 'network',
    underlay: 'net',
    privateKey,
    peerResponderKey: otherKey.publicKey,
    peerInitiatorKey: otherKey.publicKey,
    peer: { ip: other.address, port },
    aead,
    localPrefixes: [`${inner}/24`],
    remotePrefixes: [`${inner}/24`],
    mtuBytes: WIREGUARD_MTU_BYTES,
    probeMessages: true, // as between nodes
  })
  await dataplane.setPort(spec, soon())
}

async function vxlan({ own, other, holder: { dataplane } }: End): Promise<void> {
  const listen = { ip: own.address, port: VXLAN_PORT }
  await dataplane.setUnderlay({ id: 'net', kind: 'vxlan', listen }, soon())
  const peer = { ip: other.address, port: VXLAN_PORT }
  const port = { id: 'network', kind: 'vxlan', underlay: 'net', vni: VNI, peer } as const
  await dataplane.setPort({ ...port, mtuBytes: VXLAN_MTU_BYTES }, soon())
}
