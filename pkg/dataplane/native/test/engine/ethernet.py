#!/usr/bin/env python3
"""Two engines that carry Ethernet frames between TAP devices, inside WireGuard or VXLAN: every frame passes, the frames
of a flow are segmented and joined (TSO, GRO) at the TAPs, and anything that is not a frame is dropped and counted."""

import select
import socket
import struct
import sys
import time

import lab
from engine import Device, Engine, Keys, Refused, add_underlay, family_of, packed, prefix
from lab import check, iperf, ping, serve_iperf

WEST, EAST = ('10.0.0.1', 'fd00::1'), ('10.0.0.2', 'fd00::2')
NODES, NODES6 = ('10.9.0.1', '10.9.0.2'), ('fd09::1', 'fd09::2')
MTU = 1400  # fits an underlay MTU of 1500 with all headers, a VLAN tag and an outer IPv6 header included
VNI = 42
ETHERNET = 2
IPV4, LOCAL_EXPERIMENT = 0x0800, 0x88B5
VLAN_7 = struct.pack('!HH', 0x8100, 7)
UNWANTED = ('rx_malformed', 'rx_auth_failed', 'rx_replay', 'tx_malformed', 'tx_oversize', 'tx_refused', 'tx_blocked')


def wireguard(engine, namespace, nodes, keys):
    (ours, theirs), (own, other) = nodes, keys
    add_underlay(engine, namespace, ours, own)
    engine.set('port_set', id='net', kind=3, underlay='u', peer_responder_key=other.public, payload_kind=ETHERNET,
               peer_address=packed(theirs), peer_port=51820, aead=2, mtu_bytes=MTU)  # fmt: skip


def vxlan(engine, namespace, nodes, _):
    ours, theirs = nodes
    engine.set('underlay_set', engine.udp(namespace, ours, 4789), id='u', kind=2, family=family_of(ours),
               address=packed(ours), udp_port=4789)  # fmt: skip
    engine.set('port_set', id='net', kind=4, underlay='u', vni=VNI, peer_address=packed(theirs), peer_port=4789,
               mtu_bytes=MTU)  # fmt: skip


def build(world, add_network, nodes=NODES):
    for name in ('wa', 'na', 'nb', 'wb'):
        world.namespace(name)
    world.cable('na', 'nb')
    ns, keys, engines = world.namespaces, [Keys(), Keys()], []
    for i, (work, node, addresses) in enumerate((('wa', 'na', WEST), ('wb', 'nb', EAST))):
        engine, device = Engine(world), Device(ns[work], 'nsm-1', tap=True)
        add_network(engine, ns[node], (nodes[i], nodes[1 - i]), (keys[i], keys[1 - i]))
        engine.set('port_set', device, id='tap', kind=2, ifname='nsm-1')
        engine.set('cross_connect_set', id='wire', port_a='tap', port_b='net')
        device.up(f'{addresses[0]}/24', mtu=MTU)
        ns[work].sh(f'ip addr add {addresses[1]}/64 dev nsm-1 nodad')
        engines.append(engine)
    return engines


class Ends:
    """Packet sockets: raw frames into the near TAP, and whatever comes out of the far one."""

    def __init__(self, world):
        self.near, self.far = (self._open(world.namespaces[name]) for name in ('wa', 'wb'))

    @staticmethod
    def _open(namespace):
        with namespace.inside():
            sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        sock.setsockopt(263, 8, 1)  # SOL_PACKET, PACKET_AUXDATA: the kernel moves a VLAN tag there
        sock.bind(('nsm-1', 0))
        return sock

    def passes(self, frame):
        """Whether the frame comes out unchanged."""
        self.near.send(frame)
        end = time.monotonic() + 2
        while (left := end - time.monotonic()) > 0:
            if select.select([self.far], [], [], left)[0] and self._receive() == frame:
                return True
        return False

    def _receive(self):
        data, ancillary, _, _ = self.far.recvmsg(1 << 16, 256)
        for _, _, value in ancillary:  # struct tpacket_auxdata: put the tag back
            status, tag, protocol = struct.unpack_from('=I12xHH', value)
            if status & 0x10:  # TP_STATUS_VLAN_VALID
                return data[:12] + struct.pack('!HH', protocol, tag) + data[12:]
        return data


def frame(ethertype, payload, tag=b''):
    return b'\xff' * 6 + b'\x02' * 6 + tag + struct.pack('!H', ethertype) + payload


def everything_passes(world):
    for here, addresses in (('wa', EAST), ('wb', WEST)):
        for address in addresses:
            seen = ping(world.namespaces[here], address, 50, 0.005)
            check(f'50 pings to {address}', seen['received'] == 50 and seen['duplicates'] == 0, seen)
    neighbours = world.namespaces['wa'].sh('ip neigh show dev nsm-1')
    check(
        'ARP and IPv6 neighbour discovery have resolved the far end',
        all(a in neighbours for a in EAST),
        neighbours.split(),
    )
    ends = Ends(world)
    for claim, sent in (('a frame that is not IP', frame(LOCAL_EXPERIMENT, bytes(46))),
                        ('a frame with one byte of payload', frame(LOCAL_EXPERIMENT, b'x')),
                        ('the longest frame', frame(LOCAL_EXPERIMENT, bytes(MTU))),
                        ('the longest frame with a VLAN tag', frame(LOCAL_EXPERIMENT, bytes(MTU), VLAN_7)),
                        ('a frame that is not what its EtherType says', frame(IPV4, b'\x60' + bytes(45)))):  # fmt: skip
        check(f'{claim} passes', ends.passes(sent))


