"""The cause that a log states for a run that failed."""

from __future__ import annotations

import msgspec

from kubedoctor.cluster import (
    APIService,
    ConfigMap,
    CustomResourceDefinition,
    DaemonSet,
    EndpointSlice,
    Event,
    KubernetesObject,
    Namespace,
    NetworkPolicy,
    Node,
    PersistentVolumeClaim,
    Secret,
    Service,
    ServiceAccount,
    StorageClass,
)
from kubedoctor.findings import Command, Evidence, Fix, Ref
from kubedoctor.replay.logs.reading import LogCause
from kubedoctor.replay.network.plugin_policies import PLUGIN_KINDS
from kubedoctor.replay.permissions.grants import ROLE_KINDS

STORY_KINDS: tuple[type[KubernetesObject] | str, ...] = (
    *(Event, ConfigMap, Secret, ServiceAccount, Service, EndpointSlice, Namespace, NetworkPolicy, Node, DaemonSet),
    *(PersistentVolumeClaim, StorageClass, CustomResourceDefinition, APIService),
    *ROLE_KINDS,
    *PLUGIN_KINDS,
)
"""The kinds in which the names of a log's line are looked up."""


class Story(msgspec.Struct, frozen=True):
    """The cause that a log states. `text`: a clause, empty if the log shows no cause. `last_words`: a clause with the last
    line of a log that shows none."""

    text: str = ""
    cause: LogCause | None = None
    because_of: tuple[Ref, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    fixes: tuple[Fix, ...] = ()
    commands: tuple[Command, ...] = ()
    last_words: str = ""
