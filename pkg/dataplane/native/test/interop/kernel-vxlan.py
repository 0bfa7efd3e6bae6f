#!/usr/bin/env python3
"""A vxlan port of the engine and the kernel's vxlan device, both directions; and who is not the negotiated remote."""

import array
import fcntl
import socket
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / 'engine'))

import lab
from engine import Device, Engine, packed
from lab import check, iperf, ping, serve_iperf

SIOCETHTOOL, ETHTOOL_STXCSUM = 0x8946, 0x17
VNI = 42
BROADCAST = b'\xff' * 6 + b'\x02' * 6 + b'\x08\x06' + bytes(46)


def complete_packets(namespace, device):
    """Makes the kernel finish segments and checksums before `device`: on a veth no NIC behind it would."""
    with namespace.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        off = array.array('I', [ETHTOOL_STXCSUM, 0])
        fcntl.ioctl(sock, SIOCETHTOOL, struct.pack('16sP8x', device.encode(), off.buffer_info()[0]))


def build(world):
    for name in ('wa', 'na', 'nb'):
        world.namespace(name)
    world.cable('na', 'nb')
    nb = world.namespaces['nb']
    nb.sh('ip addr add 10.9.0.3/24 dev na')
    nb.sh(f'ip link add vx type vxlan id {VNI} local 10.9.0.2 remote 10.9.0.1 dstport 4789')
    nb.sh('ip addr add 10.0.0.2/24 dev vx')
    nb.sh('ip link set vx mtu 1450 up')
    complete_packets(nb, 'vx')
    engine, device = Engine(world), Device(world.namespaces['wa'], 'nsm-1', tap=True)
    device.up('10.0.0.1/24', mtu=1450)
    engine.set('underlay_set', world.namespaces['na'].udp('10.9.0.1', 4789), id='u', kind=2, family=socket.AF_INET,
               address=packed('10.9.0.1'), udp_port=4789)  # fmt: skip
    engine.set('port_set', device, id='tap', kind=2, ifname='nsm-1')
    engine.set('port_set', id='vx', kind=4, underlay='u', vni=VNI, peer_address=packed('10.9.0.2'), peer_port=4789,
               mtu_bytes=1450)  # fmt: skip
    engine.set('wire_set', id='wire', port_a='tap', port_b='vx')
    return engine


def vxlan(world):
    engine = build(world)
    for here, there in (('wa', '10.0.0.2'), ('nb', '10.0.0.1')):
        seen = ping(world.namespaces[here], there, 100, 0.005)
        check(f'100 pings from {here}', seen['received'] == 100 and seen['duplicates'] == 0, seen)
    serve_iperf(world, 'nb')
    for name, options in (('there', '-t 1'), ('back', '-t 1 -R')):
        check(f'iperf3 TCP {name}', (speed := iperf(world.namespaces['wa'], '10.0.0.2', options)) > 0.05, f'{speed:.2f} Gb/s')
    strangers(world, engine)


def strangers(world, engine):
    before = engine.counters('tap')['tx_packets']
    stranger = world.namespaces['nb'].udp('10.9.0.3', 5000)
    member = world.namespaces['nb'].udp('10.9.0.2', 5000)
    good = struct.pack('!II', 0x08000000, VNI << 8)
    for sender, header in ((stranger, good), (member, struct.pack('!II', 0x08000000, 43 << 8)),
                           (member, struct.pack('!II', 0x88000000, VNI << 8)), (member, good[:5])):  # fmt: skip
        for _ in range(5):
            sender.sendto(header + BROADCAST, ('10.9.0.1', 4789))
    member.sendto(good + BROADCAST, ('10.9.0.1', 4789))
    ping(world.namespaces['wa'], '10.0.0.2', 5, 0.01)  # time to arrive
    port, all_ports = engine.counters('vx'), engine.counters('engine')
    check("a stranger's frames are dropped", port['rx_unknown_remote'] == 5, port['rx_unknown_remote'])
    check('an unknown VNI is dropped', all_ports['rx_unknown_remote'] >= 5, all_ports['rx_unknown_remote'])
    check('other flags and short headers are dropped', all_ports['rx_malformed'] >= 5, all_ports['rx_malformed'])
    check('one frame of the remote, and the pings, arrived', engine.counters('tap')['tx_packets'] >= before + 6)


if __name__ == '__main__':
    lab.run(vxlan, needs=('iperf3',))
