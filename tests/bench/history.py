"""`python -m tests.bench.history [CHANGES]`: what the history of a watch costs: a change that is kept, its bytes, and the
way back through all of them. Pods turn unready and ready again, and restart, as in a crash loop."""

from __future__ import annotations

import copy
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from kubedoctor.cluster import Snapshot, Source
from kubedoctor.cluster.history.ring import MOST_BYTES, Ring
from kubedoctor.cluster.history.travelling import rewound, stops
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.seen.decoding import decode_object
from kubedoctor.cluster.seen.sharing import keep_parts
from kubedoctor.sandbox import load_recording, recording_path

RATE: Final = 200
"""Changes a second of the goal: at most 2 % of a core."""
BEGAN: Final = datetime(2026, 11, 28, 10, 0, tzinfo=UTC)


def versions(data: dict[str, Any], count: int) -> list[KubernetesObject]:
    """A pod in so many versions, each of which keeps what is equal in the one before, as in a watch."""
    made: list[KubernetesObject] = []
    for number in range(count):
        changed = copy.deepcopy(data)
        changed["metadata"]["resourceVersion"] = str(number)
        for status in changed["status"].get("containerStatuses") or ():
            status |= {"restartCount": number, "ready": bool(number % 2)}
        for condition in changed["status"].get("conditions") or ():
            if condition["type"] in ("Ready", "ContainersReady"):
                condition |= {"status": ("True", "False")[number % 2]}
        (pod,) = decode_object("Pod", msgspec.json.encode(changed)).objects
        if made:
            keep_parts(made[-1], pod)
        made.append(pod)
    return made


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    pods = [obj for obj in load_recording(recording_path("oom-killed")).objects if obj["kind"] == "Pod"]
    known = [versions(pod, 40) for pod in pods]
    ring, snapshot, at = Ring(), Snapshot(BEGAN, Source("live", "bench")), BEGAN
    snapshot.history = ring
    ring.begin(at)
    took, made = 0.0, 0
    while made < count:
        for number in range(1, 40):
            began = time.process_time()
            for each in known:
                ring.note(at, each[number - 1], each[number])
            took += time.process_time() - began
            made += len(known)
            at += timedelta(seconds=len(known) / RATE)
        snapshot.add(each[-1] for each in known)
    print(
        f"{made:,} changes: {took / made * 1e6:.1f} µs each, {took / made * RATE:.2%} of a core at {RATE} a second (goal 2%)"
    )
    print(
        f"{ring.size / len(ring):.0f} bytes each; {MOST_BYTES >> 20} MiB hold {MOST_BYTES * len(ring) // ring.size:,}"
    )
    began = time.process_time()
    stopped = stops(ring)
    middle = time.process_time()
    rewound(snapshot, ring, ring.since or BEGAN)
    print(
        f"{len(stopped):,} stops in {middle - began:.3f}s, the way back through all in {time.process_time() - middle:.2f}s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
