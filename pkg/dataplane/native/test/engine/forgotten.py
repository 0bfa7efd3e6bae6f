#!/usr/bin/env python3
"""Eleven wires between two engines, one of which the far engine forgets: that one goes down alone."""

import time

import frames
import lab
from engine import Engine, Keys, add_underlay
from lab import check

WIRES = 11
DOWN_S = 6  # each session is checked within 2.2 s, and is silent for half a second before it counts
UP, DOWN = 1, 2


def build(world):
    """Two nodes on one veth. Every wire initiates with keys of its own, as between nodes of nsmesh."""
    for name in ('na', 'nb'):
        world.namespace(name)
    world.cable('na', 'nb')
    nodes = [Keys(), Keys()]
    wires = [(Keys(), Keys()) for _ in range(WIRES)]
    engines = [Engine(world), Engine(world)]
    for i, (engine, node) in enumerate(zip(engines, ('na', 'nb'), strict=True)):
        add_underlay(engine, world.namespaces[node], f'10.9.0.{i + 1}', nodes[i])
        for number, keys in enumerate(wires):
            engine.set('port_set', id=f'w{number}', kind=3, underlay='u', private_key=keys[i].private,
                       peer_responder_key=nodes[1 - i].public, peer_initiator_key=keys[1 - i].public,
                       peer_address=bytes([10, 9, 0, 2 - i]), peer_port=51820, aead=2, probe_messages=1,
                       keepalive_seconds=10, mtu_bytes=1420)  # fmt: skip
    return engines


def verdicts(engine):
    return {port['id'][0]: port['session_verdict'][0] for port in engine.ask('port_get')}


def wait(claim, truth, seconds):
    start = time.monotonic()
    while not truth():
        if time.monotonic() > start + seconds:
            check(claim, False)
        time.sleep(0.02)
    return time.monotonic() - start


def seen(engine, name):
    engine.ask('link_quality_get')
    return [event for event in engine.events if event['event_kind'] == [frames.EVENTS[name]]]


def run(world):
    near, far = build(world)
    all_up = {f'w{number}': UP for number in range(WIRES)}
    for engine in (near, far):
        wait('all sessions are up', lambda engine=engine: verdicts(engine) == all_up, 10)
    for forgotten in ('w0', 'w7'):
        near.events.clear()
        far.ask('port_del', id=forgotten)
        took = wait(f'{forgotten} is down', lambda wire=forgotten: verdicts(near)[wire] == DOWN, DOWN_S)
        all_up[forgotten] = DOWN
        check(f'{forgotten} is down alone', verdicts(near) == all_up, f'{took:.1f} s')
        (event,) = seen(near, 'session_down')
        check('it says why', event['text'] == ['the far node does not know this wire'], event)
        check('the link is up', not seen(near, 'link_quality_down'))
    time.sleep(3)
    check('the others stay up', verdicts(near) == all_up)


if __name__ == '__main__':
    lab.run(run, needs=('wg',))
