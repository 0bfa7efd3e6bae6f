#!/usr/bin/env python3
"""An engine and Debian's wireguard-go as peers: each initiates and rekeys, with and without a preshared key."""

import base64
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / 'engine'))

import frames
import lab
from engine import Device, Engine, Keys, add_underlay, add_wire, packed, prefix
from lab import check, iperf, ping, serve_iperf
from wireguard_go import WireguardGo, preshared

OURS, THEIRS = '10.0.0.1', '10.0.0.2'
OURS6, THEIRS6 = 'fd00::1', 'fd00::2'
PORT = f'wg-{OURS}'


def build(world, psk='', our_idea_of_their_key=None, nodes=('10.9.0.1', '10.9.0.2')):
    for name in ('wa', 'na', 'nb'):
        world.namespace(name)
    world.cable('na', 'nb')
    ours, theirs = Keys(), Keys()
    engine, device = Engine(world), Device(world.namespaces['wa'], 'nsm-1')
    device.up(f'{OURS}/24')
    other = WireguardGo(world, 'nb', theirs)
    other.add_peer(ours.public_text, f'[{nodes[0]}]:51820', f'{OURS}/32', psk)
    other.up(f'{THEIRS}/24')
    add_underlay(engine, world.namespaces['na'], nodes[0], ours)
    add_wire(engine, device, OURS, THEIRS, our_idea_of_their_key or theirs, peer_address=packed(nodes[1]),
             peer_port=51820, preshared_key=base64.b64decode(psk) or None)  # fmt: skip
    return engine, other, ours


def both_ways(world, what):
    for here, there in (('wa', THEIRS), ('nb', OURS)):
        seen = ping(world.namespaces[here], there, 100, 0.005)
        check(f'{what}: 100 pings from {here}', seen['received'] == 100 and seen['duplicates'] == 0, seen)


def established(engine):
    return engine.session(PORT)['session_state'] == [frames.STATES['established']]


def rekey(engine, times):
    for _ in range(times):
        engine.ask('rehandshake', id=PORT)
        time.sleep(0.1)  # wireguard-go accepts at most 50 initiations per second from a peer


def we_initiate(world):
    engine, _, _ = build(world)
    seen = ping(world.namespaces['wa'], THEIRS, 20, 0.02)
    check('we initiate: the first packets wait for the handshake', seen['received'] == 20 and established(engine), seen)
    both_ways(world, 'we initiate')
    seen = ping(world.namespaces['wa'], THEIRS, 500, 0.002, meanwhile=lambda: rekey(engine, 5))
    check('we rekey 5 times under pings', seen['received'] == 500 and seen['duplicates'] == 0, seen)
    serve_iperf(world, 'nb')
    for name, options in (('TCP there', '-t 1'), ('TCP back', '-t 1 -R'), ('UDP there', '-t 1 -u -b 100M')):
        check(f'iperf3 {name}', (speed := iperf(world.namespaces['wa'], THEIRS, options)) > 0.02, f'{speed:.2f} Gb/s')


def they_initiate(world):
    psk = preshared()
    engine, other, ours = build(world, psk)
    check('they initiate, with a preshared key', ping(world.namespaces['nb'], OURS, 20, 0.02)['received'] == 20)
    both_ways(world, 'they initiate')
    before = engine.counters('engine')['handshake_accepted']
    other.wg(f'peer {ours.public_text} remove')
    other.add_peer(ours.public_text, '10.9.0.1:51820', f'{OURS}/32', psk)
    seen = ping(world.namespaces['nb'], OURS, 100, 0.005)
    check('they rekey', seen['received'] == 100 and engine.counters('engine')['handshake_accepted'] > before, seen)
    both_ways(world, 'after they rekeyed')


def over_ipv6(world):
    engine, other, ours = build(world, nodes=('fd09::1', 'fd09::2'))
    also_ipv6_inside(world, engine, other, ours)
    both_ways(world, 'over IPv6')
    serve_iperf(world, 'nb')
    for inner in (THEIRS, THEIRS6):
        seen = ping(world.namespaces['wa'], inner, 50, 0.005)
        check(f'50 pings to {inner}', seen['received'] == 50 and seen['duplicates'] == 0, seen)
        for name, options in (('TCP there', '-t 1'), ('TCP back', '-t 1 -R')):
            speed = iperf(world.namespaces['wa'], inner, options)
            check(f'iperf3 {name} to {inner}', speed > 0.02, f'{speed:.2f} Gb/s')


def also_ipv6_inside(world, engine, other, ours):
    _, attributes, _ = engine.journal['port_set', PORT]
    engine.set('port_set', **{**attributes, 'local_prefix': [prefix(OURS), prefix(OURS6)],
                              'remote_prefix': [prefix(THEIRS), prefix(THEIRS6)]})  # fmt: skip
    other.wg(f'peer {ours.public_text} allowed-ips {OURS}/32,{OURS6}/128')
    for name, address, device in (('wa', OURS6, 'nsm-1'), ('nb', THEIRS6, other.name)):
        world.namespaces[name].sh(f'ip addr add {address}/64 dev {device} nodad')


def wrong_keys(world):
    engine, other, _ = build(world, our_idea_of_their_key=Keys())
    check('wrong key: nothing passes there', ping(world.namespaces['wa'], THEIRS, 5, 0.01)['received'] == 0)
    check('wrong key: nothing passes back', ping(world.namespaces['nb'], OURS, 5, 0.01)['received'] == 0)
    counters = engine.counters('engine')
    check(
        'wrong key: their initiation is counted',
        counters['handshake_unknown_peer'] > 0,
        counters['handshake_unknown_peer'],
    )
    check('wrong key: there is no session', not established(engine) and other.transfer()[0] == 0)


CASES = {case.__name__: case for case in (we_initiate, they_initiate, over_ipv6, wrong_keys)}

if __name__ == '__main__':
    lab.run(CASES[sys.argv[1]], needs=('wireguard-go', 'wg', 'iperf3'))
