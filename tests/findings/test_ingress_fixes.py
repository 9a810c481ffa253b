"""What is proposed for ingress controllers, in words and commands: scenarios do not compare these."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubedoctor.engine import load_catalogue
from kubedoctor.findings import Fix
from kubedoctor.testing import load_scenario

SCENARIOS = Path(__file__).parents[1] / "scenarios/ingress"


def fixes_of(name: str) -> tuple[Fix, ...]:
    """The fixes of the only finding of a scenario."""
    (finding,) = load_scenario(SCENARIOS / name).run(load_catalogue()).findings
    return finding.fixes


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "annotation_refused/snippet_since_1_12.yaml",
            "Remove the annotation; if configuration-snippet only sets response headers, use custom-headers",
        ),
        (
            "annotation_refused/alias_of_a_host.yaml",
            "Remove the annotation; for server-alias, add a rule for each of its hosts",
        ),
        (
            "targets_not_registered/two_tagged_groups.yaml",
            "Leave the tag kubernetes.io/cluster/prod on one of sg-1, sg-2, and remove it from the others",
        ),
        (
            "targets_not_registered/newer_wording.yaml",
            "Leave the tag kubernetes.io/cluster/prod on one of sg-1, sg-2, and remove it from the others",
        ),
        (
            "targets_not_registered/tags_of_a_flag.yaml",
            "Give one security group of interface eni-1 the tag kubernetes.io/cluster/prod and the tags role:nodes team:web",
        ),
    ],
)
def test_the_first_fix_is_for_what_is_refused(name: str, words: str) -> None:
    assert fixes_of(name)[0].summary == words


def test_a_snippet_needs_both_settings() -> None:
    fix = fixes_of("annotation_refused/snippets_not_allowed.yaml")[1]

    assert '"annotations-risk-level": "Critical"' in fix.command
    assert '"allow-snippet-annotations": "true"' in fix.command


@pytest.mark.parametrize("name", ["snippet_since_1_12", "alias_of_a_host"])
def test_snippets_that_are_allowed_and_an_alias_need_the_level_only(name: str) -> None:
    assert "allow-snippet-annotations" not in fixes_of(f"annotation_refused/{name}.yaml")[1].command
