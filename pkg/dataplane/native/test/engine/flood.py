#!/usr/bin/env python3
"""flood.py CASE [--rate N] [--seconds N]: an attacker floods an engine from 4,096 spoofed source addresses while an
honest wire carries traffic. The engine answers nothing, or sends less than it received (no amplification), and the wire
loses no packets and completes its handshakes in time."""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / 'interop'))

import lab
from engine import Device, Engine, Keys, add_underlay, add_wire, packed, prefix
from impair import Probe
from lab import check, ping, sh
from relayed import NEAR, difference, shown
from wireguard_go import WireguardGo

FLOOD = os.environ.get('NSM_FLOOD', 'nsm-flood')
INITIATION_BYTES, HEADER_BYTES, ETHERNET_BYTES = 148, 28, 14
TARGET, MAX_GROWTH_KIB = '10.9.3.1', 32 << 10


def build(world):
    """The honest pair na - nb on one veth, and the attacker on another veth to nb, which routes all spoofed sources
    there."""
    for name in ('wa', 'na', 'nb', 'wb', 'atk'):
        world.namespace(name)
    world.cable('na', 'nb')
    ns, keys, engines = world.namespaces, [Keys(), Keys()], []
    for i, (work, node) in enumerate((('wa', 'na'), ('wb', 'nb'))):
        engine, device = Engine(world), Device(ns[work], 'nsm-1')
        add_underlay(engine, ns[node], '0.0.0.0', keys[i])
        add_wire(engine, device, f'10.0.0.{i + 1}', f'10.0.0.{2 - i}', keys[1 - i], aead=2,
                 peer_address=packed(f'10.9.0.{2 - i}'), peer_port=51820)  # fmt: skip
        device.up(f'10.0.0.{i + 1}/24')
        engines.append(engine)
    connect_attacker(ns['atk'], ns['nb'])
    check('the wire is up', ping(ns['wa'], '10.0.0.2', 20, 0.01)['received'] > 0)
    return engines, keys


def connect_attacker(atk, node):
    sh(f'ip link add victims netns {atk.name} type veth peer name atk netns {node.name}')
    for ns, device, address in ((atk, 'victims', '10.9.3.2'), (node, 'atk', TARGET)):
        ns.sh(f'ip link set {device} addrgenmode none')  # no link-local address, so no IPv6 packets of the kernel's own
        ns.sh(f'ip addr add {address}/24 dev {device}')
        ns.sh(f'ip link set {device} up')
    macs = [
        json.loads(ns.sh(f'ip -j link show {device}'))[0]['address'] for ns, device in ((node, 'atk'), (atk, 'victims'))
    ]
    # Static neighbours: without ARP, every packet that answers() counts is an answer of the engine.
    atk.sh(f'ip neigh replace {TARGET} lladdr {macs[0]} dev victims nud permanent')
    node.sh(f'ip neigh replace 10.9.3.2 lladdr {macs[1]} dev atk nud permanent')
    node.sh('ip route add 10.66.0.0/20 via 10.9.3.2')


def answers(world):
    """(packets, bytes) that arrived at the attacker's interface: what the owners of the spoofed addresses would
    receive."""
    read = world.namespaces['atk'].sh
    return tuple(int(read(f'cat /sys/class/net/victims/statistics/rx_{what}')) for what in ('packets', 'bytes'))


def resident_kib(engine):
    with open(f'/proc/{engine.pid}/status') as file:
        return next(int(line.split()[1]) for line in file if line.startswith('VmRSS'))


def cpu_seconds(engine, thread):
    for task in os.listdir(f'/proc/{engine.pid}/task'):
        with open(f'/proc/{engine.pid}/task/{task}/stat') as file:
            name, fields = file.read().split('(')[1].split(')')
        if name == thread:
            return sum(map(int, fields.split()[11:13])) / os.sysconf('SC_CLK_TCK')
    raise LookupError(thread)


class Flood:
    def __init__(self, world, kind, options, key):
        self.world, self.before = world, answers(world)
        words = [FLOOD, kind, TARGET, '51820', str(options.rate), str(options.seconds), key.hex()]
        self.process = world.namespaces['atk'].popen(words, stdout=subprocess.PIPE)
        world.defer(lambda: (self.process.kill(), self.process.wait()))

    def running(self):
        return self.process.poll() is None

    def end(self):
        """How many datagrams were sent, and the packets and bytes of the answers."""
        sent = json.loads(self.process.communicate(timeout=600)[0])['sent']
        time.sleep(0.3)
        return sent, *(after - before for before, after in zip(self.before, answers(self.world), strict=True))


