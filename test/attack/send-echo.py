"""Sends ICMPv6 echo requests as whole frames, as root in a pod can.

send-echo.py INTERFACE MAC SOURCE TARGET TAGS COUNT   TAGS: how many VLAN tags of VLAN 0, which a receiver ignores
"""

import socket
import struct
import sys

ETH_P_8021Q, ETH_P_IPV6, ICMPV6 = 0x8100, 0x86DD, 58


def checksum(data):
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def echo(source, target):
    addresses = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, target)
    body = struct.pack('!HH', 1, 1)
    pseudo = addresses + struct.pack('!II', 4 + len(body), ICMPV6)
    icmp = struct.pack('!BBH', 128, 0, checksum(pseudo + struct.pack('!BBH', 128, 0, 0) + body)) + body
    return struct.pack('!IHBB', 6 << 28, len(icmp), ICMPV6, 64) + addresses + icmp


def main(interface, mac, source, target, tags, count):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind((interface, 0))
        frame = bytes.fromhex(mac.replace(':', '')) + sender.getsockname()[4]
        frame += struct.pack('!HH', ETH_P_8021Q, 0) * int(tags) + struct.pack('!H', ETH_P_IPV6) + echo(source, target)
        for _ in range(int(count)):
            sender.send(frame)


main(*sys.argv[1:])
