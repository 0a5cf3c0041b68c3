"""Coralogix' ingress, for tests: it takes nothing without the key, nothing uncompressed, nothing too large, no resource without names.

    python ingress.py KEY GRPC_PORT HTTP_PORT

Writes a line of JSON for each request: {"taken": [...]}, a resource each, or {"refused": "why"}.
"""

import gzip
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

import grpc
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse

key, grpc_port, http_port = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
MOST = 10_000_000
NAMES = ("cx.application.name", "cx.subsystem.name")
Code = grpc.StatusCode
HTTP = {Code.OK: 200, Code.INVALID_ARGUMENT: 400, Code.UNAUTHENTICATED: 401, Code.PERMISSION_DENIED: 403, Code.RESOURCE_EXHAUSTED: 413}
writing = Lock()


def judge(protocol, metadata, body):
    """The code to answer with; what was taken or refused is written."""
    keys = [text for name, text in metadata if name.lower() == "authorization"]
    code, why = Code.OK, None
    if len(keys) != 1 or not keys[0].startswith("Bearer "):
        code, why = Code.UNAUTHENTICATED, f"{len(keys)} authorizations"
    elif keys[0] != f"Bearer {key}":
        code, why = Code.PERMISSION_DENIED, "not a key of this region"
    elif len(body) > MOST:
        code, why = Code.RESOURCE_EXHAUSTED, "too large"
    else:
        resources = MessageToDict(ExportTraceServiceRequest.FromString(body)).get("resourceSpans", [])
        for resource in resources:
            attributes = resource.get("resource", {}).get("attributes", [])
            for name in NAMES:
                if [bool(each["value"].get("stringValue")) for each in attributes if each["key"] == name] != [True]:
                    code, why = Code.INVALID_ARGUMENT, f"not one {name} in {attributes}"
    headers = sorted({name.lower() for name, _ in metadata})
    line = {"protocol": protocol, "headers": headers} | ({"refused": why} if why else {"taken": resources})
    with writing:
        print(json.dumps(line), flush=True)
    return code, why


def export(body, context):
    code, why = judge("grpc", context.invocation_metadata(), body)
    if code is not Code.OK:
        context.abort(code, why)
    return ExportTraceServiceResponse().SerializeToString()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        wanted = ("/v1/traces", "application/x-protobuf", "gzip")
        if (self.path, self.headers["content-type"], self.headers["content-encoding"]) == wanted:
            code, _ = judge("http", self.headers.items(), gzip.decompress(body))
        else:
            code = Code.INVALID_ARGUMENT
            print(json.dumps({"refused": f"{self.path} {self.headers}"}), flush=True)
        self.send_response(HTTP[code])
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


service = {"Export": grpc.unary_unary_rpc_method_handler(export)}
server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.max_receive_message_length", MOST + 1)])
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("opentelemetry.proto.collector.trace.v1.TraceService", service),))
server.add_insecure_port(f"127.0.0.1:{grpc_port}")
server.start()
ThreadingHTTPServer(("127.0.0.1", http_port), Handler).serve_forever()
