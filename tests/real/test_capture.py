"""A bundle of the real cluster gives the same answer as the cluster itself, and keeps its secrets out."""

from __future__ import annotations

import base64
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real.cluster.layout import image
from tests.real.diagnosis import Diagnosis, diagnose, run
from tests.real.namespace import Namespace
from tests.real.workloads import deployment, manifest

pytestmark = pytest.mark.real

PASSWORD = "only-for-this-test"


def conclusions(diagnosis: Diagnosis, namespace: str) -> list[tuple[str, str, str]]:
    findings = [finding for finding in diagnosis.findings if finding["about"]["namespace"] == namespace]
    return sorted((row["diagnostic"], row["about"]["kind"], row["about"]["name"]) for row in findings)


def test_a_bundle_gives_the_same_answer_as_the_cluster(
    namespace: Namespace, ask: Callable[..., Diagnosis], tmp_path: Path
) -> None:
    reads = {"env": [{"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}}}]}
    namespace.apply(
        manifest("Secret", "login", namespace.name, stringData={"password": PASSWORD}),
        deployment("web", namespace.name, container=reads),
        deployment("checkout", namespace.name, container={"image": image("checkout", "9.9.9")}),
    )
    namespace.wait_until_available("web")
    namespace.cluster.wait_for("ImagePullBackOff", lambda: namespace.waiting("checkout", "ImagePullBackOff"))
    bundle = tmp_path / "bundle.tar.gz"

    live = ask("scan", "-n", namespace.name)
    done = run(namespace.cluster.visitor_kubeconfig, "capture", "-n", namespace.name, "-o", str(bundle))
    assert done.returncode == 0, done.stderr
    recorded = diagnose(None, "scan", "-n", namespace.name, f"--from={bundle}")

    assert ("pods/image-not-found", "Deployment", "checkout") in conclusions(live, namespace.name)
    assert conclusions(recorded, namespace.name) == conclusions(live, namespace.name)
    with tarfile.open(bundle) as archive:
        members = [archive.extractfile(member) for member in archive.getmembers() if member.isfile()]
        contents = [member.read() for member in members if member is not None]
    assert any(b"checkout:9.9.9" in content for content in contents)
    encoded = base64.b64encode(PASSWORD.encode())
    assert not any(PASSWORD.encode() in content or encoded in content for content in contents)
