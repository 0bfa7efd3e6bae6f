"""Who is left in a pinned namespace: a pod that is gone is told from a client that starts anew."""

import os
import signal
import socket
import tempfile
import threading
import time

from support import Deliver, HolderTest, eventually, main
from protocol import EVENT, NS_PIN, NS_UNPIN, Control, Refused

NAMESPACE_EMPTY = 10


def hang_up_with(client):
    """As nsmd does: closes its end of a connection when the client has closed its own."""
    while client.recv(65536):
        pass
    client.close()


class Occupancy(HolderTest):
    folder = tempfile.mkdtemp(prefix=f'nsm-t{os.getpid()}-')
    options = ('--cni', os.path.join(folder, 'cni'))

    @classmethod
    def setUpClass(cls):
        cls.addClassCleanup(os.rmdir, cls.folder)
        super().setUpClass()
        cls.deliver = Deliver(cls.holder.deliver_path)
        cls.addClassCleanup(cls.deliver.close)

    def connect(self, namespace):
        client = self.connect_from(namespace)
        daemon = self.deliver.accept()
        daemon.settimeout(None)
        threading.Thread(target=hang_up_with, args=(daemon,), daemon=True).start()
        return client

    def pinned(self, name):
        """A namespace with a connected client, pinned."""
        namespace = self.namespace(name)
        client = self.connect(namespace)
        eventually('it is known', lambda: self.pin(name))
        return namespace, client

    def other(self, name):
        """A process in the namespace that is no client."""
        return self.program(lambda ready: (ready(), signal.pause()), self.namespace(name))

    def pin(self, name):
        try:
            return self.control.ask(NS_PIN, [('id', name), *self.namespace(name).id]) == []
        except Refused:
            return False

    def starting(self, name):
        """A pinned namespace without a process, for which nsm-cni waits."""
        namespace = self.namespace(name)
        waiting = socket.socket(socket.AF_UNIX)
        self.addCleanup(waiting.close)
        waiting.connect(self.options[1])
        with open(f'/run/netns/{namespace.name}') as file:
            socket.send_fds(waiting, [b'x'], [file.fileno()])
        daemon = self.deliver.accept()
        threading.Thread(target=hang_up_with, args=(daemon,), daemon=True).start()
        eventually('it is known', lambda: self.pin(name))
        return namespace, waiting

    def is_told(self, namespace, seconds, control=None):
        control = control or self.control
        control.sock.settimeout(seconds)
        try:
            control.event(
                lambda kind, event: kind == EVENT
                and event['event'] == NAMESPACE_EMPTY
                and event['ns_ino'] == namespace.ino
            )
            return True
        except TimeoutError:
            return False
        finally:
            control.sock.settimeout(10)

    def test_last_process_that_ends_is_told_within_two_seconds(self):
        namespace, client = self.pinned('last')
        start = time.monotonic()
        client.kill()
        self.assertTrue(self.is_told(namespace, 2))
        self.assertGreater(time.monotonic() - start, 1)

    def test_client_that_ends_beside_another_process_is_not(self):
        other = self.other('beside')  # before the connection, of which it would have a copy
        namespace, client = self.pinned('beside')
        client.kill()
        self.assertFalse(self.is_told(namespace, 2))
        other.kill()
        self.assertTrue(self.is_told(namespace, 2))

    def test_client_that_starts_anew_within_a_second_is_not(self):
        namespace, client = self.pinned('anew')
        client.kill()
        time.sleep(0.5)
        client = self.connect(namespace)
        self.assertFalse(self.is_told(namespace, 2))
        client.kill()
        self.assertTrue(self.is_told(namespace, 2))

    def test_a_daemon_that_was_away_is_told_when_it_is_back(self):
        namespace, client = self.pinned('away')
        client.kill()
        self.assertTrue(self.is_told(namespace, 2))
        back = Control(self.holder.control_path)
        self.addCleanup(back.close)
        self.assertTrue(self.is_told(namespace, 1, back))
        self.control.ask(NS_UNPIN, [('id', 'away')])
        late = Control(self.holder.control_path)
        self.addCleanup(late.close)
        self.assertFalse(self.is_told(namespace, 0.3, late))

    def test_pod_that_nsm_cni_waits_for_is_not_gone(self):
        namespace, waiting = self.starting('starts')
        self.assertFalse(self.is_told(namespace, 2))
        waiting.close()
        first = self.other('starts')
        self.assertFalse(self.is_told(namespace, 2))
        first.kill()
        self.assertTrue(self.is_told(namespace, 2))

    def test_pod_that_does_not_start_is_gone(self):
        namespace, waiting = self.starting('refused')
        waiting.close()
        self.assertTrue(self.is_told(namespace, 2))

    def test_a_daemon_that_was_away_is_not_told_of_a_pod_that_started_late(self):
        namespace, waiting = self.starting('late')
        waiting.close()
        self.assertTrue(self.is_told(namespace, 2))
        self.other('late')
        back = Control(self.holder.control_path)
        self.addCleanup(back.close)
        self.assertFalse(self.is_told(namespace, 1, back))

    def test_witnesses_are_let_go_with_the_pin(self):
        other = self.other('let-go')
        _, client = self.pinned('let-go')
        before = self.holder.fd_count()
        client.kill()
        time.sleep(0.5)
        self.control.ask(NS_UNPIN, [('id', 'let-go')])
        eventually('descriptors are closed', lambda: self.holder.fd_count() < before)
        other.kill()


if __name__ == '__main__':
    main()
