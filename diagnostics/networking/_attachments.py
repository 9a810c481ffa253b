"""Additional networks of a pod (Multus): which of them a failed sandbox is about, and where its definition is."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import msgspec

from kubedoctor.cluster import Cluster, CustomResource, Pod, has_path, ref, visible
from kubedoctor.findings import Evidence, Fix, Ref, fix_by_hand, quote

GROUP: Final = "k8s.cni.cncf.io"
DEFINITION: Final = f"NetworkAttachmentDefinition.{GROUP}"
ANNOTATION: Final = "k8s.v1.cni.cncf.io/networks"
_FAILED: Final = re.compile(r"error adding (?:container|pod \S+) to (?:CNI )?network \"(?P<name>[^\"]+)\"")
"""`multus-cni/pkg/multus/multus.go` and libcni; the network's name is that of its configuration, as a rule the definition's."""
_NOT_FOUND: Final = re.compile(
    r"cannot find (?:a )?network-attachment-definition \((?P<name>[^)]+)\) in namespace \((?P<namespace>[^)]+)\)"
)
_OTHER_NAMESPACE: Final = re.compile(r"namespace isolation (?:enabled|violat)")
_RANGE: Final = re.compile(
    r"Could not allocate IP in range: ip: (?P<first>\S+) / - (?P<last>\S+) / range: (?P<range>\S+)", re.IGNORECASE
)
"""Of whereabouts, `pkg/allocate/allocate.go`, AssignmentError."""


class Attachment(NamedTuple):
    """A network that the pod's annotation names. definition: None where it is not seen."""

    name: str
    definition: CustomResource | None


class AttachmentWords(NamedTuple):
    clause: str
    fix: Fix
    evidence: tuple[Evidence, ...] = ()


def named_networks(pod: Pod) -> tuple[tuple[str, str], ...]:
    """Namespace and name of each additional network: a list with commas, `namespace/name@interface`, or JSON."""
    written = pod.annotations.get(ANNOTATION, "").strip()
    if written.startswith("["):
        try:
            rows = msgspec.json.decode(written, type=list[dict[str, object]])
        except (msgspec.DecodeError, ValueError):
            return ()
        return tuple((str(row.get("namespace") or pod.namespace), str(row.get("name", ""))) for row in rows)
    found = []
    for entry in filter(None, (part.strip() for part in written.split(","))):
        namespace, _, name = entry.partition("@")[0].rpartition("/")
        found.append((namespace or pod.namespace, name))
    return tuple(found)


def failed_attachment(pod: Pod, message: str, cluster: Cluster) -> Attachment | None:
    """The additional network that the sandbox could not be given; None where the message is about the pod's first network."""
    failed = _FAILED.search(message)
    if failed is None:
        return None
    for namespace, name in named_networks(pod):
        definition = _definition(namespace, name, cluster)
        if failed["name"] in (name, f"{namespace}/{name}") or (
            definition is not None and f'"name": "{failed["name"]}"' in str((definition.spec or {}).get("config", ""))
        ):
            return Attachment(name, definition)
    return None


def _definition(namespace: str, name: str, cluster: Cluster) -> CustomResource | None:
    found = cluster.maybe.get_ref(Ref(DEFINITION, namespace, name))
    return found if isinstance(found, CustomResource) else None


def used_up(attachment: Attachment, message: str) -> AttachmentWords:
    """An address range of a network of its own: other nodes and pods share it."""
    found = _RANGE.search(message)
    span = f": its range {found['first']} to {found['last']} is used up" if found is not None else ""
    path = "spec.config"
    definition = attachment.definition
    shown = (
        (quote(definition, path, "the network and its range"),)
        if definition is not None and has_path(definition, path)
        else ()
    )
    where = f" of NetworkAttachmentDefinition {attachment.name}"
    return AttachmentWords(
        f"additional network {attachment.name} has no free IP address{span}",
        Fix(
            f"Enlarge the range{where}, run fewer pods in it, or free the addresses of pods that are gone (IPPools of"
            " whereabouts)"
        ),
        shown,
    )


def missing_definition(pod: Pod, message: str, about: Ref, cluster: Cluster) -> AttachmentWords | None:
    """A definition that is not in the namespace in which it is looked for; those of the name elsewhere."""
    found = _NOT_FOUND.search(message)
    if found is None:
        return None
    name, namespace = visible(found["name"], 120), visible(found["namespace"], 120)
    others = [
        one
        for one in cluster.maybe.custom("NetworkAttachmentDefinition", GROUP)
        if one.name == name and one.namespace != namespace
    ]
    clause = (
        f"an additional network of the pod is missing: NetworkAttachmentDefinition {namespace}/{name} does not exist"
    )
    shown = (
        (quote(pod, f"metadata.annotations[{ANNOTATION}]", "the networks that the pod names"),)
        if pod.annotations.get(ANNOTATION)
        else ()
    )
    if not others:
        return AttachmentWords(
            clause,
            fix_by_hand(about, f"Create the NetworkAttachmentDefinition, or correct annotation {ANNOTATION}"),
            shown,
        )
    other = others[0]
    return AttachmentWords(
        f"{clause}; {other.namespace}/{name} does",
        fix_by_hand(
            about,
            f"Name {other.namespace}/{name} in annotation {ANNOTATION} (unless Multus isolates namespaces), or create it in"
            f" namespace {namespace} too",
        ),
        (*shown, quote(other, "metadata.namespace", "where the definition is")),
    )


def about_attachment(attachment: Attachment, workload: Ref) -> Ref:
    return ref(attachment.definition) if attachment.definition is not None else workload
