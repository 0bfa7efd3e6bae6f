#!/usr/bin/env python3
"""Hostile datagrams at a VXLAN port, over IPv4 and IPv6: each is dropped, counted under its reason, and not
answered."""

import importlib
import select
import socket
import struct
import sys

import lab
from engine import Refused, family_of
from lab import check, ping

ethernet = importlib.import_module('ethernet')
PORT, TIMES = 4789, 5
UDP_NO_CHECK6_TX = 101
BROADCAST = b'\xff' * 6 + b'\x02' * 6 + b'\x88\xb5' + b'hostile ' * 8
EMPTY_FRAMES = [BROADCAST[:size] for size in range(14)]


def header(flags=0x08, vni=ethernet.VNI, reserved=0):
    return struct.pack('!II', flags << 24 | reserved, vni << 8 | reserved & 0xFF)


class Sender:
    """Sends datagrams to the near engine, from the remote's address or from another."""

    def __init__(self, namespace, address, to):
        self.socket, self.to = namespace.udp(address, 5000), to

    def send(self, datagrams):
        for datagram in datagrams:
            self.socket.sendto(datagram, (self.to, PORT))

    def is_answered(self):
        return bool(select.select([self.socket], [], [], 0)[0])


def cases():
    """(what is sent, the datagrams, the counter that must count them, the object that has this counter)"""
    flags = [flags for flags in range(256) if flags != 0x08]
    yield (
        'flags of VXLAN-GPE or GBP, or reserved flags',
        [header(flags) + BROADCAST for flags in flags],
        'rx_unknown_flags',
        'engine',
    )
    yield 'VNI 0', [header(vni=0) + BROADCAST] * TIMES, 'rx_unknown_vni', 'engine'
    yield 'unknown VNIs', [header(vni=vni) + BROADCAST for vni in (1, 41, 43, 2**24 - 1)], 'rx_unknown_vni', 'engine'
    yield 'frames of 0 to 13 bytes', [header() + frame for frame in EMPTY_FRAMES], 'rx_malformed', 'engine'
    yield 'truncated headers', [header()[:size] for size in range(1, 8)], 'rx_malformed', 'engine'
    yield 'a frame that is too long', [header() + BROADCAST + bytes(1400)], 'rx_malformed', 'net'


def settle(world):
    """Pings that follow the datagrams: once they are answered, the engine has processed the datagrams too."""
    check('  pings still pass', ping(world.namespaces['wa'], ethernet.EAST[0], 5, 0.01)['received'] == 5)


def came(devices):
    """How many hostile frames reached the workload."""
    count = 0
    while select.select([devices], [], [], 0)[0]:
        count += b'hostile' in devices.recv(1 << 16)
    return count


def drops(world, engine, sender, case, device):
    claim, datagrams, counter, owner = case
    before = engine.counters(owner)[counter]
    sender.send(datagrams)
    settle(world)
    counted = engine.counters(owner)[counter] - before
    check(f'{claim}: {len(datagrams)} are counted as {counter}', counted == len(datagrams), counted)
    check('  none is delivered, and none is answered', came(device) == 0 and not sender.is_answered())


def watch(namespace):
    with namespace.inside():
        device = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    device.bind(('nsm-1', 0))
    return device


def without_checksum(world, engine, sender):
    """RFC 8200 section 8.1: over IPv6 the kernel drops UDP datagrams without a checksum, unless a socket allows
    them."""
    sender.socket.setsockopt(socket.SOL_UDP, UDP_NO_CHECK6_TX, 1)
    before = engine.counters('net')['rx_packets']
    sender.send([header() + BROADCAST] * TIMES)
    sender.socket.setsockopt(socket.SOL_UDP, UDP_NO_CHECK6_TX, 0)
    settle(world)
    check('datagrams without an outer UDP checksum do not arrive', engine.counters('net')['rx_packets'] - before < 10)


def over(nodes, stranger):
    def test(world):
        engine, _ = ethernet.build(world, ethernet.vxlan, nodes)
        nb, device = world.namespaces['nb'], watch(world.namespaces['wa'])
        nb.sh(f'ip addr add {stranger}/{64 if ":" in stranger else 24} dev na' + (' nodad' if ':' in stranger else ''))
        member, foreign = (Sender(nb, address, nodes[0]) for address in (nodes[1], stranger))
        settle(world)
        for case in cases():
            drops(world, engine, member, case, device)
        strangers = [header() + BROADCAST] * TIMES
        drops(world, engine, foreign, ('frames from an unknown remote', strangers, 'rx_unknown_remote', 'net'), device)
        if family_of(stranger) == socket.AF_INET6:
            without_checksum(world, engine, member)
            check('  and none is delivered', came(device) == 0)
        member.send([header() + BROADCAST, header(reserved=0xABCDEF) + BROADCAST])
        settle(world)
        check('frames from the remote are delivered, whatever the reserved fields contain', came(device) == 2)
        no_vni_0(engine)

    return test


def no_vni_0(engine):
    try:
        _, attributes, _ = engine.journal['port_set', 'net']
        engine.ask('port_set', **{**attributes, 'id': 'zero', 'vni': 0})
        check('a port with VNI 0 is refused', False)
    except Refused as refused:
        check('a port with VNI 0 is refused', refused.error == 22, refused.text)


TESTS = {'ipv4': over(ethernet.NODES, '10.9.0.3'), 'ipv6': over(ethernet.NODES6, 'fd09::3')}

if __name__ == '__main__':
    lab.run(TESTS[sys.argv[1]], needs=('wg',))