def received_by(world, name):
    return int(world.namespaces[name].sh('cat /sys/class/net/nsm-1/statistics/rx_packets'))


def bulk_moves(world, engines):
    serve_iperf(world, 'wb')
    for address in EAST:
        for name, options in (('TCP there', '-t 1'), ('TCP back', '-t 1 -R'), ('UDP there', '-t 1 -u -b 100M')):
            speed = iperf(world.namespaces['wa'], address, options)
            check(f'iperf3 {name} to {address} moves', speed > 0.05, f'{speed:.2f} Gb/s')
    delivered, joined = engines[1].counters('tap')['tx_packets'], received_by(world, 'wb')
    check('the engine joins frames before it writes them', delivered > 3 * joined, f'{delivered} in {joined}')
    segments, cut = engines[0].counters('net')['tx_packets'], engines[0].counters('tap')['rx_packets']
    check('the engine segments super-frames that it reads', segments > 3 * cut, f'{cut} into {segments}')
    drops = [{n: v for n, v in e.counters('net').items() if n in UNWANTED and v} for e in engines]
    check('no frame was dropped', drops == [{}, {}], drops)


def too_long(world, engines):
    """A TAP whose MTU is greater than the wire's: the frame is dropped, because Ethernet has no Packet Too Big."""
    world.namespaces['wa'].sh('ip link set nsm-1 mtu 1500')
    before = engines[0].counters('net')['tx_oversize']
    ends = Ends(world)
    ends.near.send(frame(LOCAL_EXPERIMENT, bytes(MTU + 1)))
    check('a frame that follows one that is too long passes', ends.passes(frame(LOCAL_EXPERIMENT, bytes(46))))
    check('  and the one that is too long is counted', engines[0].counters('net')['tx_oversize'] == before + 1)
    _, attributes, _ = engines[1].journal['port_set', 'net']
    engines[1].set('port_set', **{**attributes, 'mtu_bytes': 1000})
    before = engines[1].counters('net')['rx_malformed']
    ends.near.send(frame(LOCAL_EXPERIMENT, bytes(1005)))
    check(
        'what comes behind one that is too long for the far end passes', ends.passes(frame(LOCAL_EXPERIMENT, bytes(46)))
    )
    check('  and the receiving engine counts it', engines[1].counters('net')['rx_malformed'] == before + 1)


def refused(claim, engine, request, **attributes):
    try:
        engine.ask(request, **attributes)
        check(f'{claim} is refused', False)
    except Refused as error:
        check(f'{claim} is refused', True, error.text)


def payloads_do_not_mix(engine):
    keys = Keys()
    port = {'kind': 3, 'underlay': 'u', 'peer_responder_key': keys.public}
    check('port_get reports the payload kind', engine.session('net')['payload_kind'] == [ETHERNET])
    refused('an unknown payload kind', engine, 'port_set', id='x', payload_kind=3, **port)
    refused(
        'a prefix list on a port of payload ethernet',
        engine,
        'port_set',
        id='x',
        payload_kind=ETHERNET,
        local_prefix=prefix('10.0.0.1'),
        **port,
    )
    engine.ask('port_set', id='ip', **port)
    refused(
        'a cross-connect of a tap and a wireguard port of payload ip',
        engine,
        'cross_connect_set',
        id='y',
        port_a='tap',
        port_b='ip',
    )


def from_another_payload(world, engines):
    """A peer that sends IP packets although both sides agreed on frames."""
    _, attributes, _ = engines[0].journal['port_set', 'net']
    device = Device(world.namespaces['wa'], 'nsm-2')
    device.up('10.0.5.1/24')
    engines[0].ask('cross_connect_del', id='wire')
    ip = {**attributes, 'local_prefix': prefix('10.0.5.1'), 'remote_prefix': prefix('10.0.5.2')}
    del ip['payload_kind']
    engines[0].set('port_set', **ip)
    engines[0].set('port_set', device, id='tun', kind=1, ifname='nsm-2')
    engines[0].set('cross_connect_set', id='wire', port_a='tun', port_b='net')
    before = engines[1].counters('net')['rx_malformed']
    ping(world.namespaces['wa'], '10.0.5.2', 5, 0.01)
    check('IP packets are counted as malformed frames', engines[1].counters('net')['rx_malformed'] == before + 5)


def restarts(world, engines):
    engines[1].restart()
    seen = ping(world.namespaces['wa'], EAST[0], 20, 0.02)
    check('frames pass after an engine restart', seen['received'] >= 18, seen)


def over_ipv6(add_network):
    def test(world):
        engines = build(world, add_network, NODES6)
        everything_passes(world)
        bulk_moves(world, engines)

    return test


def inside_vxlan(world):
    engines = build(world, vxlan)
    everything_passes(world)
    bulk_moves(world, engines)
    too_long(world, engines)


def inside_wireguard(world):
    engines = build(world, wireguard)
    everything_passes(world)
    bulk_moves(world, engines)
    payloads_do_not_mix(engines[0])
    restarts(world, engines)
    too_long(world, engines)
    from_another_payload(world, engines)


if __name__ == '__main__':
    tests = {'vxlan': inside_vxlan, 'wireguard': inside_wireguard, 'vxlan-over-ipv6': over_ipv6(vxlan),
             'wireguard-over-ipv6': over_ipv6(wireguard)}  # fmt: skip
    lab.run(tests[sys.argv[1]], needs=('iperf3', 'wg'))
