#include "protocol/fields.h"

#include <errno.h>
#include <linux/netlink.h>

#include <algorithm>

namespace nsm::protocol {
namespace {

enum class Form : std::uint8_t { kBytes, kText, kId, kRepeated };

struct Shape {
  const char* name = nullptr;      // null: no attribute has this number
  std::uint16_t min = 0, max = 0;  // length of the value in bytes
  Form form = Form::kBytes;
};

constexpr std::uint16_t kAny = 65'531;  // as long as an attribute can be

constexpr Shape key(const char* name) { return {name, kKeyAttributeBytes, kKeyAttributeBytes}; }
constexpr Shape id(const char* name) { return {name, 1, kMaxIdBytes, Form::kId}; }
constexpr Shape number(const char* name, std::uint16_t bytes) { return {name, bytes, bytes}; }

struct Entry {
  std::uint16_t attribute;
  Shape shape;
};
constexpr Entry kEntries[] = {
    {kVersionAttr, number("version", 4)},
    {kId, id("id")},
    {kNsDev, number("nsDev", 8)},
    {kNsIno, number("nsIno", 8)},
    {kPayload, {"payload", 0, kAny}},
    {kFdPatch, {"fdPatch", 0, 64, Form::kRepeated}},
    {kPatchOffset, number("patchOffset", 4)},
    {kGroups, number("groups", 4)},
    {kKind, number("kind", 1)},
    {kIfname, {"ifname", 1, 15, Form::kText}},
    {kIfindex, number("ifindex", 4)},
    {kFamily, number("family", 1)},
    {kAddress, {"address", 4, 16}},
    {kUdpPort, number("udpPort", 2)},
    {kPrivateKey, key("privateKey")},
    {kPublicKey, key("publicKey")},
    {kUnderlay, id("underlay")},
    {kPeerResponderKey, key("peerResponderKey")},
    {kPeerInitiatorKey, key("peerInitiatorKey")},
    {kPresharedKey, key("presharedKey")},
    {kPeerAddress, {"peerAddress", 4, 16}},
    {kPeerPort, number("peerPort", 2)},
    {kAead, number("aead", 1)},
    {kRoaming, number("roaming", 1)},
    {kLocalPrefix, {"localPrefix", 6, 18, Form::kRepeated}},
    {kRemotePrefix, {"remotePrefix", 6, 18, Form::kRepeated}},
    {kKeepaliveSeconds, number("keepaliveSeconds", 2)},
    {kVni, number("vni", 4)},
    {kPortA, id("portA")},
    {kPortB, id("portB")},
    {kMtuBytes, number("mtuBytes", 4)},
    {kEventKind, number("eventKind", 1)},
    {kText, {"text", 0, 4096, Form::kText}},
    {kCounter, {"counter", 0, 256, Form::kRepeated}},
    {kCounterName, {"counterName", 1, 64, Form::kText}},
    {kCounterValue, number("counterValue", 8)},
    {kListener, {"listener", 1, 64, Form::kText}},
    {kConnection, number("connection", 8)},
    {kPid, number("pid", 4)},
    {kUid, number("uid", 4)},
    {kGid, number("gid", 4)},
    {kCgroup, {"cgroup", 0, 4096, Form::kText}},
    {kUrl, {"url", 1, 4096, Form::kText}},
    {kEnginePid, number("enginePid", 4)},
    {kEngineRestarts, number("engineRestarts", 4)},
    {kFeature, {"feature", 1, 128, Form::kRepeated}},
    {kSessionState, number("sessionState", 1)},
    {kHandshakeAgeMs, number("handshakeAgeMs", 8)},
    {kBuild, {"build", 1, 128, Form::kText}},
    {kProbeMessages, number("probeMessages", 1)},
    {kLinkVerdict, number("linkVerdict", 1)},
    {kRttUs, number("rttUs", 4)},
    {kJitterUs, number("jitterUs", 4)},
    {kLossPpm, number("lossPpm", 4)},
    {kProbesSent, number("probesSent", 8)},
    {kProbesLost, number("probesLost", 8)},
    {kPayloadKind, number("payloadKind", 1)},
    {kPidNs, number("pidNs", 8)},
    {kUserNs, number("userNs", 8)},
    {kMountNs, number("mountNs", 8)},
    {kPod, {"pod", 0, 64, Form::kText}},
    {kAccount, {"account", 1, 4096, Form::kText}},
    {kNodesOwn, number("nodesOwn", 1)},
    {kSessionVerdict, number("sessionVerdict", 1)},
    {kPodNamespace, {"podNamespace", 1, 253, Form::kText}},
    {kPodName, {"podName", 1, 253, Form::kText}},
    {kSandbox, {"sandbox", 1, 256, Form::kText}},
    {kRequestedServices, {"requestedServices", 0, 16 * 1024, Form::kText}},
    {kServedServices, {"servedServices", 0, 16 * 1024, Form::kText}},
};

constexpr std::array<Shape, kAttributeCount> kShapes = [] {
  std::array<Shape, kAttributeCount> shapes{};
  for (const Entry& entry : kEntries) shapes[entry.attribute] = entry.shape;
  return shapes;
}();

bool is_known(std::uint16_t attribute) {
  return attribute < kAttributeCount && kShapes[attribute].name != nullptr;
}

bool is_id_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == ':' || c == '-';
}

// Removes the first attribute from `rest`.
bool next_attribute(View& rest, nlattr& header, View& value) {
  if (rest.size() < NLA_HDRLEN) return false;
  std::memcpy(&header, rest.data(), sizeof header);
  if (header.nla_len < NLA_HDRLEN || header.nla_len > rest.size()) return false;
  value = rest.subspan(NLA_HDRLEN, header.nla_len - NLA_HDRLEN);
  rest = rest.subspan(std::min<std::size_t>(NLA_ALIGN(header.nla_len), rest.size()));
  header.nla_type &= NLA_TYPE_MASK;
  return true;
}

Status check(const Shape& shape, View value) {
  const std::string name = shape.name;
  if (value.size() < shape.min || value.size() > shape.max) {
    return {EINVAL, "attribute " + name + " has " + std::to_string(value.size()) + " bytes, not " +
                        std::to_string(shape.min) + " to " + std::to_string(shape.max)};
  }
  const std::string_view text = text_of(value);
  if (shape.form == Form::kText && text.find('\0') != text.npos) {
    return {EINVAL, "attribute " + name + " contains a zero byte"};
  }
  if (shape.form == Form::kId && !std::all_of(text.begin(), text.end(), is_id_byte)) {
    return {EINVAL, "attribute " + name + " may only contain A-Z a-z 0-9 . _ : -"};
  }
  return {};
}

}  // namespace

