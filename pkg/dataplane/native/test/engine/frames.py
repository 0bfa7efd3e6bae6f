"""The local protocol for tests: builds and parses netlink messages; the numbers come from protocol.h, by name."""

import re
import struct
from pathlib import Path

HEADER = Path(__file__).resolve().parents[2] / 'protocol' / 'protocol.h'


def _enum(name):
    """One enum of protocol.h as {name: value}; kSomeName becomes some_name."""
    code = re.sub(r'//.*', '', HEADER.read_text())
    body = re.search(rf'enum {name} :[^{{]*{{([^}}]*)}}', code).group(1)
    found = re.findall(r'\bk(\w+) = (0x[0-9a-f]+|\d+)\b', body)
    return {re.sub(r'(?<=[a-z0-9])(?=[A-Z])', '_', name).lower(): int(value, 0) for name, value in found}


MESSAGES, ATTRIBUTES = _enum('Message'), _enum('Attribute')
EVENTS, STATES = _enum('EventKind'), _enum('SessionState')
FORMATS = {
    'version_attr': 'I', 'ns_dev': 'Q', 'ns_ino': 'Q', 'engine_pid': 'I', 'engine_restarts': 'I', 'ifindex': 'I',
    'kind': 'B', 'family': 'B', 'udp_port': 'H', 'peer_port': 'H', 'aead': 'B', 'roaming': 'B',
    'keepalive_seconds': 'H', 'payload_kind': 'B', 'vni': 'I', 'mtu_bytes': 'I', 'event_kind': 'B',
    'counter_value': 'Q', 'session_state': 'B', 'handshake_age_ms': 'Q', 'probe_messages': 'B', 'link_verdict': 'B',
    'session_verdict': 'B',
    'rtt_us': 'I', 'jitter_us': 'I', 'loss_ppm': 'I', 'probes_sent': 'Q', 'probes_lost': 'Q',
}  # fmt: skip
TEXTS = {'id', 'underlay', 'port_a', 'port_b', 'ifname', 'feature', 'text', 'counter_name'}
NLMSG_ERROR, NLM_F_REQUEST = 2, 1


def attribute(name, value):
    if name in FORMATS:
        value = struct.pack('=' + FORMATS[name], value)
    elif isinstance(value, str):
        value = value.encode()
    raw = struct.pack('=HH', len(value) + 4, ATTRIBUTES[name]) + value
    return raw + bytes(-len(raw) % 4)


def message(kind, sequence, attributes):
    """`attributes` maps a name to a value, or to a list of values for a repeated attribute."""
    body = b''
    for name, value in attributes.items():
        for one in value if isinstance(value, list) else [value]:
            body += attribute(name, one)
    return struct.pack('=IHHII', len(body) + 16, MESSAGES[kind], NLM_F_REQUEST, sequence, 0) + body


def read_attributes(body):
    by_number = {number: name for name, number in ATTRIBUTES.items()}
    found = {}
    while len(body) >= 4:
        length, number = struct.unpack_from('=HH', body)
        name, value = by_number.get(number & 0x3FFF, number), body[4:length]
        body = body[length + 3 & ~3 :]
        if name in FORMATS:
            value = struct.unpack('=' + FORMATS[name], value)[0]
        elif name in TEXTS:
            value = value.decode()
        elif name == 'counter':
            value = read_attributes(value)
        found.setdefault(name, []).append(value)
    return found


def read_message(data):
    """Returns (type, sequence, attributes), or (NLMSG_ERROR, sequence, (errno, text))."""
    _, kind, flags, sequence, _ = struct.unpack_from('=IHHII', data)
    if kind != NLMSG_ERROR:
        return kind, sequence, read_attributes(data[16:])
    error = -struct.unpack_from('=i', data, 16)[0]
    text = data[16 + 20 + 4 :].rstrip(b'\0').decode() if len(data) > 40 else ''
    return kind, sequence, (error, text)
