"""A lab for one engine test: private network namespaces and processes, cleaned up at the end. A test is a function that
takes a Lab; run(test) is its whole main program."""

import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import traceback
from pathlib import Path

SKIPPED = 77  # ctest's SKIP_RETURN_CODE
LIBC = ctypes.CDLL(None, use_errno=True)
HERE = Path(__file__).resolve().parent
BINARY = os.environ.get('NSM_DATAPLANE', 'nsm-dataplane')


def sh(command, **options):
    """Runs a command line and returns its output; raises an error with that output when the command fails."""
    done = subprocess.run(command.split(), text=True, capture_output=True, **options)
    if done.returncode != 0:
        raise RuntimeError(f'{command}: exit {done.returncode}: {done.stdout}{done.stderr}')
    return done.stdout


class Namespace:
    def __init__(self, name):
        self.name = name
        sh(f'ip netns add {name}')
        self.sh('ip link set lo up')

    def sh(self, command, **options):
        return sh(f'ip netns exec {self.name} {command}', **options)

    def popen(self, command, **options):
        words = command.split() if isinstance(command, str) else command
        return subprocess.Popen(['ip', 'netns', 'exec', self.name, *words], text=True, **options)

    @contextlib.contextmanager
    def inside(self):
        """Moves the calling thread into the namespace: files and sockets opened inside the `with` belong there."""
        with open('/proc/self/ns/net') as home, open(f'/run/netns/{self.name}') as there:
            assert LIBC.setns(there.fileno(), 0) == 0, 'setns'
            try:
                yield
            finally:
                assert LIBC.setns(home.fileno(), 0) == 0, 'setns back'

    def udp(self, address, port):
        """A UDP socket with the options that the holder sets."""
        with self.inside():
            family = socket.AF_INET6 if ':' in address else socket.AF_INET
            sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        for force in (33, 32):  # SO_RCVBUFFORCE, SO_SNDBUFFORCE
            sock.setsockopt(socket.SOL_SOCKET, force, 8 << 20)
        sock.bind((address, port))
        return sock


class Lab:
    def __init__(self):
        self.prefix = f'nsm-t{os.getpid()}-'
        self.namespaces, self.cleanups = {}, []

    def namespace(self, name):
        self.namespaces[name] = Namespace(self.prefix + name)
        return self.namespaces[name]

    def cable(self, a, b, mtu=1500):
        """A veth pair between two namespaces. Each end has the short name of the namespace at the other end."""
        (name_a, ns_a), (name_b, ns_b) = ((n, self.namespaces[n]) for n in (a, b))
        ends = f'{name_b} netns {ns_a.name} mtu {mtu}', f'{name_a} netns {ns_b.name} mtu {mtu}'
        sh(f'ip link add {ends[0]} type veth peer name {ends[1]}')
        for ns, link, host in ((ns_a, name_b, 1), (ns_b, name_a, 2)):
            ns.sh(f'ip addr add 10.9.0.{host}/24 dev {link}')
            ns.sh(f'ip addr add fd09::{host}/64 dev {link} nodad')
            ns.sh(f'ip link set {link} up')

    def defer(self, cleanup):
        self.cleanups.append(cleanup)

    def start(self, namespace, command, **options):
        """A process in a namespace; it is killed when the lab closes."""
        process = self.namespaces[namespace].popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
        self.defer(lambda: (process.kill(), process.wait()))
        return process

    def close(self):
        for cleanup in reversed(self.cleanups):
            with contextlib.suppress(Exception):
                cleanup()
        for ns in self.namespaces.values():
            subprocess.run(['ip', 'netns', 'del', ns.name], check=False)


def serve_iperf(lab, namespace):
    server = lab.start(namespace, 'iperf3 -s --forceflush')
    while 'listening' not in server.stdout.readline():
        pass


def iperf(namespace, address, options=''):
    """Gigabits per second received; an iperf3 server must run at `address`."""
    end = json.loads(namespace.sh(f'iperf3 -c {address} -J {options}', timeout=60))['end']
    return end.get('sum_received', end.get('sum'))['bits_per_second'] / 1e9


def ping(namespace, address, count, seconds, meanwhile=lambda: None):
    """Sends `count` echo requests, one every `seconds`, and returns what ping.py reports. `meanwhile` is called after
    the first tenth of them."""
    process = namespace.popen(f'{sys.executable} {HERE}/ping.py {address} {count} {seconds}', stdout=subprocess.PIPE)
    time.sleep(count * seconds / 10)
    meanwhile()
    return json.loads(process.communicate(timeout=60)[0])


def check(claim, truth, *seen):
    """Prints one line of the test's report; ends the test when the claim is false."""
    print(('ok   ' if truth else 'FAIL ') + claim, *seen, flush=True)
    if not truth:
        raise AssertionError(claim)


def skip(reason):
    print(f'skipped: {reason}')
    sys.exit(SKIPPED)


def run(test, needs=()):
    if os.geteuid() != 0:
        skip('needs root for network namespaces')
    for tool in ('ip', 'setpriv', *needs):
        if not shutil.which(tool):
            skip(f'needs {tool}')
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # a test that is terminated cleans up too
    lab = Lab()
    try:
        test(lab)
    except Exception:
        traceback.print_exc()
        sys.exit(1)
    finally:
        lab.close()
