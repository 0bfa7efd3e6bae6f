"""The control socket: the hello exchange, requests that are refused with a reason, and malformed messages."""

import os
import random
import socket
import struct
import subprocess

from support import HolderTest, eventually, main
from protocol import (
    COUNTERS_GET,
    HELLO,
    NS_GET,
    NS_PIN,
    NS_UNPIN,
    PORT_SET,
    RTNL,
    UNDERLAY_SET,
    Control,
    Refused,
    encode,
    message,
    read_message,
)

EPERM, ENOENT, EINVAL, EOPNOTSUPP, EPROTO, EPROTONOSUPPORT, EADDRINUSE = 1, 2, 22, 95, 71, 93, 98
LOCALHOST = bytes([127, 0, 0, 1])


def underlay(identifier, port, address=LOCALHOST):
    return [
        ('id', identifier),
        ('kind', 1),
        ('family', 2),
        ('address', address),
        ('udp_port', port),
        ('private_key', bytes(32)),
    ]


class ControlSocket(HolderTest):
    def refused(self, kind, fields, error, text, control=None):
        with self.assertRaises(Refused) as caught:
            (control or self.control).ask(kind, fields)
        self.assertEqual(caught.exception.error, error, caught.exception)
        self.assertIn(text, caught.exception.text)

    def test_hello_reports_version_engine_and_features(self):
        hello = self.control.hello
        features = [value for name, value in hello if name == 'feature']
        self.assertEqual(dict(hello)['version'], 1)
        self.assertIn('fake=on', features)
        self.assertIn('tun_tso=on', features)
        self.assertTrue(any(feature.startswith('tun_uso=') for feature in features))

    def test_hello_comes_first_and_speaks_the_same_version(self):
        control = Control(self.holder.control_path, greet=False)
        self.refused(NS_GET, [], EPROTO, 'kHello', control)
        self.refused(HELLO, [('version', 2)], EPROTONOSUPPORT, 'same release', control)
        control.close()

    def test_unknown_messages_and_attributes_are_refused(self):
        self.refused(0x7F, [], EOPNOTSUPP, 'message type 127')
        self.refused(NS_GET, [('text', 'x')], EOPNOTSUPP, 'text')
        self.refused(NS_PIN, [('id', 'a')], EINVAL, 'nsDev is missing')
        self.refused(NS_PIN, [('id', 'a/b'), ('ns_dev', 1), ('ns_ino', 2)], EINVAL, 'A-Z')
        self.refused(COUNTERS_GET, [('id', 'x' * 65)], EINVAL, '65 bytes')

    def test_unknown_namespace_is_refused(self):
        unknown = [('ns_dev', 4), ('ns_ino', 1)]
        self.refused(NS_PIN, [('id', 'a'), *unknown], ENOENT, 'inode://4/1 is not known')
        self.refused(PORT_SET, [('id', 'p'), ('kind', 1), *unknown, ('ifname', 'x')], ENOENT, 'is not known')
        self.refused(RTNL, [*unknown, ('payload', b'')], ENOENT, 'is not known')

    def test_port_in_the_holders_own_namespace_is_refused(self):
        info = os.stat('/proc/self/ns/net')
        own = [('ns_dev', info.st_dev), ('ns_ino', info.st_ino)]
        self.refused(PORT_SET, [('id', 'p'), ('kind', 1), *own, ('ifname', 'nsm-own')], EPERM, 'own network namespace')

    def test_pin_keeps_a_namespace_reachable(self):
        namespace = self.namespace('pinned')
        client = self.connect_from(namespace)
        eventually('the namespace is known', lambda: self.try_pin('pin-1', namespace))
        client.kill()
        self.try_pin('pin-2', namespace)
        pins = [dict(pin)['id'] for pin in self.control.ask(NS_GET)]
        self.assertEqual(pins, ['pin-1', 'pin-2'])
        self.assertTrue(self.try_pin('pin-1', namespace), 'the same pin again is fine')
        for pin in pins:
            self.control.ask(NS_UNPIN, [('id', pin)])
        self.control.ask(NS_UNPIN, [('id', 'never')])
        eventually('the namespace is forgotten', lambda: not self.is_known(namespace))

    def test_pinned_namespace_lets_anybody_open_ping_sockets(self):
        namespace = self.namespace('pings')
        self.connect_from(namespace)
        self.assertFalse(self.can_ping(namespace))
        eventually('it is pinned', lambda: self.try_pin('pings-1', namespace))
        self.assertTrue(self.can_ping(namespace))
        self.try_pin('pings-2', namespace)
        self.control.ask(NS_UNPIN, [('id', 'pings-1')])
        self.assertTrue(self.can_ping(namespace))
        self.control.ask(NS_UNPIN, [('id', 'pings-2')])
        self.assertFalse(self.can_ping(namespace), 'as it was before')

    def test_pinned_namespace_keeps_the_range_of_ping_sockets_that_somebody_chose(self):
        namespace = self.namespace('chosen')
        self.connect_from(namespace)
        for before, after in (('7\t9', '7\t9'), ('0\t9', '0\t9')):
            self.ping_range(namespace, before)
            eventually('it is pinned', lambda: self.try_pin('chosen', namespace))
            self.assertEqual(self.ping_range(namespace), after)
            self.control.ask(NS_UNPIN, [('id', 'chosen')])
            self.assertEqual(self.ping_range(namespace), after)
        self.ping_range(namespace, '1\t0')
        self.try_pin('chosen', namespace)
        self.ping_range(namespace, '0\t7')  # by its owner, while it is pinned
        self.control.ask(NS_UNPIN, [('id', 'chosen')])
        self.assertEqual(self.ping_range(namespace), '0\t7')

    def ping_range(self, namespace, value=None):
        name = 'net.ipv4.ping_group_range'
        return namespace.run('sysctl', '-n', *([name] if value is None else ['-w', f'{name}={value}'])).strip()

    def can_ping(self, namespace):
        ping = 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)'
        unprivileged = ['setpriv', '--reuid=1000', '--regid=1000', '--clear-groups', '--bounding-set=-all']
        try:
            namespace.run(*unprivileged, 'python3', '-c', ping)
            return True
        except subprocess.CalledProcessError:
            return False

    def is_known(self, namespace):
        known = self.try_pin('probe', namespace)
        self.control.ask(NS_UNPIN, [('id', 'probe')])
        return known

    def try_pin(self, identifier, namespace):
        try:
            self.control.ask(NS_PIN, [('id', identifier), *namespace.id])
            return True
        except Refused as refused:
            self.assertEqual(refused.error, ENOENT)
            return False

    def test_underlay_binds_reports_its_port_and_keeps_it(self):
        port = dict(self.control.ask(UNDERLAY_SET, underlay('u1', 0))[0])['udp_port']
        self.assertNotEqual(port, 0)
        self.assertEqual(dict(self.control.ask(UNDERLAY_SET, underlay('u1', 0))[0])['udp_port'], port)
        self.refused(UNDERLAY_SET, underlay('u2', port), EADDRINUSE, 'another program uses it')
        self.refused(UNDERLAY_SET, underlay('u3', 0, bytes(16)), EINVAL, 'does not fit the family')
        self.refused(UNDERLAY_SET, underlay('u3', 0, bytes([192, 0, 2, 1])), 99, 'not on this node')

    def test_underlay_moves_and_leaves_its_former_port(self):
        port = dict(self.control.ask(UNDERLAY_SET, underlay('u1', 0))[0])['udp_port']
        every = bytes(4)
        for address in (every, LOCALHOST):  # the same port, at addresses that contain each other
            self.assertEqual(dict(self.control.ask(UNDERLAY_SET, underlay('u1', port, address))[0])['udp_port'], port)
            self.refused(UNDERLAY_SET, underlay('u2', port), EADDRINUSE, 'another program uses it')
        self.refused(UNDERLAY_SET, underlay('u1', 0, bytes([192, 0, 2, 1])), 99, 'not on this node')
        self.control.ask(UNDERLAY_SET, underlay('u1', 40124))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            eventually('the former port is free', lambda: self.can_bind(free, port))

    def test_refusal_of_the_engine_is_passed_on_and_undone(self):
        self.refused(UNDERLAY_SET, underlay('refused', 40123), EINVAL, 'this id is refused')
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            eventually('the port is free again', lambda: self.can_bind(free, 40123))

    def can_bind(self, sock, port):
        try:
            sock.bind(('127.0.0.1', port))
            return True
        except OSError:
            return False

    def test_counters_are_reported_for_all_objects_or_one(self):
        told = [
            [value for reply in self.control.ask(COUNTERS_GET, fields) for name, value in reply if name == 'id']
            for fields in ([], [('id', 'holder')])
        ]
        self.assertEqual(told, [['holder', 'engine'], ['holder']])

    def test_answers_carry_the_sequence_number_of_their_request(self):
        first, second = self.control.send(COUNTERS_GET), self.control.send(NS_GET)
        answers = [read_message(self.control.sock)[1] for _ in range(4)]
        self.assertEqual(sorted(set(answers)), [first, second])

    def test_every_truncation_leaves_the_holder_serving(self):
        whole = message(UNDERLAY_SET, underlay('t', 0))
        for size in range(len(whole)):
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(self.holder.control_path)
            sock.sendall(message(HELLO, [('version', 1)]) + whole[:size])
            sock.close()
        self.assertIn('connections', self.control.counters())

    def test_wrong_lengths_are_refused(self):
        before = self.control.counters()['malformed']
        for length in (0, 15, 65537, 0xFFFFFFFF):
            sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(10)
            sock.connect(self.holder.control_path)
            sock.sendall(struct.pack('=IHHII', length, HELLO, 5, 1, 0))
            self.assertEqual(sock.recv(1), b'', 'the connection is closed')
            sock.close()
        self.assertEqual(self.control.counters()['malformed'], before + 4)

    def test_random_attributes_leave_the_holder_serving(self):
        rng = random.Random(1)
        control = Control(self.holder.control_path)
        body = encode(underlay('r', 0))
        for _ in range(2000):
            damaged = bytearray(body)
            for _ in range(3):
                damaged[rng.randrange(len(damaged))] = rng.randrange(256)
            kind = rng.choice([UNDERLAY_SET, PORT_SET, NS_PIN, RTNL, COUNTERS_GET])
            control.sequence += 1
            header = struct.pack('=IHHII', 16 + len(damaged), kind, 5, control.sequence, 0)
            control.sock.sendall(header + damaged)
            try:
                control.answer(control.sequence)
            except Refused as refused:
                self.assertNotEqual(refused.text, '')
        control.close()


if __name__ == '__main__':
    main()
