"""Which Service a host name or an address in a log line means."""

from __future__ import annotations

import pytest

from kubedoctor.replay.services.hosts import ServiceName, service_named, split_address


@pytest.mark.parametrize(
    ("host", "service"),
    [
        ("payments", ServiceName("payments", "shop")),
        ("payments.ops.svc.cluster.local", ServiceName("payments", "ops")),
        ("db-0.db.shop.svc", ServiceName("db", "shop")),
        ("payments.ops", ServiceName("payments", "ops")),
        ("example.com", None),
        ("10.0.0.1", None),
        ("localhost", None),
    ],
)
def test_which_service_a_name_means(host: str, service: ServiceName | None) -> None:
    assert service_named(host, "shop", ["shop", "ops"]) == service


def test_addresses() -> None:
    assert split_address("[::1]:80") == ("::1", 80)
    assert split_address("db") == ("db", 0)
