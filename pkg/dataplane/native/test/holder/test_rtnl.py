"""rtnetlink requests that the holder forwards into namespaces: answers, patched descriptors, events, malformed
payloads."""

import os
import struct

from support import HolderTest, eventually, main
from protocol import NS_PIN, RTNL, RTNL_EVENT, RTNL_WATCH, SOURCES_CHECK, Refused, attribute

RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK = 16, 17, 18
CREATE_EXCL, DUMP = 0x600, 0x300
IFNAME, LINKINFO, NET_NS_FD, INFO_KIND, INFO_DATA, VETH_INFO_PEER = 3, 18, 28, 1, 2, 1
LINK_GROUP = 1
EINVAL, EEXIST, ENODEV, ENOENT, EOPNOTSUPP = 22, 17, 19, 2, 95


def rtnl(kind, body, flags=0, sequence=77):
    return struct.pack('=IHHII', 16 + len(body), kind, flags | 1, sequence, 0) + body


def ifinfo(attributes=b''):
    return bytes(16) + attributes


def name_of(name):
    return attribute(IFNAME, name.encode() + b'\0')


def link_name(body):
    """The IFLA_IFNAME of an RTM_NEWLINK message, given without its header."""
    body = body[16:]
    while body:
        length, number = struct.unpack_from('=HH', body)
        if number == IFNAME:
            return body[4 : length - 1].decode()
        body = body[(length + 3) & ~3 :]
    raise AssertionError('a link has a name')


def split(payloads):
    messages, data = [], b''.join(payloads)
    while data:
        length, kind = struct.unpack_from('=IH', data)
        messages.append((kind, data[16:length]))
        data = data[(length + 3) & ~3 :]
    return messages


