"""`reach`: whether the network plug-in enforces policies, and its own kinds, which are not replayed."""

from __future__ import annotations

import pytest

from kubedoctor.answers.question import Choices
from kubedoctor.answers.questions.reach import reach
from kubedoctor.answers.sheet import Conclusion
from kubedoctor.cluster import Cluster
from kubedoctor.cluster.seen.decoding import convert_object
from tests.answers.reach.situations import (
    BASE,
    DENY_INGRESS,
    NODE,
    SUBJECT,
    Manifest,
    asked,
    daemon,
    pod,
    service,
    slices,
    space,
)
from tests.engine.clinic import complete


@pytest.mark.parametrize(
    ("plugin", "conclusion", "fact"),
    [
        (daemon("calico-node"), Conclusion.TROUBLE, "Calico enforces network policies"),
        (daemon("kube-flannel-ds"), Conclusion.UNKNOWN, "flannel does not enforce network policies"),
        (daemon("kindnet", "kindnetd:v20230511-dc714da8"), Conclusion.UNKNOWN, "kindnet does not enforce network policies"),
        (daemon("kindnet", "kindnetd:v20250214-acbabc1a"), Conclusion.TROUBLE, "kindnet enforces network policies"),
        (daemon("kindnet", "kindnetd:latest"), Conclusion.TROUBLE, "kindnet may enforce network policies"),
        (daemon("aws-node"), Conclusion.UNKNOWN, "AWS VPC CNI does not enforce network policies"),
        (daemon("aws-node", "x", {"name": "aws-eks-nodeagent", "args": ["--enable-network-policy=true"]}), Conclusion.TROUBLE, "AWS VPC CNI enforces network policies"),
    ],
)  # fmt: skip
def test_who_enforces(plugin: Manifest, conclusion: Conclusion, fact: str) -> None:
    sheet = asked("db.data:80", *BASE, DENY_INGRESS, plugin)
    assert (sheet.conclusion, fact in [row.text for row in sheet.facts]) == (conclusion, True)


def test_policies_that_are_not_replayed_leave_it_open() -> None:
    cilium = {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNetworkPolicy",
        "metadata": {"name": "c", "namespace": "data"},
    }
    sheet = asked("db.data:80", *BASE, cilium)
    assert sheet.conclusion is Conclusion.UNKNOWN
    assert "not replayed: CiliumNetworkPolicy data/c" in sheet.gaps


@pytest.mark.parametrize(
    ("kind", "group", "namespace", "spec", "conclusion"),
    [
        ("CiliumNetworkPolicy", "cilium.io", "data", {"endpointSelector": {"matchLabels": {"app": "db"}}}, "unknown"),
        ("CiliumNetworkPolicy", "cilium.io", "data", {"endpointSelector": {"matchLabels": {"app": "cache"}}}, "well"),
        ("CiliumNetworkPolicy", "cilium.io", "orders", {"endpointSelector": {}}, "well"),
        ("CiliumClusterwideNetworkPolicy", "cilium.io", "", {"nodeSelector": {}}, "well"),
        ("NetworkPolicy", "projectcalico.org", "data", {"selector": "app == 'db'", "types": ["Ingress"]}, "unknown"),
        ("NetworkPolicy", "projectcalico.org", "data", {"selector": "app == 'cache'"}, "well"),
        ("GlobalNetworkPolicy", "projectcalico.org", "", {"selector": "all()", "order": 10}, "unknown"),
        ("GlobalNetworkPolicy", "crd.projectcalico.org", "", {"selector": "has(host)"}, "well"),
    ],
)
def test_policies_of_plugins_count_where_they_may_be_for_one_end(
    kind: str, group: str, namespace: str, spec: Manifest, conclusion: str
) -> None:
    snapshot = complete(
        NODE, space("shop"), space("data"), pod("shop", "web", "10.0.0.1"), pod("data", "db", "10.0.0.2"),
        service("data", "db"), slices("data", "db", ("db", "10.0.0.2")),
    )  # fmt: skip
    metadata = {"name": "c", **({"namespace": namespace} if namespace else {})}
    policy = {"apiVersion": f"{group}/v3", "kind": kind, "metadata": metadata, "spec": spec}
    snapshot.add(convert_object(f"{kind}.{group}", policy).objects)
    sheet = reach.answer(SUBJECT, Choices({"destination": ("db.data:80",)}), Cluster(snapshot))
    assert sheet.conclusion.value == conclusion, sheet.verdict
