"""What is rendered: objects that Kubernetes takes, and configurations that the gateway takes."""

import tempfile
import unittest
from pathlib import Path

import kubernetes_validate
import yaml

from chart import CHART, IMAGE, TRACETAILOR, VALUES, configuration_of, environment, helm, named, needs, of_kind, pods, render, run

KUBERNETES = ["1.30", "1.36"]
CUSTOM = {"ServiceMonitor", "PodMonitor", "PrometheusRule"}


@needs("helm")
class Rendering(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.every = {values.name: render("--values", str(values)) for values in VALUES}


    def address(self, values):
        """Of a pod in the family that the values ask for."""
        return "fd00::2" if "IPv6" in (CHART / "tests/values" / values).read_text() else "127.0.0.2"

    def test_helm_finds_nothing_to_object_to(self):
        for values in VALUES:
            with self.subTest(values=values.name):
                done = helm("lint", "--strict", str(CHART), IMAGE, "--values", str(values))
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_kubernetes_knows_every_field(self):
        for values, objects in self.every.items():
            with self.subTest(values=values):
                for each in objects:
                    if each["kind"] in CUSTOM:
                        continue
                    for version in KUBERNETES:
                        kubernetes_validate.validate(each, version, strict=True)

    def test_the_strict_check_finds_an_unknown_field(self):
        policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "a"}, "spec": {"podSelector": {}, "ingres": []}}
        for version in KUBERNETES:
            with self.assertRaises(kubernetes_validate.ValidationError):
                kubernetes_validate.validate(policy, version, strict=True)

    def test_names_are_there_once(self):
        for values, objects in self.every.items():
            with self.subTest(values=values):
                names = [(each["kind"], each["metadata"]["name"]) for each in objects]
                self.assertEqual(len(names), len(set(names)), names)

    def test_every_pod_is_restricted(self):
        for values, objects in self.every.items():
            with self.subTest(values=values):
                for each, pod in pods(objects):
                    self.assertFalse(pod["automountServiceAccountToken"])
                    self.assertEqual(pod["securityContext"]["runAsUser"], 65532)
                    self.assertTrue(pod["securityContext"]["runAsNonRoot"])
                    self.assertEqual(pod["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
                    for container in pod["containers"]:
                        own = container["securityContext"]
                        self.assertEqual(own["capabilities"], {"drop": ["ALL"]}, each["metadata"]["name"])
                        self.assertTrue(own["readOnlyRootFilesystem"])
                        self.assertFalse(own["allowPrivilegeEscalation"])

    def test_services_and_probes_name_ports_that_the_pods_have(self):
        for values, objects in self.every.items():
            with self.subTest(values=values):
                deployments = of_kind(objects, "Deployment")
                for service in of_kind(objects, "Service"):
                    selector = service["spec"]["selector"].items()
                    chosen = [each for each in deployments if selector <= each["spec"]["template"]["metadata"]["labels"].items()]
                    self.assertEqual(len(chosen), 1, service["metadata"]["name"])
                    ports = {port["name"] for port in chosen[0]["spec"]["template"]["spec"]["containers"][0]["ports"]}
                    self.assertLessEqual({port["targetPort"] for port in service["spec"]["ports"]}, ports)
                for each in deployments:
                    container = each["spec"]["template"]["spec"]["containers"][0]
                    ports = {port["name"] for port in container["ports"]}
                    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                        self.assertIn(container[probe]["httpGet"]["port"], ports)

    def test_monitors_find_the_metrics(self):
        monitor = "serviceMonitor.enabled=true"
        objects = render("--set", "backend=jaeger,jaeger.endpoint=j:4317,topology=tiered", "--set", monitor)
        selector = of_kind(objects, "ServiceMonitor")[0]["spec"]["selector"]["matchLabels"].items()
        chosen = [each["metadata"]["name"] for each in of_kind(objects, "Service") if selector <= each["metadata"]["labels"].items()]
        self.assertEqual(chosen, ["shop-tracetailor-router-metrics", "shop-tracetailor-sampler-metrics"])

    def test_the_gateway_takes_every_configuration(self):
        for values, objects in self.every.items():
            with self.subTest(values=values):
                for each, pod in pods(objects):
                    if not any(volume["name"] == "configuration" for volume in pod.get("volumes", [])):
                        continue
                    with tempfile.TemporaryDirectory() as folder:
                        arguments = [argument for argument in configuration_of(objects, pod, folder) if argument not in ("--watch", "validate")]
                        done = run(TRACETAILOR, "validate", *arguments, env=environment(pod["containers"][0], self.address(values)))
                    said = done.stdout + done.stderr
                    # A path of a volume is not here; everything else must be, and without a warning.
                    self.assertEqual(done.returncode, 0, f"{each['metadata']['name']}: {said}")
                    self.assertNotIn("warning", said)

    def test_what_is_written_arrives(self):
        """By way of Helm numbers, switches and references change their spelling, and not what they say."""
        objects = render("--values", str(CHART / "tests/values/config-through-helm.yaml"))
        with tempfile.TemporaryDirectory() as folder:
            pod = of_kind(objects, "Deployment")[0]["spec"]["template"]["spec"]
            arguments = [argument for argument in configuration_of(objects, pod, folder) if argument != "--watch"]
            done = run(TRACETAILOR, "print-config", *arguments, env=environment(pod["containers"][0]))
        self.assertEqual(done.returncode, 0, done.stderr)
        read = yaml.safe_load(done.stdout)
        self.assertEqual(read["processors"]["tail_sampling"]["num_traces"], 1000000)
        self.assertEqual(read["processors"]["memory_limiter"]["limit_percentage"], 75)
        self.assertEqual(read["exporters"]["otlp_grpc"]["sending_queue"], {"queue_size": 1000000, "block_on_overflow": False})
        self.assertEqual(read["exporters"]["otlp_grpc"]["endpoint"], "jaeger:4317")
        self.assertEqual(read["receivers"]["otlp"]["protocols"]["http"]["endpoint"], "127.0.0.2:4318")
        self.assertIn("debug", read["exporters"])
        self.assertNotIn("a-secret", done.stdout)

    def test_a_text_arrives_letter_for_letter(self):
        path = CHART / "tests/values/config-as-text.yaml"
        written = yaml.safe_load(path.read_text())["config"]
        configmap = named(render("--values", str(path)), "ConfigMap", "shop-tracetailor")
        self.assertEqual(configmap["data"]["gateway.yaml"].strip(), written.strip())

    def test_a_rule_that_changes_restarts_nothing(self):
        path = str(CHART / "tests/values/config-through-helm.yaml")
        deployment = lambda *more: of_kind(render("--values", path, *more), "Deployment")
        self.assertEqual(deployment(), deployment("--set", "config.processors.tail_sampling.decision_wait=20s"))
        for more in ("env.REGION=eu", "extraArgs={--leave-out=debug}", "volumes.tls.at=/tls,volumes.tls.source.secret.secretName=t"):
            former, new = (each[0]["spec"]["template"]["metadata"]["annotations"] for each in (deployment(), deployment("--set", more)))
            self.assertNotEqual(former, new, more)

    def test_a_configuration_that_names_the_key_gets_it(self):
        path = str(CHART / "tests/values/config-as-text.yaml")
        text = yaml.safe_load(Path(path).read_text())["config"]
        keys = lambda *more: [entry["name"] for entry in of_kind(render("--values", path, *more), "Deployment")[0]["spec"]["template"]["spec"]["containers"][0]["env"]]
        self.assertEqual(keys(), ["POD_IP"])
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(text.replace("  file: {", "  otlp_http: {endpoint: 'https://a', headers: {authorization: 'Bearer ${env:CORALOGIX_PRIVATE_KEY}'}}\n  file: {"))
            file.flush()
            self.assertEqual(keys("--set-file", f"config={file.name}"), ["POD_IP", "CORALOGIX_PRIVATE_KEY"])
            self.assertEqual(keys("--set-file", f"config={file.name}", "--set", "env.CORALOGIX_PRIVATE_KEY=mine"), ["POD_IP", "CORALOGIX_PRIVATE_KEY"])

    def test_pods_have_the_time_that_their_shutdown_takes(self):
        def period(values, *more):
            return of_kind(render("--values", str(CHART / f"tests/values/{values}.yaml"), *more), "Deployment")[0]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]

        self.assertEqual(period("jaeger"), 5 + 30 + 5)
        self.assertEqual(period("config-through-helm"), 5 + 90 + 5)
        self.assertEqual(period("config-as-text"), 5 + 1 + 5)
        self.assertEqual(period("jaeger", "--set", "terminationGracePeriodSeconds=99"), 99)

    def test_one_tier_finds_the_other(self):
        objects = render("--values", str(CHART / "tests/values/jaeger-tiered.yaml"))
        service = named(objects, "Service", "shop-tracetailor-sampler-headless")
        self.assertEqual(service["spec"]["clusterIP"], "None")
        router = yaml.safe_load(named(objects, "ConfigMap", "shop-tracetailor-router")["data"]["gateway.yaml"])
        dns = router["exporters"]["load_balancing"]["resolver"]["dns"]
        self.assertEqual(dns["hostname"], "shop-tracetailor-sampler-headless.tracing.svc.cluster.local")
        self.assertEqual(dns["port"], service["spec"]["ports"][0]["port"])
        policy = named(objects, "NetworkPolicy", "shop-tracetailor-sampler")
        self.assertEqual(policy["spec"]["ingress"][0]["from"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/component"], "router")

    def test_only_otlp_is_open_unless_asked_for(self):
        objects = render("--values", str(CHART / "tests/values/jaeger.yaml"))
        ports = [port["port"] for service in of_kind(objects, "Service") for port in service["spec"]["ports"]]
        self.assertEqual(ports, [4317, 4318])


if __name__ == "__main__":
    unittest.main()
