#!/usr/bin/env python3
"""What the kernel says of a running engine: no capability, no way back, and a filter. Root may not run it."""

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
    check('it has its own uid', status['Uid'].split() == ['65533'] * 4)
    done = subprocess.run([BINARY, 'engine'], capture_output=True, text=True)
    check('root may not run it', done.returncode == 1 and 'not starting' in done.stderr, done.stderr.strip())


if __name__ == '__main__':
    lab.run(confined)
