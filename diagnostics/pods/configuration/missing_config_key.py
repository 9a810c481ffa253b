"""A ConfigMap or Secret lacks a key that a pod needs.

## What it means
The object exists, but not the key that the pod's template names. The container is not made
(`CreateContainerConfigError`), or its volume is not mounted.

## Why it happens
- The key has a typo, or another spelling: `DB_HOST` and `db-host` are two keys.
- The ConfigMap or Secret was changed and the pod's template was not, or the reverse.
- A Secret of type `kubernetes.io/tls` has exactly `tls.crt` and `tls.key`.

## How to fix it
1. List the keys: `kubectl describe configmap NAME`, `kubectl describe secret NAME`.
2. Add the key, or name the one that is there. The pod starts by itself when the key appears.

## References
- https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.pods.configuration._references import Absent, absent_keys
from kubedoctor.cluster import Cluster, ConfigMap, Event, Pod, Secret
from kubedoctor.cluster.changes import put
from kubedoctor.cluster.grammar.nearest import misspellings
from kubedoctor.cluster.relations.workloads import WORKLOADS
from kubedoctor.cluster.triage import not_ready
from kubedoctor.findings import Command, Finding, Fix, Ref, Severity, diagnostic
from kubedoctor.findings.commands import change, command_line, kubectl
from kubedoctor.findings.containers import CONSEQUENCES
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
    for one in absent_keys(pod, cluster):
        yield _finding(pod, one, cluster)


def _finding(pod: Pod, one: Absent, cluster: Cluster) -> Finding:
    kind, name, key = one.reference.kind, one.reference.name, one.reference.key
    view = cluster.maybe
    source = view.get(ConfigMap, pod.namespace, name) if kind == "ConfigMap" else view.get(Secret, pod.namespace, name)
    keys = sorted(keys_of(source)) if source is not None else []
    near = misspellings(key, keys, 1)
    said = f"{kind} {name} has no key {key}"
    fixes = []
    if near:
        said += f"; did you mean {near[0]}?"
        fixes.append(change(one.about, f"Name the key {near[0]} instead"))
    elif keys:
        said += f", only {', '.join(keys[:MOST_KEYS])}" + (" and others" if len(keys) > MOST_KEYS else "")
    elif source is not None:
        said += ": it is empty"
    field = "data" if kind == "ConfigMap" else "stringData"
    added = put(Ref(kind, pod.namespace, name), (field, key), "VALUE")
    fixes.append(Fix(f"Add the key {key} to {kind} {name}", command_line(added)))
    look = kubectl("describe", kind.lower(), name, namespace=pod.namespace)
    return Finding(
        about=one.about,
        summary=said,
        confidence=one.confidence,
        evidence=one.evidence,
        fixes=tuple(fixes),
        commands=(Command(look, "the keys that it has"),),
        aspect=f"{name}/{key}",
    )
