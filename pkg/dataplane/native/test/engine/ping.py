#!/usr/bin/env python3
"""ping.py ADDRESS COUNT SECONDS: ICMP echoes, one every SECONDS; prints what came back as JSON."""

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


def echo(ident, sequence, size=56):
    body = bytes(size)
    head = struct.pack('!BBHHH', 8, 0, 0, ident, sequence)
    return struct.pack('!BBHHH', 8, 0, checksum(head + body), ident, sequence) + body


def ping(address, count, interval):
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    ident, seen, sent, extra = id(sock) & 0xFFFF, {}, {}, 0
    start, end = time.monotonic(), None
    while end is None or time.monotonic() < end and len(seen) < count:
        due = start + len(sent) * interval
        now = time.monotonic()
        if len(sent) < count and now >= due:
            sock.sendto(echo(ident, len(sent)), (address, 0))
            sent[len(sent)] = now
            continue
        if len(sent) == count and end is None:
            end = now + 2
        wait = (due if end is None else end) - now
        if not select.select([sock], [], [], max(0, wait))[0]:
            continue
        packet = sock.recv(2048)
        kind, _, _, got, sequence = struct.unpack_from('!BBHHH', packet, 20)
        if kind != 0 or got != ident:
            continue
        extra += sequence in seen
        seen.setdefault(sequence, time.monotonic() - sent[sequence])
    slowest = max(seen.values(), default=0)
    return {'sent': count, 'received': len(seen), 'duplicates': extra, 'slowestMs': round(slowest * 1000, 2)}


if __name__ == '__main__':
    print(json.dumps(ping(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))))
