"""The chart as the tests see it: rendered, refused, and the tools that they ask."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import yaml

CHART = Path(__file__).resolve().parent.parent
REPOSITORY = CHART.parent
VALUES = sorted((CHART / "tests/values").glob("*.yaml"))
TRACETAILOR = os.environ.get("TRACETAILOR", str(REPOSITORY / "target/debug/tracetailor"))
IMAGE = "--set=image.repository=registry.example/tracetailor"
RELEASE, NAMESPACE = "shop", "tracing"


def needs(*tools):
    """Leaves a test out where a tool is missing; helm/test says so loudly, or refuses to leave anything out."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    return unittest.skipIf(missing, f"not installed: {', '.join(missing)}")


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


def helm(*arguments):
    with tempfile.TemporaryDirectory() as folder:
        homes = {f"HELM_{what}_HOME": folder for what in ("CACHE", "CONFIG", "DATA")}
        return run("helm", *arguments, env={**os.environ, **homes})


def template(*arguments):
    return helm("template", RELEASE, str(CHART), "--namespace", NAMESPACE, *arguments)


def render(*arguments):
    """All objects, of an image that is named."""
    done = template(IMAGE, *arguments)
    if done.returncode:
        raise AssertionError(done.stderr)
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def refusal(*arguments, image=IMAGE):
    """What is said instead of rendering."""
    done = template(*([image] if image else []), *arguments)
    if not done.returncode:
        raise AssertionError(f"{arguments} is rendered, and should be refused")
    return done.stderr


def of_kind(objects, kind):
    return [each for each in objects if each["kind"] == kind]


def named(objects, kind, name):
    return next(each for each in of_kind(objects, kind) if each["metadata"]["name"] == name)


def pods(objects):
    """Every pod that an object asks for, with the object."""
    for each in objects:
        if each["kind"] == "Pod":
            yield each, each["spec"]
        elif "template" in each.get("spec", {}):
            yield each, each["spec"]["template"]["spec"]


def environment(container, pod_ip="127.0.0.2"):
    """What Kubernetes would put there, with texts of our own in the place of secrets."""
    found = {}
    for entry in container.get("env", []):
        source = entry.get("valueFrom", {})
        if "fieldRef" in source:
            assert source["fieldRef"]["fieldPath"] == "status.podIP"
            found[entry["name"]] = pod_ip
        else:
            found[entry["name"]] = entry["value"] if "value" in entry else "a-secret"
    return found


def project(folder, data):
    """Puts the files of a ConfigMap into a folder as the kubelet does: links into one that is swapped as a whole."""
    folder = Path(folder)
    generation = Path(tempfile.mkdtemp(dir=folder, prefix=".."))
    generation.chmod(0o755)
    for name, text in data.items():
        (generation / name).write_text(text)
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")
    (folder / "..new").symlink_to(generation.name)
    (folder / "..new").replace(folder / "..data")


def data_of(objects, pod):
    """What the ConfigMap holds that the pod mounts."""
    volume = next(each for each in pod["volumes"] if each["name"] == "configuration")
    return named(objects, "ConfigMap", volume["configMap"]["name"])["data"]


def configuration_of(objects, pod, folder):
    """Mounts the ConfigMap of a pod, and gives the arguments that name it with the folder in the place of the mount."""
    project(folder, data_of(objects, pod))
    container = pod["containers"][0]
    mount = next(each for each in container["volumeMounts"] if each["name"] == "configuration")
    return [argument.replace(mount["mountPath"], str(folder)) for argument in container["args"]]
