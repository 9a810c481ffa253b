"""The cluster's DNS: which Service it is, which pods use it and what blocks them, and the content of a Corefile."""

from kubedoctor.replay.dns.corefile import CorefileError, corefile_error, directives, unknown_directives
from kubedoctor.replay.dns.dependence import Dependence, DnsUse, cluster_addresses, dependence
from kubedoctor.replay.dns.servers import Resolvers, Server, resolvers, uses_cluster_dns
from kubedoctor.replay.dns.service import is_cluster_dns

__all__ = [
    "CorefileError",
    "Dependence",
    "DnsUse",
    "Resolvers",
    "Server",
    "cluster_addresses",
    "corefile_error",
    "dependence",
    "directives",
    "is_cluster_dns",
    "resolvers",
    "unknown_directives",
    "uses_cluster_dns",
]
