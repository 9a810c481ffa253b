"""All analyzers, and what they say together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kubedoctor.replay.mesh.analysis.messages import Analyzer, AnalyzerMessage
from kubedoctor.replay.mesh.analysis.objects import AnalyzedObjects
from kubedoctor.replay.mesh.analysis.policies import attachments, authorization, deprecation, envoy_filters
from kubedoctor.replay.mesh.analysis.traffic import (
    destination_rules,
    destinations,
    gateways,
    service_entries,
    virtual_services,
)
from kubedoctor.replay.mesh.analysis.validation import schema
from kubedoctor.replay.mesh.analysis.workloads import annotations as own_annotations
from kubedoctor.replay.mesh.analysis.workloads import definitions, injection, services, users, webhooks

ANALYZERS: Final[tuple[Analyzer, ...]] = (
    *own_annotations.ANALYZERS,
    *authorization.ANALYZERS,
    *definitions.ANALYZERS,
    *services.ANALYZERS,
    *users.ANALYZERS,
    *destination_rules.ANALYZERS,
    *deprecation.ANALYZERS,
    *envoy_filters.ANALYZERS,
    *webhooks.ANALYZERS,
    *gateways.ANALYZERS,
    *injection.ANALYZERS,
    *attachments.ANALYZERS,
    *destinations.ANALYZERS,
    *virtual_services.ANALYZERS,
    *service_entries.ANALYZERS,
    *schema.ANALYZERS,
)


def analyze(objects: AnalyzedObjects, names: Iterable[str] = ()) -> tuple[AnalyzerMessage, ...]:
    """What the analyzers of the given names say, else all of them; sorted, each message once."""
    wanted = set(names)
    found = {
        message._replace(analyzer=analyzer.name)
        for analyzer in ANALYZERS
        if not wanted or analyzer.name in wanted
        for message in analyzer.run(objects)
        if not message.is_suppressed
    }
    return tuple(
        sorted(
            found,
            key=lambda message: (
                message.code,
                message.analyzer,
                message.kind,
                message.namespace,
                message.name,
                message.text,
            ),
        )
    )
