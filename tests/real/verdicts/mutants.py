"""Manifests with one thing changed at random: what people get wrong, and what they may well write."""

from __future__ import annotations

import random
from copy import deepcopy
from typing import Any

Path = tuple[str | int, ...]
_WORDS = (
    *("", "web", "Web", "a_b", "-a", "1abc", "a.b", "x" * 64, "x" * 300, "true", "None", "/", "../etc", "a/b", "a b"),
    *(
        "Always",
        "Never",
        "OnFailure",
        "Recreate",
        "Exists",
        "In",
        "TCP",
        "http",
        "HTTP",
        "50%",
        "101%",
        "0%",
        "1Gi",
        "100m",
    ),
    *(
        "1",
        "-1",
        "0",
        "10.0.0.1",
        "10.0.0.0/8",
        "* * * * *",
        "61 * * * *",
        "@daily",
        "v1",
        "é",
        "Local",
        "ClusterIP",
        "Pod",
    ),
)
_NUMBERS = (0, 1, -1, 2, 80, 443, 65535, 65536, 100000, 2**31, 1.5, 600, 31000)


def mutated(document: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """A copy with one to two changes."""
    changed = deepcopy(document)
    for _ in range(chance.choice((1, 1, 1, 2))):
        paths = [path for path in _paths(changed, ()) if path not in (("apiVersion",), ("kind",))]
        if paths:
            _change(changed, chance.choice(paths), chance)
    return changed


def _change(document: dict[str, Any], path: Path, chance: random.Random) -> None:
    parent: Any = document
    for step in path[:-1]:
        parent = parent[step]
    key, value = path[-1], parent[path[-1]]
    choice = chance.random()
    if choice < 0.2:
        del parent[key]
    elif choice < 0.28:
        parent[key] = chance.choice(([], {}, None))
    elif choice < 0.36 and isinstance(key, str):
        parent[_misspelled(key, chance)] = parent.pop(key)
    elif choice < 0.44 and isinstance(parent, list):
        parent.append(deepcopy(value))
    elif choice < 0.5:
        parent[key] = chance.choice(
            (str(value) if not isinstance(value, dict | list) else "text", [value], {"a": "b"}, True)
        )
    elif isinstance(value, bool):
        parent[key] = not value
    elif isinstance(value, int):
        parent[key] = chance.choice(_NUMBERS)
    elif isinstance(value, str):
        parent[key] = chance.choice((*_WORDS, value.upper(), value + "x", value[:-1]))
    elif isinstance(value, list) and value:
        chance.shuffle(value)
        value.pop() if chance.random() < 0.5 else value.append(deepcopy(value[0]))
    elif isinstance(value, dict) and value:
        del value[chance.choice(list(value))]


def _misspelled(key: str, chance: random.Random) -> str:
    place = chance.randrange(len(key))
    return chance.choice((key[:place] + key[place + 1 :], key + "s", key.lower(), key.capitalize())) or "x"


def _paths(value: Any, path: Path) -> list[Path]:
    found: list[Path] = []
    if isinstance(value, dict):
        for key, item in value.items():
            found += [(*path, key), *_paths(item, (*path, key))]
    elif isinstance(value, list):
        for place, item in enumerate(value):
            found += [(*path, place), *_paths(item, (*path, place))]
    return found