const char* attribute_name(std::uint16_t attribute) {
  return is_known(attribute) ? kShapes[attribute].name : "unknown";
}

Status Fields::parse(View attributes, std::initializer_list<std::uint16_t> allowed) {
  return read(attributes, [allowed](std::uint16_t attribute) {
    return std::find(allowed.begin(), allowed.end(), attribute) != allowed.end();
  });
}

Status Fields::parse_any(View attributes) { return read(attributes, is_known); }

Status Fields::read(View attributes, const Allowed& allowed) {
  all_ = attributes;
  values_ = {};
  nlattr header;
  View value;
  while (!attributes.empty()) {
    if (!next_attribute(attributes, header, value)) return {EINVAL, "the message ends inside an attribute"};
    if (!allowed(header.nla_type)) {
      return {EOPNOTSUPP, "attribute " + std::to_string(header.nla_type) + " (" +
                              attribute_name(header.nla_type) + ") does not belong in this message"};
    }
    const Shape& shape = kShapes[header.nla_type];
    if (has(header.nla_type) && shape.form != Form::kRepeated) {
      return {EINVAL, std::string("attribute ") + shape.name + " is given twice"};
    }
    // One terminating zero is allowed: the kernel's strings have it.
    const bool is_text = shape.form == Form::kText || shape.form == Form::kId;
    if (is_text && !value.empty() && value.back() == 0) value = value.first(value.size() - 1);
    if (Status status = check(shape, value); !status.ok()) return status;
    values_[header.nla_type] = value;
  }
  return {};
}

Status Fields::require(std::initializer_list<std::uint16_t> needed) const {
  for (const std::uint16_t attribute : needed) {
    if (has(attribute)) continue;
    return {EINVAL, std::string("attribute ") + attribute_name(attribute) + " is missing"};
  }
  return {};
}

void Fields::each(std::uint16_t attribute, const std::function<void(View)>& visit) const {
  nlattr header;
  View value;
  for (View rest = all_; next_attribute(rest, header, value);) {
    if (header.nla_type == attribute) visit(value);
  }
}

}  // namespace nsm::protocol
