"""What a session follows, and what it only lists again."""

from __future__ import annotations

import time

from kubedoctor.cluster import Lease
from kubedoctor.engine import load_catalogue
from kubedoctor.tui.session import Session
from tests.collect.live.test_extensions import GROUP, WIDGETS
from tests.collect.served import OBJECTS, live, make

LEASE = make("Lease", "n1", "kube-node-lease", "coordination.k8s.io/v1", spec={"holderIdentity": "n1"})


def test_leases_are_not_followed_and_each_examination_reads_them() -> None:
    with live(objects=[*OBJECTS, LEASE, *WIDGETS]) as (source, sandbox):
        session = Session(source, load_catalogue())
        session.load_for_diagnosis("")
        session.watch("", lambda _: None)
        try:
            ends = time.monotonic() + 10
            while not session._watch or any(status.state == "listing" for status in session._watch.status()):
                assert time.monotonic() < ends
                time.sleep(0.01)
            sandbox.put({**LEASE, "spec": {"holderIdentity": "n1-again"}})
            before = len(sandbox.requests)
            session.load_for_diagnosis("")
            asked = list(sandbox.requests)
            assert [each.path.rpartition("/")[2] for each in asked[before:] if "watch" not in each.query] == ["leases"]
            assert not [each for each in asked if each.path.endswith("/leases") and "watch" in each.query]
            (lease,) = session.snapshot.of_kind("Lease")
            assert isinstance(lease, Lease)
            assert lease.spec.holder_identity == "n1-again"
            pods = [each for each in asked if each.path.endswith("/pods")]
            assert sum("watch" not in each.query for each in pods) == 1, "the watch starts from the list"
            assert not [each for each in asked[before:] if GROUP in each.path], "not each time"
        finally:
            session.close()
