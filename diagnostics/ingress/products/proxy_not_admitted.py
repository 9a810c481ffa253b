"""Router does not admit a Route or HTTPProxy.

## What it means
The router of OpenShift, or Contour, read the object and does not serve it: its host gets 503 or 404, or another application
answers.

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
    evidence: list[Evidence] = [
        quote(proxy, f"{base}.errors[{at}].message", str(error.get("type") or ""))
        for at, error in enumerate(errors[:_MOST])
        if error.get("message")
    ]
    yield Finding(
        about=ref(proxy),
        summary=f"Contour does not serve the HTTPProxy: {says or row.get('message') or row.get('reason')}",
        evidence=tuple(evidence) or (quote(proxy, f"{base}.status"),),
        confidence=Confidence.CERTAIN,
        severity=Severity.WARNING if orphaned else None,
        fixes=(Fix("Correct what the message names", edit_command(ref(proxy))),),
        commands=(Command(ref(proxy).describe_command, "its status and events"),),
    )


def _rows(value: object) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
