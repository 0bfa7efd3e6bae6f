#!/usr/bin/env python3
"""ping.py ADDRESS COUNT SECONDS: sends COUNT ICMP or ICMPv6 echo requests, one every SECONDS; prints what came
back, as JSON."""

import json
import select
import socket
import struct
import sys
import time


def checksum(data):
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Icmp:
    """A raw socket. For IPv4 the program must compute the checksum, and receives the IP header; for IPv6 neither."""

    def __init__(self, address):
        self.v6 = ':' in address
        self.request, self.reply = (128, 129) if self.v6 else (8, 0)
        family, protocol = (socket.AF_INET6, 58) if self.v6 else (socket.AF_INET, socket.IPPROTO_ICMP)
        self.socket = socket.socket(family, socket.SOCK_RAW, protocol)

    def echo(self, ident, sequence, size=56):
        body = bytes(size)
        head = struct.pack('!BBHHH', self.request, 0, 0, ident, sequence)
        return head[:2] + struct.pack('!H', checksum(head + body)) + head[4:] + body

    def answered(self, ident):
        """The sequence number of an echo reply to `ident`; None if the packet was something else."""
        kind, _, _, replied, sequence = struct.unpack_from('!BBHHH', self.socket.recv(2048), 0 if self.v6 else 20)
        return sequence if kind == self.reply and replied == ident else None


def ping(address, count, interval):
    icmp = Icmp(address)
    sock = icmp.socket
    ident, seen, sent, extra = id(sock) & 0xFFFF, {}, {}, 0
    start, end = time.monotonic(), None
    while end is None or time.monotonic() < end and len(seen) < count:
        due = start + len(sent) * interval
        now = time.monotonic()
        if len(sent) < count and now >= due:
            sock.sendto(icmp.echo(ident, len(sent)), (address, 0))
            sent[len(sent)] = now
            continue
        if len(sent) == count and end is None:
            end = now + 2
        wait = (due if end is None else end) - now
        if not select.select([sock], [], [], max(0, wait))[0]:
            continue
        sequence = icmp.answered(ident)
        if sequence is None:
            continue
        extra += sequence in seen
        seen.setdefault(sequence, time.monotonic() - sent[sequence])
    slowest = max(seen.values(), default=0)
    return {'sent': count, 'received': len(seen), 'duplicates': extra, 'slowestMs': round(slowest * 1000, 2)}


if __name__ == '__main__':
    print(json.dumps(ping(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))))
