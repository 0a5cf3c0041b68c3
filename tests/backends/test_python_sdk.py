"""Services with OpenTelemetry's SDK for Python, each a process, over gRPC and over HTTP; one of them passes contexts on and tells nothing."""

import os
import signal
import unittest
import urllib.request
from pathlib import Path

from app import kept_by_chance
from back_ends import Jaeger
from harness import HERE, Gateway, Process, answer, listens, needs, ports, until
from test_story import SHARE, STORY

PYTHON_SDK = os.environ.get("PYTHON_SDK", "python-sdk")
SECRETS = ["jane.doe@example.com", "s3cr3t-token-of-jane"]


@needs(Jaeger.needed)
@unittest.skipUnless(Path(PYTHON_SDK).exists(), "not installed: python_sdk")
class PythonSdk(unittest.TestCase):
    def setUp(self):
        self.jaeger = Jaeger()
        self.addCleanup(self.jaeger.kill)
        self.gateway = Gateway(STORY.format(port=self.jaeger.grpc, back_end="jaeger"))
        self.addCleanup(self.gateway.kill)
        self.services = []

    def start(self, name, port, following, protocol):
        endpoint = f"http://127.0.0.1:{self.gateway.http if protocol == 'http' else self.gateway.grpc}"
        service = Process(name, [PYTHON_SDK, str(HERE / "clients/service.py"), name, str(port), str(following), protocol, endpoint])
        self.addCleanup(service.kill)
        self.services.append(service)
        return lambda: service.wait_until(lambda: listens(port))

    def shop(self, *protocols):
        """Three services, told apart by nothing but their spelling; the first is asked."""
        first, second, third = ports(3)
        waits = [self.start("ShopFront", first, second, protocols[0]), self.start("user_auth", second, third, protocols[1]), self.start("UserDb", third, 0, protocols[2])]
        for wait in waits:
            wait()
        return first

    def ask(self, port, path):
        status, headers, _ = answer(urllib.request.Request(f"http://127.0.0.1:{port}{path}"), 30)
        self.assertEqual(status, 500 if path == "/fail" else 200)
        return headers["trace"]

    def end(self):
        for service in self.services:
            service.child.send_signal(signal.SIGTERM)
        for service in self.services:
            self.assertEqual(service.child.wait(30), 0, service.said())
            # What an exporter has to complain of, it logs.
            self.assertEqual(service.said().partition("\n")[2], "")
        return self.gateway.balanced()

    def check(self, protocols, spans_told, made):
        front = self.shop(*protocols)
        asked = {self.ask(front, path): path for path in ["/buy"] * 12 + ["/fail"] * 3}
        books = self.end()
        kept = {trace for trace, path in asked.items() if path == "/fail" or kept_by_chance(trace, SHARE)}
        self.assertEqual(books["pipeline", "traces"]["accepted"], len(asked) * spans_told)
        self.assertEqual(books["exporter", "otlp_grpc"]["delivered"], len(kept) * (spans_told + made))
        found, text = until(lambda: (got := self.jaeger.of_service("shop-front")) and {span.trace for span in got[0]} >= kept and got)
        self.assertEqual({span.trace for span in found}, kept)
        for trace in kept:
            self.check_tree([span for span in found if span.trace == trace], spans_told, made, asked[trace])
        for secret in SECRETS:
            self.assertNotIn(secret, text)
        self.assertIn("asked", text)
        self.gateway.stop()

    def check_tree(self, spans, spans_told, made, path):
        ids = {span.id for span in spans}
        self.assertEqual((len(spans), len(ids)), (spans_told + made, spans_told + made))
        self.assertEqual([span.name for span in spans if not span.parent], [f"GET {path}"])
        self.assertLessEqual({span.parent for span in spans if span.parent}, ids)
        self.assertEqual(sum(bool(span.attributes.get("tracetailor.stitch.synthetic")) for span in spans), made)
        self.assertIn(f"GET {path} 📞", {span.name for span in spans})
        self.assertEqual("ERROR" in {span.status for span in spans}, path == "/fail")

    def test_three_services_over_grpc_and_http(self):
        self.check(("grpc", "http", "grpc"), spans_told=5, made=0)
        self.assertEqual(self.jaeger.services(), {"shop-front", "user-auth", "user-db"})

    def test_a_service_that_passes_the_context_on_and_tells_nothing(self):
        self.check(("http", "silent", "grpc"), spans_told=3, made=1)
        # Of the missing span it is known that it called another process, and not who it was of.
        self.assertEqual(self.jaeger.services(), {"shop-front", "unknown", "user-db"})


if __name__ == "__main__":
    unittest.main()
