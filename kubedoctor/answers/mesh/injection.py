"""Why a pod has a sidecar or none, and how old its proxy is, in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from kubedoctor.answers.mesh.sight import MeshSight
from kubedoctor.answers.sheet import Mark
from kubedoctor.cluster.kinds.control import MutatingWebhookConfiguration
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.replay.gateway.attachment import GATEWAY
from kubedoctor.replay.mesh.config import ROOT_NAMESPACE
from kubedoctor.replay.mesh.injection import (
    DATAPLANE,
    IGNORED_NAMESPACES,
    INJECT,
    INJECTION,
    PROXY,
    REVISION,
    STATUS,
    Call,
    Injector,
    calls,
    required,
)
from kubedoctor.replay.mesh.linkerd.proxies import PROXY as LINKERD_PROXY
from kubedoctor.replay.mesh.linkerd.proxies import has_proxy, is_injector
from kubedoctor.replay.mesh.roles import WAYPOINT_CLASS, ProxyRole, gateway_name, role_of
from kubedoctor.replay.mesh.wishes import served

REDIRECTION: Final = "ambient.istio.io/redirection"
_RELEASE: Final = re.compile(r":v?(\d+)\.(\d+)(?:\.\d+)?")
_MOST_BEHIND: Final = 1
"""Minor releases that a proxy may be older than the control plane (istio.io, Supported Releases)."""


class Membership(msgspec.Struct, frozen=True):
    """How a pod takes part. `kind`: `sidecar`, `gateway`, `waypoint`, `ztunnel`, `ambient`, `linkerd`, or empty; `mark`: NO
    where it lacks what it requests."""

    kind: str
    text: str
    mark: Mark = Mark.YES


def membership(sight: MeshSight) -> Membership:
    pod = sight.pod
    labels = sight.namespace.labels if sight.namespace is not None else {}
    if has_proxy(pod):
        return Membership("linkerd", "has a proxy of Linkerd")
    webhooks = sight.cluster.all(MutatingWebhookConfiguration)
    called = calls(webhooks, labels, pod.labels)
    if (role := _role(sight)) is not None:
        kind, what, does = _ROLES[role]
        return Membership(kind, f"{what}{_revision(pod)}{_native(pod)}{does}")
    dataplane = pod.labels.get(DATAPLANE) or labels.get(DATAPLANE)
    if dataplane == "ambient" and not pod.spec.host_network:
        captured = pod.annotations.get(REDIRECTION) == "enabled"
        what = (
            "is in the ambient mesh" if captured else "is labelled for the ambient mesh, which has not captured it yet"
        )
        return Membership("ambient", what, Mark.YES if captured else Mark.UNKNOWN)
    if not called and INJECTION not in labels and not wishes(pod, labels) and not _is_installed(sight, webhooks):
        return Membership("", "is in no service mesh: no injector of Istio or Linkerd is installed")
    return _without(pod, labels, called)


def _role(sight: MeshSight) -> ProxyRole | None:
    """The proxy's; of a Gateway of the Gateway API its class tells what the pod lacks."""
    role = role_of(sight.pod)
    if role is ProxyRole.ROUTER and (name := gateway_name(sight.pod)):
        gateway = sight.cluster.get_ref(Ref(GATEWAY, sight.pod.namespace, name))
        if isinstance(gateway, CustomResource) and (gateway.spec or {}).get("gatewayClassName") == WAYPOINT_CLASS:
            return ProxyRole.WAYPOINT
    return role


_ROLES: Final = {
    ProxyRole.SIDECAR: ("sidecar", "has a sidecar", ""),
    ProxyRole.ROUTER: ("gateway", "is a gateway", ": its proxy takes requests from outside of the mesh"),
    ProxyRole.WAYPOINT: ("waypoint", "is a waypoint", ": its proxy applies rules of HTTP for the ambient mesh"),
    ProxyRole.ZTUNNEL: ("ztunnel", "is ztunnel", ": it carries the connections of the ambient mesh on its node"),
}


def wishes(pod: Pod, labels: dict[str, str]) -> bool:
    """Whether the pod or its namespace requests a sidecar of Istio."""
    value = pod.labels.get(INJECT, pod.annotations.get(INJECT, ""))
    return labels.get(INJECTION) == "enabled" or REVISION in labels or value == "true" or REVISION in pod.labels


def _is_installed(sight: MeshSight, webhooks: tuple[MutatingWebhookConfiguration, ...]) -> bool:
    """By Linkerd's injector, and by whether the kinds of a mesh have objects; true where webhooks could not be read."""
    if any(gap.kind == "MutatingWebhookConfiguration" for gap in sight.source.gaps):
        return True
    of_linkerd = any(is_injector(one) for one in webhooks)
    return of_linkerd or any(
        sight.custom(kind) for kind in ("VirtualService", "DestinationRule", "ServiceEntry", "Sidecar")
    )


