#!/usr/bin/env python3
"""rekey.py [--rekeys N] [--rate N]: rekeys again and again while numbered datagrams pass, initiated by one side, by the
other, and by both at once."""

import argparse
import time

import lab
from impair import Probe
from lab import check
from relayed import FAR, NEAR, build_relayed, difference, shown

SPACING_SECONDS = 0.1
UNWANTED = ('rx_auth_failed', 'rx_malformed', 'rx_replay', 'rx_expired', 'rx_inner_source', 'tx_refused', 'tx_blocked')


def force(engines, round_number):
    """Starts a handshake from the near side, the far side, and both, in turn."""
    near, far = engines
    for engine, id, when in ((near, NEAR, (0, 2)), (far, FAR, (1, 2))):
        if round_number % 3 in when:
            engine.ask('rehandshake', id=id)


def rekey(options):
    def run(world):
        _, engines = build_relayed(world)
        far = engines[1]
        before, accepted = far.counters(FAR), far.counters('engine')['handshake_accepted']
        one = Probe(world, 'wb', '10.0.0.2')
        one.start('wa', options.rate, options.rekeys * SPACING_SECONDS + 0.5)
        begun = time.monotonic()
        for number in range(options.rekeys):
            time.sleep(max(0, begun + 0.3 + number * SPACING_SECONDS - time.monotonic()))
            force(engines, number)
        seen, after = one.stop(), far.counters(FAR)
        handshakes = far.counters('engine')['handshake_accepted'] - accepted
        print(shown(seen), f'{handshakes} handshake messages accepted', flush=True)
        check(f'{options.rekeys} rekeys took place', handshakes >= options.rekeys, handshakes)
        check('no packet is lost', seen['lost'] == 0, seen['lost'])
        check('no packet is duplicated or corrupted', seen['duplicates'] == seen['corrupted'] == 0)
        drops = {name: value for name, value in difference(before, after).items() if name in UNWANTED}
        check('no packet was dropped by the engine', not drops, drops)

    return run


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--rekeys', type=int, default=20)
    parser.add_argument('--rate', type=int, default=2000)
    lab.run(rekey(parser.parse_args()), needs=('wg',))
