"""`kubedoctor check`: what ValidatingAdmissionPolicies say of the objects of files, and of their pods."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest

from kubedoctor.replay.cel import is_installed
from tests.cli.test_check import CLUSTER
from tests.cli.test_run import Capture, run

pytestmark = pytest.mark.skipif(not is_installed(), reason="cel-expr-python is not installed")

POLICY: Final = """apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: rules}
spec:
  matchConstraints:
    resourceRules:
    - {apiGroups: ['%s'], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [%s]}
  %s
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: bound}
spec: {policyName: rules, validationActions: [%s]%s}
---
"""
WEB: Final = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {team: a}}
spec:
  replicas: 6
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: app, image: 'docker.io/web:1', resources: {limits: {memory: 2Gi}}}]}
"""
DEPLOYMENTS, PODS = ("apps", "deployments"), ("", "pods")


def _policy(on: tuple[str, str], spec: str, actions: str = "Deny", more: str = "") -> str:
    return POLICY % (*on, spec, actions, more)


def _rule(expression: str, message: str = "") -> str:
    said = f', message: "{message}"' if message else ""
    return f'validations: [{{expression: "{expression}"{said}}}]'


REPLICAS: Final = _rule("object.spec.replicas <= 5", "at most 5 replicas")
REGISTRY: Final = _rule("object.spec.containers.all(c, c.image.startsWith('registry.example.com/'))")
ROWS: Final[dict[str, tuple[str, str]]] = {
    "denied": (_policy(DEPLOYMENTS, REPLICAS), "with binding 'bound' denied request: at most 5 replicas"),
    "another resource": (_policy(("apps", "statefulsets"), REPLICAS), ""),
    "another namespace": (
        _policy(DEPLOYMENTS, REPLICAS, more=", matchResources: {namespaceSelector: {matchLabels: {env: prod}}}"),
        "",
    ),
    "its namespace": (
        _policy(
            DEPLOYMENTS,
            REPLICAS,
            more=", matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}",
        ),
        "at most 5 replicas",
    ),
    "another label": (
        _policy(DEPLOYMENTS, REPLICAS, more=", matchResources: {objectSelector: {matchLabels: {team: b}}}"),
        "",
    ),
    "excluded": (
        _policy(
            DEPLOYMENTS,
            REPLICAS,
            more=", matchResources: {excludeResourceRules: [{apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['deployments']}]}",
        ),
        "",
    ),
    "a condition that is not met": (
        _policy(
            DEPLOYMENTS,
            "matchConditions: [{name: not-web, expression: \"object.metadata.name != 'web'\"}]\n  " + REPLICAS,
        ),
        "",
    ),
    "the pods": (_policy(PODS, REGISTRY), "denies the pods: failed expression"),
    "an expression that fails": (
        _policy(DEPLOYMENTS, _rule("object.spec.nothing == 1")),
        "expression 'object.spec.nothing == 1' resulted in error: no such key: nothing",
    ),
    "an expression that fails and may": (
        _policy(DEPLOYMENTS, "failurePolicy: Ignore\n  " + _rule("object.spec.nothing == 1")),
        "",
    ),
    "a default": (_policy(DEPLOYMENTS, _rule("object.spec.revisionHistoryLimit == 10")), ""),
    "a request that templates do not get from the limit": (
        _policy(DEPLOYMENTS, _rule("object.spec.template.spec.containers.all(c, c.resources.requests.memory != '')")),
        "no such key: requests",
    ),
    "a request that pods get from the limit": (
        _policy(PODS, _rule("object.spec.containers.all(c, c.resources.requests.memory == '2Gi')")),
        "",
    ),
    "variables": (
        _policy(
            DEPLOYMENTS,
            "variables: [{name: limit, expression: '5'}, {name: most, expression: variables.limit + 0}]\n  "
            "validations: [{expression: object.spec.replicas <= variables.most, "
            "messageExpression: \"'more than ' + string(variables.most)\"}]",
        ),
        "denied request: more than 5",
    ),
    "a quantity": (
        _policy(
            PODS,
            _rule(
                "object.spec.containers.all(c, quantity(c.resources.limits.memory).isLessThan(quantity('1Gi')))",
                "too large",
            ),
        ),
        "too large",
    ),
    "a warning": (
        _policy(DEPLOYMENTS, REPLICAS, "Warn, Audit"),
        "Validation failed for ValidatingAdmissionPolicy 'rules'",
    ),
    "the audit log alone": (_policy(DEPLOYMENTS, REPLICAS, "Audit"), ""),
    "parameters": (
        _policy(
            DEPLOYMENTS,
            "paramKind: {apiVersion: v1, kind: ConfigMap}\n  "
            + _rule("object.spec.replicas <= int(params.data.most)", "above most"),
            more=", paramRef: {name: limits, namespace: shop, parameterNotFoundAction: Deny}",
        )
        + "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: limits, namespace: shop}\ndata: {most: '3'}\n---\n",
        "above most",
    ),
    "parameters that are not there": (
        _policy(
            DEPLOYMENTS,
            "paramKind: {apiVersion: v1, kind: ConfigMap}\n  " + REPLICAS,
            more=", paramRef: {name: limits, namespace: shop, parameterNotFoundAction: Deny}",
        ),
        "no params found for policy binding",
    ),
    "parameters that may be missing": (
        _policy(
            DEPLOYMENTS,
            "paramKind: {apiVersion: v1, kind: ConfigMap}\n  " + REPLICAS,
            more=", paramRef: {name: limits, namespace: shop, parameterNotFoundAction: Allow}",
        ),
        "",
    ),
}
UNREAD: Final[dict[str, str]] = {
    "authorizer.group('').resource('pods').check('get').allowed()": "authorizer depends on who asks",
    "request.userInfo.username == 'a'": "request.userInfo depends on who asks",
    "format.dns1123Label().validate(object.metadata.name) == optional.none()": "undeclared reference to 'format'",
}


