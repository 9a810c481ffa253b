"""`kubedoctor check`: each object is judged for itself, and its findings stand at its own line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_check import CLUSTER
from tests.cli.test_run import Capture, run


def _places(file: Path, capsys: Capture, *arguments: str) -> set[tuple[str, str, int, int]]:
    _, out, _ = run(capsys, "check", "-f", str(file), *(arguments or ("--offline",)), "-o", "json")
    return {
        (finding["code"], finding["about"]["name"], finding["place"]["line"], finding["place"]["column"])
        for finding in json.loads(out)["findings"]
    }


def test_objects_on_one_line_are_each_judged(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "list.json"
    item = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"%s"},"data":{"a":%s}}'
    items = ",".join((item % ("bad", "5"), "null", item % ("good", '"b"')))
    file.write_text('{"apiVersion":"v1","kind":"List","items":[' + items + "]}")
    found = _places(file, capsys)
    assert {(code, line) for code, _, line, _ in found} == {("KD5301", 1)}
    assert len(found) == 2
    assert "bad" in {name for _, name, _, _ in found}


def test_objects_without_a_name_are_each_their_own(tmp_path: Path, capsys: Capture) -> None:
    """`generateName` makes a new object each time; what has neither is refused, and replaces nothing."""
    job = "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: job-}\n"
    job += "spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}}\n"
    file = tmp_path / "jobs.yaml"
    file.write_text(f"{job}---\n{job}")
    assert run(capsys, "check", "-f", str(file), "--offline")[0] == 0
    file.write_text("apiVersion: v1\nkind: ConfigMap\n---\napiVersion: v1\nkind: ConfigMap\n")
    assert {(code, line) for code, _, line, _ in _places(file, capsys)} == {("KD5301", 1), ("KD5301", 4)}


def test_a_finding_of_a_generated_name_has_its_line_and_no_command(tmp_path: Path, capsys: Capture) -> None:
    key = "env: [{name: X, valueFrom: {configMapKeyRef: {name: c, key: z}}}]"
    file = tmp_path / "job.yaml"
    file.write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: b}\n---\n"
        "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: job-}\nspec:\n  template:\n    spec:\n"
        f"      restartPolicy: Never\n      containers:\n      - name: a\n        image: b\n        {key}\n"
    )
    assert {(code, line) for code, _, line, _ in _places(file, capsys)} == {("KD1010", 16)}
    _, out, _ = run(capsys, "check", "-f", str(file), "--offline", "-o", "json")
    assert not any(fix["command"] for finding in json.loads(out)["findings"] for fix in finding["fixes"])


def test_of_two_objects_of_one_name_the_faulty_one_is_named(tmp_path: Path, capsys: Capture) -> None:
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  a: %s\n"
    file = tmp_path / "a.yaml"
    file.write_text(f"{config % 5}---\n\n\n\n{config % 'b'}")
    assert {(code, line) for code, _, line, _ in _places(file, capsys)} == {("KD5301", 5), ("KD5301", 12)}


JOINED = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: a, image: b, ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports:
  - port: 80
    targetPort: TARGET
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  ingressClassName: nginx
  rules:
  - http:
      paths:
      - path: /
        pathType: Prefix
        backend:
          service:
            name: web
            port:
              number: NUMBER
      - {path: /elsewhere, pathType: Prefix, backend: {service: {name: elsewhere, port: {number: 80}}}}
"""


@pytest.mark.parametrize(
    ("target", "number", "expected"),
    [
        ("http", 80, set()),
        ("metrics", 80, {("KD2002", 17)}),
        ("http", 8443, {("KD2301", 33)}),
    ],
)
def test_files_that_contradict_each_other_need_no_cluster(
    target: str, number: int, expected: set[tuple[str, int]], tmp_path: Path, capsys: Capture
) -> None:
    """A Service of another name, and the class, may exist in the cluster."""
    file = tmp_path / "a.yaml"
    file.write_text(JOINED.replace("TARGET", target).replace("NUMBER", str(number)))
    assert {(code, line) for code, _, line, _ in _places(file, capsys)} == expected


def test_nothing_is_quoted_of_what_does_not_exist_yet(tmp_path: Path, capsys: Capture) -> None:
    """A file has no age, and the ReplicaSet of its Deployment no name."""
    (tmp_path / "cluster.yaml").write_text(CLUSTER)
    file = tmp_path / "app.yaml"
    file.write_text(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: late, namespace: shop}\nspec:\n"
        "  selector: {matchLabels: {app: late}}\n  template:\n    metadata: {labels: {app: late}}\n    spec:\n"
        "      serviceAccountName: nobody\n      containers: [{name: a, image: b}]\n"
        "---\napiVersion: v1\nkind: Service\nmetadata: {name: late, namespace: shop}\n"
        "spec: {type: LoadBalancer, selector: {app: late}, ports: [{port: 80}]}\n"
    )
    _, out, _ = run(capsys, "check", "-f", str(file), "--from", str(tmp_path / "cluster.yaml"), "-o", "json")
    assert "late-new" not in out
    assert "metadata.creationTimestamp" not in out


PROBED = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: app
        image: web:1
        ports: [{name: http, containerPort: 80}, {containerPort: 81}]
        livenessProbe: {httpGet: {path: /, port: 81}}
        readinessProbe:
          tcpSocket: {port: %s}
      - name: other
        image: other:1
        ports: [{name: admin, containerPort: 82}]
"""


@pytest.mark.parametrize(("port", "line"), [("http", 0), ("80", 0), ("admin", 15), ("htttp", 15)])
def test_a_probe_asks_a_port_of_its_own_container(port: str, line: int, tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "web.yaml"
    file.write_text(PROBED % port)
    found = _places(file, capsys)
    assert {(code, at) for code, _, at, _ in found} == ({("KD5306", line)} if line else set())
