"""How full the volume of a claim is."""

from __future__ import annotations

import pytest

from kubedoctor.cluster.kinds.meta import ManagedMeta
from kubedoctor.cluster.kinds.storage import PersistentVolumeClaim
from kubedoctor.cluster.seen.wants import LogTail, volumes_want
from kubedoctor.replay.storage.usage import use_of

CLAIM = PersistentVolumeClaim(metadata=ManagedMeta(name="data", namespace="shop"))


@pytest.mark.parametrize(
    ("line", "space", "inodes"),
    [
        ("shop/data capacityBytes=200 availableBytes=50 inodes=10 inodesFree=1", 0.25, 0.1),
        ("shop/data capacityBytes=200 availableBytes=0 inodes=0 inodesFree=0", 0.0, None),
        ("shop/data availableBytes=50", None, None),
        ("shop/data", None, None),
        ("shop/data capacityBytes=many availableBytes=-1", None, None),
    ],
)
def test_what_is_left(line: str, space: float | None, inodes: float | None) -> None:
    want = volumes_want("n1")
    use = use_of(CLAIM, LogTail(want.about, want.container, False, ("shop/aa capacityBytes=1", line)))
    assert use is not None
    assert (use.line, use.space_left, use.inodes_left) == (1, space, inodes)


def test_a_claim_that_was_not_measured() -> None:
    want = volumes_want("n1")
    assert want.about.title == "Node n1"
    assert use_of(CLAIM, LogTail(want.about, want.container, False, ("shop/data-1 capacityBytes=1",))) is None
