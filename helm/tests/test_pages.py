"""What people are told to type: in README.md and docs/install-with-helm.md, and in the notes after an installation."""

import re
import shlex
import tempfile
import unittest
from pathlib import Path

from chart import CHART, IMAGE, NAMESPACE, RELEASE, REPOSITORY, helm, named, needs, of_kind, render, template

PAGE = (REPOSITORY / "docs/install-with-helm.md").read_text()
README = (REPOSITORY / "README.md").read_text()


def commands(page):
    """Of the shell blocks, with continued lines put together."""
    for block in re.findall(r"```sh\n(.*?)```", page, re.S):
        yield from block.replace("\\\n", " ").splitlines()


def settings(command):
    """What a command of helm sets."""
    words = shlex.split(command)
    return [part for at, word in enumerate(words) if word in ("--set", "--set-file") for part in (word, words[at + 1])]


@needs("helm")
class Pages(unittest.TestCase):
    def test_the_pages_install(self):
        installs = [command for page in (PAGE, README) for command in commands(page) if command.startswith("helm install")]
        self.assertEqual(len(installs), 4)
        for command in installs:
            with self.subTest(command=command):
                self.assertEqual(shlex.split(command)[2:4], ["tracetailor", "./helm"])
                done = template(*settings(command))
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_page_upgrades(self):
        upgrades = [command for command in commands(PAGE) if command.startswith("helm upgrade")]
        self.assertEqual(len(upgrades), 2)
        first = ["--set", "backend=jaeger,jaeger.endpoint=jaeger:4317"]
        rendered = named(render(*first), "ConfigMap", f"{RELEASE}-tracetailor")["data"]["gateway.yaml"]
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "gateway.yaml").write_text(rendered)
            for command in upgrades:
                with self.subTest(command=command):
                    sets = [word.replace("config=gateway.yaml", f"config={folder}/gateway.yaml") for word in settings(command)]
                    objects = render(*first, *sets)
                    if "config=" in command:
                        self.assertEqual(named(objects, "ConfigMap", f"{RELEASE}-tracetailor")["data"]["gateway.yaml"].strip(), rendered.strip())

    def test_refusals_say_the_commands_of_the_page(self):
        said = template("--set", "backend=jaeger,jaeger.endpoint=jaeger:4317").stderr
        for tool in ("podman build", "podman push"):
            command = next(command for command in commands(PAGE) if command.startswith(tool))
            self.assertIn(command.replace("registry.example.com", "REGISTRY"), said)

    def test_notes_name_what_is_there(self):
        for more in ([], ["--set", "topology=tiered"]):
            arguments = ["--values", str(CHART / "tests/values/jaeger.yaml"), *more]
            done = helm("install", RELEASE, str(CHART), "--namespace", NAMESPACE, "--dry-run=client", IMAGE, *arguments)
            self.assertEqual(done.returncode, 0, done.stderr)
            notes, objects = done.stdout.split("NOTES:")[1], render(*arguments)
            deployments = {each["metadata"]["name"] for each in of_kind(objects, "Deployment")}
            self.assertIn(f"helm test {RELEASE} --namespace {NAMESPACE}", notes)
            self.assertLessEqual(set(re.findall(r"deployment/(\S+)", notes)), deployments)
            self.assertLessEqual(set(re.findall(r"configmap (\S+)", notes)), deployments)
            service = named(objects, "Service", re.search(rf"otlp-grpc: http://(\S+)\.{NAMESPACE}:4317", notes)[1])
            self.assertIn(4317, [port["port"] for port in service["spec"]["ports"]])


if __name__ == "__main__":
    unittest.main()
