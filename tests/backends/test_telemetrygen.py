"""OpenTelemetry's own generator of load, over gRPC and HTTP: every trace that it makes is in the back end, whole."""

import os
import subprocess
import unittest

from back_ends import Jaeger
from harness import Gateway, needs, until
from test_senders import CONFIG

TRACES, CHILDREN = 200, 4


@needs(Jaeger.needed, "telemetrygen")
class Telemetrygen(unittest.TestCase):
    def check(self, protocol):
        jaeger = Jaeger()
        self.addCleanup(jaeger.kill)
        gateway = Gateway(CONFIG.format(exporter="otlp_grpc", endpoint=f"127.0.0.1:{jaeger.grpc}"))
        self.addCleanup(gateway.kill)
        port = ["--otlp-http", f"--otlp-endpoint=127.0.0.1:{gateway.http}"] if protocol == "http" else [f"--otlp-endpoint=127.0.0.1:{gateway.grpc}"]
        command = ["telemetrygen", "traces", "--otlp-insecure", *port, f"--traces={TRACES}", f"--child-spans={CHILDREN}", "--workers=1", "--rate=0"]
        more = ["--service=load", "--span-duration=1ms", '--telemetry-attributes=shop="🛒"', "--status-code=Ok"]
        environment = {name: text for name, text in os.environ.items() if not name.lower().endswith("_proxy")}
        done = subprocess.run([*command, *more], capture_output=True, text=True, timeout=60, env=environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(gateway.balanced()["exporter", "otlp_grpc"]["delivered"], TRACES * (1 + CHILDREN))
        found = until(lambda: len(spans := jaeger.of_service("load")[0]) == TRACES * (1 + CHILDREN) and spans)
        self.assertTrue(found, "not all spans have arrived")
        self.assertEqual(len({span.trace for span in found}), TRACES)
        roots = {span.trace: span.id for span in found if not span.parent}
        self.assertEqual([span for span in found if span.parent and span.parent != roots[span.trace]], [])
        self.assertEqual({(span.attributes["shop"], span.status) for span in found}, {("🛒", "OK")})
        gateway.stop()

    def test_over_grpc(self):
        self.check("grpc")

    def test_over_http(self):
        self.check("http")


if __name__ == "__main__":
    unittest.main()
