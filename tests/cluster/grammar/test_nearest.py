"""Did you mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubedoctor.cluster.grammar.nearest import (
    PLAUSIBLE,
    LabelDifference,
    likeness,
    misspelled,
    misspellings,
    nearest_labels,
    nearest_word,
    words_meant,
)


def test_a_misspelt_value_is_found_among_the_candidates() -> None:
    candidates = [{"app": "payments"}, {"app": "checkout", "pod-template-hash": "5d8"}, {"app": "cart"}]
    found = nearest_labels({"app": "chekcout"}, candidates)
    assert found is not None
    assert found.labels == candidates[1]
    assert found.differences == (LabelDifference("app", "chekcout", "checkout", "app"),)
    assert found.text == "app=checkout"


def test_the_candidate_that_shares_most_keys_wins() -> None:
    candidates = [{"app": "web2", "tier": "fronted"}, {"app": "web", "tier": "fronten"}]
    found = nearest_labels({"app": "web", "tier": "frontend"}, candidates)
    assert found is not None
    assert found.labels == candidates[1]
    assert found.text == "tier=fronten"


def test_the_same_value_under_another_key_is_plausible() -> None:
    found = nearest_labels({"app": "shop"}, [{"app.kubernetes.io/name": "shop", "tier": "web"}])
    assert found is not None
    assert found.differences == (LabelDifference("app", "shop", "shop", "app.kubernetes.io/name"),)
    assert found.text == "app.kubernetes.io/name=shop"


def test_a_misspelt_key_is_found() -> None:
    found = nearest_labels({"component": "api"}, [{"componnent": "api"}])
    assert found is not None
    assert found.text == "componnent=api"


def test_other_applications_labels_are_no_misspellings() -> None:
    assert nearest_labels({"app": "checkout"}, [{"app": "postgres"}, {"app": "redis"}, {}]) is None
    assert nearest_labels({"enabled": "true"}, [{"istio-injection": "true"}]) is None
    assert nearest_labels({"app": "web", "tier": "front"}, [{"app": "wep", "tier": "database"}]) is None


def test_a_label_that_is_wanted_itself_stands_for_no_other() -> None:
    assert nearest_labels({"app": "shop", "apps": "shop"}, [{"app": "shop"}]) is None


def test_labels_that_match_are_no_miss() -> None:
    assert nearest_labels({"app": "web"}, [{"app": "web", "x": "y"}]) is None


def test_nearest_words_come_in_order_of_likeness() -> None:
    assert nearest_word("databse-secret", ["database-secret", "database-secrets", "tls", "databse-secret"]) == (
        "database-secret",
        "database-secrets",
    )
    assert nearest_word("Web", ["web"]) == ("web",)
    assert nearest_word("web", ["postgres"]) == ()
    assert nearest_word("aaaa", ["aaab", "aaac", "aaad", "aaae"], n=2) == ("aaab", "aaac")


@given(st.text(max_size=12), st.text(max_size=12))
def test_likeness_is_symmetric_and_bounded(one: str, other: str) -> None:
    assert 0 <= likeness(one, other) == likeness(other, one) <= 1


@given(st.text(max_size=8), st.lists(st.text(max_size=8), max_size=6))
def test_words_offered_are_among_those_given_and_plausible(word: str, words: list[str]) -> None:
    found = nearest_word(word, words)
    assert word not in found
    assert set(found) <= set(words)
    assert all(likeness(word, each) >= PLAUSIBLE for each in found)


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("chekout", "checkout"),
        ("payment", "payments"),
        ("sdd", "ssd"),
        ("DB_HSOT", "DB_HOST"),
        ("web_config", "web-config"),
        ("Web", "web"),
        ("registry.shop.intern:5000", "registry.shop.internal:5000"),
    ],
)
def test_typing_errors_are_misspellings(word: str, other: str) -> None:
    assert misspelled(word, other)
    assert misspelled(other, word)
    assert misspellings(word, [other, "postgres", word]) == (other,)


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("SMTP_HOST", "DB_HOST"),
        ("web-v2", "web-v1"),
        ("nginx-internal", "nginx-external"),
        ("allow-egress", "allow-ingress"),
        ("web-v2", "web"),
        ("db-1", "db-0"),
        ("us-east-1a", "us-east-1b"),
        ("eu-west", "us-west"),
        ("zone-a", "zone-b"),
        ("blue", "green"),
        ("primary", "replica"),
        ("web", "web"),
        ("", "a"),
    ],
)
def test_other_numbers_and_other_words_are_none(word: str, other: str) -> None:
    assert not misspelled(word, other)
    assert not misspelled(other, word)
    assert nearest_labels({"app": word}, [{"app": other}]) is None


@given(st.text("abc-1", max_size=8), st.text("abc-1", max_size=8))
def test_misspelling_is_mutual(one: str, other: str) -> None:
    assert misspelled(one, other) == misspelled(other, one)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("deploymnt", ("deployment",)),
        ("dpeloy", ("deploy",)),
        ("stat", ("statefulset",)),
        ("nonsense", ()),
        ("no", ()),
        ("xyz", ()),
    ],
)
def test_a_word_of_a_vocabulary_is_meant_if_it_is_misspelt_or_begun(typed: str, meant: tuple[str, ...]) -> None:
    assert words_meant(typed, ["deployment", "deploy", "nodes", "statefulset", "sa", "events"], 1) == meant


def test_a_limit_of_errors_keeps_names_that_are_merely_alike_apart() -> None:
    known = ("proxy-redirect-to", "proxy-buffer-size")
    assert misspellings("proxy-redirect", known) == ("proxy-redirect-to",)
    assert misspellings("proxy-redirect", known, errors=2) == ()
    assert misspellings("proxy-bufer-sizes", known, errors=2) == ("proxy-buffer-size",)
