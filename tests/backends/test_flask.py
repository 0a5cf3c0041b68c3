"""Three services of Flask and requests, as people write them after a guide: contexts are lost, forged and passed on wrongly, names are spelled in
several ways, and spans are full of what is nobody's business. What can be one tree is one; what cannot is named."""

import os
import signal
import unittest
import urllib.request
from pathlib import Path

from back_ends import Jaeger, Tempo
from harness import HERE, Gateway, Process, answer, listens, needs, page, ports, until

FLASK = os.environ.get("FLASK", "flask-python")
SECRETS = ["jane.doe@example.com", "eyJhbGciOiJIUzI1NiJ9", "correct horse", "4111 1111 1111 1111", "+44 20 7946 0958", "sk-live-4f9a8b7c6d5e4f3a2b1c"]
CONFIG = """
processors:
  service_name: {{case: kebab}}
  redaction: {{allow_all_keys: true, presets: [secrets, pci, gdpr]}}
  stitch: {{mode: placeholder, wait: 3s}}
exporters:
  otlp_grpc: {{endpoint: "127.0.0.1:{port}", tls: {{insecure: true}}, backend: {back_end}}}
service:
  pipelines:
    traces: {{receivers: [otlp], processors: [service_name, redaction, stitch], exporters: [otlp_grpc]}}
"""
# Role and name; the backend is two processes that do not spell it alike.
FRONTEND, BACKENDS, DATABASE = "Shop_Frontend", ["UserAuthService", "user_auth_service"], "UserDB"
RIGHT_NAMES = {"shop-frontend", "user-auth-service", "user-db"}
EACH = 4
# How many spans each path makes, and how many trees of them there are.
PATHS = {"whole": (5, 1), "fail": (5, 1), "forwarded": (5, 1), "homemade": (5, 1), "lost": (5, 2), "upper": (5, 2)}


