"""The analyzers against the cases of Istio's own tests: exactly the expected messages of the analyzer that ran."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from kubedoctor.replay.mesh.analysis.analyzers import ANALYZERS, analyze
from kubedoctor.testing.oracle_mesh_analysis import DEFAULT_RESOURCES, analyzed_objects

NAMES: Final = {
    "authz.AuthorizationPoliciesAnalyzer": "auth.AuthorizationPoliciesAnalyzer",
    "deployment.ApplicationUIDAnalyzer": "applicationUID.Analyzer",
    "deployment.ServiceAssociationAnalyzer": "deployment.MultiServiceAnalyzer",
    "deprecation.FieldAnalyzer": "deprecation.DeprecationAnalyzer",
    "destinationrule.PodNotSelectedAnalyzer": "destinationrule.SubsetSelectPodAnalyzer",
    "multicluster.MeshNetworksAnalyzer": "meshnetworks.MeshNetworksAnalyzer",
    "serviceentry.ProtocolAddressesAnalyzer": "serviceentry.Analyzer",
}
"""Names of analyzers by their type in Go, where the two differ."""
OUT_OF_SCOPE: Final = {"unknown_service_registry_in_mesh_networks": "the recorded case lacks its mesh networks"}


def test_each_recorded_case(shared: Path) -> None:
    paths = sorted((shared / "conformance/istio").glob("*.json"))
    wrong = {}
    for path in paths:
        case = json.loads(path.read_text())
        expected = {(row["istio_code"], row["kind"], row["namespace"] or "", row["name"]) for row in case["expect"]}
        found = said(case)
        if found != expected and path.stem.removeprefix("istio-") not in OUT_OF_SCOPE:
            wrong[path.stem] = {"missing": expected - found, "extra": found - expected}
    assert wrong == {}
    assert len(paths) == 56


def said(case: dict[str, Any]) -> set[tuple[str, str, str, str]]:
    name = case["analyzer"].strip("&{}")
    name = NAMES.get(name, name)
    assert name in {analyzer.name for analyzer in ANALYZERS}
    written = [*case["objects"], *(() if case["mesh_config"] else DEFAULT_RESOURCES)]
    objects = analyzed_objects(written, case["mesh_config"])
    objects = msgspec.structs.replace(objects, binds_kubernetes_gateways=True)
    return {(message.code, message.kind, message.namespace, message.name) for message in analyze(objects, (name,))}


@pytest.mark.parametrize("analyzer", ANALYZERS, ids=lambda analyzer: analyzer.name)
def test_an_empty_cluster_has_no_message(analyzer: Any) -> None:
    assert list(analyzer.run(analyzed_objects(()))) == []
