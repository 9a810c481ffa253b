"""NetworkPolicies are enforced while kube-router's controller runs, by the packet filter of the node."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.real.cluster.control_plane import RealCluster
from tests.real.cluster.layout import DEBIAN_ROOT
from tests.real.workloads import policy_engine


@contextmanager
def enforced(cluster: RealCluster) -> Iterator[None]:
    cluster.apply(*policy_engine())
    cluster.kubectl("rollout", "status", "daemonset/kube-router", "-n", "kube-system", "--timeout=120s")
    cluster.wait_for("the rules of the packet filter", lambda: "KUBE-ROUTER-FORWARD" in rules(cluster))
    yield
    cluster.kubectl("delete", "daemonset", "kube-router", "-n", "kube-system", "--cascade=foreground", "--timeout=60s")
    if "KUBE-ROUTER" in rules(cluster):
        # All that iptables has made: kube-proxy has a table of its own.
        packet_filter(cluster, "delete", "table", "ip", "filter")


def rules(cluster: RealCluster) -> str:
    return packet_filter(cluster, "list", "ruleset")


def packet_filter(cluster: RealCluster, *arguments: str) -> str:
    libraries = DEBIAN_ROOT / "usr/lib/x86_64-linux-gnu"
    return cluster.inside("env", f"LD_LIBRARY_PATH={libraries}", str(DEBIAN_ROOT / "usr/sbin/nft"), *arguments)
