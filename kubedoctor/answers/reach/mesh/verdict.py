"""What a mesh decides about a connection, in words."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from kubedoctor.answers.sheet import Link, Mark
from kubedoctor.cluster.kinds.references import Ref


class MeshHop(msgspec.Struct, frozen=True):
    """mark: UNKNOWN where something decides that is not replayed, as the text says. fate: as the client sees it. clause: for
    the verdict of a denial."""

    mark: Mark
    text: str
    about: Ref | None = None
    fate: str = ""
    clause: str = ""


def mesh_link(hop: MeshHop) -> Link:
    """The hand-over point as a hop of the chain."""
    return Link(hop.text, hop.mark, hop.about)


def mesh_denial(hops: Sequence[MeshHop]) -> MeshHop | None:
    """Where every target is denied by the mesh; None where one is not."""
    return hops[0] if hops and all(hop.mark is Mark.NO for hop in hops) else None


def undecided(hops: Sequence[MeshHop]) -> str:
    """What is not known of the mesh, as a clause; empty where it lets all pass."""
    text = next((hop.text for hop in hops if hop.mark is not Mark.YES), "")
    return text.removeprefix("mesh: ")
