#!/usr/bin/env python3
"""path.py CASE... [--seconds N]: what an engine finds out about the path to its peer, and what it does about it."""

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
MOST = 1420  # inner bytes, as the wires agree
HOLE = 1300  # outer bytes that pass
OUTER = 20 + 8 + 32  # IPv4, UDP, data message
DEAD_MS = 600  # as core/path promises, to the millisecond in its own test
BUSY_MS = 100  # how late a busy machine may let the engine, and this test, find out


class LinkQualityMonitor:
    """A wire over the relay; both engines watch the path."""

    def __init__(self, world, options, *commands, tap=False):
        self.world, self.options = world, options
        device = functools.partial(Device, tap=tap)
        self.relay, self.engines = build_relayed(world, *commands, make_device=device, probe_messages=1)
        for engine in self.engines:
            until('the path is up', lambda: path_of(engine)['link_verdict'] == UP)
            engine.events.clear()


def path_of(engine):
    (path,) = engine.ask('link_quality_get')
    return {name: values[0] for name, values in path.items()}


def until(claim, truth, seconds=3.0):
    """Waits for it; how many milliseconds that took."""
    start = time.monotonic()
    while not truth():
        if time.monotonic() > start + seconds:
            check(claim, False)
        time.sleep(0.005)
    return (time.monotonic() - start) * 1000


def told(engine, name):
    engine.ask('link_quality_get')
    return [event for event in engine.events if event['event_kind'] == [frames.EVENTS[name]]]


def measured(paths):
    paths.relay.do('delay 20 5')
    time.sleep(4)
    for engine in paths.engines:
        seen = path_of(engine)
        check('measured: the round trip is known', 38_000 < seen['rtt_us'] < 60_000, seen)
        check('measured: and how it varies', 500 < seen['jitter_us'] < 15_000)
        check('measured: all full-size packets pass', seen['mtu_bytes'] == MOST)


def dead(paths):
    near, far = paths.engines
    for cut in ('drop 100', 'from-left drop 100', 'from-right drop 100'):
        for delay in (0.0, 0.29):
            time.sleep(1 + delay)
            paths.relay.do(cut)
            took = until(f'dead: {cut}', lambda: told(near, 'link_quality_down') and told(far, 'link_quality_down'))
            check(f'dead: {cut} is told at both ends in time', took <= DEAD_MS + BUSY_MS, f'{took:.0f} ms')
            paths.relay.do('clear')
            took = until(
                'dead: its end is told', lambda: told(near, 'link_quality_up') and told(far, 'link_quality_up')
            )
            check('dead: its end is told within 500 ms', took <= 500, f'{took:.0f} ms')
            near.events.clear(), far.events.clear()
    check('dead: no packet length was blamed', path_of(near)['mtu_bytes'] == MOST)


def lossy(paths):
    """One packet in twenty gets lost in each direction: that is no death."""
    paths.relay.do('drop 5')
    time.sleep(paths.options.seconds)
    for engine in paths.engines:
        seen = path_of(engine)
        alarms = len(told(engine, 'link_quality_down'))
        check(f'lossy: no false alarm in {paths.options.seconds:.0f} s', alarms == 0, seen)
        check('lossy: the loss is told', 0 < seen['probes_lost'] < seen['probes_sent'] * 0.3)


def partitioned(paths):
    """The link is gone for --seconds under traffic; packets pass as soon as it is back."""
    one = Probe(paths.world, 'wb', '10.0.0.2')
    one.start('wa', 100, paths.options.seconds + 4)
    time.sleep(1)
    cut = time.monotonic()
    paths.relay.do('drop 100')
    time.sleep(paths.options.seconds)
    paths.relay.do('clear')
    partition = (time.monotonic() - cut) * 1000
    seen = one.stop()
    print(shown({**seen, 'missing': []}), flush=True)
    check('partitioned: healed within 1 s', partition <= seen['gapMs'] <= partition + 1000, seen['gapMs'] - partition)
    until('partitioned: the path is up', lambda: path_of(paths.engines[0])['link_verdict'] == UP)


