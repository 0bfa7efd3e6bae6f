#!/usr/bin/env python3
"""An underlay MTU that is smaller than the wire's packets need: the kernel refuses UDP GSO for such segments, so the
engine sends them one by one, the kernel fragments them, and everything still arrives."""

import importlib

import lab
from lab import check, ping

two_engines = importlib.import_module('two-engines')


def small_underlay(world):
    engines, _ = two_engines.build(world, aead=2)
    check('the wire is up', ping(world.namespaces['wa'], '10.0.0.2', 10, 0.01)['received'] == 10)
    for node, device in (('na', 'nb'), ('nb', 'na')):
        world.namespaces[node].sh(f'ip link set {device} mtu 1000')
    sent, received = two_engines.send_file(world, 10 << 20)
    counted = engines[0].counters('wg-10.0.0.1')
    check('10 MB arrive unchanged', sent == received, received)
    check('segments that exceed the MTU were sent one by one', counted['tx_gso_refused'] > 0, counted['tx_gso_refused'])
    check('and none was dropped', counted['tx_refused'] == counted['tx_no_buffers'] == 0)


if __name__ == '__main__':
    lab.run(small_underlay, needs=('wg',))
