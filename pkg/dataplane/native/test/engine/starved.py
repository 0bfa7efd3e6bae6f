#!/usr/bin/env python3
"""starved.py [--seconds N]: an engine gets only a fifth of a core, and not when it needs it. Its probes and echoes are
late, and neither side may take that for a dead link or a dead session."""

import argparse
import contextlib
import os
import subprocess
import sys
from pathlib import Path

import lab
from impair import probe
from lab import check, skip
from link_quality import events, quality_of, until_up
from relayed import FAR, NEAR, build_relayed, shown

PERIOD_US, QUOTA_US = 100_000, 20_000
RATE = 100


class Cgroup:
    """A cgroup (v1 or v2, whichever has the cpu controller here) that limits its processes to a fifth of a core."""

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
        """(number of enforcement periods, number of those in which the cgroup was throttled)"""
        seen = dict(line.split() for line in (self.path / 'cpu.stat').read_text().splitlines())
        return int(seen['nr_periods']), int(seen['nr_throttled'])


@contextlib.contextmanager
def starving(*pids):
    """Throttles the processes: a CPU hog uses up the quota of their cgroup."""
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
            until_up(engine)
        with starving(engines[1].pid) as group:
            seen = probe(world, 'wa', 'wb', '10.0.0.2', RATE, seconds)
            periods, throttled = group.periods()
        print(shown(seen), quality_of(engines[0]), flush=True)
        check('the engine was throttled', throttled > periods * 0.8, f'{throttled} of {periods} periods')
        for engine, name in zip(engines, (NEAR, FAR), strict=True):
            alarms = events(engine, 'link_quality_down') + events(engine, 'session_down')
            check(f'{name}: no false alarm', not alarms, alarms)
        check('no packet was lost', seen['lost'] == 0, seen['delayMaxMs'])

    return run


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--seconds', type=float, default=6)
    lab.run(starved(parser.parse_args().seconds), needs=('wg',))
