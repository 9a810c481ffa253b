"""What a custom resource names in its spec, and what was made for it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kubedoctor.cluster import made_for, referenced
from kubedoctor.cluster.kinds.meta import CustomResource, ObjectMeta, OwnerReference


def resource(kind: str, group: str, spec: dict[str, Any], **meta: Any) -> CustomResource:
    return CustomResource(
        kind=kind, api_version=f"{group}/v1", metadata=ObjectMeta(name="a", namespace="shop", **meta), spec=spec
    )


@pytest.mark.parametrize(
    ("kind", "group", "spec", "names"),
    [
        ("Certificate", "cert-manager.io", {"issuerRef": {"name": "ca"}}, ["Issuer.cert-manager.io/shop/ca"]),
        (
            "Order",
            "acme.cert-manager.io",
            {"issuerRef": {"name": "le", "kind": "ClusterIssuer"}},
            ["ClusterIssuer.cert-manager.io/le"],
        ),
        (
            "ExternalSecret",
            "external-secrets.io",
            {"secretStoreRef": {"name": "vault"}, "dataFrom": [{"sourceRef": {"storeRef": {"name": "other"}}}]},
            ["SecretStore.external-secrets.io/shop/vault", "SecretStore.external-secrets.io/shop/other"],
        ),
        (
            "HelmRelease",
            "helm.toolkit.fluxcd.io",
            {
                "chart": {"spec": {"sourceRef": {"kind": "HelmRepository", "name": "charts", "namespace": "flux"}}},
                "dependsOn": [{"name": "base"}],
            },
            ["HelmRepository.source.toolkit.fluxcd.io/flux/charts", "HelmRelease.helm.toolkit.fluxcd.io/shop/base"],
        ),
        (
            "HTTPRoute",
            "gateway.networking.k8s.io",
            {"parentRefs": [{"name": "edge", "namespace": "infra"}], "rules": [{"backendRefs": [{"name": "web"}]}]},
            ["Gateway.gateway.networking.k8s.io/infra/edge"],
        ),
        (
            "Gateway",
            "gateway.networking.k8s.io",
            {"gatewayClassName": "edge"},
            ["GatewayClass.gateway.networking.k8s.io/edge"],
        ),
        ("ScaledObject", "keda.sh", {"scaleTargetRef": {"name": "web"}}, ["Deployment/shop/web"]),
        ("Widget", "acme.example", {"partRef": {"kind": "Part", "name": 7}, "otherRef": "x", "dependsOn": "y"}, []),
    ],
)
def test_references_of_a_spec(kind: str, group: str, spec: dict[str, Any], names: list[str]) -> None:
    assert [str(name) for name in referenced(resource(kind, group, spec))] == names


def test_what_was_made_for_an_object_comes_newest_first() -> None:
    owner = resource("Certificate", "cert-manager.io", {}, uid="1")

    def made(uid: str, day: int, name: str = "a", kind: str = "Certificate") -> CustomResource:
        reference = OwnerReference(api_version="cert-manager.io/v1", kind=kind, name=name, uid=uid)
        return resource(
            "CertificateRequest",
            "cert-manager.io",
            {"day": day},
            owner_references=(reference,),
            creation_timestamp=datetime(2026, 1, day, tzinfo=UTC),
        )

    candidates = (
        made("1", 1),
        made("2", 2),
        made("1", 3),
        made("", 4),
        made("", 5, name="b"),
        made("", 6, kind="Other"),
    )
    assert [found.spec for found in made_for(owner, candidates)] == [{"day": 4}, {"day": 3}, {"day": 1}]
