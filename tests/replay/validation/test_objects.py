"""What the API server's own validation refuses, and what it takes. The real server's verdicts on generated objects are in
`tests/real/test_manifest_verdicts.py`."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import yaml

from kubedoctor.collect.manifests.schemas import schemas_for
from kubedoctor.replay.validation.objects import violations

SCHEMAS = schemas_for(None)
DEPLOYMENT = """
apiVersion: apps/v1
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
        ports: [{name: http, containerPort: 8080}]
        resources: {requests: {cpu: 100m}, limits: {cpu: "1"}}
        volumeMounts: [{name: data, mountPath: /data}]
        livenessProbe: {httpGet: {path: /, port: http}}
      volumes: [{name: data, emptyDir: {}}]
"""
HEALTHY = f"""
{DEPLOYMENT}
---
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec: {{selector: {{app: web}}, ports: [{{name: a, port: 80, targetPort: http}}, {{name: b, port: 81}}]}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {{name: nightly}}
spec:
  schedule: "0 3 * * 1-5"
  jobTemplate: {{spec: {{template: {{spec: {{restartPolicy: Never, containers: [{{name: a, image: b}}]}}}}}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: web}}
spec:
  rules: [{{host: "*.example.com", http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: web, port: {{name: http}}}}}}}}]}}}}]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{name: web}}
spec:
  maxReplicas: 3
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: web}}
  metrics: [{{type: Resource, resource: {{name: cpu, target: {{type: Utilization, averageUtilization: 80}}}}}}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{name: web}}
spec: {{minAvailable: 50%, selector: {{matchLabels: {{app: web}}}}}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: data}}
spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Gi}}}}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: "system:x"}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: x}}
subjects: [{{kind: ServiceAccount, name: a, namespace: b}}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: web}}
spec:
  podSelector: {{}}
  policyTypes: [Ingress]
  ingress: [{{from: [{{namespaceSelector: {{}}}}, {{ipBlock: {{cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}}}], ports: [{{port: 80, endPort: 90}}]}}]
"""


def refused(document: dict[str, Any]) -> list[str]:
    schema = SCHEMAS.of(document["apiVersion"], document["kind"])
    assert schema is not None
    return [violation.text for violation in violations(document, schema, SCHEMAS)]


@pytest.mark.parametrize("document", list(yaml.safe_load_all(HEALTHY)), ids=lambda document: document["kind"])
def test_healthy_objects_are_taken(document: dict[str, Any]) -> None:
    assert refused(document) == []


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("metadata.name", "Web", 'metadata.name: Invalid value: "Web": a lowercase RFC 1123 subdomain'),
        ("metadata.labels", {"a": "b c"}, 'metadata.labels.a: Invalid value: "b c": a valid label'),
        ("spec.selector", None, "spec.selector: Required value"),
        ("spec.selector.matchLabels.app", "other", "`selector` does not match template `labels`"),
        ("spec.template", None, "spec.template: Required value"),
        ("spec.template.spec.containers", [], "spec.template.spec.containers: Required value"),
        ("spec.template.spec.restartPolicy", "Never", 'Unsupported value: "Never": supported values: "Always"'),
        ("spec.replicas", -1, "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
        ("spec.replicas", "2", "spec.replicas: cannot unmarshal string"),
        ("spec.replica", 2, 'unknown field "spec.replica"'),
        ("spec.template.spec.containers.0.image", None, "image: Required value"),
        ("spec.template.spec.containers.0.ports.0.containerPort", 70000, "must be between 1 and 65535"),
        ("spec.template.spec.containers.0.ports.0.name", "much-too-long-name", "must be no more than 15 characters"),
        ("spec.template.spec.containers.0.env", [{"name": "A", "value": 1}], "cannot unmarshal number"),
        ("spec.template.spec.containers.0.env", [{"value": "1"}], "env[0].name: Required value"),
        ("spec.template.spec.containers.0.resources.requests.cpu", "2", "must be less than or equal to cpu limit of 1"),
        ("spec.template.spec.containers.0.resources.requests.cpu", "2 cores", "quantities must match"),
        ("spec.template.spec.containers.0.volumeMounts.0.name", "date", 'Not found: "date"'),
        ("spec.template.spec.containers.0.livenessProbe", {}, "livenessProbe: Required value: must specify a handler"),
        (
            "spec.template.spec.containers.0.livenessProbe.successThreshold",
            2,
            "successThreshold: Invalid value: 2: must be 1",
        ),
        ("spec.template.spec.tolerations", [{"key": "a", "operator": "Exists", "value": "x"}], "value must be empty"),
        ("spec.strategy", {"type": "Recreate", "rollingUpdate": {}}, "may not be specified when strategy"),
    ],
)
def test_faults_are_named_where_they_are(path: str, value: Any, says: str) -> None:
    document = changed(yaml.safe_load(DEPLOYMENT), path, value)
    found = refused(document)
    assert len(found) == 1, found
    assert says in found[0]


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with a value set, or removed where it is None."""
    copied: Any = deepcopy(document)
    at = copied
    *steps, last = path.split(".")
    for step in steps:
        at = at[int(step)] if isinstance(at, list) else at[step]
    if value is None:
        del at[last]
    else:
        at[last] = value
    result: dict[str, Any] = copied
    return result


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{apiVersion: v1, kind: Service, metadata: {name: Web}, spec: {ports: [{port: 80}]}}", "RFC 1123 label"),
        (
            "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: 80}, {port: 81}]}}",
            "ports[0].name",
        ),
        (
            "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {type: ExternalName}}",
            "externalName: Required",
        ),
        ("{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {}}", "spec.containers: Required value"),
        (
            "{apiVersion: v1, kind: Pod, metadata: {}, spec: {containers: [{name: a, image: b}]}}",
            "metadata.name: Required",
        ),
        (
            "{apiVersion: batch/v1, kind: Job, metadata: {name: a}, spec: {template: {spec: {containers: [{name: a, image: b}]}}}}",
            "restartPolicy: Required value",
        ),
        (
            "{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: a}, spec: {minAvailable: 1, maxUnavailable: 1}}",
            "cannot be both set",
        ),
        (
            "{apiVersion: v1, kind: Secret, metadata: {name: a}, type: kubernetes.io/tls}",
            "data[tls.crt]: Required value",
        ),
        ("{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {a: '%%'}}", "illegal base64 data"),
    ],
)
def test_other_kinds(text: str, says: str) -> None:
    found = refused(yaml.safe_load(text))
    assert any(says in line for line in found), found


def test_a_field_under_another_name_is_not_missing_too() -> None:
    document = yaml.safe_load(DEPLOYMENT)
    document["spec"]["selektor"] = document["spec"].pop("selector")
    assert refused(document) == ['unknown field "spec.selektor"']
