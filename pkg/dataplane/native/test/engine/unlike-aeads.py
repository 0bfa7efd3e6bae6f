#!/usr/bin/env python3
"""Two engines that are configured with different AEADs: the handshake succeeds, but every data packet fails
authentication and is counted."""

import importlib
import time

import lab
from lab import check, ping

two_engines = importlib.import_module('two-engines')
PINGS = 20
ESTABLISHED = [2]


def shake_hands(engine, port):
    """Repeats the handshake until the engine may send: its first initiation may have been sent before the peer
    existed."""
    deadline = time.monotonic() + 10
    while engine.session(port)['session_state'] != ESTABLISHED:
        assert time.monotonic() < deadline
        engine.ask('rehandshake', id=port)
        time.sleep(0.1)


def test(world):
    engines, _ = two_engines.build(world, tuple(two_engines.AEADS.values()))
    for near, far, address in (('wa', 1, '10.0.0.2'), ('wb', 0, '10.0.0.1')):
        shake_hands(engines[1 - far], f'wg-10.0.0.{2 - far}')
        seen = ping(world.namespaces[near], address, PINGS, 0.02)
        check(f'from {near}: nothing comes back', seen['received'] == 0, seen)
        wire, device = (engines[far].counters(f'{port}-{address}') for port in ('wg', 'tun'))
        check(f'at {address} every packet fails authentication, and is counted', wire['rx_auth_failed'] >= PINGS,
              wire['rx_auth_failed'])  # fmt: skip
        check('and none reaches the workload', wire['rx_packets'] == device['tx_packets'] == 0)


if __name__ == '__main__':
    lab.run(test, needs=('wg',))
