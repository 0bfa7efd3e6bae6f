#include "protocol/message.h"

#include <errno.h>
#include <linux/netlink.h>

#include <algorithm>
#include <cstring>

namespace nsm::protocol {
namespace {

constexpr std::size_t kMaxValueBytes = 65'535 - NLA_HDRLEN;
constexpr int kMaxErrno = 4095;  // as in the kernel

template <typename T>
View raw(const T& value) {
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof value};
}

void append(Bytes& to, View bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

}  // namespace

FrameState next_frame(View bytes, Frame& frame) {
  if (bytes.size() < NLMSG_HDRLEN) return FrameState::kIncomplete;
  nlmsghdr header;
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.nlmsg_len < NLMSG_HDRLEN || header.nlmsg_len > kMaxMessageBytes) return FrameState::kMalformed;
  const std::size_t padded = NLMSG_ALIGN(header.nlmsg_len);
  if (bytes.size() < padded) return FrameState::kIncomplete;
  frame = {header.nlmsg_type, header.nlmsg_flags, header.nlmsg_seq,
           bytes.subspan(NLMSG_HDRLEN, header.nlmsg_len - NLMSG_HDRLEN), bytes.first(padded)};
  return FrameState::kComplete;
}

MessageBuilder::MessageBuilder(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence) {
  append(bytes_, raw(nlmsghdr{0, type, flags, sequence, 0}));
}

MessageBuilder& MessageBuilder::bytes(std::uint16_t attribute, View value) {
  value = value.first(std::min(value.size(), kMaxValueBytes));
  append(bytes_, raw(nlattr{static_cast<std::uint16_t>(NLA_HDRLEN + value.size()), attribute}));
  append(bytes_, value);
  bytes_.resize(NLA_ALIGN(bytes_.size()));
  return *this;
}

MessageBuilder& MessageBuilder::encoded(View attributes) {
  append(bytes_, attributes);
  bytes_.resize(NLA_ALIGN(bytes_.size()));
  return *this;
}

MessageBuilder& MessageBuilder::begin(std::uint16_t attribute) {
  nest_ = bytes_.size();
  return bytes(attribute | NLA_F_NESTED, {});
}

MessageBuilder& MessageBuilder::end() {
  const auto length = static_cast<std::uint16_t>(bytes_.size() - nest_);
  std::memcpy(bytes_.data() + nest_, &length, sizeof length);
  return *this;
}

Bytes MessageBuilder::take() {
  const auto length = static_cast<std::uint32_t>(bytes_.size());
  std::memcpy(bytes_.data(), &length, sizeof length);
  return std::move(bytes_);
}

Bytes answer(const Frame& request, const Status& status) {
  Bytes bytes;
  const std::uint16_t flags = NLM_F_CAPPED | (status.text.empty() ? 0 : NLM_F_ACK_TLVS);
  append(bytes, raw(nlmsghdr{0, NLMSG_ERROR, flags, request.sequence, 0}));
  const auto length = static_cast<std::uint32_t>(NLMSG_HDRLEN + request.attributes.size());
  append(bytes, raw(nlmsgerr{-status.error, {length, request.type, request.flags, request.sequence, 0}}));
  if (!status.text.empty()) {
    const auto text_length = static_cast<std::uint16_t>(NLA_HDRLEN + status.text.size());
    append(bytes, raw(nlattr{text_length, NLMSGERR_ATTR_MSG}));
    append(bytes, view_of(status.text));
    bytes.resize(NLA_ALIGN(bytes.size()));
  }
  const auto total = static_cast<std::uint32_t>(bytes.size());
  std::memcpy(bytes.data(), &total, sizeof total);
  return bytes;
}

Status read_answer(const Frame& frame) {
  nlmsgerr error;
  if (frame.type != NLMSG_ERROR || frame.attributes.size() < sizeof error) {
    return {EBADMSG, "the answer is not a netlink error message"};
  }
  std::memcpy(&error, frame.attributes.data(), sizeof error);
  if (error.error > 0 || error.error < -kMaxErrno)
    return {EBADMSG, "the error code of the answer is not an errno"};
  Status status{-error.error, {}};
  const View rest = frame.attributes.subspan(sizeof error);
  if (!(frame.flags & NLM_F_ACK_TLVS) || rest.size() < NLA_HDRLEN) return status;
  nlattr text;
  std::memcpy(&text, rest.data(), sizeof text);
  if (text.nla_type == NLMSGERR_ATTR_MSG && text.nla_len >= NLA_HDRLEN && text.nla_len <= rest.size()) {
    status.text = text_of(rest.subspan(NLA_HDRLEN, text.nla_len - NLA_HDRLEN));
  }
  return status;
}

Bytes with_sequence(View message, std::uint32_t sequence) {
  Bytes copy(message.begin(), message.end());
  std::memcpy(copy.data() + offsetof(nlmsghdr, nlmsg_seq), &sequence, sizeof sequence);
  return copy;
}

}  // namespace nsm::protocol
