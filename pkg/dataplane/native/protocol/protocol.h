// The local protocol of nsm-dataplane: netlink framing (nlmsghdr and nlattr, host
// byte order, NLA_ALIGN 4) over unix sockets, so that one codec serves the kernel
// and the dataplane. This header is the one list of its numbers;
// pkg/netlink/protocol.ts mirrors it, and a test compares the two.
//
//   control socket   nsmd <-> holder     requests, replies, events
//   deliver socket   holder -> nsmd      kPreface, then the bytes of a local client
//   dial socket      nsmd -> holder      kDial, answered by kPreface or an error,
//                                        then the bytes of the connection
//   cni socket       nsm-cni -> nsmd     through the holder, as a local client: one kPodAdd or kPodDel,
//                                        with the pod's network namespace as SCM_RIGHTS; one answer
//   engine socket    holder <-> engine   SOCK_SEQPACKET, one message per packet,
//                                        descriptors as SCM_RIGHTS
//
// The engine's first message is kHello {version, feature*}. The holder then repeats
// all objects and sends kHello itself: the engine reads no packet before that, so
// that every packet finds complete cross-connects.
//
// A request carries NLM_F_REQUEST and a sequence number, which its replies repeat.
// It is answered by zero or more messages of its own type and then by NLMSG_ERROR:
// error 0, or a negative errno with NLMSGERR_ATTR_MSG, a sentence that says what was
// refused and why. Events have sequence number 0. A request with an unknown message
// type or attribute is refused with EOPNOTSUPP as a whole.
#pragma once

#include <cstdint>

namespace nsm::protocol {

inline constexpr std::uint32_t kVersion = 1;
inline constexpr std::uint32_t kPrefaceVersion = 2;  // a preface without a version is of version 1
inline constexpr std::uint32_t kMaxMessageBytes = 64 * 1024;
inline constexpr std::uint32_t kMaxIdBytes = 64;         // object ids: 1..64 bytes of [A-Za-z0-9._:-]
inline constexpr std::uint32_t kCheckedGroup = 7238509;  // "nsm", see kSourcesCheck
inline constexpr std::uint32_t kKeyAttributeBytes = 32;  // X25519 and preshared keys

enum Message : std::uint16_t {
  kHello = 0x20,  // the first message on the control socket; both sides send kVersionAttr

  // A network namespace is named by the (dev, ino) of its nsfs file. The holder knows the namespaces of
  // connected local clients, those that nsm-cni passes while its connection stands, and pinned ones.

  // {ns?, payload, fdPatch*}: rtnetlink messages for that namespace (absent: the
  // holder's own). The kernel's answers come back in payloads.
  kRtnl = 0x21,
  kRtnlWatch = 0x22,  // {ns?, groups}: subscribe to rtnetlink groups (bit n-1 = group n; 0: unsubscribe)
  kRtnlEvent = 0x23,  // {ns?, payload}: a message of those groups; NLMSG_OVERRUN: some were lost
  // {id, ns}: keep the namespace reachable under this pin until kNsUnpin. While it has a pin, unprivileged
  // programs there may open ping sockets, unless its net.ipv4.ping_group_range is not the kernel's default.
  kNsPin = 0x24,
  kNsUnpin = 0x25,  // {id}
  kNsGet = 0x26,    // dump of the pins
  // {ns?}: from now on the namespace drops IPv6 packets that come by a link of group kCheckedGroup from a
  // source to which no route leads by that link. EOPNOTSUPP: the kernel cannot.
  kSourcesCheck = 0x27,
  // {id, pod}: find the network namespace of that pod by the cgroups of its processes, and pin it as kNsPin
  // does; the reply is {id, ns}. It is that of the pod's oldest process outside of the node's own network
  // namespace, so no process of the pod can choose another one later. ENOENT: no process of the pod is there.
  // EPERM: all of them are in the node's own, or the cgroups of one name another pod besides.
  kPodPin = 0x28,

  // Objects of the engine. Set is idempotent: it creates the object, or changes in
  // place what may change. The holder keeps the last Set of each object and repeats
  // it to a restarted engine.

