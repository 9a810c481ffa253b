"""What a program has used up: open files, local ports, the connections of a database."""

from __future__ import annotations

import re
from typing import Final

from diagnostics.pods.crashes._story import Story
from kubedoctor.cluster import Cluster, Container, Deployment, Pod, StatefulSet
from kubedoctor.findings import Evidence, Fix, Ref, fix_by_hand, quote_pod_spec, quote_spec

_FILES: Final = re.compile(
    r"(?:\baccept\d?\b|\bsocket\b|\bdial\b|\blisten\b|\bpipe2?\b|\bconnect\b|\bfork/exec\b|\bopen(?:ing|at)? \S|EMFILE: too many open files, \w+)"
    r".*too many open files|too many open files[\"']?[,:] ?(?:open|accept|socket|/|')",
    re.IGNORECASE,
)
"""The call is named, and it is none of inotify's: then the program's own limit (RLIMIT_NOFILE) is reached."""
_OF_THE_SYSTEM: Final = re.compile(r"too many open files in system|\bENFILE\b|inotify|watch", re.IGNORECASE)
_PORTS: Final = re.compile(
    r"(?:\bdial\b|\bconnect\w*\b).*(?:cannot assign requested address|EADDRNOTAVAIL)|"
    r"(?:cannot assign requested address|EADDRNOTAVAIL).*\bconnect",
    re.IGNORECASE | re.DOTALL,
)
_SIX: Final = re.compile(r"\[[0-9a-f:]*:[0-9a-f:]*\]|::1\b", re.IGNORECASE)
"""An IPv6 address: a pod without one gets the same error."""
_RANGE: Final = "net.ipv4.ip_local_port_range"
_NARROW: Final = 1000
_CLIENTS: Final = re.compile(
    r"too many clients already|remaining connection slots are reserved|\bToo many connections\b|max_user_connections|"
    r"no more connections allowed|max number of clients reached|maximum number of processes .{0,20}exceeded|ORA-00020|ORA-12516|"
    r"connection limit exceeded for|too many connections for (?:role|database)",
    re.IGNORECASE,
)
"""PostgreSQL, MySQL, PgBouncer, Redis and Oracle, as their clients log it."""
_POOL: Final = re.compile(r"POOL|MAX_?(?:OPEN_?)?CONN|CONNECTIONS?_(?:MAX|LIMIT)", re.IGNORECASE)


def used_up(pod: Pod, container: Container, message: str, about: Ref, cluster: Cluster) -> Story | None:
    """None where the message is of another kind."""
    if _FILES.search(message) and not _OF_THE_SYSTEM.search(message):
        return _open_files(pod, container, message, about, cluster)
    if _PORTS.search(message) and not _SIX.search(message):
        return _local_ports(pod, message, about, cluster)
    if _CLIENTS.search(message):
        return _connections(pod, container, message, about, cluster)
    return None


def _open_files(pod: Pod, container: Container, message: str, about: Ref, cluster: Cluster) -> Story:
    words = (*(container.command or ()), *(container.args or ()))
    own = re.search(r"ulimit -S?H?n (\d+)", " ".join(words))
    limit = f" of {own[1]} (ulimit -n in its command)" if own is not None else ""
    field = "command" if own is not None and own[0] in " ".join(container.command or ()) else "args"
    evidence = quote_spec(pod, cluster, about, container.name, field, "its limit") if own is not None else []
    fix = "Raise ulimit -n in its command" if own is not None else "Raise the limit with `ulimit -n` in its command"
    return Story(
        f"the program has reached its limit{limit} of open files and connections: {message}",
        evidence=tuple(evidence),
        fixes=(
            Fix(f"Find what it leaves open, connections above all. {fix}, or LimitNOFILE of the container runtime"),
        ),
    )


def _local_ports(pod: Pod, message: str, about: Ref, cluster: Cluster) -> Story:
    context = pod.spec.security_context
    for index, row in enumerate((context.sysctls if context is not None else None) or ()):
        ends = str(row.get("value", "")).split()
        if row.get("name") != _RANGE or len(ends) != 2 or not all(end.isdigit() for end in ends):
            continue
        ports = int(ends[1]) - int(ends[0]) + 1
        if ports < _NARROW:
            path = f"spec.securityContext.sysctls[{index}].value"
            shows = f"{ports} local ports for outgoing connections; the kernel's default has 28,232"
            fix = fix_by_hand(about, f"Remove sysctl {_RANGE} from the pod's securityContext")
            return Story(
                f"no local port is left for an outgoing connection: sysctl {_RANGE} leaves {ports} ports: {message}",
                evidence=tuple(quote_pod_spec(pod, cluster, about, path, shows)),
                fixes=(fix,),
            )
    return Story(f"no local port is left for an outgoing connection, as with many short ones to one address: {message}")


def _connections(pod: Pod, container: Container, message: str, about: Ref, cluster: Cluster) -> Story:
    workload = cluster.maybe.get_ref(about) if about.kind in ("Deployment", "StatefulSet") else None
    pods = workload.spec.desired_replicas if isinstance(workload, (Deployment, StatefulSet)) else 1
    pool = next(
        (
            variable
            for variable in container.env or ()
            if _POOL.search(variable.name) and (variable.value or "").isdigit()
        ),
        None,
    )
    evidence: list[Evidence] = []
    own = ""
    if pool is not None and workload is not None:
        evidence = quote_spec(
            pod, cluster, about, container.name, f"env[name={pool.name}].value", "connections of a pod"
        )
        own = f"; {pods} pods with {pool.name}={pool.value} may open {pods * int(pool.value or 0)}"
    return Story(
        f"the database has no connection left: {message}{own}",
        evidence=tuple(evidence),
        fixes=(
            Fix(
                "Let its clients open fewer connections (pool size times pods), put a pooler such as PgBouncer before the"
                " database, or raise its limit (max_connections)"
            ),
        ),
    )