def stream_through(paths, meanwhile):
    """TCP from wa to wb: what the receiver saw."""
    receiver = paths.world.start('wb', [sys.executable, f'{HERE}/stream.py', 'receive'])
    receiver.stdout.readline()
    words = [sys.executable, f'{HERE}/stream.py', 'send', '10.0.0.2', '4', '4000000']
    sender = paths.world.namespaces['wa'].popen(words, stdout=subprocess.PIPE)
    time.sleep(1)
    meanwhile()
    taken = json.loads(sender.communicate(timeout=60)[0])
    return taken, json.loads(receiver.communicate(timeout=60)[0])


def hole_tcp(paths):
    """A hole opens under a connection: nobody sends ICMP, and both directions have it."""
    found = []

    def open_hole():
        paths.relay.do(f'mtu {HOLE}')
        found.append(until('a length that passes is found', lambda: path_of(paths.engines[0])['mtu_bytes'] < MOST))

    taken, seen = stream_through(paths, open_hole)
    check('hole, TCP: everything arrives', taken['bytes'] == seen['bytes'], seen, f'found in {found[0]:.0f} ms')
    check('hole, TCP: silence of at most 3 s', seen['silenceMs'] <= 3000)
    for engine in paths.engines:
        mtu = path_of(engine)['mtu_bytes']
        check('hole, TCP: its length is known to 8 bytes', 0 <= HOLE - OUTER - mtu < 8, mtu)
        check('hole, TCP: and told', told(engine, 'path_mtu_changed'))
        check('hole, TCP: the path was up all the time', not told(engine, 'link_quality_down'))
    _, seen = stream_through(paths, lambda: None)
    check('hole, TCP: a new connection never notices', seen['silenceMs'] <= 500, seen)
    paths.relay.do('clear')
    until('hole, TCP: its end is found', lambda: path_of(paths.engines[0])['mtu_bytes'] == MOST, 12)


def hole_udp(paths):
    one = Probe(paths.world, 'wb', '10.0.0.2')
    one.start('wa', 100, 4, size=MOST - 28)
    time.sleep(1)
    paths.relay.do(f'mtu {HOLE}')
    seen = one.stop()
    print(shown({**seen, 'missing': []}), flush=True)
    check('hole, UDP: silence of at most 3 s', seen['gapMs'] <= 3000, seen['gapMs'])
    check('hole, UDP: the sender was told', paths.engines[0].counters('wg-10.0.0.1')['tx_oversize'] > 0)


def hole_frames(paths):
    """Under a wire of Ethernet frames: the packets in them are told."""
    hole_tcp(paths)


def small_from_start(paths):
    """The nodes were told of an MTU that their network does not have."""
    until('small: known in no time', lambda: path_of(paths.engines[0])['mtu_bytes'] <= HOLE - OUTER)
    _, seen = stream_through(paths, lambda: None)
    check('small: TCP never notices', seen['silenceMs'] <= 500, seen)


def refused(paths):
    """Of the near side's messages, which is honest, by the far side."""
    counted = paths.engines[1].counters(FAR)
    return counted['rx_path_excess'] + counted['rx_malformed']


CASES = {
    case.__name__: case
    for case in (measured, dead, lossy, partitioned, hole_tcp, hole_udp, hole_frames, small_from_start)
}
STARTS = {'small_from_start': [f'mtu {HOLE}']}
FRAMES = ('hole_frames',)


def path(case, options):
    def run(world):
        paths = LinkQualityMonitor(world, options, *STARTS.get(case, []), tap=case in FRAMES)
        CASES[case](paths)
        check(f'{case}: no path message was refused', refused(paths) == 0)

    return run


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('case', nargs='+', choices=CASES)
    parser.add_argument('--seconds', type=float, default=5)
    options = parser.parse_args()
    for case in options.case:
        lab.run(path(case, options), needs=('wg',))
