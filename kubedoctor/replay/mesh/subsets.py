"""The subsets that DestinationRules define for a host (Istio, `pkg/config/analysis/analyzers/destinationrule` and
`virtualservice/destinationrules.go`, 1.31)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.replay.mesh.config import labels, rows, text
from kubedoctor.replay.mesh.registry import covers, full_name


class Subset(NamedTuple):
    """A subset as a DestinationRule defines it. `labels`: that the pods have to have besides."""

    rule: CustomResource
    path: str
    name: str
    labels: dict[str, str]


def rules_for(host: str, rules: Iterable[CustomResource]) -> tuple[CustomResource, ...]:
    """The DestinationRules of a full host name, those of exactly this name first."""
    beginnings = (host.partition(".")[0], "*")  # A short test first: meshes have hundreds of rules.
    near = [rule for rule in rules if text((rule.spec or {}).get("host")).startswith(beginnings)]
    of_host = [(full_name(text((rule.spec or {}).get("host")), rule.namespace), rule) for rule in near]
    return tuple(
        rule for named, rule in sorted(of_host, key=lambda pair: pair[0] != host) if named and covers(named, host)
    )


def subsets_of(rule: CustomResource) -> Iterator[Subset]:
    for at, row in rows(rule.spec, "subsets"):
        name = text(row.get("name"))
        path = f"spec.subsets[name={name}]" if name and "]" not in name else f"spec.subsets[{at}]"
        yield Subset(rule, path, name, labels(row, "labels"))


def subset_named(name: str, rules: Iterable[CustomResource]) -> Subset | None:
    """The first of the DestinationRules of one host that defines the subset."""
    return next((subset for rule in rules for subset in subsets_of(rule) if subset.name == name), None)
