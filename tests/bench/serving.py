"""`python -m tests.bench.serving FOLDER`: the lists of a folder behind the embedded API server, in a process of its own,
so that its CPU time is not counted for the client. Prints the path of a kubeconfig, and serves until its input ends.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kubedoctor.sandbox import Sandbox, SandboxState, serve
from kubedoctor.sandbox.exchange import Object


def objects_of(folder: Path) -> Iterator[Object]:
    """The items of all lists, with their kind."""
    for path in sorted(folder.glob("*.json")):
        document = json.loads(path.read_bytes())
        kind = {"apiVersion": document["apiVersion"], "kind": document["kind"].removesuffix("List")}
        yield from ({**kind, **item} for item in document["items"])


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the lists from another process; the value is the path of a kubeconfig."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.serving", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        kubeconfig = process.stdout.readline().strip()
        if not kubeconfig:
            sys.exit("the API server did not start")
        yield kubeconfig
    finally:
        process.stdin.close()
        process.wait(60)
        process.stdout.close()


def main(folder: str) -> None:
    gc.disable()
    sandbox = Sandbox(SandboxState(list(objects_of(Path(folder)))))
    gc.freeze()
    gc.enable()
    with serve(sandbox) as server:
        print(server.kubeconfig, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
