"""Lines of pieces: aligning, shortening, wrapping, and small pictures. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta

from rich.cells import cell_len, set_cell_size

from kubedoctor.cluster import Ref
from kubedoctor.cluster.grammar.text import visible
from kubedoctor.cluster.kinds.resources import kind_named
from kubedoctor.tui import look
from kubedoctor.tui.pages.page import Line, Paragraph, Piece, flow

LEAST_NAMESPACE = 5
MOST_PIPS = 5


def ink(text: str, role: str = "", about: Ref | None = None) -> Piece:
    """A piece of one line, made safe to print."""
    return Piece(visible(text), role, about)


def size(line: Iterable[Piece]) -> int:
    """Its cells."""
    return sum(cell_len(piece.text) for piece in line)


def blanks(number: int) -> Line:
    """Empty cells; none where the number is not positive."""
    return (Piece(" " * number),) if number > 0 else ()


def pad(line: Sequence[Piece], width: int) -> Line:
    """At least so wide."""
    return (*line, *blanks(width - size(line)))


def crop(line: Sequence[Piece], width: int) -> Line:
    """At most so wide; a cut is shown."""
    kept: list[Piece] = []
    room = width
    for piece in line:
        cells = cell_len(piece.text)
        if cells > room:
            if room > 0:
                kept.append(Piece(set_cell_size(piece.text, room - 1) + look.GAP, piece.role, piece.about))
            break
        kept.append(piece)
        room -= cells
    return tuple(kept)


def ends(left: Sequence[Piece], right: Sequence[Piece], width: int) -> Line:
    """One at the left edge and one at the right; the left gives way."""
    room = width - size(right)
    return (*pad(crop(left, room - 1 if right else room), room), *right)


def flowing(pieces: Sequence[Piece], width: int, hang: int = 0) -> list[Line]:
    """Wrapped between words."""
    return flow(Paragraph(tuple(pieces), 0, hang), max(width, 8))


def beside(mark: Sequence[Piece], lines: Sequence[Line]) -> list[Line]:
    """The lines to the right of a mark, which stands before the first."""
    indent = size(mark)
    return [(*mark, *line) if not number else (*blanks(indent), *line) for number, line in enumerate(lines)]


def middle(text: str, width: int) -> str:
    """The middle goes: the end of a generated name tells it from its siblings."""
    if cell_len(text) <= width:
        return text
    end = max(0, (width - 1) * 2 // 5)
    return set_cell_size(text, max(0, width - 1 - end)) + look.GAP + (text[-end:] if end else "")


def kind_word(kind: str) -> str:
    """The short name that people type: `deploy`, `sts`, `cronjob`."""
    row = kind_named(kind)
    if row is None:
        return visible(kind.partition(".")[0].lower())
    return _OWN_WORDS.get(kind, row.short_names[0] if row.short_names else row.singular)


_OWN_WORDS = {
    "CronJob": "cronjob",
    "Node": "node",
    "Pod": "pod",
    "MutatingWebhookConfiguration": "webhook",
    "ValidatingWebhookConfiguration": "webhook",
}
"""Where kubectl's own word is unknown to people or too long for a list."""


def named(name: Ref, width: int, own: str = "strong", place: str = "", *, link: bool = True) -> Line:
    """`Deployment shop/web`: the kind quiet, the own name loud. Where there is no room the kind becomes kubectl's short
    name, then the namespace and the middle of the name give way."""
    kind, namespace, last = visible(name.short_kind), visible(name.namespace), visible(name.name)
    about = name if link else None
    whole = len(kind) + 1 + (cell_len(namespace) + 1 if namespace else 0) + cell_len(last)
    if whole > width:
        kind = kind_word(name.kind)
    room = max(4, width - len(kind) - 1)
    if namespace and cell_len(namespace) + 1 + cell_len(last) > room:
        keep = max(min(cell_len(namespace), LEAST_NAMESPACE), room - 1 - cell_len(last))
        namespace = namespace if cell_len(namespace) <= keep else set_cell_size(namespace, keep - 1) + look.GAP
    room -= cell_len(namespace) + 1 if namespace else 0
    space = (Piece(f"{namespace}/", place, about),) if namespace else ()
    return (Piece(f"{kind} ", "dim"), *space, Piece(middle(last, max(room, 3)), own, about))


