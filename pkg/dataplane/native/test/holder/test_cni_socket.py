"""The cni socket: what root of the node says there reaches nsmd, and the namespace that it passes can be pinned."""

import os
import signal
import socket
import tempfile

from protocol import NS_GET, NS_PIN, NS_UNPIN, POD_ADD, PREFACE, Refused, message, read_message
from support import Deliver, HolderTest, eventually, main

SAID = [('pod', '0b4a2c7e-1c1d-4c5a-9a51-5a3b6c7d8e9f'), ('sandbox', 'sandbox-1')]


class CniSocket(HolderTest):
    folder = tempfile.mkdtemp(prefix=f'nsm-t{os.getpid()}-')
    path = os.path.join(folder, 'cni')
    options = ('--cni', path)

    @classmethod
    def setUpClass(cls):
        cls.addClassCleanup(os.rmdir, cls.folder)
        super().setUpClass()
        cls.deliver = Deliver(cls.holder.deliver_path)
        cls.addClassCleanup(cls.deliver.close)

    def say(self, namespace, path=None):
        """nsmd's end of a connection over which the descriptor of `namespace` was passed."""
        client = socket.socket(socket.AF_UNIX)
        self.addCleanup(client.close)
        client.connect(path or self.path)
        with open(f'/run/netns/{namespace.name}') as file:
            socket.send_fds(client, [message(POD_ADD, [*SAID, *namespace.id])], [file.fileno()])
        daemon = self.deliver.accept()
        self.addCleanup(daemon.close)
        kind, _, fields = read_message(daemon)
        self.assertEqual(kind, PREFACE)
        self.assertEqual(read_message(daemon), (POD_ADD, 1, [*SAID, *namespace.id]))
        return client, daemon, dict(fields)

    def pin(self, namespace):
        self.control.ask(NS_PIN, [('id', 'pod'), *namespace.id])

    def not_known(self, namespace):
        with self.assertRaises(Refused) as refusal:
            self.pin(namespace)
        return refusal.exception.error == 2

    def ends_without_a_word(self, namespace=None, uid=0):
        """Whether a program there is hung up on, or may not even connect."""
        before = self.control.counters()['refused_peer']
        reader, writer = os.pipe()

        def run(ready):
            client = socket.socket(socket.AF_UNIX)
            client.settimeout(5)
            client.connect(self.path)
            os.write(writer, client.recv(1) or b'-')
            ready()
            signal.pause()

        self.program(run, namespace, uid).kill()
        self.assertEqual(os.read(reader, 1), b'-')
        self.assertEqual(self.control.counters()['refused_peer'], before + 1)
        for end in (reader, writer):
            os.close(end)

    def test_what_is_said_reaches_nsmd_with_its_record_in_front(self):
        _, _, preface = self.say(self.namespace('pod'))
        self.assertEqual((preface['listener'], preface['uid'], preface['nodes_own']), ('cni', 0, 1))
        self.assertEqual(preface['pid'], os.getpid())

    def test_passed_namespace_can_be_pinned_while_the_connection_stands(self):
        namespace = self.namespace('passed')
        client, daemon, _ = self.say(namespace)
        fds = self.holder.fd_count()
        self.pin(namespace)
        client.close()
        daemon.close()
        eventually('the connection is gone', lambda: self.holder.fd_count() < fds)
        self.assertIn(('ns_ino', namespace.ino), self.control.ask(NS_GET)[0])
        self.control.ask(NS_UNPIN, [('id', 'pod')])
        self.assertTrue(self.not_known(namespace))

    def test_namespace_of_another_kind_is_not_known(self):
        client = socket.socket(socket.AF_UNIX)
        self.addCleanup(client.close)
        client.connect(self.path)
        before = self.control.counters()['descriptors_kept']
        with open('/proc/self/ns/ipc') as file:
            info = os.fstat(file.fileno())
            socket.send_fds(client, [b'x'], [file.fileno()])
        self.addCleanup(self.deliver.accept().close)
        eventually('it is kept', lambda: self.control.counters()['descriptors_kept'] > before)
        with self.assertRaises(Refused) as refusal:
            self.control.ask(NS_PIN, [('id', 'pod'), ('ns_dev', info.st_dev), ('ns_ino', info.st_ino)])
        self.assertEqual(refusal.exception.error, 2)

    def test_namespace_that_a_workload_passes_is_not_known(self):
        namespace = self.namespace('workload')
        self.say(namespace, self.holder.workload_path)
        self.assertTrue(self.not_known(namespace))

    def test_root_of_a_container_is_hung_up_on(self):
        self.ends_without_a_word(self.namespace('container'))

    def test_other_users_are_hung_up_on_even_if_the_file_lets_them_in(self):
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o600)
        os.chmod(self.folder, 0o755)
        os.chmod(self.path, 0o666)
        self.addCleanup(os.chmod, self.path, 0o600)
        self.ends_without_a_word(uid=4321)

    def test_its_name_is_reserved(self):
        with self.assertRaisesRegex(RuntimeError, 'has the name of the --cni socket'):
            type(self.holder)('--listen', 'cni=/tmp/other')


if __name__ == '__main__':
    main()
