"""Access decisions against upstream's authorizer, and the rule that is nearest to a refused request."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from kubedoctor.cluster import Cluster, Ref
from kubedoctor.cluster.seen.snapshot import UNKNOWN_TIME, Source
from kubedoctor.collect.recording import whole_state
from kubedoctor.replay.permissions.nearest import nearest_rule
from kubedoctor.replay.permissions.refusals import Refusal
from kubedoctor.testing.oracle import answer_line

ROWS = 1000
ROLE = Ref("Role", "shop", "web")


def test_generated_questions(shared: Path) -> None:
    with gzip.open(shared / "conformance/fuzz/rbac.jsonl.gz", "rb") as lines:
        rows = [(line, json.loads(line)) for line in lines]
    assert len(rows) == ROWS
    assert [row["id"] for line, row in rows if answer_line(line)["answer"] != row["answer"]] == []


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]}], ("verbs", 0)),
        ([{"apiGroups": ["extensions"], "resources": ["deployments"], "verbs": ["list"]}], ("apiGroups", 0)),
        (
            [{"apiGroups": ["apps"], "resources": ["deployments"], "resourceNames": ["a"], "verbs": ["list"]}],
            ("resourceNames", 0),
        ),
        ([{"apiGroups": ["apps"], "resources": ["deployments/scale"], "verbs": ["list"]}], ("resources", 0)),
        (
            [
                {"apiGroups": ["extensions"], "resources": ["deployments"], "verbs": ["list"]},
                {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]},
            ],
            ("verbs", 1),
        ),
        ([{"apiGroups": ["apps"], "resources": ["statefulsets"], "verbs": ["list"]}], None),
        ([{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["*"]}], None),
        ([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}], None),
        ([], None),
    ],
)
def test_the_nearest_rule(rules: list[object], expected: tuple[str, int] | None) -> None:
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "web", "namespace": "shop"},
        "rules": rules,
    }
    cluster = Cluster(whole_state(UNKNOWN_TIME, Source("files", "test"), [role]))
    request = Refusal("system:serviceaccount:shop:web", "list", "deployments", "apps", "shop")
    near = nearest_rule(request, [ROLE, Ref("Role", "shop", "gone")], cluster)
    assert ((near.part, near.index) if near else None) == expected
