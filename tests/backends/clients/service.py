"""One service of a shop, with OpenTelemetry's SDK for Python: it is asked over HTTP, asks the next one, and tells a gateway.

    python service.py NAME PORT NEXT PROTOCOL ENDPOINT

NEXT is the port of the service to ask, or 0; PROTOCOL is grpc, http, or silent: then the context is passed on, and nothing told.
"""

import http.client
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as Grpc
from opentelemetry.exporter.otlp.proto.http.trace_exporter import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as Http
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

name, port, following, protocol, endpoint = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5]
provider = TracerProvider(resource=Resource({"service.name": name}))
if protocol == "grpc":
    provider.add_span_processor(BatchSpanProcessor(Grpc(endpoint=endpoint, insecure=True), schedule_delay_millis=100))
elif protocol == "http":
    provider.add_span_processor(BatchSpanProcessor(Http(endpoint=f"{endpoint}/v1/traces", compression=Compression.Gzip), schedule_delay_millis=100))
tracer = provider.get_tracer("shop")


def ask(path):
    headers = {}
    with tracer.start_as_current_span(f"GET {path} 📞", kind=trace.SpanKind.CLIENT):
        propagate.inject(headers)
        connection = http.client.HTTPConnection("127.0.0.1", following, timeout=30)
        connection.request("GET", path, headers=headers)
        status = connection.getresponse().status
        connection.close()
    return status


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        context = propagate.extract(dict(self.headers.items()))
        with tracer.start_as_current_span(f"GET {self.path}", context=context, kind=trace.SpanKind.SERVER, attributes={"user.mail": "jane.doe@example.com"}) as span:
            span.add_event("asked", {"authorization": "Bearer s3cr3t-token-of-jane"})
            status = ask(self.path) if following else (500 if self.path == "/fail" else 200)
            if status == 500:
                span.record_exception(ValueError("no such customer: jane.doe@example.com"))
                span.set_status(trace.StatusCode.ERROR)
            ids = span.get_span_context()
        self.send_response(status)
        self.send_header("trace", trace.format_trace_id(ids.trace_id))
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
signal.signal(signal.SIGTERM, lambda *_: Thread(target=server.shutdown).start())
server.serve_forever()
# Sends what it has not sent yet.
provider.shutdown()
