"""What every test here needs: processes that end with it, ports of their own, waiting that is bounded, and a gateway."""

import atexit
import ctypes
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
TRACETAILOR = os.environ.get("TRACETAILOR", str(REPOSITORY / "target/debug/tracetailor"))
# Nothing on the way to a process of ours asks a proxy.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def needs(*tools):
    """Leaves a test out where a tool is missing; `run` says so loudly, or refuses to leave anything out."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    return unittest.skipIf(missing, f"not installed: {', '.join(missing)}")


def until(what, seconds=30):
    """Looks until it holds, and gives what it found; how long that takes is bounded."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.02)
    return what()


def ports(count):
    """Ports that nobody has, below those that the system gives to connections that go out."""
    held = []
    try:
        for candidate in random.SystemRandom().sample(range(16_384, 32_768), 16_384):
            if len(held) == count:
                break
            taken = socket.socket()
            held.append(taken)
            try:
                taken.bind(("127.0.0.1", candidate))
            except OSError:
                held.pop().close()
        return [each.getsockname()[1] for each in held]
    finally:
        for each in held:
            each.close()


def answer(request, seconds=10):
    """Status, headers and body, also of what is refused; status None where nobody answers."""
    try:
        with OPENER.open(request, timeout=seconds) as got:
            return got.status, got.headers, got.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()
    except (OSError, EOFError) as error:
        return None, {}, str(error).encode()


def page(url, headers=()):
    status, _, body = answer(urllib.request.Request(url, headers=dict(headers)))
    return status, body.decode(errors="replace")


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def _end_with_the_tests():
    # Also where the tests are killed and clean nothing up.
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Process:
    """A child with a folder and a log; it is killed at the end of whoever started it."""

    def __init__(self, name, command, environment=()):
        self.name = name
        self.folder = Path(tempfile.mkdtemp(prefix="tracetailor-backends-"))
        self.log = open(self.folder / "log", "w")
        child_environment = {**os.environ, **dict(environment), "DATA": str(self.folder)}
        # Proxies of this machine are for others.
        for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            child_environment.pop(proxy, None)
        self.child = subprocess.Popen(
            command, env=child_environment, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, preexec_fn=_end_with_the_tests
        )
        atexit.register(self.kill)

    def said(self):
        return f"{self.name} said:\n" + (self.folder / "log").read_text(errors="replace") if self.folder.exists() else ""

    def wait_until(self, ready, seconds=60):
        if not until(lambda: self.child.poll() is not None or ready(), seconds) or self.child.poll() is not None:
            raise AssertionError(f"{self.name} does not start. {self.said()}")

    def kill(self):
        self.child.kill()
        self.child.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.kill)


class Gateway(Process):
    """The real binary. `pipelines` is YAML with receivers left out, and says who takes traces in the pipeline `traces`."""

    def __init__(self, config):
        self.grpc, self.http, self.metrics, self.admin = ports(4)
        folder = Path(tempfile.mkdtemp(prefix="tracetailor-backends-"))
        self.config = folder / "gateway.yaml"
        self.config.write_text(config)
        own = folder / "own.yaml"
        own.write_text(f"""
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "127.0.0.1:{self.grpc}"}}, http: {{endpoint: "127.0.0.1:{self.http}"}}}}}}}}
extensions: {{admin: {{endpoint: "127.0.0.1:{self.admin}"}}}}
service:
  extensions: [admin]
  telemetry: {{metrics: {{readers: [{{pull: {{exporter: {{prometheus: {{host: "127.0.0.1", port: {self.metrics}}}}}}}}}]}}}}
""")
        super().__init__("the gateway", [TRACETAILOR, "--config", str(self.config), "--config", str(own)])
        self.wait_until(lambda: all(listens(port) for port in (self.grpc, self.http, self.metrics, self.admin)))

    def kill(self):
        super().kill()
        shutil.rmtree(self.config.parent, ignore_errors=True)

    def send(self, body, kind="application/json"):
        """A request over HTTP: what was answered, as JSON."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.http}/v1/traces", data=body, headers={"content-type": kind})
        status, _, said = answer(request, 60)
        if status != 200:
            raise AssertionError(f"{status} {said!r}\n{self.said()}")
        return json.loads(said) if kind == "application/json" else said

    def metric(self, name, *labels):
        """The sum of a metric over all series that have these labels."""
        found = 0
        for line in page(f"http://127.0.0.1:{self.metrics}/metrics")[1].splitlines():
            series, _, value = line.rpartition(" ")
            if series.partition("{")[0] == name and all(label in series for label in labels):
                found += float(value)
        return found

    def books(self):
        status, text = page(f"http://127.0.0.1:{self.admin}/ledger?format=json")
        if status != 200:
            raise AssertionError(f"{status}. {self.said()}")
        return json.loads(text)

    def line(self, kind, name):
        return next((line for line in self.books()["lines"] if line.get(kind) == name and line["signal"] == "traces"), None)

    def balanced(self):
        """The books, when nothing is held or on its way any more."""

        def are():
            books = self.books()
            quiet = not books["open_receipts"] and not any(line["held"] or line["residual"] for line in books["lines"])
            return books if quiet else None

        books = until(are)
        if not books or not books["balanced"] or any(line["lost"] for line in books["lines"]):
            raise AssertionError(f"the books do not balance: {json.dumps(self.books(), indent=1)}\n{self.said()}")
        return {("pipeline", line["pipeline"]) if "pipeline" in line else ("exporter", line["exporter"]): line for line in books["lines"]}

    def stop(self):
        """As a system stops it: in order, and with exit code 0."""
        self.child.send_signal(signal.SIGTERM)
        try:
            code = self.child.wait(30)
        except subprocess.TimeoutExpired:
            code = "none within 30 s"
        if code != 0:
            raise AssertionError(f"exit code {code}. {self.said()}")


def causes(line, column):
    """What a line of the books says of one column, by reason."""
    found = {}
    for cause in line["causes"]:
        if cause["column"] == column:
            found[cause["reason"]] = found.get(cause["reason"], 0) + cause["units"]
    return found
