"""Runs the tests, and says at the end what was run and what was not. `everything` lets nothing be left out."""

import signal
import sys
import unittest
from collections import Counter


def end(*_):
    """Whoever ends this has it clean up, once."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


signal.signal(signal.SIGTERM, end)

wanted, *names = sys.argv[1:]
suite = unittest.defaultTestLoader.loadTestsFromNames(names) if names else unittest.defaultTestLoader.discover(".")
outcome = unittest.TextTestRunner(verbosity=2).run(suite)
left_out = Counter((test.id().rpartition(".")[0], why) for test, why in outcome.skipped)
print(f"\nRUN: {outcome.testsRun - len(outcome.skipped)} tests with back ends and clients.")
for (tests, why), count in sorted(left_out.items()):
    print(f"NOT RUN: {count} tests of {tests}: {why}.")
if left_out:
    print("NOT RUN: see above; tests/backends/install installs what is missing.")
sys.exit(not outcome.wasSuccessful() or not outcome.testsRun or (bool(left_out) and wanted == "everything"))
