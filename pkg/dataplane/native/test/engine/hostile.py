#!/usr/bin/env python3
"""Junk and replayed datagrams at the UDP port, inner packets from addresses that are not allowed, and bad requests: all
are dropped or refused, counted, and do no harm."""

import importlib
import os
import random
import select
import socket
import struct

import frames
import lab
from engine import Refused, prefix
from lab import check, ping

build = importlib.import_module('two-engines').build
ENGINE = ('10.9.0.1', 51820)


def junk(dice):
    """Every message type with lengths around the right one, non-zero reserved bytes, and unknown receiver indexes."""
    kind = dice.choice([0, 1, 2, 3, 4, 5, 255, 0x101, 0x80000004])
    size = dice.choice([0, 3, 16, 31, 32, 33, 64, 92, 147, 148, 149, 1452, 9000])
    return (struct.pack('<I', kind) + dice.randbytes(size))[: max(size, 1)]


def spray(world, engine):
    sender = world.namespaces['nb'].udp('10.9.0.2', 6666)
    dice = random.Random(1)
    before = engine.counters('engine')
    for _ in range(20000):
        sender.sendto(junk(dice), ENGINE)
    seen = ping(world.namespaces['wa'], '10.0.0.2', 50, 0.01)
    after = engine.counters('engine')
    for name in ('rx_malformed', 'rx_unknown_index', 'rx_bad_mac1'):
        check(f'junk is counted as {name}', after[name] > before[name], after[name] - before[name])
    check('junk gets no answer', not select.select([sender], [], [], 0.2)[0])
    check('pings pass during the junk', seen['received'] == 50, seen)


def replay(world, engine):
    """Datagrams of the far engine, captured on the veth and replayed from another address."""
    with world.namespaces['nb'].inside():
        tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        tap.bind(('na', 0))
    tap.settimeout(1)
    check('pings back pass', ping(world.namespaces['wb'], '10.0.0.1', 40, 0.005)['received'] == 40)
    datagrams = []
    while len(datagrams) < 10:
        packet = tap.recv(65536)[14:]
        # a single echo: the capture also shows handshakes, and GSO datagrams that hold several packets
        if packet[12:16] == bytes([10, 9, 0, 2]) and packet[28] == 4 and len(packet) == 28 + 128:
            datagrams.append(packet[28:])
    before = engine.counters('wg-10.0.0.1')
    delivered = engine.counters('tun-10.0.0.1')['tx_packets']
    other = world.namespaces['nb'].udp('10.9.0.2', 7777)
    for datagram in datagrams:
        other.sendto(datagram, ENGINE)
        other.sendto(datagram[:-1] + bytes([datagram[-1] ^ 1]), ENGINE)
    seen = ping(world.namespaces['wa'], '10.0.0.2', 5, 0.01)
    after = engine.counters('wg-10.0.0.1')
    check('replays are dropped', after['rx_replay'] - before['rx_replay'] == len(datagrams))
    check('modified ones fail authentication', after['rx_auth_failed'] - before['rx_auth_failed'] == len(datagrams))
    delivered = engine.counters('tun-10.0.0.1')['tx_packets'] - delivered
    check('only the pings were delivered', delivered == seen['received'])
    check('a pinned endpoint does not move', engine.session('wg-10.0.0.1')['peer_port'] == [51820])


def inner_addresses(world, engines):
    wa, wb = world.namespaces['wa'], world.namespaces['wb']
    wa.sh('ip addr add 10.0.0.77/24 dev nsm-1')
    wa.sh('ip route replace 10.0.0.2/32 dev nsm-1 src 10.0.0.77')
    check('a packet with another source address does not leave', ping(wa, '10.0.0.2', 5, 0.01)['received'] == 0)
    check('  and is counted', engines[0].counters('wg-10.0.0.1')['tx_inner_source'] >= 5)
    wa.sh('ip route del 10.0.0.2/32 dev nsm-1')
    # The receiving engine checks as well, in case the far one lets such packets out.
    wb.sh('ip addr add 10.0.0.78/24 dev nsm-1')
    wb.sh('ip route replace 10.0.0.1/32 dev nsm-1 src 10.0.0.78')
    _, attributes, _ = engines[1].journal['port_set', 'wg-10.0.0.2']
    engines[1].set('port_set', **{**attributes, 'local_prefix': [prefix('10.0.0.2'), prefix('10.0.0.78')]})
    check('a packet with another source address is not delivered', ping(wb, '10.0.0.1', 5, 0.01)['received'] == 0)
    check('  and is counted', engines[0].counters('wg-10.0.0.1')['rx_inner_source'] == 5)
    check(
        'the session is still established',
        engines[0].session('wg-10.0.0.1')['session_state'] == [frames.STATES['established']],
    )
    wb.sh('ip route del 10.0.0.1/32 dev nsm-1')


