"""ServiceEntries: ports of TCP without an address, and protocols of one port that differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.replay.mesh.analysis.messages import Analyzer, AnalyzerMessage, message_about
from kubedoctor.replay.mesh.analysis.objects import AnalyzedObjects, full_name
from kubedoctor.replay.mesh.analysis.traffic.registry import EVERYWHERE, scopes_of
from kubedoctor.replay.mesh.config import SERVICE_ENTRY, number, part, rows, text, words


def analyze_addresses(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    metadata = part(part(objects.settings, "defaultConfig"), "proxyMetadata")
    if metadata.get("ISTIO_META_DNS_CAPTURE") == "true" and "true" in (
        metadata.get("ISTIO_META_DNS_AUTO_ALLOCATE"),
        metadata.get("PILOT_ENABLE_IP_AUTOALLOCATE"),
    ):
        return
    for entry in objects.of(SERVICE_ENTRY):
        if (entry.spec or {}).get("addresses") or (entry.status or {}).get("addresses"):
            continue
        if any(text(row.get("protocol")).upper() in ("", "TCP") for _, row in rows(entry.spec, "ports")):
            yield message_about("IST0134", entry)


def analyze_protocols(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    used: dict[tuple[str, str, int], list[tuple[str, CustomResource]]] = {}
    for entry in objects.of(SERVICE_ENTRY):
        for scope in scopes_of(words(entry.spec, "exportTo"), entry.namespace):
            for host in words(entry.spec, "hosts"):
                for _, row in rows(entry.spec, "ports"):
                    at = scope, host, number(row.get("number"))
                    used.setdefault(at, []).append((text(row.get("protocol")).upper(), entry))
    reported = set()
    for (scope, host, port), found in used.items():
        entries = found + (used.get((EVERYWHERE, host, port), []) if scope != EVERYWHERE else [])
        protocols = sorted({protocol for protocol, _ in entries})
        if len(protocols) < 2:
            continue
        names = ", ".join(sorted({full_name(entry) for _, entry in entries}))
        for _, entry in entries:
            if full_name(entry) not in reported:
                reported.add(full_name(entry))
                yield message_about("IST0177", entry, names, host, str(port), ", ".join(protocols))


ANALYZERS: Final = (
    Analyzer("serviceentry.Analyzer", analyze_addresses),
    Analyzer("serviceentry.ConflictingServiceEntryProtocolAnalyzer", analyze_protocols),
)
