#include "holder/devices.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>

#include "holder/unix-socket.h"

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
// Packets that wait for the engine: 13 ms of 300,000 a second while it gets no core,
// four seconds of a thousand a second while it is started anew.
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
  ioctl(socket.get(), SIOCSIFTXQLEN, &request);  // else it keeps the default, 500
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

socklen_t socket_address(const SocketSpec& spec, sockaddr_storage& storage) {
  storage = {};
  if (spec.family == AF_INET) {
    auto& address = reinterpret_cast<sockaddr_in&>(storage);
    address.sin_family = AF_INET;
    address.sin_port = htons(spec.port);
    std::memcpy(&address.sin_addr, spec.address.data(), sizeof address.sin_addr);
    return sizeof address;
  }
  auto& address = reinterpret_cast<sockaddr_in6&>(storage);
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(spec.port);
  std::memcpy(&address.sin6_addr, spec.address.data(), sizeof address.sin6_addr);
  return sizeof address;
}

bool set_packet_info(int socket, std::uint8_t family) {
  const int on = 1;
  if (family == AF_INET) return setsockopt(socket, IPPROTO_IP, IP_PKTINFO, &on, sizeof on) == 0;
  return setsockopt(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on) == 0 &&
         setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0;
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
    return {EINVAL, "'" + spec.name + "' is no interface name: 1 to 15 bytes without / : % or spaces"};
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

Status open_udp(const SocketSpec& spec, Fd& socket) {
  if ((spec.family != AF_INET || spec.address.size() != 4) &&
      (spec.family != AF_INET6 || spec.address.size() != 16)) {
    return {EINVAL, "the address does not fit the family: 4 bytes for AF_INET, 16 for AF_INET6"};
  }
  socket = Fd(::socket(spec.family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket || !set_packet_info(socket.get(), spec.family)) {
    return {errno, "cannot make a UDP socket: " + errno_text(errno)};
  }
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kSocketBufferBytes, sizeof kSocketBufferBytes);
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUFFORCE, &kSocketBufferBytes, sizeof kSocketBufferBytes);
  sockaddr_storage address;
  const socklen_t length = socket_address(spec, address);
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0) return {};
  const int error = errno;
  std::string text = "cannot bind UDP port " + std::to_string(spec.port) + ": " + errno_text(error);
  if (error == EADDRINUSE) text += "; another program uses it";
  if (error == EADDRNOTAVAIL) text += "; the address is not on this node";
  return {error, text};
}

std::uint16_t bound_port(const Fd& socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length);
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

}  // namespace nsm::holder
