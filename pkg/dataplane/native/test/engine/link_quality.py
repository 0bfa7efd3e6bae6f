#!/usr/bin/env python3
"""link_quality.py CASE... [--seconds N]: what an engine measures of the link to its peer, and how it reacts."""

import argparse
import functools
import json
import subprocess
import sys
import time

import frames
import lab
from engine import Device
from impair import Probe
from lab import HERE, check
from relayed import FAR, build_relayed, shown

UP, DOWN = 1, 2
WIRE_MTU = 1420  # inner bytes
HOLE = 1300  # the longest outer IP packet that passes the MTU black hole
OUTER = 20 + 8 + 32  # IPv4, UDP, data message
DEAD_MS = 600  # what core/link-quality promises; core-link-quality tests it to the millisecond
BUSY_MS = 100  # scheduling delays of the engine and of this test on a busy machine


class MonitoredLink:
    """A wire over the relay; both engines monitor the link."""

    def __init__(self, world, options, *commands, tap=False):
        self.world, self.options = world, options
        device = functools.partial(Device, tap=tap)
        self.relay, self.engines = build_relayed(world, *commands, make_device=device, probe_messages=1)
        for engine in self.engines:
            until_up(engine)
            engine.events.clear()


def quality_of(engine):
    (quality,) = engine.ask('link_quality_get')
    return {name: values[0] for name, values in quality.items()}


def until(claim, truth, seconds=3.0):
    """Waits until truth() holds; returns how many milliseconds that took."""
    start = time.monotonic()
    while not truth():
        if time.monotonic() > start + seconds:
            check(claim, False)
        time.sleep(0.005)
    return (time.monotonic() - start) * 1000


def until_up(engine):
    until('the link is up', lambda: quality_of(engine)['link_verdict'] == UP)


def events(engine, name):
    """The events of that name which the engine has sent so far."""
    engine.ask('link_quality_get')
    return [event for event in engine.events if event['event_kind'] == [frames.EVENTS[name]]]


def measured(link):
    link.relay.do('delay 20 5')
    time.sleep(4)
    for engine in link.engines:
        seen = quality_of(engine)
        check('measured: the round-trip time is known', 38_000 < seen['rtt_us'] < 60_000, seen)
        check('measured: the jitter is known', 500 < seen['jitter_us'] < 15_000)
        check('measured: packets of the wire MTU pass', seen['mtu_bytes'] == WIRE_MTU)


def dead(link):
    near, far = link.engines
    for cut in ('drop 100', 'from-left drop 100', 'from-right drop 100'):
        for delay in (0.0, 0.29):
            time.sleep(1 + delay)
            link.relay.do(cut)
            took = until(f'dead: {cut}', lambda: events(near, 'link_quality_down') and events(far, 'link_quality_down'))
            check(f'dead: {cut} is reported by both engines in time', took <= DEAD_MS + BUSY_MS, f'{took:.0f} ms')
            link.relay.do('clear')
            took = until(
                'dead: the recovery is reported',
                lambda: events(near, 'link_quality_up') and events(far, 'link_quality_up'),
            )
            check('dead: the recovery is reported within 500 ms', took <= 500, f'{took:.0f} ms')
            near.events.clear(), far.events.clear()
    check('dead: the path MTU was not lowered', quality_of(near)['mtu_bytes'] == WIRE_MTU)


def lossy(link):
    """5 % of packet loss in each direction: the link must not be reported as down."""
    link.relay.do('drop 5')
    time.sleep(link.options.seconds)
    for engine in link.engines:
        seen = quality_of(engine)
        alarms = len(events(engine, 'link_quality_down'))
        check(f'lossy: no false alarm in {link.options.seconds:.0f} s', alarms == 0, seen)
        # A tenth of the probes gets lost: one run in fifteen loses none among the last 26, one in 10^6 none in 30 s.
        until('lossy: the loss is reported', lambda engine=engine: quality_of(engine)['probes_lost'] > 0, seconds=30)
        seen = quality_of(engine)
        check('lossy: about a tenth of the probes is lost', seen['probes_lost'] < seen['probes_sent'] * 0.3, seen)


def partitioned(link):
    """The link fails for --seconds under traffic; packets pass as soon as it is back."""
    one = Probe(link.world, 'wb', '10.0.0.2')
    one.start('wa', 100, link.options.seconds + 4)
    time.sleep(1)
    before = time.monotonic()
    link.relay.do('drop 100')
    cut = time.monotonic()
    time.sleep(link.options.seconds)
    restored = time.monotonic()
    link.relay.do('clear')
    after = time.monotonic()
    seen = one.stop()
    print(shown({**seen, 'missing': []}), flush=True)
    # The relay obeys at some moment of each call, and a busy machine may let this script wait for the answer.
    least, most = (restored - cut) * 1000, (after - before) * 1000
    check('partitioned: nothing passed meanwhile', least <= seen['gapMs'], (least, seen['gapMs']))
    check('partitioned: healed within 1 s', seen['gapMs'] <= most + 1000, (most, seen['gapMs']))
    until_up(link.engines[0])