  // {id, family, address, port, privateKey?, kind}: a UDP socket in the node's namespace. One that is set to
  // another address or port moves there with the ports that use it.
  kUnderlaySet = 0x30,
  kUnderlayDel = 0x31,
  kUnderlayGet = 0x32,
  // {id, kind, ...by kind}; tun and tap: {ns, ifname}. The holder makes the device and
  // adds its ifindex to the message for the engine.
  kPortSet = 0x33,
  kPortDel = 0x34,
  // Dump, or {id}: all that kPortSet said, so that the caller can compare it with what
  // it wants; publicKey in place of privateKey, never presharedKey. In addition ifindex,
  // sessionState, sessionVerdict and handshakeAgeMs. peerAddress and peerPort are where the peer is now.
  kPortGet = 0x35,
  kCrossConnectSet = 0x36,  // {id, portA, portB}
  kCrossConnectDel = 0x37,
  kCrossConnectGet = 0x38,  // dump: {id, portA, portB}
  kRehandshake = 0x39,      // {id of a wireguard port}: start a new handshake now
  kCountersGet = 0x3a,      // dump: {id of a port | "engine" | "holder", counter*}
  kEvent = 0x3b,            // {event, id?, text?, ...}
  // Dump: {underlay, peerAddress, peerPort, linkVerdict, mtuBytes, rttUs, jitterUs,
  // lossPpm, probesSent, probesLost} for each remote node
  kLinkQualityGet = 0x3c,

