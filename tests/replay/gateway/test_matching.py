"""Which rule takes a request: by host, by exact path, by whole elements of the longest path."""

from __future__ import annotations

import pytest

from kubedoctor.replay.gateway.matching import covers, covers_below, rank


@pytest.mark.parametrize(
    ("name", "host", "one", "several"),
    [
        ("a.x", "A.x", True, True),
        ("*.x", "a.x", True, True),
        ("*.x", "*.x", True, True),
        ("*.x", "b.a.x", False, True),
        ("*.x", "x", False, False),
        ("a.x", "b.x", False, False),
    ],
)
def test_a_wildcard_stands_for_one_label_or_for_several(name: str, host: str, one: bool, several: bool) -> None:
    assert (covers(name, host), covers_below(name, host)) == (one, several)


@pytest.mark.parametrize(
    ("path", "path_type", "asked", "fits"),
    [
        ("/api", "Prefix", "/api", True),
        ("/api", "Prefix", "/api/", True),
        ("/api/", "PathPrefix", "/api", True),
        ("/api", "Prefix", "/api/v1?x=/y", True),
        ("/api", "Prefix", "/apixyz", False),
        ("/", "Prefix", "", True),
        ("", "ImplementationSpecific", "/a", True),
        ("/api", "ImplementationSpecific", "/apixyz", True),
        ("/api", "Exact", "/api", True),
        ("/api", "Exact", "/api/v1", False),
        ("/a.*", "RegularExpression", "/a.*", False),
    ],
)
def test_a_path_matches_by_its_type(path: str, path_type: str, asked: str, fits: bool) -> None:
    assert (rank("", path, path_type, asked) is not None) is fits


def test_the_closest_rule_is_the_greatest() -> None:
    rules = [
        ("", "/", "Exact"),
        ("*.x", "/", "Prefix"),
        ("*.a.x", "/", "Prefix"),
        ("b.a.x", "/", "Prefix"),
        ("b.a.x", "/", "Exact"),
    ]
    ranks = [found for rule in rules if (found := rank(*rule, "/")) is not None]
    assert len(ranks) == len(rules)
    assert ranks == sorted(ranks)
    longer, shorter = rank("a.x", "/api", "Prefix", "/api/v1"), rank("a.x", "/", "Prefix", "/api/v1")
    assert longer is not None
    assert shorter is not None
    assert longer > shorter
