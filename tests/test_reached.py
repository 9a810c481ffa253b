"""The gate on what scenarios reach knows where findings are made."""

from __future__ import annotations

from tests.reached import findings_of

SOURCE = """\
def check(pod, cluster):
    if pod.is_sick:
        yield Finding(about=pod)
    yield from others(pod)
    return

def finding(pod):
    told = Finding(
        about=pod,
    )
    return told
"""


def test_the_lines_that_make_or_hand_on_findings() -> None:
    assert sorted(set(findings_of(SOURCE))) == [3, 4, 8]
