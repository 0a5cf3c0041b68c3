"""Coralogix' own client before the exporter for it: it names application and subsystem beside its requests, and the ingress reads them within."""

import json
import os
import subprocess
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from harness import HERE, Gateway, Process, listens, ports, until

LLM_TRACEKIT = os.environ.get("LLM_TRACEKIT", "llm-tracekit-python")
KEY, TOKEN = "cxtp_of-the-gateway", "cxtp_of-the-client"
CONFIG = """
receivers:
  otlp: {{metadata_attributes: {{cx-application-name: cx.application.name, cx-subsystem-name: cx.subsystem.name}}}}
processors: {{batch: {{send_batch_size: {size}, timeout: 20s}}}}
exporters:
  coralogix:
    protocol: {protocol}
    private_key: {key}
    application_name: others
    application_name_attributes: [cx.application.name]
    subsystem_name_attributes: [cx.subsystem.name, service.name]
    domain_settings: {{tls: {{insecure: true}}}}
    traces: {{endpoint: "127.0.0.1:{port}"}}
    retry_on_failure: {{initial_interval: 100ms}}
service:
  pipelines:
    traces: {{receivers: [otlp], processors: [batch], exporters: [coralogix]}}
"""
CLIENTS = [("assistant", "ai-dataprime", "query-generator", "Which tables are there? 🛒"), ("summarizer", "ai-reports", "nightly", "What happened today?")]


class Model(BaseHTTPRequestHandler):
    """A model that says one thing."""

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        message = {"role": "assistant", "content": "Forty-two."}
        said = {
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o-2026",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
        }
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def texts(pairs):
    return {pair["key"]: next(iter(pair["value"].values())) for pair in pairs}


@unittest.skipUnless(Path(LLM_TRACEKIT).exists(), "not installed: llm_tracekit")
class LlmTracekit(unittest.TestCase):
    def setUp(self):
        self.model = ThreadingHTTPServer(("127.0.0.1", 0), Model)
        Thread(target=self.model.serve_forever).start()
        self.addCleanup(self.model.server_close)
        self.addCleanup(self.model.shutdown)

    def ingress(self):
        grpc, http = ports(2)
        ingress = Process("the ingress", [LLM_TRACEKIT, str(HERE / "clients/ingress.py"), KEY, str(grpc), str(http)])
        self.addCleanup(ingress.kill)
        ingress.wait_until(lambda: listens(grpc) and listens(http))
        return ingress, {"grpc": grpc, "http": http}

    def ask(self, gateway, service, application, subsystem, question):
        environment = {name: text for name, text in os.environ.items() if not name.lower().endswith("_proxy")}
        environment |= {"CX_TOKEN": TOKEN, "CX_ENDPOINT": f"http://127.0.0.1:{gateway.grpc}"}
        command = [LLM_TRACEKIT, str(HERE / "clients/llm.py"), service, application, subsystem, f"http://127.0.0.1:{self.model.server_port}/v1", question]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "Forty-two.\n", ""))

    def test_names_that_travel_beside_requests_arrive_within_them(self):
        for protocol in ("grpc", "http"):
            with self.subTest(protocol):
                ingress, ports_of = self.ingress()
                gateway = Gateway(CONFIG.format(protocol=protocol, port=ports_of[protocol], key=KEY, size=len(CLIENTS)))
                self.addCleanup(gateway.kill)
                for client in CLIENTS:
                    self.ask(gateway, *client)
                self.assertEqual(gateway.balanced()["exporter", "coralogix"]["delivered"], len(CLIENTS))
                lines = [json.loads(line) for line in ingress.said().splitlines()[1:]]
                self.assertEqual([line for line in lines if "taken" not in line], [])
                self.check(protocol, lines)
                gateway.stop()

    def check(self, protocol, lines):
        resources = [resource for line in lines for resource in line["taken"]]
        found = {texts(resource["resource"]["attributes"])["service.name"]: resource for resource in resources}
        self.assertEqual(set(found), {service for service, *_ in CLIENTS})
        for service, application, subsystem, question in CLIENTS:
            names = texts(found[service]["resource"]["attributes"])
            self.assertEqual((names["cx.application.name"], names["cx.subsystem.name"]), (application, subsystem))
            ((span,),) = [scope["spans"] for scope in found[service]["scopeSpans"]]
            self.assertIn(question, texts(span["attributes"]).values())
        self.assertEqual({line["protocol"] for line in lines}, {protocol})
        # The client's token ends here: it was the gateway's key that the ingress took.
        self.assertNotIn(TOKEN, json.dumps(lines))


if __name__ == "__main__":
    unittest.main()
