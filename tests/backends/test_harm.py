"""What would hurt a back end does not reach it, and nothing good is lost with it."""

import random
import unittest

from back_ends import Jaeger, Tempo
from harness import Gateway, causes, needs, until
from otlp import Span, part, request

THROUGH = """
processors: {{stitch: {{wait: 300ms}}}}
exporters:
  otlp_grpc:
    endpoint: "127.0.0.1:{port}"
    tls: {{insecure: true}}
    backend: {back_end}
    retry_on_failure: {{initial_interval: 200ms}}
{more}
service:
  pipelines:
    traces: {{receivers: [otlp], processors: [{processors}], exporters: [otlp_grpc]}}
"""
PROTOBUF = "application/x-protobuf"
NO_TRACE_ID = {"empty": b"", "zero": bytes(16), "of 8 bytes": bytes(range(1, 9)), "of 15 bytes": bytes(range(1, 16)), "of 17 bytes": bytes(range(1, 18))}
NO_SPAN_ID = {"empty": b"", "zero": bytes(8), "of 3 bytes": b"\1\2\3", "of 9 bytes": bytes(range(1, 10))}


class Harm:
    @classmethod
    def setUpClass(cls):
        cls.back_end = cls.BACK_END()
        cls.addClassCleanup(cls.back_end.kill)
        cls.random = random.Random(cls.__name__)

    def gateway(self, more="", processors=""):
        gateway = Gateway(THROUGH.format(port=self.back_end.grpc, back_end=self.BACK_END.needed, more=more, processors=processors))
        self.addCleanup(gateway.kill)
        return gateway

    def made_up(self, size):
        return self.random.getrandbits(8 * size - 1).to_bytes(size, "big")[:-1] + b"\1"

    def good(self, **more):
        return Span(self.made_up(16), self.made_up(8), name="good", **more)

    def bad(self):
        """One span of each malformed kind, and the reason that the books have for it."""
        for kind, trace in NO_TRACE_ID.items():
            yield f"trace id {kind}", Span(trace, self.made_up(8), name="bad"), "bad_trace_id"
        for kind, own in NO_SPAN_ID.items():
            yield f"span id {kind}", Span(self.made_up(16), own, name="bad"), "bad_span_id"
        yield "parent id of 3 bytes", Span(self.made_up(16), self.made_up(8), b"\1\2\3", name="bad"), "bad_parent_id"

    def spans_of(self, span):
        return self.back_end.trace(span.trace.hex())

    def check_stored(self, spans):
        """Each is there, and once."""
        for span in spans:
            found = until(lambda: self.spans_of(span), 10)
            self.assertEqual([each.id for each in found], [span.id.hex()], span.name)

    def check_searchable(self, service, spans):
        """By search, too, which what is malformed may break for all that is older."""
        wanted = {span.trace.hex() for span in spans}
        found = until(lambda: (ids := {span.trace for span in self.back_end.of_service(service)[0]}) >= wanted and ids) or set()
        self.assertLessEqual(wanted, found)

    def test_one_malformed_span_costs_its_push_nothing(self):
        gateway = self.gateway()
        stored, reasons = [], {}
        for kind, bad, reason in self.bad():
            with self.subTest(kind):
                before, after = self.good(), self.good()
                gateway.send(request("pushes", [before, bad, after]), PROTOBUF)
                stored += [before, after]
                reasons[reason] = reasons.get(reason, 0) + 1
        together = [self.good() for _ in range(3)]
        bad = list(self.bad())
        gateway.send(request("pushes", [*together[:1], *(span for _, span, _ in bad), *together[1:]]), PROTOBUF)
        stored += together
        books = gateway.balanced()
        self.check_stored(stored)
        self.check_searchable("pushes", stored)
        line = books["pipeline", "traces"]
        self.assertEqual(causes(line, "rejected"), {reason: 2 * count for reason, count in reasons.items()})
        self.assertEqual((line["accepted"], line["moved_out"]), (len(stored) + 2 * len(bad), len(stored)))
        self.assertEqual(books["exporter", "otlp_grpc"]["delivered"], len(stored))
        gateway.stop()

    def test_stitch_gives_ids_to_what_has_none(self):
        gateway = self.gateway(processors="stitch")
        good, bad = self.good(), [span for _, span, reason in self.bad() if reason != "bad_trace_id"]
        gateway.send(request("stitched", [good, *bad]), PROTOBUF)
        self.check_stored([good])
        for span in bad:
            (found,) = until(lambda: self.spans_of(span), 10)
            self.assertEqual(len(found.id), 16)
            self.assertNotEqual(found.id, "0" * 16)
            self.assertEqual(found.parent, "")
        self.check_searchable("stitched", [good, *bad])
        self.assertEqual(gateway.balanced()["exporter", "otlp_grpc"]["delivered"], 1 + len(bad))

    def test_a_message_that_ends_too_early_is_refused_alone(self):
        gateway = self.gateway()
        good = self.good()
        with self.assertRaisesRegex(AssertionError, "^400"):
            gateway.send(request("cut", [self.good()])[:-7], PROTOBUF)
        gateway.send(request("cut", [good]), PROTOBUF)
        self.check_stored([good])
        gateway.balanced()

    def large(self, count, size, **more):
        return [self.good(attributes={"filler": "x" * size}, **more) for _ in range(count)]

    def check_large(self, gateway):
        spans = self.large(60, 100_000)
        gateway.send(request("large", spans), PROTOBUF)
        line = gateway.balanced()["exporter", "otlp_grpc"]
        self.check_stored(spans)
        self.assertEqual((line["delivered"], line["failed"]), (60, 0))

    def test_more_than_4_mib_is_split_beforehand(self):
        self.check_large(self.gateway())

    def test_more_than_4_mib_is_split_when_the_back_end_says_so(self):
        self.check_large(self.gateway("    max_request_bytes: 0"))

    def test_more_than_4_mib_is_split_when_it_was_gathered(self):
        gateway = self.gateway("    sending_queue: {batch: {min_size: 100000, flush_timeout: 1s}}")
        spans = self.large(60, 100_000)
        for at in range(0, 60, 10):
            gateway.send(request("gathered", spans[at : at + 10]), PROTOBUF)
        self.assertEqual(gateway.balanced()["exporter", "otlp_grpc"]["delivered"], 60)
        self.check_stored(spans)

    def test_a_span_above_4_mib_costs_itself_alone(self):
        gateway = self.gateway()
        good, huge = [self.good(), self.good()], self.large(1, 5_000_000)
        gateway.send(request("huge", [good[0], *huge, good[1]]), PROTOBUF)
        self.check_stored(good)
        line = gateway.balanced()["exporter", "otlp_grpc"]
        self.assertEqual((line["delivered"], line["failed"]), (2, 1))
        self.assertEqual(self.spans_of(huge[0]), [])

    def test_fields_of_the_future_pass(self):
        gateway = self.gateway()
        span = self.good(more=part(3000, "from the future"))
        gateway.send(request("future", [span]), PROTOBUF)
        self.check_stored([span])
        gateway.balanced()


@needs(Jaeger.needed)
class JaegerIsNotHarmed(Harm, unittest.TestCase):
    BACK_END = Jaeger


@needs(Tempo.needed)
class TempoIsNotHarmed(Harm, unittest.TestCase):
    BACK_END = Tempo


if __name__ == "__main__":
    unittest.main()
