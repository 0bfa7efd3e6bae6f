#!/usr/bin/env python3
"""layers.py accepts the native sources, and finds each violation in the sources of lint/broken."""

import unittest

from layers import NATIVE, violations


class Layers(unittest.TestCase):
    def test_the_native_sources_keep_their_layers(self):
        self.assertEqual(list(violations(NATIVE)), [])

    def test_every_violation_is_found_and_nothing_else(self):
        found = [line.split(': ', 1) for line in violations(NATIVE / 'lint' / 'broken')]
        self.assertEqual(
            [(place, text.split(',')[0].split(';')[0]) for place, text in found],
            [
                ('core/thing.h:5', 'core has no I/O and no threads'),
                ('core/thing.h:7', 'core must not include "pipeline/stage.h"'),
                ('pipeline/stage.h:5', 'pipeline has no I/O and no threads'),
                ('pipeline/stage.h:8', 'pipeline must not include "io/socket.h"'),
                ('pipeline/stage.h:9', 'there is no "core/absent.h"'),
                ('protocol/message.h:4', 'protocol must not include "core/thing.h"'),
                ('io/socket.h:9', 'io must not include "holder/keeper.h"'),
                ('holder/keeper.h:5', 'holder must not include "io/socket.h"'),
            ],
        )


if __name__ == '__main__':
    unittest.main()
