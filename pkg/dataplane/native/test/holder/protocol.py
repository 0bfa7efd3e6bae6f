"""The local protocol for tests: netlink messages, encoded and decoded independently of the C++ code."""

import socket
import struct

REQUEST = 0x05  # NLM_F_REQUEST | NLM_F_ACK
NLMSG_ERROR = 2

HELLO, RTNL, RTNL_WATCH, RTNL_EVENT, NS_PIN, NS_UNPIN, NS_GET, SOURCES_CHECK, POD_PIN = range(0x20, 0x29)
UNDERLAY_SET, UNDERLAY_DEL, UNDERLAY_GET, PORT_SET, PORT_DEL, PORT_GET = range(0x30, 0x36)
CROSS_CONNECT_SET, CROSS_CONNECT_DEL, CROSS_CONNECT_GET, REHANDSHAKE, COUNTERS_GET, EVENT = range(0x36, 0x3C)
PREFACE, DIAL, POD_ADD, POD_DEL = range(0x40, 0x44)

FORMATS = {
    'version': (1, 'I'),
    'id': (2, 's'),
    'ns_dev': (3, 'Q'),
    'ns_ino': (4, 'Q'),
    'payload': (5, 'b'),
    'fd_patch': (6, 'n'),
    'patch_offset': (7, 'I'),
    'groups': (8, 'I'),
    'kind': (9, 'B'),
    'ifname': (10, 's'),
    'ifindex': (11, 'I'),
    'family': (12, 'B'),
    'address': (13, 'b'),
    'udp_port': (14, 'H'),
    'private_key': (15, 'b'),
    'port_a': (29, 's'),
    'port_b': (30, 's'),
    'event': (32, 'B'),
    'text': (33, 's'),
    'counter': (34, 'n'),
    'counter_name': (35, 's'),
    'counter_value': (36, 'Q'),
    'listener': (37, 's'),
    'connection': (38, 'Q'),
    'pid': (39, 'I'),
    'uid': (40, 'I'),
    'gid': (41, 'I'),
    'cgroup': (42, 's'),
    'url': (43, 's'),
    'engine_pid': (44, 'I'),
    'engine_restarts': (45, 'I'),
    'feature': (46, 's'),
    'build': (49, 's'),
    'pid_ns': (59, 'Q'),
    'user_ns': (60, 'Q'),
    'mount_ns': (61, 'Q'),
    'pod': (62, 's'),
    'account': (63, 's'),
    'nodes_own': (64, 'B'),
    'pod_namespace': (66, 's'),
    'pod_name': (67, 's'),
    'sandbox': (68, 's'),
    'requested_services': (69, 's'),
    'served_services': (70, 's'),
}
NAMES = {number: (name, form) for name, (number, form) in FORMATS.items()}


def attribute(number, value):
    padding = b'\0' * (-len(value) % 4)
    return struct.pack('=HH', 4 + len(value), number) + value + padding


def encode(fields):
    """`fields` is a list of (name, value); the value of a nested attribute is such a list itself."""
    out = b''
    for name, value in fields:
        number, form = FORMATS[name]
        if form == 's':
            value = value.encode()
        elif form == 'n':
            number, value = number | 0x8000, encode(value)
        elif form != 'b':
            value = struct.pack('=' + form, value)
        out += attribute(number, value)
    return out


def decode(data):
    out = []
    while data:
        length, number = struct.unpack_from('=HH', data)
        name, form = NAMES[number & 0x3FFF]
        value = data[4:length]
        data = data[(length + 3) & ~3 :]
        if form == 's':
            value = value.decode()
        elif form == 'n':
            value = decode(value)
        elif form != 'b':
            value = struct.unpack('=' + form, value)[0]
        out.append((name, value))
    return out


def message(kind, fields=(), sequence=1, flags=REQUEST):
    body = encode(fields)
    return struct.pack('=IHHII', 16 + len(body), kind, flags, sequence, 0) + body


def read_exactly(sock, size):
    data = b''
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            raise EOFError('the other side closed')
        data += more
    return data


class Refused(Exception):
    def __init__(self, error, text):
        super().__init__(f'{error}: {text}')
        self.error, self.text = error, text


def read_message(sock):
    """(type, sequence, fields); for an NLMSG_ERROR the fields are {'error', 'text'}."""
    header = read_exactly(sock, 16)
    length, kind, _, sequence, _ = struct.unpack('=IHHII', header)
    body = read_exactly(sock, ((length + 3) & ~3) - 16)
    if kind != NLMSG_ERROR:
        return kind, sequence, decode(body)
    error = -struct.unpack_from('=i', body)[0]
    text = body[24 : 24 + struct.unpack_from('=H', body, 20)[0] - 4].decode() if len(body) > 20 else ''
    return kind, sequence, [('error', error), ('text', text)]


class Control:
    """A connection to the control socket; keeps the events that arrive between answers."""

    def __init__(self, path, greet=True):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        try:
            self.sock.connect(path)
        except OSError:
            self.sock.close()
            raise
        self.sequence, self.events = 0, []
        if greet:
            self.hello = self.ask(HELLO, [('version', 1)])[0]

    def send(self, kind, fields=()):
        self.sequence += 1
        self.sock.sendall(message(kind, fields, self.sequence))
        return self.sequence

    def answer(self, sequence):
        replies = []
        while True:
            kind, number, fields = read_message(self.sock)
            if number == 0:
                self.events.append((kind, fields))
            elif kind == NLMSG_ERROR and number == sequence:
                error, text = fields[0][1], fields[1][1]
                if error:
                    raise Refused(error, text)
                return replies
            elif number == sequence:
                replies.append(fields)

    def ask(self, kind, fields=()):
        return self.answer(self.send(kind, fields))

    def event(self, wanted):
        """Waits for the first event for which `wanted(type, fields as dict)` holds."""
        while True:
            for at, (kind, fields) in enumerate(self.events):
                if wanted(kind, dict(fields)):
                    del self.events[at]
                    return dict(fields)
            kind, number, fields = read_message(self.sock)
            assert number == 0, f'message {kind} answers nothing'
            self.events.append((kind, fields))

    def counters(self, wanted='holder'):
        for reply in self.ask(COUNTERS_GET):
            if ('id', wanted) in reply:
                return {dict(c)['counter_name']: dict(c)['counter_value'] for name, c in reply if name == 'counter'}
        return {}

    def close(self):
        self.sock.close()
