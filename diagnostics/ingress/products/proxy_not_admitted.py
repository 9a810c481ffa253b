"""Router does not admit a Route or HTTPProxy.

## What it means
The router of OpenShift, or Contour, read the object and does not serve it: its host gets 503 or 404, or another application
answers. Contour serves what is valid of an HTTPProxy whose Service or include is missing, and answers 503 or 502 for the rest.

## Why it happens
- The host belongs to an older Route of another namespace (HostAlreadyClaimed).
- A Secret, a Service or a port that it names does not exist.
- Two objects have the same host, or an HTTPProxy is included by no other one (orphaned).

## How to fix it
Read the message: it names the part. Correct it, or use another host.

## References
- https://docs.redhat.com/en/documentation/openshift_container_platform/latest/html/ingress_and_load_balancing/configuring-routes
- https://projectcontour.io/docs/main/config/fundamentals/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from kubedoctor.cluster import Cluster, CustomResource, listed
from kubedoctor.findings import (
    Command,
    Confidence,
    Evidence,
    Finding,
    Fix,
    Severity,
    diagnostic,
    edit_command,
    has_path,
    quote,
    ref,
)

PROXY: Final = "HTTPProxy.projectcontour.io"
ROUTE: Final = "Route.route.openshift.io"
_CLAIMED: Final = "HostAlreadyClaimed"
_NEVER: Final = "9999"
_ENDS_AT_ITS_ROUTE: Final = frozenset(
    {
        ("ServiceError", "ServiceUnresolvedReference"),
        ("IncludeError", "IncludeNotFound"),
        ("IncludeError", "RootIncludesRoot"),
        ("IncludeError", "PathMatchConditionsNotValid"),
        ("IncludeError", "DuplicateMatchConditions"),
    }
)
"""Types and reasons of Contour's errors."""
_MOST: Final = 3


