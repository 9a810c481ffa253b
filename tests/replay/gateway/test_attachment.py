"""Which listeners take a route: by section and port, kind, namespace and host name."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.cluster.kinds.core import Namespace
from kubedoctor.cluster.kinds.meta import CustomResource, ObjectMeta
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.replay.gateway.attachment import Refused, parents, refused, selected_listeners


def gateway(*listeners: dict[str, Any], namespace: str = "infra") -> CustomResource:
    return CustomResource(
        kind="Gateway",
        api_version="gateway.networking.k8s.io/v1",
        metadata=ObjectMeta(name="edge", namespace=namespace),
        spec={"listeners": list(listeners)},
    )


def route(kind: str = "HTTPRoute", **spec: Any) -> CustomResource:
    return CustomResource(
        kind=kind,
        api_version="gateway.networking.k8s.io/v1",
        metadata=ObjectMeta(name="web", namespace="shop"),
        spec=spec,
    )


ALL = {"namespaces": {"from": "All"}}
SHOP = Namespace(metadata=ObjectMeta(name="shop", labels={"team": "shop"}))


def test_parents_have_the_namespace_of_the_route_unless_they_name_one() -> None:
    of = route(
        parentRefs=[
            {"name": "edge"},
            {"name": "edge", "namespace": "infra", "sectionName": "https", "port": 443},
            {"kind": "Service", "group": "", "name": "web"},
            {"name": ""},
            "edge",
        ]
    )
    kind = "Gateway.gateway.networking.k8s.io"
    assert [(parent.gateway, parent.section, parent.port, parent.path) for parent in parents(of)] == [
        (Ref(kind, "shop", "edge"), "", None, "spec.parentRefs[0]"),
        (Ref(kind, "infra", "edge"), "https", 443, "spec.parentRefs[1]"),
    ]


@pytest.mark.parametrize(
    ("reference", "names"),
    [
        ({}, ["http", "https"]),
        ({"sectionName": "https"}, ["https"]),
        ({"port": 80}, ["http"]),
        ({"sectionName": "https", "port": 80}, []),
    ],
)
def test_a_reference_selects_listeners_by_section_and_port(reference: dict[str, Any], names: list[str]) -> None:
    parent = next(parents(route(parentRefs=[{"name": "edge", "namespace": "infra", **reference}])))
    of = gateway({"name": "http", "port": 80}, {"name": "https", "port": 443})
    assert [listener.name for listener in selected_listeners(parent, of)] == names


@pytest.mark.parametrize(
    ("listener", "spec", "why"),
    [
        ({"allowedRoutes": ALL}, {}, None),
        ({}, {}, Refused.OTHER_NAMESPACE),
        ({"allowedRoutes": {"namespaces": {"from": "Same"}}}, {}, Refused.OTHER_NAMESPACE),
        ({"allowedRoutes": {"namespaces": {"from": "None"}}}, {}, Refused.EVERY_ROUTE),
        ({"allowedRoutes": {**ALL, "kinds": [{"kind": "GRPCRoute"}]}}, {}, Refused.KIND),
        ({"allowedRoutes": {**ALL, "kinds": [{"kind": "HTTPRoute"}]}}, {}, None),
        (
            {"allowedRoutes": {"namespaces": {"from": "Selector", "selector": {"matchLabels": {"team": "shop"}}}}},
            {},
            None,
        ),
        (
            {"allowedRoutes": {"namespaces": {"from": "Selector", "selector": {"matchLabels": {"team": "web"}}}}},
            {},
            Refused.LABELS_OF_NAMESPACE,
        ),
        ({"allowedRoutes": {"namespaces": {"from": "Selector", "selector": {"matchExpressions": 1}}}}, {}, None),
        ({"allowedRoutes": ALL, "hostname": "a.example"}, {"hostnames": ["b.example"]}, Refused.HOSTNAME),
        ({"allowedRoutes": ALL, "hostname": "A.example"}, {"hostnames": ["b.example", "a.EXAMPLE"]}, None),
        ({"allowedRoutes": ALL, "hostname": "*.example"}, {"hostnames": ["a.b.example"]}, None),
        ({"allowedRoutes": ALL, "hostname": "*.example"}, {"hostnames": ["example"]}, Refused.HOSTNAME),
        ({"allowedRoutes": ALL, "hostname": "a.example"}, {"hostnames": ["*.example"]}, None),
        ({"allowedRoutes": ALL, "hostname": "*.a.example"}, {"hostnames": ["*.example"]}, None),
        ({"allowedRoutes": ALL, "hostname": "*.a.example"}, {"hostnames": ["*.b.example"]}, Refused.HOSTNAME),
        ({"allowedRoutes": ALL, "hostname": "a.example"}, {}, None),
    ],
)
def test_why_a_listener_does_not_take_a_route(
    listener: dict[str, Any], spec: dict[str, Any], why: Refused | None
) -> None:
    parent = next(parents(route(parentRefs=[{"name": "edge", "namespace": "infra"}])))
    (selected,) = selected_listeners(parent, gateway({"name": "http", "port": 80, **listener}))
    found = refused(route(**spec), selected, SHOP)
    assert (found[0] if found else None) is why


def test_a_listener_takes_routes_of_its_own_namespace() -> None:
    parent = next(parents(route(parentRefs=[{"name": "edge"}])))
    (selected,) = selected_listeners(parent, gateway({"name": "http", "port": 80}, namespace="shop"))
    assert refused(route(), selected, None) is None


def test_labels_of_a_namespace_that_was_not_seen_refuse_nothing() -> None:
    selector = {"namespaces": {"from": "Selector", "selector": {"matchLabels": {"team": "web"}}}}
    parent = next(parents(route(parentRefs=[{"name": "edge", "namespace": "infra"}])))
    (selected,) = selected_listeners(parent, gateway({"name": "http", "port": 80, "allowedRoutes": selector}))
    assert refused(route(), selected, None) is None