def _without(pod: Pod, labels: dict[str, str], called: tuple[Call, ...]) -> Membership:
    calling = [call for call in called if call.calls]
    value = pod.labels.get(INJECT, pod.annotations.get(INJECT, ""))
    asks = wishes(pod, labels)
    if pod.namespace in IGNORED_NAMESPACES:
        return Membership("", f"has no sidecar: pods of {pod.namespace} are never injected")
    if pod.spec.host_network:
        return Membership("", "has no sidecar: pods with hostNetwork are never injected")
    if value == "false":
        return Membership("", f"has no sidecar: it opts out by {INJECT}=false")
    if labels.get(INJECTION) == "disabled":
        return Membership("", f"has no sidecar: its namespace disables injection ({INJECTION}=disabled)")
    if calling and required(pod, pod.namespace, Injector()):
        why = "it was created before the injector selected it, or while that was down: restart the workload"
        return Membership("", f"has no sidecar although the injector selects it: {why}", Mark.NO)
    if not asks:
        return Membership("", "has no sidecar: neither its namespace nor its labels request one")
    if labels and not value and REVISION not in pod.labels:
        return Membership("", f"has no sidecar: {wrong_label(labels, called)}", Mark.NO)
    return Membership(
        "", f"has no sidecar: {why_not_called(pod, labels, called, by_annotation=INJECT not in pod.labels)}", Mark.NO
    )


def wrong_label(labels: dict[str, str], calls: tuple[Call, ...]) -> str:
    """Why no injector serves a namespace with these labels."""
    if not calls:
        return "the namespace requests Istio sidecars, but no injector is installed"
    if all(call.is_deactivated for call in calls):
        return "the namespace requests Istio sidecars, but every injector is deactivated"
    value = labels.get(INJECTION)
    if value is None:
        return f"no injector serves Istio revision {labels[REVISION]}{_served(calls)}"
    if value != "enabled":
        return f"label {INJECTION}={value} has no effect: the value must be enabled"
    return f"no injector serves label {INJECTION}=enabled{_served(calls)}"


def why_not_called(pod: Pod, labels: dict[str, str], calls: tuple[Call, ...], *, by_annotation: bool) -> str:
    """Why no injector is called for a pod that requests a sidecar itself, in a namespace with these labels."""
    asks = "the pod requests an Istio sidecar"
    if by_annotation and calls:
        return f"{asks} by annotation {INJECT}, but the webhook selects by the label of that name only"
    if labels.get(INJECTION) == "disabled":
        return f"{asks}, but its namespace disables injection: {INJECTION}=disabled"
    if not calls:
        return f"{asks}, but no injector is installed"
    if REVISION in pod.labels:
        revision = pod.labels[REVISION]
        return f"the pod requests Istio revision {revision}, which no injector serves{_served(calls)}"
    return f"{asks}, but no injector selects it{_served(calls)}"


def _served(calls: tuple[Call, ...]) -> str:
    names = served(calls)
    return f"; available: {', '.join(names)}" if names else ""


def _revision(pod: Pod) -> str:
    if REVISION in pod.labels:
        return f", revision {pod.labels[REVISION]}"
    try:
        status = msgspec.json.decode(pod.annotations.get(STATUS, ""))
    except msgspec.DecodeError:
        return ""
    revision = status.get("revision") if isinstance(status, dict) else None
    return f", revision {revision}" if revision else ""


def _native(pod: Pod) -> str:
    own = any(container.name == PROXY for container in pod.spec.init_containers or ())
    return ", as a native sidecar (init container)" if own else ""


def release_notes(sight: MeshSight) -> Iterator[tuple[Mark, str]]:
    """The release of the proxy beside those of the control plane."""
    proxy = _image(sight.pod, PROXY) or _image(sight.pod, LINKERD_PROXY)
    mine = _release(proxy)
    if mine is None:
        return
    control = {
        found
        for pod in sight.cluster.all(Pod, ROOT_NAMESPACE)
        if pod.labels.get("app") == "istiod"
        for container in pod.spec.containers
        if (found := _release(container.image)) is not None
    }
    written = proxy.rpartition(":")[2]
    if not control or _image(sight.pod, LINKERD_PROXY):
        yield Mark.NONE, f"proxy {written}"
        return
    newest = max(control)
    shown = ", ".join(f"{major}.{minor}" for major, minor in sorted(control))
    if any(mine[0] == one[0] and 0 <= one[1] - mine[1] <= _MOST_BEHIND for one in control):
        yield Mark.YES, f"proxy {written}, control plane {shown}"
    elif mine > newest:
        yield Mark.NO, f"proxy {written} is newer than the control plane ({shown}), which is not supported"
    else:
        why = "a proxy may be one minor release behind: restart the workload"
        yield Mark.NO, f"proxy {written} is too old for the control plane ({shown}): {why}"


def _image(pod: Pod, name: str) -> str:
    containers = (*pod.spec.containers, *(pod.spec.init_containers or ()))
    return next((container.image for container in containers if container.name == name), "")


def _release(image: str) -> tuple[int, int] | None:
    found = _RELEASE.search(image)
    return (int(found[1]), int(found[2])) if found is not None else None