def _checked(text: str, tmp_path: Path, capsys: Capture) -> tuple[int, str, dict[str, object]]:
    (tmp_path / "web.yaml").write_text(text)
    (tmp_path / "cluster.yaml").write_text(CLUSTER)
    code, out, _ = run(
        capsys, "check", "-f", str(tmp_path / "web.yaml"), "--from", str(tmp_path / "cluster.yaml"), "-o", "json"
    )
    data = json.loads(out)
    return code, json.dumps(data["findings"]), data


@pytest.mark.parametrize("name", ROWS)
def test_a_policy_says_what_the_api_server_says(name: str, tmp_path: Path, capsys: Capture) -> None:
    policy, says = ROWS[name]
    _, found, _ = _checked(policy + WEB, tmp_path, capsys)
    assert says in found
    assert ("ValidatingAdmissionPolicy" in found) == bool(says), found


@pytest.mark.parametrize("expression", UNREAD)
def test_what_cannot_be_evaluated_is_said(expression: str, tmp_path: Path, capsys: Capture) -> None:
    code, found, data = _checked(_policy(DEPLOYMENTS, _rule(expression)) + WEB, tmp_path, capsys)
    assert "ValidatingAdmissionPolicy" not in found
    assert UNREAD[expression] in json.dumps(data["not_checked"] if "not_checked" in data else data["notChecked"])
    assert code == 3


def test_without_the_evaluator_it_is_said(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubedoctor.replay.cel.expressions.is_installed", lambda: False)
    code, found, data = _checked(_policy(DEPLOYMENTS, REPLICAS) + WEB, tmp_path, capsys)
    assert "ValidatingAdmissionPolicy" not in found
    assert "pip install 'kubedoctor[cel]'" in json.dumps(
        data["not_checked"] if "not_checked" in data else data["notChecked"]
    )
    assert code == 3
