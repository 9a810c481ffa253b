"""Ingresses and network policies (`pkg/apis/networking/validation`, v1.37)."""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from kubedoctor.replay.validation import names
from kubedoctor.replay.validation.fields import Field
from kubedoctor.replay.validation.rules.metadata import label_selector
from kubedoctor.replay.validation.rules.probes import port_of

_PATH_TYPES: Final = ("Exact", "ImplementationSpecific", "Prefix")
_LONGEST_CONTROLLER: Final = 250
_INVALID_PARTS: Final = ("//", "/./", "/../", "%2f", "%2F")
_INVALID_ENDS: Final = ("/..", "/.")


def ingress(document: Field) -> None:
    spec = document["spec"]
    if not spec["rules"] and not spec["defaultBackend"].given:
        spec.invalid("either `defaultBackend` or `rules` must be specified")
    if spec["defaultBackend"].given:
        _backend(spec["defaultBackend"])
    for rule in spec["rules"].each():
        _host(rule["host"])
        http = rule["http"]
        if http.given and not http["paths"]:
            http["paths"].required()
        for path in http["paths"].each():
            _path(path)
    for tls in spec["tls"].each():
        for host in tls["hosts"].each():
            host.must(names.wildcard_subdomain(host.text) if "*" in host.text else names.dns_subdomain(host.text))
        secret = tls["secretName"]
        if secret.text:
            secret.must(names.dns_subdomain(secret.text))
    name = spec["ingressClassName"]
    if name.given:
        name.must(names.dns_subdomain(name.text))


def _host(at: Field) -> None:
    if not at.text:
        return
    try:
        ipaddress.ip_address(at.text)
    except ValueError:
        at.must(names.wildcard_subdomain(at.text) if "*" in at.text else names.dns_subdomain(at.text))
    else:
        at.invalid("must be a DNS name, not an IP address")


def _path(at: Field) -> None:
    kind, path = at["pathType"], at["path"]
    if not kind.given:
        kind.required("pathType must be specified")
    elif kind.text in ("Exact", "Prefix"):
        if not path.text.startswith("/"):
            path.invalid("must be an absolute path")
        for part in _INVALID_PARTS:
            if part in path.text:
                path.invalid(f"must not contain '{part}'")
        for end in _INVALID_ENDS:
            if path.text.endswith(end):
                path.invalid(f"cannot end with '{end}'")
    elif kind.text == "ImplementationSpecific":
        if path.text and not path.text.startswith("/"):
            path.invalid("must be an absolute path")
    else:
        kind.unsupported(_PATH_TYPES)
    _backend(at["backend"])


def _backend(at: Field) -> None:
    service, resource = at["service"], at["resource"]
    if service.given and resource.given:
        at.invalid("cannot set both resource and service backends")
    elif resource.given:
        for key in ("kind", "name"):
            if not resource[key].text:
                resource[key].required()
    elif not service.given:
        at.required("must specify a service or resource backend")
    else:
        if not service["name"].text:
            service["name"].required()
        else:
            service["name"].must(names.dns_label_1035(service["name"].text))
        port = service["port"]
        if port["name"].text and port["number"].number:
            port.invalid("cannot set both port name & port number")
        elif port["name"].text:
            port["name"].must(names.port_name(port["name"].text))
        elif port["number"].number:
            port["number"].must(names.port_number(port["number"].number))
        else:
            port.required("port name or number is required")


def ingress_class(document: Field) -> None:
    controller = document["spec"]["controller"]
    if not controller.text:
        controller.required()
        return
    problems = names.domain_prefixed_path(controller.text)
    controller.must(problems)
    if len(controller.text) > _LONGEST_CONTROLLER:
        controller.too_long(_LONGEST_CONTROLLER)
    parameters = document["spec"]["parameters"]
    if parameters.given:
        for key in ("kind", "name"):
            if not parameters[key].text:
                parameters[key].required()
        scope = parameters["scope"]
        scope.one_of(("Cluster", "Namespace"))
        if scope.text == "Namespace" and not parameters["namespace"].text:
            parameters["namespace"].required("`parameters.scope` is set to 'Namespace'")


def network_policy(document: Field) -> None:
    spec = document["spec"]
    label_selector(spec["podSelector"])
    seen: set[Any] = set()
    for kind in spec["policyTypes"].each():
        if kind.text not in ("Ingress", "Egress"):
            kind.unsupported(("Egress", "Ingress"))
        kind.unlike(seen)
    for key, peers in (("ingress", "from"), ("egress", "to")):
        for rule in spec[key].each():
            for port in rule["ports"].each():
                _port(port)
            for peer in rule[peers].each():
                _peer(peer)


def _port(at: Field) -> None:
    at["protocol"].one_of(("SCTP", "TCP", "UDP"))
    port, end = at["port"], at["endPort"]
    if port.given:
        port_of(port)
    if end.given:
        if not port.given:
            end.required("may not be specified when `port` is not specified")
        elif isinstance(port.value, str):
            end.invalid("may not be specified when `port` is non-numeric")
        elif (end.number or 0) < (port.number or 0):
            end.invalid("must be greater than or equal to `port`")


def _peer(at: Field) -> None:
    block = at["ipBlock"]
    selectors = [key for key in ("podSelector", "namespaceSelector") if at[key].given]
    for key in selectors:
        label_selector(at[key])
    if block.given:
        _block(block)
        if selectors:
            at.forbidden("may not specify both ipBlock and another peer")
    elif not selectors:
        at.required("must specify a peer")


def _block(at: Field) -> None:
    if not at["cidr"].text:
        at["cidr"].required()
        return
    try:
        whole = _network(at["cidr"].text)
    except ValueError:
        at["cidr"].invalid("must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")
        return
    for left_out in at["except"].each():
        try:
            part = _network(left_out.text)
        except ValueError:
            left_out.invalid("must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")
            continue
        if part.version != whole.version or not part.subnet_of(whole) or part.prefixlen <= whole.prefixlen:  # type: ignore[arg-type]  # the versions are equal
            left_out.invalid("must be a strict subset of `cidr`")


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Of a CIDR, which an address alone is not. Raises ValueError."""
    if "/" not in text:
        raise ValueError(text)
    return ipaddress.ip_network(text, strict=False)
