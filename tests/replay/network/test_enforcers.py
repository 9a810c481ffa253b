"""Which network plug-ins enforce policies, by the DaemonSets of their own manifests."""

from __future__ import annotations

import pytest

from kubedoctor.cluster.kinds.apps import DaemonSet, DaemonSetSpec
from kubedoctor.cluster.kinds.containers import Container
from kubedoctor.cluster.kinds.meta import ManagedMeta
from kubedoctor.cluster.kinds.pods import PodSpec, PodTemplate
from kubedoctor.replay.network.enforcers import policy_enforcer


def daemon_set(name: str, *containers: tuple[str, str, tuple[str, ...]]) -> DaemonSet:
    parts = tuple(Container(name=one, image=image, args=args) for one, image, args in containers)
    template = PodTemplate(spec=PodSpec(containers=parts))
    return DaemonSet(metadata=ManagedMeta(name=name, namespace="kube-system"), spec=DaemonSetSpec(template=template))


FLANNEL = daemon_set("kube-flannel-ds", ("kube-flannel", "ghcr.io/flannel-io/flannel:v0.27.4", ()))
CANAL = daemon_set(
    "canal",
    ("calico-node", "docker.io/calico/node:v3.30.0", ()),
    ("kube-flannel", "docker.io/flannel/flannel:v0.24.4", ()),
)
POLICIES = daemon_set("kube-network-policies", ("agent", "registry.k8s.io/networking/kube-network-policies:v0.9", ()))
PROXY = daemon_set("kube-proxy", ("kube-proxy", "registry.k8s.io/kube-proxy:v1.34.0", ()))


def aws(*args: str) -> DaemonSet:
    return daemon_set(
        "aws-node",
        ("aws-node", "602401143452.dkr.ecr.us-west-2.amazonaws.com/amazon-k8s-cni:v1.20.0", ()),
        ("aws-eks-nodeagent", "602401143452.dkr.ecr.us-west-2.amazonaws.com/amazon/aws-network-policy-agent:v1", args),
    )


def kindnet(tag: str) -> DaemonSet:
    return daemon_set("kindnet", ("kindnet-cni", f"docker.io/kindest/kindnetd:{tag}", ()))


@pytest.mark.parametrize(
    ("rows", "name", "enforces"),
    [
        ((FLANNEL, PROXY), "flannel", False),
        ((FLANNEL, POLICIES), "kube-network-policies", True),
        ((CANAL,), "Canal", True),
        ((aws("--enable-network-policy=false"),), "AWS VPC CNI", False),
        ((aws(),), "AWS VPC CNI", False),
        ((aws("--enable-network-policy=true"),), "AWS VPC CNI", True),
        ((kindnet("v20240513-cd2ac642"),), "kindnet", False),
        ((kindnet("v20240813-c6f155d6"),), "kindnet", True),
        ((kindnet("latest"),), "kindnet", None),
        ((daemon_set("cilium", ("cilium-agent", "quay.io/cilium/cilium:v1.18", ())),), "Cilium", True),
        ((daemon_set("anetd", ("cilium-agent", "gke.gcr.io/cilium:v1", ())),), "Cilium", True),
    ],
)
def test_plug_ins(rows: tuple[DaemonSet, ...], name: str, enforces: bool | None) -> None:
    found = policy_enforcer(rows)
    assert found is not None
    assert (found.name, found.enforces) == (name, enforces)


def test_nothing_is_recognised_in_other_agents() -> None:
    assert policy_enforcer((PROXY,)) is None
