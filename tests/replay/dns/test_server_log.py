"""What logs of CoreDNS and NodeLocal DNSCache say, in the wordings of their versions."""

from __future__ import annotations

import pytest

from kubedoctor.replay.dns.server_log import ServerTrouble, server_fault

UDP = "read udp 10.244.0.5:38915->192.0.2.2:53"
STATED: tuple[tuple[str, ServerTrouble, str], ...] = (
    (f"[ERROR] plugin/errors: 2 shop.example. A: {UDP}: i/o timeout", ServerTrouble.UPSTREAM_SILENT, "192.0.2.2"),
    (
        f"[ERROR] plugin/errors: 2 shop.example. A: {UDP}: read: connection refused",
        ServerTrouble.UPSTREAM_REFUSED,
        "192.0.2.2",
    ),
    (
        "[ERROR] plugin/errors: 2 shop.example. AAAA: dial udp [2001:db8::53]:53: connect: network is unreachable",
        ServerTrouble.UPSTREAM_UNREACHABLE,
        "2001:db8::53",
    ),
    (
        "2026-01-15T10:00:00.000Z [ERROR] plugin/errors: 2 shop.example. A: dial tcp 192.0.2.2:53: i/o timeout",
        ServerTrouble.UPSTREAM_SILENT,
        "192.0.2.2",
    ),
    (
        "2019/01/15 10:00:00 [ERROR] 2 shop.example. A: unreachable backend: read udp 10.2.0.5:3->192.0.2.2:53: i/o timeout",
        ServerTrouble.UPSTREAM_SILENT,
        "192.0.2.2",
    ),
    ("[ERROR] plugin/errors: 2 shop.example. A: no healthy proxies", ServerTrouble.NO_UPSTREAM, ""),
    (
        "[ERROR] plugin/errors: 2 shop.example. A: concurrent queries exceeded maximum 1000",
        ServerTrouble.OVERLOADED,
        "",
    ),
    (
        "[ERROR] plugin/errors: 2 shop.example. A: tls: failed to verify certificate: x509: certificate has expired",
        ServerTrouble.UPSTREAM_TLS,
        "",
    ),
)


@pytest.mark.parametrize(("line", "trouble", "upstream"), STATED)
def test_a_line_about_the_name_is_enough(line: str, trouble: ServerTrouble, upstream: str) -> None:
    found = server_fault((".:53", line, "[INFO] Reloading complete"), "shop.example")
    assert found is not None
    assert (found.trouble, found.upstream, found.index, found.names_host) == (trouble, upstream, 1, True)


@pytest.mark.parametrize(("line", "trouble", "upstream"), STATED)
def test_single_lines_about_other_names_are_no_reason(line: str, trouble: ServerTrouble, upstream: str) -> None:
    assert server_fault((line, line), "db.example") is None
    often = server_fault((line, line, line), "db.example")
    assert often is not None
    assert (often.trouble, often.upstream, often.count) == (trouble, upstream, 3)


def test_names_with_the_search_domains_of_the_pod_count() -> None:
    line = f"[ERROR] plugin/errors: 2 shop.example.svc.cluster.local. A: {UDP}: i/o timeout"
    assert server_fault((line,), "shop.example") is not None
    assert server_fault((line,), "hop.example") is None


def test_errors_that_are_counted() -> None:
    line = r"[ERROR] plugin/errors: 41 errors like '^read udp .*->192\.0\.2\.2:53: i/o timeout$' occurred in last 5m0s"
    found = server_fault((line,))
    assert found is not None
    assert (found.trouble, found.count) == (ServerTrouble.UPSTREAM_SILENT, 41)


@pytest.mark.parametrize(
    ("lines", "trouble"),
    [
        (
            ('[FATAL] plugin/loop: Loop (127.0.0.1:55953 -> :1053) detected for zone ".", see https://coredns.io',),
            ServerTrouble.LOOP,
        ),
        (
            ('[FATAL] plugin/loop: Forwarding loop detected in "." zone. Exiting. See https://coredns.io',),
            ServerTrouble.LOOP,
        ),
        (
            ('[INFO] plugin/ready: Still waiting on: "kubernetes"',),
            ServerTrouble.API_UNREACHABLE,
        ),
        (
            ('[ERROR] plugin/kubernetes: Kubernetes API connection failure: Get "https://10.96.0.1:443/version": EOF',),
            ServerTrouble.API_UNREACHABLE,
        ),
        (
            ("E1 reflector.go:138] Failed to watch *v1.Service: failed to list *v1.Service: Unauthorized",),
            ServerTrouble.API_FORBIDDEN,
        ),
        (
            tuple(['[ERROR] plugin/file: Failed to transfer `corp.example.\' from "192.0.2.9:53": REFUSED'] * 3),
            ServerTrouble.ZONE_TRANSFER,
        ),
    ],
)
def test_lines_without_a_name(lines: tuple[str, ...], trouble: ServerTrouble) -> None:
    found = server_fault(lines)
    assert found is not None
    assert found.trouble is trouble


def test_a_start_that_went_well_says_nothing() -> None:
    lines = (
        "[INFO] plugin/kubernetes: waiting for Kubernetes API before starting server",
        '[INFO] plugin/ready: Still waiting on: "kubernetes"',
        ".:53",
        "[INFO] plugin/reload: Running configuration SHA512 = 5",
        "CoreDNS-1.12.1",
    )
    assert server_fault(lines) is None
    assert server_fault(()) is None
