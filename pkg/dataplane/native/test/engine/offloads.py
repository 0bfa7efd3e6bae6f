#!/usr/bin/env python3
"""Every offload can be disabled, is then reported as off, and the wire works without it."""

import functools
import importlib
import os
import subprocess
import sys

import lab
from held import HeldDevice, HeldEngine
from lab import BINARY, check, iperf, ping, serve_iperf

two_engines = importlib.import_module('two-engines')
OFFLOADS = ('tun_tso', 'tun_uso', 'udp_gso', 'udp_gro', 'ipsec_mb', 'priority')
ENGINE_NICE = -15


def features_of(engine):
    return dict(feature.split('=') for feature in engine.ask('hello', version_attr=1)[0]['feature'])


def without(world):
    options = ' '.join(f'--without {name}' for name in OFFLOADS)
    engines, _ = two_engines.build(world, aead=2, make_engine=functools.partial(HeldEngine, options=options),
                                   make_device=HeldDevice)  # fmt: skip
    features = features_of(engines[0])
    for name in OFFLOADS:
        off = features['aead'] != 'ipsec-mb' if name == 'ipsec_mb' else features[name] == 'off'
        check(f'{name} is off', off, features)
    seen = ping(world.namespaces['wa'], '10.0.0.2', 100, 0.002)
    check('100 pings, none lost or duplicated', seen['received'] == 100 and seen['duplicates'] == 0, seen)
    sent, received = two_engines.send_file(world, 20 << 20)
    check('20 MB arrive unchanged', sent == received, received)
    serve_iperf(world, 'wb')
    check('UDP passes', iperf(world.namespaces['wa'], '10.0.0.2', '-t 1 -u -b 50M') > 0.04)
    wrong = subprocess.run([BINARY, 'hold', '--control', '/c', '--without', 'haste'], capture_output=True, text=True)
    check('an unknown offload is refused', wrong.returncode == 2 and 'udp_gso' in wrong.stderr, wrong.stderr.strip())


def priority(world):
    """The data threads run at a higher priority than workloads, if the holder may set it; the control thread does
    not."""
    for name in ('wa', 'na'):
        world.namespace(name)
    engine = HeldEngine(world, 'wa', 'na')
    nice = {}
    for thread in os.listdir(f'/proc/{engine.pid}/task'):
        with open(f'/proc/{engine.pid}/task/{thread}/stat') as file:
            name, fields = file.read().split('(')[1].split(')')
            nice[name] = int(fields.split()[16])
    features = features_of(engine)
    wanted = ENGINE_NICE if features['priority'] == 'on' else 0
    check(f'nice values with priority={features["priority"]}',
          nice == {'nsm-ctl': 0, 'nsm-tx': wanted, 'nsm-rx': wanted}, nice)  # fmt: skip


if __name__ == '__main__':
    lab.run({'without': without, 'priority': priority}[sys.argv[1]], needs=('iperf3', 'wg'))
