#include "holder/source-checks.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv6.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <initializer_list>

#include "holder/rtnl.h"
#include "holder/unix-socket.h"
#include "protocol/message.h"

namespace nsm::holder {

using namespace protocol;

namespace {

constexpr timeval kKernelTimeout{5, 0};
constexpr char kTable[] = "nsmesh";
constexpr char kChain[] = "sources";
constexpr int kNfIp6PriorityRaw = NF_IP6_PRI_RAW;
constexpr std::uint32_t kLastSequence = 4;  // of the messages that are acknowledged

void append(Bytes& to, View bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
  to.resize(NLA_ALIGN(to.size()));
}

Bytes attribute(std::uint16_t type, View value) {
  const nlattr header{static_cast<std::uint16_t>(NLA_HDRLEN + value.size()), type};
  Bytes bytes;
  append(bytes, {reinterpret_cast<const std::uint8_t*>(&header), sizeof header});
  append(bytes, value);
  return bytes;
}

Bytes text(std::uint16_t type, const char* value) {
  return attribute(type, view_of(std::string_view(value, std::char_traits<char>::length(value) + 1)));
}

Bytes raw(std::uint16_t type, std::uint32_t value) {
  return attribute(type, {reinterpret_cast<const std::uint8_t*>(&value), sizeof value});
}

// nf_tables takes numbers in network byte order; what registers hold is in that of the host.
Bytes number(std::uint16_t type, std::uint32_t value) { return raw(type, htonl(value)); }

Bytes nested(std::uint16_t type, std::initializer_list<Bytes> attributes) {
  Bytes content;
  for (const Bytes& attribute : attributes) append(content, attribute);
  return attribute(type | NLA_F_NESTED, content);
}

Bytes expression(const char* name, std::initializer_list<Bytes> attributes) {
  return nested(NFTA_LIST_ELEM, {text(NFTA_EXPR_NAME, name), nested(NFTA_EXPR_DATA, attributes)});
}

Bytes equals(std::uint32_t value) {
  return expression("cmp", {number(NFTA_CMP_SREG, NFT_REG_1), number(NFTA_CMP_OP, NFT_CMP_EQ),
                            nested(NFTA_CMP_DATA, {raw(NFTA_DATA_VALUE, value)})});
}

Bytes rule() {
  const Bytes drop = nested(NFTA_DATA_VERDICT, {number(NFTA_VERDICT_CODE, NF_DROP)});
  return nested(
      NFTA_RULE_EXPRESSIONS,
      {expression("meta", {number(NFTA_META_DREG, NFT_REG_1), number(NFTA_META_KEY, NFT_META_IIFGROUP)}),
       equals(kCheckedGroup),
       expression("fib", {number(NFTA_FIB_DREG, NFT_REG_1), number(NFTA_FIB_RESULT, NFT_FIB_RESULT_OIF),
                          number(NFTA_FIB_FLAGS, NFTA_FIB_F_SADDR | NFTA_FIB_F_IIF)}),
       equals(0),  // no link
       expression("immediate",
                  {number(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT), nested(NFTA_IMMEDIATE_DATA, {drop})})});
}

struct Header {
  std::uint16_t type;
  std::uint16_t flags;
  std::uint32_t sequence;
  nfgenmsg fixed;
};

void add(Bytes& batch, const Header& header, std::initializer_list<Bytes> attributes) {
  MessageBuilder message(header.type, header.flags | NLM_F_REQUEST, header.sequence);
  message.encoded({reinterpret_cast<const std::uint8_t*>(&header.fixed), sizeof header.fixed});
  for (const Bytes& attribute : attributes) message.encoded(attribute);
  append(batch, message.take());
}

void add_for_table(Bytes& batch, Header header, std::initializer_list<Bytes> attributes) {
  header.type |= NFNL_SUBSYS_NFTABLES << 8;
  header.flags |= NLM_F_ACK;
  header.fixed = {NFPROTO_IPV6, NFNETLINK_V0, 0};
  add(batch, header, attributes);
}

Bytes question() {
  Bytes message;
  add_for_table(message, {NFT_MSG_GETTABLE, 0, kLastSequence, {}}, {text(NFTA_TABLE_NAME, kTable)});
  return message;
}

// One transaction: all of the table, or nothing. Without its end the kernel checks it and takes
// it back.
Bytes transaction(bool commits) {
  const nfgenmsg subsystem{AF_UNSPEC, NFNETLINK_V0, htons(NFNL_SUBSYS_NFTABLES)};
  Bytes batch;
  add(batch, {NFNL_MSG_BATCH_BEGIN, 0, 1, subsystem}, {});
  add_for_table(batch, {NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL, 2, {}}, {text(NFTA_TABLE_NAME, kTable)});
  add_for_table(
      batch, {NFT_MSG_NEWCHAIN, NLM_F_CREATE, 3, {}},
      {text(NFTA_CHAIN_TABLE, kTable), text(NFTA_CHAIN_NAME, kChain), text(NFTA_CHAIN_TYPE, "filter"),
       nested(NFTA_CHAIN_HOOK, {number(NFTA_HOOK_HOOKNUM, NF_INET_PRE_ROUTING),
                                number(NFTA_HOOK_PRIORITY, kNfIp6PriorityRaw)})});
  add_for_table(batch, {NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, kLastSequence, {}},
                {text(NFTA_RULE_TABLE, kTable), text(NFTA_RULE_CHAIN, kChain), rule()});
  if (commits) add(batch, {NFNL_MSG_BATCH_END, 0, kLastSequence + 1, subsystem}, {});
  return batch;
}

Status open_nf_tables(const Namespaces& namespaces, const Namespace& target, Fd& socket) {
  const NamespaceVisit visit(*namespaces.own(), target);
  if (!visit.status().ok()) return visit.status();
  socket = Fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  if (socket &&
      setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kKernelTimeout, sizeof kKernelTimeout) == 0) {
    return {};
  }
  return {errno, "cannot open nf_tables: " + errno_text(errno)};
}

// The first refusal, or the last acknowledgement.
Status receive_answer(int socket) {
  std::array<std::uint8_t, 8192> buffer;
  for (;;) {
    const ssize_t size = recv(socket, buffer.data(), buffer.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return {ETIMEDOUT, "nf_tables did not answer within 5 s"};
    if (size < 0) return {errno, "cannot receive from nf_tables: " + errno_text(errno)};
    Frame frame;
    if (next_frame(View(buffer).first(size), frame) != FrameState::kComplete || frame.type != NLMSG_ERROR)
      continue;
    Status status = protocol::read_answer(frame);
    if (!status.ok() || frame.sequence == kLastSequence) return status;
  }
}

Status exchange(int socket, const Bytes& messages) {
  if (send(socket, messages.data(), messages.size(), 0) >= 0) return receive_answer(socket);
  return {errno, "cannot send to nf_tables: " + errno_text(errno)};
}

bool is_unsupported(int error) {  // sockets, nf_tables, its family, its expressions
  return error == EPROTONOSUPPORT || error == EOPNOTSUPP || error == EAFNOSUPPORT || error == ENOENT;
}

}  // namespace

Status add_source_checks(const Namespaces& namespaces, const Namespace& target) {
  Fd socket;
  Status status = open_nf_tables(namespaces, target, socket);
  // A transaction for a table that exists would fail, for which the kernel takes 10 ms.
  if (status.ok() && exchange(socket.get(), question()).ok()) return {};
  if (status.ok()) status = exchange(socket.get(), transaction(true));
  if (!is_unsupported(status.error)) return status;
  return {EOPNOTSUPP, "the kernel cannot check sources of IPv6: it lacks nft_fib_ipv6"};
}

bool can_check_sources(const Namespaces& namespaces) {
  Fd socket;
  const Status status = open_nf_tables(namespaces, *namespaces.own(), socket);
  if (!status.ok()) return false;
  const int error = exchange(socket.get(), transaction(false)).error;
  return error == 0 || error == EEXIST;
}

}  // namespace nsm::holder
