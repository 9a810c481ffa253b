"""Fields that Istio no longer reads. The definitions of kinds that it removed (rbac.istio.io) are in the list of the
analyzer too, but istioctl reads a definition from a file without its group, so that nothing is said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kubedoctor.replay.mesh.analysis.messages import Analyzer, AnalyzerMessage, message_about
from kubedoctor.replay.mesh.analysis.objects import AnalyzedObjects
from kubedoctor.replay.mesh.config import SIDECAR, VIRTUAL_SERVICE, number, part, rows

_PERCENT: Final = (
    "HTTPRoute.fault.delay.percent is deprecated; use HTTPRoute.fault.delay.percentage"  # upstream's words
)
_EGRESS_PROXY: Final = "OutboundTrafficPolicy.EgressProxy ignored"


def analyze_deprecated(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    for rule in objects.of(VIRTUAL_SERVICE):
        if any(number(part(part(row, "fault"), "delay").get("percent")) > 0 for _, row in rows(rule.spec, "http")):
            yield message_about("IST0002", rule, _PERCENT)
    for sidecar in objects.of(SIDECAR):
        if part(sidecar.spec, "outboundTrafficPolicy").get("egressProxy") is not None:
            yield message_about("IST0002", sidecar, _EGRESS_PROXY)


ANALYZERS: Final = (Analyzer("deprecation.DeprecationAnalyzer", analyze_deprecated),)
