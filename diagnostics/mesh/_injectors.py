"""The injectors that there are: whom they serve, and the label that would reach one."""

from __future__ import annotations

import shlex

from kubedoctor.cluster.kinds.core import Namespace
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.findings import Command, Evidence, Fix, has_path, quote
from kubedoctor.replay.mesh import injection
from kubedoctor.replay.mesh.injection import INJECT, INJECTION, REVISION, TAG, Call
from kubedoctor.replay.mesh.wishes import served

LOOK = Command("kubectl get mutatingwebhookconfigurations -L istio.io/rev -L istio.io/tag", "the injectors there are")


def serves(call: Call) -> Evidence:
    """What an injector is for."""
    paths = (f"metadata.labels[{TAG}]", f"metadata.labels[{REVISION}]", "metadata.name")
    found = next((path for path in paths if has_path(call.configuration, path)), "webhooks[0].name")
    return quote(call.configuration, found, "deactivated" if call.is_deactivated else "what this injector serves")


def wrong_label(labels: dict[str, str], calls: tuple[Call, ...]) -> str:
    """Why a namespace with these labels asks in vain."""
    if not calls:
        return "it asks for Istio sidecars, but no injector is installed in this cluster"
    if all(each.is_deactivated for each in calls):
        return "it asks for Istio sidecars, but every injector is deactivated"
    value = labels.get(INJECTION)
    if value is None:
        return f"no injector serves the Istio revision {labels[REVISION]}{_served(calls)}"
    if value != "enabled":
        return f"{INJECTION}={value} means nothing to Istio: it must be enabled"
    return f"{INJECTION}=enabled is served by no injector{_served(calls)}"


def why_not_called(pod: Pod, labels: dict[str, str], wish: Evidence, calls: tuple[Call, ...]) -> str:
    """Why no injector is called for a pod that asks by itself, in a namespace with these labels."""
    asks = "it asks for an Istio sidecar"
    if "annotations" in wish.path and calls:
        return f"{asks} by the annotation {INJECT}; the webhook sees only a label of that name"
    if labels.get(INJECTION) == "disabled":
        return f"{asks}, but its namespace forbids it: {INJECTION}=disabled"
    if not calls:
        return f"{asks}, but no injector is installed"
    if REVISION in pod.labels:
        revision = pod.labels[REVISION]
        return f"it asks for the Istio revision {revision}, which no injector serves here{_served(calls)}"
    return f"{asks}, but no injector is called for it{_served(calls)}"


def _served(calls: tuple[Call, ...]) -> str:
    names = served(calls)
    return f"; served: {', '.join(names)}" if names else ""


def relabel(namespace: Namespace, label: str, calls: tuple[Call, ...], pod: Pod) -> tuple[Fix, ...]:
    """The change of the namespace's label, judged again with the webhooks that are there."""
    key, _, value = label.partition("=")
    dropped = f" {INJECTION}-" if key == REVISION and INJECTION in namespace.labels else ""
    changed = {name: old for name, old in namespace.labels.items() if not (dropped and name == INJECTION)}
    again = injection.calls([each.configuration for each in calls], {**changed, key: value}, pod.labels)
    verified = any(each.calls for each in again)
    command = f"kubectl label namespace {namespace.name} {shlex.quote(label)}{dropped} --overwrite"
    return (Fix(f"label the namespace {label}, then restart its workloads", command, verified=verified),)
