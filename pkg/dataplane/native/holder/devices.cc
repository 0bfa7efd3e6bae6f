#include "holder/devices.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "holder/unix-socket.h"
#include "io/sockaddr.h"

// Linux 6.2; newer than Debian 12's headers.
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

namespace nsm::holder {
namespace {

constexpr int kSocketBufferBytes = 8 * 1024 * 1024;
constexpr int kVnetHeaderBytes = 10;  // struct virtio_net_hdr
constexpr unsigned kTso = TUN_F_TSO4 | TUN_F_TSO6;
constexpr unsigned kUso = TUN_F_USO4 | TUN_F_USO6;
// Packets that wait for the engine: 13 ms at 300,000 packets a second while it gets no
// CPU time, four seconds at a thousand a second while it restarts.
constexpr int kQueuePackets = 4096;

bool set_offloads(const Fd& device, const TunOffloads& offloads) {
  const unsigned flags = (offloads.tso ? kTso : 0) | (offloads.uso ? kUso : 0);
  return flags != 0 && ioctl(device.get(), TUNSETOFFLOAD, TUN_F_CSUM | flags) == 0;
}

Status create_device(const std::string& name, short flags, Fd& device) {
  device = Fd(open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!device) return {errno, "cannot open /dev/net/tun: " + errno_text(errno)};
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_flags = static_cast<short>(flags | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL);
  if (ioctl(device.get(), TUNSETIFF, &request) != 0) return {errno, errno_text(errno)};
  if (ioctl(device.get(), TUNSETVNETHDRSZ, &kVnetHeaderBytes) != 0) return {errno, errno_text(errno)};
  return {};
}

void set_queue_length(const std::string& name) {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_qlen = kQueuePackets;
  ioctl(socket.get(), SIOCSIFTXQLEN, &request);  // if this fails, the queue keeps its default of 500
}

std::uint32_t index_of(const std::string& name) {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  return ioctl(socket.get(), SIOCGIFINDEX, &request) == 0 ? request.ifr_ifindex : 0;
}

bool is_interface_name(const std::string& name) {
  return !name.empty() && name.size() < IFNAMSIZ && name != "." && name != ".." &&
         name.find_first_of("/:% \t\n") == name.npos;
}

bool set_packet_info(int socket, int family) {
  const int on = 1;
  if (family == AF_INET) return setsockopt(socket, IPPROTO_IP, IP_PKTINFO, &on, sizeof on) == 0;
  return setsockopt(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on) == 0 &&
         setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0;
}

Status make_udp(const SocketAddress& address, Fd& socket) {
  const int family = io::Sockaddr(address).any.sa_family;
  socket = Fd(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket || !set_packet_info(socket.get(), family)) {
    return {errno, "cannot open a UDP socket: " + errno_text(errno)};
  }
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kSocketBufferBytes, sizeof kSocketBufferBytes);
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUFFORCE, &kSocketBufferBytes, sizeof kSocketBufferBytes);
  return {};
}

Status bind_udp(const SocketAddress& address, const Fd& socket) {
  const io::Sockaddr at(address);
  if (bind(socket.get(), &at.any, at.size()) == 0) return {};
  const int error = errno;
  std::string text = "cannot bind UDP port " + std::to_string(address.port) + ": " + errno_text(error);
  if (error == EADDRINUSE) text += "; another program uses it";
  if (error == EADDRNOTAVAIL) text += "; the address is not on this node";
  return {error, text};
}

// With other sockets of our uid that share it, too.
void share_port(const Fd& socket, bool shares) noexcept {
  const int on = shares ? 1 : 0;
  setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
}

}  // namespace

TunOffloads probe_tun_offloads(const Namespaces& namespaces, const protocol::OffloadSet& wanted) {
  using protocol::Offload;
  const NamespaceVisit visit(*namespaces.own(), *namespaces.own());
  Fd device;
  if (unshare(CLONE_NEWNET) != 0 || !create_device("probe", IFF_TUN, device).ok()) return {};
  return {wanted.has(Offload::tun_tso) && set_offloads(device, {true, false}),
          wanted.has(Offload::tun_uso) && set_offloads(device, {false, true})};
}

Status open_device(const Namespaces& namespaces, const DeviceSpec& spec, const TunOffloads& offloads,
                   Fd& device) {
  if (!is_interface_name(spec.name)) {
    return {EINVAL, "'" + spec.name + "' is no interface name; use 1 to 15 bytes without / : % or spaces"};
  }
  NamespaceRef target;
  if (Status status = namespaces.find(spec.ns, target); !status.ok()) return status;
  const NamespaceVisit visit(*namespaces.own(), *target);
  if (!visit.status().ok()) return visit.status();
  Status status = create_device(spec.name, spec.kind == protocol::kTun ? IFF_TUN : IFF_TAP, device);
  if (status.ok()) {
    set_offloads(device, offloads);
    set_queue_length(spec.name);
  } else if (index_of(spec.name) != 0) {
    status = {EEXIST,
              "interface " + spec.name + " exists in this namespace; choose another name or remove it"};
  }
  return status;
}

bool is_device(const Fd& device, const DeviceSpec& spec) {
  ifreq request{};
  struct stat info;
  if (ioctl(device.get(), TUNGETIFF, &request) != 0 || spec.name != request.ifr_name) return false;
  const Fd ns(ioctl(device.get(), TUNGETDEVNETNS));
  return fstat(ns.get(), &info) == 0 && namespace_id(info) == spec.ns;
}

std::uint32_t interface_index(const Namespaces& namespaces, const Namespace& target,
                              const std::string& name) {
  const NamespaceVisit visit(*namespaces.own(), target);
  return visit.status().ok() ? index_of(name) : 0;
}

Status open_udp(const SocketAddress& address, Fd& socket) {
  const Status status = make_udp(address, socket);
  return status.ok() ? bind_udp(address, socket) : status;
}

Status open_udp_beside(const Fd& former, const SocketAddress& address, Fd& socket) {
  Status status = make_udp(address, socket);
  if (!status.ok()) return status;
  share_port(former, true);
  share_port(socket, true);
  status = bind_udp(address, socket);
  share_port(former, false);
  share_port(socket, false);
  return status;
}

}  // namespace nsm::holder
