"""The dial socket: it connects to endpoints by path or by a descriptor that they passed, and attests them."""

import os
import shutil
import signal
import socket
import struct
import tempfile

from support import Deliver, HolderTest, eventually, main
from protocol import COUNTERS_GET, DIAL, PREFACE, message, read_exactly, read_message

EPERM, ENOENT, EACCES, EINVAL, ECONNREFUSED, EOPNOTSUPP = 1, 2, 13, 22, 111, 95


class Dial(HolderTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.deliver = Deliver(cls.holder.deliver_path)
        cls.addClassCleanup(cls.deliver.close)

    def endpoint(self, name, namespace=None, mode=0o666, register=False):
        """A program that listens on a socket and echoes what it receives."""
        path = os.path.join('/tmp', f'nsm-t{os.getpid()}-{name}')
        workload = self.holder.workload_path

        def run(ready):
            if register:
                client = socket.socket(socket.AF_UNIX)
                client.connect(workload)
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(path)
            os.chmod(path, mode)
            listener.listen()
            if register:
                socket.send_fds(client, [b'r'], [os.open(path, os.O_PATH)])
            ready()
            while True:
                sock, _ = listener.accept()
                while data := sock.recv(65536):
                    sock.sendall(data)
                sock.close()

        self.addCleanup(lambda: os.path.exists(path) and os.unlink(path))
        return self.program(run, namespace, 4321), path

    def dial(self, url, after=b'', uid=None):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(10)
        sock.connect(self.holder.dial_path)
        self.addCleanup(sock.close)
        sock.sendall(message(DIAL, [('url', url), *([] if uid is None else [('uid', uid)])], 9) + after)
        kind, sequence, fields = read_message(sock)
        self.assertEqual(sequence, 9)
        return sock, kind, dict(fields)

    def refused(self, url, error, text, uid=None):
        sock, kind, fields = self.dial(url, uid=uid)
        self.assertEqual((kind, fields['error']), (2, error), fields)
        self.assertIn(text, fields['text'])
        self.assertEqual(sock.recv(1), b'', 'the connection ends with the error')

    def test_listener_is_attested_before_its_bytes(self):
        namespace = self.namespace('endpoint')
        program, path = self.endpoint('a', namespace)
        sock, kind, preface = self.dial(f'unix://{path}', after=b'early')
        self.assertEqual(kind, PREFACE)
        self.assertEqual((preface['pid'], preface['uid']), (program.pid, 4321))
        self.assertEqual((preface['ns_dev'], preface['ns_ino']), (namespace.dev, namespace.ino))
        self.assertEqual(read_exactly(sock, 5), b'early')
        sock.sendall(b'x' * 1_000_000)
        self.assertEqual(read_exactly(sock, 1_000_000), b'x' * 1_000_000)
        sock.shutdown(socket.SHUT_WR)
        self.assertEqual(sock.recv(1), b'')

    def test_request_may_come_byte_by_byte(self):
        _, path = self.endpoint('slow', self.namespace('endpoint'))
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(10)
        sock.connect(self.holder.dial_path)
        for byte in message(DIAL, [('url', f'unix://{path}')]) + b'tail':
            sock.sendall(bytes([byte]))
        self.assertEqual(read_message(sock)[0], PREFACE)
        self.assertEqual(read_exactly(sock, 4), b'tail')
        sock.close()

    def test_passed_descriptor_serves_as_an_address(self):
        namespace = self.namespace('endpoint')
        program, path = self.endpoint('fd', namespace, register=True)
        registration = self.deliver.accept()
        read_message(registration)
        self.assertEqual(read_exactly(registration, 1), b'r')
        info = os.stat(path)
        os.rename(path, path + '-elsewhere')  # from here on only the descriptor leads to it
        self.addCleanup(lambda: os.unlink(path + '-elsewhere'))
        sock, kind, preface = self.dial(f'inode://{info.st_dev}/{info.st_ino}', after=b'hello')
        self.assertEqual((kind, preface['pid']), (PREFACE, program.pid))
        self.assertEqual(read_exactly(sock, 5), b'hello')
        sock.close()
        program.kill()
        registration.close()
        eventually(
            'the descriptor went with its connection',
            lambda: self.dial(f'inode://{info.st_dev}/{info.st_ino}')[2].get('error') == ENOENT,
        )

    def test_endpoint_in_the_nodes_own_namespace_is_refused(self):
        _, path = self.endpoint('own')
        self.refused(f'unix://{path}', EPERM, 'own network namespace')

    def test_socket_without_a_listener_is_reported(self):
        program, path = self.endpoint('dead', self.namespace('endpoint'))
        program.kill()
        self.refused(f'unix://{path}', ECONNREFUSED, path)
        self.refused('unix:///nonexistent/socket', ENOENT, '/nonexistent/socket')

    def test_error_for_an_unwritable_socket_says_what_to_do(self):
        _, path = self.endpoint('closed', self.namespace('endpoint'), mode=0o600)
        os.chown(path, 4321, 4321)
        self.refused(f'unix://{path}', EACCES, 'chmod 0666')

    def test_a_caller_reaches_only_what_is_open_to_him(self):
        _, path = self.endpoint('private', self.namespace('endpoint'), mode=0o600)
        self.refused(f'unix://{path}', EACCES, 'chmod 0666', uid=1234)
        self.refused(f'unix://{path}', EACCES, 'chmod 0666')
        os.chown(path, 0, 4321)
        os.chmod(path, 0o060)  # groups do not count
        self.refused(f'unix://{path}', EACCES, 'chmod 0666', uid=4321)
        link = path + '-link'
        os.symlink(path, link)
        self.addCleanup(lambda: os.unlink(link))
        self.refused(f'unix://{link}', EACCES, 'chmod 0666', uid=4321)
        os.chmod(path, 0o602)
        for url in (f'unix://{link}', f'unix://{os.path.dirname(path)}/../tmp/{os.path.basename(path)}'):
            sock, kind, _ = self.dial(url, uid=4321)
            self.assertEqual(kind, PREFACE)
            sock.close()

    def test_answers_do_not_tell_what_is_in_a_closed_directory(self):
        closed = tempfile.mkdtemp(prefix=f'nsm-t{os.getpid()}-')
        self.addCleanup(lambda: shutil.rmtree(closed))
        open(os.path.join(closed, 'there'), 'w').close()
        answers = set()
        for name in ('there', 'missing', 'there/below'):
            sock, _, fields = self.dial(f'unix://{closed}/{name}', uid=1234)
            answers.add((fields['error'], fields['text'].split(': ', 1)[1]))
        self.assertEqual(len(answers), 1, answers)

    def test_root_only_sockets_are_out_of_reach_by_a_passed_descriptor(self):
        path = os.path.join('/tmp', f'nsm-t{os.getpid()}-root')
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        self.addCleanup(lambda: (listener.close(), os.unlink(path)))
        os.chmod(path, 0o600)
        listener.listen()
        workload = self.holder.workload_path

        def run(ready):
            client = socket.socket(socket.AF_UNIX)
            client.connect(workload)
            socket.send_fds(client, [b'r'], [os.open(path, os.O_PATH)])
            ready()
            signal.pause()

        program = self.program(run, uid=4321)
        registration = self.deliver.accept()
        read_message(registration)
        self.assertEqual(read_exactly(registration, 1), b'r')
        info = os.stat(path)
        self.refused(f'inode://{info.st_dev}/{info.st_ino}', EACCES, 'chmod 0666', uid=4321)
        registration.close()
        program.kill()

    def test_malformed_urls_are_refused(self):
        for url in (
            'tcp://127.0.0.1:80',
            'unix://relative',
            'inode://1',
            'inode://1/x',
            'inode://1/2/3',
            'inode://-1/2',
        ):
            self.refused(url, EINVAL, 'neither unix:///path nor inode://dev/ino')
        self.refused('inode://1/2', ENOENT, 'no descriptor')
        self.refused('unix:///' + 'x' * 108, 36, 'at most 107 bytes')

    def test_other_messages_and_wrong_lengths_are_refused(self):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(10)
        sock.connect(self.holder.dial_path)
        sock.sendall(message(COUNTERS_GET))
        self.assertEqual(dict(read_message(sock)[2])['error'], EOPNOTSUPP)
        before = self.control.counters()['malformed']
        for length in (0, 15, 9000):
            liar = socket.socket(socket.AF_UNIX)
            liar.settimeout(10)
            liar.connect(self.holder.dial_path)
            liar.sendall(struct.pack('=IHHII', length, DIAL, 5, 1, 0))
            self.assertEqual(liar.recv(1), b'')
            liar.close()
        sock.close()
        self.assertEqual(self.control.counters()['malformed'], before + 3)


if __name__ == '__main__':
    main()
