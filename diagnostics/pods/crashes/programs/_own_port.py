"""What the log of a server says of its own port, where a client of it is refused."""

from __future__ import annotations

from functools import partial
from typing import Final

from diagnostics.pods.crashes._story import Story
from kubedoctor.answers.reach.connections import targets
from kubedoctor.cluster import Cluster, Pod, ready, workload_of
from kubedoctor.findings import Fix, quote_line, ref
from kubedoctor.replay.logs.listening import loopback_ports, port_listened_on

_MOST_LOGS: Final = 2


def listens_on_loopback(client: Pod, host: str, port: int, cluster: Cluster) -> Story | None:
    """A server that is ready and by its log listens on the port at the loopback address only, so that no other pod reaches
    it; None where no log says so. A pod without a readiness probe is ready as soon as it runs."""
    reached = [row for row in targets(client, host, port, cluster) if row.pod is not None and ready(row.pod)]
    logs = [
        (row, container.name)
        for row in reached[:_MOST_LOGS]
        for container in (row.pod.spec.containers if row.pod is not None else ())
    ]
    cluster.together(
        *(partial(cluster.log_tail, row.pod, name, optional=True) for row, name in logs if row.pod is not None)
    )
    for row, name in logs:
        tail = cluster.log_tail(row.pod, name, optional=True) if row.pod is not None else None
        if tail is None or row.pod is None or port_listened_on(tail.lines) == row.port:
            continue
        index = next((index for index, number in loopback_ports(tail.lines).items() if number == row.port), None)
        if index is not None:
            server = workload_of(row.pod, cluster)
            text = f"by its log {ref(row.pod).title} listens on port {row.port} of the loopback address only"
            return Story(
                text,
                evidence=(quote_line(tail, index, "where the server listens"),),
                fixes=(
                    Fix(f"Let {server.title} listen on 0.0.0.0:{row.port} (or [::]) instead of the loopback address"),
                ),
            )
    return None
