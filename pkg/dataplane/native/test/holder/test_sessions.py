"""Local connections: their attestation, their bytes, and the descriptors they pass."""

import hashlib
import os
import signal
import socket
import threading
import time

from support import Deliver, HolderTest, eventually, main, make_user_namespace
from protocol import EVENT, PREFACE, Control, read_exactly, read_message

CLIENT_GONE = 5


class Sessions(HolderTest):
    options = ('--max-connections-per-account', '200')

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.deliver = Deliver(cls.holder.deliver_path)
        cls.addClassCleanup(cls.deliver.close)

    def connect(self):
        """A connection of this process, and nsmd's end of it after the preface."""
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(10)
        client.connect(self.holder.workload_path)
        daemon = self.deliver.accept()
        kind, sequence, fields = read_message(daemon)
        self.assertEqual((kind, sequence), (PREFACE, 0))
        self.addCleanup(client.close)
        self.addCleanup(daemon.close)
        return client, daemon, dict(fields)

    def grown(self, name, before, by):
        eventually(f'{name} grew by {by}', lambda: self.control.counters()[name] - before[name] == by)

    def test_preface_identifies_a_client_in_another_namespace(self):
        namespace = self.namespace('client')
        program = self.connect_from(namespace, uid=4321)
        daemon = self.deliver.accept()
        kind, _, fields = read_message(daemon)
        preface = dict(fields)
        self.assertEqual(kind, PREFACE)
        self.assertEqual((preface['pid'], preface['uid'], preface['gid']), (program.pid, 4321, 4321))
        self.assertEqual((preface['ns_dev'], preface['ns_ino']), (namespace.dev, namespace.ino))
        self.assertEqual(preface['listener'], 'nsm')
        with open(f'/proc/{program.pid}/cgroup') as file:
            self.assertIn(preface['cgroup'], file.read())
        program.kill()
        daemon.close()
        self.control.event(
            lambda kind, event: kind == EVENT
            and event['event'] == CLIENT_GONE
            and event['connection'] == preface['connection']
        )

    def test_preface_says_whether_the_client_is_the_nodes_own(self):
        _, _, own = self.connect()
        self.assertEqual((own['version'], own['nodes_own'], own['account'], own['pod']), (2, 1, 'uid/0', ''))
        for kind in ('pid', 'user', 'mount'):
            path = f'/proc/self/ns/{"mnt" if kind == "mount" else kind}'
            self.assertEqual(own[f'{kind}_ns'], os.stat(path).st_ino)
        program = self.connect_from(self.namespace('container'))
        daemon = self.deliver.accept()
        other = dict(read_message(daemon)[2])
        self.assertEqual((other['uid'], other['nodes_own']), (0, 0))
        self.assertRegex(other['account'], '^unit/')
        program.kill()
        daemon.close()

    def test_user_namespaces_count_for_the_user_who_made_them(self):
        path = self.holder.workload_path

        def nested(ready):
            for _ in range(2):
                make_user_namespace()
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(path)
            ready()
            signal.pause()

        program = self.program(nested, uid=4322)
        daemon = self.deliver.accept()
        preface = dict(read_message(daemon)[2])
        self.assertEqual((preface['uid'], preface['account'], preface['nodes_own']), (4322, 'uid/4322', 0))
        self.assertEqual(preface['user_ns'], os.stat(f'/proc/{program.pid}/ns/user').st_ino)
        program.kill()
        daemon.close()

    def test_ten_megabytes_pass_unchanged_both_ways(self):
        client, daemon, _ = self.connect()
        data = os.urandom(10 * 1024 * 1024)

        def send(sock):
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)

        def receive(sock, digests):
            digest = hashlib.sha256()
            while chunk := sock.recv(65536):
                digest.update(chunk)
            digests.append(digest.digest())

        digests = []
        threads = [threading.Thread(target=send, args=(sock,)) for sock in (client, daemon)]
        threads += [threading.Thread(target=receive, args=(sock, digests)) for sock in (client, daemon)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        self.assertEqual(digests, [hashlib.sha256(data).digest()] * 2)

    def test_half_close_leaves_the_other_direction_open(self):
        client, daemon, _ = self.connect()
        client.sendall(b'question')
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(read_exactly(daemon, 8), b'question')
        self.assertEqual(daemon.recv(1), b'')
        daemon.sendall(b'answer')
        self.assertEqual(read_exactly(client, 6), b'answer')

    def test_slow_reader_slows_its_writer(self):
        client, daemon, _ = self.connect()
        client.settimeout(0.5)
        sent = 0
        with self.assertRaises(TimeoutError):
            while sent < 64 * 1024 * 1024:
                sent += client.send(b'x' * 65536)
        self.assertLess(sent, 4 * 1024 * 1024)
        received = 0
        while received < sent:
            received += len(daemon.recv(1024 * 1024))

    def test_only_allowed_kinds_of_descriptors_are_kept_and_none_reaches_nsmd(self):
        client, daemon, _ = self.connect()
        before = self.control.counters()
        with open('/proc/self/ns/net') as namespace, open('/etc/hostname') as plain:
            path = os.open('/etc', os.O_PATH)
            socket.send_fds(client, [b'a'], [namespace.fileno(), plain.fileno(), path])
            os.close(path)
        client.sendall(b'b')
        self.assertEqual(read_exactly(daemon, 2), b'ab')
        daemon.settimeout(0.1)
        with self.assertRaises(TimeoutError):
            socket.recv_fds(daemon, 1, 8)
        self.grown('descriptors_kept', before, 2)
        self.grown('descriptors_refused', before, 1)

    def test_at_most_64_descriptors_are_kept(self):
        client, daemon, _ = self.connect()
        before, fds = self.control.counters(), self.holder.fd_count()
        directory = self.holder.directory
        paths = []
        for at in range(65):
            name = os.path.join(directory, f'file-{at}')
            open(name, 'w').close()
            paths.append(os.open(name, os.O_PATH))
        try:
            socket.send_fds(client, [b'a'], paths[:64])
            self.grown('descriptors_kept', before, 64)
            socket.send_fds(client, [b'b'], paths[64:])
            self.grown('descriptors_refused', before, 1)
            socket.send_fds(client, [b'c'], paths)  # more than there is room for: none is accepted
            self.grown('descriptors_truncated', before, 1)
        finally:
            for path in paths:
                os.close(path)
        self.assertEqual(read_exactly(daemon, 3), b'abc')
        self.assertEqual(self.holder.fd_count(), fds + 64)
        client.close()
        daemon.close()
        eventually('all are closed with the connection', lambda: self.holder.fd_count() == fds - 2)

    def test_client_that_died_before_it_was_accepted_is_refused(self):
        before = self.control.counters()
        os.kill(self.holder.process.pid, signal.SIGSTOP)
        try:
            self.connect_from(None).kill()
        finally:
            os.kill(self.holder.process.pid, signal.SIGCONT)
        self.grown('refused_unattested', before, 1)

    def test_limit_per_namespace_spares_others(self):
        crowded = self.namespace('crowded')
        path = self.holder.workload_path
        before = self.control.counters()

        def crowd(ready):
            socks = [socket.socket(socket.AF_UNIX) for _ in range(70)]
            for sock in socks:
                sock.connect(path)
            ready()
            signal.pause()

        program = self.program(crowd, crowded)
        served = [self.deliver.accept() for _ in range(64)]
        self.grown('refused_limit', before, 6)
        self.connect()[0].close()
        for sock in served:
            sock.close()
        program.kill()

    def test_limit_per_account_counts_user_namespaces_together(self):
        path = self.holder.workload_path
        before = self.control.counters()

        def crowd(ready):
            make_user_namespace()
            socks = [socket.socket(socket.AF_UNIX) for _ in range(60)]
            for sock in socks:
                sock.connect(path)
            ready()
            signal.pause()

        programs = [self.program(crowd, self.namespace(f'crowd-{n}'), uid=4330) for n in range(5)]
        self.grown('refused_limit', before, 100)
        started = time.monotonic()
        client = self.program(self.greet(path), self.namespace('honest'), uid=4331)
        daemon = self.accept_from(4331)
        self.assertLess(time.monotonic() - started, 1)
        for program in [*programs, client]:
            program.kill()
        daemon.close()

    def test_connecting_and_closing_in_a_loop_hardly_reaches_nsmd(self):
        path = self.holder.workload_path
        before = self.control.counters()

        def flood(ready):
            for _ in range(2000):
                sock = socket.socket(socket.AF_UNIX)
                try:
                    sock.connect(path)
                except BlockingIOError:
                    pass
                sock.close()
            ready()

        program = self.program(flood, self.namespace('flood'), uid=4332)
        started = time.monotonic()
        client = self.program(self.greet(path), self.namespace('honest'), uid=4331)
        self.accept_from(4331).close()
        self.assertLess(time.monotonic() - started, 1)
        self.assertLess(self.control.counters()['connections'] - before['connections'], 600)
        for each in (program, client):
            each.kill()

    def greet(self, path):
        def run(ready):
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(path)
            ready()
            signal.pause()

        return run

    def accept_from(self, uid):
        """nsmd's end of the first connection of this user; those of others before it are closed."""
        while True:
            daemon = self.deliver.accept()
            if dict(read_message(daemon)[2])['uid'] == uid:
                return daemon
            daemon.close()

    def test_client_waits_while_nsmd_restarts(self):
        self.deliver.close()
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(10)
        client.connect(self.holder.workload_path)
        client.sendall(b'early')
        time.sleep(0.3)
        type(self).deliver = Deliver(self.holder.deliver_path)
        daemon = self.deliver.accept()
        self.assertEqual(read_message(daemon)[0], PREFACE)
        self.assertEqual(read_exactly(daemon, 5), b'early')
        client.close()
        daemon.close()

    def test_deliver_socket_may_be_accessible_to_nsmds_group_only(self):
        os.chown(self.holder.deliver_path, 65532, 65532)
        os.chmod(self.holder.deliver_path, 0o660)
        self.connect()

    def test_unreachable_deliver_socket_is_explained(self):
        os.chown(self.holder.deliver_path, 65532, 65532)
        os.chmod(self.holder.deliver_path, 0o600)
        client = socket.socket(socket.AF_UNIX)
        client.connect(self.holder.workload_path)
        eventually('the log says why', lambda: 'chmod' in self.holder.output())
        os.chmod(self.holder.deliver_path, 0o660)
        self.assertEqual(read_message(self.deliver.accept())[0], PREFACE)
        client.close()

    def test_client_is_disconnected_when_nsmd_stays_away(self):
        before = self.control.counters()
        self.deliver.close()
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(10)
        started = time.monotonic()
        client.connect(self.holder.workload_path)
        self.assertEqual(client.recv(1), b'')
        self.assertGreater(time.monotonic() - started, 4.5)
        client.close()
        self.grown('refused_deliver', before, 1)
        type(self).deliver = Deliver(self.holder.deliver_path)

    def test_10000_connections_leak_no_descriptor(self):
        watcher = Control(self.holder.control_path)
        eventually('earlier ones are gone', lambda: self.holder.fd_count() < 60)
        fds = self.holder.fd_count()
        for _ in range(10_000):
            client = socket.socket(socket.AF_UNIX)
            client.connect(self.holder.workload_path)
            daemon = self.deliver.accept()
            client.close()
            daemon.close()
        eventually('all are closed', lambda: self.holder.fd_count() == fds)
        watcher.close()


if __name__ == '__main__':
    main()
