#include "protocol/fields.h"

#include <errno.h>
#include <linux/netlink.h>

#include <algorithm>

namespace nsm::protocol {
namespace {

enum class Form : std::uint8_t { kBytes, kText, kId, kRepeated };

struct Shape {
  const char* name = nullptr;      // absent: no attribute has this number
  std::uint16_t min = 0, max = 0;  // bytes
  Form form = Form::kBytes;
};

constexpr std::uint16_t kAny = 65'531;

struct Entry {
  std::uint16_t attribute;
  Shape shape;
};
constexpr Entry kEntries[] = {
    {kVersionAttr, {"version", 4, 4}},
    {kId, {"id", 1, kMaxIdBytes, Form::kId}},
    {kNsDev, {"nsDev", 8, 8}},
    {kNsIno, {"nsIno", 8, 8}},
    {kPayload, {"payload", 0, kAny}},
    {kFdPatch, {"fdPatch", 0, 64, Form::kRepeated}},
    {kPatchOffset, {"patchOffset", 4, 4}},
    {kGroups, {"groups", 4, 4}},
    {kKind, {"kind", 1, 1}},
    {kIfname, {"ifname", 1, 15, Form::kText}},
    {kIfindex, {"ifindex", 4, 4}},
    {kFamily, {"family", 1, 1}},
    {kAddress, {"address", 4, 16}},
    {kUdpPort, {"udpPort", 2, 2}},
    {kPrivateKey, {"privateKey", 32, 32}},
    {kPublicKey, {"publicKey", 32, 32}},
    {kUnderlay, {"underlay", 1, kMaxIdBytes, Form::kId}},
    {kPeerResponderKey, {"peerResponderKey", 32, 32}},
    {kPeerInitiatorKey, {"peerInitiatorKey", 32, 32}},
    {kPresharedKey, {"presharedKey", 32, 32}},
    {kPeerAddress, {"peerAddress", 4, 16}},
    {kPeerPort, {"peerPort", 2, 2}},
    {kAead, {"aead", 1, 1}},
    {kRoaming, {"roaming", 1, 1}},
    {kLocalPrefix, {"localPrefix", 6, 18, Form::kRepeated}},
    {kRemotePrefix, {"remotePrefix", 6, 18, Form::kRepeated}},
    {kKeepaliveSeconds, {"keepaliveSeconds", 2, 2}},
    {kVni, {"vni", 4, 4}},
    {kPortA, {"portA", 1, kMaxIdBytes, Form::kId}},
    {kPortB, {"portB", 1, kMaxIdBytes, Form::kId}},
    {kMtuBytes, {"mtuBytes", 4, 4}},
    {kEventKind, {"eventKind", 1, 1}},
    {kText, {"text", 0, 4096, Form::kText}},
    {kCounter, {"counter", 0, 256, Form::kRepeated}},
    {kCounterName, {"counterName", 1, 64, Form::kText}},
    {kCounterValue, {"counterValue", 8, 8}},
    {kListener, {"listener", 1, 64, Form::kText}},
    {kConnection, {"connection", 8, 8}},
    {kPid, {"pid", 4, 4}},
    {kUid, {"uid", 4, 4}},
    {kGid, {"gid", 4, 4}},
    {kCgroup, {"cgroup", 0, 4096, Form::kText}},
    {kUrl, {"url", 1, 4096, Form::kText}},
    {kEnginePid, {"enginePid", 4, 4}},
    {kEngineRestarts, {"engineRestarts", 4, 4}},
    {kFeature, {"feature", 1, 128, Form::kRepeated}},
    {kSessionState, {"sessionState", 1, 1}},
    {kHandshakeAgeMs, {"handshakeAgeMs", 8, 8}},
    {kBuild, {"build", 1, 128, Form::kText}},
    {kSendOnly, {"sendOnly", 1, 0}},  // reserved
    {kPathMessages, {"pathMessages", 1, 1}},
    {kPathState, {"pathState", 1, 1}},
    {kPathRttUs, {"pathRttUs", 4, 4}},
    {kPathJitterUs, {"pathJitterUs", 4, 4}},
    {kPathLossPpm, {"pathLossPpm", 4, 4}},
    {kPathProbes, {"pathProbes", 8, 8}},
    {kPathLost, {"pathLost", 8, 8}},
    {kPayloadKind, {"payloadKind", 1, 1}},
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

// Takes the attribute at the start of `rest` off it.
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
    // Tolerates one terminating zero: the kernel's own strings have one.
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
