"""What an ingress controller's log says of kinds that it may not read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kubedoctor.replay.ingress.controller_log import unread_kind

NOW = datetime(2026, 1, 15, 10, tzinfo=UTC)


def refused(kind: str, clock: str) -> str:
    return f'E0115 {clock}.7 1 reflector.go:150] Failed to watch *v1.{kind}: failed to list *v1.{kind}: things is forbidden: User "u"'


@pytest.mark.parametrize("kind", ["EndpointSlice", "Service", "Ingress", "IngressClass", "Secret", "Endpoints"])
def test_a_kind_that_is_refused_until_now(kind: str) -> None:
    found = unread_kind([refused(kind, "09:58:00"), "I0115 other", refused(kind, "09:59:00")], NOW)
    assert found is not None
    assert (found.kind, found.index, found.count) == (kind, 2, 2)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [refused("Service", "09:59:00")],
        [refused("Service", "08:58:00"), refused("Service", "08:59:00")],
        [refused("Node", "09:58:00"), refused("Node", "09:59:00")],
        [refused("Service", "09:58:00"), refused("Secret", "09:59:00")],
    ],
)
def test_what_is_over_or_of_no_weight(lines: list[str]) -> None:
    assert unread_kind(lines, NOW) is None
