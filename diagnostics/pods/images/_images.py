"""What the diagnostics of images share: the containers that wait for one, and versions that work elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from kubedoctor.cluster import Cluster, Container, Pod, ref
from kubedoctor.cluster.grammar.nearest import likeness, misspellings, misspelt
from kubedoctor.cluster.relations.workloads import workload_of, workloads_of
from kubedoctor.cluster.triage import container_path
from kubedoctor.findings import Command, Confidence, Effect, Evidence, Finding, Fix, Ref, has_path, quote
from kubedoctor.findings.commands import SETTABLE, kubectl, look_at_pod
from kubedoctor.findings.containers import (
    ContainerWithStatus,
    at_fault,
    newest_event,
    parts_of,
    quote_spec,
    quote_status,
    waiting_parts,
)
from kubedoctor.replay.kubelet.image_errors import (
    PULL_REASONS,
    ImageName,
    PullProblem,
    parse_image_name,
    read_pull_error,
)


class Unpulled(NamedTuple):
    """A container whose image is not there."""

    part: ContainerWithStatus
    problem: PullProblem
    message: str
    evidence: tuple[Evidence, ...]
    about: Ref

    @property
    def container(self) -> Container:
        return self.part.container

    @property
    def image(self) -> str:
        return self.part.container.image

    @property
    def name(self) -> ImageName:
        return parse_image_name(self.image)


def unpulled(pod: Pod, cluster: Cluster, *problems: PullProblem) -> Iterator[Unpulled]:
    """The containers of a pod that wait because of one of these problems."""
    for part, waiting in waiting_parts(pod, *PULL_REASONS):
        name = part.container.name
        event = newest_event(pod, cluster, "Failed", text="Failed to pull image", container=name)
        problem = read_pull_error(waiting, event.message if event else "")
        if problem not in problems:
            continue
        about = at_fault(pod, cluster, name, _same_image)
        evidence = [
            *quote_spec(pod, cluster, about, name, "image"),
            *quote_status(pod, name, "state.waiting.reason", "state.waiting.message"),
        ]
        if event is not None and has_path(event, "message") and event.message not in waiting.message:
            evidence.append(quote(event, "message"))
        yield Unpulled(part, problem, waiting.message or (event.message if event else ""), tuple(evidence), about)


def _same_image(one: Container, other: Container) -> bool:
    return one.image == other.image


def working_image(pod: Pod, bad: ImageName, cluster: Cluster) -> tuple[str, Evidence] | None:
    """An image that a pod of the namespace runs, of the same repository or of one spelled nearly so; the likeliest."""
    best: tuple[tuple[int, float, str], Evidence] | None = None
    candidates: list[tuple[Pod, float, ContainerWithStatus, str]] = []
    for other in cluster.maybe.all(Pod, pod.namespace):
        if ref(other) == ref(pod):
            continue
        for part in parts_of(other):
            name = parse_image_name(part.container.image)
            near = likeness(bad.repository, name.repository)
            path = f"{container_path(other, part.container.name)}.image"
            same = (name.without_tag, name.tag) == (bad.without_tag, bad.tag)
            alike = near == 1 or misspelt(bad.repository, name.repository)
            if not part.status.image_id or not alike or same or not has_path(other, path):
                continue
            candidates.append((other, near + likeness(bad.tag, name.tag), part, path))
    workloads = workloads_of([pod, *(row[0] for row in candidates)], cluster)
    for other, near, part, path in candidates:
        rank = (int(workloads[ref(other)] == workloads[ref(pod)]), near, part.container.image)
        if best is None or rank > best[0]:
            best = (rank, quote(other, path, "runs in this namespace"))
    return (best[0][2], best[1]) if best else None


def nearest_registry(bad: ImageName, cluster: Cluster, namespace: str) -> str:
    """A registry that other pods of the namespace use and that is spelled nearly so; empty if none."""
    used = {
        parse_image_name(part.container.image).registry
        for other in cluster.maybe.all(Pod, namespace)
        for part in parts_of(other)
        if part.status.image_id
    }
    near = misspellings(bad.registry, used - {bad.registry}, 1)
    return near[0] if near else ""


def set_image(one: Unpulled, image: str, why: str) -> Fix:
    """Use another image."""
    about = one.about
    if about.kind == "Pod":
        words = ("set", "image", about.argument, f"{one.container.name}={image}")
        return Fix(why, kubectl(*words, namespace=about.namespace), Effect.DISRUPTS)
    if about.kind not in SETTABLE:
        return Fix(f"{why}: delete {about.argument} and create it anew", "")
    words = ("set", "image", about.argument, f"{one.container.name}={image}")
    return Fix(why, kubectl(*words, namespace=about.namespace))


def look(pod: Pod) -> Command:
    return look_at_pod(pod, "the runtime's whole message, at the end under Events")


def finding(
    pod: Pod,
    one: Unpulled,
    said: str,
    *fixes: Fix,
    evidence: Iterable[Evidence] = (),
    confidence: Confidence = Confidence.CERTAIN,
    commands: tuple[Command, ...] = (),
    because_of: tuple[Ref, ...] = (),
) -> Finding:
    """What all these diagnostics conclude of an image; `evidence` and `commands` come after their own."""
    return Finding(
        about=one.about,
        summary=said,
        confidence=confidence,
        evidence=(*one.evidence, *evidence),
        fixes=fixes,
        commands=(look(pod), *commands),
        aspect=one.container.name,
        because_of=because_of,
    )


def replaced_version_fix(pod: Pod, one: Unpulled, cluster: Cluster) -> tuple[Fix, ...]:
    """The template has another image by now: the pod is left over and only has to go."""
    if one.about.kind != "Pod" or workload_of(pod, cluster) == one.about:
        return ()
    line = kubectl("delete", "pod", pod.name, namespace=pod.namespace)
    return (Fix("Delete the pod: its workload names another image by now and makes a new one", line, Effect.DISRUPTS),)
