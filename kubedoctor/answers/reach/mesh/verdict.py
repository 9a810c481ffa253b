"""What a mesh decides about a connection, in words."""

from __future__ import annotations

import msgspec

from kubedoctor.answers.sheet import Link, Mark
from kubedoctor.cluster.grammar.text import counted
from kubedoctor.cluster.kinds.references import Ref


class MeshHop(msgspec.Struct, frozen=True):
    """mark: UNKNOWN where something decides that is not replayed, as the text says. fate: as the client sees it. clause: for
    the verdict of a denial."""

    mark: Mark
    text: str
    about: Ref | None = None
    fate: str = ""
    clause: str = ""


class MeshHops(msgspec.Struct, frozen=True):
    """One for each endpoint; None where no mesh takes part."""

    rows: tuple[MeshHop | None, ...] = ()

    @property
    def links(self) -> tuple[Link, ...]:
        """The hand-over points as hops of the chain, each once."""
        hops = {hop.text: hop for hop in self.rows if hop is not None}
        return tuple(Link(hop.text, hop.mark, hop.about) for hop in hops.values())

    @property
    def denials(self) -> tuple[MeshHop, ...]:
        return tuple(hop for hop in self.rows if hop is not None and hop.mark is Mark.NO)

    @property
    def denied(self) -> str:
        """What the mesh denies, as a verdict; empty where it denies no endpoint."""
        if not self.denials:
            return ""
        first = self.denials[0]
        if len(self.denials) == len(self.rows):
            return f"does not reach it ({first.fate}): {first.clause}"
        some = f"{len(self.denials)} of {counted(len(self.rows), 'endpoint')}"
        rest = "; of the others it is not known" if self.undecided else ""
        return f"reaches only some endpoints ({first.fate} from {some}): {first.clause}{rest}"

    @property
    def undecided(self) -> str:
        """What is not known of the mesh, as a clause; empty where it decides everything."""
        hops = (hop for hop in self.rows if hop is not None and hop.mark is Mark.UNKNOWN)
        return next((hop.text.removeprefix("mesh: ") for hop in hops), "")