def oversize(world, engine):
    """A TUN device whose MTU is greater than the wire's: path MTU discovery in the workload's kernel learns the right
    one."""
    work = world.namespaces['wa']
    work.sh('ip link set nsm-1 mtu 1500')
    with work.inside():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IP, 10, 2)  # IP_MTU_DISCOVER, IP_PMTUDISC_DO: always set DF
    sock.connect(('10.0.0.2', 9))
    sock.send(bytes(1472))
    ping(work, '10.0.0.2', 3, 0.01)
    mtu = sock.getsockopt(socket.IPPROTO_IP, 14)  # IP_MTU
    check('an oversize packet is answered with Packet Too Big', mtu == 1420, mtu)
    check('  and counted', engine.counters('wg-10.0.0.1')['tx_oversize'] == 1)


def bad_requests(engine):
    for claim, request, attributes, error in BAD_REQUESTS:
        try:
            engine.ask(request, **attributes)
            check(claim, False)
        except Refused as refused:
            check(claim, refused.error == error, refused.text)
    engine.ask('port_del', id='never-there')


BAD_REQUESTS = (
    ('a port of an unknown kind is refused', 'port_set', {'id': 'x', 'kind': 9}, 95),
    ('an attribute of another kind is refused', 'port_set', {'id': 'x', 'kind': 4, 'aead': 1}, 95),
    ('a tun port without a file descriptor is refused', 'port_set', {'id': 'x', 'kind': 1, 'ifname': 'x'}, 9),
    ('a cross-connect of unknown ports is refused', 'cross_connect_set', {'id': 'x', 'port_a': 'a', 'port_b': 'b'}, 2),
    ('a cross-connect of two tuns is refused', 'cross_connect_set',
     {'id': 'x', 'port_a': 'tun-10.0.0.1', 'port_b': 'tun-10.0.0.1'}, 95),
    ('a second cross-connect of a port is refused', 'cross_connect_set',
     {'id': 'x', 'port_a': 'tun-10.0.0.1', 'port_b': 'wg-10.0.0.1'}, 16),
    ('an underlay in use is not removed', 'underlay_del', {'id': 'u'}, 16),
    ('a low-order peer key is refused', 'port_set',
     {'id': 'x', 'kind': 3, 'underlay': 'u', 'peer_responder_key': bytes(32)}, 22),
    ('a prefix of 33 bits is refused', 'port_set',
     {'id': 'x', 'kind': 3, 'underlay': 'u', 'peer_responder_key': os.urandom(32), 'local_prefix': b'\x02\x21aaaa'},
     22),
    ('a message type that the engine does not serve is refused', 'ns_get', {}, 95),
)  # fmt: skip


def removed(world, engine):
    """Packets of a TUN device without a cross-connect are dropped; once it is joined again they pass."""
    engine.ask('cross_connect_del', id='wire-10.0.0.1')
    check('without a cross-connect nothing passes', ping(world.namespaces['wa'], '10.0.0.2', 5, 0.01)['received'] == 0)
    check('  and is counted', engine.counters('tun-10.0.0.1')['rx_no_wire'] >= 5)
    engine.ask('cross_connect_set', id='wire-10.0.0.1', port_a='tun-10.0.0.1', port_b='wg-10.0.0.1')
    check(
        'with its cross-connect back, packets pass again',
        ping(world.namespaces['wa'], '10.0.0.2', 5, 0.01)['received'] == 5,
    )


def hostile(world):
    engines, _ = build(world, aead=1)
    check('the wire is up', ping(world.namespaces['wa'], '10.0.0.2', 10, 0.02)['received'] == 10)
    spray(world, engines[0])
    replay(world, engines[0])
    inner_addresses(world, engines)
    oversize(world, engines[0])
    bad_requests(engines[0])
    removed(world, engines[0])


if __name__ == '__main__':
    lab.run(hostile, needs=('wg',))
