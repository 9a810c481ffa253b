"""`kubedoctor check`: files alone, and beside a recording."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from tests.cli.test_run import Capture, run

GUIDE = {
    "blue.yaml": (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: blue\nspec:\n  selector:\n    matchLabels:\n      app: blue\n",
        ["blue.yaml:5:1  Deployment default/blue", "spec.template: Required value"],
    ),
    "web.yaml": (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 3\n  template:\n    metadata:\n"
        "      labels: {app: web}\n    spec:\n      affinity:\n        podAntiAffinity:\n"
        "          requiredDuringSchedulingIgnoredDuringExecution:\n"
        "          - topologyKey: failure-domain.beta.kubernetes.io/zone\n            labelSelector: {matchLabels: {app: web}}\n",
        [
            "web.yaml:5:1  Deployment default/web",
            "spec.selector: Required value",
            "web.yaml:10:5  Deployment default/web",
            "spec.template.spec.containers: Required value",
            "web.yaml:14:13  Deployment default/web",
            "since Kubernetes 1.17 it is topology.kubernetes.io/zone",
        ],
    ),
    "database.yaml": (
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: database\nspec:\n  nodeSelector: {disk: ssd}\n",
        ["database.yaml:5:1  Pod default/database", "spec.containers: Required value"],
    ),
    "reviews.yaml": (
        "apiVersion: networking.istio.io/v1beta1\nkind: VirtualService\nmetadata:\n  name: reviews\nspec:\n  http:\n"
        "  - route: [{destination: {host: reviews}}]\n",
        ["reviews.yaml:5:1  VirtualService default/reviews", "spec.hosts: Required value"],
    ),
    "fluentd.yaml": (
        "apiVersion: apps/v1\nkind: DaemonSet\nmetadata:\n  name: fluentd\nspec:\n  selector: {matchLabels: {a: b}}\n  template:\n"
        "    metadata: {labels: {a: b}}\n    spec:\n      tolerations:\n      - key: node-role.kubernetes.io/master\n"
        "        effect: NoSchedule\n      containers: [{name: a, image: b}]\n",
        ["fluentd.yaml:11:9  DaemonSet default/fluentd", "node-role.kubernetes.io/control-plane"],
    ),
}
"""The guide's faults (Deployments without template or selector, a Pod without containers, a VirtualService without hosts, a
beta zone label, a toleration of the master taint alone), with what names them."""
APPLICATION = """apiVersion: apps/v1
kind: Deployment
metadata: {name: orders, namespace: shop}
spec:
  selector: {matchLabels: {app: orders}}
  template:
    metadata: {labels: {app: orders}}
    spec:
      nodeSelector: {disktype: ssd}
      containers:
      - name: app
        image: orders:1
        envFrom:
        - configMapRef: {name: orders-config}
---
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec:
  selector: {app: order}
  ports: [{port: 80}]
---
apiVersion: v1
kind: Pod
metadata: {name: one, namespace: shop}
spec:
  serviceAccountName: missing
  containers: [{name: a, image: b}]
---
apiVersion: v1
kind: Pod
metadata: {name: two, namespace: nowhere}
spec:
  containers: [{name: a, image: b}]
"""
CLUSTER = """scenario: A namespace and a node
taken_at: 2026-01-15T10:00:00Z
cluster:
- apiVersion: v1
  kind: Namespace
  metadata: {name: shop, labels: {kubernetes.io/metadata.name: shop}, creationTimestamp: "2026-01-15T08:00:00Z"}
  status: {phase: Active}
- apiVersion: v1
  kind: Node
  metadata: {name: n1, labels: {kubernetes.io/hostname: n1}, creationTimestamp: "2026-01-15T08:00:00Z"}
  status:
    allocatable: {cpu: "4", memory: 16Gi, pods: "110"}
    conditions: [{type: Ready, status: "True", reason: KubeletReady, message: m, lastTransitionTime: "2026-01-15T08:00:00Z", lastHeartbeatTime: "2026-01-15T09:59:40Z"}]
