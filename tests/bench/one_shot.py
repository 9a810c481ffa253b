"""`kubedoctor pod X` against `kubectl describe pod X` on a real cluster: time by the clock, and of the processor.

    python -m tests.bench.one_shot [--runs 15]

The commands take turns in the same run, on the same running pod, so that all meet the same machine; kubedoctor reads its
kubeconfig in YAML, as people have it, and in JSON, as some tools write it. The first run of each is not counted. kubectl
is of the cluster's own version, and Python keeps its compiled modules, as it does for an installed package.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import yaml

from tests.real.cluster.control_plane import RealCluster
from tests.real.cluster.layout import KUBECTL
from tests.real.cluster.requirements import why_not_run
from tests.real.workloads import cluster_dns, deployment

NAMESPACE = "default"
DESCRIBE = "kubectl describe pod"


class Taken(NamedTuple):
    """Seconds of one run, by the clock and of the processor (user and system)."""

    clock: float
    processor: float


def run(command: list[str], compiled: str, allowed: tuple[int, ...] = (0,)) -> Taken:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = compiled
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    clock, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in allowed:
        raise SystemExit(f"{' '.join(command)}\nended with {done.returncode}: {done.stderr}")
    return Taken(clock, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


def start_pod(cluster: RealCluster) -> str:
    cluster.wait_for("service account", lambda: bool(cluster.get("serviceaccount", "default", "kube-system")))
    cluster.apply(*cluster_dns(), deployment("web", NAMESPACE))
    for namespace, name in (("kube-system", "coredns"), (NAMESPACE, "web")):
        cluster.kubectl("rollout", "status", f"deployment/{name}", "-n", namespace, "--timeout=120s")
    return str(cluster.items("pods", NAMESPACE, "app=web")[0]["metadata"]["name"])


def measure(cluster: RealCluster, pod: str, runs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        in_yaml = Path(folder) / "kubeconfig"
        in_yaml.write_text(yaml.safe_dump(json.loads(cluster.kubeconfig.read_text())))
        in_yaml.chmod(0o600)

        def pod_with(kubeconfig: Path, *program: str) -> list[str]:
            return [*program, "pod", pod, "-n", NAMESPACE, f"--kubeconfig={kubeconfig}"]

        kubedoctor = (sys.executable, "-m", "kubedoctor")
        commands = {
            "kubedoctor pod, YAML": pod_with(in_yaml, *kubedoctor),
            "kubedoctor pod, JSON": pod_with(cluster.kubeconfig, *kubedoctor),
            DESCRIBE: pod_with(in_yaml, str(KUBECTL), "describe"),
        }
        taken: dict[str, list[Taken]] = {name: [] for name in commands}
        for _ in range(runs + 1):
            for name, command in commands.items():
                taken[name].append(run(command, f"{folder}/compiled", (0,) if name == DESCRIBE else (0, 1, 3)))
        report = subprocess.run([*commands["kubedoctor pod, YAML"], "-o", "json"], capture_output=True, text=True)
    medians = {name: Taken(*map(statistics.median, zip(*values[1:], strict=True))) for name, values in taken.items()}
    for name, (clock, processor) in medians.items():
        fastest = min(values.clock for values in taken[name][1:])
        print(
            f"{name:22} by the clock: median {clock:.3f} s, fastest {fastest:.3f} s, {clock / medians[DESCRIBE].clock:.2f} "
            f"× describe; processor: median {processor:.3f} s, {processor / medians[DESCRIBE].processor:.2f} ×"
        )
    print(f"medians of {runs} runs each; requests of kubedoctor {json.loads(report.stdout)['requests']}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.one_shot")
    parser.add_argument("--runs", type=int, default=15, help="counted runs of each command")
    arguments = parser.parse_args()
    if reason := why_not_run():
        print(f"Cannot measure: {reason}.", file=sys.stderr)
        return 1
    with RealCluster("one-shot", node=True) as cluster:
        measure(cluster, start_pod(cluster), arguments.runs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
