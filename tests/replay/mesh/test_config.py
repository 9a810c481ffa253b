"""Routes, gateways, subsets and policies against the answers of Istio 1.31's own code."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from kubedoctor.cluster.kinds.core import Service
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.mesh.attachment import attached_policies
from kubedoctor.replay.mesh.config import NETWORKING, SECURITY, text
from kubedoctor.replay.mesh.gateways import serving_pods
from kubedoctor.replay.mesh.mutual_tls import peer_mode
from kubedoctor.replay.mesh.registry import Registry, covers
from kubedoctor.replay.mesh.routes import destinations, gateways_of
from kubedoctor.replay.mesh.subsets import rules_for, subset_named

ANALYZER_ONLY = {"mesh-1-2675"}
"""A DestinationRule of a wildcard host: the proxies have its subsets, the analyzer compares whole names."""
Message = tuple[str, str, str, str]
_VIRTUAL_SERVICE = ("gateway", "host", "host:port", "host+subset in destinationrule")


def rows(shared: Path, mode: str) -> Iterator[dict[str, Any]]:
    with gzip.open(shared / "conformance/fuzz/mesh.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row["mode"] == mode:
                yield row


def named(kind: str, obj: CustomResource, what: str) -> Message:
    return kind, obj.namespace, obj.name, what


class Objects:
    """The objects of a row, by kind."""

    def __init__(self, objects: list[dict[str, Any]]) -> None:
        self.data = objects

    def custom(self, kind: str, group: str) -> list[CustomResource]:
        return [
            msgspec.convert(one, CustomResource)
            for one in self.data
            if one["kind"] == kind and one["apiVersion"].startswith(f"{group}/")
        ]

    def of(self, kind: type[Any]) -> list[Any]:
        return [msgspec.convert(one, kind) for one in self.data if one["kind"] == kind.__name__]


def unfound(objects: Objects) -> set[Message]:
    """What the analyzers of VirtualServices and Gateways call a reference that is not found."""
    services = {(one.namespace, one.name): one for one in objects.of(Service)}
    entries = objects.custom("ServiceEntry", NETWORKING)
    registry = Registry(lambda host: services.get((host.namespace, host.name)), lambda: entries)
    rules = objects.custom("DestinationRule", NETWORKING)
    gateways = objects.custom("Gateway", NETWORKING)
    there = {(one.namespace, one.name) for one in gateways}
    found: set[Message] = set()
    for service in objects.custom("VirtualService", NETWORKING):
        for gateway in gateways_of(service):
            if (gateway.namespace, gateway.name) not in there:
                found.add(named("VirtualService", service, "gateway"))
        for target in destinations(service):
            known = registry.find(target.host, service.namespace)
            if known is None:
                found.add(named("VirtualService", service, "host"))
            elif target.port and target.port not in known.ports:
                found.add(named("VirtualService", service, "host:port"))
            if target.subset and subset_named(target.subset, rules_for(target.host, rules)) is None:
                found.add(named("VirtualService", service, "host+subset in destinationrule"))
    pods = objects.of(Pod)
    for one in gateways:
        if (one.spec or {}).get("selector") and not serving_pods(one, pods):
            found.add(named("Gateway", one, "selector"))
    return found


def test_references_that_are_not_found(shared: Path) -> None:
    """Rows with a mirror are left out: its answer is dropped."""
    wrong: list[tuple[Any, ...]] = []
    told = 0
    for row in rows(shared, "analyze"):
        if '"mirror' in json.dumps(row["request"]["objects"]):
            continue
        expected = {
            (message["kind"], message["namespace"], message["object"], what)
            for message in row["answer"]["messages"]
            if message["code"] == "IST0101"
            and message["kind"] in ("VirtualService", "Gateway")
            and message["analyzer"] != "gateway.ConflictingGatewayAnalyzer"
            and (what := message["text"].partition("Referenced ")[2].partition(" not found")[0])
            in (*_VIRTUAL_SERVICE, "selector")
        }
        ours = unfound(Objects(row["request"]["objects"]))
        told += len(expected)
        if ours != expected and row["id"] not in ANALYZER_ONLY:
            wrong.append((row["id"], sorted(expected - ours), sorted(ours - expected)))
    assert wrong == []
    assert told > 500


def test_hosts_that_cover_each_other(shared: Path) -> None:
    wrong = [
        (row["id"], pair)
        for row in rows(shared, "hostmatch")
        for pair, answer in zip(row["request"]["pairs"], row["answer"]["pairs"], strict=True)
        if (covers(pair[0], pair[1]) or covers(pair[1], pair[0])) != answer["matches"]
    ]
    assert wrong == []


def test_policies_of_a_workload(shared: Path) -> None:
    wrong: list[tuple[Any, ...]] = []
    for row in rows(shared, "policies"):
        objects = Objects(row["request"]["objects"])
        namespace, _, name = row["request"]["workload"].partition("/")
        pod = next(one for one in objects.of(Pod) if (one.namespace, one.name) == (namespace, name))
        peers = objects.custom("PeerAuthentication", SECURITY)
        ports = {str(port): peer_mode(pod, port, peers).mode for port in row["request"]["ports"]}
        allowing = sorted(
            f"{policy.namespace}/{policy.name}"
            for policy in attached_policies(pod, objects.custom("AuthorizationPolicy", SECURITY))
            if text((policy.spec or {}).get("action")) in ("", "ALLOW")
        )
        expected = row["answer"]["mtls"], sorted(row["answer"]["authorizationPolicies"]["ALLOW"])
        if (ports, allowing) != expected:
            wrong.append((row["id"], expected, (ports, allowing)))
    assert wrong == []
