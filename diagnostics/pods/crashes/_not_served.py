"""A resource type that the cluster does not serve according to the log, looked up in the definitions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from diagnostics.pods.crashes._story import Story
from kubedoctor.cluster import APIService, Cluster, CustomResourceDefinition, condition, has_path, listed, quote, ref
from kubedoctor.findings import Evidence, Fix
from kubedoctor.replay.status.removals import removal

_TYPES: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r'no matches for kind "(?P<kind>\w+)" in (?:version|group) "(?P<group>[\w.-]+\.[\w.-]+?)(?:/(?P<version>v\w+))?"',
        r"no matches for (?P<group>[\w.-]+\.[\w.-]+)/(?P<version>v\w+|__internal), (?:Kind|Resource)=(?P<kind>\w+)",
        r"no matches for \{?(?P<group>[\w.-]+\.[\w.-]+) (?P<version>v\w+) (?P<kind>\w+)\}?",
        r"could not find the requested resource \(\w+ (?P<kind>\w+)\.(?P<group>[\w-]+\.[\w.-]+)\)",
    )
)
"""As apimachinery's NoKindMatchError, NoResourceMatchError (`pkg/api/meta/errors.go`) and StatusError write it."""
_BUILT_IN: Final = re.compile(
    r'no matches for (?:kind "(?P<kind>\w+)" in version "(?P<version>[\w.-]+/v\w+)"|'
    r"(?P<version_>[\w.-]+/v\w+), (?:Kind|Resource)=(?P<kind_>\w+))"
)
_OWN: Final = frozenset(
    f"{group}.k8s.io"
    for group in (
        *("admissionregistration", "apiextensions", "apiregistration", "authentication", "authorization"),
        *("certificates", "coordination", "discovery", "events", "extensions", "flowcontrol.apiserver"),
        *("internal.apiserver", "networking", "node", "rbac.authorization", "resource", "scheduling", "storage"),
        "storagemigration",
    )
)
"""Groups that the API server serves itself (`pkg/controlplane`): they have no definitions."""


class _Wanted(NamedTuple):
    """`kind`: a kind, or a resource in plural. `version`: may be empty."""

    kind: str
    group: str
    version: str


def not_served(message: str, clause: str, cluster: Cluster) -> Story | None:
    """None where the message names no type, and for types that Kubernetes itself serves. clause: what the log says."""
    if (removed := _removed(message, clause, cluster)) is not None:
        return removed
    wanted = _wanted(message)
    if wanted is None or wanted.group in _OWN or _is_aggregated(wanted.group, cluster):
        return None
    definitions = [one for one in cluster.maybe.all(CustomResourceDefinition) if one.spec.group == wanted.group]
    if any(gap.kind == "CustomResourceDefinition" for gap in cluster.gaps):
        return None
    named = [one for one in definitions if wanted.kind in (one.spec.names.kind, one.spec.names.plural)]
    # Of two with one kind, the one that has the version is meant.
    found = max(
        named, key=lambda one: any(version.name == wanted.version for version in one.spec.versions or ()), default=None
    )
    if found is None:
        fix = Fix(f"Install the CustomResourceDefinitions of {wanted.group} that this version of the program needs")
        return Story(f"{clause}; no CustomResourceDefinition of {wanted.group} defines {wanted.kind}", fixes=(fix,))
    return _of_definition(found, wanted, definitions, clause)


def _removed(message: str, clause: str, cluster: Cluster) -> Story | None:
    """Where the message names a version of a type of Kubernetes that the release of the cluster serves no longer."""
    match = _BUILT_IN.search(message)
    found = removal(match["version"] or match["version_"], match["kind"] or match["kind_"]) if match else None
    if found is None or cluster.version is None or cluster.version.minor < found.minor:
        return None
    fix = f"uses {found.successor}" if found.successor else f"does without {found.kind}"
    return Story(
        f"{clause}; Kubernetes removed it in 1.{found.minor}, and the cluster has {cluster.version}",
        fixes=(Fix(f"Run a version of the program that {fix}"),),
    )


def _is_aggregated(group: str, cluster: Cluster) -> bool:
    """Whether an extension API server has the group, without definitions."""
    return any(one.spec.group == group and one.spec.service is not None for one in cluster.maybe.all(APIService))


def _of_definition(
    found: CustomResourceDefinition, wanted: _Wanted, definitions: Iterable[CustomResourceDefinition], clause: str
) -> Story | None:
    accepted = condition(found.status.conditions, "NamesAccepted")
    path = "status.conditions[type=NamesAccepted].message"
    if accepted is not None and accepted.status == "False" and has_path(found, path):
        same = next((one for one in definitions if one is not found and _share_a_name(one, found)), None)
        beside = f" by {ref(same).title}" if same is not None else ""
        fix = Fix(
            f"Keep one of the two definitions: deleting a definition deletes its objects, so look first which of {found.name}"
            f" and {same.name} has some"
            if same is not None
            else f"Give {ref(found).title} names that no other definition of {wanted.group} uses"
        )
        return Story(
            f"{clause}; {ref(found).title} is not accepted: {accepted.message}{beside}",
            because_of=(ref(found),),
            evidence=(quote(found, path, "why it is not served"),),
            fixes=(fix,),
        )
    served = [version.name for version in found.spec.versions or () if version.served]
    if not wanted.version or wanted.version in served or not has_path(found, "spec.versions"):
        return None
    fix = Fix(
        f"Run a version of the program that uses {listed(served, 3)}, or install the definitions of its version"
        if served
        else f"Serve version {wanted.version} in {ref(found).title} again"
    )
    return Story(
        f"{clause}; {ref(found).title} serves {listed(served, 3) or 'no version'}, not {wanted.version}",
        because_of=(ref(found),),
        evidence=_versions(found, wanted.version),
        fixes=(fix,),
    )


def _versions(found: CustomResourceDefinition, wanted: str) -> tuple[Evidence, ...]:
    names = [version.name for version in found.spec.versions or ()]
    shown = [wanted] if wanted in names else names[:3]
    paths = (f"spec.versions[name={name}].served" for name in shown)
    return tuple(quote(found, path, "whether it is served") for path in paths if has_path(found, path))


def _share_a_name(one: CustomResourceDefinition, other: CustomResourceDefinition) -> bool:
    mine, its = one.spec.names, other.spec.names
    names = {mine.plural, mine.singular, *(mine.short_names or ())}
    return mine.kind == its.kind or not names.isdisjoint({its.plural, its.singular, *(its.short_names or ())})


def _wanted(message: str) -> _Wanted | None:
    for pattern in _TYPES:
        if match := pattern.search(message):
            parts = match.groupdict()
            return _Wanted(parts["kind"], parts["group"], parts.get("version") or "")
    return None
