"""`load_balancing` before two back ends of which one is away: the other gets its traces, and what waited for the one arrives when it is back, or
elsewhere when it is gone."""

import random
import signal
import unittest
import urllib.request

from back_ends import Jaeger
from harness import Gateway, answer, needs, ports, until
from otlp import Span, request
from test_harm import PROTOBUF

ROOM = 20
CONFIG = """
exporters:
  load_balancing:
    resolver: {{static: {{hostnames: [{hostnames}]}}}}
    protocol:
      otlp:
        tls: {{insecure: true}}
        timeout: 2s
        circuit_breaker: {{open_for: 200ms}}
        retry_on_failure: {{initial_interval: 100ms, max_interval: 200ms}}
        sending_queue: {{queue_size: {room}, num_consumers: 4}}
service:
  pipelines:
    traces: {{receivers: [otlp], exporters: [load_balancing]}}
"""


@needs(Jaeger.needed)
class Spreading(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(self.id())
        self.there = self.jaeger()
        self.away = ports(1)[0]
        self.gateway = Gateway(self.config(self.there.grpc, self.away))
        self.addCleanup(self.gateway.kill)

    def config(self, *back_ends):
        return CONFIG.format(hostnames=", ".join(f'"127.0.0.1:{port}"' for port in back_ends), room=ROOM)

    def jaeger(self, **ports):
        jaeger = Jaeger(**ports)
        self.addCleanup(jaeger.kill)
        return jaeger

    def send(self, count):
        """So many traces, each in a request of its own: those that were taken, and how many were not."""
        taken, refused = set(), 0
        for _ in range(count):
            span = Span(self.random.randbytes(16), self.random.randbytes(8))
            url = f"http://127.0.0.1:{self.gateway.http}/v1/traces"
            status, _, said = answer(urllib.request.Request(url, data=request("spread", [span]), headers={"content-type": PROTOBUF}), 60)
            self.assertIn(status, (200, 503), said)
            if status == 200:
                taken.add(span.trace.hex())
            else:
                refused += 1
        return taken, refused

    def traces(self, *jaegers):
        return [{span.trace for span in jaeger.of_service("spread")[0]} for jaeger in jaegers]

    def send_while_one_is_away(self):
        """What was taken, and what of it is where it belongs."""
        taken, refused = self.send(300)
        # Its room is full of what is for it, and no more than that waits.
        self.assertTrue(until(lambda: len(taken) - len(self.traces(self.there)[0]) == ROOM), f"{len(taken)} taken, {refused} refused")
        self.assertEqual(self.gateway.line("exporter", "load_balancing")["held"], ROOM)
        (here,) = self.traces(self.there)
        # About half are for each; of those for the other, none but what its room holds was taken.
        self.assertGreater(len(here), 90)
        self.assertGreater(refused, 90)
        self.assertEqual(self.gateway.metric("otelcol_exporter_enqueue_failed_spans"), refused)
        return taken, here

    def test_what_waits_for_one_that_is_away_arrives_when_it_is_back(self):
        taken, here = self.send_while_one_is_away()
        back = self.jaeger(grpc=self.away)
        self.gateway.balanced()
        found = until(lambda: (both := self.traces(self.there, back)) and both[0] | both[1] >= taken and both) or self.traces(self.there, back)
        self.assertEqual((found[0], found[1]), (here, taken - here))
        more, refused = self.send(100)
        self.assertEqual((len(more), refused), (100, 0))
        self.gateway.balanced()
        self.gateway.stop()

    def test_what_waits_for_one_that_leaves_goes_to_the_other(self):
        taken, _ = self.send_while_one_is_away()
        self.gateway.config.write_text(self.config(self.there.grpc))
        self.gateway.child.send_signal(signal.SIGHUP)
        self.gateway.balanced()
        self.assertEqual(until(lambda: (found := self.traces(self.there)[0]) >= taken and found), taken)
        self.gateway.stop()


if __name__ == "__main__":
    unittest.main()
