"""A file by which a program knows that it runs already, left by the run before."""

from __future__ import annotations

from diagnostics.pods.crashes._mounted import mount_of
from diagnostics.pods.crashes._story import Story
from kubedoctor.cluster import Cluster, Pod
from kubedoctor.findings import Ref, fix_by_hand, quote_spec

_ENDS = (".pid", ".lock", "-lock", "/pid")


def is_left_over(path: str) -> bool:
    """Whether a file says that a program runs."""
    return path.endswith(_ENDS)


def left_over_file(pod: Pod, container: str, path: str, about: Ref, cluster: Cluster) -> Story:
    """The file is there although the program that wrote it has ended: it is on a volume."""
    text = f"{path} says that it runs already: the run before left it behind"
    containers = (*(pod.spec.init_containers or ()), *pod.spec.containers)
    mine = next((one for one in containers if one.name == container), None)
    mount = mount_of(mine, path) if mine is not None and path.startswith("/") else None
    remove = f"Remove {path} before the program starts"
    if mount is None:
        return Story(text, fixes=(fix_by_hand(about, remove),))
    evidence = quote_spec(
        pod, cluster, about, container, f"volumeMounts[mountPath={mount}].name", "the volume that keeps the file"
    )
    fix = fix_by_hand(about, f"{remove}, or do not mount a volume at {mount}")
    return Story(f"{text} on the volume at {mount}", evidence=tuple(evidence), fixes=(fix,))
