"""How services, endpoints, ingresses and network policies are printed."""

from __future__ import annotations

from datetime import datetime

from kubedoctor.sandbox.exchange import Object
from kubedoctor.sandbox.tables.printing import (
    NONE,
    UNKNOWN,
    UNSET,
    Cells,
    Printer,
    at,
    created,
    first_three,
    joined,
    label_text,
    name,
    selector_text,
)


def _load_balancer(obj: Object) -> list[str]:
    rows = at(obj, "status", "loadBalancer", "ingress", default=[])
    return sorted({row.get("ip") or row.get("hostname") or "" for row in rows} - {""})


def _external_address(obj: Object) -> str:
    kind, external = at(obj, "spec", "type"), at(obj, "spec", "externalIPs", default=[])
    if kind in ("ClusterIP", "NodePort"):
        return joined(external)
    if kind == "LoadBalancer":
        return joined([*_load_balancer(obj), *external], "<pending>")
    if kind == "ExternalName":
        return str(at(obj, "spec", "externalName", default=""))
    return UNKNOWN


def _service(obj: Object, now: datetime) -> Cells:
    ports = joined(
        f"{port.get('port')}:{port['nodePort']}/{port.get('protocol')}"
        if port.get("nodePort")
        else f"{port.get('port')}/{port.get('protocol')}"
        for port in at(obj, "spec", "ports", default=[])
    )
    addresses = at(obj, "spec", "clusterIPs", default=[])
    return [
        name(obj),
        at(obj, "spec", "type", default=""),
        addresses[0] if addresses else NONE,
        _external_address(obj),
        ports,
        created(obj, now),
        label_text(at(obj, "spec", "selector")),
    ]


def _host_port(address: str, port: object) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _endpoints(obj: Object, now: datetime) -> Cells:
    subsets = at(obj, "subsets", default=[])
    endpoints: list[str] = []
    for subset in subsets:
        addresses = [address.get("ip", "") for address in at(subset, "addresses", default=[])]
        ports = at(subset, "ports", default=[])
        if not ports:
            endpoints += addresses
        for port in ports:
            endpoints += [_host_port(address, port.get("port")) for address in addresses]
    return [name(obj), first_three(endpoints, "" if subsets else NONE), created(obj, now)]


def _endpoint_slice(obj: Object, now: datetime) -> Cells:
    ports = [str(at(port, "port", default=at(port, "name", default=""))) for port in at(obj, "ports", default=[])]
    addresses = [
        address for endpoint in at(obj, "endpoints", default=[]) for address in at(endpoint, "addresses", default=[])
    ]
    return [
        name(obj),
        obj.get("addressType", ""),
        first_three(ports, UNSET),
        first_three(addresses, UNSET),
        created(obj, now),
    ]


def _hosts(rules: list[Object]) -> str:
    hosts = [(index, rule["host"]) for index, rule in enumerate(rules) if rule.get("host")][:3]
    text = joined((host for _, host in hosts), "*")
    has_more = len(hosts) == 3 and hosts[-1][0] < len(rules) - 1
    return f"{text} + {len(rules) - 3} more..." if has_more else text


def _ingress(obj: Object, now: datetime) -> Cells:
    return [
        name(obj),
        at(obj, "spec", "ingressClassName", default=NONE),
        _hosts(at(obj, "spec", "rules", default=[])),
        joined(_load_balancer(obj), ""),
        "80, 443" if at(obj, "spec", "tls") else "80",
        created(obj, now),
    ]


def _ingress_class(obj: Object, now: datetime) -> Cells:
    default = at(obj, "metadata", "annotations", "ingressclass.kubernetes.io/is-default-class") == "true"
    parameters, text = at(obj, "spec", "parameters"), NONE
    if parameters is not None:
        group = parameters.get("apiGroup")
        text = f"{parameters.get('kind')}{f'.{group}' if group is not None else ''}/{parameters.get('name')}"
    title = f"{name(obj)} (default)" if default else name(obj)
    return [title, at(obj, "spec", "controller", default=""), text, created(obj, now)]


def _network_policy(obj: Object, now: datetime) -> Cells:
    return [name(obj), selector_text(at(obj, "spec", "podSelector", default={})), created(obj, now)]


def _service_range(obj: Object, now: datetime) -> Cells:
    return [name(obj), ",".join(at(obj, "spec", "cidrs", default=[])), created(obj, now)]


PRINTERS = {
    "Service": Printer("Name, Type, Cluster-IP, External-IP, Port(s), Age, Selector*", _service),
    "Endpoints": Printer("Name, Endpoints, Age", _endpoints),
    "EndpointSlice": Printer("Name, AddressType, Ports, Endpoints, Age", _endpoint_slice),
    "Ingress": Printer("Name, Class, Hosts, Address, Ports, Age", _ingress),
    "IngressClass": Printer("Name, Controller, Parameters, Age", _ingress_class),
    "ServiceCIDR": Printer("Name, CIDRs, Age", _service_range),
    "NetworkPolicy": Printer("Name, Pod-Selector, Age", _network_policy),
}
