/** A pure codec of netlink, for rtnetlink of the kernel and for the local protocol of nsm-dataplane. */
export { type Answer, answerError, readAnswer } from './answer.ts'
export { type Attribute, attribute, type Encoded, type FdPatch } from './attribute.ts'
export { Attributes } from './attributes.ts'
export { errno, errnoCode, errnoName, isGone } from './errno.ts'
export { type GateCall, gateAnswer, gateMessage, type ReceivedCall, readGateCall } from './gate.ts'
export { malformedReply, required } from './malformed-reply.ts'
export {
  controlType,
  decodeMessages,
  encodeMessage,
  encodeMessages,
  type Message,
  messageFlag,
  type OutgoingMessage,
  takeMessages,
} from './message.ts'
export {
  addressFamily,
  namespaceAttributes,
  peerAttributes,
  prefixAttribute,
  readNamespace,
  readPeer,
  readPrefix,
} from './object-attributes.ts'
export { dialMessage, type LocalPeer, type Preface, prefaceMessage, readPreface } from './preface.ts'
export {
  aeadKind,
  attributeType,
  eventKind,
  MAX_MESSAGE_BYTES,
  messageType,
  PROTOCOL_VERSION,
  payloadKind,
  portKind,
  sessionState,
  underlayKind,
  verdict,
} from './protocol.ts'
export {
  type AddressMessage,
  type AddressRequest,
  addAddress,
  deleteAddress,
  dumpAddresses,
  readAddress,
} from './rtnl/address-message.ts'
export {
  addVeth,
  deleteLink,
  dumpLinks,
  getLink,
  type LinkMessage,
  type LinkRef,
  readLink,
  setLink,
  type VethEnd,
} from './rtnl/link-message.ts'
export {
  deleteNeighbour,
  dumpNeighbours,
  type NeighbourMessage,
  readNeighbour,
  setNeighbour,
} from './rtnl/neighbour-message.ts'
export { AF_INET, AF_INET6, type RtnlRequest, rtnlGroup, rtnlType } from './rtnl/request.ts'
export {
  addRoute,
  deleteRoute,
  dumpMainRoutes,
  dumpRoutes,
  type RouteMessage,
  readGateway,
  readRoute,
} from './rtnl/route-message.ts'
export {
  addRule,
  deleteRule,
  dumpRules,
  type PortRange,
  type RuleMessage,
  readRule,
} from './rtnl/rule-message.ts'
export type { NamespaceWatch, RtnlListener, RtnlPayload, RtnlTransport } from './rtnl-transport.ts'
