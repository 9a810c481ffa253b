"""A change of the subject alone: `replicas=3`, `requests.cpu=800m`, `image=web:2`, `labels.app=web`, `delete`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from kubedoctor.answers.placement.pod_changes import PodChangeError, changed_pod
from kubedoctor.answers.what_if.words import UnreadChange
from kubedoctor.cluster.changes import Change, Step, as_manifest, delete, edit, put
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.relations.workloads import template_of, template_path
from kubedoctor.cluster.seen.reading import Cluster

_MAPS: Final = ("labels.", "annotations.")


def is_short(words: Sequence[str]) -> bool:
    """Whether these words are no command line: each sets a field, or `delete` alone."""
    return list(words) == ["delete"] or all("=" in word or word.endswith("-") for word in words)


def short_change(words: Sequence[str], subject: Ref, cluster: Cluster) -> Change:
    """The change of the subject. Raises UnreadChange."""
    item = cluster.get_ref(subject)
    if item is None:
        raise UnreadChange(f"there is no {subject.title}")
    if list(words) == ["delete"]:
        return delete(subject)
    steps: list[Step] = []
    of_pod: list[str] = []
    for word in words:
        name, _, value = word.partition("=")
        of_map = next((prefix for prefix in _MAPS if word.startswith(prefix)), "")
        if name == "replicas" and value.isdigit() and hasattr(getattr(item, "spec", None), "replicas"):
            steps += put(subject, ("spec", "replicas"), int(value)).operations[0].steps
        elif of_map:
            key = name.removeprefix(of_map)
            path = ("metadata", of_map[:-1])
            steps.append(Step((*path, key[:-1]), remove=True) if "=" not in word else Step((*path, key), value))
        else:
            of_pod.append(word)
    if of_pod:
        steps += _of_pods(of_pod, subject, cluster)
    return edit(subject, *steps)


def _of_pods(words: list[str], subject: Ref, cluster: Cluster) -> list[Step]:
    item = cluster.get_ref(subject)
    template = template_of(item) if item is not None else None
    if isinstance(item, Pod):
        pod, path = item, "spec"
    elif item is not None and template is not None:
        pod, path = Pod(metadata=template.metadata, spec=template.spec), template_path(item)
    else:
        raise UnreadChange(f"{words[0]!r} is no change of {subject.title}; write a command of kubectl")
    images = [word for word in words if word.partition("=")[0].endswith("image")]
    try:
        changed = changed_pod(pod, [word for word in words if word not in images])
    except PodChangeError as error:
        raise UnreadChange(str(error)) from None
    containers = list(changed.spec.containers)
    if images and not containers:
        raise UnreadChange("the pod has no containers")
    for word in images:
        name, _, image = word.partition("=")
        wanted = name.removesuffix("image").rstrip(".")
        places = [index for index, one in enumerate(containers) if wanted in ("", one.name)]
        if len(places) != 1:
            raise UnreadChange(
                f"which container? {', '.join(one.name for one in containers)}; for example {containers[0].name}.image={image}"
            )
        containers[places[0]] = replace(containers[places[0]], image=image)
    spec = replace(changed.spec, containers=tuple(containers))
    return [Step(tuple(path.split(".")), as_manifest(spec))]
