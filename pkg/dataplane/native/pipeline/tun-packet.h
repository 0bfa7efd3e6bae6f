// A packet as a TUN or TAP device hands it over.
#pragma once

#include "core/bytes.h"
#include "core/vnet-header.h"

namespace nsm {

struct TunPacket {
  VnetHeader header;  // hostile input, as all that comes from a device
  Bytes bytes;        // an IP packet (TUN) or an Ethernet frame (TAP); valid until the next read
};

}  // namespace nsm
