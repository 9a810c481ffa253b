"""Secrets of certificates that may still be created."""

from __future__ import annotations

from diagnostics.pods.configuration._creators import creator_of, only_merges
from kubedoctor.cluster import Cluster, CustomResource, Ingress
from kubedoctor.replay.status.vocabulary import PROGRESS


def may_come(asker: Ingress | CustomResource, namespace: str, name: str, cluster: Cluster) -> bool:
    """Whether the Secret may be on its way: the object that names it is new, or an operator makes it, whose object tells why
    it is not there yet."""
    created = asker.metadata.creation_timestamp
    if created is not None and cluster.taken_at - created < PROGRESS:
        return True
    creator = creator_of(name, namespace, cluster)
    return creator is not None and not only_merges(creator)
