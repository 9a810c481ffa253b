"""`kubedoctor check`: webhooks that would be called about the objects of files, and cannot be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest

from kubedoctor.replay.cel import is_installed
from tests.cli.test_check import CLUSTER
from tests.cli.test_check_policies import WEB
from tests.cli.test_run import Capture, run

BUNDLE: Final = "LS0t"
"""No certificate: it says nothing of its end."""
WEBHOOK: Final = """- apiVersion: admissionregistration.k8s.io/v1
  kind: %(kind)s
  metadata: {name: guard, creationTimestamp: "2026-01-15T08:00:00Z"}
  webhooks:
  - name: guard.example.com
    clientConfig: {service: {name: guard, namespace: shop, path: /check}, caBundle: %(bundle)s}
    failurePolicy: %(policy)s
    rules: [{apiGroups: ['%(group)s'], apiVersions: ['v1'], operations: [CREATE], resources: [%(resource)s]}]
    %(more)s
"""
SERVICE: Final = """- apiVersion: v1
  kind: Service
  metadata: {name: guard, namespace: shop, creationTimestamp: "2026-01-15T08:00:00Z"}
  spec: {selector: {app: guard}, ports: [{port: %s, targetPort: 8443}]}
"""
POD: Final = """- apiVersion: v1
  kind: Pod
  metadata: {name: guard, namespace: shop, labels: {app: guard}, creationTimestamp: "2026-01-15T08:00:00Z"}
  spec: {nodeName: n1, containers: [{name: guard, image: 'guard:1', ports: [{containerPort: 8443}]}]}
  status:
    phase: Running
    podIP: 10.0.0.9
    conditions: [{type: Ready, status: "True", lastTransitionTime: "2026-01-15T08:00:00Z"}]
    containerStatuses: [{name: guard, ready: true, started: true, restartCount: 0, state: {running: {startedAt: "2026-01-15T08:00:00Z"}}}]
- apiVersion: discovery.k8s.io/v1
  kind: EndpointSlice
  metadata: {name: guard-1, namespace: shop, labels: {kubernetes.io/service-name: guard}, creationTimestamp: "2026-01-15T08:00:00Z"}
  addressType: IPv4
  endpoints: [{addresses: [10.0.0.9], conditions: {ready: true}, targetRef: {kind: Pod, name: guard, namespace: shop}}]
  ports: [{name: "", port: 8443}]
"""
CALL: Final = (
    'failed calling webhook "guard.example.com": failed to call webhook: Post "https://guard.shop.svc:443/check'
)
NO_ENDPOINTS: Final = 'no endpoints available for service "guard"'
ROWS: Final[dict[str, tuple[dict[str, str], str, str, str]]] = {
    "no endpoints": ({}, SERVICE % 443, NO_ENDPOINTS, ""),
    "no Service": ({}, "", 'service "guard" not found', ""),
    "no such port": ({}, SERVICE % 80, 'no service port 443 found for service "guard"', ""),
    "it may be ignored": ({"policy": "Ignore"}, SERVICE % 443, "", ""),
    "another resource": ({"resource": "statefulsets"}, SERVICE % 443, "", ""),
    "pods": ({"group": "", "resource": "pods"}, SERVICE % 443, NO_ENDPOINTS, ""),
    "another namespace": (
        {
            "more": "namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [shop]}]}"
        },
        SERVICE % 443,
        "",
        "",
    ),
    "other objects": ({"more": "objectSelector: {matchLabels: {team: b}}"}, SERVICE % 443, "", ""),
    "cluster-scoped objects": ({"resource": "'*'", "group": "*", "more": ""}, SERVICE % 443, NO_ENDPOINTS, ""),
    "it can be called": ({}, SERVICE % 443 + POD, "", "guard.example.com"),
    "it changes objects": ({"kind": "MutatingWebhookConfiguration"}, SERVICE % 443, NO_ENDPOINTS, ""),
}


def _cluster(settings: dict[str, str], around: str) -> str:
    values = {
        "kind": "ValidatingWebhookConfiguration",
        "policy": "Fail",
        "group": "apps",
        "resource": "deployments",
        "more": "",
        "bundle": BUNDLE,
    }
    return CLUSTER.replace("expect: []\n", WEBHOOK % {**values, **settings} + around + "expect: []\n")


def _check(files: str, cluster: str, tmp_path: Path, capsys: Capture) -> tuple[int, str, str]:
    (tmp_path / "web.yaml").write_text(files)
    (tmp_path / "cluster.yaml").write_text(cluster)
    code, out, _ = run(
        capsys, "check", "-f", str(tmp_path / "web.yaml"), "--from", str(tmp_path / "cluster.yaml"), "-o", "json"
    )
    data = json.loads(out)
    findings = [
        one for one in data["findings"] if one["about"]["kind"] in ("Deployment", "ValidatingWebhookConfiguration")
    ]
    said = " ".join(f"{one['summary']} {one['evidence']}" for one in findings)
    return code, said, json.dumps(data.get("not_checked", data.get("notChecked")))


@pytest.mark.parametrize("name", ROWS)
def test_a_webhook_that_cannot_be_called_refuses_the_object(name: str, tmp_path: Path, capsys: Capture) -> None:
    settings, around, says, unasked = ROWS[name]
    files = WEB.replace("replicas: 6", "replicas: 1")
    code, found, gaps = _check(files, _cluster(settings, around), tmp_path, capsys)
    assert says in found.replace("\\'", "'")
    assert any(words in found for words in ("failed calling webhook", "cannot be called")) == bool(says), found
    assert unasked in gaps
    assert ("which are not asked" in gaps) == bool(unasked)
    assert code == (1 if says else 3 if unasked else 0)


@pytest.mark.skipif(not is_installed(), reason="cel-expr-python is not installed")
@pytest.mark.parametrize(
    ("expression", "refused"), [("object.spec.replicas > 3", False), ("object.spec.replicas < 3", True)]
)
def test_its_conditions_count(expression: str, refused: bool, tmp_path: Path, capsys: Capture) -> None:
    files = WEB.replace("replicas: 6", "replicas: 1")
    more = {"more": f"matchConditions: [{{name: some, expression: '{expression}'}}]"}
    _, found, _ = _check(files, _cluster(more, SERVICE % 443), tmp_path, capsys)
    assert (CALL in found) == refused
