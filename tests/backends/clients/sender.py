"""Sends one trace with OpenTelemetry's SDK for Python to two places, and prints its id.

    python sender.py PROTOCOL GATEWAY BACK_END        PROTOCOL is grpc or http
"""

import sys

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as Grpc
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as Http
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

protocol, *places = sys.argv[1:]
provider = TracerProvider(resource=Resource({"service.name": "sender", "process.tags": ["a", "b"]}))
for place in places:
    exporter = Grpc(endpoint=place, insecure=True) if protocol == "grpc" else Http(endpoint=f"{place}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
shop = provider.get_tracer("shop", "1.2.3")

told = {"text": "ünï 🎉", "whole": 42, "part": 0.25, "yes": True, "list": [1, 2]}
with shop.start_as_current_span("GET /checkout 🛒", kind=trace.SpanKind.SERVER, attributes=told) as parent:
    links = [trace.Link(parent.get_span_context(), {"why": "because"})]
    with shop.start_as_current_span("charge", kind=trace.SpanKind.CLIENT, links=links) as child:
        child.add_event("tried", {"again": 3})
        child.record_exception(ValueError("no money 💸"))
        child.set_status(trace.StatusCode.ERROR, "declined")
print(trace.format_trace_id(parent.get_span_context().trace_id))
provider.shutdown()
