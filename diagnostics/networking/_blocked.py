"""What blocks DNS queries, in words."""

from __future__ import annotations

from kubedoctor.cluster import counted
from kubedoctor.findings import ref
from kubedoctor.replay.dns.blocking import Blocked
from kubedoctor.replay.dns.servers import Resolvers
from kubedoctor.replay.network import EGRESS, Party
from kubedoctor.replay.network.policies import Block, Selected


def what_blocks(blocked: Blocked, dns: Resolvers) -> str:
    """The rule of the policy that comes nearest to allowing the queries, and what it lacks."""
    server = f"the DNS servers (UDP {blocked.server.port})"
    count = counted(len(blocked.pods), "pod")
    if blocked.direction != EGRESS:
        return f"the policy blocks DNS queries of {count} to {server}"
    miss = blocked.miss
    if miss.rule is None or not blocked.about_dns:
        them = "it" if len(blocked.pods) == 1 else "them"
        return f"the policy isolates {count}, and no policy for {them} allows egress to {server}"
    rule = f"egress rule {miss.rule.index + 1}"
    if miss.peer and miss.port and not miss.protocol:
        over = " and ".join(sorted({port.protocol for port in miss.rule.ports or ()}))
        return (
            f"{rule} allows port {blocked.server.port} over {over} only, but DNS uses UDP: {count} cannot resolve names"
        )
    if miss.peer and not miss.port:
        return f"{rule} does not allow port {blocked.server.port}, on which the DNS servers listen: {count} cannot resolve names"
    address = dns.service.spec.cluster_ip
    if any(isinstance(peer, Block) and peer.matches(Party.outside(address)) for peer in miss.rule.peers or ()):
        return f"{rule} allows the DNS Service address {address}, but policies apply to the pods behind it: {count} cannot resolve names"
    if blocked.server.party.pod is None:
        return f"{rule} selects pods, but the DNS servers use hostNetwork: {count} cannot resolve names"
    lacks = next(filter(None, (_lacks(peer, blocked.server.party) for peer in miss.rule.peers or ())), "")
    why = f" ({lacks})" if lacks else ""
    return f"{rule} is for DNS, but does not match the DNS servers of {ref(dns.service).title}{why}: {count} cannot resolve names"


def _lacks(peer: object, server: Party) -> str:
    """Which of its selectors leaves the server out."""
    if not isinstance(peer, Selected) or server.pod is None:
        return ""
    if peer.namespaces is None:
        return "" if peer.namespace == server.pod.namespace else f"it selects pods of namespace {peer.namespace} only"
    if not peer.namespaces.matches(server.namespace_labels):
        return f"Namespace {server.pod.namespace} does not match namespaceSelector {peer.namespaces.text}"
    return f"they do not match podSelector {peer.pods.text}" if not peer.pods.matches(server.labels) else ""
