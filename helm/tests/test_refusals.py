"""What cannot be right is refused before anything is installed, in words that say what would be right."""

import pathlib
import tempfile
import unittest

from chart import needs, refusal, render

JAEGER = "backend=jaeger,jaeger.endpoint=jaeger:4317"
# A configuration that is right, to be made wrong.
CONFIG = """
config:
  extensions:
    health_check: {endpoint: "${env:POD_IP}:13133"}
  receivers:
    otlp: {protocols: {grpc: {endpoint: "${env:POD_IP}:4317"}, http: {endpoint: "${env:POD_IP}:4318"}}}
  processors:
    tail_sampling: {decision_wait: 10s, policies: [{name: all, type: always_sample}]}
  exporters:
    debug: {}
  service:
    extensions: [health_check]
    pipelines:
      traces: {receivers: [otlp], processors: [tail_sampling], exporters: [debug]}
"""


@needs("helm")
class Refusals(unittest.TestCase):
    def assertRefused(self, words, *arguments, **options):
        said = " ".join(refusal(*arguments, **options).split())
        for word in [words] if isinstance(words, str) else words:
            self.assertIn(" ".join(word.split()), said)

    def config(self, *changes, form="block"):
        """Arguments for CONFIG with changes made to it, as a block or as a text."""
        text = CONFIG
        for former, new in changes:
            self.assertIn(former, text)
            text = text.replace(former, new)
        if form == "text":
            text = text.replace("config:", "config: |")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name) / "values.yaml"
        path.write_text(text)
        return ["--values", str(path)]

    def test_the_configuration_that_is_made_wrong_is_right(self):
        for form in ("block", "text"):
            render(*self.config(form=form))

    def test_no_image(self):
        words = ["image.repository is not set", "podman build --file Containerfile --tag", "podman push", "--set image.repository="]
        self.assertRefused(words, "--set", JAEGER, image=None)

    def test_no_source_or_two(self):
        self.assertRefused("Neither backend nor config is set")
        self.assertRefused("Both backend (jaeger) and config are set, and nothing is merged", "--set", JAEGER, *self.config())

    def test_a_back_end_without_what_it_needs(self):
        self.assertRefused("jaeger.endpoint=HOST:4317", "--set", "backend=jaeger")
        self.assertRefused("tempo.endpoint=HOST:4317", "--set", "backend=tempo")
        self.assertRefused("'/backend'", "--set", "backend=zipkin")
        self.assertRefused("coralogix.domain=eu1.coralogix.com", "--set", "backend=coralogix,coralogix.applicationName=a")

    def test_traces_that_would_be_judged_in_pieces(self):
        several = ["--set", "replicas=2"], ["--set", "autoscaling.enabled=true"]
        for more in several:
            words = ["tail_sampling", "topology=tiered", "tracesRoutedById=true"]
            self.assertRefused(words, *more, *self.config())
            self.assertRefused(words, *more, *self.config(form="text"))
            self.assertRefused("stitch, tail_sampling", *more, "--set", JAEGER)
            render(*more, *self.config(), "--set", "tracesRoutedById=true")
            render(*more, *self.config(("processors: [tail_sampling]", "processors: []")))
        for held in ("stitch", "groupbytrace", "groupbytrace/two"):
            changed = self.config(("tail_sampling: {decision_wait: 10s, policies: [{name: all, type: always_sample}]}", f"{held}: {{}}"), ("[tail_sampling]", f"[{held}]"))
            self.assertRefused(f"have {held}, which", *several[0], *changed)

    def test_listeners_that_nobody_reaches(self):
        unreachable = ["port otlp-http (4318)", 'endpoint: "${env:POD_IP}:4318"', "--set ports.otlp-http=null"]
        for host in ("localhost:4318", "127.0.0.1:4318", "${env:POD_IP}:4319"):
            self.assertRefused(unreachable, *self.config(("${env:POD_IP}:4318", host)))
        self.assertRefused(unreachable, *self.config((', http: {endpoint: "${env:POD_IP}:4318"}', ", http: {}")))
        render(*self.config(("${env:POD_IP}:4318", "0.0.0.0:4318")))

    def test_probes_that_nobody_answers(self):
        health = 'health_check: {endpoint: "${env:POD_IP}:13133"}'
        self.assertRefused(["at port 13133", health], *self.config(("extensions: [health_check]", "extensions: []")))
        self.assertRefused(health, *self.config((health, "health_check: {}")))
        self.assertRefused("at port 8080", *self.config(), "--set", "healthPort=8080")

    def test_metrics_that_nobody_serves(self):
        for monitor in ("podMonitor", "serviceMonitor"):
            self.assertRefused(["at port 8888", 'host: "${env:POD_IP}", port: 8888'], *self.config(), "--set", f"{monitor}.enabled=true")

    def test_admin_pages_that_everybody_reaches(self):
        opened = self.config(("    health_check: {", '    admin: {endpoint: "${env:POD_IP}:8889"}\n    health_check: {'))
        self.assertRefused(["there is no password", "kubectl port-forward"], *opened)

    def test_contradictions(self):
        self.assertRefused("scraped twice", "--set", JAEGER, "--set", "podMonitor.enabled=true,serviceMonitor.enabled=true")
        self.assertRefused("both minAvailable and maxUnavailable", "--set", JAEGER, "--set", "podDisruptionBudget.minAvailable=1")
        scaled = "autoscaling.enabled=true,tracesRoutedById=true"
        self.assertRefused("minReplicas (7) is above maxReplicas (6)", "--set", JAEGER, "--set", f"{scaled},autoscaling.minReplicas=7")
        self.assertRefused("goes by nothing", "--set", JAEGER, "--set", f"{scaled},autoscaling.cpu=null")
        self.assertRefused("leads to port web, which is not among ports: otlp-grpc, otlp-http", "--set", JAEGER, "--set", "ingresses.a.host=h,ingresses.a.port=web")
        self.assertRefused("topology: single has no routers", "--set", JAEGER, "--set", "router.config=receivers: {}")

    def test_a_configuration_that_is_none(self):
        self.assertRefused("is no YAML", "--set", "config=a: [")
        self.assertRefused("'/config/processors'", *self.config(("tail_sampling: {d", "tail_smapling: {d")))
        self.assertRefused("shutdown_timeout", *self.config(("    pipelines:", "    shutdown_timeout: soon\n    pipelines:"), form="text"))

    def test_numbers_that_are_none(self):
        for path, value in (
            ("replicas", -1),
            ("router.replicas", -2),
            ("drainSeconds", -5),
            ("terminationGracePeriodSeconds", -1),
            ("autoscaling.minReplicas", 0),
            ("autoscaling.maxReplicas", -3),
            ("autoscaling.cpu", -70),
            ("healthPort", -1),
            ("ports.otlp-grpc", 0),
            ("podDisruptionBudget.maxUnavailable", -1),
        ):
            with self.subTest(path=path):
                place = "/" + path.replace(".", "/")
                self.assertRefused([f"at '{place}'", f"got {value}, want "], "--set", JAEGER, "--set", f"{path}={value}")
        self.assertRefused(["num_traces", "got -5, want 0"], *self.config(("decision_wait: 10s", "decision_wait: 10s, num_traces: -5")))

    def test_keys_that_are_not_there(self):
        self.assertRefused("'replicaCount' not allowed", "--set", JAEGER, "--set", "replicaCount=2")
        self.assertRefused("at '/env/A': got number, want string", "--set", JAEGER, "--set", "env.A=1000000")


if __name__ == "__main__":
    unittest.main()
