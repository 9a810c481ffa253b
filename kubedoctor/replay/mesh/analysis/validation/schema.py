"""Validation of each kind as an analyzer of its own (Istio, `analyzers/schema/validation.go`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from kubedoctor.replay.mesh.analysis.messages import Analyzer, AnalyzerMessage, message_about
from kubedoctor.replay.mesh.analysis.objects import AnalyzedObjects
from kubedoctor.replay.mesh.analysis.policies.attachments import TELEMETRY, WASM_PLUGIN
from kubedoctor.replay.mesh.analysis.policies.authorization import REQUEST_AUTHENTICATION
from kubedoctor.replay.mesh.analysis.policies.envoy_filters import ENVOY_FILTER
from kubedoctor.replay.mesh.analysis.validation.attachments import proxy_config, telemetry, wasm_plugin
from kubedoctor.replay.mesh.analysis.validation.authentication import peer_authentication, request_authentication
from kubedoctor.replay.mesh.analysis.validation.authorization import authorization_policy
from kubedoctor.replay.mesh.analysis.validation.destination_rules import destination_rule
from kubedoctor.replay.mesh.analysis.validation.envoy_filters import envoy_filter
from kubedoctor.replay.mesh.analysis.validation.gateways import gateway
from kubedoctor.replay.mesh.analysis.validation.problems import Validator
from kubedoctor.replay.mesh.analysis.validation.service_entries import service_entry, workload_entry
from kubedoctor.replay.mesh.analysis.validation.sidecars import sidecar
from kubedoctor.replay.mesh.analysis.validation.virtual_services import virtual_service
from kubedoctor.replay.mesh.config import (
    AUTHORIZATION_POLICY,
    DESTINATION_RULE,
    GATEWAY,
    NETWORKING,
    PEER_AUTHENTICATION,
    SERVICE_ENTRY,
    SIDECAR,
    VIRTUAL_SERVICE,
)

VALIDATORS: Final[Mapping[str, Validator]] = {
    AUTHORIZATION_POLICY: authorization_policy,
    DESTINATION_RULE: destination_rule,
    ENVOY_FILTER: envoy_filter,
    GATEWAY: gateway,
    PEER_AUTHENTICATION: peer_authentication,
    f"ProxyConfig.{NETWORKING}": proxy_config,
    REQUEST_AUTHENTICATION: request_authentication,
    SERVICE_ENTRY: service_entry,
    SIDECAR: sidecar,
    TELEMETRY: telemetry,
    VIRTUAL_SERVICE: virtual_service,
    WASM_PLUGIN: wasm_plugin,
    f"WorkloadEntry.{NETWORKING}": workload_entry,
}


def _validation(kind: str, validate: Validator) -> Callable[[AnalyzedObjects], Iterator[AnalyzerMessage]]:
    def run(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
        for obj in objects.of(kind):
            for problem in dict.fromkeys(validate(obj)):
                yield message_about(problem.code, obj, *problem.values)

    return run


ANALYZERS: Final = tuple(
    Analyzer(f"schema.ValidationAnalyzer.{kind.partition('.')[0]}", _validation(kind, validate))
    for kind, validate in VALIDATORS.items()
)
