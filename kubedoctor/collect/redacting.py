"""Whole objects as plain data, for people to look at and for bundles: without what is secret."""

from __future__ import annotations

from typing import Any

from kubedoctor.cluster.core import LAST_APPLIED
from kubedoctor.cluster.redaction import REDACTED, redact_text, redact_value


def redact_object(document: dict[str, Any]) -> dict[str, Any]:
    """A copy without secret values: of Secrets, of environment variables whose name or form says secret, of
    passwords in URLs. Managed fields and the manifest that kubectl apply keeps are left out."""
    redacted: dict[str, Any] = _redacted(document)
    if document.get("kind") == "Secret":
        for key in ("data", "stringData"):
            if isinstance(redacted.get(key), dict):
                redacted[key] = dict.fromkeys(redacted[key], REDACTED)
    metadata = redacted.get("metadata")
    if isinstance(metadata, dict):
        metadata.pop("managedFields", None)
        if isinstance(metadata.get("annotations"), dict):
            metadata["annotations"].pop(LAST_APPLIED, None)
    return redacted


def _redacted(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        if isinstance(value.get("name"), str) and isinstance(value.get("value"), str):  # an environment variable
            shown = {key: _redacted(each) for key, each in value.items() if key != "value"}
            return {**shown, "value": redact_value(value["name"], value["value"])}
        return {key: _redacted(each, str(key)) for key, each in value.items()}
    if isinstance(value, list):
        return [_redacted(each) for each in value]
    return redact_text(value) if isinstance(value, str) else value
