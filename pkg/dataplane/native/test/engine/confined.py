#!/usr/bin/env python3
"""The privileges of a running engine, as /proc shows them: no capabilities, no_new_privs, and a seccomp filter. The
engine refuses to run as root."""

import subprocess

import lab
from engine import Engine
from lab import BINARY, check

EXPECTED = {'CapInh': 0, 'CapPrm': 0, 'CapEff': 0, 'CapBnd': 0, 'CapAmb': 0, 'NoNewPrivs': 1, 'Seccomp': 2}


def confined(world):
    engine = Engine(world)
    has_filter = 'seccomp=on' in engine.hello['feature']
    with open(f'/proc/{engine.pid}/status') as file:
        status = dict(line.rstrip('\n').split(':\t') for line in file if ':\t' in line)
    for name, value in EXPECTED.items():
        if name != 'Seccomp' or has_filter:
            check(f'{name} is {value}', int(status[name], 16) == value)
    check('the engine runs under its own uid', status['Uid'].split() == ['65533'] * 4)
    done = subprocess.run([BINARY, 'engine'], capture_output=True, text=True)
    check(
        'the engine refuses to run as root', done.returncode == 1 and 'cannot start' in done.stderr, done.stderr.strip()
    )


if __name__ == '__main__':
    lab.run(confined)
