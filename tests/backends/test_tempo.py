"""What is Tempo's own: tenants, limits by which it refuses or forgets, and ids that it cannot be asked about."""

import random
import unittest

from back_ends import Tempo
from harness import Gateway, causes, needs, page, until
from otlp import Span, request
from test_harm import PROTOBUF

CONFIG = """
processors: {{tail_sampling: {{decision_wait: 200ms, maximum_trace_size_bytes: 20000, policies: [{{name: all, type: always_sample}}]}}}}
exporters:
  {exporter}:
    endpoint: "{endpoint}"
    tls: {{insecure: true}}
    backend: tempo
    retry_on_failure: {{initial_interval: 100ms, max_interval: 200ms}}
    {more}
service:
  pipelines:
    traces: {{receivers: [otlp], processors: [{processors}], exporters: [{exporter}]}}
"""


@needs(Tempo.needed)
class TempoItself(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(self.id())

    def tempo(self, **limits):
        tempo = Tempo(**limits)
        self.addCleanup(tempo.kill)
        return tempo

    def gateway(self, tempo, more="", exporter="otlp_grpc", processors=""):
        endpoint = f"127.0.0.1:{tempo.grpc}" if exporter == "otlp_grpc" else f"http://127.0.0.1:{tempo.http}"
        gateway = Gateway(CONFIG.format(endpoint=endpoint, exporter=exporter, more=more, processors=processors))
        self.addCleanup(gateway.kill)
        return gateway

    def span(self, **attributes):
        return Span(self.random.randbytes(16), self.random.randbytes(8), attributes=attributes)

    def ids(self, tempo, span):
        return [found.id for found in until(lambda: tempo.trace(span.trace.hex()), 10)]

    def counted(self, tempo, name):
        lines = page(f"http://127.0.0.1:{tempo.query}/metrics")[1].splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))

    def test_a_tenant_that_is_missing_is_named(self):
        tempo = self.tempo(tenants=True)
        for exporter in ("otlp_grpc", "otlp_http"):
            with self.subTest(exporter):
                gateway = self.gateway(tempo, exporter=exporter)
                gateway.send(request("a", [self.span()]), PROTOBUF)
                self.assertTrue(until(lambda: "name one in headers: {X-Scope-OrgID: …}" in gateway.said(), 10), gateway.said())
                # It waits for whoever reads that, and does not knock again and again.
                self.assertEqual(gateway.line("exporter", exporter)["held"], 1)
                gateway.kill()

    def test_a_tenant_finds_its_own_traces_and_nobody_else_does(self):
        tempo = self.tempo(tenants=True)
        for exporter in ("otlp_grpc", "otlp_http"):
            with self.subTest(exporter):
                gateway, span = self.gateway(tempo, "headers: {X-Scope-OrgID: shop}", exporter), self.span()
                gateway.send(request("a", [span]), PROTOBUF)
                gateway.balanced()
                self.assertEqual(self.ids(tempo.of("shop"), span), [span.id.hex()])
                self.assertEqual(tempo.of("bank").trace(span.trace.hex()), [])
                gateway.stop()

    def check_that_it_is_split(self, **limits):
        tempo = self.tempo(**limits)
        for exporter in ("otlp_grpc", "otlp_http"):
            with self.subTest(exporter):
                gateway, spans = self.gateway(tempo, exporter=exporter), [self.span(filler="x" * 2000) for _ in range(500)]
                gateway.send(request("burst", spans), PROTOBUF)
                line = gateway.balanced()["exporter", exporter]
                self.assertEqual((line["delivered"], line["failed"]), (500, 0))
                for span in spans[::50]:
                    self.assertEqual(self.ids(tempo, span), [span.id.hex()])
                self.assertGreater(self.counted(tempo, "tempo_discarded_spans_total"), 0, "it did refuse")
                gateway.stop()

    def test_a_batch_above_its_rate_is_split(self):
        self.check_that_it_is_split(rate=500_000, burst=600_000)

    def test_a_batch_above_a_burst_below_the_rate_is_split(self):
        # It speaks of the rate then, and asks to wait, which would never help.
        self.check_that_it_is_split(rate=15_000_000, burst=300_000)

    def test_what_it_cuts_is_counted_here_as_there(self):
        tempo = self.tempo()
        gateway, span = self.gateway(tempo), self.span(prompt="x" * 2049, short="y" * 2048, other="z" * 9000)
        gateway.send(request("cut", [span]), PROTOBUF)
        gateway.balanced()
        (found,) = until(lambda: tempo.trace(span.trace.hex()))
        self.assertEqual({key: len(text) for key, text in found.attributes.items()}, {"prompt": 2048, "short": 2048, "other": 2048})
        self.assertEqual(gateway.metric("tracetailor_exporter_attributes_cut_total"), 2)
        self.assertEqual(self.counted(tempo, "tempo_distributor_attributes_truncated_total"), 2)

    def test_a_trace_that_it_would_forget_silently_is_dropped_here_and_counted(self):
        tempo = self.tempo(trace=20_000)
        gateway, small = self.gateway(tempo, processors="tail_sampling"), self.span()
        trace = self.random.randbytes(16)
        large = [Span(trace, self.random.randbytes(8), attributes={"filler": "x" * 2000}) for _ in range(16)]
        gateway.send(request("sizes", [small, *large]), PROTOBUF)
        books = gateway.balanced()
        self.assertEqual(self.ids(tempo, small), [small.id.hex()])
        self.assertEqual(tempo.trace(trace.hex()), [])
        self.assertEqual(causes(books["pipeline", "traces"], "dropped"), {"too_large": 16})
        self.assertEqual(self.counted(tempo, "tempo_discarded_spans_total"), 0)

    def test_what_it_forgets_of_a_large_trace_is_counted_here_as_there(self):
        tempo = self.tempo()
        for exporter in ("otlp_grpc", "otlp_http"):
            with self.subTest(exporter):
                gateway, trace = self.gateway(tempo, exporter=exporter), self.random.randbytes(16)
                before = self.counted(tempo, "tempo_discarded_spans_total")
                # Three of four are within 5 MB.
                for _ in range(4):
                    spans = [Span(trace, self.random.randbytes(8), attributes={"filler": "x" * 2000}) for _ in range(750)]
                    gateway.send(request("large", [*spans, self.span()]), PROTOBUF)
                    gateway.balanced()
                self.assertEqual(gateway.metric("tracetailor_exporter_spans_forgotten_total"), 750)
                self.assertEqual(self.counted(tempo, "tempo_discarded_spans_total") - before, 750)
                self.assertEqual(len(until(lambda: len(found := tempo.trace(trace.hex())) >= 2250 and found, 10)), 2250)
                self.assertIn("Tempo forgets what is too much of one trace without a word", gateway.said())
                gateway.stop()

    def test_traceql_finds_what_passed(self):
        tempo = self.tempo()
        gateway, span = self.gateway(tempo), self.span(**{"user.id": "123"})
        gateway.send(request("checkout", [span, self.span(**{"user.id": "124"})]), PROTOBUF)
        gateway.balanced()
        query = '{ resource.service.name = "checkout" && span.user.id = "123" }'
        self.assertEqual(set(until(lambda: tempo.search(query))), {span.trace.hex()})
        self.assertEqual(len(until(lambda: len(found := tempo.search('{ name = "span" }')) == 2 and found)), 2)


if __name__ == "__main__":
    unittest.main()
