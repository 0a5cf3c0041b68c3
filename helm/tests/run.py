"""Runs the tests of the chart, and says at the end what was not run. `everything` lets nothing be left out."""

import sys
import unittest

suite = unittest.defaultTestLoader.discover(".")
outcome = unittest.TextTestRunner(verbosity=2).run(suite)
left_out = sorted({(test.id(), why) for test, why in outcome.skipped})
for test, why in left_out:
    print(f"NOT RUN: {test}: {why}")
if left_out:
    print(f"\nNOT RUN: {len(left_out)} tests of the chart, see above. helm/test installs what it can.")
sys.exit(not outcome.wasSuccessful() or (bool(left_out) and "everything" in sys.argv))
