"""Which object should have created a Secret that a pod waits for, and what prevents it."""

from __future__ import annotations

from typing import NamedTuple

from diagnostics.pods.configuration._creators import creator_of, only_merges, state_of
from diagnostics.pods.configuration._operators import named_after
from diagnostics.pods.configuration._secret_store import class_of, sync_of
from kubedoctor.cluster import Cluster, CustomResource, Evidence, Pod, quote
from kubedoctor.cluster.changes import put
from kubedoctor.findings import Command, Fix, Ref, command_line, has_path, ref

_SUPERUSER = "spec.enableSuperuserAccess"


class Maker(NamedTuple):
    """What a finding about the missing Secret takes over. `keeps_others`: the object does not create the Secret itself, so
    that a person may still do it. `words`: what follows the summary."""

    words: str
    evidence: tuple[Evidence, ...]
    fix: Fix
    commands: tuple[Command, ...]
    blamed: tuple[Ref, ...] = ()
    keeps_others: bool = False


def maker_of(name: str, pod: Pod, cluster: Cluster) -> Maker | None:
    """The object that should have created the Secret; None where no such object is seen."""
    creator = creator_of(name, pod.namespace, cluster)
    if creator is not None:
        return _merging(creator) or _creating(creator, name, cluster)
    creator = class_of(name, pod, cluster)
    if creator is not None:
        sync = sync_of(creator, name, pod, cluster)
        words = f"; {ref(creator).title} should create it{sync.words}"
        if sync.words.startswith(" only"):
            words = f"; {ref(creator).title} creates it{sync.words}"
        return Maker(words, sync.evidence, sync.fix, _look(creator), (ref(creator),))
    creator = named_after(name, pod.namespace, cluster)
    return (_without_superuser(creator, name) or _creating(creator, name, cluster)) if creator is not None else None


def _look(creator: CustomResource) -> tuple[Command, ...]:
    return (Command(ref(creator).describe_command, "why the Secret is not created"),)


def _creating(creator: CustomResource, name: str, cluster: Cluster) -> Maker:
    title = ref(creator).title
    state, evidence = state_of(creator, cluster)
    fix = Fix(f"Fix {title}: it creates Secret {name}")
    return Maker(f"; {title} should create it{state}", evidence, fix, _look(creator), (ref(creator),))


def _merging(creator: CustomResource) -> Maker | None:
    merges = only_merges(creator)
    if not merges:
        return None
    title, policy = ref(creator).title, merges[0].text
    does = "only adds keys to it" if policy == "Merge" else "does not write it"
    change = put(ref(creator), ("spec", "target", "creationPolicy"), "Owner")
    return Maker(
        f"; {title} {does} (creationPolicy: {policy})",
        merges,
        Fix(f"Let {title} create it: set creationPolicy to Owner", command_line(change)),
        (Command(ref(creator).describe_command, "its target and conditions"),),
        keeps_others=True,
    )


def _without_superuser(creator: CustomResource, name: str) -> Maker | None:
    """CloudNativePG creates the Secret of the superuser only on request (`api/v1`, EnableSuperuserAccess, since 1.21)."""
    if name != f"{creator.name}-superuser" or not has_path(creator, _SUPERUSER):
        return None
    access = quote(creator, _SUPERUSER, "it creates no Secret of the superuser")
    if access.value is not False and access.text != "false":
        return None
    title = ref(creator).title
    change = put(ref(creator), ("spec", "enableSuperuserAccess"), True)
    return Maker(
        f"; {title} does not create it (enableSuperuserAccess: false)",
        (access,),
        Fix(f"Let {title} create it: set enableSuperuserAccess to true", command_line(change)),
        _look(creator),
    )
