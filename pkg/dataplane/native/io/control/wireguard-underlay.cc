// The underlay of wireguard ports: a node's key and its sessions.
#include "io/control/port-kinds.h"
#include "pipeline/wireguard-dispatch.h"

namespace nsm::io {
namespace {

using namespace protocol;

SecretKey secret_of(const Fields& fields) noexcept {
  return SecretKey(fields.bytes(kPrivateKey).first<kKeyBytes>());
}

class WireguardUnderlay final : public Underlay {
 public:
  WireguardUnderlay(const Fields& fields, Fd socket, const Place& place)
      : Underlay(fields, std::move(socket), place),
        node_(secret_of(fields), {id(), this->socket()}, parts().node),
        dispatch_(number(), node_.machine().public_key(), {parts().stages, parts().node.opener}) {
    read(dispatch_);
  }
  ~WireguardUnderlay() override { forget(); }

  WireguardNode* node() noexcept override { return &node_; }
  void describe(MessageBuilder& reply) const override {
    Underlay::describe(reply);
    reply.bytes(kPublicKey, node_.machine().public_key());
  }

 private:
  bool has_key_of(const Fields& fields) const override { return node_.has_key(secret_of(fields)); }

  WireguardNode node_;
  WireguardDispatch dispatch_;
};

}  // namespace

MadeUnderlay make_wireguard_underlay(const Fields& fields, Fd socket, const Underlay::Place& place) {
  return std::make_unique<WireguardUnderlay>(fields, std::move(socket), place);
}

}  // namespace nsm::io
