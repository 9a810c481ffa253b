"""Whether the API server takes an object: strict decoding first, then what it validates, then what may not change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from kubedoctor.collect.manifests.schemas import schemas_for
from kubedoctor.replay.validation.fields import FieldFault, FieldViolation, path_text
from kubedoctor.replay.validation.objects import violations
from kubedoctor.replay.validation.schemas import Schema, Schemas
from kubedoctor.sandbox.exchange import FailureStatus, Object
from kubedoctor.sandbox.resources import Resource

_DECODED: Final = frozenset({FieldFault.UNKNOWN, FieldFault.DUPLICATE_KEY, FieldFault.TYPE})
_REASONS: Final[Mapping[FieldFault, str]] = {
    FieldFault.REQUIRED: "FieldValueRequired",
    FieldFault.UNSUPPORTED: "FieldValueNotSupported",
    FieldFault.DUPLICATE: "FieldValueDuplicate",
    FieldFault.FORBIDDEN: "FieldValueForbidden",
    FieldFault.TOO_LONG: "FieldValueTooLong",
    FieldFault.TOO_MANY: "FieldValueTooMany",
}
_POD_FIELDS: Final = frozenset({"image", "activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"})
_POD_UPDATE: Final = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_IMMUTABLE: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "Deployment": (("spec", "selector"),),
    "ReplicaSet": (("spec", "selector"),),
    "DaemonSet": (("spec", "selector"),),
    "Job": (("spec", "selector"), ("spec", "template"), ("spec", "completionMode")),
    "StorageClass": (("provisioner",), ("parameters",), ("reclaimPolicy",), ("volumeBindingMode",)),
    "RoleBinding": (("roleRef",),),
    "ClusterRoleBinding": (("roleRef",),),
    "PriorityClass": (("value",), ("preemptionPolicy",)),
}
"""Fields that stay as they were created (`ValidateImmutableField` of `pkg/apis/*/validation`, v1.37)."""
_STATEFUL_SET: Final = frozenset(
    {
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    }
)
_STATEFUL_SET_UPDATE: Final = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy',"
    " 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)
_CLAIM: Final = frozenset({"resources", "volumeName", "volumeAttributesClassName", "storageClassName"})
_CLAIM_UPDATE: Final = (
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
)


@cache
def _schemas() -> Schemas:
    return schemas_for(None)


def checked(obj: Object, resource: Resource, strictness: str) -> None:
    """Refused as the API server refuses the object on its own. strictness: `Strict`, `Warn` or `Ignore` of unknown fields,
    as in the query parameter fieldValidation; the server's default is `Warn`."""
    custom = resource.schema is not None
    schema: Schema | None = resource.schema or _schemas().of(resource.api_version, resource.kind)
    found = violations(_as_sent(obj), schema, _schemas(), custom=custom, namespaced=resource.namespaced)
    decoded = [one for one in found if one.fault in _DECODED]
    if strictness != "Strict":
        decoded = [one for one in decoded if one.fault is FieldFault.TYPE]
    if decoded:
        told = ", ".join(one.text for one in decoded)
        strict = "strict decoding error: " if decoded[0].fault is not FieldFault.TYPE else ""
        kind, version = resource.kind, resource.version
        message = f'{kind} in version "{version}" cannot be handled as a {kind}: {strict}{told}'
        raise FailureStatus(400, "BadRequest", message)
    if others := [one for one in found if one.fault not in _DECODED]:
        raise invalid(obj, resource, others)


def _as_sent(obj: Object) -> Object:
    """Without what the server itself writes into metadata."""
    return {**obj, "metadata": {key: value for key, value in obj["metadata"].items() if key != "managedFields"}}


def invalid(obj: Object, resource: Resource, found: list[FieldViolation]) -> FailureStatus:
    """422 with a cause for each field."""
    name = obj["metadata"].get("name") or obj["metadata"].get("generateName") or ""
    texts = [one.text for one in found]
    told = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    qualified = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    causes = [
        {"reason": _REASONS.get(one.fault, "FieldValueInvalid"), "message": one.says, "field": path_text(one.path)}
        for one in found
    ]
    details = {"name": name, "kind": resource.kind, "causes": causes}
    if resource.group:
        details["group"] = resource.group
    return FailureStatus(422, "Invalid", f'{qualified} "{name}" is invalid: {told}', details)


def checked_update(before: Object, after: Object, resource: Resource) -> None:
    """Refused where a field changes that may not."""
    if found := list(_changed_for_good(before, after, resource)):
        raise invalid(after, resource, found)


def _changed_for_good(before: Object, after: Object, resource: Resource) -> Iterator[FieldViolation]:
    kind = resource.kind
    for path in _IMMUTABLE.get(kind, ()):
        if _at(before, path) != _at(after, path):
            yield FieldViolation(path, FieldFault.INVALID, f"Invalid value: {_at(after, path)!r}: field is immutable")
    if kind in ("ConfigMap", "Secret") and before.get("immutable"):
        for field in ("data", "binaryData", "immutable"):
            if before.get(field) != after.get(field):
                yield FieldViolation(
                    (field,), FieldFault.FORBIDDEN, "Forbidden: field is immutable when `immutable` is set"
                )
    old, new = before.get("spec") or {}, after.get("spec") or {}
    if kind == "Pod" and _without_free(old) != _without_free(new):
        yield FieldViolation(("spec",), FieldFault.FORBIDDEN, f"Forbidden: {_POD_UPDATE}")
    if kind == "StatefulSet" and _except(old, _STATEFUL_SET) != _except(new, _STATEFUL_SET):
        yield FieldViolation(("spec",), FieldFault.FORBIDDEN, f"Forbidden: {_STATEFUL_SET_UPDATE}")
    if kind == "PersistentVolumeClaim":
        yield from _changed_claim(old, new)


def _changed_claim(old: Object, new: Object) -> Iterator[FieldViolation]:
    bound = bool(old.get("volumeName"))
    kept_class = not bound or old.get("storageClassName") == new.get("storageClassName")
    assigned = old.get("storageClassName") is None or old.get("storageClassName") == new.get("storageClassName")
    if _except(old, _CLAIM) != _except(new, _CLAIM) or not (kept_class and assigned):
        yield FieldViolation(("spec",), FieldFault.FORBIDDEN, f"Forbidden: {_CLAIM_UPDATE}")


def _except(spec: Object, fields: frozenset[str]) -> Object:
    return {name: value for name, value in spec.items() if name not in fields}


def _without_free(spec: Object) -> Object:
    """The part of a pod's spec that stays as it was created; scheduling writes `nodeName` through another door."""
    left = _except(spec, _POD_FIELDS)
    for kind in ("containers", "initContainers"):
        if isinstance(containers := spec.get(kind), list):
            left[kind] = [_except(each, _POD_FIELDS) if isinstance(each, dict) else each for each in containers]
    return left


def _at(obj: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        obj = obj.get(part) if isinstance(obj, dict) else None
    return obj
