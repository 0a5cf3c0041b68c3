"""Run by test_pod.py in a network of its own: pods as rendered, and a back end before which they stand."""

import re
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

from chart import CHART, TRACETAILOR, configuration_of, data_of, environment, of_kind, project, render, run

BACK_END = "127.0.0.9"
# Takes what the pods send, and tells how much it was.
BACK_END_CONFIG = f"""
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "{BACK_END}:4317"}}}}}}}}
exporters: {{nop: }}
extensions: {{admin: {{enabled: false}}}}
service:
  telemetry: {{metrics: {{readers: [{{pull: {{exporter: {{prometheus: {{host: "{BACK_END}", port: 8888}}}}}}}}]}}}}
  pipelines: {{traces: {{receivers: [otlp], exporters: [nop]}}}}
"""
# Of the trace that `tracetailor send` sends.
SPANS = 5
# Nothing of the image can be written to, nobody is root, and nothing gives that back.
AS_IN_A_POD = "mount -o remount,bind,ro / && exec setpriv --reuid 65532 --regid 65532 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \"$@\""


def setUpModule():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def page(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""
    except OSError:
        return None, ""


def until(what, seconds=30):
    """Looks until it holds; how long that takes is bounded."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.05)
    return what()


class Pods(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.folder.chmod(0o755)
        # Where the binary lies, others may not look.
        self.binary = self.folder / "tracetailor"
        self.binary.touch(0o755)
        subprocess.run(["mount", "--bind", TRACETAILOR, self.binary], check=True)
        self.addCleanup(subprocess.run, ["umount", self.binary], check=True)
        self.hosts = {"localhost": "127.0.0.1", "jaeger-collector.observability": BACK_END, "tempo.observability": BACK_END, "jaeger": BACK_END}
        self.processes = {}
        self.run_back_end()

    def run_back_end(self):
        config = self.folder / "back-end.yaml"
        config.write_text(BACK_END_CONFIG)
        self.start("back end", [str(self.binary), "--config", str(config)], {})
        self.assertTrue(until(lambda: page(f"http://{BACK_END}:8888/metrics")[0] == 200), self.said("back end"))

    def start(self, name, command, environment):
        log = open(self.folder / f"{name}.log", "w")
        process = subprocess.Popen(command, env=environment, cwd="/", stdout=log, stderr=log)
        self.processes[name] = process
        self.addCleanup(log.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

    def said(self, name):
        return (self.folder / f"{name}.log").read_text()

    def name_hosts(self):
        path = self.folder / "hosts"
        path.write_text("".join(f"{address} {name}\n" for name, address in self.hosts.items()))
        subprocess.run(["mount", "--bind", path, "/etc/hosts"], check=True)
        self.addCleanup(subprocess.run, ["umount", "/etc/hosts"], check=True)

    def install(self, values, *more, addresses=("127.0.0.2", "127.0.0.3")):
        """Every Deployment as a pod, each at an address, each Service by its name; until all are ready."""
        objects = render("--values", str(CHART / "tests/values" / values), *more)
        self.pods = {}
        for deployment, address in zip(of_kind(objects, "Deployment"), addresses, strict=False):
            labels = deployment["spec"]["template"]["metadata"]["labels"].items()
            services = [each for each in of_kind(objects, "Service") if each["spec"]["selector"].items() <= labels]
            for service in services:
                name = service["metadata"]["name"]
                self.hosts |= {name: address, f"{name}.tracing.svc.cluster.local": address}
            self.pods[deployment["metadata"]["name"]] = (address, deployment["spec"]["template"]["spec"], services)
        self.name_hosts()
        # Those that others look for come first.
        for name, (address, pod, _) in reversed(self.pods.items()):
            folder = self.folder / name
            folder.mkdir()
            arguments = configuration_of(objects, pod, folder)
            command = ["unshare", "--mount", "sh", "-c", AS_IN_A_POD, "pod", str(self.binary), *arguments]
            self.start(name, command, environment(pod["containers"][0], address))
        for name, (address, pod, _) in self.pods.items():
            self.assertTrue(until(lambda: self.probe(name, "readinessProbe") == 200), f"{name}: {self.said(name)}")
        return objects

    def url(self, address, port, path):
        return f"http://[{address}]:{port}{path}" if ":" in address else f"http://{address}:{port}{path}"

    def port(self, pod, name):
        return next(port["containerPort"] for port in pod["containers"][0]["ports"] if port["name"] == name)

    def probe(self, name, kind):
        address, pod, _ = self.pods[name]
        asked = pod["containers"][0][kind]["httpGet"]
        return page(self.url(address, self.port(pod, asked["port"]), asked["path"]))[0]

    def check_that_everything_answers(self):
        for name, (address, pod, services) in self.pods.items():
            for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
                self.assertEqual(self.probe(name, kind), 200, f"{name}: {kind}")
            self.assertTrue(services, name)
            for service in services:
                for port in service["spec"]["ports"]:
                    self.assertEqual(port["port"], self.port(pod, port["targetPort"]), "a Service with numbers of its own is not what is tested here")
                    self.check_port(service["metadata"]["name"], port["name"], port["port"])
            self.assertIn("tracetailor_build_info", page(self.url(address, self.port(pod, "metrics"), "/metrics"))[1], name)
            self.assertEqual(page(self.url(address, 8889, "/"))[0], None, "the admin pages are for the pod alone")
        self.assertIn("/ledger", page("http://127.0.0.1:8889/")[1])

    def check_port(self, host, name, port):
        if name == "metrics":
            return self.assertEqual(page(f"http://{host}:{port}/metrics")[0], 200)
        protocol = name.removeprefix("otlp-")
        done = run(str(self.binary), "send", f"--endpoint=http://{host}:{port}", f"--protocol={protocol}")
        self.assertEqual(done.returncode, 0, done.stderr)

    def check_helm_test(self, objects):
        arguments = next(each for each in of_kind(objects, "Pod"))["spec"]["containers"][0]["args"]
        done = run(str(self.binary), *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("sent 1 trace", done.stdout)

    def stop(self):
        """As Kubernetes does; clients before those they send to."""
        for name, (_, pod, _) in self.pods.items():
            process = self.processes[name]
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(pod["terminationGracePeriodSeconds"]), 0, self.said(name))

    def arrived(self):
        """Spans that the back end took."""
        lines = page(f"http://{BACK_END}:8888/metrics")[1].splitlines()
        return sum(int(float(line.split()[-1])) for line in lines if line.startswith("tracetailor_ledger_accepted_spans_total{pipeline"))

    def sent(self):
        """Spans that went into the pods from outside: the first is the one that clients talk to."""
        address, pod, _ = next(iter(self.pods.values()))
        lines = page(self.url(address, self.port(pod, "metrics"), "/metrics"))[1].splitlines()
        return sum(int(float(line.split()[-1])) for line in lines if line.startswith("tracetailor_ledger_accepted_spans_total{pipeline"))

    def check_that_nothing_is_dropped(self):
        sent = self.sent()
        self.assertGreater(sent, 0)
        self.stop()
        self.assertTrue(until(lambda: self.arrived() == sent), f"{self.arrived()} of {sent}" + "".join(self.said(name) for name in self.pods))

    def test_a_fresh_install(self):
        objects = self.install("jaeger.yaml", "--set", "serviceMonitor.enabled=true")
        self.check_that_everything_answers()
        self.check_helm_test(objects)
        self.check_that_nothing_is_dropped()

    def test_a_fresh_install_over_ipv6(self):
        objects = self.install("tempo-with-tenants.yaml", "--set", "serviceMonitor.enabled=true", addresses=["::1"])
        self.check_that_everything_answers()
        self.check_helm_test(objects)
        self.check_that_nothing_is_dropped()

    def test_a_configuration_of_ones_own(self):
        self.install("config-through-helm.yaml", "--set-string", "env.MEMORY_SHARE=60")
        for name in self.pods:
            for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
                self.assertEqual(self.probe(name, kind), 200)
        self.check_port("shop-tracetailor", "otlp-grpc", 4317)
        self.check_port("shop-tracetailor", "otlp-http", 4318)
        self.stop()
        self.assertTrue(until(lambda: self.arrived() == 2 * SPANS), self.said("shop-tracetailor"))

    def test_a_rule_that_changes_is_taken_on_by_the_pod_that_runs(self):
        def digest():
            return re.findall(r'tracetailor_config_info{digest="(\w+)"} 1', page("http://127.0.0.1:8888/metrics")[1])

        self.install("config-through-helm.yaml")
        former, name = digest(), "shop-tracetailor"
        self.assertEqual(len(former), 1)
        objects = render("--values", str(CHART / "tests/values/config-through-helm.yaml"), "--set", "config.processors.tail_sampling.decision_wait=20s")
        project(self.folder / name, data_of(objects, self.pods[name][1]))
        self.assertTrue(until(lambda: digest() != former), self.said(name))
        self.assertEqual(self.probe(name, "readinessProbe"), 200)
        self.assertEqual(self.processes[name].poll(), None)
        self.stop()

    def test_a_back_end_that_is_away(self):
        """Coralogix cannot be reached from here: the pod takes what comes all the same."""
        self.install("coralogix.yaml")
        self.check_that_everything_answers()

    def test_two_tiers(self):
        objects = self.install("jaeger-tiered.yaml", "--set", "podMonitor.enabled=false,serviceMonitor.enabled=true")
        self.assertEqual(list(self.pods), ["shop-tracetailor-router", "shop-tracetailor-sampler"])
        self.check_that_everything_answers()
        self.check_helm_test(objects)
        # The samplers were asked directly as well, with a trace that the routers do not know of.
        sent = self.sent() + SPANS
        self.stop()
        self.assertTrue(until(lambda: self.arrived() == sent), f"{self.arrived()} of {sent}" + "".join(self.said(name) for name in self.pods))


if __name__ == "__main__":
    unittest.main()
