"""Istio: rule of a VirtualService is never reached.

## What it means
Rules are tried in their order, and the first one that matches takes the request. An earlier rule takes everything that this
rule is for, so that its requests go to the destination of the earlier rule. istiod accepts this with a warning.

## Why it happens
- A rule without `match` stands before the others: it takes all requests.
- A rule was copied, and its `match` stayed as it was.

## How to fix it
Put the rule without `match` last, narrow rules before wide ones, and remove copies.

## References
- https://istio.io/latest/docs/reference/config/analysis/ist0130/
- https://istio.io/latest/docs/concepts/traffic-management/#routing-rule-precedence
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubedoctor.answers.mesh.outcome import requests_of
from kubedoctor.answers.proof import prove, proven
from kubedoctor.cluster import Cluster, CustomResource
from kubedoctor.cluster.changes import put
from kubedoctor.findings import (
    Command,
    Confidence,
    Finding,
    Fix,
    Severity,
    command_line,
    diagnostic,
    edit_command,
    kubectl,
    quote,
    ref,
)
from kubedoctor.replay.mesh.analysis.validation.shadowing import shadowed
from kubedoctor.replay.mesh.config import NETWORKING, VIRTUAL_SERVICE, rows, text

UNREACHABLE = "IST0130"


@diagnostic(
    code="KD6015",
    subject=VIRTUAL_SERVICE,
    severity=Severity.WARNING,
    reads=(),
    also_known_as=(UNREACHABLE,),
    symptoms=("route ignored", "wrong version answers"),
)
def rule_never_reached(service: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    if service.metadata.deletion_timestamp is not None:
        return
    for protocol in ("http", "tcp", "tls"):
        found = _own_rules(service.spec or {}, protocol)
        if not _is_shadowed(found, protocol):
            continue
        first = next((at for at, rule in found if not rule.get("match")), None)
        after = [at for at, _ in found if first is not None and at > first]
        if first is None or not after:
            yield _copied(service, protocol)
            continue
        rules = dict(found)
        taking, late = rules[first], rules[after[0]]
        wanted = next((f", also those for {requests_of(match)}" for _, match in rows(late, "match")), "")
        yield Finding(
            about=ref(service),
            aspect=protocol,
            summary=f"{protocol} rule {_name(late, after[0])} is never reached: rule {_name(taking, first)} before it"
            f" takes all requests{wanted}",
            evidence=(
                quote(service, _place(taking, protocol, first), "a rule without match, which takes all requests"),
                quote(service, _place(late, protocol, after[0]), "never reached"),
            ),
            confidence=Confidence.CERTAIN,
            fixes=(_moved(service, protocol, first, cluster) if wanted else _by_hand(service),),
            commands=(_look(service),),
        )


def _own_rules(spec: Mapping[str, Any], protocol: str) -> list[tuple[int, Mapping[str, Any]]]:
    """With their indexes. A rule with a delegate takes only what the delegate's rules match; the rest goes on."""
    return [(at, rule) for at, rule in rows(spec, protocol) if not rule.get("delegate")]


def _is_shadowed(found: list[tuple[int, Mapping[str, Any]]], protocol: str) -> bool:
    return any(problem.code == UNREACHABLE for problem in shadowed({protocol: [rule for _, rule in found]}, protocol))


def _place(rule: Mapping[str, Any], protocol: str, at: int) -> str:
    """Where the rule says what happens to its requests."""
    field = next((name for name in ("route", "redirect", "directResponse") if rule.get(name)), "")
    return f"spec.{protocol}[{at}].{field}" if field else f"spec.{protocol}[{at}]"


def _copied(service: CustomResource, protocol: str) -> Finding:
    """All matches of a rule stand in earlier ones too."""
    found = _own_rules(service.spec or {}, protocol)
    at, rule = next(row for count, row in enumerate(found, 1) if _is_shadowed(found[:count], protocol))
    return Finding(
        about=ref(service),
        aspect=protocol,
        summary=f"{protocol} rule {_name(rule, at)} is never reached: earlier rules have the same matches",
        evidence=(quote(service, f"spec.{protocol}[{at}].match", "earlier rules match the same"),),
        confidence=Confidence.CERTAIN,
        fixes=(_by_hand(service),),
        commands=(_look(service),),
    )


def _moved(service: CustomResource, protocol: str, first: int, cluster: Cluster) -> Fix:
    found = [rule for _, rule in rows(service.spec, protocol)]
    change = put(ref(service), ("spec", protocol), [*found[:first], *found[first + 1 :], found[first]])

    def is_reached(after: Cluster) -> bool:
        changed = after.get_ref(ref(service))
        return isinstance(changed, CustomResource) and not _is_shadowed(
            _own_rules(changed.spec or {}, protocol), protocol
        )

    fix = Fix(
        f"Put rule {_name(found[first], first)} last", command_line(change, service) or edit_command(ref(service))
    )
    return proven(fix, prove(change, cluster, is_reached))


def _by_hand(service: CustomResource) -> Fix:
    return Fix("Remove the rule, or give it a match of its own before the other one", edit_command(ref(service)))


def _name(rule: Mapping[str, Any], at: int) -> str:
    return text(rule.get("name")) or str(at + 1)


def _look(service: CustomResource) -> Command:
    line = kubectl("get", f"virtualservices.{NETWORKING}", service.name, "-o", "yaml", namespace=service.namespace)
    return Command(line, "the rules in their order")
