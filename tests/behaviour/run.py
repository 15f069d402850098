#!/usr/bin/env python3
"""The facts about Prosody that Bascule stands on, each tried on a private server. README.md tells more."""

import sys
import time
import unittest

import components_test
import rooms_test
import sessions_test
from facts import PLACES, ROOT, BehaviourTest, Servers


class Documents(unittest.TestCase):
    def test_every_place_that_a_fact_names_is_there(self):
        for place, (file, words) in PLACES.items():
            text = " ".join((ROOT / file).read_text(encoding="utf-8").split())
            self.assertIn(words, text, f"{place}: {file} has no such words any more")

    def test_every_test_names_its_fact(self):
        for module in (components_test, rooms_test, sessions_test):
            for suite in unittest.defaultTestLoader.loadTestsFromModule(module):
                for test in suite:
                    method = getattr(test, test._testMethodName)  # pylint: disable=protected-access
                    self.assertIn(method.fact[2], PLACES, test.id())


def main():
    began = time.monotonic()
    loader = unittest.defaultTestLoader
    wanted = sys.argv[1:]  # Words of names of tests; none: all.
    suite = unittest.TestSuite(loader.loadTestsFromTestCase(Documents))
    for module in (rooms_test, sessions_test, components_test):
        for group in loader.loadTestsFromModule(module):
            suite.addTests(test for test in group if not wanted or any(word in test.id() for word in wanted))
    try:
        Servers.start()
        print(f"Prosody {Servers.version}", flush=True)
        outcome = unittest.TextTestRunner(verbosity=2, stream=sys.stdout).run(suite)
    finally:
        Servers.stop()
    print(f"took {time.monotonic() - began:.1f} s")
    return 0 if outcome.wasSuccessful() and outcome.testsRun > 2 else 1


if __name__ == "__main__":
    sys.exit(main())
