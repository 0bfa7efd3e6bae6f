#!/usr/bin/env python3
"""hostile-link.py all | CASE [--seconds N] [--rate N] [--seed N]: drops, reorders, duplicates and corrupts the
datagrams between two engines, and checks what the wire delivers."""

import argparse

import lab
from lab import check
from relayed import FAR, build_relayed, difference, probe_through, shown

REFUSED = ('rx_auth_failed', 'rx_malformed', 'rx_unknown_index', 'rx_expired')


class Link:
    def __init__(self, world, options):
        self.world, self.options = world, options
        self.relay, (_, self.far) = build_relayed(world, seed=options.seed)

    def run(self, *faults):
        """What the probe received, what the relay did to datagrams from the near to the far side, and what the far
        engine counted."""
        said, before = self.relay.statistics()['from-left'], self.counters()
        for fault in faults:
            self.relay.do(fault)
        seen = probe_through(self.world, self.options.rate, self.options.seconds, settle=0.5)
        did, after = difference(said, self.relay.statistics()['from-left']), self.counters()
        self.relay.do('clear')
        counted = {name: after[name] - before[name] for name in after}
        print(shown(seen), did, counted, flush=True)
        check('the relay itself lost no datagram', not {'noRoom', 'overrun', 'refused'} & set(did))
        return seen, did, counted

    def counters(self):
        """The far port's counters, plus the far engine's for datagrams that match no port."""
        port, engine = self.far.counters(FAR), self.far.counters('engine')
        return {name: port[name] + engine[name] for name in (*REFUSED, 'rx_replay')}


def refused(counted):
    return sum(counted[name] for name in REFUSED)


def everything(link):
    seen, did, _ = link.run('drop 5', 'reorder 25 100', 'duplicate 5', 'corrupt 1')
    check('everything: no packet is delivered corrupted or twice', seen['corrupted'] == seen['duplicates'] == 0)
    extra = seen['lost'] - did['dropped'] - did['corrupted']
    check('everything: the wire adds at most 0.1 % of packet loss', extra <= seen['sent'] / 1000, extra)


def reordered(link):
    seen, did, counted = link.run('from-left reorder 25 1000')
    check('reordered: a quarter of the packets is overtaken by up to 1000 others', did['heldBack'] > 0.2 * seen['sent'])
    check('reordered: every packet is delivered', seen['lost'] == 0 and counted['rx_replay'] == 0)


def duplicated(link):
    seen, did, counted = link.run('from-left duplicate 20')
    check('duplicated: every packet is delivered once', seen['lost'] == 0 and seen['duplicates'] == 0)
    check('duplicated: the copies are counted', counted['rx_replay'] == did['duplicated'] > 0.15 * seen['sent'])


def corrupted(link):
    seen, did, counted = link.run('from-left corrupt 1')
    check('corrupted: exactly the corrupted packets are lost', seen['lost'] == did['corrupted'] == refused(counted) > 0)
    check('corrupted: none is delivered', seen['corrupted'] == 0)


def flipped(link):
    seen, did, counted = link.run('from-left corrupt 100')
    check(
        'flipped: with one bit flipped in every packet, none is delivered', seen['received'] == seen['corrupted'] == 0
    )
    check('flipped: every one is counted', refused(counted) == did['corrupted'] >= seen['sent'])


CASES = {case.__name__: case for case in (everything, reordered, duplicated, corrupted, flipped)}


def hostile_link(options):
    def run(world):
        link = Link(world, options)
        for case in CASES.values() if options.case == 'all' else [CASES[options.case]]:
            case(link)

    return run


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('case', choices=['all', *CASES])
    parser.add_argument('--seconds', type=float, default=1.5)
    parser.add_argument('--rate', type=int, default=3000)
    parser.add_argument('--seed', type=int, default=1)
    lab.run(hostile_link(parser.parse_args()), needs=('wg',))
