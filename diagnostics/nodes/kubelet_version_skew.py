"""Kubelet version is not supported by the API server.

## What it means
A kubelet must not be newer than the API server, and may be at most three minor versions older (two before 1.25).
Outside that range nothing is tested: pods usually keep running, but new fields are ignored, and a removed API can stop
the kubelet.

## Why it happens
- The node was left out when the cluster was upgraded: a node pool that is upgraded by hand, a machine that was off.
- The node was upgraded before the control plane.

## How to fix it
1. Older kubelet: drain the node, upgrade its kubelet one minor version at a time, or replace the node.
2. Newer kubelet: upgrade the control plane first.
3. Do it before the next upgrade of the control plane, which widens the gap.

## References
- https://kubernetes.io/releases/version-skew-policy/#kubelet
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster import Cluster, Node, Version, VersionError, counted, quote, ref
from kubedoctor.findings import Command, Confidence, Explains, Finding, Fix, Severity, diagnostic

OLDER, OLDER_BEFORE_1_25 = 3, 2
"""How many minor versions a kubelet may be older than the API server, by the kubelet's own version."""


def _reports_version(node: Node) -> bool:
    return bool(node.status.node_info.kubelet_version)


@diagnostic(
    code="KD4003",
    subject=Node,
    severity=Severity.WARNING,
    reads=(Node,),
    when=_reports_version,
    explains=(Explains("blamed", ("KD4001",)),),
    also_known_as=("version skew",),
    symptoms=("kubeletVersion", "unsupported kubelet version"),
)
def kubelet_version_skew(node: Node, cluster: Cluster) -> Iterator[Finding]:
    server, kubelet = cluster.version, _version(node)
    if server is None or kubelet is None or kubelet.major != server.major:
        return
    older = server.minor - kubelet.minor
    allowed = OLDER if kubelet.minor >= 25 else OLDER_BEFORE_1_25
    if 0 <= older <= allowed:
        return
    distance = counted(abs(older), "minor version")
    if older < 0:
        summary = f"kubelet {kubelet} is newer than the API server ({server}) by {distance}, which is not supported"
        fix = f"Upgrade the control plane to 1.{kubelet.minor} or later, or the kubelet back to 1.{server.minor}"
    else:
        summary = (
            f"kubelet {kubelet} is {distance} older than the API server ({server}); at most {allowed} are supported"
        )
        fix = f"Drain the node and upgrade its kubelet to 1.{server.minor}, or replace the node"
    yield Finding(
        about=ref(node),
        summary=summary,
        evidence=(quote(node, "status.nodeInfo.kubeletVersion", f"the API server has {server}"),),
        confidence=Confidence.CERTAIN,
        fixes=(Fix(fix),),
        commands=(
            Command("kubectl get nodes", "the kubelet version of each node"),
            Command("kubectl version", "the version of the API server"),
        ),
    )


def _version(node: Node) -> Version | None:
    try:
        return Version.parse(node.status.node_info.kubelet_version)
    except VersionError:
        return None