@diagnostic(
    code="KD2317",
    subject=ROUTE,
    also_subjects=(PROXY,),
    severity=Severity.CRITICAL,
    reads=(),
    symptoms=("HostAlreadyClaimed", "Admitted", "invalid", "orphaned", "503"),
)
def proxy_not_admitted(obj: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    if obj.metadata.deletion_timestamp is None:
        yield from _of_router(obj, cluster) if obj.kind == "Route" else _of_contour(obj)


def _of_router(route: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    stated = [
        (row, f"status.ingress[{at}].conditions[type=Admitted]")
        for at, entry in enumerate(_rows((route.status or {}).get("ingress")))
        for row in _rows(entry.get("conditions"))
        if row.get("type") == "Admitted"
    ]
    if not stated or any(row.get("status") != "False" for row, _ in stated):
        return  # Each router that serves a shard of the Routes has a say of its own.
    row, path = stated[0]
    host = str((route.spec or {}).get("host") or "")
    claimed = row.get("reason") == _CLAIMED
    older = _holders(route, host, cluster) if claimed else []
    words = f"{row.get('reason') or 'not admitted'}: {row.get('message') or 'the router gives no reason'}"
    who = f"; {listed((ref(one).title for one in older), _MOST)} has the host" if older else ""
    evidence = [
        quote(route, f"{path}.{field}", "the router's answer")
        for field in ("reason", "message")
        if has_path(route, f"{path}.{field}")
    ]
    evidence += [quote(one, "spec.host", "the same host") for one in older[:_MOST]]
    yield Finding(
        about=ref(route),
        summary=f"the router does not admit the Route: {words}{who}",
        evidence=tuple(evidence) or (quote(route, f"{path}.status"),),
        confidence=Confidence.CERTAIN,
        fixes=(
            Fix(
                "Give the Route another host, or remove the older one" if claimed else "Correct what the message names",
                edit_command(ref(route)),
            ),
        ),
        commands=(Command(ref(route).describe_command, "its status and events"),),
    )


def _holders(route: CustomResource, host: str, cluster: Cluster) -> list[CustomResource]:
    """The older Routes of the host: of another namespace any, of its own the one with the same path."""
    name, _, group = ROUTE.partition(".")
    path = (route.spec or {}).get("path") or ""
    found = [
        one
        for one in cluster.maybe.custom(name, group)
        if ref(one) != ref(route)
        and (one.spec or {}).get("host") == host
        and _age(one) <= _age(route)
        and (one.namespace != route.namespace or ((one.spec or {}).get("path") or "") == path)
    ]
    return sorted(found, key=_age)


def _age(obj: CustomResource) -> str:
    created = obj.metadata.creation_timestamp
    return created.isoformat() if created is not None else _NEVER


def _of_contour(proxy: CustomResource) -> Iterator[Finding]:
    base = "status.conditions[type=Valid]"
    row = next((row for row in _rows((proxy.status or {}).get("conditions")) if row.get("type") == "Valid"), None)
    if row is None or row.get("status") != "False":
        return
    errors = _rows(row.get("errors"))
    says = "; ".join(str(error.get("message") or error.get("reason")) for error in errors[:_MOST])
    orphaned = (proxy.status or {}).get("currentStatus") == "orphaned"
    clause, harmless = ("Contour does not serve the HTTPProxy", True) if orphaned else _outcome(proxy, errors)
    evidence: list[Evidence] = [
        quote(proxy, f"{base}.errors[{at}].message", str(error.get("type") or ""))
        for at, error in enumerate(errors[:_MOST])
        if error.get("message")
    ]
    yield Finding(
        about=ref(proxy),
        summary=f"{clause}: {says or row.get('message') or row.get('reason')}",
        evidence=tuple(evidence) or (quote(proxy, f"{base}.status"),),
        confidence=Confidence.CERTAIN,
        severity=Severity.WARNING if harmless else None,
        fixes=(Fix("Correct what the message names", edit_command(ref(proxy))),),
        commands=(Command(ref(proxy).describe_command, "its status and events"),),
    )


def _outcome(proxy: CustomResource, errors: list[dict[str, Any]]) -> tuple[str, bool]:
    """What Contour makes of the HTTPProxy, and whether each of its routes still gets an answer. An error of a Service or
    an include that is missing ends at that route (`computeRoutes`, Contour 1.20 to 1.33), every other one removes all."""
    if not errors or any((error.get("type"), error.get("reason")) not in _ENDS_AT_ITS_ROUTE for error in errors):
        return "Contour does not serve the HTTPProxy", False
    if any(error.get("type") == "IncludeError" for error in errors):
        return "Contour serves the HTTPProxy without the parts that fail", False
    said = "\n".join(str(error.get("message")) for error in errors)
    routes = _rows((proxy.spec or {}).get("routes"))
    failing = [route for route in routes if _has_no_service(route, proxy.namespace, said)]
    if not failing:
        return "Contour serves the HTTPProxy without the Services that fail", True
    if len(failing) == len(routes) and not _rows((proxy.spec or {}).get("includes")):
        return "Contour answers 503 for every route of the HTTPProxy", False
    paths = listed(dict.fromkeys(_path_of(route) for route in failing), _MOST)
    return f"Contour answers 503 for {paths}, and serves the rest of the HTTPProxy", False


def _has_no_service(route: dict[str, Any], namespace: str, said: str) -> bool:
    """Whether the errors name each Service of the route that answers; mirrors do not."""
    services = [row for row in _rows(route.get("services")) if row.get("mirror") is not True]
    return bool(services) and all(_fails(row, namespace, said) for row in services)


def _fails(service: dict[str, Any], namespace: str, said: str) -> bool:
    """`service "shop/new" not found`, `port "81" on service "shop/web" not matched`, `shop/old is an ExternalName service`."""
    me = re.escape(f"{namespace}/{service.get('name')}")
    found = re.finditer(rf'(?:port "(?P<port>[^"]*)" on service )?(?<![\w./-])"?{me}(?![\w-])', said)
    return any(match["port"] in (None, str(service.get("port"))) for match in found)


def _path_of(route: dict[str, Any]) -> str:
    """The path that a route matches: `/api`, `exactly /health`."""
    for row in _rows(route.get("conditions")):
        for field, words in (("prefix", ""), ("exact", "exactly "), ("regex", "paths like ")):
            if row.get(field):
                return f"{words}{row[field]}"
    return "/"


def _rows(value: object) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
