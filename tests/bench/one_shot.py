"""Wall time of `kubedoctor pod X` against `kubectl describe pod X` on a real cluster.

    python -m tests.bench.one_shot [--runs 15]

The two commands alternate in the same run, on the same running pod, so that both meet the same machine. The
first run of each is not counted. kubectl is of the cluster's own version, and Python keeps its compiled modules, as it
does for an installed package.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from tests.real.cluster.control_plane import RealCluster
from tests.real.cluster.layout import KUBECTL
from tests.real.cluster.requirements import why_not_run
from tests.real.workloads import cluster_dns, deployment

NAMESPACE = "default"


def seconds(command: list[str], compiled: str, allowed: tuple[int, ...] = (0,)) -> float:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = compiled
    begin = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    taken = time.perf_counter() - begin
    if done.returncode not in allowed:
        raise SystemExit(f"{' '.join(command)}\nended with {done.returncode}: {done.stderr}")
    return taken


def start_pod(cluster: RealCluster) -> str:
    cluster.wait_for("service account", lambda: bool(cluster.get("serviceaccount", "default", "kube-system")))
    cluster.apply(*cluster_dns(), deployment("web", NAMESPACE))
    for namespace, name in (("kube-system", "coredns"), (NAMESPACE, "web")):
        cluster.kubectl("rollout", "status", f"deployment/{name}", "-n", namespace, "--timeout=120s")
    return str(cluster.items("pods", NAMESPACE, "app=web")[0]["metadata"]["name"])


def measure(cluster: RealCluster, pod: str, runs: int) -> None:
    where = ["-n", NAMESPACE, f"--kubeconfig={cluster.kubeconfig}"]
    ours = [sys.executable, "-m", "kubedoctor", "pod", pod, *where]
    theirs = [str(KUBECTL), "describe", "pod", pod, *where]
    taken: dict[str, list[float]] = {"kubedoctor pod": [], "kubectl describe pod": []}
    with tempfile.TemporaryDirectory() as compiled:
        for _ in range(runs + 1):
            taken["kubedoctor pod"].append(seconds(ours, compiled, allowed=(0, 1, 3)))
            taken["kubectl describe pod"].append(seconds(theirs, compiled))
    report = json.loads(subprocess.run([*ours, "-o", "json"], capture_output=True, text=True).stdout)
    medians = {}
    for name, values in taken.items():
        counted = sorted(values[1:])
        medians[name] = statistics.median(counted)
        print(f"{name:22} median {medians[name]:.3f} s   fastest {counted[0]:.3f} s   slowest {counted[-1]:.3f} s")
    print(
        f"ratio of the medians   {medians['kubedoctor pod'] / medians['kubectl describe pod']:.2f}   ({runs} runs each)"
    )
    print(f"requests of kubedoctor {report['requests']}")


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
