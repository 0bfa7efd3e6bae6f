#!/usr/bin/env python3
"""roaming.py [CASE]...: a node's address changes under 1,000 packets per second each way. A roaming endpoint follows
the first authentic packet; a pinned one changes only when the control plane says so."""

import sys
import time

import lab
from engine import Device, Engine, Keys, add_underlay, add_wire, packed
from impair import Probe
from lab import check, ping
from relayed import FAR, NEAR, build_relayed, shown

RATE = 1000


def build(world, roaming, **wire):
    """Two nodes on one veth. Their sockets are not bound to an address, so that addresses can change."""
    for name in ('wa', 'na', 'nb', 'wb'):
        world.namespace(name)
    world.cable('na', 'nb')
    ns, keys, engines = world.namespaces, [Keys(), Keys()], []
    for i, (work, node) in enumerate((('wa', 'na'), ('wb', 'nb'))):
        engine, device = Engine(world), Device(ns[work], 'nsm-1')
        add_underlay(engine, ns[node], '0.0.0.0', keys[i])
        add_wire(engine, device, f'10.0.0.{i + 1}', f'10.0.0.{2 - i}', keys[1 - i], aead=2, roaming=roaming,
                 peer_address=packed(f'10.9.0.{2 - i}'), peer_port=51820, **wire)  # fmt: skip
        device.up(f'10.0.0.{i + 1}/24')
        engines.append(engine)
    check('the wire is up', ping(ns['wa'], '10.0.0.2', 20, 0.01)['received'] > 0)
    return engines


def move(world, node, device, old, new):
    """Replaces the node's address."""
    world.namespaces[node].sh('ip -batch -', input=f'addr del {old}/24 dev {device}\naddr add {new}/24 dev {device}\n')


def both_ways(world, seconds, meanwhile):
    """The probe results of both directions: from near to far, and back."""
    probes = Probe(world, 'wb', '10.0.0.2'), Probe(world, 'wa', '10.0.0.1')
    for one, source in zip(probes, ('wa', 'wb'), strict=True):
        one.start(source, RATE, seconds)
    time.sleep(0.3)
    meanwhile()
    return [one.stop() for one in probes]


def rebound(world):
    """A NAT in front of the near side rebinds its port ten times: the far side follows."""
    times = 10
    relay, (_, far) = build_relayed(world, roaming=1, learns=True)

    def rebind():
        for _ in range(times):
            relay.do('rebind right')
            time.sleep(0.1)

    there, back = both_ways(world, 1.6, rebind)
    print(shown(there), shown(back), flush=True)
    check('rebound: no packet is lost towards the far side', there['lost'] == 0, there['lost'])
    check(
        'rebound: at most 2 packets per rebinding are lost towards the near side',
        back['lost'] <= 2 * times,
        back['lost'],
    )
    check('rebound: answers stop for at most 100 ms', back['gapMs'] <= 100, back['gapMs'])
    check('rebound: the far side has followed', far.session(FAR)['peer_port'] != [51820])


def sender_moves(world):
    near, far = build(world, roaming=1)
    there, back = both_ways(world, 1, lambda: move(world, 'na', 'nb', '10.9.0.1', '10.9.0.11'))
    print(shown(there), shown(back), flush=True)
    check('sender moves: both directions stop for at most 100 ms', max(there['gapMs'], back['gapMs']) <= 100)
    check('sender moves: the far side has followed', far.session(FAR)['peer_address'] == [packed('10.9.0.11')])
    event = far.wait_event('peer_moved', 1)
    check('sender moves: and reports it', event['peer_address'] == [packed('10.9.0.11')] and event['id'] == [FAR])


