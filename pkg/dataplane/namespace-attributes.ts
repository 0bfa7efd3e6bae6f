import { formatNamespaceId, parseNamespaceId } from '../net/index.ts'
import { type Attribute, type Attributes, attribute, attributeType } from '../netlink/index.ts'
import { malformedReply } from './malformed.ts'

/** A namespace as two numbers; none for the holder's own. */
export function namespaceAttributes(namespace: string | undefined): readonly Attribute[] {
  if (namespace === undefined) return []
  const { dev, ino } = parseNamespaceId(namespace)
  return [attribute.u64(attributeType.nsDev, dev), attribute.u64(attributeType.nsIno, ino)]
}

/** Undefined for the holder's own. */
export function readNamespace(attributes: Attributes): string | undefined {
  const [dev, ino] = [attributes.u64(attributeType.nsDev), attributes.u64(attributeType.nsIno)]
  if (dev === undefined && ino === undefined) return undefined
  if (dev === undefined || ino === undefined) throw malformedReply('half a namespace', attributeType.nsIno)
  return formatNamespaceId({ dev, ino })
}
