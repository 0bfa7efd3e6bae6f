// The local protocol of nsm-dataplane: netlink framing (nlmsghdr + nlattr, host
// byte order, NLA_ALIGN 4) over unix stream sockets, so that one codec serves
// the kernel and the dataplane. This header is the one list of its numbers;
// pkg/netlink/protocol.ts mirrors it and a test compares the two.
//
//   control socket   nsmd <-> holder     requests, replies, events
//   deliver socket   holder -> nsmd      kPreface, then the bytes of a local client
//   dial socket      nsmd -> holder      kDial, answered by kPreface or an error,
//                                        then the bytes of the connection
//   engine socket    holder <-> engine   SOCK_SEQPACKET, one message a packet,
//                                        descriptors as SCM_RIGHTS; the engine's first message is
//                                        kHello {version, feature*}, the holder repeats its objects and
//                                        then sends kHello: only from then on the engine reads packets,
//                                        so that none meets half of its wire
//
// Every request carries NLM_F_REQUEST and a sequence number that its replies
// repeat. A request is answered by zero or more messages of its own type and
// then NLMSG_ERROR with error 0, or with a negative errno and NLMSGERR_ATTR_MSG,
// a sentence that says what was refused and why. Events have sequence number 0.
// An unknown message type, or an unknown attribute, is refused with EOPNOTSUPP:
// nothing that is not understood is half done.
#pragma once

#include <cstdint>

namespace nsm::protocol {

inline constexpr std::uint32_t kVersion = 1;
inline constexpr std::uint32_t kMaxMessageBytes = 64 * 1024;
inline constexpr std::uint32_t kMaxIdBytes = 64;  // object ids: 1..64 bytes of [A-Za-z0-9._:-]

enum Message : std::uint16_t {
  kHello = 0x20,  // first message on the control socket; both sides give kVersionAttr

  // Namespaces are named by the (dev, ino) of their nsfs file. Known are: the
  // namespaces of connected local clients, and pinned ones.
  kRtnl = 0x21,       // {ns?, payload, fdPatch*}: rtnetlink messages for that namespace (absent: the
                      // holder's own); every message the kernel answers with comes back in payloads
  kRtnlWatch = 0x22,  // {ns?, groups}: subscribe to rtnetlink groups (bit n-1 = group n; 0 = stop)
  kRtnlEvent = 0x23,  // {ns?, payload}: what the kernel said there; NLMSG_OVERRUN when some of it was lost
  kNsPin = 0x24,      // {id, ns}: keep the namespace reachable under this pin until kNsUnpin
  kNsUnpin = 0x25,    // {id}
  kNsGet = 0x26,      // dump of the pins

  // Objects of the engine. Set is idempotent: it creates, or updates in place what may change.
  // The holder remembers the last kind of each Set and repeats them to a restarted engine.
  kUnderlaySet = 0x30,  // {id, family, address, port, privateKey?, kind}: a UDP socket in the node's namespace
  kUnderlayDel = 0x31,
  kUnderlayGet = 0x32,
  kPortSet = 0x33,  // {id, kind, ...by kind}; tun, tap: {ns, ifname}. The holder makes the device and adds
                    // its ifindex to what it passes on, so that kPortGet can tell it
  kPortDel = 0x34,
  kPortGet = 0x35,  // dump, or {id}: all that kPortSet said, so that the caller can tell whether it is still what
                    // it wants; of privateKey only publicKey, presharedKey never. And ifindex, sessionState,
                    // handshakeAgeMs; peerAddress and peerPort are where the peer is now
  kWireSet = 0x36,  // {id, portA, portB}
  kWireDel = 0x37,
  kWireGet = 0x38,  // dump: {id, portA, portB}
  kRehandshake = 0x39,  // {id of a wireguard port}: start a new handshake now
  kCountersGet = 0x3a,  // dump: {id of port | "engine", counter*}
  kEvent = 0x3b,        // {event, id?, text?, ...}
  kPathGet = 0x3c,      // dump: {underlay, peerAddress, peerPort, path*} of each way to another node

