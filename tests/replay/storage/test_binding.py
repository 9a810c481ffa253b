"""The volume controller's choice, by upstream's own."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import msgspec

from kubedoctor.cluster.kinds.storage import PersistentVolume, PersistentVolumeClaim
from kubedoctor.replay.storage.binding import possible_volumes


def test_the_controller_may_choose_what_upstream_may_choose(shared: Path) -> None:
    asked = chosen = several = 0
    with gzip.open(shared / "conformance" / "fuzz" / "storage.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if "controller" not in row["answer"]:
                continue
            claim = msgspec.convert(row["request"]["claim"], PersistentVolumeClaim, strict=False)
            volumes = [msgspec.convert(one, PersistentVolume, strict=False) for one in row["request"]["volumes"]]
            found = possible_volumes(claim, volumes, delayed=row["request"]["delayBinding"])
            assert [one.name for one in found] == sorted(filter(None, row["answer"]["controller"])), row["id"]
            asked += 1
            chosen += bool(found)
            several += len(found) > 1
    assert asked > 500
    assert chosen > 100
    assert several >= 5
