"""What the image diagnostics share: containers that wait for an image, and images that run elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from kubedoctor.cluster import (
    Cluster,
    Container,
    Pod,
    container_path,
    likeness,
    misspelled,
    misspellings,
    ref,
    workload_of,
    workloads_of,
)
from kubedoctor.findings import (
    SETTABLE,
    Command,
    Confidence,
    ContainerWithStatus,
    Effect,
    Evidence,
    Finding,
    Fix,
    Ref,
    at_fault,
    containers_with_status,
    has_path,
    kubectl,
    look_at_pod,
    newest_event,
    quote,
    quote_spec,
    quote_status,
    waiting_containers,
)
from kubedoctor.replay.kubelet.image_errors import (
    PULL_REASONS,
    PullProblem,
    read_pull_error,
    reason_in,
)
from kubedoctor.replay.kubelet.image_names import ImageName, parse_image_name


class Unpulled(NamedTuple):
    """A container whose image was not pulled."""

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

    @property
    def registry_words(self) -> str:
        """`the registry`, with its name where the image does not show it: `registry docker.io`."""
        registry = self.name.registry
        return "the registry" if self.image.startswith(f"{registry}/") else f"registry {registry}"


def unpulled(pod: Pod, cluster: Cluster, *problems: PullProblem) -> Iterator[Unpulled]:
    """The containers of a pod that wait because of these problems."""
    for part, waiting in waiting_containers(pod, *PULL_REASONS):
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
        message = waiting.message
        if event is not None and has_path(event, "message") and not reason_in(waiting.message):
            # Kubelets before 1.31 give the reason in the event only.
            message = event.message
            evidence.append(quote(event, "message"))
        yield Unpulled(part, problem, message, tuple(evidence), about)


def _same_image(container: Container, other: Container) -> bool:
    return container.image == other.image


class WorkingImage(NamedTuple):
    """An image that a pod of the namespace runs, where it is quoted, and the fix that uses it."""

    image: str
    evidence: Evidence
    fix: Fix


def working_image(pod: Pod, pull: Unpulled, cluster: Cluster) -> WorkingImage | None:
    """The most likely image that a pod of the namespace runs, of the same repository or with a similar name."""
    bad = pull.name
    best: tuple[tuple[int, float, str], Evidence] | None = None
    candidates: list[tuple[Pod, float, ContainerWithStatus, str]] = []
    for candidate in cluster.maybe.all(Pod, pod.namespace):
        if ref(candidate) == ref(pod):
            continue
        for part in containers_with_status(candidate):
            name = parse_image_name(part.container.image)
            near = likeness(bad.repository, name.repository)
            path = f"{container_path(candidate, part.container.name)}.image"
            same_image = (name.without_tag, name.tag) == (bad.without_tag, bad.tag)
            alike = near == 1 or misspelled(bad.repository, name.repository)
            if not part.status.image_id or not alike or same_image or not has_path(candidate, path):
                continue
            candidates.append((candidate, near + likeness(bad.tag, name.tag), part, path))
    workloads = workloads_of([pod, *(row[0] for row in candidates)], cluster)
    for other, near, part, path in candidates:
        rank = (int(workloads[ref(other)] == workloads[ref(pod)]), near, part.container.image)
        if best is None or rank > best[0]:
            best = (rank, quote(other, path, "runs in the same namespace"))
    if best is None:
        return None
    (*_, image), evidence = best
    return WorkingImage(image, evidence, set_image(pull, image, f"Use {image}, which already runs in this namespace"))


def nearest_registry(bad: ImageName, cluster: Cluster, namespace: str) -> str:
    """A registry of a similar name that other pods of the namespace use; empty if none."""
    used = {
        parse_image_name(part.container.image).registry
        for other in cluster.maybe.all(Pod, namespace)
        for part in containers_with_status(other)
        if part.status.image_id
    }
    near = misspellings(bad.registry, used - {bad.registry}, 1)
    return near[0] if near else ""


def set_image(pull: Unpulled, image: str, summary: str) -> Fix:
    """Use another image."""
    about = pull.about
    if about.kind != "Pod" and about.kind not in SETTABLE:
        return Fix(f"{summary}: delete and recreate {about.argument}")
    line = kubectl("set", "image", about.argument, f"{pull.container.name}={image}", namespace=about.namespace)
    return Fix(summary, line, Effect.DISRUPTS if about.kind == "Pod" else Effect.CHANGES)


def look(pod: Pod) -> Command:
    return look_at_pod(pod, "the full error message, under Events")


def finding(
    pod: Pod,
    pull: Unpulled,
    summary: str,
    *fixes: Fix,
    evidence: Iterable[Evidence] = (),
    confidence: Confidence = Confidence.CERTAIN,
    commands: tuple[Command, ...] = (),
    because_of: tuple[Ref, ...] = (),
) -> Finding:
    """The finding of an image that was not pulled; `evidence` and `commands` come after those of `pull`."""
    return Finding(
        about=pull.about,
        summary=summary,
        confidence=confidence,
        evidence=(*pull.evidence, *evidence),
        fixes=fixes,
        commands=(look(pod), *commands),
        aspect=pull.container.name,
        because_of=because_of,
    )


def replaced_version_fix(pod: Pod, pull: Unpulled, cluster: Cluster) -> tuple[Fix, ...]:
    """The template has another image now: the pod is left over from an older revision and has to be deleted."""
    if pull.about.kind != "Pod" or workload_of(pod, cluster) == pull.about:
        return ()
    line = kubectl("delete", "pod", pod.name, namespace=pod.namespace)
    return (Fix("Delete the pod: its workload recreates it with the current image", line, Effect.DISRUPTS),)
