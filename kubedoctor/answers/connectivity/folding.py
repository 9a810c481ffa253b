"""The connections as a grid that can be read: lines that behave alike are one, and of many those of a namespace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Final

from kubedoctor.answers.connectivity.peers import Connections, Peer
from kubedoctor.answers.grid import BLANK_CELL, Grid, GridCell, GridLine, PairAsked, Shade
from kubedoctor.cluster.grammar.text import counted
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.replay.network import NO_PORT, PortSet
from kubedoctor.replay.network.port_sets import EVERY_PORT

UNFOLDED: Final = 16
"""So many workloads are shown one by one."""
MOST_LINES: Final = 40
"""Of more lines than this those of a namespace are one."""
_OUTSIDE: Final = "outside"
_EVERYWHERE: Final = "0.0.0.0-255.255.255.255"
_SHORT: Final = 5
"""Characters of ports that fit into a cell."""
_HTTPS: Final = ("TCP", 443)
_HTTP: Final = ("TCP", 80)

_Group = tuple[int, ...]
"""The places of the peers that one line stands for."""


def folded(found: Connections, title: str) -> Grid:
    """All pairs that are asked about."""
    places = sorted(range(len(found.peers)), key=lambda place: _order(found.peers[place], found.scope.namespace))
    ends, starts = found.asked(), found.asked(inbound=True)
    sources = [one for one in places if ends[found.peers[one].namespace]]
    targets = [one for one in places if starts[found.peers[one].namespace]]
    return _grid(found, title, sources, targets)


def _order(peer: Peer, own: str) -> tuple[bool, bool, str, str, str]:
    """By namespace, the one that is asked about first; what is outside comes last."""
    name = peer.about.name if peer.about is not None else ""
    return peer.about is None, peer.namespace != own, peer.namespace, name, peer.title


def _grid(found: Connections, title: str, sources: Sequence[int], targets: Sequence[int]) -> Grid:
    rows: list[_Group] = [(one,) for one in sources]
    columns: list[_Group] = [(one,) for one in targets]
    note = ""
    if max(len(rows), len(columns)) > UNFOLDED:
        rows, columns = _alike(found, sources, targets, apart=True)
        if max(len(rows), len(columns)) > MOST_LINES:
            rows, columns = _alike(found, sources, targets, apart=False)
        if len(rows) < len(sources) or len(columns) < len(targets):
            note = "lines with equal connections are one"
    if max(len(rows), len(columns)) > MOST_LINES:
        rows, columns = _of_namespaces(found, rows), _of_namespaces(found, columns)
        note = "lines with equal connections are one, and so are workloads of one namespace"
    lines = _lines(found, rows), _lines(found, columns)
    cells = tuple(
        tuple(_cell(found, (row, column), (first, second)) for column, second in zip(columns, lines[1], strict=True))
        for row, first in zip(rows, lines[0], strict=True)
    )
    return Grid(title, *lines, cells, note)


def _alike(
    found: Connections, sources: Sequence[int], targets: Sequence[int], *, apart: bool
) -> tuple[list[_Group], list[_Group]]:
    """Equal are lines of which every pair with an end on the other side is equal. apart: no line has workloads of several
    namespaces."""
    classes, rows = found.matrix.classes, found.matrix.rows
    ends, starts = found.asked(_stand_ins(found, targets)), found.asked(_stand_ins(found, sources), inbound=True)

    def of_source(source: int) -> Hashable:
        own, space = rows[classes[source]], found.peers[source].namespace
        return ends[space], tuple(own[classes[one]].spans for one in ends[space])

    def of_target(target: int) -> Hashable:
        own, space = classes[target], found.peers[target].namespace
        return starts[space], tuple(rows[classes[one]][own].spans for one in starts[space])

    return _grouped(found, sources, of_source, apart), _grouped(found, targets, of_target, apart)


def _stand_ins(found: Connections, places: Sequence[int]) -> list[int]:
    """One of each class of a namespace: policies tell no others apart."""
    first: dict[tuple[int, str], int] = {}
    for place in places:
        first.setdefault((found.matrix.classes[place], found.peers[place].namespace), place)
    return list(first.values())


def _grouped(found: Connections, places: Sequence[int], key: Callable[[int], Hashable], apart: bool) -> list[_Group]:
    known: dict[tuple[int, str], Hashable] = {}
    groups: dict[Hashable, list[int]] = {}
    for place in places:
        peer = found.peers[place]
        kind = found.matrix.classes[place], peer.namespace
        if kind not in known:
            known[kind] = key(place)
        groups.setdefault((known[kind], peer.namespace if apart else peer.about is None), []).append(place)
    return [tuple(group) for group in groups.values()]


def _of_namespaces(found: Connections, groups: Sequence[_Group]) -> list[_Group]:
    """One line for each namespace. Of the namespace that is asked about the lines stay, and of too many others one is left."""
    own = [group for group in groups if found.scope.namespace == found.peers[group[0]].namespace != ""]
    if len(own) > MOST_LINES // 2:
        own = []
    kept = {place for group in own for place in group}
    spaces: dict[str, list[int]] = {}
    for place in sorted(place for group in groups for place in group if place not in kept):
        spaces.setdefault(found.peers[place].namespace, []).append(place)
    outside = [tuple(spaces.pop(""))] if "" in spaces else []
    others = [tuple(spaces[name]) for name in sorted(spaces)]
    room = MOST_LINES - len(own) - len(outside)
    if len(others) > room:
        most = 0 if own else room - 1
        others = [*others[:most], tuple(place for group in others[most:] for place in group)]
    return [*own, *others, *outside]


def _lines(found: Connections, groups: Sequence[_Group]) -> tuple[GridLine, ...]:
    whole = Counter(peer.namespace for peer in found.peers)
    return tuple(_line([found.peers[place] for place in group], whole) for group in groups)


def _line(peers: Sequence[Peer], whole: Counter[str]) -> GridLine:
    """whole: how many workloads each namespace has."""
    first = peers[0]
    if len(peers) == 1:
        return GridLine(_short(first), first.namespace or _OUTSIDE, first.about)
    titles = tuple(peer.title for peer in peers)
    if first.about is None:
        return GridLine(f"outside, {counted(len(peers), 'range')}", _OUTSIDE, members=titles)
    spaces = {peer.namespace for peer in peers}
    if len(spaces) > 1:
        title = f"{counted(len(peers), 'workload')} of {counted(len(spaces), 'namespace')}"
        return GridLine(title, members=titles)
    title = f"{_short(first)} and {len(peers) - 1} more"
    if whole[first.namespace] == len(peers):
        title = f"{first.namespace}, all {counted(len(peers), 'workload')}"
    return GridLine(title, first.namespace, members=titles)


def _short(peer: Peer) -> str:
    """`shop/checkout`: the kind stands in the sentence."""
    if peer.about is None:
        return _OUTSIDE if peer.name.startswith(_EVERYWHERE) else peer.title
    return f"{peer.namespace}/{peer.about.name}"


def _cell(found: Connections, groups: tuple[_Group, _Group], lines: tuple[GridLine, GridLine]) -> GridCell:
    counts = _counts(found, *groups)
    total = sum(counts.values())
    if not total:
        return BLANK_CELL
    ends = f"from {_end(found, groups[0], lines[0])} to {_end(found, groups[1], lines[1])}"
    if len(counts) > 1:
        connected = sum(number for ports, number in counts.items() if ports != NO_PORT)
        return GridCell(
            Shade.MIXED,
            _percent(connected, total),
            f"{ends}: {connected} of {counted(total, 'pair')} connect",
            within=partial(_grid, found, f"{lines[0].title} → {lines[1].title}", *groups),
        )
    ports = next(iter(counts))
    source, target = _first_pair(found, *groups)
    asks = _question(found.peers[source], found.peers[target], ports)
    if ports == NO_PORT:
        return GridCell(Shade.EMPTY, "", f"{ends}: no connection", asks)
    if ports == EVERY_PORT:
        return GridCell(Shade.FULL, "", f"{ends}: every port", asks)
    numbers = ports.text.removeprefix("TCP ")
    return GridCell(Shade.PART, numbers if len(numbers) <= _SHORT else "", f"{ends}: {ports.text}", asks)


def _percent(part: int, total: int) -> str:
    """Neither 0 nor 100, since only some connect."""
    share = part * 100 // total
    return f"{share}%" if share else "<1%"


def _end(found: Connections, group: _Group, line: GridLine) -> str:
    return found.peers[group[0]].title if len(group) == 1 else line.title


def _first_pair(found: Connections, sources: _Group, targets: _Group) -> tuple[int, int]:
    peers = found.peers
    return next(
        (source, target)
        for source in sources
        for target in targets
        if source != target and found.scope.asks(peers[source].namespace, peers[target].namespace)
    )


def _counts(found: Connections, sources: _Group, targets: _Group) -> Counter[PortSet]:
    """How many pairs have which ports. Workloads that policies do not tell apart are counted together, and a workload is not
    asked about itself."""
    kinds = _kinds(found, sources), _kinds(found, targets)
    sets: dict[int, PortSet] = {}
    numbers: dict[int, int] = {}
    for space, froms in kinds[0].items():
        for other, tos in kinds[1].items():
            if not found.scope.asks(space, other):
                continue
            for source, number in froms.items():
                row = found.matrix.rows[source]
                for target, many in tos.items():
                    ports = row[target]
                    key = id(ports)  # few sets of ports are many times in a row
                    sets[key] = ports
                    numbers[key] = numbers.get(key, 0) + number * many
    counts: Counter[PortSet] = Counter()
    for key, many in numbers.items():
        counts[sets[key]] += many
    for one in set(sources) & set(targets):
        if found.scope.asks(found.peers[one].namespace, found.peers[one].namespace):
            counts[found.ports(one, one)] -= 1
    return +counts


def _kinds(found: Connections, places: _Group) -> dict[str, Counter[int]]:
    """How many of each class, by namespace."""
    kinds: dict[str, Counter[int]] = {}
    for place in places:
        kinds.setdefault(found.peers[place].namespace, Counter())[found.matrix.classes[place]] += 1
    return kinds


def _question(source: Peer, target: Peer, ports: PortSet) -> PairAsked:
    """What `reach` says of one pair: at a port that the pair has, or that the target declares."""
    protocol, number = _port(target, ports)
    subject = source.about or Ref("Address", "", source.address)
    end = target.address if target.about is None else f"{target.about.argument}.{target.namespace}"
    return PairAsked("reach", subject, (f"{end}:{number}" + (f"/{protocol}" if protocol != "TCP" else ""),))


def _port(target: Peer, ports: PortSet) -> tuple[str, int]:
    usual = target.port or (_HTTP if target.about is not None else _HTTPS)
    if not ports or ports.holds(*usual):
        return usual
    return next(((protocol, first) for protocol, first, _ in ports.ranges()), usual)
