"""What etcd and the API server say where nothing can be stored."""

from __future__ import annotations

import pytest

from kubedoctor.replay.status.store import StoreTrouble, store_trouble


@pytest.mark.parametrize(
    ("line", "trouble"),
    [
        ("E0115 09:58:00 1 status.go:71] etcdserver: mvcc: database space exceeded", StoreTrouble.NO_SPACE),
        ('{"level":"warn","msg":"alarm raised","alarm":"NOSPACE","from":"8e9e05c52164694d"}', StoreTrouble.NO_SPACE),
        ("memberID:10501334649042878790 alarm:NOSPACE", StoreTrouble.NO_SPACE),
        ("rpc error: code = DataLoss desc = etcdserver: corrupt cluster", StoreTrouble.CORRUPT),
        ("etcdserver: no leader", StoreTrouble.NO_LEADER),
        ('{"level":"info","msg":"raft.node: 8e9e lost leader ca50 at term 4"}', StoreTrouble.NO_LEADER),
        ("wal: write /var/lib/etcd/member/wal/0.tmp: no space left on device", StoreTrouble.DISK),
    ],
)
def test_trouble_of_the_store(line: str, trouble: StoreTrouble) -> None:
    assert store_trouble(line) is trouble


@pytest.mark.parametrize(
    "line",
    [
        "alarm NOSPACE disarmed",
        '{"level":"info","msg":"elected leader"}',
        "raft.node: 8e9e elected leader ca50 at term 5",
        "no space left on device",
        "",
    ],
)
def test_what_tells_nothing_of_it(line: str) -> None:
    assert store_trouble(line) is None
