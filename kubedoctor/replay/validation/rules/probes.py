"""Probes and lifecycle hooks (`validateProbe`, `validateHandler`)."""

from __future__ import annotations

from typing import Final

from kubedoctor.replay.validation import names
from kubedoctor.replay.validation.fields import Field

_HANDLERS: Final = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")


def probes(container: Field, *, restartable: bool) -> None:
    """Of one container. restartable: whether it may have probes and hooks at all, as init containers may not."""
    for kind in ("livenessProbe", "readinessProbe", "startupProbe"):
        at = container[kind]
        if not at.given:
            continue
        if not restartable:
            at.forbidden("may not be set for init containers without restartPolicy=Always")
            continue
        handler(at, ("exec", "httpGet", "tcpSocket", "grpc"))
        for field in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"):
            at[field].at_least(0)
        grace = at["terminationGracePeriodSeconds"]
        if grace.given:
            if kind == "readinessProbe":
                grace.invalid("must not be set for readinessProbes")
            elif grace.number is not None and grace.number < 1:
                grace.invalid("must be greater than 0")
        threshold = at["successThreshold"]
        if kind != "readinessProbe" and threshold.number not in (None, 0, 1):
            threshold.invalid("must be 1")
    lifecycle = container["lifecycle"]
    if lifecycle.given and not restartable:
        lifecycle.forbidden("may not be set for init containers without restartPolicy=Always")
        return
    for hook in ("postStart", "preStop"):
        if lifecycle[hook].given:
            handler(lifecycle[hook], ("exec", "httpGet", "tcpSocket", "sleep"))


def handler(at: Field, allowed: tuple[str, ...]) -> None:
    """Exactly one way to ask."""
    given = [kind for kind in _HANDLERS if kind in allowed and at[kind].given]
    if not given:
        at.required("must specify a handler type")
        return
    for kind in given[1:]:
        at[kind].forbidden("may not specify more than 1 handler type")
    kind, action = given[0], at[given[0]]
    if kind == "exec":
        if not action["command"]:
            action["command"].required()
    elif kind == "sleep":
        seconds = action["seconds"]
        if seconds.number is None or seconds.number < 0:
            seconds.invalid("must be greater than 0 and less than terminationGracePeriodSeconds")
    elif kind == "grpc":
        port = action["port"]
        port.must(names.port_number(port.number or 0))
    else:
        port_of(action["port"])
        if kind == "httpGet":
            if not action["path"] and action["path"].given:
                action["path"].required()
            action["scheme"].one_of(("HTTP", "HTTPS"))
            for header in action["httpHeaders"].each():
                if not header["name"].text:
                    header["name"].invalid("a valid HTTP header must consist of alphanumeric characters or '-'")


def port_of(at: Field) -> None:
    """A number, or the name of a port (`ValidatePortNumOrName`)."""
    if isinstance(at.value, str):
        at.must(names.port_name(at.text))
    else:
        at.must(names.port_number(at.number or 0))
