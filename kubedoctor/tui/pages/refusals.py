"""What a list lacks because it could not be read."""

from __future__ import annotations

from kubedoctor.cluster import Snapshot, Want
from kubedoctor.cluster.grammar.text import capitalised
from kubedoctor.cluster.kinds.resources import kind_named
from kubedoctor.tui.rows import ROOTS, View


def not_listed(view: View, snapshot: Snapshot) -> str:
    """What of a view cannot be listed or read and why, in sentences; empty if all can."""
    if view.kind == "Context":
        return ""
    of_home = view.kind in ("", "Finding")
    shown = ROOTS if of_home else (view.kind,)
    limited: dict[str, str] = {}
    refused: dict[str, str] = {}
    lost: list[str] = []
    for kind in shown:
        want = Want(kind, scope_of(kind, view.namespace))
        losses = snapshot.losses(kind)
        nothing_left = bool(losses) and not snapshot.of_kind(kind, want.namespace)
        lost += () if nothing_left else losses
        if snapshot.covers(want):
            if nothing_left:
                refused[kind] = losses[0]
        elif why := snapshot.limitation(want):
            limited[kind] = why
        elif why := snapshot.refusal(want):
            refused[kind] = why
    if snapshot.closed and of_home and len(refused) < len(shown):
        limited, refused = {}, {}  # Most recordings lack a kind, and say so where it matters.
    sentences = [capitalised(f"{list(limited.values())[-1]}.")] if limited else []
    if refused:
        kinds = ", ".join(View(kind).title for kind in refused) if len(refused) < len(ROOTS) else "Workloads"
        sentences.append(f"{kinds} cannot be listed: {list(refused.values())[-1]}.")
    if lost:
        more = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
        sentences.append(f"Not read whole: {lost[0]}{more}.")
    return " ".join(sentences)


def scope_of(kind: str, namespace: str) -> str:
    """The namespace that a kind is read in; none where its objects are of none."""
    row = kind_named(kind)
    return namespace if row is None or row.namespaced else ""
