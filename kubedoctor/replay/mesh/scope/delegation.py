"""A rule of a VirtualService that leaves the routes to another one (Istio, `pilot/pkg/model/virtualservice.go`, 1.31)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from kubedoctor.replay.mesh.config import number, part, rows, text, words
from kubedoctor.replay.mesh.registry import full_name

Rule = Mapping[str, Any]
_INHERITED: Final = (
    "rewrite",
    "directResponse",
    "timeout",
    "retries",
    "fault",
    "mirror",
    "mirrorPercent",
    "mirrorPercentage",
    "corsPolicy",
    "mirrors",
    "headers",
)
_TEXTS: Final = ("uri", "scheme", "method", "authority")
_MAPS: Final = ("headers", "withoutHeaders", "queryParams")


def merged_routes(root: Rule, delegate: Iterable[Rule], namespace: str) -> Iterable[Rule]:
    """The delegate's rules within the root's match; those that contradict it are left out. `namespace`: of the delegate,
    where its short host names belong to."""
    for rule in delegate:
        matches = _merged(_matches(root), _matches(rule))
        if matches is None:
            continue
        names = [name for name in (text(root.get("name")), text(rule.get("name"))) if name]
        inherited = {key: root[key] for key in _INHERITED if key in root and rule.get(key) is None}
        yield {**_with_full_names(rule, namespace), **inherited, "match": matches, "name": "-".join(names)}


def _with_full_names(rule: Rule, namespace: str) -> dict[str, Any]:
    def of(target: Rule) -> dict[str, Any]:
        return {**target, "host": full_name(text(target.get("host")), namespace)}

    changed: dict[str, Any] = dict(rule)
    for key in ("route", "mirrors"):
        if rule.get(key):
            changed[key] = [{**row, "destination": of(part(row, "destination"))} for _, row in rows(rule, key)]
    if part(rule, "mirror"):
        changed["mirror"] = of(part(rule, "mirror"))
    return changed


def _matches(rule: Rule) -> list[Rule]:
    return [row for _, row in rows(rule, "match")]


def _merged(root: Sequence[Rule], leaf: Sequence[Rule]) -> list[Rule] | None:
    if not root or not leaf:
        return list(root or leaf)
    found: list[Rule] = []
    for inner in leaf:
        outer = [match for match in root if not _contradicts(match, inner)]
        if not outer:
            return None
        found += [_joined(match, inner) for match in outer]
    return found


def _joined(root: Rule, leaf: Rule) -> Rule:
    names = [name for name in (text(root.get("name")), text(leaf.get("name"))) if name]
    joined: dict[str, Any] = {**leaf, "name": "-".join(names)}
    for key in (*_TEXTS, "port", "sourceNamespace", "gateways", "statPrefix"):
        if not joined.get(key) and root.get(key):
            joined[key] = root[key]
    for key in (*_MAPS, "sourceLabels"):
        if root.get(key) or leaf.get(key):
            joined[key] = {**part(root, key), **part(leaf, key)}
    return joined


def _contradicts(root: Rule, leaf: Rule) -> bool:
    pairs = [(root.get(key), leaf.get(key)) for key in _TEXTS]
    pairs += [(part(root, key).get(name), value) for key in _MAPS for name, value in part(leaf, key).items()]
    if any(_text_contradicts(outer, inner) for outer, inner in pairs):
        return True
    if bool(root.get("ignoreUriCase")) != bool(leaf.get("ignoreUriCase")):
        return True
    ports = number(root.get("port")), number(leaf.get("port"))
    if all(ports) and ports[0] != ports[1]:
        return True
    space = text(root.get("sourceNamespace"))
    if space and space != text(leaf.get("sourceNamespace")):
        return True
    labels = part(root, "sourceLabels")
    if any(labels.get(key, value) != value for key, value in part(leaf, "sourceLabels").items()):
        return True
    outer, inner = words(root, "gateways"), words(leaf, "gateways")
    return bool(outer and inner) and (len(outer) < len(inner) or not set(inner) <= set(outer))


def _text_contradicts(root: object, leaf: object) -> bool:
    if not isinstance(root, dict) or not isinstance(leaf, dict):
        return False
    if root.get("regex") or leaf.get("regex"):
        return True
    exact, prefix = text(root.get("exact")), text(root.get("prefix"))
    if exact:
        return bool(leaf.get("prefix")) or text(leaf.get("exact")) != exact
    wanted = text(leaf.get("prefix")) or text(leaf.get("exact"))
    return not (prefix and wanted.startswith(prefix))
