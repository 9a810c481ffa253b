"""Whole objects as plain data without secrets, to be shown or written to a file."""

from __future__ import annotations

from typing import Any

import msgspec

from kubedoctor.cluster.grammar.redaction import redact_data, redact_file
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.references import kind_name
from kubedoctor.cluster.kinds.resources import kind_named

CONTENT = frozenset({"data", "stringData", "binaryData"})
"""The fields of Secrets and ConfigMaps that need rules of their own."""
_LONG = 256  # characters; annotations of a Secret that are longer may hold its content


def redact_object(data: dict[str, Any]) -> dict[str, Any]:
    """A copy without secret values, without managedFields, and without manifests that are kept in annotations.

    The values of Secrets are blanked, their keys stay; so are binary values of ConfigMaps, which cannot be checked.
    """
    kind = data.get("kind")
    redacted = {
        str(key): redact_data(value, str(key))
        for key, value in data.items()
        if key != "metadata" and key not in CONTENT
    }
    if "metadata" in data:
        redacted["metadata"] = _metadata(data["metadata"], secret=kind == "Secret")
    for key in sorted(CONTENT.intersection(data)):
        values = data[key]
        if isinstance(values, dict) and (kind == "Secret" or key == "binaryData"):
            redacted[key] = dict.fromkeys(values, "")
        elif isinstance(values, dict) and kind == "ConfigMap":
            redacted[key] = {
                str(name): redact_file(str(name), value) if isinstance(value, str) else value
                for name, value in values.items()
            }
        else:
            redacted[key] = None if kind == "Secret" else redact_data(values, key)
    return redacted


def kept_fields(obj: KubernetesObject) -> dict[str, Any]:
    """A decoded object as plain data, with the fields that are kept of it and set."""
    data = redact_object(_set_fields(msgspec.json.decode(msgspec.json.encode(obj))))
    row = kind_named(kind_name(obj))
    return {"apiVersion": row.api_version, "kind": row.kind, **data} if row is not None else data


def _set_fields(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _set_fields(item) for key, item in value.items() if item not in (None, "", [], {})}
    return [_set_fields(item) for item in value] if isinstance(value, list) else value


def _metadata(metadata: Any, *, secret: bool) -> Any:
    if not isinstance(metadata, dict):
        return metadata
    redacted = {str(key): redact_data(value, str(key)) for key, value in metadata.items() if key != "managedFields"}
    annotations = redacted.get("annotations")
    if secret and isinstance(annotations, dict):
        redacted["annotations"] = {key: value for key, value in annotations.items() if len(str(value)) <= _LONG}
    return redacted
