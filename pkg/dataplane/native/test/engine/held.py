"""The real holder in a node's namespace and the engine that it starts; the test speaks to it as nsmd does."""

import os
import signal
import socket
import struct
import sys
import tempfile
import time

import frames
from engine import Engine, Refused
from lab import BINARY

CLIENT = "import signal, socket; s = socket.socket(socket.AF_UNIX); s.connect('{}'); signal.pause()"


class HeldEngine(Engine):
    def __init__(self, lab, work, node, options=''):
        self.journal, self.events, self.sequence = {}, [], 0
        directory = tempfile.TemporaryDirectory(prefix=lab.prefix)
        lab.defer(directory.cleanup)
        os.chmod(directory.name, 0o755)
        control, listen, dial, deliver = (
            f'{directory.name}/{name}' for name in ('control', 'listen', 'dial', 'deliver')
        )
        self.holder = lab.start(
            node, f'{BINARY} hold --control {control} --listen nsm={listen} --dial {dial} --deliver {deliver} {options}'
        )
        self.socket = self._connect(control)
        lab.start(work, [sys.executable, '-c', CLIENT.format(listen)])
        namespace = HeldDevice(lab.namespaces[work], '')
        self._eventually(lambda: self.ask('ns_pin', id='work', **namespace.place) == [])

    def _connect(self, path):
        sock = socket.socket(socket.AF_UNIX)
        self._eventually(lambda: sock.connect(path) is None)
        sock.settimeout(10)
        self.socket = sock
        self._eventually(lambda: self.pid)
        return sock

    @staticmethod
    def _eventually(claim, seconds=10):
        end = time.monotonic() + seconds
        while True:
            try:
                if claim():
                    return
            except (OSError, Refused):
                if time.monotonic() > end:
                    raise
            assert time.monotonic() < end
            time.sleep(0.01)

    @property
    def pid(self):
        """The engine's pid; 0 while no engine runs."""
        return self.ask('hello', version_attr=1)[0]['engine_pid'][0]

    def restart(self):
        """Kills the engine and waits until the holder has started a new one."""
        killed = self.pid
        os.kill(killed, signal.SIGKILL)
        self._eventually(lambda: self.pid not in (0, killed))

    def udp(self, namespace, address, port):
        return None  # the holder makes its own socket

    def _request(self, kind, attributes, fd=None):
        return super()._request(kind, attributes)

    def _receive(self):
        head = self.socket.recv(16, socket.MSG_WAITALL)
        if len(head) < 16:
            raise EOFError('the holder closed its socket')
        size = struct.unpack_from('=I', head)[0] + 3 & ~3
        return frames.read_message(head + self.socket.recv(size - 16, socket.MSG_WAITALL))


class HeldDevice:
    """A TUN device that the holder creates in a namespace."""

    tap = False

    def __init__(self, namespace, name):
        info = os.stat(f'/run/netns/{namespace.name}')
        self.place = {'ns_dev': info.st_dev, 'ns_ino': info.st_ino}
        self.namespace, self.name = namespace, name

    def up(self, address, mtu=1420):
        self.namespace.sh(f'ip link set {self.name} mtu {mtu} up')
        self.namespace.sh(f'ip addr add {address} dev {self.name}')
