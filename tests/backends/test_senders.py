"""One trace of each SDK, over each protocol, through the gateway to one back end and past it to another: both have the same, to the last bit."""

import json
import os
import shutil
import subprocess
import unittest
from pathlib import Path

from back_ends import Jaeger
from harness import HERE, Gateway, needs, until

CONFIG = """
exporters:
  {exporter}: {{endpoint: "{endpoint}", tls: {{insecure: true}}, backend: jaeger}}
service:
  pipelines:
    traces: {{receivers: [otlp], exporters: [{exporter}]}}
"""
JAVA_SDK = os.environ.get("JAVA_SDK", "java-sdk")
PYTHON_SDK, NODE_SDK = os.environ.get("PYTHON_SDK", "python-sdk"), os.environ.get("NODE_SDK", "node-sdk")


def single_spans(text):
    """Each span with its resource and its scope, as text."""
    found = []
    for resource in json.loads(text)["result"]["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            around = [{key: given for key, given in each.items() if key not in ("scopeSpans", "spans")} for each in (resource, scope)]
            found += [json.dumps([*around, span], sort_keys=True) for span in scope["spans"]]
    return sorted(found)


@needs(Jaeger.needed)
class Senders(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.behind, cls.beside = Jaeger(), Jaeger()
        for jaeger in (cls.behind, cls.beside):
            cls.addClassCleanup(jaeger.kill)
        cls.gateways = {}
        for exporter, endpoint in (("otlp_grpc", f"127.0.0.1:{cls.behind.grpc}"), ("otlp_http", f"http://127.0.0.1:{cls.behind.http}")):
            cls.gateways[exporter] = Gateway(CONFIG.format(exporter=exporter, endpoint=endpoint))
            cls.addClassCleanup(cls.gateways[exporter].kill)

    def check(self, command, protocols):
        for protocol in protocols:
            for exporter, gateway in self.gateways.items():
                with self.subTest(protocol=protocol, exporter=exporter):
                    self.check_one(command, protocol, exporter, gateway)

    def check_one(self, command, protocol, exporter, gateway):
        before = gateway.balanced()["exporter", exporter]["delivered"]
        places = [f"http://127.0.0.1:{to.grpc if protocol == 'grpc' else to.http}" for to in (gateway, self.beside)]
        environment = {name: text for name, text in os.environ.items() if not name.lower().endswith("_proxy")} | {"NODE_PATH": f"{NODE_SDK}/node_modules"}
        done = subprocess.run([*command, protocol, *places], capture_output=True, text=True, timeout=60, env=environment)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(gateway.balanced()["exporter", exporter]["delivered"] - before, 2)
        passed, past = (self.kept(jaeger, done.stdout.strip()) for jaeger in (self.behind, self.beside))
        self.assertEqual(passed, past)
        for text in ("GET /checkout 🛒", "no money 💸", "because", "ünï 🎉"):
            self.assertIn(json.dumps(text)[1:-1], "".join(passed))

    def kept(self, jaeger, trace):
        """Both spans, when they are there."""

        def look():
            status, text = jaeger.ask(f"/api/v3/traces/{trace}")
            found = single_spans(text) if status == 200 else []
            return found if len(found) == 2 else None

        found = until(look, 10)
        self.assertTrue(found, "not both spans have arrived")
        return found

    @unittest.skipUnless(Path(PYTHON_SDK).exists(), "not installed: python_sdk")
    def test_python(self):
        self.check([PYTHON_SDK, str(HERE / "clients/sender.py")], ["grpc", "http"])

    @unittest.skipUnless(Path(NODE_SDK).exists() and shutil.which("node"), "not installed: node_sdk")
    def test_node(self):
        self.check(["node", str(HERE / "clients/sender.js")], ["grpc", "http", "json"])

    @unittest.skipUnless(Path(JAVA_SDK).exists() and shutil.which("java"), "not installed: java_sdk")
    def test_java(self):
        self.check(["java", "-Dfile.encoding=UTF-8", "-XX:TieredStopAtLevel=1", "-cp", f"{JAVA_SDK}/*", str(HERE / "clients/java/Sender.java")], ["grpc", "http"])

    @needs("go-sdk-sender")
    def test_go(self):
        self.check(["go-sdk-sender"], ["grpc", "http"])


if __name__ == "__main__":
    unittest.main()