def receiver_moves(world):
    """Traffic goes one way only, to the side that moves; its control plane makes it start a handshake at once."""
    near, far = build(world, roaming=1)
    one = Probe(world, 'wb', '10.0.0.2')
    one.start('wa', RATE, 1)
    time.sleep(0.3)
    move(world, 'nb', 'na', '10.9.0.2', '10.9.0.12')
    far.ask('rehandshake', id=FAR)
    seen = one.stop()
    print(shown(seen), flush=True)
    check('receiver moves: silence of at most 300 ms', seen['gapMs'] <= 300, seen['gapMs'])
    check('receiver moves: the near side has followed', near.session(NEAR)['peer_address'] == [packed('10.9.0.12')])


def receiver_moves_unannounced(world):
    """The same without a control plane: the probe messages of the side that moves reveal its new address."""
    near, far = build(world, roaming=1, probe_messages=1)
    one = Probe(world, 'wb', '10.0.0.2')
    one.start('wa', RATE, 2)
    time.sleep(0.3)
    move(world, 'nb', 'na', '10.9.0.2', '10.9.0.12')
    seen = one.stop()
    print(shown({**seen, 'missing': []}), flush=True)
    check('receiver moves unannounced: silence of at most 1,500 ms', seen['gapMs'] <= 1500, seen['gapMs'])
    check(
        'receiver moves unannounced: the near side has followed',
        near.session(NEAR)['peer_address'] == [packed('10.9.0.12')],
    )


def pinned(world):
    """A pinned endpoint: the control plane learns the new address and updates the port in place."""
    near, far = build(world, roaming=0)
    _, attributes, _ = near.journal['port_set', NEAR]

    def announce():
        move(world, 'nb', 'na', '10.9.0.2', '10.9.0.12')
        near.set('port_set', **{**attributes, 'peer_address': packed('10.9.0.12')})

    age = near.session(NEAR)['handshake_age_ms'][0]
    there, back = both_ways(world, 1, announce)
    print(shown(there), shown(back), flush=True)
    check('pinned: silence of at most 300 ms', max(there['gapMs'], back['gapMs']) <= 300)
    check('pinned: no new handshake was needed', near.session(NEAR)['handshake_age_ms'][0] > age + 900)
    move(world, 'nb', 'na', '10.9.0.12', '10.9.0.13')
    check(
        'pinned: nothing is sent to an address that was not announced',
        ping(world.namespaces['wb'], '10.0.0.1', 20, 0.01)['received'] == 0,
    )
    check('pinned: the endpoint has not moved', near.session(NEAR)['peer_address'] == [packed('10.9.0.12')])


def underlay_moves(world):
    """A node gets another socket for its wires while they stand; then the other node is told."""
    near, far = build(world, roaming=0)
    node = world.namespaces['nb']
    _, underlay, _ = far.journal['underlay_set', 'u']
    _, port, _ = near.journal['port_set', NEAR]
    age = near.session(NEAR)['handshake_age_ms'][0]

    def change():
        far.set('underlay_set', far.udp(node, '10.9.0.2', 51821),
                **{**underlay, 'address': packed('10.9.0.2'), 'udp_port': 51821})  # fmt: skip
        near.set('port_set', **{**port, 'peer_port': 51821})

    there, back = both_ways(world, 1, change)
    print(shown(there), shown(back), flush=True)
    check('underlay moves: towards it at most 100 ms are lost', there['gapMs'] <= 100, there['gapMs'])
    check('underlay moves: from it nothing is lost', back['lost'] == 0, back['lost'])
    check('underlay moves: no new handshake was needed', near.session(NEAR)['handshake_age_ms'][0] > age + 900)
    with node.udp('0.0.0.0', 51820):
        pass  # nothing of the former socket is left
    far.restart()
    answers = ping(world.namespaces['wa'], '10.0.0.2', 20, 0.05)['received']
    check('underlay moves: a new engine has it where it was moved to', answers > 0)


CASES = {
    case.__name__: case
    for case in (rebound, sender_moves, receiver_moves, receiver_moves_unannounced, pinned, underlay_moves)
}

if __name__ == '__main__':
    for case in sys.argv[1:] or CASES:
        lab.run(CASES[case], needs=('wg',))
