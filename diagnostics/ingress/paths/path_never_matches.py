"""Path of an Ingress is a pattern, and is not used as one.

## What it means
A path such as `/api(/|$)(.*)` or `/*` is compared literally unless an annotation says otherwise. No request has
these letters in its path, so the rule never matches: clients get 404.

A `rewrite-target` with `$1` or `$2` needs a path with as many groups in parentheses. Without them each request of the path
goes to the rest of the target, usually `/`: pages load, their scripts and styles do not.

## Why it happens
- ingress-nginx takes paths as regular expressions only where an Ingress of the host has the annotation `use-regex: "true"` or
  a `rewrite-target`. The annotation was removed, or belongs to another controller.
- `/*` was copied from an Ingress for ALB or GCE, which know this wildcard.
- A path was added to an Ingress whose `rewrite-target` was written for the other paths.

## How to fix it
Set `use-regex`, write `/` with `pathType: Prefix` instead of `/*`, and give paths that are rewritten differently an Ingress
of their own.

## References
- https://kubernetes.github.io/ingress-nginx/user-guide/ingress-path-matching/
- https://kubernetes.github.io/ingress-nginx/examples/rewrite/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from diagnostics.ingress._controllers import controller_of_ingress
from diagnostics.ingress.paths._patterns import BRACES, PATTERN, REWRITE, has_patterns, is_pattern, paths_of
from kubedoctor.answers.proof import prove, proven
from kubedoctor.cluster import (
    Cluster,
    Ingress,
    IngressClass,
    counted,
)
from kubedoctor.cluster.changes import Change, Step, edit, put
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
from kubedoctor.replay.ingress.products import ingress_product

_NGINX, _TRAEFIK = "ingress-nginx", "Traefik"
_LITERAL: Final = (_NGINX, _TRAEFIK, "NGINX Ingress Controller")
"""Controllers that compare paths literally unless an annotation says otherwise."""
_USE_REGEX: Final = "nginx.ingress.kubernetes.io/use-regex"
_MATCHERS: Final = re.compile(r"/(use-regex|rewrite-target|path-regex|router\.(pathmatcher|rule)|rewrites|regex.*)$")
_GROUP: Final = re.compile(r"(?<!\\)\((?!\?:)")
_NUMBER: Final = re.compile(r"\$(\d)")


@diagnostic(
    code="KD2312",
    subject=Ingress,
    severity=Severity.WARNING,
    reads=(Ingress, IngressClass),
    when=has_patterns,
    symptoms=("404", "use-regex", "rewrite-target", "pathType"),
)
def path_never_matches(ingress: Ingress, cluster: Cluster) -> Iterator[Finding]:
    product = ingress_product(controller_of_ingress(ingress, cluster))
    if product is None or product.name not in _LITERAL:
        return
    for place, host, path in paths_of(ingress):
        if product.name == _TRAEFIK and BRACES.search(path):
            continue
        if is_pattern(path) and not _takes_patterns(host, ingress, cluster):
            yield _never(ingress, place, f"{host}{path}", path, product.name, cluster)
    if product.name == _NGINX:
        yield from _without_groups(ingress)


def _takes_patterns(host: str, ingress: Ingress, cluster: Cluster) -> bool:
    """Whether an Ingress of the host has the annotation: ingress-nginx then takes all paths of the host as patterns."""
    return any(
        _MATCHERS.search(key) and value.lower() not in ("", "false")
        for other in (ingress, *cluster.all(Ingress))
        if any(rule.host == host for rule in other.spec.rules or ())
        for key, value in other.annotations.items()
    )


def _never(
    ingress: Ingress, place: tuple[str | int, ...], where: str, path: str, product: str, cluster: Cluster
) -> Finding:
    fix = Fix("Write the path without a pattern", edit_command(ref(ingress)))
    if path.endswith("/*") and not PATTERN.search(path):
        plain = path[:-1] if path == "/*" else path[:-2]
        steps = Step((*place, "path"), plain), Step((*place, "pathType"), "Prefix")
        fix = _proven(f"Set the path to {plain} with pathType Prefix", edit(ref(ingress), *steps), ingress, cluster)
    elif product == _NGINX:
        change = put(ref(ingress), ("metadata", "annotations", _USE_REGEX), "true")
        fix = _proven(f'Set the annotation {_USE_REGEX}: "true"', change, ingress, cluster)
    return Finding(
        about=ref(ingress),
        aspect=where,
        summary=f"no request matches {where}: {product} compares it literally, not as a pattern",
        evidence=(quote(ingress, _path_of(place), "a pattern; no annotation makes the controller use it as one"),),
        confidence=Confidence.LIKELY,
        would_disprove="the controller is configured to take paths as patterns",
        fixes=(fix,),
        commands=(_look(ingress),),
    )


def _proven(text: str, change: Change, ingress: Ingress, cluster: Cluster) -> Fix:
    def holds(after: Cluster) -> bool:
        changed = after.get(Ingress, ingress.namespace, ingress.name)
        return changed is not None and not any(
            is_pattern(path) and not _takes_patterns(host, changed, after) for _, host, path in paths_of(changed)
        )

    return proven(Fix(text, command_line(change, ingress)), prove(change, cluster, holds))


def _without_groups(ingress: Ingress) -> Iterator[Finding]:
    target = ingress.annotations.get(REWRITE, "")
    wanted = max((int(number) for number in _NUMBER.findall(target)), default=0)
    for place, host, path in paths_of(ingress) if wanted else ():
        groups = len(_GROUP.findall(path))
        if groups >= wanted or path in ("", "/"):
            continue
        rest = _rest(target, groups)
        yield Finding(
            about=ref(ingress),
            aspect=f"{host}{path} groups",
            summary=f"each request of {host}{path} is rewritten to {rest}: rewrite-target {target} needs a path with"
            f" {counted(wanted, 'group')}, and this one has {groups or 'none'}",
            evidence=(
                quote(ingress, f"metadata.annotations[{REWRITE}]", f"uses group {wanted} of the path"),
                quote(ingress, _path_of(place), "the path"),
            ),
            confidence=Confidence.CERTAIN,
            fixes=(
                Fix(
                    f"Write the path with {counted(wanted, 'group')}{_such_as(path, target)}",
                    edit_command(ref(ingress)),
                ),
                Fix("Or move the path to an Ingress without rewrite-target"),
            ),
            commands=(_look(ingress),),
        )


def _such_as(path: str, target: str) -> str:
    """An example where the target uses one group only, and the path is plain."""
    tail = {frozenset("1"): "/(.*)", frozenset("2"): "(/|$)(.*)"}.get(frozenset(_NUMBER.findall(target)), "")
    return f", such as {path.rstrip('/')}{tail}" if tail and not is_pattern(path) and not _GROUP.search(path) else ""


def _rest(target: str, groups: int) -> str:
    """What is left of the target where the path has only so many groups."""
    return _NUMBER.sub(lambda found: found[0] if int(found[1]) <= groups else "", target) or "/"


def _path_of(place: tuple[str | int, ...]) -> str:
    return f"spec.rules[{place[2]}].http.paths[{place[5]}].path"


def _look(ingress: Ingress) -> Command:
    line = kubectl("get", "ingress", ingress.name, "-o", "yaml", namespace=ingress.namespace)
    return Command(line, "its paths and annotations")
