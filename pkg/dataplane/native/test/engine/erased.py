#!/usr/bin/env python3
"""erased.py rekeyed | removed | expired [--aead 1|2]: searches the memory of both engines for the session keys, while
they are in use and after they have been dropped. `expired` waits 185 s, until REJECT_AFTER_TIME has passed."""

import argparse
import struct
import time

import lab
from lab import check, ping

build = __import__('two-engines').build

# The layout of core/saved-state.h: a page, then slots of {id, two timestamps, four receive keys}.
SLOTS_AT, SLOT_BYTES, KEYS_AT, KEY_SLOT_BYTES, KEYS = 4096, 384, 128, 64, 4
CHUNK = 1 << 20
# A sanitizer maps terabytes of shadow memory, which holds no program data.
SHADOW = 1 << 40


def saved_keys(engine):
    """The receive keys in the saved state, which the engine would restore after a restart."""
    with open(f'/proc/self/fd/{engine.state}', 'rb') as file:
        file.seek(SLOTS_AT)
        slot = file.read(SLOT_BYTES)
    found = []
    for i in range(KEYS):
        _, _, index, _, key = struct.unpack_from('=QQII32s', slot, KEYS_AT + i * KEY_SLOT_BYTES)
        if index:
            found.append(key)
    return found


def copies(engine, key):
    """How many copies of `key` the engine's mapped memory contains."""
    with open(f'/proc/{engine.pid}/maps') as maps, open(f'/proc/{engine.pid}/mem', 'rb', 0) as memory:
        areas = [line.split() for line in maps]
        count = 0
        for area in areas:
            start, end = (int(part, 16) for part in area[0].split('-'))
            if area[1].startswith('r') and not area[-1].startswith('[v') and end - start < SHADOW:
                count += copies_in(memory, start, end, key)
    return count


def copies_in(memory, start, end, key):
    count = 0
    for at in range(start, end, CHUNK):
        memory.seek(at)
        count += memory.read(min(CHUNK + len(key) - 1, end - at)).count(key)
    return count


def everywhere(engines, keys):
    return [[copies(engine, key) for key in keys] for engine in engines]


def rekeyed(world, engines):
    """A peer keeps at most four receive keys, so six rekeys must have dropped the first ones."""
    for _ in range(6):
        engines[0].ask('rehandshake', id='wg-10.0.0.1')
        ping(world.namespaces['wa'], '10.0.0.2', 5, 0.01)


def removed(world, engines):
    for i, engine in enumerate(engines):
        engine.ask('cross_connect_del', id=f'wire-10.0.0.{i + 1}')
        engine.ask('port_del', id=f'wg-10.0.0.{i + 1}')


def expired(world, engines):
    time.sleep(185)


CASES = {case.__name__: case for case in (rekeyed, removed, expired)}


def erased(case, aead):
    def run(world):
        engines, _ = build(world, aead)
        check('the wire is up', ping(world.namespaces['wa'], '10.0.0.2', 10, 0.01)['received'] == 10)
        keys = saved_keys(engines[0]) + saved_keys(engines[1])
        before = everywhere(engines, keys)
        print('copies of each key in the near and the far engine:', before)
        check(
            'a key in use is found, at least in the saved state',
            len(keys) >= 2 and all(map(sum, zip(*before, strict=True))),
        )
        CASES[case](world, engines)
        after = everywhere(engines, keys)
        check(f'{case}: no copy of any key is left', not any(map(any, after)), after)

    return run


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('case', choices=CASES)
    parser.add_argument('--aead', type=int, default=2)
    arguments = parser.parse_args()
    lab.run(erased(arguments.case, arguments.aead), needs=('wg',))
