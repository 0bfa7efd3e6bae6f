#!/usr/bin/env python3
"""starved.py [--seconds N]: an engine that gets a fifth of a core, and not when it waiting_ports it. It is late with its probes
and with its echoes, and neither side may take that for a dead path or a dead session."""

import argparse
import contextlib
import os
import subprocess
import sys
from pathlib import Path

import lab
from impair import probe
from lab import check, skip
from link_quality import UP, path_of, told, until
from relayed import FAR, NEAR, build_relayed, shown

PERIOD_US, QUOTA_US = 100_000, 20_000
RATE = 100


class Cgroup:
    """A fifth of a core for who is put into it, by whichever version of cgroups has the cpu controller here."""

    def __init__(self, name):
        v1, v2 = Path('/sys/fs/cgroup/cpu'), Path('/sys/fs/cgroup')
        if (v1 / 'cpu.cfs_quota_us').exists():
            self.path, limits = v1 / name, {'cpu.cfs_period_us': PERIOD_US, 'cpu.cfs_quota_us': QUOTA_US}
        elif 'cpu' in (v2 / 'cgroup.subtree_control').read_text().split():
            self.path, limits = v2 / name, {'cpu.max': f'{QUOTA_US} {PERIOD_US}'}
        else:
            skip('no cgroup controls the CPU here')
        self.path.mkdir()
        for file, value in limits.items():
            (self.path / file).write_text(str(value))

    def put(self, pid):
        (self.path / 'cgroup.procs').write_text(str(pid))

    def periods(self):
        """How many there were, and in how many nobody in it ran any more."""
        seen = dict(line.split() for line in (self.path / 'cpu.stat').read_text().splitlines())
        return int(seen['nr_periods']), int(seen['nr_throttled'])


@contextlib.contextmanager
def starving(*pids):
    """A hog eats what the engines would need."""
    group = Cgroup(f'nsm-t{os.getpid()}')
    hog = subprocess.Popen([sys.executable, '-c', 'while True: pass'])
    try:
        for pid in (*pids, hog.pid):
            group.put(pid)
        yield group
    finally:
        hog.kill()
        hog.wait()
        for pid in pids:
            (group.path.parent / 'cgroup.procs').write_text(str(pid))
        group.path.rmdir()


def starved(seconds):
    def run(world):
        _, engines = build_relayed(world, probe_messages=1)
        for engine in engines:
            until('the path is up', lambda: path_of(engine)['link_verdict'] == UP)
        with starving(engines[1].pid) as group:
            seen = probe(world, 'wa', 'wb', '10.0.0.2', RATE, seconds)
            periods, throttled = group.periods()
        print(shown(seen), path_of(engines[0]), flush=True)
        check('the engine was kept waiting', throttled > periods * 0.8, f'{throttled} of {periods} periods')
        for engine, name in zip(engines, (NEAR, FAR)):
            alarms = told(engine, 'link_quality_down') + told(engine, 'session_down')
            check(f'{name}: no false alarm', not alarms, alarms)
        check('no packet was lost', seen['lost'] == 0, seen['delayMaxMs'])

    return run


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--seconds', type=float, default=6)
    lab.run(starved(parser.parse_args().seconds), needs=('wg',))
