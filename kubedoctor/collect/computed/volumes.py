"""How full the volumes of a node are: from the kubelet's own summary, `stats/summary`."""

from typing import Final

import msgspec

from kubedoctor.cluster.kinds.meta import Part

MEASURES: Final = ("capacityBytes", "availableBytes", "inodes", "inodesFree")


class _Claim(Part):
    name: str = ""
    namespace: str = ""


class _Volume(Part):
    pvc_ref: _Claim | None = None
    capacity_bytes: int | None = None
    available_bytes: int | None = None
    inodes: int | None = None
    inodes_free: int | None = None


class _Pod(Part):
    volume: tuple[_Volume, ...] | None = None


class _Summary(Part):
    pods: tuple[_Pod, ...] | None = None


def volume_lines(body: bytes) -> tuple[str, ...]:
    """`shop/data capacityBytes=… availableBytes=… inodes=… inodesFree=…` for each claim that the kubelet has measured; none
    where the text is no summary (`staging/src/k8s.io/kubelet/pkg/apis/stats/v1alpha1/types.go`, v1.37)."""
    try:
        summary = msgspec.json.decode(body, type=_Summary)
    except msgspec.MsgspecError:
        return ()
    lines = set()
    for pod in summary.pods or ():
        for volume in pod.volume or ():
            if volume.pvc_ref is None:
                continue
            numbers = (volume.capacity_bytes, volume.available_bytes, volume.inodes, volume.inodes_free)
            words = [f"{name}={number}" for name, number in zip(MEASURES, numbers, strict=True) if number is not None]
            lines.add(" ".join((f"{volume.pvc_ref.namespace}/{volume.pvc_ref.name}", *words)))
    return tuple(sorted(lines))
