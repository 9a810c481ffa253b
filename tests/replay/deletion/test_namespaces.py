"""What the namespace controller's conditions say, in the words of several releases."""

from __future__ import annotations

import pytest

from kubedoctor.cluster import Condition, Namespace
from kubedoctor.cluster.kinds.core import NamespaceStatus
from kubedoctor.replay.deletion.namespaces import failing_apis, failure, finalizers, remaining


def namespace(kind: str, message: str, status: str = "True") -> Namespace:
    return Namespace(status=NamespaceStatus(conditions=(Condition(type=kind, status=status, message=message),)))


@pytest.mark.parametrize(
    ("message", "rows"),
    [
        ("Some resources are remaining: configmaps. has 1 resource instances", [("configmaps", "", 1, "ConfigMap")]),
        (
            "Some resources are remaining: backups.shop.example has 12 resource instances, deployments.apps has 2 resource "
            "instances",
            [("backups", "shop.example", 12, ""), ("deployments", "apps", 2, "Deployment")],
        ),
        ("All content successfully removed", []),
    ],
)
def test_what_remains(message: str, rows: list[tuple[str, str, int, str]]) -> None:
    left = remaining(namespace("NamespaceContentRemaining", message))
    assert [(row.resource, row.group, row.left, row.kind) for row in left] == rows


@pytest.mark.parametrize(
    ("message", "names"),
    [
        (
            "Some content in the namespace has finalizers remaining: shop.example/cleanup in 1 resource instances",
            ("shop.example/cleanup",),
        ),
        (
            "Some content in the namespace has finalizers remaining: a.example/x in 2 resource instances, "
            "kubernetes.io/pvc-protection in 1 resource instances",
            ("a.example/x", "kubernetes.io/pvc-protection"),
        ),
    ],
)
def test_which_finalizers_remain(message: str, names: tuple[str, ...]) -> None:
    assert finalizers(namespace("NamespaceFinalizersRemaining", message)) == names


@pytest.mark.parametrize(
    ("message", "apis"),
    [
        (
            "Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: "
            "metrics.k8s.io/v1beta1: the server is currently unable to handle the request",
            ("metrics.k8s.io/v1beta1",),
        ),
        (
            "Discovery failed for some groups, 2 failing: unable to retrieve the complete list of server APIs: "
            "custom.metrics.k8s.io/v1beta2: stale GroupVersion discovery: custom.metrics.k8s.io/v1beta2, "
            "external.metrics.k8s.io/v1beta1: stale GroupVersion discovery: external.metrics.k8s.io/v1beta1",
            ("custom.metrics.k8s.io/v1beta2", "external.metrics.k8s.io/v1beta1"),
        ),
    ],
)
def test_which_apis_fail(message: str, apis: tuple[str, ...]) -> None:
    stuck = namespace("NamespaceDeletionDiscoveryFailure", message)
    assert failing_apis(stuck) == apis
    assert failure(stuck) == "NamespaceDeletionDiscoveryFailure"


def test_a_condition_that_is_false_tells_nothing() -> None:
    message = "Some resources are remaining: configmaps. has 1 resource instances"
    assert not remaining(namespace("NamespaceContentRemaining", message, "False"))
    assert not failure(namespace("NamespaceDeletionContentFailure", "All content successfully deleted", "False"))
