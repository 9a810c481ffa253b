"""`python -m tests.bench.recording [PODS]`: writing a recording against a scan, and the forms of a recording against each
other: the lists of the API server, a recording of `kubedoctor capture`, and the one List of `kubectl get -o json`.

All run in turn, several times; medians of the CPU time (user and system) and their ratios are printed.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.scan import Spent, generate, scanned, spent

ROUNDS = 3


def as_kubectl_prints(lists: Path, file: Path) -> None:
    """All lists of a folder as one List, indented and with sorted keys, as kubectl prints objects of several kinds."""
    with file.open("w") as out:
        out.write('{\n    "apiVersion": "v1",\n    "items": [')
        before = "\n"
        for path in sorted(lists.glob("*.json")):
            document: dict[str, Any] = json.loads(path.read_bytes())
            of_type = {"apiVersion": document["apiVersion"], "kind": document["kind"].removesuffix("List")}
            for item in document["items"]:
                item["metadata"].pop("managedFields", None)
                text = json.dumps({**of_type, **item}, indent=4, sort_keys=True)
                out.write(before + "\n".join(f"        {line}" for line in text.splitlines()))
                before = ",\n"
        out.write('\n    ],\n    "kind": "List",\n    "metadata": {\n        "resourceVersion": ""\n    }\n}\n')


def captured(source: str, target: Path, compiled: str) -> Spent:
    command = ("-m", "kubedoctor", "capture", "-A", "--from", source, "-o", str(target))
    return spent(*command, compiled=compiled, allowed=(0, 3), errors=subprocess.DEVNULL)


def main() -> int:
    pods = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as compiled:
        folder = Path(name)
        lists, recording, got = folder / "lists", folder / "recording", folder / "list.json"
        lists.mkdir()
        generate(lists, pods)
        captured(str(lists), recording, compiled)
        as_kubectl_prints(lists, got)
        figures: dict[str, list[Spent]] = {"capture": [], "lists": [], "recording": [], "List": []}
        for number in range(ROUNDS):
            figures["capture"].append(captured(str(lists), folder / f"capture-{number}", compiled))
            for form, path in (("lists", lists), ("recording", recording), ("List", got)):
                figures[form].append(scanned(str(path), compiled))
    seconds = {form: statistics.median(one.seconds for one in rounds) for form, rounds in figures.items()}
    print(
        f"{pods:,} pods: capture {seconds['capture']:.2f} s, scan of the same lists {seconds['lists']:.2f} s (CPU), "
        f"ratio {seconds['capture'] / seconds['lists']:.2f} (goal 2)"
    )
    print(
        f"scan of kubectl's List {seconds['List']:.2f} s, of a recording {seconds['recording']:.2f} s, "
        f"ratio {seconds['List'] / seconds['recording']:.2f} (goal 1.3)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
