"""What kube-proxy's log tells of the rules that it writes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kubedoctor.replay.services.proxy_log import rules_not_written

WHEN = datetime(2026, 1, 15, 10, tzinfo=UTC)


def begin(family: str = "IPv4") -> str:
    return f'I0115 09:58:44.100000 1 proxier.go:828] "Syncing iptables rules" ipFamily="{family}"'


def end(family: str = "IPv4") -> str:
    return f'I0115 09:58:44.400000 1 proxier.go:822] "SyncProxyRules complete" ipFamily="{family}" elapsed="38ms"'


ERROR = (
    'E0115 09:58:44.200000 1 proxier.go:1432] "Failed to execute iptables-restore" err=<',
    '\texit status 2: iptables-restore v1.8.7 (nf_tables): unknown option "--xor-mark"',
    ' > ipFamily="IPv4"',
)
BROKEN_OFF = 'I0115 09:58:44.300000 1 proxier.go:810] "Sync failed" ipFamily="IPv4" retryingTime="30s"'
FAILED = (begin(), *ERROR, BROKEN_OFF, end())
SYNCED = (begin(), end())
AT = len(FAILED) + 1
NEWEST = (AT, AT + 1, AT + 2)


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        ((), NEWEST),
        (SYNCED, ()),
        ((begin(),), NEWEST),
        ((begin(), BROKEN_OFF, end()), NEWEST),
        ((begin("IPv6"), end("IPv6")), NEWEST),
        ((begin("IPv6"), begin(), end("IPv6"), end()), ()),
    ],
)
def test_the_end_of_a_sync_is_a_success_only_without_a_failure_since_its_begin(
    later: tuple[str, ...], expected: tuple[int, ...]
) -> None:
    assert rules_not_written((*FAILED, *FAILED, *later), WHEN) == expected
