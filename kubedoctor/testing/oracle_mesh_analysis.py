"""The oracle's mode `analyze`: what istioctl says of objects, in the form of `tools/oracle-istio`."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
import yaml

from kubedoctor.cluster.grammar.certificates import certificate_validities
from kubedoctor.cluster.kinds.apps import Deployment
from kubedoctor.cluster.kinds.control import (
    CustomResourceDefinition,
    MutatingWebhookConfiguration,
    ValidatingWebhookConfiguration,
)
from kubedoctor.cluster.kinds.core import ConfigMap, Namespace, Node, Secret, Service
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.mesh.analysis.analyzers import analyze
from kubedoctor.replay.mesh.analysis.messages import AnalyzerMessage
from kubedoctor.replay.mesh.analysis.objects import AnalyzedObjects
from kubedoctor.replay.mesh.injection import IGNORED_NAMESPACES
from kubedoctor.testing.asked import Answer, State

NOW: Final = datetime.fromisoformat("2026-09-01T00:00:00+00:00")
"""When the answers were recorded: certificates are judged by the clock."""

_INGRESS: Final = {"istio": "ingressgateway"}
DEFAULT_RESOURCES: Final[tuple[Mapping[str, Any], ...]] = (
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "istio-ingressgateway-dummypod", "namespace": "istio-system", "labels": _INGRESS},
        "spec": {"containers": [{"name": "istio-proxy"}]},
    },
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "istio-ingressgateway", "namespace": "istio-system"},
        "spec": {
            "selector": _INGRESS,
            "ports": [
                {"name": name, "port": port, "protocol": "TCP", "targetPort": port}
                for name, port in (("http2", 80), ("https", 443), ("tcp", 31400), ("tls", 15443))
            ],
        },
    },
)
"""What istioctl adds where it reads files alone (`pkg/config/analysis/local/defaults.go`)."""


def answer_analyze(request: msgspec.Raw) -> Answer:
    """The messages of all analyzers, or of those that the request names."""
    data = msgspec.json.decode(request)
    written = [*(data.get("objects") or ()), *(DEFAULT_RESOURCES if data.get("defaultResources") else ())]
    objects = analyzed_objects(written, data.get("meshConfig"), data.get("meshNetworks"))
    return {"messages": [_row(message) for message in analyze(objects, data.get("analyzers") or ())]}


def analyzed_objects(
    written: Iterable[Mapping[str, Any]], settings: str | None = None, networks: str | None = None
) -> AnalyzedObjects:
    """Objects as plain data, without those of the cluster's own namespaces, which istioctl leaves out."""
    kept = [one for one in written if not _is_ignored(one)]
    state = State(one for one in kept if "." not in one.get("apiVersion", "").partition("/")[0] or _is_typed(one))
    custom: dict[str, tuple[CustomResource, ...]] = {}
    for one in kept:
        kind = f"{one['kind']}.{one['apiVersion'].partition('/')[0]}"
        custom[kind] = (*custom.get(kind, ()), msgspec.convert(dict(one), CustomResource))
    return AnalyzedObjects(
        state.of(Namespace),
        state.of(Service),
        state.of(Pod),
        state.of(Deployment),
        state.of(Node),
        state.of(ConfigMap),
        state.of(Secret),
        state.of(MutatingWebhookConfiguration),
        state.of(ValidatingWebhookConfiguration),
        state.of(CustomResourceDefinition),
        custom,
        yaml.safe_load(settings or "") or {},
        yaml.safe_load(networks or "") or {},
        frozenset(_name(one) for one in kept if one["kind"] == "Secret" and not _has_certificate(one)),
    )


def _is_typed(one: Mapping[str, Any]) -> bool:
    return not str(one.get("apiVersion")).partition("/")[0].endswith(("istio.io", "gateway.networking.k8s.io"))


def _is_ignored(one: Mapping[str, Any]) -> bool:
    namespace, name = _name(one)
    return (name if one["kind"] == "Namespace" else namespace) in IGNORED_NAMESPACES


def _name(one: Mapping[str, Any]) -> tuple[str, str]:
    metadata = one.get("metadata") or {}
    return metadata.get("namespace") or "", metadata.get("name") or ""


def _has_certificate(secret: Mapping[str, Any]) -> bool:
    data = secret.get("data") or {}
    try:
        pem = base64.b64decode(data.get("cert") or data.get("tls.crt") or "").decode("ascii", "replace")
    except (binascii.Error, TypeError):
        return False
    found = certificate_validities(pem)
    return bool(found) and found[0].start <= NOW <= found[0].end


def _row(message: AnalyzerMessage) -> Answer:
    row = {
        "analyzer": message.analyzer,
        "code": message.code,
        "level": message.level,
        "kind": message.kind,
        "namespace": message.namespace,
        "object": message.name,
        "text": message.text,
    }
    return {key: value for key, value in row.items() if value}
