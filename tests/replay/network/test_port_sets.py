"""Sets of ports, against sets of pairs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubedoctor.replay.network.port_sets import EVERY_PORT, NO_PORT, PortSet, port_range, union

RANGES = st.lists(
    st.tuples(st.sampled_from(["TCP", "UDP", "SCTP", "ICMP"]), st.integers(0, 12), st.integers(0, 12)), max_size=4
)
PLACES = [(protocol, port) for protocol in ("TCP", "UDP", "SCTP", "ICMP") for port in range(14)]


def as_pairs(ports: PortSet) -> set[tuple[str, int]]:
    return {place for place in PLACES if ports.holds(*place)}


@given(RANGES, RANGES)
def test_algebra(first: list[tuple[str, int, int]], second: list[tuple[str, int, int]]) -> None:
    one, other = (union(port_range(*row) for row in rows) for rows in (first, second))
    assert as_pairs(one | other) == as_pairs(one) | as_pairs(other)
    assert as_pairs(one & other) == as_pairs(one) & as_pairs(other)
    assert as_pairs(one - other) == as_pairs(one) - as_pairs(other)
    assert as_pairs(one) == {(name, port) for name, low, high in first for port in range(low, high + 1)}
    assert union([one, ~one]) is EVERY_PORT
    assert (one & ~one).spans == ()


@pytest.mark.parametrize(
    ("ports", "text"),
    [
        (EVERY_PORT, "All Connections"),
        (NO_PORT, "No Connections"),
        (port_range("TCP", 80, 80), "TCP 80"),
        (port_range("TCP", 0, 65535), "TCP 1-65535"),
        (union([port_range("TCP", 81, 90), port_range("TCP", 1, 79), port_range("SCTP", 7, 7)]), "SCTP 7,TCP 1-79,81-90"),
        (~port_range("UDP", 53, 53), "SCTP 1-65535,TCP 1-65535,UDP 1-52,54-65535"),
        (port_range("TCP", 9, 1), "No Connections"),
        (port_range("TCP", 65000, 70000), "TCP 65000-65535"),
    ],
)  # fmt: skip
def test_text(ports: PortSet, text: str) -> None:
    assert ports.text == text
