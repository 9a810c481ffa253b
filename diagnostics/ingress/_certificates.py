"""Secrets of certificates that may still be created."""

from __future__ import annotations

from diagnostics.pods.configuration._creators import creator_of, only_merges
from kubedoctor.cluster import Cluster, CustomResource, Ingress
from kubedoctor.replay.status.vocabulary import PROGRESS, START


def may_come(
    asker: Ingress | CustomResource, namespace: str, name: str, cluster: Cluster, *, missed: bool = False
) -> bool:
    """Whether the Secret may be on its way: the object that names it is new, or an operator makes it, whose object tells why
    it is not there yet. missed: a controller says that it looks for it in vain."""
    created = asker.metadata.creation_timestamp
    if created is not None and cluster.taken_at - created < (START if missed else PROGRESS):
        return True
    creator = creator_of(name, namespace, cluster)
    return creator is not None and not only_merges(creator)
