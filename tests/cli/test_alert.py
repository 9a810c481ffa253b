from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from tests.cli.recordings import OOM
from tests.cli.test_run import Capture, run

POD = "checkout-797c86bfff-q29bm"


def test_the_labels_by_hand(capsys: Capture) -> None:
    code, out, err = run(capsys, "alert", "KubePodCrashLooping", "namespace=shop", f"pod={POD}", "-f", OOM)
    assert (code, err) == (1, "")
    assert out.splitlines()[:3] == [f"Alert KubePodCrashLooping: Pod shop/{POD}", "", f"Pod shop/{POD}: 1 incident"]


def test_a_pod_that_is_gone_leaves_its_workload(capsys: Capture) -> None:
    code, out, _ = run(
        capsys, "alert", 'KubePodCrashLooping{namespace="shop",pod="checkout-797c86bfff-zzzzz"}', "-f", OOM
    )
    assert code == 1
    assert out.splitlines()[0] == (
        "Alert KubePodCrashLooping: Pod checkout-797c86bfff-zzzzz no longer exists; Deployment shop/checkout"
    )


def test_a_notification_of_several(capsys: Capture, tmp_path: Path) -> None:
    notification = tmp_path / "notification.json"
    rows = [
        {"status": "firing", "labels": {"alertname": "KubePodCrashLooping", "namespace": "shop", "pod": POD}},
        {"status": "resolved", "labels": {"alertname": "KubeDeploymentReplicasMismatch", "namespace": "shop", "deployment": "checkout"}},
        {"status": "firing", "labels": {"alertname": "Watchdog"}},
        {"status": "firing", "labels": {"alertname": "High", "namespace": "shop", "pod": "nobody"}},
    ]  # fmt: skip
    notification.write_text(json.dumps({"version": "4", "alerts": rows}), encoding="utf-8")
    code, out, _ = run(capsys, "alert", str(notification), "-f", OOM)
    assert code == 1
    assert out.splitlines()[1:4] == [
        "Alert KubeDeploymentReplicasMismatch (resolved): Deployment shop/checkout",
        "Alert Watchdog: it always fires, to show that alerts arrive",
        "Alert High: Pod nobody not found in namespace shop",
    ]
    code, out, _ = run(capsys, "alert", str(notification), "-f", OOM, "-o", "json")
    document = json.loads(out)
    jsonschema.validate(
        document, json.loads(files("kubedoctor.cli.formats").joinpath("report.schema.json").read_text())
    )
    assert [row["about"] and row["about"]["name"] for row in document["alerts"]] == [POD, "checkout", None, None]


def test_without_an_object_the_namespace_or_the_cluster_is_examined(capsys: Capture) -> None:
    _, out, _ = run(capsys, "alert", "KubeAPIDown", "-f", OOM)
    assert out.splitlines()[:2] == [
        "Alert KubeAPIDown: its labels name no object",
        "So the whole cluster was examined.",
    ]
    code, out, _ = run(capsys, "alert", "Slow", "namespace=kube-system", "-f", OOM)
    assert code == 0
    assert out.splitlines()[:3] == [
        "Alert Slow: its labels name no object",
        "So namespace kube-system was examined.",
        "It fires, and nothing that was checked explains it.",
    ]


def test_a_node_by_its_address(capsys: Capture) -> None:
    _, out, _ = run(capsys, "alert", "NodeFilesystemAlmostOutOfSpace", "instance=192.0.2.1:9100", "-f", OOM)
    assert out.splitlines()[0] == "Alert NodeFilesystemAlmostOutOfSpace: no node has the address 192.0.2.1"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "which alert?"),
        (("/no/such/file",), "/no/such/file cannot be read: No such file or directory"),
        (("KubePodCrashLooping", "web-1"), "more than one word is an alert's name and its labels"),
        (("/",), "/ cannot be read: Is a directory"),
        ((OOM,), "no alert is in it"),
    ],
)
def test_what_cannot_be_read(capsys: Capture, words: tuple[str, ...], said: str) -> None:
    code, out, err = run(capsys, "alert", *words, "-f", OOM)
    assert (code, out) == (2, "")
    assert err.startswith(f"kubedoctor: {said}")
