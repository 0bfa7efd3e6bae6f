"""The engine dies: the holder restarts it and replays its journal, and the interfaces survive."""

import os
import signal

from support import HolderTest, eventually, main
from protocol import (
    EVENT,
    NS_PIN,
    PORT_DEL,
    PORT_GET,
    PORT_SET,
    REHANDSHAKE,
    UNDERLAY_SET,
    CROSS_CONNECT_SET,
    Control,
    Refused,
)

TUN, TAP = 1, 2
ENGINE_STARTED, ENGINE_DIED = 1, 2
EIO, EEXIST = 5, 17


class Engine(HolderTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.workload = cls.namespace('workload')
        cls.client = cls.connect_from(cls.workload)
        eventually('the workload is known', cls.pinned)

    @classmethod
    def pinned(cls):
        try:
            return cls.control.ask(NS_PIN, [('id', 'workload'), *cls.workload.id]) == []
        except Refused:
            return False

    def set_port(self, identifier, name, kind=TUN):
        self.control.ask(PORT_SET, [('id', identifier), ('kind', kind), *self.workload.id, ('ifname', name)])

    def index(self, name):
        return int(self.workload.run('ip', '-o', 'link', 'show', name).split(':')[0])

    def ports(self):
        return {dict(port)['id']: dict(port) for port in self.control.ask(PORT_GET)}

    def kill_engine(self):
        pid = eventually('an engine serves', self.holder.engine_pid)
        self.control.events.clear()
        os.kill(pid, signal.SIGKILL)
        died = self.control.event(lambda kind, event: kind == EVENT and event['event'] == ENGINE_DIED)
        self.assertEqual((died['engine_pid'], died['text']), (pid, 'killed by signal 9 (Killed)'))
        started = self.control.event(lambda kind, event: kind == EVENT and event['event'] == ENGINE_STARTED)
        self.assertNotEqual(started['engine_pid'], pid)
        return started

    def test_journal_is_replayed_in_order_after_a_restart(self):
        self.control.ask(CROSS_CONNECT_SET, [('id', 'a-wire'), ('port_a', 'p1'), ('port_b', 'p2')])
        self.set_port('b-port', 'nsm-b')
        self.control.ask(
            UNDERLAY_SET,
            [
                ('id', 'c-underlay'),
                ('kind', 1),
                ('family', 2),
                ('address', bytes(4)),
                ('udp_port', 0),
                ('private_key', bytes(32)),
            ],
        )
        index = self.index('nsm-b')
        starts = self.control.counters('engine')['starts']
        self.kill_engine()
        counters = self.control.counters('engine')
        self.assertLess(counters['order.c-underlay'], counters['order.b-port'])
        self.assertLess(counters['order.b-port'], counters['order.a-wire'])
        self.assertEqual([counters[f'descriptors.{name}'] for name in ('a-wire', 'b-port', 'c-underlay')], [0, 1, 1])
        self.assertEqual(counters['starts'], starts + 1, 'the state memory came with it')
        self.assertEqual(self.index('nsm-b'), index)
        self.assertEqual(self.ports()['b-port']['ifindex'], index)

    def test_engine_is_restarted_without_nsmd(self):
        self.set_port('alone', 'nsm-alone')
        pid = eventually('an engine serves', self.holder.engine_pid)
        self.control.close()
        os.kill(pid, signal.SIGKILL)
        eventually('another engine serves', lambda: self.holder.engine_pid() not in (0, pid))
        type(self).control = Control(self.holder.control_path)
        self.assertIn('alone', self.ports())

    def test_requests_wait_until_the_engine_is_back(self):
        os.kill(eventually('an engine serves', self.holder.engine_pid), signal.SIGKILL)
        self.set_port('patient', 'nsm-patient')
        self.assertIn('patient', self.ports())

    def test_engine_that_hangs_is_replaced(self):
        pid = eventually('an engine serves', self.holder.engine_pid)
        os.kill(pid, signal.SIGSTOP)
        self.set_port('hung', 'nsm-hung')
        self.assertNotEqual(self.holder.engine_pid(), pid)
        self.assertIn('hung', self.ports())

    def test_pending_request_is_repeated_after_a_crash(self):
        self.assertEqual(self.control.ask(REHANDSHAKE, [('id', 'poison-once')]), [])

    def test_request_that_keeps_killing_the_engine_fails(self):
        with self.assertRaises(Refused) as caught:
            self.control.ask(REHANDSHAKE, [('id', 'poison')])
        self.assertEqual(caught.exception.error, EIO)
        self.assertIn('died 3 times', caught.exception.text)
        self.assertNotIn('poison', self.ports(), 'and the next request is served')

    def test_removed_port_takes_its_interface_along_and_is_not_replayed(self):
        self.set_port('gone', 'nsm-gone')
        self.control.ask(PORT_DEL, [('id', 'gone')])
        eventually('the interface is gone', lambda: 'nsm-gone' not in self.workload.links())
        self.kill_engine()
        self.assertNotIn('gone', self.ports())

    def test_port_set_twice_keeps_its_interface(self):
        self.set_port('twice', 'nsm-twice')
        index = self.index('nsm-twice')
        self.set_port('twice', 'nsm-twice')
        self.assertEqual(self.index('nsm-twice'), index)
        with self.assertRaises(Refused) as caught:
            self.set_port('twice', 'nsm-other')
        self.assertEqual(caught.exception.error, EEXIST)

    def test_interface_that_the_workload_removed_is_created_again(self):
        self.set_port('again', 'nsm-again')
        self.workload.run('ip', 'link', 'del', 'nsm-again')
        self.set_port('again', 'nsm-again')
        self.assertEqual(self.index('nsm-again'), self.ports()['again']['ifindex'])

    def test_name_in_use_is_refused_and_left_alone(self):
        self.workload.run('ip', 'link', 'add', 'taken', 'type', 'veth', 'peer', 'name', 'taken2')
        self.workload.run('ip', 'tuntap', 'add', 'taken3', 'mode', 'tun')
        for name in ('taken', 'taken3', 'lo'):
            with self.assertRaises(Refused) as caught:
                self.set_port('taker', name)
            self.assertEqual(caught.exception.error, EEXIST)
            self.assertIn(f'interface {name} exists', caught.exception.text)
        self.assertTrue({'taken', 'taken3', 'lo'} <= set(self.workload.links()))

    def test_names_that_the_kernel_would_change_are_refused(self):
        for name in ('nsm%d', 'a/b', 'a b', '..'):
            with self.assertRaises(Refused) as caught:
                self.set_port('odd', name)
            self.assertIn('no interface name', caught.exception.text)

    def test_tap_carries_frames(self):
        self.set_port('frames', 'nsm-tap', TAP)
        self.assertIn('link/ether', self.workload.run('ip', 'link', 'show', 'nsm-tap'))
        self.assertIn('tun type tap', self.workload.run('ip', '-d', 'link', 'show', 'nsm-tap'))


if __name__ == '__main__':
    main()
