#!/usr/bin/env python3
"""Inner packets whose addresses the wire does not allow. A workload that can send anything sends them: none leaves its
node. A node that lets everything out sends them: none is delivered at the other. Packets that are merely unusual
pass."""

import importlib
import ipaddress
import select
import socket
import struct
import time

import lab
from engine import prefix
from lab import check, ping

build = importlib.import_module('two-engines').build
US, THEM = '10.0.0.1', '10.0.0.2'
UDP, GRE, SCTP, IPV4, IPV6, HOP_BY_HOP, ROUTING, FRAGMENT = 17, 47, 132, 4, 41, 0, 43, 44


def checksum(data):
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def v4(source, destination, payload, protocol=UDP, fragment=0, first=0x45, length=None):
    packed = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    length = 20 + len(payload) if length is None else length
    head = struct.pack('!BBHHHBBH', first, 0, length, 7, fragment, 64, protocol, 0) + packed
    return head[:10] + struct.pack('!H', checksum(head)) + head[12:] + payload


def v6(source, destination, payload, header=UDP):
    packed = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    return struct.pack('!IHBB', 6 << 28, len(payload), header, 64) + packed + payload


def extended(header, payload):
    """An extension header of 8 bytes, followed by UDP."""
    return struct.pack('!BB6x', UDP, 0) + payload


def never(mark):
    """(name, packet) of packets that must not pass; each payload contains `mark`."""
    for source in ('10.0.0.77', THEM, '127.0.0.1', '0.0.0.0', '255.255.255.255', '169.254.169.254', '224.0.0.1'):
        yield f'from {source}', v4(source, THEM, mark)
    for destination in ('10.0.0.77', US, '127.0.0.1', '224.0.0.1', '255.255.255.255', '10.0.0.255', '169.254.169.254'):
        yield f'to {destination}', v4(US, destination, mark)
    for fragment in (0x2000, 0x0001, 0x2001):
        yield f'a fragment {fragment:#x} from another source', v4('10.0.0.77', THEM, mark, fragment=fragment)
    for protocol in (GRE, SCTP, IPV4, IPV6, 255):
        yield f'protocol {protocol} from another source', v4('10.0.0.77', THEM, mark, protocol)
    for source, destination in ((f'::ffff:{US}', f'::ffff:{THEM}'), (f'::{US}', f'::{THEM}'),
                                (f'64:ff9b::{US}', f'64:ff9b::{THEM}'), ('fe80::1', 'ff02::1'), ('::', 'ff02::16'),
                                ('::1', '::1'), ('fd00::1', 'fd00::2')):  # fmt: skip
        yield f'{source} to {destination}', v6(source, destination, mark)
    for header in (HOP_BY_HOP, ROUTING, FRAGMENT):
        yield f'extension header {header}', v6('fd00::1', 'fd00::2', extended(header, mark), header)
    yield 'IPv4 in IPv6', v6('fd00::1', 'fd00::2', v4(US, THEM, mark), IPV4)
    for first in (0x05, 0x15, 0x55, 0x75, 0xF5, 0x40, 0x44):
        yield f'first byte {first:#04x}', v4(US, THEM, mark, first=first)
    for length in (0, 19, 9000):
        yield f'total length {length}', v4(US, THEM, mark, length=length)
    yield 'a header length of 60 bytes in a packet of 20', v4(US, THEM, b'', first=0x4F)


def passing(mark):
    """(name, packet) of unusual packets between allowed addresses, which must pass."""
    for protocol in (GRE, SCTP, IPV4, IPV6, 255):
        yield f'protocol {protocol}', v4(US, THEM, mark, protocol)
    for fragment in (0x2000, 0x0002):
        yield f'a fragment {fragment:#x}', v4(US, THEM, mark, fragment=fragment)
    yield 'options', v4(US, THEM, bytes([1] * 40) + mark, first=0x4F)


class Ends:
    """Packet sockets: raw IP packets into the near workload's TUN device, and whatever comes out of the far one."""

    def __init__(self, world):
        self.sockets = []
        for name in ('wa', 'wb'):
            with world.namespaces[name].inside():
                self.sockets.append(socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3)))
            self.sockets[-1].bind(('nsm-1', 0))
        self.number = 0

    def send(self, make):
        """Sends every packet of make(mark); returns the names of those that arrived."""
        marks = {}
        for name, _ in make(b'0' * 16):
            self.number += 1
            mark = f'corpus{self.number:010d}'.encode()
            marks[mark] = name
            packet = dict(make(mark))[name]
            ethertype = 0x86DD if packet[0] >> 4 == 6 else 0x0800
            self.sockets[0].sendto(packet, ('nsm-1', ethertype))
        time.sleep(0.1)
        came = set()
        while select.select([self.sockets[1]], [], [], 0.1)[0]:
            packet = self.sockets[1].recv(65536)
            came |= {name for mark, name in marks.items() if mark in packet}
        return came


def counted(engine, id, direction):
    counters = engine.counters(id)
    return sum(counters[f'{direction}_{why}'] for why in ('malformed', 'inner_source', 'inner_destination'))


def inner_corpus(world):
    (near, far), _ = build(world, aead=2)
    check('the wire is up', ping(world.namespaces['wa'], THEM, 10, 0.01)['received'] == 10)
    ends, names = Ends(world), [name for name, _ in never(b'')]
    before = counted(near, f'wg-{US}', 'tx')
    check(f'none of {len(names)} packets leaves the node', (came := ends.send(never)) == set(), came)
    check('  and all are counted', counted(near, f'wg-{US}', 'tx') - before >= len(names) - 1)
    _, attributes, _ = near.journal['port_set', f'wg-{US}']
    anything = [prefix('0.0.0.0/0'), prefix('::/0')]
    near.set('port_set', **{**attributes, 'local_prefix': anything, 'remote_prefix': anything})
    before, let_out = counted(far, f'wg-{THEM}', 'rx'), near.counters(f'wg-{US}')['tx_packets']
    check('none that the node is made to send is delivered at the other', (came := ends.send(never)) == set(), came)
    let_out = near.counters(f'wg-{US}')['tx_packets'] - let_out
    check('  and all are counted', 20 < let_out <= counted(far, f'wg-{THEM}', 'rx') - before, let_out)
    odd = {name for name, _ in passing(b'')}
    check('packets that are merely unusual pass', (came := ends.send(passing)) == odd, odd - came)


if __name__ == '__main__':
    lab.run(inner_corpus, needs=('wg',))
