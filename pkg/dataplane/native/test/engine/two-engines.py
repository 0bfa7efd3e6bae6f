#!/usr/bin/env python3
"""Two engines back to back, each with a workload: everything that one workload sends arrives at the other."""

import sys

import lab
from engine import Device, Engine, Keys, add_underlay, add_wire
from lab import HERE, check, iperf, ping, serve_iperf

LOADS = {'TCP there': '-t 1', 'TCP back': '-t 1 -R', 'UDP there': '-t 1 -u -b 200M', 'UDP back': '-t 1 -u -b 200M -R'}
UNWANTED = (
    'rx_malformed',
    'rx_auth_failed',
    'rx_replay',
    'rx_inner_source',
    'tx_malformed',
    'tx_refused',
    'tx_blocked',
)
AEADS = {'ChaCha20-Poly1305': 1, 'AES-256-GCM': 2}


def build(world, aead, make_engine=lambda world, work, node: Engine(world), make_device=Device):
    """Two nodes on one veth, each with a workload that has a TUN device. `aead` is one value for both, or a pair."""
    for name in ('wa', 'na', 'nb', 'wb'):
        world.namespace(name)
    world.cable('na', 'nb')
    ns, keys, engines, devices = world.namespaces, [Keys(), Keys()], [], []
    aeads = aead if isinstance(aead, tuple) else (aead, aead)
    for i, (work, node) in enumerate((('wa', 'na'), ('wb', 'nb'))):
        engine, device = make_engine(world, work, node), make_device(ns[work], 'nsm-1')
        add_underlay(engine, ns[node], f'10.9.0.{i + 1}', keys[i])
        add_wire(engine, device, f'10.0.0.{i + 1}', f'10.0.0.{2 - i}', keys[1 - i], aead=aeads[i],
                 peer_address=bytes([10, 9, 0, 2 - i]), peer_port=51820)  # fmt: skip
        device.up(f'10.0.0.{i + 1}/24')
        engines.append(engine)
        devices.append(device)
    return engines, devices


def send_file(world, size):
    """Sends random bytes over TCP; returns the digests of both ends."""
    receiver = world.start('wb', f'{sys.executable} {HERE}/transfer.py receive')
    receiver.stdout.readline()
    sent = world.namespaces['wa'].sh(f'{sys.executable} {HERE}/transfer.py send 10.0.0.2 {size}', timeout=30)
    return sent.strip(), receiver.stdout.readline().strip()


def test(aead):
    def run(world):
        engines, _ = build(world, AEADS[aead])
        ns = world.namespaces
        seen = ping(ns['wa'], '10.0.0.2', 1000, 0.002)
        check(
            f'{aead}: 1000 pings, none lost or duplicated', seen['received'] == 1000 and seen['duplicates'] == 0, seen
        )
        sent, received = send_file(world, 100 << 20)
        check(f'{aead}: 100 MB arrive unchanged', sent == received, received)
        serve_iperf(world, 'wb')
        for name, options in LOADS.items():
            speed = iperf(ns['wa'], '10.0.0.2', options)
            check(f'{aead}: iperf3 {name} passes', speed > 0.05, f'{speed:.2f} Gb/s')
        drops = {
            name: value for name, value in engines[1].counters('wg-10.0.0.2').items() if name in UNWANTED and value
        }
        check(f'{aead}: no packet was dropped', not drops, drops)

    return run


if __name__ == '__main__':
    lab.run(test(sys.argv[1]), needs=('iperf3', 'wg'))
