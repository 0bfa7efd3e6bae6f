/** Who may say what of a connection, from the table that every application holds its neighbours to. */
import { connectionFields, contextFields, type FieldRule, ipFields } from '../../pkg/steps/index.ts'
import { code, heading, table } from './markdown.ts'

const ABOUT = `Both sides of a wire write into the same message. Each field has one side whose word counts; what the other
side says of it is dropped by every application that receives it. \`client\` is what comes with a request, \`endpoint\`
what comes with an answer. A prefix is refused if it contains an address of a range that no wire carries (this network,
loopback, link-local, multicast, reserved, IPv4 in IPv6, metadata services of clouds), of the node or the registry, or of
the pod and its gateways.\n\n`

export function connectionFieldsReference(): string {
  const parts = [
    ['The connection', connectionFields],
    ['Its context', contextFields],
    ['Its IP context', ipFields],
  ] as const
  return heading(1, 'Fields of a connection') + ABOUT + parts.map(([title, rules]) => part(title, rules)).join('')
}

function part(title: string, rules: Readonly<Record<string, FieldRule>>): string {
  const rows = Object.entries(rules).map(([field, { says, changes, limits }]) => [code(field), says, changes, limits])
  return heading(2, title) + table(['field', 'who says it', 'whose pod it changes', 'limits'], rows)
}
