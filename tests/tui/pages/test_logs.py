"""Why a container has no log."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kubedoctor.cluster import LogTail, Pod, Ref, Snapshot
from kubedoctor.cluster.seen.decoding import convert_object
from kubedoctor.cluster.seen.snapshot import Source
from kubedoctor.tui.pages.logs import log_texts, wanted_logs


@pytest.mark.parametrize(
    ("status", "previous", "why"),
    [
        (
            {"state": {"waiting": {"reason": "ImagePullBackOff"}}},
            False,
            "the container has not started: ImagePullBackOff",
        ),
        ({"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "restartCount": 3}, False, "the log is empty"),
        ({"state": {"running": {}}}, False, "the log is empty"),
        ({"state": {"waiting": {"reason": "ImagePullBackOff"}}}, True, "no previous run"),
    ],
)
def test_an_empty_log_says_whether_the_container_ever_ran(status: dict[str, Any], previous: bool, why: str) -> None:
    manifest = {
        "metadata": {"name": "web-1", "namespace": "shop"},
        "spec": {"containers": [{"name": "app"}]},
        "status": {"containerStatuses": [{"name": "app", **status}]},
    }
    (pod,) = convert_object("Pod", manifest).objects
    assert isinstance(pod, Pod)
    snapshot = Snapshot(datetime(2026, 11, 23, tzinfo=UTC), Source("bundle", "test"), complete=True)
    for want in wanted_logs(pod, previous=previous):
        tail = LogTail(Ref("Pod", "shop", "web-1"), want.container, previous, ())
        snapshot.add_log(want, None if previous else tail)
    assert [text.why for text in log_texts(pod, snapshot, previous=previous)] == [why]