expect: []
"""


@pytest.mark.parametrize("name", GUIDE)
def test_the_guides_faults_are_named_with_file_and_line(name: str, tmp_path: Path, capsys: Capture) -> None:
    text, expected = GUIDE[name]
    (tmp_path / name).write_text(text)
    code, out, _ = run(capsys, "check", "-f", str(tmp_path / name), "--offline")
    assert code == 1
    plain = " ".join(out.split())
    for words in expected:
        assert " ".join(words.split()) in plain


def test_a_recording_is_the_cluster(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "app.yaml").write_text(APPLICATION)
    (tmp_path / "cluster.yaml").write_text(CLUSTER)
    code, out, _ = run(
        capsys, "check", "-f", str(tmp_path / "app.yaml"), "--from", str(tmp_path / "cluster.yaml"), "-o", "json"
    )
    data = json.loads(out)
    jsonschema.validate(data, json.loads(files("kubedoctor.cli.formats").joinpath("report.schema.json").read_text()))
    found = {(finding["code"], finding["about"]["name"], finding["place"]["line"]) for finding in data["findings"]}
    assert code == 1
    assert found == {
        ("KD1101", "orders", 9),
        ("KD1009", "orders", 14),
        ("KD2001", "orders", 20),
        ("KD5301", "one", 26),
        ("KD5301", "two", 32),
    }


def test_a_fix_of_what_was_not_applied_is_no_command(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "app.yaml").write_text(APPLICATION)
    (tmp_path / "cluster.yaml").write_text(CLUSTER)
    _, out, _ = run(
        capsys, "check", "-f", str(tmp_path / "app.yaml"), "--from", str(tmp_path / "cluster.yaml"), "-o", "json"
    )
    for finding in json.loads(out)["findings"]:
        assert not any("orders" in fix["command"] for fix in finding["fixes"])


def test_sarif_and_junit_have_the_lines(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "database.yaml"
    file.write_text(GUIDE["database.yaml"][0])
    _, out, _ = run(capsys, "check", "-f", str(file), "--offline", "-o", "sarif")
    (result,) = json.loads(out)["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": str(file)},
        "region": {"startLine": 5, "startColumn": 1},
    }
    _, out, _ = run(capsys, "check", "-f", str(file), "--offline", "-o", "junit")
    assert f'file="{file}" line="5"' in out


def test_healthy_files_give_zero_and_say_what_was_read(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b}\n")
    code, out, err = run(capsys, "check", "-f", str(file), "--offline")
    assert code == 0
    assert "no problems found" in out
    assert "no cluster is read" in err


def test_many_healthy_pods_leave_no_gap_without_a_cluster(tmp_path: Path, capsys: Capture) -> None:
    template = "template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: b}]}}"
    file = tmp_path / "many.yaml"
    file.write_text(
        "".join(
            f"---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: a{n}}}\n"
            f"spec: {{replicas: 20, selector: {{matchLabels: {{a: b}}}}, {template.replace('a: b', f'a: b{n}')}}}\n".replace(
                "matchLabels: {a: b}", f"matchLabels: {{a: b{n}}}"
            )
            for n in range(5)
        )
    )
    code, out, _ = run(capsys, "check", "-f", str(file), "--offline")
    assert (code, "no problems found" in out) == (0, True)


def test_without_a_context_the_files_are_checked_and_it_is_said(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    file = tmp_path / "a.yaml"
    file.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    code, out, _ = run(capsys, "check", "-f", str(file))
    assert code == 3
    assert "--offline checks the files alone" in " ".join(out.split())


def test_custom_kinds_are_judged_by_a_definition_among_the_files(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.example.com}\n"
        "spec:\n  group: example.com\n  scope: Namespaced\n  names: {kind: Widget, plural: widgets, singular: widget, listKind: WidgetList}\n"
        "  versions:\n  - name: v1\n    served: true\n    storage: true\n    schema:\n      openAPIV3Schema:\n        type: object\n"
        "        properties:\n          spec:\n            type: object\n            required: [size]\n            properties: {size: {type: integer, maximum: 9}}\n"
        "---\napiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\nspec:\n  size: 10\n  colour: red\n"
    )
    code, out, _ = run(capsys, "check", "-f", str(file), "--offline", "-o", "json")
    assert code == 1
    assert {(finding["code"], finding["place"]["line"]) for finding in json.loads(out)["findings"]} == {
        ("KD5301", 25),
        ("KD5302", 26),
    }


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("check",), "check needs files"),
        (("check", "-f", "/nowhere.yaml", "--offline"), "does not exist"),
        (("check", "-f", "x", "--offline", "--context", "a"), "exclude each other"),
        (("check", "-f", "", "--offline"), "-f names no file"),
        (("check", "-f", "https://example.com/a.yaml", "--offline"), "only files are read"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], says: str, capsys: Capture) -> None:
    code, _, err = run(capsys, *arguments)
    assert code == 2
    assert says in err


def test_diff_says_what_restarts_and_what_is_new(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "cluster.yaml").write_text(RUNNING)
    text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec:\n  replicas: 1\n  selector: {matchLabels: {app: web}}\n"
    text += "  template:\n    metadata: {labels: {app: web}}\n    spec: {nodeSelector: {disk: ssd}, containers: [{name: a, image: b}]}\n"
    (tmp_path / "web.yaml").write_text(text)
    code, out, _ = run(
        capsys,
        "check",
        "-f",
        str(tmp_path / "web.yaml"),
        "--from",
        str(tmp_path / "cluster.yaml"),
        "--diff",
        "-o",
        "json",
    )
    data = json.loads(out)
    data = data.get("answer", data)
    assert code == 1
    assert [(entry["workload"]["name"], entry["pods"]) for entry in data["restarts"]] == [("web", 1)]
    assert [entry["code"] for entry in data["new"]] == ["KD1101"]
    text = text.replace("nodeSelector: {disk: ssd}, ", "")
    (tmp_path / "web.yaml").write_text(text)
    code, out, _ = run(
        capsys, "check", "-f", str(tmp_path / "web.yaml"), "--from", str(tmp_path / "cluster.yaml"), "--diff"
    )
    assert code == 0
    assert "no running pod" in out


RUNNING = CLUSTER.replace(
    "expect: []\n",
    """- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: web, namespace: shop, uid: d, creationTimestamp: "2026-01-15T08:00:00Z"}
  spec:
    replicas: 1
    selector: {matchLabels: {app: web}}
    template: {metadata: {labels: {app: web}}, spec: {containers: [{name: a, image: b}]}}
  status: {replicas: 1, readyReplicas: 1, updatedReplicas: 1, availableReplicas: 1}
- apiVersion: apps/v1
  kind: ReplicaSet
  metadata: {name: web-1, namespace: shop, uid: r, labels: {app: web}, creationTimestamp: "2026-01-15T08:00:00Z", ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: web, uid: d, controller: true}]}
  spec: {replicas: 1, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: a, image: b}]}}}
  status: {replicas: 1, readyReplicas: 1}
- apiVersion: v1
  kind: Pod
  metadata: {name: web-1-a, namespace: shop, labels: {app: web}, creationTimestamp: "2026-01-15T08:00:00Z", ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-1, uid: r, controller: true}]}
  spec: {nodeName: n1, containers: [{name: a, image: b}]}
  status:
    phase: Running
    podIP: 10.0.0.1
    conditions: [{type: Ready, status: "True", lastTransitionTime: "2026-01-15T08:00:00Z"}]
    containerStatuses: [{name: a, ready: true, started: true, restartCount: 0, state: {running: {startedAt: "2026-01-15T08:00:00Z"}}}]
expect: []
""",
)