def beside_honest_traffic(world, kind, options, meanwhile=lambda flood, engines: None):
    """Floods the far engine while numbered datagrams pass through the wire, and checks what must hold for every kind of
    flood. Returns how much was sent, how much was answered, and what the far engine counted."""
    engines, keys = build(world)
    far = engines[1]
    counted, memory, busy = far.counters('engine'), resident_kib(far), cpu_seconds(far, 'nsm-rx')
    one = Probe(world, 'wb', '10.0.0.2')
    flood = Flood(world, kind, options, keys[1].public)
    one.start('wa', 1000, options.seconds)
    meanwhile(flood, engines)
    sent, packets, size = flood.end()
    seen, counted = one.stop(), difference(counted, far.counters('engine'))
    busy, grown = cpu_seconds(far, 'nsm-rx') - busy, resident_kib(far) - memory
    counted = {name: value for name, value in counted.items() if not name.endswith(('_packets', '_bytes'))}
    print(f'{kind}: {sent} sent, {packets} packets ({size} bytes) answered, '
          f'ingress thread {busy:.2f} s, memory +{grown} KiB')  # fmt: skip
    print(shown(seen), counted, flush=True)
    check(f'{kind}: at most 0.1 % of the honest packets are lost', seen['lost'] <= seen['sent'] / 1000, seen['lost'])
    check(f'{kind}: memory does not grow', grown <= MAX_GROWTH_KIB, f'{grown} KiB')
    check(f'{kind}: the honest wire is up', ping(world.namespaces['wa'], '10.0.0.2', 10, 0.01)['received'] == 10)
    return sent, packets, size, counted


def junk(world, options):
    sent, packets, _, counted = beside_honest_traffic(world, 'junk', options)
    check('junk: a message with a wrong mac1 gets no answer', packets == 0, packets)
    check(
        'junk: rx_bad_mac1 counts the messages that were read',
        0 < counted['rx_bad_mac1'] <= sent,
        counted['rx_bad_mac1'] / sent,
    )


def scan(world, options):
    sent, packets, _, counted = beside_honest_traffic(world, 'random', options)
    check('random: a scan gets no answer', packets == 0, packets)
    check('random: rx_malformed counts it', 0 < counted['rx_malformed'] <= sent)


def handshake_seconds(engine):
    """Requests a handshake, and returns how long it took."""
    begun = time.monotonic()
    engine.ask('rehandshake', id=NEAR)
    time.sleep(0.002)
    while (
        engine.session(NEAR)['handshake_age_ms'][0] > (time.monotonic() - begun) * 1000
        and time.monotonic() < begun + 10
    ):
        time.sleep(0.005)
    return time.monotonic() - begun


def foreign(world, options):
    """wireguard-go as an honest initiator. It retransmits an initiation only after 5 s, even when it has received a
    cookie."""
    engines, keys = build(world)
    theirs = Keys()
    other = WireguardGo(world, 'na', theirs, port=51821)
    engines[1].set('port_set', id='foreign', kind=3, underlay='u', peer_responder_key=theirs.public, roaming=1,
                   local_prefix=prefix('10.0.1.2'), remote_prefix=prefix('10.0.1.1'), mtu_bytes=1420)  # fmt: skip
    device = Device(world.namespaces['wb'], 'nsm-2')
    engines[1].set('port_set', device, id='tun-2', kind=1, ifname='nsm-2')
    engines[1].set('cross_connect_set', id='wire-2', port_a='tun-2', port_b='foreign')
    device.up('10.0.1.2/24')
    other.up('10.0.1.1/24')
    flood, before = Flood(world, 'initiation', options, keys[1].public), engines[1].counters('engine')
    time.sleep(0.5)
    other.add_peer(keys[1].public_text, '10.9.0.2:51820', '10.0.1.2/32')
    seen = ping(world.namespaces['na'], '10.0.1.2', 120, 0.05)
    counted = difference(before, engines[1].counters('engine'))
    under_load = flood.running() and counted['handshake_cookie_sent'] > 0
    check('foreign: the flood was still running, and the engine sent cookie replies', under_load)
    check(
        'foreign: wireguard-go has a session after at most one retransmission',
        seen['received'] == 120 and seen['slowestMs'] < 5700,
        seen,
    )
    flood.end()


def initiations(world, options):
    taken = []

    def shake_hands(flood, engines):
        time.sleep(0.3)
        while flood.running():
            taken.append(handshake_seconds(engines[0]))
            time.sleep(0.2)

    sent, packets, size, counted = beside_honest_traffic(world, 'initiation', options, meanwhile=shake_hands)
    check('initiation: every honest handshake completes within 1 s', max(taken) <= 1, len(taken), f'{max(taken):.3f} s')
    check('initiation: the engine sent cookie replies', counted['handshake_cookie_sent'] > 0)
    amplification = (size - packets * (ETHERNET_BYTES + HEADER_BYTES)) / (sent * INITIATION_BYTES)
    check(
        'initiation: answers are at most 0.65 of the bytes that were sent',
        amplification <= 0.65,
        f'{amplification:.3f}',
    )


CASES = {case.__name__: case for case in (junk, scan, initiations, foreign)}

if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('case', choices=CASES)
    parser.add_argument('--rate', type=int, default=10_000)
    parser.add_argument('--seconds', type=int, default=2)
    arguments = parser.parse_args()
    lab.run(lambda world: CASES[arguments.case](world, arguments), needs=('wg',))
