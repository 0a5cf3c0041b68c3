"""The story that the gateway is for, told through each back end: three services, their mistakes, and what is to be found of them."""

import unittest

from app import ENTRY, RIGHT_NAMES, SECRETS, Shop, kept_by_chance
from back_ends import Jaeger, Tempo
from harness import Gateway, needs, until

SHARE = 0.25
STORY = """
processors:
  service_name: {{case: kebab, peers: true}}
  redaction: {{allow_all_keys: true, presets: [secrets, pci, gdpr]}}
  stitch: {{mode: placeholder, wait: 3s}}
  tail_sampling:
    decision_wait: 3s
    policies:
      - {{name: errors, type: status_code, status_code: {{status_codes: [ERROR]}}}}
      - {{name: slow, type: latency, latency: {{threshold_ms: 2000}}}}
      - {{name: rest, type: probabilistic, probabilistic: {{sampling_percentage: 25}}}}
exporters:
  otlp_grpc: {{endpoint: "127.0.0.1:{port}", tls: {{insecure: true}}, backend: {back_end}}}
service:
  pipelines:
    traces: {{receivers: [otlp], processors: [service_name, redaction, stitch, tail_sampling], exporters: [otlp_grpc]}}
"""


class Story:
    """Everything is sent once; each test asks the back end about something else."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.back_end = cls.BACK_END()
        cls.addClassCleanup(cls.back_end.kill)
        cls.gateway = Gateway(STORY.format(port=cls.back_end.grpc, back_end=cls.BACK_END.needed))
        cls.addClassCleanup(cls.gateway.kill)
        cls.shop = shop = Shop(seed=9)
        for kind, whole, lost in (("plain", 170, 30), ("error", 7, 3), ("slow", 7, 3)):
            for _ in range(whole):
                shop.request(kind)
            for _ in range(lost):
                shop.request(kind, lost=True)
        for body in shop.bodies():
            cls.gateway.send(body)
        cls.books = cls.gateway.balanced()
        cls.kept = {asked.trace: asked for asked in shop.requests if asked.kind != "plain" or kept_by_chance(asked.trace, SHARE)}

    def trace(self, asked):
        """As the back end has it, when all of it is there."""
        return until(lambda: (found := self.back_end.trace(asked.trace)) and len(found) >= 5 and found, 10) or self.back_end.trace(asked.trace)

    def everything(self):
        """Of all services, when all that was kept is there."""

        def look():
            found, text = self.back_end.of_service("web-frontend")
            return (found, text) if {span.trace for span in found} >= set(self.kept) else None

        return until(look) or self.back_end.of_service("web-frontend")

    def test_all_errors_and_all_that_is_slow_is_kept_and_the_rest_at_its_rate(self):
        spans, _ = self.everything()
        self.assertEqual({span.trace for span in spans}, set(self.kept))
        rest = [asked for asked in self.shop.of_kind("plain") if asked.trace in self.kept]
        self.assertAlmostEqual(len(rest) / len(self.shop.of_kind("plain")), SHARE, delta=0.1)
        dropped = next(asked for asked in self.shop.requests if asked.trace not in self.kept)
        self.assertEqual(self.back_end.trace(dropped.trace), [])

    def test_each_request_is_one_tree_whether_a_span_was_lost_or_not(self):
        for asked in self.kept.values():
            spans = self.trace(asked)
            ids = {span.id for span in spans}
            self.assertEqual((len(spans), len(ids)), (5, 5), f"{asked.kind}, lost: {asked.lost}: {spans}")
            self.assertEqual([span.name for span in spans if not span.parent], [ENTRY])
            self.assertLessEqual({span.parent for span in spans if span.parent}, ids, "every parent is there")
            self.check_what_was_made(asked, spans)

    def check_what_was_made(self, asked, spans):
        made = [span for span in spans if span.attributes.get("tracetailor.stitch.synthetic")]
        self.assertEqual(len(made), asked.lost)
        if made:
            self.assertEqual((made[0].name, made[0].service), ("(missing span)", "user-auth-service"))
            caller = next(span for span in spans if span.id == made[0].parent)
            self.assertEqual((caller.service, caller.name), ("web-frontend", "POST /login"))

    def test_every_service_has_one_name(self):
        self.everything()
        services = until(lambda: (found := self.back_end.services()) >= RIGHT_NAMES and found) or self.back_end.services()
        self.assertEqual(services, RIGHT_NAMES)
        spans, _ = self.everything()
        self.assertEqual({span.attributes["peer.service"] for span in spans if "peer.service" in span.attributes}, {"user-auth-service"})

    def test_no_secret_has_arrived(self):
        spans, text = self.everything()
        for secret in SECRETS:
            self.assertNotIn(secret, text)
        # The text is of what was looked for, and the keys are still there.
        self.assertIn("order-", text)
        keys = {key for span in spans for key in span.attributes}
        self.assertLessEqual({"enduser.mail", "http.request.header.authorization", "user.phone", "login.form", "db.query.text", "payment.card"}, keys)
        self.assertEqual({span.attributes["payment.card"] for span in spans if "payment.card" in span.attributes}, {"****1111"})

    def test_attributes_can_be_looked_for(self):
        self.everything()
        for kind in ("error", "slow", "plain"):
            asked = next(each for each in self.kept.values() if each.kind == kind)
            self.assertEqual(until(lambda: self.back_end.with_attribute("web-frontend", "order.id", asked.order)), {asked.trace})
        self.assertEqual(self.back_end.with_attribute("web-frontend", "order.id", "order-none"), set())

    def test_emoji_in_names_are_what_they_were(self):
        self.everything()
        self.assertIn(ENTRY, self.back_end.names("web-frontend"))
        self.assertIn("SELECT users 👤", self.back_end.names("user-database"))

    def test_errors_are_errors(self):
        spans, _ = self.everything()
        failed = {span.trace for span in spans if span.status == "ERROR"}
        self.assertEqual(failed, {asked.trace for asked in self.shop.of_kind("error")})

    def test_the_books_tell_the_same(self):
        pipeline, exporter = self.books["pipeline", "traces"], self.books["exporter", "otlp_grpc"]
        kept = sum(asked.spans for asked in self.kept.values())
        made = sum(asked.lost for asked in self.kept.values())
        self.assertEqual(pipeline["accepted"], self.shop.spans)
        self.assertEqual(pipeline["created"], made)
        self.assertEqual(pipeline["dropped"], self.shop.spans - kept)
        self.assertEqual((exporter["moved_in"], exporter["delivered"], exporter["failed"]), (kept + made, kept + made, 0))


@needs(Jaeger.needed)
class InJaeger(Story, unittest.TestCase):
    BACK_END = Jaeger


@needs(Tempo.needed)
class InTempo(Story, unittest.TestCase):
    BACK_END = Tempo


if __name__ == "__main__":
    unittest.main()
