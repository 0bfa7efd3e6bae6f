#!/usr/bin/env python3
"""The layers of the native sources: which folder may include which, and what the folders without I/O must not use.

layers.py [FOLDER]   prints each violation as file:line and what is wrong; exits 1 when there is one
"""

import re
import sys
from pathlib import Path

NATIVE = Path(__file__).resolve().parents[1]

# What the sources of a folder may include besides the folder itself: other folders, or single files.
ALLOWED = {
    'core': set(),
    'pipeline': {'core'},
    'protocol': set(),
    'io': {'core', 'pipeline', 'protocol', 'programs.h'},
    'cni': {'protocol/protocol.h', 'io/fd.h'},
    'holder': {'protocol', 'programs.h', 'io/fd.h', 'io/sockaddr.h', 'core/socket-address.h'},
}

# Headers of sockets, of waiting for descriptors, and of threads. Atomics are no threads.
WITHOUT_IO = ('core', 'pipeline')
IO_HEADERS = re.compile(
    r'(sys/(socket|un|epoll|eventfd|signalfd|timerfd|select|poll|uio|ioctl|wait|mman)|poll|fcntl|unistd|netdb'
    r'|ifaddrs|netinet/.*|arpa/.*|net/.*|linux/(if|tun|netlink|socket|sock_diag).*|pthread|sched|threads)\.h'
    r'|thread|mutex|shared_mutex|condition_variable|future|latch|barrier|semaphore|stop_token'
)
INCLUDE = re.compile(r'\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')


def violations(native):
    for folder, allowed in ALLOWED.items():
        for path in sorted((native / folder).rglob('*')):
            if path.suffix not in ('.h', '.cc'):
                continue
            for number, line in enumerate(path.read_text().splitlines(), 1):
                found = INCLUDE.match(line)
                wrong = found and wrong_include(native, path, folder, allowed, *found.groups())
                if wrong:
                    yield f'{path.relative_to(native)}:{number}: {wrong}'


def wrong_include(native, path, folder, allowed, ours, system):
    if system:
        if folder in WITHOUT_IO and IO_HEADERS.fullmatch(system):
            return f'{folder} has no I/O and no threads, so it must not include <{system}>'
        return None
    if (path.parent / ours).is_file():  # relative, as in core
        return None
    if not (native / ours).is_file():
        return f'there is no "{ours}"'
    target = ours.split('/')[0]
    if target == folder or target in allowed or ours in allowed:
        return None
    return f'{folder} must not include "{ours}"; it may include {", ".join(sorted({folder} | allowed))}'


def main():
    found = list(violations(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else NATIVE))
    for violation in found:
        print(violation, file=sys.stderr)
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
