"""The pod without Kubernetes: what is rendered is run, as the user and with the root that it has there."""

import shutil
import sys
import unittest

from chart import needs, run


def may_be_alone():
    return shutil.which("unshare") and run("unshare", "--net", "--mount", "true").returncode == 0


@needs("helm", "setpriv", "ip", "mount")
@unittest.skipUnless(may_be_alone(), "not allowed here: a network of its own (unshare --net --mount)")
class Pod(unittest.TestCase):
    def test_what_is_rendered_runs_and_answers(self):
        # A network of its own: its ports are free, and names lead where the tests say.
        done = run("unshare", "--net", "--mount", sys.executable, "-m", "unittest", "--verbose", "in_pod")
        sys.stderr.write(f"\n{done.stderr}")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r"Ran [1-9]")


if __name__ == "__main__":
    unittest.main()
