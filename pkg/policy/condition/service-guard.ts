import type { ASTNode } from '@marcbachmann/cel-js'

/**
 * The services that a condition can hold for, where its text says so: `service == 'db' && …`, `service in ['a', 'b']`.
 * Undefined: any. A rule is evaluated only for its services, so a thousand rules for a thousand services cost what one
 * costs. That changes no answer: where one side of `&&` is false, so is the whole, whatever the other side is.
 */
export function servicesOf(node: ASTNode): ReadonlySet<string> | undefined {
  if (node.op === '&&') return servicesOf(node.args[0]) ?? servicesOf(node.args[1])
  if (node.op === '==') return namedBy(node.args[0], [node.args[1]]) ?? namedBy(node.args[1], [node.args[0]])
  if (node.op === 'in' && node.args[1].op === 'list') return namedBy(node.args[0], node.args[1].args)
  return undefined
}

function namedBy(variable: ASTNode, values: readonly ASTNode[]): ReadonlySet<string> | undefined {
  if (variable.op !== 'id' || variable.args !== 'service') return undefined
  const names = values.flatMap((value) => (value.op === 'value' && typeof value.args === 'string' ? [value.args] : []))
  return names.length === values.length ? new Set(names) : undefined
}
