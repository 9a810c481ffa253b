"""What keeps lookups from the DNS servers, in words."""

from __future__ import annotations

from kubedoctor.findings import ref
from kubedoctor.replay.dns import Resolvers
from kubedoctor.replay.dns.blocking import Blocked
from kubedoctor.replay.network import EGRESS, Party
from kubedoctor.replay.network.policies import Block


def what_blocks(blocked: Blocked, dns: Resolvers) -> str:
    """Which rule of the policy comes nearest, and what it lacks; or that none is about the DNS servers."""
    server = f"the DNS servers (UDP {blocked.server.port})"
    count = "1 pod" if len(blocked.pods) == 1 else f"{len(blocked.pods)} pods"
    if blocked.direction != EGRESS:
        return f"it lets no lookups in to {server} from {count}"
    miss = blocked.miss
    if miss.rule is None or not blocked.about_dns:
        return f"it isolates {count}, and no policy of theirs allows egress to {server}"
    rule = f"its egress rule {miss.rule.index + 1}"
    if miss.peer and miss.port and not miss.protocol:
        over = " and ".join(sorted({each.protocol for each in miss.rule.ports or ()}))
        return f"{rule} allows port {blocked.server.port} over {over} only, and lookups use UDP: {count} cannot resolve names"
    if miss.peer and not miss.port:
        return f"{rule} does not cover port {blocked.server.port} on which the DNS servers listen: {count} cannot resolve names"
    address = dns.service.spec.cluster_ip
    if any(isinstance(each, Block) and each.matches(Party.outside(address)) for each in miss.rule.peers or ()):
        return f"{rule} allows the DNS Service's address {address}, but policies see the pods behind it: {count} cannot resolve names"
    if blocked.server.party.pod is None:
        return f"{rule} selects pods, but the DNS servers are on their nodes' network: {count} cannot resolve names"
    return f"{rule} is for DNS, but does not match the DNS servers {ref(dns.service).title} has: {count} cannot resolve names"