class Flask:
    """Everything is asked for once; each test looks at something else."""

    @classmethod
    def setUpClass(cls):
        cls.back_end = cls.BACK_END()
        cls.addClassCleanup(cls.back_end.kill)
        cls.gateway = Gateway(CONFIG.format(port=cls.back_end.grpc, back_end=cls.BACK_END.needed))
        cls.addClassCleanup(cls.gateway.kill)
        cls.services, cls.asked = [], {}
        database, *rest = ports(5)
        cls.start("database", DATABASE, database, 0)
        fronts = []
        for name, port, front in zip(BACKENDS, rest[:2], rest[2:]):
            cls.start("backend", name, port, database)
            cls.start("frontend", FRONTEND, front, port)
            fronts.append(front)
        for service, port in cls.services:
            service.wait_until(lambda: listens(port))
        for number in range(EACH):
            for path in PATHS:
                cls.ask(fronts[number % 2], path, f"{path}-{number}")
        # A browser begins the trace, and tells nobody.
        cls.ask(fronts[0], "whole", "browser", {"traceparent": f"00-{'b' * 32}-{'c' * 16}-01"})
        for service, _ in cls.services:
            service.child.send_signal(signal.SIGTERM)
        for service, _ in cls.services:
            code = service.child.wait(30)
            if code or service.said().partition("\n")[2]:
                raise AssertionError(f"{code} {service.said()}")
        cls.books = cls.gateway.balanced()

    @classmethod
    def start(cls, role, name, port, following):
        endpoint = f"http://127.0.0.1:{cls.gateway.http}"
        service = Process(name, [FLASK, str(HERE / "clients/flask_service.py"), role, name, str(port), str(following), endpoint])
        cls.addClassCleanup(service.kill)
        cls.services.append((service, port))

    @classmethod
    def ask(cls, front, path, order, headers=()):
        status, said, _ = answer(urllib.request.Request(f"http://127.0.0.1:{front}/{path}?order={order}", headers=dict(headers)), 30)
        if status != (500 if path == "fail" else 200):
            raise AssertionError(f"{path}: {status}")
        cls.asked[order] = (path, said["trace"])

    def trace(self, order):
        _, trace = self.asked[order]
        found = self.back_end.trace
        return until(lambda: (spans := found(trace)) and len(spans) >= 2 and spans, 10)

    def of_path(self, path):
        return [self.trace(order) for order, (other, _) in self.asked.items() if other == path and order != "browser"]

    def check_tree(self, spans, roots=1):
        ids = {span.id for span in spans}
        self.assertEqual(len(ids), len(spans))
        self.assertEqual(sum(not span.parent for span in spans), roots)
        self.assertLessEqual({span.parent for span in spans if span.parent}, ids, "every parent is there")

    def made(self, spans):
        return [span for span in spans if span.attributes.get("tracetailor.stitch.synthetic")]

    def test_what_is_passed_on_rightly_is_one_tree(self):
        for path in ("whole", "fail"):
            for spans in self.of_path(path):
                self.assertEqual(len(spans), 5)
                self.check_tree(spans)
                self.assertEqual({span.service for span in spans}, RIGHT_NAMES)
                self.assertEqual({span.status for span in spans} & {"ERROR"}, {"ERROR"} if path == "fail" else set())

    def test_headers_that_are_passed_on_as_they_came_are_one_tree(self):
        for spans in self.of_path("forwarded"):
            self.assertEqual(len(spans), 5)
            self.check_tree(spans)
            (query,) = [span for span in spans if span.service == "user-db"]
            (call,) = [span for span in spans if span.id == query.parent]
            self.assertEqual(call.service, "shop-frontend", "that is whose header it was")

    def test_a_parent_that_somebody_made_up_is_one_tree(self):
        for spans in self.of_path("homemade"):
            self.assertEqual(len(spans), 6)
            self.check_tree(spans)
            (made,) = self.made(spans)
            (below,) = [span for span in spans if span.parent == made.id]
            (above,) = [span for span in spans if span.id == made.parent]
            # Below the call, or below whoever made it where times leave that open: both are ancestors.
            self.assertEqual((below.service, above.service), ("user-db", "user-auth-service"))
            self.assertIn(above.kind, ("SERVER", "CLIENT"))

    def test_a_context_that_is_lost_is_two_trees_and_is_named(self):
        for path in ("lost", "upper"):
            for spans in self.of_path(path):
                self.assertEqual([span.service for span in spans], ["shop-frontend"] * 2)
                self.check_tree(spans)
        asked = sum(path in ("lost", "upper") for path, _ in self.asked.values())
        status, text = page(f"http://127.0.0.1:{self.gateway.admin}/health/traces")
        self.assertEqual(status, 200)
        self.assertIn(f"context lost before user-auth-service: {asked} of {len(self.asked)} requests begin a trace there", text)

    def test_a_browser_that_tells_nothing_leaves_no_hole(self):
        spans = self.trace("browser")
        self.assertEqual((len(spans), self.made(spans)), (5, []))
        ids = {span.id for span in spans}
        self.assertEqual({span.parent for span in spans} - ids, {"c" * 16})

    def test_every_service_has_one_name(self):
        # Of a parent that somebody made up it is not known whose it would be.
        names = RIGHT_NAMES | {"unknown"}
        self.assertEqual(until(lambda: (found := self.back_end.services()) >= names and found), names)

    def test_no_secret_has_arrived(self):
        text = "".join(str(span) for service in RIGHT_NAMES for span in [until(lambda: self.back_end.of_service(service)[1], 10)])
        for secret in SECRETS:
            self.assertNotIn(secret, text)
        for there in ("whole-0", "user.email", "db.statement", "login", "duplicate key"):
            self.assertIn(there, text)

    def test_an_order_is_found(self):
        for order in ("whole-0", "homemade-3"):
            self.assertEqual(until(lambda: self.back_end.with_attribute("shop-frontend", "order.id", order)), {self.asked[order][1]})

    def test_the_books_tell_the_same(self):
        sent, made = 5 * len(self.asked), EACH
        self.assertEqual((self.books["pipeline", "traces"]["accepted"], self.books["pipeline", "traces"]["created"]), (sent, made))
        self.assertEqual(self.books["exporter", "otlp_grpc"]["delivered"], sent + made)


@needs(Jaeger.needed)
@unittest.skipUnless(Path(FLASK).exists(), "not installed: flask")
class FlaskToJaeger(Flask, unittest.TestCase):
    BACK_END = Jaeger


@needs(Tempo.needed)
@unittest.skipUnless(Path(FLASK).exists(), "not installed: flask")
class FlaskToTempo(Flask, unittest.TestCase):
    BACK_END = Tempo


if __name__ == "__main__":
    unittest.main()
