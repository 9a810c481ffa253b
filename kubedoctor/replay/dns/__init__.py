"""The cluster's DNS: which Service it is, and what a Corefile says."""

from kubedoctor.replay.dns.corefile import CorefileError, corefile_error, directives, unknown_directives
from kubedoctor.replay.dns.service import is_cluster_dns

__all__ = ["CorefileError", "corefile_error", "directives", "is_cluster_dns", "unknown_directives"]
