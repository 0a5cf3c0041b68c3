"""One of three services, as people write them after a guide: Flask, requests, and a tracer that is used by hand.

    python flask_service.py ROLE NAME PORT NEXT ENDPOINT

ROLE is frontend, backend or database; NEXT is the port of the service to ask, or 0. What a path does wrong is said where it is done.
"""

import logging
import os
import signal
import sys
from threading import Thread

import requests
from flask import Flask, abort, request
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract, inject
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from werkzeug.serving import make_server

role, name, port, following, endpoint = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
provider = TracerProvider(resource=Resource.create({"service.name": name}))
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces"), schedule_delay_millis=100))
tracer = provider.get_tracer(role)
app = Flask(role)


def headers_for(path):
    """What is sent along: right only where the path says nothing else."""
    headers = {}
    inject(headers)
    if role == "frontend" and path == "lost":
        # "The backend need not know."
        return {}
    if role == "frontend" and path == "upper":
        # An id in capitals, which libraries do not read.
        return {"traceparent": headers["traceparent"].upper()}
    if role == "backend" and path == "forwarded":
        # The headers that came, instead of the context that is.
        return {"traceparent": request.headers["traceparent"]}
    if role == "backend" and path == "homemade":
        # A parent of its own making, which nobody will ever tell of.
        version, trace_id, _, flags = headers["traceparent"].split("-")
        return {"traceparent": "-".join((version, trace_id, os.urandom(8).hex(), flags))}
    return headers


def ask(path):
    with tracer.start_as_current_span(f"call {path} 📞", kind=trace.SpanKind.CLIENT) as span:
        url = f"http://127.0.0.1:{following}/{path}"
        span.set_attribute("http.url", f"{url}?api_key=sk-live-4f9a8b7c6d5e4f3a2b1c")
        return requests.get(url, params=request.args, headers=headers_for(path), timeout=30)


@app.get("/<path>")
def serve(path):
    with tracer.start_as_current_span(f"{request.method} /{path}", context=extract(request.headers), kind=trace.SpanKind.SERVER) as span:
        ids = span.get_span_context()
        if role == "frontend":
            span.set_attribute("order.id", request.args["order"])
            span.set_attribute("user.email", "jane.doe@example.com")
            span.set_attribute("http.request.header.authorization", "Bearer " + "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlLW9mLWl0")
        if role == "backend":
            span.add_event("login", {"user.name": "Jane", "password": "correct horse", "card": "4111 1111 1111 1111"})
        if role == "database":
            span.set_attribute("db.statement", "SELECT id FROM users WHERE email = 'jane.doe@example.com' AND phone = '+44 20 7946 0958'")
        if role == "database" and path == "fail":
            span.record_exception(ValueError("duplicate key: jane.doe@example.com"))
            span.set_status(trace.StatusCode.ERROR, "duplicate key")
            abort(500)
        answer = ask(path) if following else None
        if answer is not None and answer.status_code != 200:
            span.set_status(trace.StatusCode.ERROR)
            return "", answer.status_code, {"trace": trace.format_trace_id(ids.trace_id)}
        return "", 200, {"trace": trace.format_trace_id(ids.trace_id)}


logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = make_server("127.0.0.1", port, app, threaded=True)
signal.signal(signal.SIGTERM, lambda *_: Thread(target=server.shutdown).start())
server.serve_forever()
# Sends what it has not sent yet.
provider.shutdown()
