"""An engine for which the test acts as the holder: it passes the descriptors, sends the requests, and can restart the
engine with the same objects."""

import base64
import fcntl
import ipaddress
import os
import signal
import socket
import struct
import time

import frames
from lab import BINARY, sh

STATE_BYTES = 64 << 20
NOBODY = ['setpriv', '--reuid=65533', '--regid=65533', '--clear-groups', '--inh-caps=-all', '--bounding-set=-all']
TUNSETIFF, TUNSETOFFLOAD, TUNSETVNETHDRSZ = 0x400454CA, 0x400454D0, 0x400454D8
IFF_TUN, IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 1, 2, 0x1000, 0x4000
OFFLOADS = 0x01 | 0x02 | 0x04 | 0x20 | 0x40  # checksum, TSO4, TSO6, USO4, USO6


class Refused(Exception):
    def __init__(self, error, text):
        super().__init__(f'{error}: {text}')
        self.error, self.text = error, text


def packed(address):
    return ipaddress.ip_address(address).packed


def prefix(text):
    network = ipaddress.ip_network(text)
    return bytes([family_of(text), network.prefixlen]) + network.network_address.packed


class Engine:
    def __init__(self, lab):
        self.journal, self.events, self.sequence = {}, [], 0
        self.state = os.memfd_create('state', os.MFD_CLOEXEC)
        os.ftruncate(self.state, STATE_BYTES)
        self.start()
        lab.defer(self.kill)

    def start(self):
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        control, state = fcntl.fcntl(theirs, fcntl.F_DUPFD, 100), fcntl.fcntl(self.state, fcntl.F_DUPFD, 100)
        actions = [(os.POSIX_SPAWN_DUP2, control, 3), (os.POSIX_SPAWN_DUP2, state, 4)]
        actions += [(os.POSIX_SPAWN_CLOSE, control), (os.POSIX_SPAWN_CLOSE, state)]
        self.pid = os.posix_spawnp('setpriv', [*NOBODY, BINARY, 'engine'], os.environ, file_actions=actions)
        for fd in (control, state):
            os.close(fd)
        theirs.close()
        self.socket.settimeout(10)
        kind, _, self.hello = self._receive()
        assert kind == frames.MESSAGES['hello'], kind
        for kind, attributes, fd in self.journal.values():
            self._request(kind, attributes, fd)
        self._request('hello', {'version_attr': 1})

    def kill(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.socket.close()
            self.pid = 0

    def restart(self):
        self.kill()
        self.start()

    def udp(self, namespace, address, port):
        return namespace.udp(address, port)

    def set(self, request, fd=None, **attributes):
        """Sends a set request, and keeps it (with its descriptor) for the next restart."""
        attributes = {name: value for name, value in attributes.items() if value is not None}
        self._request(request, attributes, fd)
        self.journal[request, attributes['id']] = request, attributes, fd

    def ask(self, request, **attributes):
        return self._request(request, attributes)

    def counters(self, id):
        for reply in self.ask('counters_get'):
            if reply['id'] == [id]:
                return {c['counter_name'][0]: c['counter_value'][0] for c in reply['counter']}
        raise KeyError(id)

    def session(self, id):
        return self.ask('port_get', id=id)[0]

    def wait_event(self, name, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.ask('port_get')
            for event in self.events:
                if event['event_kind'] == [frames.EVENTS[name]]:
                    self.events.remove(event)
                    return event
            time.sleep(0.01)
        raise TimeoutError(name)

    def _request(self, kind, attributes, fd=None):
        self.sequence += 1
        data = frames.message(kind, self.sequence, attributes)
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack('=i', fd.fileno()))] if fd else []
        self.socket.sendmsg([data], rights)
        replies = []
        while True:
            got, sequence, body = self._receive()
            if sequence != self.sequence:
                self.events.append(body)
            elif got != frames.NLMSG_ERROR:
                replies.append(body)
            elif body[0] != 0:
                raise Refused(*body)
            else:
                return replies

    def _receive(self):
        data = self.socket.recv(1 << 16)
        if not data:
            raise EOFError('the engine closed its socket')
        return frames.read_message(data)


class Device:
    """A TUN or TAP device in a namespace, created the way the holder does."""

    place = {}  # the namespace attributes that a real holder would need

    def __init__(self, namespace, name, tap=False):
        flags = (IFF_TAP if tap else IFF_TUN) | IFF_NO_PI | IFF_VNET_HDR
        with namespace.inside():  # the device is created in the namespace in which the file was opened
            self.file = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(self.file, TUNSETIFF, struct.pack('16sH22x', name.encode(), flags))
        fcntl.ioctl(self.file, TUNSETOFFLOAD, OFFLOADS)
        fcntl.ioctl(self.file, TUNSETVNETHDRSZ, struct.pack('i', 10))
        self.namespace, self.name, self.tap = namespace, name, tap

    def fileno(self):
        return self.file

    def up(self, address, mtu=1420):
        self.namespace.sh(f'ip link set {self.name} mtu {mtu} up')
        self.namespace.sh(f'ip addr add {address} dev {self.name}')


class Keys:
    def __init__(self):
        self.private_text = sh('wg genkey').strip()
        self.public_text = sh('wg pubkey', input=self.private_text).strip()
        self.private, self.public = map(base64.b64decode, (self.private_text, self.public_text))


def family_of(address):
    return socket.AF_INET6 if ':' in address else socket.AF_INET


def add_underlay(engine, namespace, address, keys, port=51820):
    engine.set('underlay_set', engine.udp(namespace, address, port), id='u', kind=1, family=family_of(address),
               address=packed(address), udp_port=port, private_key=keys.private)  # fmt: skip


def add_wire(engine, device, local, remote, peer, **more):
    """A tun or tap port, a wireguard port and the cross-connect that joins them. `local` and `remote` are the inner
    addresses."""
    carried = {'local_prefix': prefix(local), 'remote_prefix': prefix(remote), 'mtu_bytes': 1420}
    if device.tap:
        carried = {'payload_kind': 2, 'mtu_bytes': 1400}
    engine.set('port_set', device, id=f'tun-{local}', kind=2 if device.tap else 1, ifname=device.name, **device.place)
    engine.set('port_set', id=f'wg-{local}', kind=3, underlay='u', peer_responder_key=peer.public, **carried, **more)
    engine.set('cross_connect_set', id=f'wire-{local}', port_a=f'tun-{local}', port_b=f'wg-{local}')
