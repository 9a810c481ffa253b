"""Key missing in a ConfigMap or Secret (CreateContainerConfigError).

## What it means
The ConfigMap or Secret exists, but it has no key of the name that the pod template uses. The container is not created
(`CreateContainerConfigError`), or its volume is not mounted.

## Why it happens
- The key has a typo or another spelling: `DB_HOST` and `db-host` are two different keys.
- The ConfigMap or Secret was changed and the pod template was not, or the reverse.
- A Secret of type `kubernetes.io/tls` has the keys `tls.crt` and `tls.key`.

## How to fix it
1. List the keys: `kubectl describe configmap NAME`, `kubectl describe secret NAME`.
2. Add the key, or use an existing key. The pod starts by itself as soon as the key exists.

## References
- https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.pods._consequences import CONSEQUENCES
from diagnostics.pods.configuration._references import Absent, absent_keys
from kubedoctor.cluster import WORKLOADS, Cluster, ConfigMap, Event, Pod, Secret, listed, misspellings, not_ready
from kubedoctor.cluster.changes import put
from kubedoctor.findings import Command, Finding, Fix, Ref, Severity, command_line, diagnostic, fix_by_hand, kubectl
from kubedoctor.replay.kubelet.references import keys_of

MOST_KEYS = 8


@diagnostic(
    code="KD1010",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(ConfigMap, Secret, Event, *WORKLOADS),
    when=not_ready,
    explains=CONSEQUENCES,
    symptoms=("CreateContainerConfigError", "FailedMount", "ContainerCreating"),
)
def missing_config_key(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    for absent in absent_keys(pod, cluster):
        yield _finding(pod, absent, cluster)


def _finding(pod: Pod, absent: Absent, cluster: Cluster) -> Finding:
    kind, name, key = absent.reference.kind, absent.reference.name, absent.reference.key
    view = cluster.maybe
    source = view.get(ConfigMap, pod.namespace, name) if kind == "ConfigMap" else view.get(Secret, pod.namespace, name)
    keys = sorted(keys_of(source)) if source is not None else []
    near = misspellings(key, keys, 1)
    summary = f"{kind} {name} has no key {key}"
    fixes = []
    if near:
        summary += f"; did you mean {near[0]}?"
        fixes.append(fix_by_hand(absent.about, f"Use key {near[0]} instead"))
    elif keys:
        summary += f"; its keys: {listed(keys, MOST_KEYS)}"
    elif source is not None:
        summary += ": it is empty"
    field = "data" if kind == "ConfigMap" else "stringData"
    added = put(Ref(kind, pod.namespace, name), (field, key), "VALUE")
    fixes.append(Fix(f"Add key {key} to {kind} {name}", command_line(added)))
    look = kubectl("describe", kind.lower(), name, namespace=pod.namespace)
    return Finding(
        about=absent.about,
        summary=summary,
        confidence=absent.confidence,
        evidence=absent.evidence,
        fixes=tuple(fixes),
        commands=(Command(look, "its keys"),),
        aspect=f"{name}/{key}",
    )
