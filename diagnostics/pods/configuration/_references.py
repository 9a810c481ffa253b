"""What the configuration diagnostics share: the ConfigMaps and Secrets that a waiting pod needs, and which are missing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

import msgspec

from diagnostics.pods.configuration._makers import maker_of
from kubedoctor.cluster import CannotSee, Cluster, ConfigMap, Event, Gap, Pod, Secret, misspellings, workload_of
from kubedoctor.findings import (
    Command,
    Confidence,
    Evidence,
    Finding,
    Fix,
    Ref,
    active,
    at_fault,
    containers_with_status,
    fix_by_hand,
    has_path,
    kubectl,
    look_at_pod,
    quote,
    quote_pod_spec,
    quote_status,
    ref,
)
from kubedoctor.replay.kubelet.container_errors import Missing, missing_reference, volume_named
from kubedoctor.replay.kubelet.references import Reference, keys_of, references, volume_sources

CONFIG_ERROR = "CreateContainerConfigError"
_STARTING = ("", "ContainerCreating", "PodInitializing")


_WRITTEN: Final = {
    "kube-root-ca.crt": (
        "kube-controller-manager (root-ca-cert-publisher)",
        "look at whether it runs and what its log says of the namespace",
    ),
    "openshift-service-ca.crt": (
        "kube-controller-manager (service-ca-cert-publisher)",
        "look at whether it runs and what its log says of the namespace",
    ),
    "istio-ca-root-cert": ("istiod", "look at whether it runs, and whether its discoverySelectors take the namespace"),
}
"""ConfigMaps that no person creates: who writes them, and where to look (`pkg/controller/certificates/rootcacertpublisher`, v1.37;
Istio, `pilot/pkg/serviceregistry/kube/controller/namespacecontroller.go`, 1.27)."""


class Absent(msgspec.Struct, frozen=True):
    """A reference to a missing object or key. `stated`: the kubelet itself reports it, in `evidence`."""

    reference: Reference
    about: Ref
    stated: bool
    evidence: tuple[Evidence, ...]

    @property
    def confidence(self) -> Confidence:
        return Confidence.CERTAIN if self.stated else Confidence.LIKELY


class _Stuck(msgspec.Struct):
    """The parts of a pod that wait for configuration, and what the kubelet reports missing."""

    containers: set[str] = msgspec.field(default_factory=set)
    volumes: bool = False
    reported: list[tuple[Missing, Evidence]] = msgspec.field(default_factory=list)

    def on(self, reference: Reference) -> bool:
        """Whether something waits for what is referred to."""
        return reference.container in self.containers or (bool(reference.volume) and self.volumes)


def absent_objects(pod: Pod, cluster: Cluster, kind: type[ConfigMap] | type[Secret], *create: str) -> Iterator[Finding]:
    """A finding for each object of a kind that a waiting pod needs and that does not exist.

    create: the words of `kubectl create` for the kind, without the name.
    """
    for absent in _absent(pod, cluster, kind, keys=False):
        yield _missing(pod, absent, cluster, kind, create)


def _missing(
    pod: Pod, absent: Absent, cluster: Cluster, kind: type[ConfigMap] | type[Secret], create: tuple[str, ...]
) -> Finding:
    name, what = absent.reference.name, kind.__name__
    summary = f"{what} {name} does not exist in namespace {pod.namespace}"
    if absent.reference.volume:
        summary += f": volume {absent.reference.volume} cannot be mounted"
    line = kubectl("create", *create, name, "--from-literal=KEY=VALUE", namespace=pod.namespace)
    fixes = [Fix(f"Create {what} {name} with the keys that the program expects", line)]
    maker = maker_of(name, pod, cluster) if kind is Secret else None
    evidence = absent.evidence
    blamed: tuple[Ref, ...] = ()
    commands: tuple[Command, ...] = ()
    if maker is not None:
        summary += maker.words
        fixes = [maker.fix, *(fixes if maker.keeps_others else ())]
        evidence, blamed, commands = (*evidence, *maker.evidence), maker.blamed, maker.commands
    elif name in _WRITTEN and kind is ConfigMap:
        writer, look = _WRITTEN[name]
        summary += f"; {writer} writes it into every namespace"
        fixes = [Fix(f"Leave it to {writer}, which writes it again by itself: {look}")]
        line = kubectl("get", "configmaps", "-A", "--field-selector", f"metadata.name={name}")
        commands = (
            Command(line, "whether all namespaces have it: if the newest ones lack it, its writer stands still"),
        )
    elif near := misspellings(name, (existing.name for existing in cluster.maybe.all(kind, pod.namespace)), 1):
        summary += f"; did you mean {near[0]}?"
        fixes.insert(0, fix_by_hand(absent.about, f"Use {what} {near[0]} instead"))
    return Finding(
        about=absent.about,
        summary=summary,
        confidence=absent.confidence,
        evidence=evidence,
        because_of=blamed,
        fixes=tuple(fixes),
        commands=(
            *commands,
            Command(kubectl("get", f"{what.lower()}s", namespace=pod.namespace), f"the {what}s in the namespace"),
            look_at_pod(pod, "the pod's state and events"),
        ),
        aspect=name,
    )


def absent_keys(pod: Pod, cluster: Cluster) -> Iterator[Absent]:
    """The keys that a waiting pod needs and that are missing in their ConfigMaps and Secrets."""
    for kind in (ConfigMap, Secret):
        yield from _absent(pod, cluster, kind, keys=True)


def _absent(pod: Pod, cluster: Cluster, kind: type[ConfigMap] | type[Secret], *, keys: bool) -> Iterator[Absent]:
    stuck = _stuck(pod)
    needed: list[Reference] = []
    if stuck.containers or stuck.volumes:
        needed = [reference for reference in references(pod) if reference.kind == kind.__name__ and stuck.on(reference)]
    readings = [
        partial(cluster.get, kind, pod.namespace, name) for name in sorted({reference.name for reference in needed})
    ]
    if _may_be_stuck(pod):  # whatever it waits for, these are read
        cluster.together(partial(cluster.events_about, ref(pod)), partial(workload_of, pod, cluster), *readings)
    if not (stuck.containers or stuck.volumes):
        return
    if stuck.volumes:
        stuck.reported += _mount_events(pod, cluster.events_about(ref(pod)))
    seen: set[tuple[str, str]] = set()
    unseen: Gap | None = None  # not the exception: it would keep this frame, and the whole snapshot, until a collection
    any_absent = False
    for reference in needed:
        place = (reference.name, reference.key * keys)
        if bool(reference.key) < keys or place in seen:
            continue
        stated = [evidence for missing, evidence in stuck.reported if _is(missing, reference, keys)]
        try:
            source = cluster.get(kind, pod.namespace, reference.name)
        except CannotSee as blind:
            unseen = Gap(blind.kind, blind.why)
            if not stated:
                continue
        else:
            gone = source is None if not keys else source is not None and reference.key not in keys_of(source)
            if not gone:
                continue
        seen.add(place)
        any_absent = True
        about = at_fault(pod, cluster)
        where = quote_pod_spec(pod, cluster, about, reference.path, "the reference in the spec")
        yield Absent(reference, about, bool(stated), (*where, *stated[:2]))
    if unseen is not None and not any_absent:
        raise CannotSee(unseen.kind, unseen.why)


def _may_be_stuck(pod: Pod) -> bool:
    return active(pod) and bool(pod.spec.node_name) and pod.status.phase in ("", "Pending")


def _stuck(pod: Pod) -> _Stuck:
    stuck = _Stuck()
    if not active(pod) or not pod.spec.node_name:
        return stuck
    begun = False
    for part in containers_with_status(pod):
        state = part.status.state
        waiting = state.waiting if state else None
        begun = begun or bool(part.status.container_id) or (waiting is not None and waiting.reason not in _STARTING)
        if waiting is not None and waiting.reason == CONFIG_ERROR:
            stuck.containers.add(part.container.name)
            missing = missing_reference(waiting.message)
            if missing is not None:
                evidence = quote_status(pod, part.container.name, "state.waiting.message")
                stuck.reported += [(missing, quoted) for quoted in evidence]
    stuck.volumes = not begun and pod.status.phase in ("", "Pending")
    return stuck


def _mount_events(pod: Pod, events: tuple[Event, ...]) -> Iterator[tuple[Missing, Evidence]]:
    for event in reversed(events):
        missing = missing_reference(event.message) if event.reason == "FailedMount" else None
        if missing is None or not has_path(event, "message"):
            continue
        if not missing.name:
            volume = next((v for v in pod.spec.volumes or () if v.name == volume_named(event.message)), None)
            sources = list(volume_sources(volume)) if volume else []
            names = [name for kind, name, *_ in sources if kind == missing.kind or len(sources) == 1]
            missing = missing._replace(name=names[0] if names else "")
        yield missing, quote(event, "message")


def _is(missing: Missing, reference: Reference, keys: bool) -> bool:
    if (missing.kind, missing.name) != (reference.kind, reference.name):
        return False
    return missing.key == reference.key if keys else not missing.key