  kPreface = 0x40,  // {listener, connection, pid, uid, gid, ns, cgroup}
  kDial = 0x41,     // {url}: unix:///path or inode://dev/ino of a descriptor that a client passed
};

enum Attribute : std::uint16_t {
  kVersionAttr = 1,      // u32
  kId = 2,               // string
  kNsDev = 3,            // u64
  kNsIno = 4,            // u64
  kPayload = 5,          // bytes: whole netlink messages
  kFdPatch = 6,          // nested {kPatchOffset u32, kNsDev, kNsIno}: the holder writes the number of
                         // its descriptor of that namespace at this offset of kPayload
  kPatchOffset = 7,      // u32
  kGroups = 8,           // u32
  kKind = 9,             // u8, PortKind or UnderlayKind
  kIfname = 10,          // string, 1..15 bytes
  kIfindex = 11,         // u32 (reply)
  kFamily = 12,          // u8, AF_INET or AF_INET6
  kAddress = 13,         // 4 or 16 bytes
  kUdpPort = 14,         // u16, host byte order; 0 lets the kernel choose
  kPrivateKey = 15,      // 32 bytes, X25519. Underlay: the node's key. Port: the key this wire initiates with
  kPublicKey = 16,       // 32 bytes (reply): of kPrivateKey
  kUnderlay = 17,        // string: id of the underlay that a wireguard or vxlan port uses
  kPeerResponderKey = 18,  // 32 bytes: the peer's key when it answers (an nsmesh node: its node key)
  kPeerInitiatorKey = 19,  // 32 bytes: the peer's key when it initiates; absent: same as the former
  kPresharedKey = 20,    // 32 bytes, optional
  kPeerAddress = 21,     // 4 or 16 bytes: the peer's endpoint
  kPeerPort = 22,        // u16
  kAead = 23,            // u8, AeadKind
  kRoaming = 24,         // u8: 1 = the endpoint follows authenticated packets (foreign peers), 0 = pinned
  kLocalPrefix = 25,     // bytes: family u8, length u8, address; repeated: inner addresses of this side
  kRemotePrefix = 26,    // the same for the far side
  kKeepaliveSeconds = 27,  // u16, 0 = off
  kVni = 28,             // u32, 1 to 2^24 - 1
  kPortA = 29,           // string
  kPortB = 30,           // string
  kMtuBytes = 31,        // u32: of the inner packets of the wire
  kEventKind = 32,       // u8, EventKind
  kText = 33,            // string
  kCounter = 34,         // nested {kCounterName string, kCounterValue u64}
  kCounterName = 35,
  kCounterValue = 36,
  kListener = 37,        // string: name of the --listen socket that accepted
  kConnection = 38,      // u64: unique in the life of the holder
  kPid = 39,             // u32
  kUid = 40,             // u32
  kGid = 41,             // u32
  kCgroup = 42,          // string: cgroup v2 path, or the most specific v1 path; "" where there is none
  kUrl = 43,             // string
  kEnginePid = 44,       // u32 (hello reply, events)
  kEngineRestarts = 45,  // u32 (hello reply)
  kFeature = 46,         // string, repeated (hello reply): name=on|off, such as udp_gso=on
  kSessionState = 47,    // u8, SessionState (port reply)
  kHandshakeAgeMs = 48,  // u64 (port reply): since the last completed handshake; absent: none yet
  kBuild = 49,           // string (hello reply): version of the program
  kSendOnly = 50,        // reserved
  kPathMessages = 51,    // u8: 1 = the peer understands path messages, and gets them; absent: 0
  kPathState = 52,       // u8, PathState
  kPathRttUs = 53,       // u32, smoothed; 0: not known
  kPathJitterUs = 54,    // u32: mean deviation of the round trip
  kPathLossPpm = 55,     // u32: of the latest probes
  kPathProbes = 56,      // u64: sent, but for searches of the MTU
  kPathLost = 57,        // u64: of these
  kPayloadKind = 58,     // u8, PayloadKind: what a wireguard port carries; absent: ip
};

enum PortKind : std::uint8_t { kTun = 1, kTap = 2, kWireguard = 3, kVxlan = 4 };
enum UnderlayKind : std::uint8_t { kUnderlayWireguard = 1, kUnderlayVxlan = 2 };
enum AeadKind : std::uint8_t { kChaCha20Poly1305 = 1, kAes256Gcm = 2 };
enum PayloadKind : std::uint8_t { kIpPayload = 1, kEthernetPayload = 2 };
enum SessionState : std::uint8_t { kIdle = 0, kHandshaking = 1, kEstablished = 2, kReceiveOnly = 3 };
enum PathState : std::uint8_t { kPathUnknown = 0, kPathAlive = 1, kPathDead = 2 };
enum EventKind : std::uint8_t {
  kEngineStarted = 1,   // {enginePid, engineRestarts}: also after a restart, when all objects are back
  kEngineDied = 2,      // {enginePid, text}
  kSessionUp = 3,       // {id of port}
  kSessionDown = 4,     // {id of port, text}: no handshake for 15 s while there is traffic
  kClientGone = 5,      // {connection}: a local client's connection ended
  kPeerMoved = 6,       // {id of port, peerAddress, peerPort}
  kPathDown = 7,        // {underlay, peerAddress, peerPort, text}: probes get no answer
  kPathUp = 8,          // {underlay, peerAddress, peerPort}
  kPathMtuChanged = 9,  // {underlay, peerAddress, peerPort, mtuBytes}
};

// The engine's descriptors when it starts.
inline constexpr int kEngineSocketFd = 3;  // SOCK_SEQPACKET to the holder
inline constexpr int kEngineStateFd = 4;   // sealed memfd: what survives the engine (keys, timestamps)
inline constexpr std::uint64_t kEngineStateBytes = 64ull * 1024 * 1024;  // sparse; only touched pages cost

}  // namespace nsm::protocol
