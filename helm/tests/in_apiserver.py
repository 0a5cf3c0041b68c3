"""Run by helm/test-install: the chart in a real API server, which starts here and ends here."""

import json
import os
import socket
import ssl
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

import yaml

from chart import CHART, IMAGE, VALUES, helm, render

TOKEN = "of-this-test"
NAMESPACE = "tracing"
# Where objects of a kind are.
PLACES = {
    "ConfigMap": "api/v1/namespaces/tracing/configmaps",
    "CustomResourceDefinition": "apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "Deployment": "apis/apps/v1/namespaces/tracing/deployments",
    "HorizontalPodAutoscaler": "apis/autoscaling/v2/namespaces/tracing/horizontalpodautoscalers",
    "Ingress": "apis/networking.k8s.io/v1/namespaces/tracing/ingresses",
    "Job": "apis/batch/v1/namespaces/tracing/jobs",
    "Namespace": "api/v1/namespaces",
    "NetworkPolicy": "apis/networking.k8s.io/v1/namespaces/tracing/networkpolicies",
    "Pod": "api/v1/namespaces/tracing/pods",
    "PodDisruptionBudget": "apis/policy/v1/namespaces/tracing/poddisruptionbudgets",
    "PodMonitor": "apis/monitoring.coreos.com/v1/namespaces/tracing/podmonitors",
    "PrometheusRule": "apis/monitoring.coreos.com/v1/namespaces/tracing/prometheusrules",
    "Service": "api/v1/namespaces/tracing/services",
    "ServiceAccount": "api/v1/namespaces/tracing/serviceaccounts",
    "ServiceMonitor": "apis/monitoring.coreos.com/v1/namespaces/tracing/servicemonitors",
}


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Server:
    """etcd and kube-apiserver, until `stop`."""

    def __init__(self):
        self.home = tempfile.TemporaryDirectory()
        folder = Path(self.home.name)
        store, peers, port = free_port(), free_port(), free_port()
        self.url = f"https://127.0.0.1:{port}"
        subprocess.run(["openssl", "genrsa", "-out", folder / "key", "2048"], check=True, capture_output=True)
        (folder / "tokens").write_text(f"{TOKEN},admin,1,system:masters\n")
        self.log = open(folder / "log", "w")
        self.processes = [
            self.start("etcd", f"--data-dir={folder}/etcd", f"--listen-client-urls=http://127.0.0.1:{store}", f"--advertise-client-urls=http://127.0.0.1:{store}",
                       f"--listen-peer-urls=http://127.0.0.1:{peers}", f"--initial-advertise-peer-urls=http://127.0.0.1:{peers}",
                       f"--initial-cluster=default=http://127.0.0.1:{peers}"),
            self.start("kube-apiserver", f"--etcd-servers=http://127.0.0.1:{store}", "--bind-address=127.0.0.1", f"--secure-port={port}", f"--cert-dir={folder}/certs",
                       "--service-cluster-ip-range=10.96.0.0/16", "--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={folder}/key",
                       f"--service-account-signing-key-file={folder}/key", f"--token-auth-file={folder}/tokens", "--authorization-mode=RBAC",
                       "--disable-admission-plugins=ServiceAccount"),
        ]
        self.until_ready()

    def start(self, *command):
        return subprocess.Popen(command, stdout=self.log, stderr=self.log)

    def until_ready(self):
        end = time.monotonic() + 120
        while self.ask("GET", "readyz")[0] != 200:
            if time.monotonic() > end:
                raise AssertionError(Path(self.log.name).read_text()[-3000:])
            time.sleep(0.2)

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait()
        self.log.close()
        self.home.cleanup()

    def ask(self, method, path, body=None):
        """Status, answer and warnings."""
        context = ssl._create_unverified_context()
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/apply-patch+yaml"}
        request = urllib.request.Request(f"{self.url}/{path}", method=method, headers=headers, data=body and json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, context=context, timeout=30) as answer:
                return answer.status, answer.read().decode(), answer.headers.get_all("Warning", [])
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(), error.headers.get_all("Warning", [])
        except OSError as error:
            return None, str(error), []

    def apply(self, each, *, keep):
        path = f"{PLACES[each['kind']]}/{each['metadata']['name']}?fieldManager=test&fieldValidation=Strict&force=true"
        return self.ask("PATCH", path if keep else f"{path}&dryRun=All", each)


class Installing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.stop)
        restricted = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
        cls.keep({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": restricted}})
        for path in sorted(Path(os.environ["DEFINITIONS"]).glob("*.yaml")):
            cls.keep(yaml.safe_load(path.read_text()))
        end = time.monotonic() + 60
        while cls.server.ask("GET", PLACES["PodMonitor"])[0] != 200:
            if time.monotonic() > end:
                raise AssertionError("the definitions are not served")
            time.sleep(0.2)

    @classmethod
    def keep(cls, each):
        status, answer, _ = cls.server.apply(each, keep=True)
        if status not in (200, 201):
            raise AssertionError(answer)

    def helm(self, *arguments):
        return helm(*arguments, "--namespace", NAMESPACE, "--kube-apiserver", self.server.url, "--kube-token", TOKEN, "--kube-insecure-skip-tls-verify")

    def test_every_object_is_taken_without_a_warning(self):
        for values in VALUES:
            for each in render("--values", str(values)):
                with self.subTest(values=values.name, object=f"{each['kind']} {each['metadata']['name']}"):
                    status, answer, warnings = self.server.apply(each, keep=False)
                    self.assertIn(status, (200, 201), answer)
                    self.assertEqual(warnings, [])

    def test_the_server_objects(self):
        """Or the test above would say nothing."""
        meta = {"name": "a", "namespace": NAMESPACE}
        policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": {"podSelector": {}, "ingres": []}}
        budget = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta, "spec": {"minAvailable": 1, "maxUnavailable": 1}}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [{"name": "a", "image": "a"}]}}
        rule = {"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule", "metadata": meta, "spec": {"group": []}}
        for each, words in ((policy, "ingres"), (budget, "cannot be both set"), (pod, "violates PodSecurity"), (rule, "spec.group")):
            status, answer, _ = self.server.apply(each, keep=False)
            self.assertNotIn(status, (200, 201), each["kind"])
            self.assertIn(words, answer)

    def test_it_is_installed_upgraded_rolled_back_and_taken_away(self):
        for values in VALUES:
            with self.subTest(values=values.name):
                release, chart = values.stem.replace("-", "")[:20], str(CHART)
                done = self.helm("install", release, chart, IMAGE, "--values", str(values))
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(done.stderr, "")
                self.assertIn("helm test", done.stdout)
                # Hooks would wait for a job that nobody runs.
                for command in (["upgrade", release, chart, IMAGE, "--values", str(values), "--set", "podLabels.new=yes", "--no-hooks"],
                                ["rollback", release, "--no-hooks"], ["uninstall", release, "--no-hooks"]):
                    done = self.helm(*command)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.assertNotIn("warning", done.stderr.lower())


if __name__ == "__main__":
    unittest.main()
