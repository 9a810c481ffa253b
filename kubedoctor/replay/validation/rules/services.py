"""Services (`ValidateService`, `pkg/apis/core/validation/validation.go`, v1.37)."""

from __future__ import annotations

from typing import Any, Final

from kubedoctor.replay.validation import names
from kubedoctor.replay.validation.fields import Field
from kubedoctor.replay.validation.rules.metadata import labels
from kubedoctor.replay.validation.rules.probes import port_of

_TYPES: Final = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_POLICIES: Final = ("Cluster", "Local")
_PROTOCOLS: Final = ("SCTP", "TCP", "UDP")


def service(document: Field) -> None:
    spec = document["spec"]
    kind = spec["type"]
    kind.one_of(_TYPES)
    headless = spec["clusterIP"].text == "None"
    external = kind.text == "ExternalName"
    if external:
        target = spec["externalName"]
        if not target.text:
            target.required()
        else:
            target.must(names.dns_subdomain(target.text.removesuffix(".")))
        if spec["clusterIP"].text:
            spec["clusterIPs"].invalid("may not be set when `type` is 'ExternalName'")
    elif not spec["ports"] and not headless:
        spec["ports"].required()
    if headless and kind.text in ("NodePort", "LoadBalancer"):
        spec["clusterIPs"].invalid(f"may not be set to 'None' for {kind.text} services")
    labels(spec["selector"])
    spec["sessionAffinity"].one_of(("ClientIP", "None"))
    seconds = spec["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"]
    if spec["sessionAffinity"].text == "ClientIP" and seconds.number is not None and not 0 < seconds.number <= 86400:
        seconds.invalid("must be greater than 0 and less than 86400")
    spec["internalTrafficPolicy"].one_of(_POLICIES)
    policy = spec["externalTrafficPolicy"]
    if policy.text and kind.text not in ("NodePort", "LoadBalancer"):
        if not spec["externalIPs"]:
            policy.invalid("may only be set for externally-accessible services")
    else:
        policy.one_of(_POLICIES)
    if spec["healthCheckNodePort"].number and policy.text != "Local":
        spec["healthCheckNodePort"].invalid(
            "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        )
    for key in ("loadBalancerClass", "allocateLoadBalancerNodePorts"):
        if spec[key].given and kind.text != "LoadBalancer":
            spec[key].forbidden("may only be used when `type` is 'LoadBalancer'")
    _ports(spec["ports"], node_ports=kind.text in ("NodePort", "LoadBalancer"), headless=headless)
    spec["ipFamilyPolicy"].one_of(("SingleStack", "PreferDualStack", "RequireDualStack"))
    for family in spec["ipFamilies"].each():
        family.one_of(("IPv4", "IPv6"))
    _addresses(spec)


def _addresses(spec: Field) -> None:
    import ipaddress

    address = spec["clusterIP"]
    if address.text and address.text != "None":
        try:
            ipaddress.ip_address(address.text)
        except ValueError:
            Field(address.value, (*spec.path, "clusterIPs", 0), address.sink).invalid(
                "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
            )
    for external in spec["externalIPs"].each():
        try:
            ipaddress.ip_address(external.text)
        except ValueError:
            external.invalid("must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
    for place in spec["loadBalancerSourceRanges"].each():
        try:
            ipaddress.ip_network(place.text.strip(), strict=False)
        except ValueError:
            place.invalid("must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")


def _ports(at: Field, *, node_ports: bool, headless: bool) -> None:
    ports = list(at.each())
    used: set[Any] = set()
    pairs: set[tuple[Any, ...]] = set()
    node: set[tuple[Any, ...]] = set()
    for port in ports:
        name, number, protocol = port["name"], port["port"], port["protocol"].text or "TCP"
        if len(ports) > 1 and not name.text:
            name.required()
        elif name.text:
            name.must(names.dns_label(name.text))
            name.unlike(used)
        number.must(names.port_number(number.number or 0))
        port["protocol"].one_of(_PROTOCOLS)
        target = port["targetPort"]
        if target.given and target.value not in (0, ""):
            port_of(target)
        if (number.number, protocol) in pairs:
            port.duplicate()
        pairs.add((number.number, protocol))
        chosen = port["nodePort"]
        if chosen.number:
            if not node_ports:
                chosen.forbidden("may not be used when `type` is 'ClusterIP'")
            elif (chosen.number, protocol) in node:
                chosen.duplicate()
            elif not 30000 <= chosen.number <= 32767:
                chosen.invalid("provided port is not in the valid range. The range of valid ports is 30000-32767")
            node.add((chosen.number, protocol))
