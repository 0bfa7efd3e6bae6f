import { contains, type Prefix, parsePrefix } from './prefix.ts'

export interface SpecialRange {
  readonly range: Prefix
  readonly what: string
  /** Whether an operator may put it on a wire all the same, who means to serve credentials there. */
  readonly mayBeAllowed: boolean
}

const METADATA_SERVICE = 'the metadata service of a cloud'

/**
 * Addresses that mean something else on each machine, and those at which machines and pods of a cloud get their
 * credentials. No wire carries them, and nobody else has us call them: whoever answers there gives a pod an identity of
 * its choice; whoever calls there gets that of the machine.
 */
export const SPECIAL_RANGES: readonly SpecialRange[] = [
  ...rangesOf(false, [
    ['0.0.0.0/8', '"this network"'],
    ['127.0.0.0/8', 'loopback'],
    ['224.0.0.0/3', 'multicast or reserved'],
    ['::/96', 'loopback or reserved'], // and unspecified, and IPv4-compatible
    ['::ffff:0.0.0.0/96', 'IPv4 in IPv6'],
    ['fe80::/10', 'link-local'],
    ['ff00::/8', 'multicast'],
  ]),
  ...rangesOf(true, [
    ['169.254.0.0/16', 'link-local'], // most clouds serve a machine's credentials there
    ['168.63.129.16/32', METADATA_SERVICE], // Azure
    ['100.100.100.200/32', METADATA_SERVICE], // Alibaba Cloud
    ['192.0.0.192/32', METADATA_SERVICE], // Oracle Cloud
    ['fd00:ec2::/32', METADATA_SERVICE], // AWS: ::254 for machines, ::23 for pods (EKS Pod Identity)
    ['fd20:ce::254/128', METADATA_SERVICE], // Google Cloud
    ['fd00:c1::a9fe:a9fe/128', METADATA_SERVICE], // Oracle Cloud
    ['fd00:42::42/128', METADATA_SERVICE], // Scaleway
  ]),
]

export function isSpecial(ip: Uint8Array): boolean {
  return SPECIAL_RANGES.some(({ range }) => contains(range, ip))
}

function rangesOf(mayBeAllowed: boolean, rows: readonly (readonly [range: string, what: string])[]) {
  return rows.map(([range, what]) => ({ range: parsePrefix(range), what, mayBeAllowed }))
}
