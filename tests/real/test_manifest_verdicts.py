"""The API server's verdict (`--dry-run=server`) and ours, on generated manifests."""

from __future__ import annotations

import pytest

from kubedoctor.replay.validation.schemas import Schemas
from tests.real.cluster.layout import KUBERNETES_VERSION
from tests.real.verdicts.comparing import verdicts
from tests.real.verdicts.server import BUILT, ApiServer

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not BUILT, reason="etcd and kube-apiserver are not built: make real-cluster"),
]
NUMBER, SEED = 2000, 3
LEAST = 0.995
ALLOCATED = "provided port is not in the valid range"
"""A dry run asks no allocator for the port of a node; a creation does, and is refused."""


def test_verdicts_agree() -> None:
    with ApiServer() as server:
        _, served = server.request("GET", "/openapi/v2")
        minor = ".".join(KUBERNETES_VERSION.removeprefix("v").split(".")[:2])
        found = list(verdicts(server, Schemas(served["definitions"], minor), NUMBER, SEED))
    assert sum(bool(verdict.server) for verdict in found) > NUMBER / 5, (
        "half of them are changed, most of these for the worse"
    )
    differ = [
        verdict for verdict in found if not verdict.agrees and not any(ALLOCATED in text for text in verdict.ours)
    ]
    shown = [f"{verdict.document['kind']}: {verdict.server or 'taken'} | {verdict.ours}" for verdict in differ]
    assert 1 - len(differ) / len(found) >= LEAST, "\n".join(shown)
    assert not [verdict for verdict in differ if verdict.ours], "false alarms:\n" + "\n".join(shown)
