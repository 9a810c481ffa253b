"""Each analyzer on small objects: what it says of the sick ones, and nothing of their healthy neighbours."""

from __future__ import annotations

from typing import Any, Final

import pytest
import yaml

from kubedoctor.replay.mesh.analysis.analyzers import analyze
from kubedoctor.testing.oracle_mesh_analysis import analyzed_objects

NETWORKING: Final = "networking.istio.io/v1"
SECURITY: Final = "security.istio.io/v1"


def service(name: str = "web", ports: str = "[{name: http, port: 80}]", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "a"},
        "spec": {"selector": {"app": name}, "ports": yaml.safe_load(ports), **spec},
    }


def pod(name: str = "web-1", labels: str = "{app: web, version: v1}", **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "a", "labels": yaml.safe_load(labels), **metadata},
        "spec": {"containers": [{"name": "app", "image": "app:1"}, {"name": "istio-proxy", "image": "proxy:1"}]},
    }


def custom(kind: str, spec: str, name: str = "x", api: str = NETWORKING, **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": api,
        "kind": kind,
        "metadata": {"name": name, "namespace": "a", **metadata},
        "spec": yaml.safe_load(spec),
    }


def route(written: str, hosts: str = "[web]") -> dict[str, Any]:
    return custom("VirtualService", f"{{hosts: {hosts}, http: [{written}]}}")


def codes(*objects: dict[str, Any], settings: str = "") -> set[str]:
    """Of the messages about Istio's and the Services' objects, without the notes on namespaces."""
    return {message.code for message in analyze(analyzed_objects(objects, settings))} - {"IST0102"}


TO_WEB: Final = "route: [{destination: {host: web}}]"
CASES: Final[dict[str, tuple[set[str], tuple[dict[str, Any], ...]]]] = {
    "a route to a Service": (set(), (service(), route(f"{{{TO_WEB}}}"))),
    "a misspelt host": ({"IST0101"}, (service(), route("{route: [{destination: {host: wbe}}]}"))),
    "a port that the Service lacks": (
        {"IST0101"},
        (service(), route("{route: [{destination: {host: web, port: {number: 81}}}]}")),
    ),
    "several ports and none named": (
        {"IST0112"},
        (service(ports="[{name: http, port: 80}, {name: http-b, port: 81}]"), route(f"{{{TO_WEB}}}")),
    ),
    "a subset that nothing defines": (
        {"IST0101"},
        (service(), route("{route: [{destination: {host: web, subset: v1}}]}")),
    ),
    "a subset with pods": (
        set(),
        (
            service(),
            pod(),
            route("{route: [{destination: {host: web, subset: v1}}]}"),
            custom("DestinationRule", "{host: web, subsets: [{name: v1, labels: {version: v1}}]}"),
        ),
    ),
    "a subset without pods": (
        {"IST0173"},
        (service(), pod(), custom("DestinationRule", "{host: web, subsets: [{name: v2, labels: {version: v2}}]}")),
    ),
    "a DestinationRule for no host": ({"IST0174"}, (custom("DestinationRule", "{host: wbe, subsets: []}"),)),
    "a rule after the one that takes all": (
        {"IST0130"},
        (service(), route(f"{{{TO_WEB}}}, {{match: [{{uri: {{exact: /a}}}}], {TO_WEB}}}")),
    ),
    "a prefix within an earlier one": (
        {"IST0131"},
        (
            service(),
            route(f"{{match: [{{uri: {{prefix: /a}}}}], {TO_WEB}}}, {{match: [{{uri: {{prefix: /ab}}}}], {TO_WEB}}}"),
        ),
    ),
    "the narrow prefix first": (
        set(),
        (
            service(),
            route(f"{{match: [{{uri: {{prefix: /ab}}}}], {TO_WEB}}}, {{match: [{{uri: {{prefix: /a}}}}], {TO_WEB}}}"),
        ),
    ),
    "a route that does nothing": ({"IST0106"}, (service(), route("{match: [{uri: {exact: /a}}]}"))),
    "a gateway that does not exist": (
        {"IST0101", "IST0132"},
        (service(), custom("VirtualService", f"{{hosts: [web.example.com], gateways: [gw], http: [{{{TO_WEB}}}]}}")),
    ),
    "port names that tell no protocol": ({"IST0118"}, (service(ports="[{name: web, port: 80}]"),)),
    "an unnamed port of a protocol in which servers speak first": (set(), (service(ports="[{port: 3306}]"),)),
    "TCP without an address": (
        {"IST0134"},
        (
            custom(
                "ServiceEntry",
                "{hosts: [x.example.com], resolution: DNS, ports: [{number: 5432, name: db, protocol: TCP}]}",
            ),
        ),
    ),
    "a server that is not verified": (
        {"IST0128"},
        (service(), custom("DestinationRule", "{host: web, trafficPolicy: {tls: {mode: SIMPLE}}}")),
    ),
    "a policy for no workload": (
        {"IST0127"},
        (pod(), custom("AuthorizationPolicy", "{selector: {matchLabels: {app: wbe}}, rules: [{}]}", api=SECURITY)),
    ),
    "a policy for a workload": (
        set(),
        (pod(), custom("AuthorizationPolicy", "{selector: {matchLabels: {app: web}}, rules: [{}]}", api=SECURITY)),
    ),
    "a DENY with attributes of HTTP only": (
        {"IST0133"},
        (
            pod(),
            custom("AuthorizationPolicy", "{action: DENY, rules: [{to: [{operation: {paths: [/a]}}]}]}", api=SECURITY),
        ),
    ),
    "ports without a selector": (
        {"IST0106"},
        (custom("PeerAuthentication", "{portLevelMtls: {80: {mode: DISABLE}}}", api=SECURITY),),
    ),
    "an annotation with a wrong value": (
        {"IST0125"},
        (pod(annotations={"traffic.sidecar.istio.io/excludeOutboundPorts": "http"}),),
    ),
    "an annotation that wants no message": (
        set(),
        (
            pod(
                annotations={
                    "traffic.sidecar.istio.io/excludeOutboundPorts": "http",
                    "galley.istio.io/analyze-suppress": "IST0107,IST0125",
                }
            ),
        ),
    ),
    "two Sidecars for a namespace": (
        {"IST0111"},
        (custom("Sidecar", "{egress: [{hosts: [./*]}]}", "x"), custom("Sidecar", "{egress: [{hosts: [./*]}]}", "y")),
    ),
    "a Gateway on a port that no Service has": (
        {"IST0162"},
        (
            pod("gw", "{istio: ingressgateway}"),
            service("ingress", selector={"istio": "ingressgateway"}),
            custom(
                "Gateway",
                "{selector: {istio: ingressgateway}, servers: [{port: {number: 81, name: http, protocol: HTTP}, hosts: ['*']}]}",
            ),
        ),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_said(name: str) -> None:
    expected, objects = CASES[name]
    assert codes(*objects) == expected


def test_the_text_is_that_of_istioctl() -> None:
    (message,) = analyze(analyzed_objects([service(), route("{route: [{destination: {host: wbe}}]}")]))
    assert message.text == 'Referenced host not found: "wbe"'
    assert message.level == "Error"


def test_objects_of_the_clusters_own_namespaces_are_left_out() -> None:
    hidden = service(ports="[{name: web, port: 80}]")
    hidden["metadata"]["namespace"] = "kube-system"
    assert codes(hidden) == set()
