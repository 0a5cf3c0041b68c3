"""Runs the tests of the chart, and says at the end what was not run. `everything` lets nothing be left out for want of a tool."""

import sys
import unittest

# Where the binary lacks something, the chart refuses what needs it, and that is tested.
EXPECTED = "the binary has no"

suite = unittest.defaultTestLoader.discover(".")
outcome = unittest.TextTestRunner(verbosity=2).run(suite)
left_out = sorted({(test.id(), why) for test, why in outcome.skipped})
for test, why in left_out:
    print(f"NOT RUN: {test}: {why}")
wanting = [why for _, why in left_out if not why.startswith(EXPECTED)]
if wanting:
    print(f"\nNOT RUN: {len(wanting)} tests of the chart for want of tools. helm/test installs what it can.")
sys.exit(not outcome.wasSuccessful() or (bool(wanting) and "everything" in sys.argv))
