"""Files without status, namespace or time, and YAML values that no API server would have sent."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubedoctor.cli import main
from kubedoctor.collect.bundles import open_bundle, parsing
from tests.bad_input.said import Said, say

Capture = pytest.CaptureFixture[str]
GOOD = """
apiVersion: v1
kind: Pod
metadata: {name: good, namespace: shop}
spec: {containers: [{name: app, image: "a:1"}]}
"""
BAD = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: bad, namespace: shop, generation: HERE}\n"
LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefg", "bcdefgh", strict=True)
)
# The bytes behind the good pod, and what is said of them.
YAML: dict[str, tuple[bytes, str]] = {
    "1e999": (BAD.replace("HERE", "1e999").encode(), "metadata.generation cannot be decoded and is ignored"),
    "infinity": (BAD.replace("HERE", ".inf").encode(), "metadata.generation is ignored (number out of range)"),
    "not a number": (BAD.replace("HERE", ".nan").encode(), "metadata.generation is ignored (number out of range)"),
    "6,000 digits": (BAD.replace("HERE", "9" * 6000).encode(), "generation is ignored (number out of range)"),
    "a long hexadecimal": (
        BAD.replace("HERE", "0x" + "f" * 5000).encode(),
        "generation is ignored (number out of range)",
    ),
    "more than 64 bits": (BAD.replace("HERE", "9" * 25).encode(), "generation is ignored (number out of range)"),
    "binary": (BAD.replace("HERE", "!!binary aGVsbG8=").encode(), "generation is ignored (not a value of JSON)"),
    "a set": (BAD.replace("HERE", "!!set {a, b}").encode(), "generation is ignored (not a value of JSON)"),
    "a byte": (BAD.replace("HERE", '"Q"').encode().replace(b"Q", b"\xff"), "generation cannot be decoded"),
    "a null byte": (BAD.replace("HERE", '"a\0b"').encode(), "generation cannot be decoded"),
    "a half character": (BAD.replace("HERE", '"\\ud800"').encode(), "found invalid Unicode character"),
    "a tag of Python": (b"---\n!!python/object/apply:os.system ['true']\n", "could not determine a constructor"),
    "a tab": (b"---\na: b\n\tc: d\n", "line 8, column 1: found a tab"),
    "a list as a key": (b"---\n? [a]\n: b\n", "found unhashable key"),
    "a billion laughs": (f"---\n{LAUGHS}".encode(), "YAML aliases expand to too many values"),
    "an alias of itself": (b"---\na: &a [*a]\n", "YAML aliases expand to too many values"),
    "3,000 deep": (b"---\na: " + b"[" * 3000 + b"]" * 3000 + b"\n", "exceeded maximum nesting depth"),
    "300 deep": (BAD.replace("HERE", "[" * 300 + "]" * 300).encode(), "is ignored (nested too deeply)"),
    "a custom resource, 500 deep": (
        b"---\napiVersion: a.example/v1\nkind: Gizmo\nmetadata: {name: deep}\nspec: "
        + b"{a: " * 500
        + b"1"
        + b"}" * 500,
        "Gizmo.a.example deep: spec.a.a",
    ),
}


@pytest.mark.parametrize("name", YAML)
def test_one_bad_value_harms_one_object(
    name: str, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parsing, "MOST_NODES", 20_000)  # the real limit takes a second for each reading
    bad, sentence = YAML[name]
    path = tmp_path / "x.yaml"
    path.write_bytes(GOOD.encode() + bad + b"\n---" + GOOD.replace("good", "last").encode())
    said = say(capsys, "scan", "-o", "wide", "--from", str(path))
    assert said.code == 3
    assert sentence in said.text
    source = open_bundle((str(path),))
    assert {"good", "last"} <= set(source.names("Pod"))
    assert main(["capture", "-o", str(tmp_path / "state"), "--from", str(path)]) in (0, 3)
    recorded = json.loads((tmp_path / "state/objects/Pod.json").read_bytes())
    assert "\ue000" not in json.dumps(recorded, ensure_ascii=False)
    assert {"good", "last"} <= {item["metadata"]["name"] for item in recorded["items"]}


POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "good", "namespace": "shop"}}
WIDE = json.dumps({**POD, "metadata": {**POD["metadata"], "name": "bad", "generation": 7}})  # type: ignore[dict-item]  # plain data: the nested map is one
FORMS: dict[str, tuple[str, bytes]] = {
    "a byte order mark": ("x.json", b"\xef\xbb\xbf" + json.dumps(POD).encode()),
    "UTF-16, as PowerShell writes it": ("x.json", json.dumps(POD).encode("utf-16")),
    "YAML in UTF-16": ("x.yaml", GOOD.encode("utf-16")),
    "YAML in braces": ("x.yaml", b"{apiVersion: v1, kind: Pod, metadata: {name: good, namespace: shop}}"),
    "empty documents": ("x.yaml", f"---\n---\n{GOOD}---\n---\n".encode()),
    "carriage returns": ("x.yaml", GOOD.replace("\n", "\r\n").encode()),
    "an object with 1e999": ("x.json", json.dumps({**POD, "x": "Q"}).replace('"Q"', "1e999").encode()),
    "a 6,000-digit number in the second value": (
        "x.json",
        f"{json.dumps(POD)}\n{WIDE.replace('7', '9' * 6000)}".encode(),
    ),
    "NaN in the second value": ("x.json", f"{json.dumps(POD)}\n{WIDE.replace('7', 'NaN')}".encode()),
}


@pytest.mark.parametrize("name", FORMS)
def test_forms_that_tools_write(name: str, capsys: Capture, tmp_path: Path) -> None:
    file, content = FORMS[name]
    (tmp_path / file).write_bytes(content)
    assert say(capsys, "scan", "--from", str(tmp_path / file)).code == 3
    assert "good" in open_bundle((str(tmp_path / file),)).names("Pod")


def manifest(kind: str, name: str, version: str = "v1", **fields: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **fields}


CONTAINER = {
    "name": "app",
    "image": "a:1",
    "resources": {"requests": {"cpu": 3, "memory": 268435456}, "limits": {"cpu": 3.5, "nvidia.com/gpu": 1}},
}
TEMPLATE = {"metadata": {"labels": {"app": "api"}}, "spec": {"containers": [CONTAINER]}}
AMOUNTS = {"cpu": 2, "memory": 8589934592, "pods": 110, "nvidia.com/gpu": 1}
MANIFESTS = [
    manifest("Node", "n1", status={"capacity": AMOUNTS, "allocatable": AMOUNTS}),
    manifest("Pod", "web", spec={"containers": [CONTAINER] * 12, "overhead": {"cpu": 0.1}}),
    manifest("Service", "web", spec={"selector": {"app": "other"}, "ports": [{"port": 80}]}),
    manifest("Deployment", "api", "apps/v1", spec={"replicas": 0, "template": TEMPLATE}),
    manifest("DaemonSet", "agent", "apps/v1", spec={"template": TEMPLATE}),
    manifest("Job", "once", "batch/v1", spec={"template": TEMPLATE}),
    manifest("CronJob", "hourly", "batch/v1", spec={"suspend": True, "jobTemplate": {"spec": {"template": TEMPLATE}}}),
    manifest("ResourceQuota", "q", spec={"hard": {"pods": 2}}, status={"hard": {"pods": 2}, "used": {"pods": 2}}),
    manifest("LimitRange", "l", spec={"limits": [{"type": "Container", "max": {"cpu": 1}, "default": {"cpu": 0.5}}]}),
    manifest(
        "HorizontalPodAutoscaler",
        "h",
        "autoscaling/v2",
        spec={
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "gone"},
            "maxReplicas": 2,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"averageValue": 1}}}],
        },
    ),
    manifest(
        "PersistentVolume",
        "disk",
        spec={"capacity": {"storage": 5368709120}, "accessModes": ["ReadWriteOnce"], "storageClassName": "fast"},
    ),
    manifest(
        "PersistentVolumeClaim",
        "data",
        spec={
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "fast",
            "resources": {"requests": {"storage": 1073741824}},
        },
    ),
    manifest("StorageClass", "fast", "storage.k8s.io/v1", provisioner="kubernetes.io/no-provisioner"),
    manifest(
        "Ingress",
        "i",
        "networking.k8s.io/v1",
        spec={"rules": [{"http": {"paths": [{"path": "/", "backend": {"service": {"name": "gone"}}}]}}]},
    ),
    manifest("NetworkPolicy", "np", "networking.k8s.io/v1", spec={"podSelector": {}, "policyTypes": ["Egress"]}),
    manifest("Certificate", "c", "cert-manager.io/v1", spec={"secretName": "s"}),
]
COMMANDS = (
    *("scan -o wide", "scan -o json", "scan -o yaml", "scan -o markdown", "pod web", "pods", "service web", "pvc data"),
    *("deploy api", "ds agent", "job once", "cronjob hourly", "hpa h", "quota q", "pv disk", "node n1", "ingress i"),
    *("why-pending web", "why-pending web -o json", "describe pod web", "get pods"),
)
_NO_NAMESPACE = re.compile(r"-n(?:  |$|\n|'|\")|-n ''|1970|\d{4,}d|5[0-9]y|Expected `str`", re.MULTILINE)


@pytest.fixture(scope="module", params=["a stream of documents", "a list"])
def manifests(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("manifests") / "all.yaml"
    listed = {"apiVersion": "v1", "kind": "List", "items": MANIFESTS}
    path.write_text(yaml.safe_dump_all(MANIFESTS) if request.param != "a list" else json.dumps(listed))
    return path


@pytest.mark.parametrize("words", COMMANDS)
def test_manifests(words: str, manifests: Path, capsys: Capture) -> None:
    code = main([*words.split(), "--from", str(manifests)])
    printed = capsys.readouterr()
    assert code in (0, 1, 3)
    assert not _NO_NAMESPACE.findall(printed.out + printed.err)
    assert "nternal error" not in printed.err


def test_a_volume_without_status_is_available(manifests: Path, capsys: Capture) -> None:
    said: Said = say(capsys, "pvc", "data", "--from", str(manifests))
    assert "vailable" not in said.text
    assert "0 namespaces" not in said.text


def test_numbers_are_amounts(manifests: Path) -> None:
    snapshot = open_bundle((str(manifests),)).snapshot
    assert not [problem for problem in snapshot.problems if "ignored" in problem or "read as text" in problem]
    node: Any = next(iter(snapshot.of_kind("Node", "")))
    assert node.status.allocatable == {"cpu": "2", "memory": "8589934592", "pods": "110", "nvidia.com/gpu": "1"}
