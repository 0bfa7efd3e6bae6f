#!/usr/bin/env python3
"""nsm-udp-load and nsm-round-trip over loopback: they report exactly what was sent."""

import json
import os
import socket
import struct
import subprocess
import sys

UDP_LOAD, ROUND_TRIP = sys.argv[1:3]


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(('127.0.0.1', 0))
        return str(probe.getsockname()[1])


def run(*command):
    return json.loads(subprocess.run(command, check=True, capture_output=True, timeout=20).stdout)


def wait_until_bound(port):
    wanted = f'0100007F:{int(port):04X}'
    while wanted not in open('/proc/net/udp', encoding='ascii').read():
        os.sched_yield()


def check(claim, holds):
    print(('ok    ' if holds else 'WRONG ') + claim)
    return holds


def report_of(port, packets):
    """The receiver's report on the given (trial, sequence) pairs, sent in this order."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.settimeout(5)
        sender.connect(('127.0.0.1', int(port)))
        for packet in packets:
            sender.send(struct.pack('=QQ', *packet))
        sender.send(struct.pack('=QQ', packets[0][0], 2**64 - 1))
        trial, received, duplicated, reordered, _, _ = struct.unpack('=6Q', sender.recv(64))
        return trial, received, duplicated, reordered


def check_load(port):
    to = ('--ip', '127.0.0.1', '--port', port, '--bytes', '64')
    sent = run(UDP_LOAD, 'send', *to, '--rate', '2000', '--seconds', '0.5', '--warm-up', '0.1')
    yield check('a trial without loss has none', sent['lost'] == 0 and sent['received'] == sent['sent'])
    yield check('the warm-up is not counted', sent['received'] <= sent['asked'] + 1)
    now = 2**62
    said = report_of(port, [(now, n) for n in (0, 1, 3, 2, 3, 7)])
    yield check('gaps are lost, twice is a duplicate, late is reordered', said == (now, 5, 1, 1))
    later = report_of(port, [(now + 1, 0), (now, 4), (now + 1, 1)])
    yield check('a late packet of an earlier trial counts for none', later == (now + 1, 2, 0, 0))


def check_round_trip(port):
    to = ('--ip', '127.0.0.1', '--port', port, '--seconds', '0.5')
    tcp = run(ROUND_TRIP, 'tcp', *to)
    yield check('transactions take the time that was asked', tcp['transactions'] > 0 and tcp['seconds'] >= 0.5)
    udp = run(ROUND_TRIP, 'udp', *to, '--rate', '100')
    answers = len(udp['microseconds'])
    yield check('every question is answered and timed', udp['asked'] == 50 and answers == 50)
    yield check('no answer is instant or later than loopback can be', all(0 < t < 5e5 for t in udp['microseconds']))


def main():
    servers, results = [], []
    try:
        for program, verb, checks in ((UDP_LOAD, 'receive', check_load), (ROUND_TRIP, 'serve', check_round_trip)):
            port = free_port()
            servers.append(subprocess.Popen([program, verb, '--ip', '127.0.0.1', '--port', port]))
            wait_until_bound(port)
            results += checks(port)
    finally:
        for server in servers:
            server.kill()
            server.wait()
    return 0 if all(results) else 1


if __name__ == '__main__':
    sys.exit(main())
