"""The tree of what belongs to an object, as a page of links."""

from __future__ import annotations

from kubedoctor.cluster import Ref
from kubedoctor.engine.health import Health
from kubedoctor.tui import look
from kubedoctor.tui.pages.ink import crop, ink, named, size
from kubedoctor.tui.pages.page import Line, Page
from kubedoctor.tui.tree.belongings import Branch

LEAST_NAME = 24


def tree_page(tree: Branch, subject: Ref) -> Page:
    """subject: the object that was asked about, which is marked."""
    page = Page()
    page.picture(lambda width: _lines(tree, subject, "", "", width))
    return page


def _lines(branch: Branch, subject: Ref, lead: str, walls: str, width: int) -> list[Line]:
    lines = [_line(branch, subject, lead, width)]
    for number, child in enumerate(branch.below, start=1):
        last = number == len(branch.below) and not branch.more
        corner = f"{walls}{look.LAST if last else look.BRANCH}{look.LINE} "
        lines += _lines(child, subject, corner, f"{walls}{'  ' if last else f'{look.WALL} '} ", width)
    if branch.more:
        lines.append((ink(f"{walls}{look.LAST}{look.LINE} and {branch.more} more", "dim"),))
    return lines


def _line(branch: Branch, subject: Ref, lead: str, width: int) -> Line:
    mark, role, words = _state(branch)
    before = (ink(lead, "rule"), ink(f"{mark} ", role))
    note = "  ".join(filter(None, (words, branch.how)))
    room = max(LEAST_NAME, width - size(before) - len(note) - 2)
    own = "name" if branch.name == subject else "strong"
    return crop((*before, *named(branch.name, room, own), ink(f"  {note}" if note else "", "dim")), width)


def _state(branch: Branch) -> tuple[str, str, str]:
    """Mark, role and words."""
    if branch.missing:
        return look.BROKEN, "broken", "does not exist"
    if branch.state is None:
        return look.UNKNOWN, "dim", "not read"
    health = branch.state.health
    words = " ".join(filter(None, (branch.state.ready, branch.state.status)))
    return health.symbol, "dim" if health is Health.IDLE else health.value, words
