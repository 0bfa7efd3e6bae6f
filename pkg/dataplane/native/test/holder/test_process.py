"""The privileges of the holder's processes, and how they start and end."""

import os
import signal
import socket
import subprocess
import unittest

from support import Holder, PROGRAM, eventually, main
from protocol import Control

HOLDER_CAPABILITIES = 1 << 12 | 1 << 21 | 1 << 19  # NET_ADMIN, SYS_ADMIN, SYS_PTRACE


def status_of(pid):
    with open(f'/proc/{pid}/status') as file:
        return dict(line.rstrip('\n').split(':\t', 1) for line in file if ':\t' in line)


class Process(unittest.TestCase):
    def setUp(self):
        self.holder = Holder()
        self.stopped = False
        self.addCleanup(lambda: self.stopped or self.holder.stop())

    def stop(self):
        self.stopped = True
        return self.holder.stop()

    def test_holder_keeps_exactly_three_capabilities(self):
        status = status_of(self.holder.process.pid)
        for name in ('CapPrm', 'CapEff', 'CapBnd'):
            self.assertEqual(int(status[name], 16), HOLDER_CAPABILITIES, name)
        for name in ('CapInh', 'CapAmb'):
            self.assertEqual(int(status[name], 16), 0, name)
        self.assertEqual(status['NoNewPrivs'], '1')

    def test_engine_and_spawner_have_no_capability_and_another_user(self):
        engine = self.holder.engine_pid()
        for pid in (engine, int(status_of(engine)['PPid'])):
            status = status_of(pid)
            for name in ('CapPrm', 'CapEff', 'CapBnd', 'CapInh', 'CapAmb'):
                self.assertEqual(int(status[name], 16), 0, name)
            self.assertEqual(status['Uid'].split(), ['65533'] * 4)
            self.assertEqual(status['Gid'].split(), ['65533'] * 4)
            self.assertEqual(status['Groups'].strip(), '')
            self.assertEqual(status['NoNewPrivs'], '1')

    def test_engine_has_only_its_descriptors(self):
        engine = self.holder.engine_pid()
        self.assertEqual(sorted(map(int, os.listdir(f'/proc/{engine}/fd'))), [0, 1, 2, 3, 4])

    def test_holder_locks_its_memory_and_cannot_be_dumped(self):
        pid = self.holder.process.pid
        if not os.environ.get('NSM_SANITIZE'):  # sanitizers disable mlock
            self.assertGreater(int(status_of(pid)['VmLck'].split()[0]), 16 * 1024)
        with open(f'/proc/{pid}/limits') as limits:
            core = next(line for line in limits if line.startswith('Max core file size'))
        self.assertEqual(core.split()[4:6], ['0', '0'])
        self.assertEqual(os.stat(f'/proc/{pid}/environ').st_uid, 0)

    def test_sockets_have_their_modes_and_owners(self):
        for path, mode, owner in (
            (self.holder.control_path, 0o600, 65532),
            (self.holder.dial_path, 0o600, 65532),
            (self.holder.workload_path, 0o666, 0),
        ):
            info = os.stat(path)
            self.assertEqual((info.st_mode & 0o777, info.st_uid, info.st_gid), (mode, owner, owner), path)

    def test_sigterm_ends_all_processes_and_removes_the_sockets(self):
        engine = self.holder.engine_pid()
        spawner = int(status_of(engine)['PPid'])
        path = self.holder.control_path
        self.assertEqual(self.stop(), 0)
        self.assertFalse(os.path.exists(path))
        for pid in (engine, spawner):
            eventually(f'{pid} ended', lambda pid=pid: not os.path.exists(f'/proc/{pid}'))

    def test_engine_dies_with_a_killed_holder(self):
        engine = self.holder.engine_pid()
        self.holder.process.kill()
        self.holder.process.wait()
        eventually('the engine ended', lambda: not os.path.exists(f'/proc/{engine}'))

    def test_holder_ends_when_its_spawner_dies(self):
        os.kill(int(status_of(self.holder.engine_pid())['PPid']), signal.SIGKILL)
        self.assertEqual(self.holder.process.wait(timeout=10), 1)
        self.assertIn('the spawner ended', self.holder.output())

    def test_second_holder_is_refused_and_stale_socket_is_replaced(self):
        second = subprocess.run(self.holder.command, capture_output=True, text=True, timeout=10)
        self.assertEqual(second.returncode, 1)
        self.assertIn(f'another nsm-dataplane is serving {self.holder.control_path}; stop it first', second.stderr)
        self.assertNotEqual(self.holder.engine_pid(), 0, 'the first one still serves')
        self.holder.process.kill()
        self.holder.process.wait()
        self.holder.process = subprocess.Popen(self.holder.command, stderr=self.holder.log)
        eventually('the next one serves', lambda: self.holder.engine_pid())

    def test_file_that_is_not_a_socket_is_left_alone(self):
        path = os.path.join(self.holder.directory, 'file')
        with open(path, 'w') as file:
            file.write('precious')
        other = subprocess.run([PROGRAM, 'hold', '--control', path], capture_output=True, text=True, timeout=10)
        self.assertEqual(other.returncode, 1)
        self.assertIn('is not a socket', other.stderr)
        self.assertEqual(os.path.getsize(path), 8)

    def test_other_users_may_not_control_the_holder(self):
        os.chmod(self.holder.control_path, 0o666)
        child = os.fork()
        if child == 0:
            os.setresuid(1234, 1234, 1234)
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(self.holder.control_path)
            os._exit(0 if sock.recv(1) == b'' else 1)
        self.assertEqual(os.waitpid(child, 0)[1], 0, 'the connection is closed at once')
        control = Control(self.holder.control_path)
        self.assertEqual(control.counters()['refused_peer'], 1)
        control.close()


if __name__ == '__main__':
    main()