class Rtnl(HolderTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in ('left', 'right'):
            cls.connect_from(cls.namespace(name))
            eventually('it is known', lambda name=name: cls.pin(name))

    @classmethod
    def pin(cls, name):
        try:
            return cls.control.ask(NS_PIN, [('id', name), *cls.namespace(name).id]) == []
        except Refused:
            return False

    def ask(self, namespace, payload, patches=()):
        fields = [*(namespace.id if namespace else []), ('payload', payload)]
        fields += [('fd_patch', [('patch_offset', offset), *target.id]) for offset, target in patches]
        replies = self.control.ask(RTNL, fields)
        return split([value for reply in replies for name, value in reply if name == 'payload'])

    def error(self, messages):
        kind, body = messages[-1]
        self.assertEqual(kind, 2)
        return -struct.unpack_from('=i', body)[0]

    def test_dump_is_complete(self):
        left = self.namespace('left')
        left.batch(f'link add many{at} type bridge' for at in range(100))
        messages = self.ask(left, rtnl(RTM_GETLINK, ifinfo(), DUMP))
        names = {link_name(body) for kind, body in messages[:-1]}
        self.assertGreater(len(names), 100)
        self.assertEqual(names, set(left.links()))
        self.assertEqual(messages[-1][0], 3, 'NLMSG_DONE ends it')

    def test_own_namespace_is_the_default(self):
        messages = self.ask(None, rtnl(RTM_GETLINK, ifinfo(name_of('lo'))))
        self.assertEqual([kind for kind, _ in messages], [RTM_NEWLINK, 2])

    def test_veth_between_two_namespaces_by_patched_descriptors(self):
        left, right = self.namespace('left'), self.namespace('right')
        ns_fd = attribute(NET_NS_FD, bytes(4))
        peer = attribute(VETH_INFO_PEER, ifinfo(name_of('veth-r') + ns_fd))
        info = attribute(LINKINFO, attribute(INFO_KIND, b'veth') + attribute(INFO_DATA, peer))
        message = rtnl(RTM_NEWLINK, ifinfo(name_of('veth-l') + ns_fd + info), CREATE_EXCL)
        first = message.index(ns_fd) + 4
        patches = [(first, left), (message.index(ns_fd, first) + 4, right)]
        self.assertEqual(self.error(self.ask(None, message, patches)), 0)
        self.assertIn('veth-l', left.links())
        self.assertIn('veth-r', right.links())
        self.assertEqual(self.error(self.ask(None, message, patches)), EEXIST)
        self.assertEqual(self.error(self.ask(left, rtnl(RTM_DELLINK, ifinfo(name_of('veth-l'))))), 0)
        self.assertNotIn('veth-r', right.links())

    def test_every_request_of_a_payload_is_answered(self):
        lo, missing = (rtnl(RTM_GETLINK, ifinfo(name_of(name)), sequence=at) for at, name in ((1, 'lo'), (2, 'none')))
        messages = self.ask(self.namespace('left'), lo + missing + lo)
        self.assertEqual([kind for kind, _ in messages], [RTM_NEWLINK, 2, 2, RTM_NEWLINK, 2])
        self.assertEqual(-struct.unpack_from('=i', messages[2][1])[0], ENODEV)

    def test_holder_is_back_in_its_own_namespace(self):
        self.ask(self.namespace('right'), rtnl(RTM_GETLINK, ifinfo(name_of('lo'))))
        self.assertEqual(os.stat(f'/proc/{self.holder.process.pid}/ns/net').st_ino, os.stat('/proc/self/ns/net').st_ino)

    def test_payloads_that_are_not_requests_are_refused(self):
        whole = rtnl(RTM_GETLINK, ifinfo(name_of('lo')))
        bad = [
            b'',
            whole[:15],
            whole[:-1],
            struct.pack('=I', 0xFFFFFFFF) + whole[4:],
            struct.pack('=I', 3) + whole[4:],
            struct.pack('=IHHII', 16, 2, 1, 1, 0),
        ]
        for payload in bad:
            with self.assertRaises(Refused) as caught:
                self.ask(None, payload)
            self.assertEqual(caught.exception.error, EINVAL)

    def test_patches_outside_the_payload_are_refused(self):
        payload = rtnl(RTM_GETLINK, ifinfo(name_of('lo')))
        left = self.namespace('left')
        for offset in (len(payload) - 3, len(payload), 2**32 - 4, 18):
            with self.assertRaises(Refused) as caught:
                self.ask(None, payload, [(offset, left)])
            self.assertIn('fdPatch', caught.exception.text)

    def test_patch_of_an_unknown_namespace_is_refused(self):
        stranger = self.namespace('stranger')
        with self.assertRaises(Refused) as caught:
            self.ask(None, rtnl(RTM_GETLINK, ifinfo(name_of('lo'))), [(0, stranger)])
        self.assertEqual(caught.exception.error, ENOENT)

    def test_sources_are_checked_by_one_table_however_often_it_is_asked_for(self):
        left = self.namespace('left')
        for _ in range(3):
            self.assertEqual(self.control.ask(SOURCES_CHECK, left.id), [])

    def test_sources_are_checked_in_known_namespaces_and_by_no_other_rule(self):
        left, stranger = self.namespace('left'), self.namespace('stranger')
        for fields, error in ((stranger.id, ENOENT), ([*left.id, ('payload', bytes(16))], EOPNOTSUPP)):
            with self.assertRaises(Refused) as caught:
                self.control.ask(SOURCES_CHECK, fields)
            self.assertEqual(caught.exception.error, error)

    def test_changes_are_reported_while_watched(self):
        left = self.namespace('left')
        self.control.ask(RTNL_WATCH, [*left.id, ('groups', 1 << (LINK_GROUP - 1))])
        left.run('ip', 'link', 'add', 'watched', 'type', 'bridge')
        event = self.control.event(lambda kind, event: kind == RTNL_EVENT and b'watched' in event['payload'])
        self.assertEqual((event['ns_dev'], event['ns_ino']), (left.dev, left.ino))
        self.control.ask(RTNL_WATCH, [*left.id, ('groups', 0)])
        self.control.events.clear()
        left.run('ip', 'link', 'del', 'watched')
        self.control.ask(RTNL, [('payload', rtnl(RTM_GETLINK, ifinfo(name_of('lo'))))])
        self.assertEqual(self.control.events, [])


if __name__ == '__main__':
    main()
