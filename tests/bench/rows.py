"""`python -m tests.bench.rows [PODS]`: from the start of a process to the rows on the screen, from a bundle and from an
API server in another process, and beside it what can not be avoided: a bare Textual application, decoding the same
bytes, transferring the same lists.

Rows are what a person came for: at home the first workload that is broken by its own status, in the list of pods its
first pods. What caused it is known when all was examined.

All run in turn, each in a process of its own and on a terminal of its own; medians of seconds on the clock.
"""

from __future__ import annotations

import json
import math
import os
import pty
import re
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from kubedoctor.cluster import Pod
from kubedoctor.cluster.seen.decoding import decode_list
from kubedoctor.cluster.triage import ready
from tests.bench.first_paint import BARE
from tests.bench.keys import cpu_of
from tests.bench.scan import DECODE, PROJECT, generate
from tests.bench.serving import served

ROUNDS = 3
PATIENCE = 60.0
"""Seconds in which a program draws all signs."""
GOAL = 1.0
SIGNS = {
    "drawn": re.compile(rb"\x1b\[\?1049h"),
    "first rows": re.compile(rb"\d/\d"),
    "all rows": re.compile(rb"running diagnostics"),
    "first finding": re.compile(rb"KD\d{4}"),
}
"""What a person sees at each moment, as bytes that are drawn: the terminal is taken over; how many pods are ready of the
first workload that is not well, which stands where the incidents will be; the work that follows the complete list; the code
of a finding."""
PODS_SIGNS = {"first pods": re.compile(rb"Running|Pending|Failed|Evicted|BackOff|Completed")}
"""A word in the column STATUS."""
TO_PODS = (re.compile(rb"Workloads"), b":po\r")
"""What is typed as soon as the tabs are drawn."""
WITH_GOAL = ("first rows", "first pods")
BARE_SIGNS = {"drawn": re.compile(rb"first paint")}
TRANSFER = """
import sys, urllib3
from kubedoctor.collect.connecting.connection import connect
from kubedoctor.collect.options import Options
server = connect(Options(kubeconfig=sys.argv[1])).server
pool, size = urllib3.PoolManager(), 0
for path in sys.argv[2:]:
    token = ""
    while True:
        body = pool.request("GET", f"{server}{path}?limit=500" + (f"&continue={token}" if token else "")).data
        size += len(body)
        head = body[:1000]
        token = head.split(b'"continue":"')[1].split(b'"')[0].decode() if b'"continue"' in head else ""
        if not token:
            break
"""
"""The lists of the first screen, one after the other, chunk by chunk, without decoding them."""
FIRST_LISTS = (
    *(f"/apis/apps/v1/{name}" for name in ("deployments", "statefulsets", "daemonsets", "replicasets")),
    *(f"/apis/batch/v1/{name}" for name in ("cronjobs", "jobs")),
    *(f"/api/v1/{name}" for name in ("replicationcontrollers", "pods", "namespaces")),
)


def add_deployments(folder: Path) -> None:
    """The Deployments that own the generated ReplicaSets, which the generator leaves out; both with the numbers of their
    pods that are ready, which the generator calls all ready."""
    decoded = decode_list("Pod", (folder / "pods.json").read_bytes()).objects
    well = Counter(
        (pod.namespace, owner.name)
        for pod in decoded
        if isinstance(pod, Pod) and ready(pod)
        for owner in pod.metadata.owner_references or ()
    )
    replica_sets, deployments = [], []
    for generated in json.loads((folder / "replicasets.json").read_bytes())["items"]:
        metadata, status = generated["metadata"], generated["status"]
        number = min(status["replicas"], well[metadata["namespace"], metadata["name"]])
        replica_set = {**generated, "status": {**status, "readyReplicas": number, "availableReplicas": number}}
        replica_sets.append(replica_set)
        owner = metadata["ownerReferences"][0]
        own = {name: value for name, value in metadata.items() if name != "ownerReferences"}
        deployments.append({**replica_set, "metadata": {**own, "name": owner["name"], "uid": owner["uid"]}})
    for kind, objects in (("Deployment", deployments), ("ReplicaSet", replica_sets)):
        document = {"kind": f"{kind}List", "apiVersion": "apps/v1", "metadata": {"resourceVersion": "1"}}
        text = json.dumps({**document, "items": objects}, separators=(",", ":"))
        (folder / f"{kind.lower()}s.json").write_text(text)


