"""Pods: their network namespaces, found by the cgroups of their processes."""

import os
import signal
import sys
import tempfile

from protocol import NS_GET, NS_UNPIN, POD_PIN, Refused
from support import HolderTest, eventually, main

POD = '0b4a2c7e-1c1d-4c5a-9a51-5a3b6c7d8e9f'
OTHER = '11111111-2222-3333-4444-555555555555'
HIERARCHIES = [path for path in ('/sys/fs/cgroup/pids', '/sys/fs/cgroup/freezer') if os.path.isdir(path)]
if not HIERARCHIES:
    HIERARCHIES = ['/sys/fs/cgroup']  # cgroup v2 alone


def writable():
    try:
        os.rmdir(tempfile.mkdtemp(dir=HIERARCHIES[0]))
        return True
    except OSError:
        return False


class Cgroups:
    """The cgroups below a kubelet's root of our own, which are removed at the end."""

    def __init__(self):
        self.root = f'/nsm-t{os.getpid()}'
        self.made = []

    def join(self, path, hierarchies=HIERARCHIES):
        """Puts this process there."""
        for hierarchy in hierarchies:
            with open(f'{hierarchy}{self.root}{path}/cgroup.procs', 'w') as procs:
                procs.write(str(os.getpid()))

    def make(self, path):
        parts = [self.root, *(f'/{part}' for part in path.split('/') if part)]
        for hierarchy in HIERARCHIES:
            folder = hierarchy
            for part in parts:
                folder += part
                if not os.path.isdir(folder):
                    os.mkdir(folder)
                    self.made.append(folder)
        return path

    def remove(self):
        for folder in reversed(self.made):
            eventually(f'{folder} is empty', lambda folder=folder: self.removed(folder))

    @staticmethod
    def removed(folder):
        try:
            os.rmdir(folder)
            return True
        except OSError:
            return False


class Pods(HolderTest):
    cgroups = Cgroups()
    options = ('--kubelet-cgroup', cgroups.root)

    @classmethod
    def setUpClass(cls):
        cls.addClassCleanup(cls.cgroups.remove)
        super().setUpClass()

    def process(self, path, namespace=None, hierarchies=HIERARCHIES):
        """A process in a cgroup, and in a namespace."""
        self.cgroups.make(path)

        def run(ready):
            self.cgroups.join(path, hierarchies)
            ready()
            signal.pause()

        program = self.program(run, namespace)
        self.addCleanup(program.kill)
        return program

    def pin(self, pod=POD, pin='pod'):
        reply = dict(self.control.ask(POD_PIN, [('id', pin), ('pod', pod)])[0])
        self.addCleanup(self.control.ask, NS_UNPIN, [('id', pin)])
        return reply

    def refused(self, error, text, pod=POD):
        with self.assertRaises(Refused) as refusal:
            self.control.ask(POD_PIN, [('id', 'pod'), ('pod', pod)])
        self.assertEqual(refusal.exception.error, error)
        self.assertIn(text, refusal.exception.text)
        self.assertEqual(self.control.ask(NS_GET), [])

    def finds(self, path, **other):
        namespace = self.namespace('pod')
        self.process(path, namespace, **other)
        reply = self.pin()
        self.assertEqual(reply, {'id': 'pod', 'ns_dev': namespace.dev, 'ns_ino': namespace.ino})
        self.assertEqual(dict(self.control.ask(NS_GET)[0]), reply)

    def test_pod_is_found_below_cgroupfs(self):
        self.finds(f'/kubepods/besteffort/pod{POD}/sandbox')

    def test_pod_is_found_below_systemd(self):
        slice_pod = POD.replace('-', '_')
        self.finds(f'/kubepods.slice/kubepods-pod{slice_pod}.slice/cri-containerd-1.scope')

    def test_its_oldest_process_decides(self):
        path = f'/kubepods/pod{POD}'
        self.process(path)  # as a container monitor, which is older but the node's own
        self.process(path, self.namespace('pod'))
        self.process(path, self.namespace('entered-later'))
        self.assertEqual(self.pin()['ns_ino'], self.namespace('pod').ino)

    def test_nobody_names_himself_into_another_pod(self):
        self.process(f'/kubepods/pod{OTHER}/1/kubepods/pod{POD}', self.namespace('other'))
        self.process(f'/elsewhere/kubepods/pod{POD}', self.namespace('other'))
        self.refused(2, 'no process')

    def test_pod_on_the_nodes_network_is_refused(self):
        self.process(f'/kubepods/pod{POD}')
        self.refused(1, 'hostNetwork')

    def test_process_with_two_pods_is_refused(self):
        if len(HIERARCHIES) < 2:
            self.skipTest('a process has one cgroup in cgroup v2')
        path, other = f'/kubepods/pod{POD}', f'/kubepods/pod{OTHER}'
        self.cgroups.make(other)
        self.cgroups.make(path)

        def run(ready):
            self.cgroups.join(path, HIERARCHIES[:1])
            self.cgroups.join(other, HIERARCHIES[1:])
            ready()
            signal.pause()

        self.addCleanup(self.program(run, self.namespace('pod')).kill)
        self.refused(1, 'different pods')
        self.process(path, self.namespace('honest'))  # such a process says nothing about those without dispute
        self.assertEqual(self.pin()['ns_ino'], self.namespace('honest').ino)

    def test_unknown_pod_is_refused(self):
        self.refused(2, 'no process')
        self.refused(22, 'empty', pod='')

    def test_pin_of_another_namespace_is_not_taken_over(self):
        self.process(f'/kubepods/pod{POD}', self.namespace('pod'))
        self.process(f'/kubepods/pod{OTHER}', self.namespace('other'))
        self.pin()
        with self.assertRaises(Refused) as refusal:
            self.control.ask(POD_PIN, [('id', 'pod'), ('pod', OTHER)])
        self.assertEqual(refusal.exception.error, 17)


if __name__ == '__main__':
    if not writable():
        print('skipped: needs cgroups that can be made')
        sys.exit(77)
    main()