  // {version, listener, connection, pid, uid, gid, ns, cgroup} and since version 2
  // {pidNs, userNs, mountNs, pod, account, nodesOwn}
  kPreface = 0x40,
  // {url, uid}: unix:///path, or inode://dev/ino of a descriptor that a client passed; connected with the
  // rights of that user, or without a uid of nobody
  kDial = 0x41,
  // {pod, podNamespace, podName, sandbox, ns, requestedServices?, servedServices?}: a pod starts, and waits
  // until its wires are up. nsmd answers as any request is answered, by NLMSG_ERROR; the text of a refusal
  // is the one sentence that the pod's events show. The holder keeps the namespace while the connection
  // stands, so nsmd pins it before it answers.
  kPodAdd = 0x42,
  // {pod, podNamespace, podName, sandbox}: the sandbox ends. Comes late, repeated, or for a sandbox that was
  // never added; all of that is answered with success, and at once.
  kPodDel = 0x43,
};

enum Attribute : std::uint16_t {
  kVersionAttr = 1,  // u32
  kId = 2,           // string
  kNsDev = 3,        // u64
  kNsIno = 4,        // u64
  kPayload = 5,      // bytes: whole netlink messages
  // Nested {kPatchOffset u32, kNsDev, kNsIno}: the holder writes the number of its
  // descriptor of that namespace at this offset of kPayload.
  kFdPatch = 6,
  kPatchOffset = 7,        // u32
  kGroups = 8,             // u32
  kKind = 9,               // u8, PortKind or UnderlayKind
  kIfname = 10,            // string, 1..15 bytes
  kIfindex = 11,           // u32 (reply)
  kFamily = 12,            // u8, AF_INET or AF_INET6
  kAddress = 13,           // 4 or 16 bytes
  kUdpPort = 14,           // u16, host byte order; 0: the kernel chooses
  kPrivateKey = 15,        // key. Underlay: the node's. Port: the one that this wire initiates with
  kPublicKey = 16,         // key (reply): of kPrivateKey
  kUnderlay = 17,          // string: id of the underlay that a wireguard or vxlan port uses
  kPeerResponderKey = 18,  // key that the peer responds with (an nsmesh node: its node key)
  kPeerInitiatorKey = 19,  // key that the peer initiates with; absent: the same as kPeerResponderKey
  kPresharedKey = 20,      // key, optional
  kPeerAddress = 21,       // 4 or 16 bytes: with kPeerPort, the peer's socket address
  kPeerPort = 22,          // u16
  kAead = 23,              // u8, AeadKind
  kRoaming = 24,           // u8: 1 = the peer's address follows authenticated packets, 0 = pinned
  kLocalPrefix = 25,       // bytes: family u8, length u8, address; repeated: inner addresses of this side
  kRemotePrefix = 26,      // the same for the far side
  kKeepaliveSeconds = 27,  // u16, 0 = off
  kVni = 28,               // u32, 1 to 2^24 - 1
  kPortA = 29,             // string
  kPortB = 30,             // string
  kMtuBytes = 31,          // u32: of the wire's inner packets
  kEventKind = 32,         // u8, EventKind
  kText = 33,              // string
  kCounter = 34,           // nested {kCounterName string, kCounterValue u64}
  kCounterName = 35,
  kCounterValue = 36,
  kListener = 37,        // string: name of the --listen socket that accepted the connection
  kConnection = 38,      // u64: unique for the life of the holder
  kPid = 39,             // u32
  kUid = 40,             // u32
  kGid = 41,             // u32
  kCgroup = 42,          // string: cgroup v2 path, or the most specific v1 path; empty: none
  kUrl = 43,             // string
  kEnginePid = 44,       // u32 (hello reply, events)
  kEngineRestarts = 45,  // u32 (hello reply)
  kFeature = 46,         // string, repeated (hello reply): name=on|off, such as udp_gso=on
  kSessionState = 47,    // u8, SessionState (port reply)
  kHandshakeAgeMs = 48,  // u64 (port reply): since the last completed handshake; absent: none yet
  kBuild = 49,           // string (hello reply): version of the program
  kProbeMessages = 51,   // u8: 1 = the peer understands probe messages; absent: 0
  kLinkVerdict = 52,     // u8, Verdict: whether the remote node answers probes
  kRttUs = 53,           // u32, smoothed; 0: not known yet
  kJitterUs = 54,        // u32: mean deviation of the round trip
  kLossPpm = 55,         // u32: of the latest probes
  kProbesSent = 56,      // u64, without those that search for the MTU
  kProbesLost = 57,      // u64: of these
  kPayloadKind = 58,     // u8, PayloadKind: what a wireguard port carries; absent: ip
  kPidNs = 59,           // u64: inode number, like the next two
  kUserNs = 60,          // u64
  kMountNs = 61,         // u64
  kPod = 62,             // string: uid of the pod; empty: none
  kAccount = 63,         // string: whom limits count the process for, see holder/attestation.h
  kNodesOwn = 64,        // u8: 1 = a process of the node itself, in no container
  // u8, Verdict (port reply): whether packets pass both ways through this port. If it is down, kText says
  // why.
  kSessionVerdict = 65,
  kPodNamespace = 66,       // string: the Kubernetes namespace
  kPodName = 67,            // string
  kSandbox = 68,            // string: container id of the pod's sandbox
  kRequestedServices = 69,  // string: the pod's annotation networkservicemesh.io; absent: it has none
  kServedServices = 70,     // string: the pod's annotation networkservicemesh.io/serve; absent: it has none
};

enum PortKind : std::uint8_t { kTun = 1, kTap = 2, kWireguard = 3, kVxlan = 4 };
enum UnderlayKind : std::uint8_t { kUnderlayWireguard = 1, kUnderlayVxlan = 2 };
enum AeadKind : std::uint8_t { kChaCha20Poly1305 = 1, kAes256Gcm = 2 };
enum PayloadKind : std::uint8_t { kIpPayload = 1, kEthernetPayload = 2 };
enum SessionState : std::uint8_t { kIdle = 0, kHandshaking = 1, kEstablished = 2, kReceiveOnly = 3 };
enum Verdict : std::uint8_t { kVerdictUnknown = 0, kVerdictUp = 1, kVerdictDown = 2 };
enum EventKind : std::uint8_t {
  kEngineStarted = 1,    // {enginePid, engineRestarts}: also after a restart, when all objects are back
  kEngineDied = 2,       // {enginePid, text}
  kSessionUp = 3,        // {id of a port}: sessionVerdict has become up
  kSessionDown = 4,      // {id of a port, text}: it has become down
  kClientGone = 5,       // {connection}: a local client's connection ended
  kPeerMoved = 6,        // {id of a port, peerAddress, peerPort}
  kLinkQualityDown = 7,  // {underlay, peerAddress, peerPort, text}: probes are not answered
  kLinkQualityUp = 8,    // {underlay, peerAddress, peerPort}
  kPathMtuChanged = 9,   // {underlay, peerAddress, peerPort, mtuBytes}
  kNamespaceEmpty = 10,  // {ns}: no process and no client is left in a pinned namespace
};

// The engine's descriptors when it starts.
inline constexpr int kEngineSocketFd = 3;  // SOCK_SEQPACKET to the holder
inline constexpr int kEngineStateFd = 4;   // sealed memfd: what survives the engine (keys, timestamps)
inline constexpr std::uint64_t kEngineStateBytes = 64ull * 1024 * 1024;  // sparse; only touched pages cost

}  // namespace nsm::protocol
