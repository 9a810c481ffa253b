"""Which objects a list or a watch selects: label and field selectors, with the fields that the API server supports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubedoctor.cluster.grammar.selectors import SelectorError, parse_field_selector, parse_label_selector
from kubedoctor.sandbox.exchange import FailureStatus, Object, Request
from kubedoctor.sandbox.resources import Resource

_EVERYWHERE = ("metadata.name", "metadata.namespace")
# `AddFieldLabelConversionFunc` of pkg/apis/*/v1/conversion.go, v1.37.
_FIELDS: dict[str, tuple[str, ...]] = {
    "Pod": (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    "Node": ("spec.unschedulable",),
    "Event": (
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
    "Namespace": ("status.phase",),
    "Secret": ("type",),
    "Service": ("spec.clusterIP", "spec.type"),
    "Job": ("status.successful",),
    "ReplicationController": ("status.replicas",),
    "ResourceSlice": ("spec.nodeName", "spec.driver", "spec.pool.name"),
}
_FALSE_WHEN_ABSENT = frozenset({"spec.unschedulable", "spec.hostNetwork"})
_ZERO_WHEN_ABSENT = frozenset({"status.successful", "status.replicas"})


def selection(request: Request, resource: Resource) -> Callable[[Object], bool]:
    """A predicate for the request's selectors. A malformed selector or an unsupported field is refused."""
    try:
        label_selector = parse_label_selector(request.query.get("labelSelector", ""))
        field_selector = parse_field_selector(request.query.get("fieldSelector", ""))
    except SelectorError as error:
        raise FailureStatus(400, "BadRequest", str(error)) from None
    supported = (*_EVERYWHERE, *_FIELDS.get(resource.kind, ()), *resource.selectable_fields)
    fields = tuple(term.field for term in field_selector.terms)
    for name in fields:
        if name not in supported:
            raise FailureStatus(400, "BadRequest", f"field label not supported: {name}")

    def accepts(obj: Object) -> bool:
        if not label_selector.matches(obj["metadata"].get("labels") or {}):
            return False
        return not fields or field_selector.matches({name: _field(obj, name) for name in fields})

    return accepts


def _field(obj: Object, name: str) -> str:
    if name == "source":
        return str((obj.get("source") or {}).get("component") or obj.get("reportingComponent") or "")
    value: Any = obj
    for part in ("status.succeeded" if name == "status.successful" else name).split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if value is None:
        return "false" if name in _FALSE_WHEN_ABSENT else "0" if name in _ZERO_WHEN_ABSENT else ""
    return str(value).lower() if isinstance(value, bool) else str(value)
