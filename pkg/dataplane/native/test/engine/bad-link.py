#!/usr/bin/env python3
"""The relay itself, without an engine: it does to datagrams exactly what it was told to do."""

import sys
import time

import lab
from impair import PROBE_PORT, Relay, build_underlay, probe
from lab import check

# Datagrams per second, sent from na through the relay to the probe in nb.
RATE = 5000


def run_through(world, *commands, rate=RATE, seconds=0.5, size=200, meanwhile=lambda running: None):
    relay = Relay(world, *commands, learns=True, port=PROBE_PORT)
    try:
        # the relay learns nb's address from a datagram that nb sends
        with world.namespaces['nb'].udp('10.9.2.2', PROBE_PORT) as nb:
            nb.sendto(b'here', (Relay.TOWARDS_B, PROBE_PORT))
            time.sleep(0.05)
        seen = probe(world, 'na', 'nb', Relay.TOWARDS_A, rate, seconds, meanwhile=lambda _: meanwhile(relay), size=size)
        return seen, relay.statistics()['from-left']
    finally:
        relay.process.stdin.close()
        relay.process.wait(5)


def straight(world, rate):
    seen, said = run_through(world, rate=rate, size=100)
    check(
        f'{rate} datagrams per second pass unchanged and in order', seen['lost'] == 0 and seen['reordered'] == 0, seen
    )
    check('  and the relay reports the same', said['sent'] == said['received'] == seen['sent'], said)


def faults(world):
    seen, said = run_through(world, 'drop 5', 'duplicate 10', 'reorder 25 100', 'corrupt 1')
    lost = said['dropped'] + said['corrupted']
    check('exactly the dropped and corrupted datagrams are lost', 0 < lost == seen['lost'], lost, said)
    check('the probe detects every corrupted datagram', said['corrupted'] <= seen['corrupted'], seen)
    check('duplicated datagrams arrive twice', 0 < seen['duplicates'] <= said['duplicated'], seen)
    check('datagrams that were held back arrive reordered', seen['reordered'] > 0.1 * RATE)
    check(
        '  and every datagram is accounted for', said['sent'] == said['received'] + said['duplicated'] - said['dropped']
    )


def delay(world):
    seen, _ = run_through(world, 'delay 20 5')
    check(
        'delayed datagrams arrive after the delay, and none is lost',
        20 <= seen['delayP50Ms'] and seen['lost'] == 0,
        seen,
    )


def hole(world):
    seen, said = run_through(world, 'mtu 1300', size=1273)
    check('an MTU black hole drops IP packets of 1301 bytes', seen['received'] == 0 and said['tooBig'] == seen['sent'])
    seen, _ = run_through(world, 'mtu 1300', size=1272)
    check('  and lets 1300 bytes pass', seen['lost'] == 0)


def switched(world):
    def cut(relay):
        time.sleep(0.3)
        relay.do('from-left drop 100')
        time.sleep(0.3)
        relay.do('clear')

    seen, said = run_through(world, seconds=0.8, meanwhile=cut)
    check(
        'one direction is cut and restored while the probe runs',
        seen['lost'] == said['dropped'] > 0 and seen['gapMs'] >= 290,
        seen,
    )


def rebinding(world):
    seen, said = run_through(world, 'rebind right 50')
    check('the source port changes and nothing is lost', seen['lost'] == 0 and said['sent'] == seen['sent'], seen)


def bad_link(world):
    build_underlay(world)
    fast = int(sys.argv[sys.argv.index('--rate') + 1]) if '--rate' in sys.argv else 20_000
    straight(world, fast)
    for case in (faults, delay, hole, switched, rebinding):
        case(world)


if __name__ == '__main__':
    lab.run(bad_link)
