"""Patches of EnvoyFilters that have no effect, or only by the order in which filters are applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubedoctor.replay.mesh.analysis.messages import Analyzer, AnalyzerMessage, message_about
from kubedoctor.replay.mesh.analysis.objects import AnalyzedObjects
from kubedoctor.replay.mesh.config import NETWORKING, number, part, rows, text

ENVOY_FILTER: Final = f"EnvoyFilter.{NETWORKING}"
_ROUTES: Final = frozenset({"ROUTE_CONFIGURATION", "HTTP_ROUTE"})
_REPLACEABLE: Final = frozenset({"NETWORK_FILTER", "HTTP_FILTER", "VIRTUAL_HOST"})
_USELESS: Final = {"ADD": "IST0153", "REMOVE": "IST0154"}
_RELATIVE: Final = frozenset({"REMOVE", "REPLACE", "INSERT_BEFORE", "INSERT_AFTER"})


def analyze_patches(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    versioned: list[str] = []
    for found in objects.of(ENVOY_FILTER):
        reported = set()
        for _, row in rows(found.spec, "configPatches"):
            if not isinstance(row.get("patch"), dict):
                break
            code = _code(row, number((found.spec or {}).get("priority")), versioned)
            if code and code not in reported:
                reported.add(code)
                yield message_about(code, found)
            if text(part(part(row, "match"), "proxy").get("proxyVersion")):
                versioned.append(_filter_name(row))


def _code(row: Mapping[str, Any], priority: int, versioned: list[str]) -> str:
    operation, target = text(part(row, "patch").get("operation")), text(row.get("applyTo"))
    if operation in _USELESS and target in _ROUTES:
        return _USELESS[operation]
    if operation == "REPLACE" and target not in _REPLACEABLE:
        return "IST0152"
    if operation not in _RELATIVE or priority:
        return ""
    return "IST0155" if _filter_name(row) in versioned else "IST0151"


def _filter_name(row: Mapping[str, Any]) -> str:
    value = part(part(row, "patch"), "value")
    if "name" in value:
        return f"string:{value['name']}"
    chain = part(part(part(row, "match"), "listener"), "filterChain")
    return text(part(chain, "filter").get("name")) if value else ""


ANALYZERS: Final = (Analyzer("envoyfilter.EnvoyPatchAnalyzer", analyze_patches),)