class Moment(NamedTuple):
    """Seconds since the start of a program, on the clock and of its CPU with all its threads."""

    clock: float
    cpu: float


def until_seen(
    command: list[str],
    signs: dict[str, re.Pattern[bytes]],
    environment: dict[str, str],
    keys: tuple[re.Pattern[bytes], bytes] | None = None,
) -> dict[str, Moment]:
    """From the start of a program to each sign in what it draws on a terminal of its own; a sign that is not
    drawn is left out. keys: what is typed once a sign is drawn; before that no other sign counts."""
    here, there = pty.openpty()
    started = time.perf_counter()
    process = subprocess.Popen(command, stdin=there, stdout=there, stderr=there, env=environment, close_fds=True)
    os.close(there)
    drawn, seen = b"", dict[str, Moment]()
    try:
        while len(seen) < len(signs):
            if not select.select([here], [], [], max(0.0, started + PATIENCE - time.perf_counter()))[0]:
                print(f"not drawn: {sorted(set(signs) - set(seen))}; at last {drawn[-200:]!r}", file=sys.stderr)
                break
            drawn += os.read(here, 65536)
            now = Moment(time.perf_counter() - started, cpu_of(process.pid))
            if keys is not None:
                if keys[0].search(drawn):
                    os.write(here, keys[1])
                    drawn, keys = b"", None
                continue
            seen |= {name: now for name, sign in signs.items() if name not in seen and sign.search(drawn)}
            drawn = drawn[-4000:]
        return seen
    finally:
        process.kill()
        process.wait()
        os.close(here)


def seconds(command: list[str], environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, env=environment)
    return time.perf_counter() - started


class Figures:
    """Seconds by what was measured, in rounds."""

    def __init__(self) -> None:
        self._rounds: dict[str, list[float]] = {}

    def add(self, name: str, taken: float) -> None:
        self._rounds.setdefault(name, []).append(taken)

    def __getitem__(self, name: str) -> float:
        """The median; not a number where there is none."""
        return statistics.median(self._rounds.get(name, [math.nan]))


def measure(folder: str, compiled: str, kubeconfig: str) -> Figures:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPYCACHEPREFIX": compiled, "PYTHONPATH": str(PROJECT), "TERM": "xterm-256color"}
    environment |= {"COLUMNS": "120", "LINES": "40"}
    python, ours = [sys.executable], [sys.executable, "-m", "kubedoctor", "-A"]
    figures = Figures()
    for number in range(ROUNDS + 1):
        seen = {"bare": until_seen([*python, "-c", BARE], BARE_SIGNS, environment)}
        for source, flags in (("bundle", ("--from", folder)), ("live", ("--kubeconfig", kubeconfig))):
            seen[source] = until_seen([*ours, *flags], SIGNS, environment)
            seen[source] |= until_seen([*ours, *flags], PODS_SIGNS, environment, TO_PODS)
        decode = seconds([*python, "-c", DECODE, folder], environment)
        transfer = seconds([*python, "-c", TRANSFER, kubeconfig, *FIRST_LISTS], environment)
        if not number:
            continue  # modules were compiled
        for source, moments in seen.items():
            for name, moment in moments.items():
                figures.add(f"{source} {name}", moment.clock)
                figures.add(f"{source} {name} CPU", moment.cpu)
        figures.add("decode", decode)
        figures.add("transfer", transfer)
    return figures


def main() -> int:
    pods = int(sys.argv[1]) if len(sys.argv) > 1 else 30_000
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as compiled:
        generate(Path(name), pods)
        add_deployments(Path(name))
        with served(Path(name)) as kubeconfig:
            figures = measure(name, compiled, kubeconfig)
    print(f"{pods:,} pods, seconds on the clock, from the start of Python (and of its CPU):")
    print(f"bare Textual application            {figures['bare drawn']:6.2f}")
    print(f"decoding all lists, nothing else    {figures['decode']:6.2f}")
    print(f"transfer of the first lists         {figures['transfer']:6.2f}")
    for source, base in (("bundle", "decode"), ("live", "transfer")):
        for sign in ("drawn", "first rows", "first pods", "all rows", "first finding"):
            took, cpu = figures[f"{source} {sign}"], figures[f"{source} {sign} CPU"]
            print(
                f"{source:<7} {sign:<27} {took:6.2f} ({cpu:5.2f})   {took / figures['bare drawn']:5.2f} × bare, "
                f"{took / figures[base]:5.2f} × {base}{f'   (goal {GOAL} s)' if sign in WITH_GOAL else ''}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
