"""Telemetry, WasmPlugins and ProxyConfigs (Istio, `ValidateTelemetry`, `ValidateWasmPlugin`, `ValidateProxyConfig`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.replay.mesh.analysis.validation.problems import SchemaProblem, error, selector, targets, warning
from kubedoctor.replay.mesh.config import number, part, rows, text

Row = Mapping[str, Any]
_SCHEMES: Final = frozenset({"", "file", "http", "https", "oci"})
_SCHEME: Final = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*)://")
_HASH: Final = re.compile(r"[a-f0-9]*")
_UNFINISHED: Final = re.compile(r"(?:[-+*/%<>=!&|?:.,(\[{]|\bin)\s*\Z|\A\s*(?:[*/%<>=&|?:.,)\]}]|\Z)")


def telemetry(found: CustomResource) -> Iterator[SchemaProblem]:
    spec = found.spec or {}
    yield from targets(spec)
    yield from selector(spec)
    for _, row in rows(spec, "metrics"):
        yield from _providers(row)
        for _, override in rows(row, "overrides"):
            yield from _override(override)
    tracing = [row for _, row in rows(spec, "tracing")]
    if len(tracing) > 1:
        yield warning("multiple tracing is not currently supported")
    for row in tracing:
        yield from _tracing(row)
    for _, row in rows(spec, "accessLogging"):
        expression = part(row, "filter").get("expression")
        if isinstance(expression, str) and not _is_complete(expression):
            yield error(f"must be a valid CEL expression: {expression}")
        yield from _providers(row)


def _providers(row: Row) -> Iterator[SchemaProblem]:
    if any(not provider.get("name") for _, provider in rows(row, "providers")):
        yield error("providers.name may not be empty")


def _override(override: Row) -> Iterator[SchemaProblem]:
    for tag in part(override, "tagOverrides").values():
        value = part({"": tag}, "").get("value")
        is_removed = part({"": tag}, "").get("operation") == "REMOVE"
        if is_removed and value:
            yield error("tagOverrides.value may only be set when operation is UPSERT")
        if not is_removed and not value:
            yield error("tagOverrides.value must be set when operation is UPSERT")


def _tracing(row: Row) -> Iterator[SchemaProblem]:
    if len(list(rows(row, "providers"))) > 1:
        yield warning("multiple providers is not currently supported")
    yield from _providers(row)
    sampling = row.get("randomSamplingPercentage")
    if isinstance(sampling, int | float) and not 0 <= sampling <= 100:
        yield error("randomSamplingPercentage must be in range [0.0, 100.0]")
    for name, tag in part(row, "customTags").items():
        kinds = {"literal": "value", "header": "name", "environment": "name"}
        for kind, field in kinds.items():
            if kind in tag and not part(tag, kind).get(field):
                yield error(f"{kind} tag {field} of {name} may not be empty")


def _is_complete(expression: str) -> bool:
    """Whether an expression of CEL can be whole: it neither begins nor ends in the middle, and its brackets are closed."""
    bare = re.sub(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'", "s", expression)
    if _UNFINISHED.search(bare) or '"' in bare or "'" in bare:
        return False
    depth = 0
    for sign in bare:
        depth += (sign in "([{") - (sign in ")]}")
        if depth < 0:
            return False
    return depth == 0


def wasm_plugin(found: CustomResource) -> Iterator[SchemaProblem]:
    spec = found.spec or {}
    yield from targets(spec)
    yield from selector(spec)
    url, digest = text(spec.get("url")), text(spec.get("sha256"))
    scheme = match[1] if (match := _SCHEME.match(url)) is not None else ""
    if not url:
        yield error("url field needs to be set")
    elif re.search(r"[\s\x7f]", url):
        yield error("failed to parse url")
    elif scheme not in _SCHEMES:
        yield error(f"url contains unsupported scheme: {scheme}")
    if digest and len(digest) != 64:
        yield error("sha256 field must be 64 characters long")
    elif not _HASH.fullmatch(digest):
        yield error("sha256 field must match [a-f0-9]{64} pattern")
    if len(text(spec.get("imagePullSecret"))) > 253:
        yield error("imagePullSecret field must be less than 253 characters long")
    if len(text(spec.get("pluginName"))) > 256:
        yield error("pluginName field must be less than 255 characters long")
    names = [text(row.get("name")) for _, row in rows(part(spec, "vmConfig"), "env")]
    if "" in names:
        yield error("spec.vmConfig.env invalid")
    elif len(names) != len(set(names)):
        yield error("duplicate env")
    for _, row in rows(spec, "match"):
        if any(not 0 < number(port.get("number")) <= 65535 for _, port in rows(row, "ports")):
            yield error("spec.Match has a port that is out of range")
            return


def proxy_config(found: CustomResource) -> Iterator[SchemaProblem]:
    spec = found.spec or {}
    yield from selector(spec)
    if number(spec.get("concurrency")) < 0:
        yield error("concurrency must be greater than or equal to 0")
