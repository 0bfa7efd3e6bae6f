/** The doors to the operating system: links, addresses, routes, rules, neighbours, namespaces. */

export type {
  Addresses,
  AddressSpec,
  Bystander,
  Bystanders,
  Change,
  FoundAddress,
  Link,
  LinkSpec,
  Links,
  Namespace,
  NamespacePin,
  Namespaces,
  NeighbourSpec,
  Neighbours,
  OnChange,
  Platform,
  RouteSpec,
  Routes,
  RuleSpec,
  Rules,
} from './doors.ts'
export { ALIAS_PREFIX, checksAsWanted } from './link-rules.ts'
export { linuxPlatform } from './linux/linux-platform.ts'
export { normalizeAddress, normalizeRoute, normalizeRule } from './normalize.ts'
