#!/usr/bin/env python3
"""Replays captured datagrams: at once, later, from another address, and to an engine that was restarted meanwhile.
Nothing is delivered twice, no endpoint moves, and a stranger gets at most one handshake response."""

import select
import socket
import struct
import time

import lab
from lab import check, ping
from relayed import FAR, NEAR, build_relayed

INITIATION, RESPONSE, DATA = 1, 2, 4
RESPONSE_BYTES = 92
FAR_ADDRESS = ('10.9.2.2', 51820)


class Tap:
    """Captures the datagrams that the relay sends to one node, as an eavesdropper on that link would."""

    def __init__(self, world, device, sender):
        with world.namespaces['nr'].inside():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            self.socket.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE
            self.socket.bind((device, 0))
        self.socket.setblocking(False)
        self.sender = socket.inet_aton(sender)

    def taken(self):
        """The captured datagrams by message type."""
        found = {INITIATION: [], RESPONSE: [], DATA: []}
        while select.select([self.socket], [], [], 0)[0]:
            packet = self.socket.recv(65536)[14:]
            if packet[9:10] == b'\x11' and packet[12:16] == self.sender and len(packet) > 32:
                found.setdefault(packet[28], []).append(packet[28:])
        return found


class Attacker:
    def __init__(self, world):
        self.socket = world.namespaces['nr'].udp('10.9.2.254', 6666)

    def send(self, datagrams):
        for datagram in datagrams:
            self.socket.sendto(datagram, FAR_ADDRESS)
            time.sleep(0.0005)
        time.sleep(0.1)

    def answers(self):
        answers = []
        while select.select([self.socket], [], [], 0.1)[0]:
            answers.append(self.socket.recv(65536))
        return answers


def delivered(engine):
    return engine.counters('tun-10.0.0.2')['tx_packets']


def ping_once(world):
    """Checks that the wire still works."""
    seen = ping(world.namespaces['wa'], '10.0.0.2', 5, 0.01)
    check('  the wire works', seen['received'] == 5 and seen['duplicates'] == 0)


def replays(far, attacker, datagrams, claim):
    before, replayed = delivered(far), far.counters(FAR)['rx_replay']
    attacker.send(datagrams)
    check(f'{claim}: nothing is delivered again', delivered(far) == before, len(datagrams))
    check(f'{claim}: there is no answer', attacker.answers() == [])
    return far.counters(FAR)['rx_replay'] - replayed


def data(world, far, attacker, tap):
    check('300 pings pass', ping(world.namespaces['wa'], '10.0.0.2', 300, 0.002)['received'] == 300)
    recorded = tap.taken()[DATA]
    check(
        'data again: every one is counted as a replay',
        replays(far, attacker, recorded, 'data again') == len(recorded) >= 300,
    )
    far_ahead = [d[:8] + struct.pack('<Q', counter) + d[16:] for d in recorded for counter in (1 << 40, (1 << 64) - 1)]
    before = far.counters(FAR)['rx_auth_failed']
    check('counters far ahead: none counts as a replay', replays(far, attacker, far_ahead, 'far ahead') == 0)
    failed = far.counters(FAR)['rx_auth_failed'] - before
    check('counters far ahead: all fail authentication', failed == len(far_ahead))
    ping_once(world)
    return recorded


def handshakes(world, engines, attacker, taps):
    near, far = engines
    engines[0].ask('rehandshake', id=NEAR)
    ping_once(world)
    initiations, responses = taps[1].taken()[INITIATION], taps[0].taken()[RESPONSE]
    check('a handshake is recorded', len(initiations) >= 1 and len(responses) >= 1)
    before = far.counters('engine')['handshake_replayed']
    replays(far, attacker, initiations, 'initiation again')
    check(
        'initiation again: it is counted as a replay',
        far.counters('engine')['handshake_replayed'] - before == len(initiations),
    )
    before = near.counters('engine')['handshake_unknown_index']
    with world.namespaces['nr'].udp('10.9.1.254', 6666) as other:
        for response in responses:
            other.sendto(response, ('10.9.1.1', 51820))
    ping_once(world)
    check(
        'response again: no handshake is waiting for it',
        near.counters('engine')['handshake_unknown_index'] - before == len(responses),
    )
    return initiations


def kept_back(world, relay, engines, attacker):
    """An initiation that never reached the far side is sent later, from another address."""
    relay.do('from-left drop 100')
    with world.namespaces['nr'].inside():
        spy = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        spy.bind(('na', 0))
    engines[0].ask('rehandshake', id=NEAR)
    while True:
        packet = spy.recv(65536)[14:]
        if packet[9:10] == b'\x11' and packet[28] == INITIATION and packet[12:16] == socket.inet_aton('10.9.1.1'):
            break
    relay.do('clear')
    attacker.send([packet[28:]])
    sizes = [len(answer) for answer in attacker.answers()]
    check('kept back: the stranger gets at most one response', sizes in ([], [RESPONSE_BYTES]), sizes)
    check('kept back: the endpoint does not move', engines[1].session(FAR)['peer_address'] == [b'\x0a\x09\x02\xfe'] and
          engines[1].session(FAR)['peer_port'] == [51820])  # fmt: skip
    ping_once(world)


def replayed(world, roaming):
    relay, engines = build_relayed(world, roaming=roaming)
    taps = Tap(world, 'na', '10.9.1.254'), Tap(world, 'nb', '10.9.2.254')
    attacker, far = Attacker(world), engines[1]
    recorded = data(world, far, attacker, taps[1])
    initiations = handshakes(world, engines, attacker, taps)
    far.restart()
    ping_once(world)
    print('the far engine was restarted')
    replays(far, attacker, recorded, 'data after a restart')
    replays(far, attacker, initiations, 'initiation after a restart')
    kept_back(world, relay, engines, attacker)
    check('the endpoint never moved', not any(event.get('peer_port') for event in far.events))


if __name__ == '__main__':
    for roaming in (0, 1):
        print('roaming' if roaming else 'pinned')
        lab.run(lambda world, roaming=roaming: replayed(world, roaming), needs=('wg',))
