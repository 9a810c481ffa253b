"""The oracle's modes about Services: `client` and `endpointslices`."""

from __future__ import annotations

from typing import Any

import msgspec

from kubedoctor.cluster.kinds.core import Node, Service
from kubedoctor.cluster.kinds.networking import EndpointSlice
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.services.ports import declared_ports
from kubedoctor.replay.services.proxy import Fate, ProxyClient, ProxyVerdict, ServiceProxy
from kubedoctor.replay.services.slices import PlannedEndpoint, PlannedSlice, lost_with_node, planned_slices
from kubedoctor.testing.asked import Answer, State, converted

OUTSIDE = "outside"
_ROUTES = ["unreachable", "timeout"]


def answer_client(request: msgspec.Raw, state: State) -> Answer:
    """What a client may see of a connection, the likelier outcome first."""
    data = msgspec.json.decode(request)
    deleted = data["service"] if data["way"].endswith("-after-deletion") else ""
    services = [service for service in state.of(Service) if service.name != deleted]
    settings = state.settings
    node = next((row for row in state.of(Node) if row.name == settings.get("node")), None)
    proxy = ServiceProxy(
        services,
        state.of(EndpointSlice),
        node,
        data["mode"],
        (settings["service_cidr"],) if settings.get("service_cidr") else (),
        ("127.0.0.0/8", *_bridge(settings.get("pod_cidr", ""))),
    )
    if data["way"] == "health-check-node-port":
        service = next(service for service in services if service.name == data["service"])
        return {"outcomes": ["200" if proxy.healthy_locally(service) else "503"]}
    address, _, port = data["address"].rpartition(":")
    client = ProxyClient(data["from"] == OUTSIDE, _address_of(data["from"], state))
    verdict = proxy.connect(address.strip("[]"), int(port), data["protocol"], client)
    return {"outcomes": _outcomes(verdict, address, int(port), data["protocol"], state)}


def _bridge(pod_range: str) -> tuple[str, ...]:
    """The first address of the node's pods is the bridge's."""
    base, dot, _ = pod_range.partition("/")[0].rpartition(".")
    return (f"{base}.1/32",) if dot else ()


def _address_of(name: str, state: State) -> str | None:
    return next((pod.status.pod_ip for pod in state.of(Pod) if pod.name == name), None)


def _outcomes(verdict: ProxyVerdict, address: str, port: int, protocol: str, state: State) -> list[str]:
    if verdict.fate is Fate.REFUSED or verdict.fate is Fate.LOCAL:
        return ["refused"]
    if verdict.fate is Fate.DROPPED:
        return ["timeout"]
    if verdict.fate is Fate.SENT:
        reached = [(row.address, row.port) for row in verdict.endpoints]
    elif any(address == pod.status.pod_ip for pod in state.of(Pod)):
        reached = [(address, port)]
    else:
        return _ROUTES
    # What a program listens on stands nowhere: what its pod declares makes one outcome the likelier.
    expected = any(_may_listen(*end, protocol, state) for end in reached)
    return ["connected", "refused"] if expected else ["refused", "connected"]


def _may_listen(address: str, port: int, protocol: str, state: State) -> bool:
    pods = [pod for pod in state.of(Pod) if pod.status.pod_ip == address]
    ports = [declared for pod in pods for _, declared in declared_ports(pod)]
    return not ports or any(row.container_port == port and (row.protocol or "TCP") == protocol for row in ports)


def answer_slices(request: msgspec.Raw) -> Answer:
    """The slices that the controller creates for a Service."""
    data = msgspec.json.decode(request)
    service = converted(Service, data["service"])
    pods = [converted(Pod, pod) for pod in data.get("pods") or ()]
    nodes = State(data.get("nodes") or ()).of(Node)
    writes = [_write(service, planned) for planned in planned_slices(service, pods, nodes, prefers_same=False)]
    answer: Answer = {"writes": sorted(writes, key=msgspec.json.encode)}
    known = {node.name for node in nodes}
    lost = [pod for pod in pods if lost_with_node(pod, service, known)]
    if problems := _skipped(service, lost):
        answer["error"] = problems
    return answer


def _skipped(service: Service, pods: list[Pod]) -> str:
    texts = [
        f"skipping Pod {pod.name} for Service {service.namespace}/{service.name}: Node {pod.spec.node_name} Not Found"
        for pod in pods
    ]
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]" if texts else ""


def _write(service: Service, planned: PlannedSlice) -> Answer:
    write: Answer = {"verb": "create", "addressType": planned.family, "labels": dict(planned.labels)}
    if planned.ports:
        write["ports"] = [_port(*port) for port in planned.ports]
    if planned.endpoints:
        write["endpoints"] = [_endpoint(service, row) for row in planned.endpoints]
    return write


def _port(name: str, protocol: str, number: int, application: str | None) -> Answer:
    port: Answer = {"name": name, "protocol": protocol, "port": number}
    return {**port, "appProtocol": application} if application else port


def _endpoint(service: Service, row: PlannedEndpoint) -> Answer:
    pod = row.pod
    hints = {
        "forZones": [{"name": zone} for zone in row.zones or ()],
        "forNodes": [{"name": node} for node in row.nodes or ()],
    }
    optional: dict[str, Any] = {
        "hostname": row.hostname_for(service),
        "nodeName": pod.spec.node_name,
        "zone": row.zone,
        "hints": {key: value for key, value in hints.items() if value},
    }
    return {
        "addresses": [row.address],
        "conditions": {"ready": row.ready, "serving": row.serving, "terminating": row.terminating},
        "targetRef": {"kind": "Pod", "namespace": pod.namespace, "name": pod.name, "uid": pod.metadata.uid},
        **{key: value for key, value in optional.items() if value},
    }
