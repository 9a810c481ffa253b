"""`python -m tests.bench.reach`: all connections among many workloads, and one `reach` in a recording of many pods."""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from kubedoctor.answers.connectivity.folding import folded
from kubedoctor.answers.connectivity.peers import Connections, MatrixScope, Peer
from kubedoctor.answers.questions.reach import reach
from kubedoctor.cli.formats.grid_svg import to_svg
from kubedoctor.cluster.kinds.networking import NetworkPolicy
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.engine.asking import ask
from kubedoctor.replay.network import Party, PolicySet, connectivity_matrix
from tests.bench.scan import generate

NAMESPACES = 40


def workload(number: int, chance: random.Random) -> Party:
    data = {
        "metadata": {
            "name": f"p{number}",
            "namespace": f"ns{number % NAMESPACES}",
            "labels": {"app": f"a{number}", "tier": chance.choice("xyz")},
        },
        "spec": {
            "containers": [{"name": "c", "ports": [{"name": "http", "containerPort": chance.choice([80, 8080])}]}]
        },
        "status": {"podIP": f"10.{number // 256}.{number % 256}.1"},
    }
    return Party.of_pod(msgspec.convert(data, Pod), {"team": f"t{number % NAMESPACES % 7}"})


def policy(number: int) -> NetworkPolicy:
    peers: list[dict[str, Any]] = [
        {
            "podSelector": {"matchLabels": {"app": f"a{(number * 7 + other * NAMESPACES) % 1000}"}},
            "namespaceSelector": {"matchLabels": {"team": f"t{(number + other) % 7}"}},
        }
        for other in range(3)
    ]
    if number % 10 == 0:
        peers.append({"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}})
    ports = [{"port": "http"}, {"port": 443}, {"port": 8000, "endPort": 8000 + number}]
    app = f"a{number % NAMESPACES + NAMESPACES * (number % 25)}"
    selector = {"matchLabels": {"app": app}} if number % 3 else {"matchLabels": {"tier": "x"}}
    spec = {
        "podSelector": selector,
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": peers, "ports": ports}, {"from": [{"podSelector": {}}]}],
        "egress": [{"to": peers, "ports": ports}, {"to": [{"podSelector": {}}]}],
    }
    metadata = {"name": f"np{number}", "namespace": f"ns{number % NAMESPACES}"}
    return msgspec.convert({"metadata": metadata, "spec": spec}, NetworkPolicy)


def matrix(workloads: int, policies: int) -> None:
    chance = random.Random(1)
    parties = [workload(number, chance) for number in range(workloads)]
    objects = [policy(number) for number in range(policies)]
    before = time.process_time()
    found = connectivity_matrix(PolicySet(objects), parties)
    seconds = time.process_time() - before
    print(f"{workloads:,} workloads, {policies:,} policies: all connections in {seconds:.2f} s of CPU (goal 2)")
    peers = [Peer(f"{row.pod}", row.pod.title, row.pod.namespace, row.pod) for row in parties if row.pod is not None]
    before = time.process_time()
    picture = to_svg(folded(Connections(tuple(peers), found, MatrixScope()), "all"), "")
    seconds = time.process_time() - before
    print(f"  their picture in {seconds:.2f} s, {len(picture) // 1024} KiB")


def one(pods: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        generate(Path(name), pods, pending=0)
        source = open_source(Options(from_=(name,)))
        found = [row for row in source.snapshot.of_kind("Pod") if isinstance(row, Pod) and row.status.pod_ip]
        client, server = found[0], found[-1]
        choices = reach.choices((f"{server.status.pod_ip}:8080",))
        before = time.process_time()
        ask(reach, ref(client), choices, source.snapshot, source.gather)
        seconds = time.process_time() - before
    print(f"{pods:,} pods: one reach in {seconds * 1000:.0f} ms of CPU after the recording is read (goal 300)")


if __name__ == "__main__":
    matrix(workloads=1000, policies=500)
    one(pods=5000)
    sys.exit(0)