def stream_through(link, meanwhile):
    """One TCP stream from wa to wb: the reports of the sender and the receiver."""
    receiver = link.world.start('wb', [sys.executable, f'{HERE}/stream.py', 'receive'])
    receiver.stdout.readline()
    words = [sys.executable, f'{HERE}/stream.py', 'send', '10.0.0.2', '4', '4000000']
    sender = link.world.namespaces['wa'].popen(words, stdout=subprocess.PIPE)
    time.sleep(1)
    meanwhile()
    taken = json.loads(sender.communicate(timeout=60)[0])
    return taken, json.loads(receiver.communicate(timeout=60)[0])


def hole_tcp(link):
    """An MTU black hole opens under a TCP connection: oversize packets are dropped in both directions, without ICMP."""
    found = []

    def open_hole():
        link.relay.do(f'mtu {HOLE}')
        found.append(
            until('a packet size that passes is found', lambda: quality_of(link.engines[0])['mtu_bytes'] < WIRE_MTU)
        )

    taken, seen = stream_through(link, open_hole)
    check('hole, TCP: everything arrives', taken['bytes'] == seen['bytes'], seen, f'found in {found[0]:.0f} ms')
    check('hole, TCP: silence of at most 3 s', seen['silenceMs'] <= 3000)
    for engine in link.engines:
        mtu = quality_of(engine)['mtu_bytes']
        check('hole, TCP: the path MTU is known to 8 bytes', 0 <= HOLE - OUTER - mtu < 8, mtu)
        check('hole, TCP: and reported', events(engine, 'path_mtu_changed'))
        check('hole, TCP: the link was up all the time', not events(engine, 'link_quality_down'))
    _, seen = stream_through(link, lambda: None)
    check('hole, TCP: a new connection is not affected', seen['silenceMs'] <= 500, seen)
    link.relay.do('clear')
    until('hole, TCP: its end is detected', lambda: quality_of(link.engines[0])['mtu_bytes'] == WIRE_MTU, 12)


def hole_udp(link):
    one = Probe(link.world, 'wb', '10.0.0.2')
    one.start('wa', 100, 4, size=WIRE_MTU - 28)
    time.sleep(1)
    link.relay.do(f'mtu {HOLE}')
    seen = one.stop()
    print(shown({**seen, 'missing': []}), flush=True)
    check('hole, UDP: silence of at most 3 s', seen['gapMs'] <= 3000, seen['gapMs'])
    check('hole, UDP: the sender got Packet Too Big', link.engines[0].counters('wg-10.0.0.1')['tx_oversize'] > 0)


def hole_fragments(link):
    """Packets that may be fragmented pass the hole, and the far kernel puts them together."""
    link.relay.do(f'mtu {HOLE}')
    until('hole, fragments: the path MTU is found', lambda: quality_of(link.engines[0])['mtu_bytes'] < WIRE_MTU)
    until('hole, fragments: at both ends', lambda: quality_of(link.engines[1])['mtu_bytes'] < WIRE_MTU)
    for size in (1400, 5000, 40000):
        command = f'ping -M dont -q -c 40 -i 0.02 -W 1 -s {size - 28} 10.0.0.2'
        seen = link.world.namespaces['wa'].sh(command, timeout=30)
        check(f'hole, fragments: 40 of 40 pings of {size} bytes come back', ' 0% packet loss' in seen, seen[-200:])
    sent = link.engines[0].counters('wg-10.0.0.1')
    check('hole, fragments: all were counted, none refused', sent['tx_fragmented'] >= 40 and sent['tx_oversize'] == 0)
    link.world.namespaces['wa'].popen('ping -M do -q -c 2 -W 1 -s 1372 10.0.0.2').wait(timeout=30)
    answered = link.engines[0].counters('wg-10.0.0.1')['tx_oversize']
    check('hole, fragments: with DF they are answered as before', answered > 0)


def hole_frames(link):
    """The same with a wire of Ethernet frames: the IP packets in them are clamped or answered."""
    hole_tcp(link)


def small_from_start(link):
    """The wire is configured with an MTU that the network does not support."""
    until('small: the path MTU is found', lambda: quality_of(link.engines[0])['mtu_bytes'] <= HOLE - OUTER)
    _, seen = stream_through(link, lambda: None)
    check('small: TCP is not affected', seen['silenceMs'] <= 500, seen)


def refused(link):
    """How many probe messages of the (honest) near side the far side has dropped."""
    counted = link.engines[1].counters(FAR)
    return counted['rx_path_excess'] + counted['rx_malformed']


CASES = {
    case.__name__: case
    for case in (measured, dead, lossy, partitioned, hole_tcp, hole_udp, hole_fragments, hole_frames, small_from_start)
}
STARTS = {'small_from_start': [f'mtu {HOLE}']}
FRAMES = ('hole_frames',)


def monitored(case, options):
    def run(world):
        link = MonitoredLink(world, options, *STARTS.get(case, []), tap=case in FRAMES)
        CASES[case](link)
        check(f'{case}: no probe message was dropped', refused(link) == 0)

    return run


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('case', nargs='+', choices=CASES)
    parser.add_argument('--seconds', type=float, default=5)
    options = parser.parse_args()
    for case in options.case:
        lab.run(monitored(case, options), needs=('wg',))
