#!/usr/bin/env python3
"""A vxlan port of the engine against the kernel's vxlan device, in both directions, over IPv4 or IPv6."""

import array
import fcntl
import socket
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / 'engine'))

import lab
from engine import Device, Engine, family_of, packed
from lab import check, iperf, ping, serve_iperf

SIOCETHTOOL, ETHTOOL_STXCSUM = 0x8946, 0x17
VNI = 42
INNER = {'wa': ('10.0.0.1', 'fd00::1'), 'nb': ('10.0.0.2', 'fd00::2')}
MTU = 1420


def complete_packets(namespace, device):
    """Turns off checksum (and so segmentation) offload of `device`: on a veth there is no NIC that would complete
    packets."""
    with namespace.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        off = array.array('I', [ETHTOOL_STXCSUM, 0])
        fcntl.ioctl(sock, SIOCETHTOOL, struct.pack('16sP8x', device.encode(), off.buffer_info()[0]))


def address(namespace, device):
    four, six = INNER[namespace.name.rpartition('-')[2]]
    namespace.sh(f'ip addr add {four}/24 dev {device}')
    namespace.sh(f'ip addr add {six}/64 dev {device} nodad')


def build(world, ours, theirs):
    for name in ('wa', 'na', 'nb'):
        world.namespace(name)
    world.cable('na', 'nb')
    wa, nb = world.namespaces['wa'], world.namespaces['nb']
    nb.sh(f'ip link add vx type vxlan id {VNI} local {theirs} remote {ours} dstport 4789')
    nb.sh(f'ip link set vx mtu {MTU} up')
    complete_packets(nb, 'vx')
    engine, device = Engine(world), Device(wa, 'nsm-1', tap=True)
    wa.sh(f'ip link set nsm-1 mtu {MTU} up')
    address(nb, 'vx')
    address(wa, 'nsm-1')
    engine.set('underlay_set', world.namespaces['na'].udp(ours, 4789), id='u', kind=2, family=family_of(ours),
               address=packed(ours), udp_port=4789)  # fmt: skip
    engine.set('port_set', device, id='tap', kind=2, ifname='nsm-1')
    engine.set(
        'port_set', id='vx', kind=4, underlay='u', vni=VNI, peer_address=packed(theirs), peer_port=4789, mtu_bytes=MTU
    )
    engine.set('cross_connect_set', id='wire', port_a='tap', port_b='vx')


def vxlan_over(ours, theirs):
    def test(world):
        build(world, ours, theirs)
        for here, there in (('wa', 'nb'), ('nb', 'wa')):
            for inner in INNER[there]:
                seen = ping(world.namespaces[here], inner, 100, 0.005)
                check(f'100 pings to {inner}', seen['received'] == 100 and seen['duplicates'] == 0, seen)
        serve_iperf(world, 'nb')
        for inner in INNER['nb']:
            for name, options in (('there', '-t 1'), ('back', '-t 1 -R')):
                speed = iperf(world.namespaces['wa'], inner, options)
                check(f'iperf3 TCP {name} to {inner}', speed > 0.05, f'{speed:.2f} Gb/s')

    return test


NODES = {'ipv4': ('10.9.0.1', '10.9.0.2'), 'ipv6': ('fd09::1', 'fd09::2')}

if __name__ == '__main__':
    lab.run(vxlan_over(*NODES[sys.argv[1]]), needs=('iperf3',))
