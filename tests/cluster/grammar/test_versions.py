"""Versions by upstream's tables."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubedoctor.cluster.grammar.versions import Version, VersionError

# apimachinery/pkg/util/version/version_test.go, TestSemanticVersions: in order; the second says "equals the one before".
SEMANTIC = [
    ("0.1.0", False),
    ("1.0.0-0.3.7", False),
    ("1.0.0-alpha", False),
    ("1.0.0-alpha+001", True),
    ("1.0.0-alpha.1", False),
    ("1.0.0-alpha.beta", False),
    ("1.0.0-beta", False),
    ("1.0.0-beta+exp.sha.5114f85", True),
    ("1.0.0-beta.2", False),
    ("1.0.0-beta.11", False),
    ("1.0.0-rc.1", False),
    ("1.0.0-x.7.z.92", False),
    ("1.0.0", False),
    ("1.0.0+20130313144700", True),
    ("1.8.0-alpha.3", False),
    ("1.8.0-alpha.3.673+73326ef01d2d7c", False),
    ("1.9.0", False),
    ("1.10.0", False),
    ("1.11.0", False),
    ("2.0.0", False),
    ("2.1.0", False),
    ("2.1.1", False),
    ("42.0.0", False),
    ("   42.0.0", True),
    ("\t42.0.0  ", True),
    ("43.0.0-1", False),
    ("43.0.0-1  ", True),
    ("v43.0.0-1", True),
    ("  v43.0.0", False),
    (" 43.0.0 ", True),
]


def test_semantic_versions_are_in_upstream_s_order() -> None:
    for (before, _), (text, equal) in pairwise(SEMANTIC):
        earlier, later = Version.parse(before), Version.parse(text)
        assert earlier.semantic
        assert later.semantic
        assert (earlier == later) is equal
        assert (earlier < later) is not equal
        assert (later > earlier) is not equal
        assert earlier <= later
        assert later >= earlier
        assert not equal or hash(earlier) == hash(later)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        ".2.3",
        "1..3",
        "-1.2.3",
        "a1.2.3",
        "a.b.c",
        "1 .2.3",
        "01.2.3",
        "v 1.2.3",
        "vv1.2.3",
        "1.99999999999999999999",
        "1.2\n",
    ],
)
def test_texts_that_are_no_version(text: str) -> None:
    with pytest.raises(VersionError, match=r"\.$"):
        Version.parse(text)


@pytest.mark.parametrize(
    "text", ["1.2", "1.2.3.4", "1.2.", "1.02.3", "1.2.3a", "1.2.3-", "1.2.3-foo.", "1.2.3-01", "1.2.3+", "1.29+"]
)
def test_versions_that_are_not_semantic_have_numbers(text: str) -> None:
    version = Version.parse(text)
    assert not version.semantic
    assert (version.major, version.minor) in {(1, 2), (1, 29)}


def test_parts_of_a_version() -> None:
    version = Version.parse("v1.37.2-gke.1+abc")
    assert (version.major, version.minor, version.patch, version.suffix) == (1, 37, 2, "-gke.1+abc")
    assert (version.pre_release, version.build) == ("gke.1", "abc")
    assert str(version) == "1.37.2-gke.1+abc"
    assert Version.parse("1.29+").suffix == "+"
    assert Version.parse("1.29+").patch == 0


def test_missing_numbers_are_zero_and_suffixes_of_others_do_not_count() -> None:
    assert Version.parse("1.4") == Version.parse("1.4.0") == Version.parse("1.4+") != 1.4
    assert Version.parse("1.4") < Version.parse("1.4.1-alpha")


@given(st.lists(st.builds("{}.{}.{}".format, *3 * [st.integers(0, 40)]), min_size=2))
def test_releases_sort_as_their_numbers(texts: list[str]) -> None:
    versions = sorted(map(Version.parse, texts))
    assert [each.components for each in versions] == sorted(tuple(map(int, text.split("."))) for text in texts)
    assert [Version.parse(str(each)) for each in versions] == versions
