/**
 * The numbers of the local protocol of nsm-dataplane. native/protocol/protocol.h is the authoritative list and
 * documents each of them; a test compares the two. The names are those of the header without the leading `k`.
 */
export const PROTOCOL_VERSION = 1
export const PREFACE_VERSION = 2
export const MAX_MESSAGE_BYTES = 64 * 1024
export const MAX_ID_BYTES = 64
/** See {@link messageType.sourcesCheck}. */
export const CHECKED_GROUP = 7_238_509

export const messageType = {
  hello: 0x20,
  rtnl: 0x21,
  rtnlWatch: 0x22,
  rtnlEvent: 0x23,
  nsPin: 0x24,
  nsUnpin: 0x25,
  nsGet: 0x26,
  sourcesCheck: 0x27,
  underlaySet: 0x30,
  underlayDel: 0x31,
  underlayGet: 0x32,
  portSet: 0x33,
  portDel: 0x34,
  portGet: 0x35,
  crossConnectSet: 0x36,
  crossConnectDel: 0x37,
  crossConnectGet: 0x38,
  rehandshake: 0x39,
  countersGet: 0x3a,
  event: 0x3b,
  linkQualityGet: 0x3c,
  preface: 0x40,
  dial: 0x41,
} as const

export const attributeType = {
  versionAttr: 1,
  id: 2,
  nsDev: 3,
  nsIno: 4,
  payload: 5,
  fdPatch: 6,
  patchOffset: 7,
  groups: 8,
  kind: 9,
  ifname: 10,
  ifindex: 11,
  family: 12,
  address: 13,
  udpPort: 14,
  privateKey: 15,
  publicKey: 16,
  underlay: 17,
  peerResponderKey: 18,
  peerInitiatorKey: 19,
  presharedKey: 20,
  peerAddress: 21,
  peerPort: 22,
  aead: 23,
  roaming: 24,
  localPrefix: 25,
  remotePrefix: 26,
  keepaliveSeconds: 27,
  vni: 28,
  portA: 29,
  portB: 30,
  mtuBytes: 31,
  eventKind: 32,
  text: 33,
  counter: 34,
  counterName: 35,
  counterValue: 36,
  listener: 37,
  connection: 38,
  pid: 39,
  uid: 40,
  gid: 41,
  cgroup: 42,
  url: 43,
  enginePid: 44,
  engineRestarts: 45,
  feature: 46,
  sessionState: 47,
  handshakeAgeMs: 48,
  build: 49,
  probeMessages: 51,
  linkVerdict: 52,
  rttUs: 53,
  jitterUs: 54,
  lossPpm: 55,
  probesSent: 56,
  probesLost: 57,
  payloadKind: 58,
  pidNs: 59,
  userNs: 60,
  mountNs: 61,
  pod: 62,
  account: 63,
  nodesOwn: 64,
  sessionVerdict: 65,
} as const

export const portKind = { tun: 1, tap: 2, wireguard: 3, vxlan: 4 } as const
export const underlayKind = { underlayWireguard: 1, underlayVxlan: 2 } as const
export const aeadKind = { chaCha20Poly1305: 1, aes256Gcm: 2 } as const
export const payloadKind = { ipPayload: 1, ethernetPayload: 2 } as const
export const sessionState = { idle: 0, handshaking: 1, established: 2, receiveOnly: 3 } as const
export const verdict = { verdictUnknown: 0, verdictUp: 1, verdictDown: 2 } as const
export const eventKind = {
  engineStarted: 1,
  engineDied: 2,
  sessionUp: 3,
  sessionDown: 4,
  clientGone: 5,
  peerMoved: 6,
  linkQualityDown: 7,
  linkQualityUp: 8,
  pathMtuChanged: 9,
  namespaceEmpty: 10,
} as const
