"""What Istio's validating webhook refuses at once (`pkg/config/validation/validation.go`, 1.27), a few of its rules."""

from __future__ import annotations

from typing import Final

from kubedoctor.replay.validation.fields import Field


def virtual_service(document: Field) -> None:
    """A delegate of another one has no hosts; the object alone does not show it, and Istio warns of it too."""
    spec = document["spec"]
    if not spec["hosts"]:
        spec["hosts"].required("virtual service must have at least one host")
    if not any(spec[kind] for kind in ("http", "tcp", "tls")):
        spec["http"].required("http, tcp or tls must be provided in virtual service")


def destination_rule(document: Field) -> None:
    if not document["spec"]["host"].text:
        document["spec"]["host"].required("destination rule host cannot be empty")
    seen: set[str] = set()
    for subset in document["spec"]["subsets"].each():
        if not subset["name"].text:
            subset["name"].required()
        subset["name"].unlike(seen)


def gateway(document: Field) -> None:
    if not document["spec"]["servers"]:
        document["spec"]["servers"].required("gateway must have at least one server")


def service_entry(document: Field) -> None:
    if not document["spec"]["hosts"]:
        document["spec"]["hosts"].required("service entry must have at least one host")


RULES: Final = {
    "VirtualService": virtual_service,
    "DestinationRule": destination_rule,
    "Gateway": gateway,
    "ServiceEntry": service_entry,
}
"""Kinds of the group networking.istio.io."""
GROUP: Final = "networking.istio.io"
