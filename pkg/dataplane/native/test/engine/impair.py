"""The relay and the probe of test/impair, for lab tests: a bad link between two nodes, and numbered datagrams over it.
NSM_IMPAIR and NSM_UDP_PROBE are the paths of the programs."""

import json
import os
import subprocess
import time

from lab import sh

IMPAIR = os.environ.get('NSM_IMPAIR', 'nsm-impair')
PROBE = os.environ.get('NSM_UDP_PROBE', 'nsm-udp-probe')
PROBE_PORT = 5400
PIPES = {'stdin': subprocess.PIPE, 'stdout': subprocess.PIPE}


class Relay:
    """Relays between the nodes na (10.9.1.1) and nb (10.9.2.2), from a namespace of its own. Each node uses the relay's
    address on its side as the address of its peer."""

    TOWARDS_A, TOWARDS_B = '10.9.1.254', '10.9.2.254'

    def __init__(self, world, *commands, seed=1, learns=False, port=51820):
        self.seed = seed
        names = '' if learns else ',10.9.1.1:51820', '' if learns else ',10.9.2.2:51820'
        self.process = world.namespaces['nr'].popen(
            [IMPAIR, '--left', f'{self.TOWARDS_A}:{port}{names[0]}', '--right', f'{self.TOWARDS_B}:{port}{names[1]}',
             '--seed', str(seed), *commands], **PIPES)  # fmt: skip
        world.defer(lambda: (self.process.kill(), self.process.wait()))
        first = self.process.stdout.readline()
        assert first.startswith('relaying'), first

    def do(self, command):
        self.process.stdin.write(command + '\n')
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        assert not answer.startswith('error'), answer
        return answer

    def statistics(self):
        """{'from-left': {...}, 'from-right': {...}}"""
        return json.loads(self.do('stats'))


def build_underlay(world):
    """Namespaces na - nr - nb, with the relay in nr as the only path between the nodes."""
    for name in ('na', 'nr', 'nb'):
        world.namespace(name)
    for node, network, host in (('na', 1, 1), ('nb', 2, 2)):
        a, r = world.namespaces[node], world.namespaces['nr']
        sh(f'ip link add nr netns {a.name} type veth peer name {node} netns {r.name}')
        a.sh(f'ip addr add 10.9.{network}.{host}/24 dev nr')
        r.sh(f'ip addr add 10.9.{network}.254/24 dev {node}')
        a.sh('ip link set nr up')
        r.sh(f'ip link set {node} up')


class Probe:
    """Numbered datagrams from one namespace to an address in another; stop() returns the result."""

    def __init__(self, world, target, address, port=PROBE_PORT):
        self.address, self.port, self.world = address, port, world
        self.receiver = world.namespaces[target].popen([PROBE, 'receive', str(port)], **PIPES)
        world.defer(lambda: (self.receiver.kill(), self.receiver.wait()))
        assert self.receiver.stdout.readline() == 'listening\n'
        self.sent = 0

    def start(self, source, rate, seconds, size=200):
        self.sent = int(rate * seconds)
        words = [PROBE, 'send', self.address, str(self.port), str(rate), str(self.sent), str(size)]
        self.sender = self.world.namespaces[source].popen(words, stdout=subprocess.PIPE)
        self.world.defer(lambda: (self.sender.kill(), self.sender.wait()))

    def running(self):
        return self.sender.poll() is None

    def stop(self, settle=0.2):
        """Waits for the sender, gives the last datagrams time to arrive, and returns what arrived."""
        refused = json.loads(self.sender.communicate(timeout=3600)[0])['refused']
        time.sleep(settle)
        seen = json.loads(self.receiver.communicate(timeout=10)[0])
        return {'sent': self.sent, 'refused': refused, 'lost': self.sent - seen['received'], **seen}


def probe(world, source, target, address, rate, seconds, meanwhile=lambda running: None, settle=0.2, **more):
    """One run of the probe. `meanwhile` is called while it runs, with a function that tells whether it still does."""
    one = Probe(world, target, address)
    one.start(source, rate, seconds, **more)
    meanwhile(one.running)
    return one.stop(settle)
