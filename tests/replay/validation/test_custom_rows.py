"""Custom kinds: what the API server says of each row, and what we say."""

from __future__ import annotations

import pytest

from kubedoctor.replay.cel import is_installed
from kubedoctor.replay.validation.objects import violations
from kubedoctor.replay.validation.schemas import Schemas
from tests.replay.validation.custom_rows import ROWS, Row


@pytest.mark.skipif(not is_installed(), reason="cel-expr-python is not installed")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.spec}-{row.refused}"[:60])
def test_a_custom_kind_is_judged_as_the_api_server_does(row: Row) -> None:
    document = {"apiVersion": "example.com/v1", "kind": "Gizmo", "metadata": {"name": "a"}, "spec": row.spec}
    schema = {"type": "object", "properties": {"spec": row.schema}}
    notes: list[str] = []
    found = violations(document, schema, Schemas({}), custom=True, note=notes.append)
    assert bool(found) == bool(row.refused), (found, notes)
    if row.refused:
        assert any(row.refused in violation.text for violation in found), [violation.text for violation in found]
