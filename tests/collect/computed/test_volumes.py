"""The kubelet's summary, as lines of the claims."""

from __future__ import annotations

import json

from kubedoctor.collect.computed.volumes import volume_lines


def test_a_line_for_each_claim() -> None:
    full = {"name": "data", "pvcRef": {"name": "data", "namespace": "shop"}, "capacityBytes": 100, "availableBytes": 0}
    summary = {
        "node": {"nodeName": "n1", "fs": {"capacityBytes": 5}},
        "pods": [
            {"podRef": {"name": "a"}, "volume": [{**full, "inodes": 7, "inodesFree": 3}, {"name": "token"}]},
            {"podRef": {"name": "b"}, "volume": [{**full, "inodes": 7, "inodesFree": 3}]},
            {"podRef": {"name": "c"}},
        ],
    }
    assert volume_lines(json.dumps(summary).encode()) == (
        "shop/data capacityBytes=100 availableBytes=0 inodes=7 inodesFree=3",
    )


def test_text_that_is_no_summary() -> None:
    for body in (b"", b"<html>", b'{"pods": 3}', b'{"pods": null}', b'{"pods": [{"volume": [{"pvcRef": 1}]}]}'):
        assert volume_lines(body) == ()