def short_path(path: str, width: int) -> str:
    """What stands in brackets goes first, then leading fields; the last field stays."""
    if cell_len(path) <= width:
        return path
    path = re.sub(r"\[[^\]]+\]", f"[{look.GAP}]", path)
    while cell_len(path) > width and "." in path.strip(look.GAP + "."):
        path = f"{look.GAP}.{path.lstrip(look.GAP + '.').partition('.')[2]}"
    return path


_ARGUMENT = re.compile(r"""(?:[^\s'"]|'[^']*'|"[^"]*")+""")


def command_lines(command: str, width: int) -> list[str]:
    """A command in lines that can be pasted: broken between arguments, a flag with its value. An argument longer than a
    line is folded where the line ends."""
    parts: list[str] = []
    for word in _ARGUMENT.findall(command):
        flag = parts[-1] if parts else ""
        if flag.startswith("-") and "=" not in flag and " " not in flag and not word.startswith("-"):
            parts[-1] = f"{flag} {word}"
        else:
            parts.append(word)
    lines = [parts[0]] if parts else [""]
    for part in parts[1:]:
        if cell_len(f"{lines[-1]} {part}") <= width - 2 or (
            part is parts[-1] and cell_len(f"{lines[-1]} {part}") <= width
        ):
            lines[-1] += f" {part}"
        else:
            lines[-1] += " \\"
            lines.append(f"  {part}")
    return [line[start : start + width] for line in lines for start in range(0, len(line), width)]


def command_band(command: str, width: int, key: str) -> list[Line]:
    """A command on a ground of its own, with the key that copies it at the right of its last line."""
    hint = (Piece(f" {key} ", "command-key"), Piece("copy ", "command-dim")) if key else ()
    lines: list[Line] = [(Piece(f" {text}", "command"),) for text in command_lines(visible(command), width - 2)]
    if size(lines[-1]) + size(hint) > width:
        lines.append((Piece("", "command"),))
    lines[-1] = (*lines[-1], Piece(" " * (width - size(lines[-1]) - size(hint)), "command"), *hint)
    return [(*line, Piece(" " * (width - size(line)), "command")) for line in lines]


def badge(effect: str) -> Line:
    """What running a command does: a mark and two words."""
    mark, role = look.BADGES[effect]
    return (Piece(f"{mark} ", role), Piece(effect, role))


def pips(ready: str) -> Line:
    """`2/3` as filled pips, five at most; nothing where it is no number of replicas."""
    there, slash, wanted = ready.partition("/")
    if not slash or not there.isdigit() or not wanted.isdigit() or wanted == "0":
        return ()
    cells = min(int(wanted), MOST_PIPS)
    filled = min(cells, int(there) * cells // int(wanted))
    role = "good" if there == wanted else "warn"
    empty = Piece(look.EMPTY * (cells - filled), "faint" if filled else "bad")
    return tuple(piece for piece in (Piece(look.FULL * filled, role), empty) if piece.text)


STRIP = tuple(timedelta(minutes=minutes) for minutes in (5760, 1440, 360, 60, 30, 15, 8, 4, 2, 0))
"""How long ago each cell of a strip begins: the same scale in every row."""
STRIP_TITLE = "2d  1h    "


def strip(onset: timedelta | None, change: timedelta | None, tone: str) -> Line:
    """Since when it is broken (a bar to now) and what changed before, on a logarithmic scale."""
    cells = [Piece(look.DOT, "rule")] * len(STRIP)
    first = len(STRIP)
    if onset is not None:
        first = next((n for n, start in enumerate(STRIP) if onset >= start), len(STRIP) - 1)
        first = max(first, 1) if change is not None else first
        cells[first:] = [Piece(look.HEAVY, tone)] * (len(STRIP) - first)
    if change is not None:
        place = next((n for n, start in enumerate(STRIP) if change >= start), len(STRIP) - 1)
        cells[min(place, first - 1)] = Piece(look.CHANGED, "change-mark")
    return tuple(cells)
