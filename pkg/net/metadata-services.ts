import { type Prefix, parsePrefix } from './prefix.ts'

/**
 * Where machines and pods of a cloud get their credentials, as far as that is not a link-local address. Whoever answers
 * there gives a pod an identity of its choice; whoever calls there gets that of the machine.
 */
export const METADATA_SERVICES: readonly Prefix[] = [
  '168.63.129.16/32', // Azure
  '100.100.100.200/32', // Alibaba Cloud
  '192.0.0.192/32', // Oracle Cloud
  'fd00:ec2::/32', // AWS: ::254 for machines, ::23 for pods (EKS Pod Identity)
  'fd20:ce::254/128', // Google Cloud
  'fd00:c1::a9fe:a9fe/128', // Oracle Cloud
  'fd00:42::42/128', // Scaleway
].map(parsePrefix)
