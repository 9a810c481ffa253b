"""A DNS server that has no server to forward to."""

from __future__ import annotations

from diagnostics.pods.crashes._story import Story
from kubedoctor.cluster import Pod
from kubedoctor.findings import Evidence, Fix, Ref, fix_by_hand, has_path, quote

_OF_THE_NODE = "Default"


def no_nameservers(pod: Pod, message: str, about: Ref) -> Story:
    """CoreDNS and NodeLocal DNSCache forward to the servers of /etc/resolv.conf: with dnsPolicy Default that of the node."""
    node = pod.spec.node_name
    own = pod.spec.dns_policy == _OF_THE_NODE or pod.spec.host_network
    where = (
        f"/etc/resolv.conf of node {node}" if own and node else "/etc/resolv.conf, or the forward line of its Corefile,"
    )
    evidence: tuple[Evidence, ...] = ()
    if has_path(pod, "spec.dnsPolicy"):
        evidence = (quote(pod, "spec.dnsPolicy", "whose resolv.conf it gets"),)
    return Story(
        f"{message}: {where} names no DNS server",
        evidence=evidence,
        fixes=(
            Fix(
                f"Write a nameserver into {where.rstrip(',')}, or point the kubelet's resolvConf to a file that has one"
            ),
            fix_by_hand(about, "Or name the upstream servers in the forward line of its Corefile"),
        ),
    )
