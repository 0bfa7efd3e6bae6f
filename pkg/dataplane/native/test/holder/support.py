"""A holder under test, network namespaces, and programs inside them; all are removed at the end."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from protocol import Control

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_DUMPABLE = 4
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
PROGRAM = os.environ.get('NSM_DATAPLANE', '')


def main():
    if os.geteuid() != 0:
        print('skipped: needs root, to make network namespaces')
        sys.exit(77)
    if not PROGRAM:
        print('skipped: set NSM_DATAPLANE to the program under test')
        sys.exit(77)
    unittest.main(verbosity=1)


def eventually(what, claim, seconds=10):
    """Polls `claim` until it is true."""
    end = time.monotonic() + seconds
    while not (result := claim()):
        if time.monotonic() > end:
            raise AssertionError(f'not within {seconds} s: {what}')
        time.sleep(0.01)
    return result


def make_user_namespace():
    """Puts this process into a user namespace of its own, in which it is root."""
    uid, gid = os.geteuid(), os.getegid()
    LIBC.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # a process that has changed its user cannot write its own maps
    if LIBC.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), 'unshare')
    for file, text in (('setgroups', 'deny'), ('uid_map', f'0 {uid} 1'), ('gid_map', f'0 {gid} 1')):
        with open(f'/proc/self/{file}', 'w') as map_file:
            map_file.write(text)


class Namespace:
    def __init__(self, name):
        self.name = f'nsm-t{os.getpid()}-{name}'
        subprocess.run(['ip', 'netns', 'add', self.name], check=True)
        info = os.stat(f'/run/netns/{self.name}')
        self.id = [('ns_dev', info.st_dev), ('ns_ino', info.st_ino)]
        self.dev, self.ino = info.st_dev, info.st_ino

    def enter(self):
        with open(f'/run/netns/{self.name}') as file:
            if LIBC.setns(file.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), 'setns')

    def run(self, *command):
        return subprocess.run(
            ['ip', 'netns', 'exec', self.name, *command], check=True, capture_output=True, text=True
        ).stdout

    def batch(self, lines):
        subprocess.run(['ip', '-n', self.name, '-batch', '-'], input='\n'.join(lines) + '\n', check=True, text=True)

    def links(self):
        return [line.split(':')[1].split('@')[0].strip() for line in self.run('ip', '-o', 'link').splitlines()]

    def remove(self):
        subprocess.run(['ip', 'netns', 'del', self.name], check=True)


class Program:
    """A Python function that runs in a forked child, in a namespace, with a pipe to report that it is ready."""

    def __init__(self, function, namespace=None, uid=0):
        reader, writer = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                if namespace:
                    namespace.enter()
                if uid:
                    os.setgroups([])
                    os.setresgid(uid, uid, uid)
                    os.setresuid(uid, uid, uid)
                function(lambda: os.write(writer, b'1'))
            except BaseException as error:  # the child must never continue with the parent's tests
                print(f'program in a namespace: {error!r}', file=sys.stderr)
            os._exit(0)
        os.close(writer)
        os.read(reader, 1)
        os.close(reader)

    def kill(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        self.pid = 0


class Holder:
    def __init__(self, *options, listen=True):
        self.directory = tempfile.mkdtemp(prefix=f'nsm-t{os.getpid()}-')
        os.chmod(self.directory, 0o755)
        self.control_path, self.workload_path, self.deliver_path, self.dial_path = (
            os.path.join(self.directory, name) for name in ('control', 'workload', 'deliver', 'dial')
        )
        command = [PROGRAM, 'hold', '--control', self.control_path, '--dial', self.dial_path, *options]
        if listen:
            command += ['--listen', f'nsm={self.workload_path}', '--deliver', self.deliver_path]
        self.command = command
        self.log = open(os.path.join(self.directory, 'log'), 'w+')
        self.process = subprocess.Popen(command, stderr=self.log)
        try:
            eventually('the holder serves', lambda: self.engine_pid() or self.process.poll() is not None)
        except AssertionError:
            self.process.kill()
        if self.process.poll() is not None:
            output = self.output()
            self.log.close()
            shutil.rmtree(self.directory)
            raise RuntimeError(output)

    def engine_pid(self):
        try:
            control = Control(self.control_path)
        except (OSError, EOFError):
            return 0
        control.close()
        return dict(control.hello)['engine_pid']

    def output(self):
        self.log.seek(0)
        return self.log.read()

    def fd_count(self):
        return len(os.listdir(f'/proc/{self.process.pid}/fd'))

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        status = self.process.wait(timeout=10)
        self.log.close()
        shutil.rmtree(self.directory)
        return status


class HolderTest(unittest.TestCase):
    """One holder per test class."""

    options = ()

    @classmethod
    def setUpClass(cls):
        cls.namespaces, cls.programs = {}, []
        cls.holder = Holder(*cls.options)
        cls.addClassCleanup(cls.clean)
        cls.control = Control(cls.holder.control_path)

    @classmethod
    def clean(cls):
        for program in cls.programs:
            program.kill()
        cls.control.close()
        status = cls.holder.stop()
        for namespace in cls.namespaces.values():
            namespace.remove()
        assert status == 0, f'the holder ended with status {status}'

    @classmethod
    def namespace(cls, name):
        if name not in cls.namespaces:
            cls.namespaces[name] = Namespace(name)
        return cls.namespaces[name]

    @classmethod
    def program(cls, function, namespace=None, uid=0):
        cls.programs.append(Program(function, namespace, uid))
        return cls.programs[-1]

    @classmethod
    def connect_from(cls, namespace, uid=0):
        """A program in `namespace` that connects and keeps the connection."""
        path = cls.holder.workload_path

        def run(ready):
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(path)
            ready()
            signal.pause()

        return cls.program(run, namespace, uid)


class Deliver:
    """The deliver socket, on which nsmd listens."""

    def __init__(self, path):
        if os.path.exists(path):
            os.unlink(path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        os.chmod(path, 0o666)
        self.listener.listen(512)
        self.listener.settimeout(10)

    def accept(self):
        sock, _ = self.listener.accept()
        sock.settimeout(10)
        return sock

    def close(self):
        self.listener.close()
