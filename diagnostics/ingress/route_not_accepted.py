"""Gateway API: route or Gateway is not accepted.

## What it means
The controller of the Gateway does not serve a route, a listener or the whole Gateway. Requests for its names get 404, 500,
or no answer; what was accepted before may still be served.

## Why it happens
- The listener takes routes of other namespaces, kinds or host names only: without `allowedRoutes` it takes those of its own
  namespace.
- The route names a Gateway, a listener (`sectionName`) or a port that does not exist.
- A backend Service does not exist, or is in another namespace without a ReferenceGrant there.
- The Secret of a listener's certificate is missing, or is no TLS Secret.
- Two listeners have the same port and host name.
- The GatewayClass does not exist, or no controller accepts it.
- The load balancer of the Gateway gets no address, or the proxies of the Gateway do not run.

## How to fix it
Read the condition that is False: `Accepted` is about attaching, `ResolvedRefs` about what is referred to, `Programmed`
about the data plane. Then correct the route, the listener, or create what is missing.

## References
- https://gateway-api.sigs.k8s.io/concepts/api-overview/#attaching-routes-to-gateways
- https://gateway-api.sigs.k8s.io/api-types/referencegrant/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from diagnostics.ingress._grants import not_granted
from diagnostics.ingress._route_backends import missing_backends
from kubedoctor.answers.statements import Meaning, stated_finding, troubles_of
from kubedoctor.cluster import (
    CannotSee,
    Cluster,
    CustomResource,
    Event,
    Evidence,
    Namespace,
    Ref,
    Service,
    controller_of,
    has_path,
    listed,
    misspellings,
    quote,
    ref,
)
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic, edit_command
from kubedoctor.replay.gateway.attachment import (
    GATEWAY,
    GATEWAY_CLASS,
    GROUP,
    Listener,
    Refused,
    hostnames_of,
    is_unused_class,
    listeners_of,
    parents,
    refused,
    selected_listeners,
)
from kubedoctor.replay.gateway.grants import GRANT
from kubedoctor.replay.messages.classes import MessageClass
from kubedoctor.replay.status.messages import StatedTrouble
from kubedoctor.replay.status.vocabulary import START

_C = MessageClass
_MEANINGS: Final = {
    _C.GATEWAY_NOT_ALLOWED: Meaning("no listener takes the route", "Allow the route in allowedRoutes of the listener, or attach it to another one"),
    _C.GATEWAY_HOSTNAME: Meaning("no listener has a host name of the route", "Correct spec.hostnames of the route, or the hostname of the listener"),
    _C.GATEWAY_PARENT: Meaning("there is no such listener", "Correct parentRefs of the route: name, namespace, sectionName and port"),
    _C.GATEWAY_BACKEND_MISSING: Meaning("a backend cannot be used", "Correct the backend: name, port and protocol of the Service"),
    _C.GATEWAY_REFERENCE_GRANT: Meaning("it may not refer to another namespace", "Create a ReferenceGrant in the namespace that is referred to"),
    _C.GATEWAY_FILTER: Meaning("a filter cannot be used", "Correct the filter, or use one that the controller supports"),
    _C.GATEWAY_CONFLICT: Meaning("it conflicts with another object", "Give each listener of a port its own hostname, or remove one of the two"),
    _C.GATEWAY_CERTIFICATE_REF: Meaning("the certificate of a listener cannot be used", "Create the TLS Secret that the listener names, or correct certificateRefs"),
    _C.GATEWAY_CLASS: Meaning("its GatewayClass cannot be used", "Correct the GatewayClass, or what its parametersRef names"),
    _C.GATEWAY_INVALID: Meaning("a rule or a value of it is not accepted", "Correct the rule or the value that the message names, or use what the controller supports"),
    _C.GATEWAY_NOT_PROGRAMMED: Meaning("no data plane serves it", "See whether the proxies of the Gateway run and its Service gets an address"),
}  # fmt: skip
_REFUSED: Final = {
    Refused.KIND: "takes routes of other kinds only",
    Refused.OTHER_NAMESPACE: "takes routes of its own namespace only (allowedRoutes.namespaces.from: Same)",
    Refused.EVERY_ROUTE: "takes no routes (allowedRoutes.namespaces.from: None)",
    Refused.LABELS_OF_NAMESPACE: "takes routes of namespaces with other labels only",
}
_ROUTES: Final = tuple(f"{kind}.{GROUP}" for kind in ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"))
_MOST: Final = 3
_OF_GATEWAY: Final = "gateway.networking.k8s.io/gateway-name"
_OWNER: Final = "gateway.envoyproxy.io/owning-gateway"


@diagnostic(
    code="KD2302",
    subject=_ROUTES[0],
    also_subjects=(*_ROUTES[1:], GATEWAY, GATEWAY_CLASS),
    severity=Severity.CRITICAL,
    reads=(Event, Namespace, Service, GRANT),
    symptoms=("NotAllowedByListeners", "NoMatchingParent", "BackendNotFound", "RefNotPermitted", "404", "500"),
)
def route_not_accepted(obj: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    if obj.metadata.deletion_timestamp is not None:
        return
    if obj.kind == "GatewayClass":
        cluster.maybe.all_named(GATEWAY)
        if is_unused_class(obj, cluster.snapshot):
            return
    troubles = tuple(
        trouble
        for trouble in troubles_of(obj, cluster)
        if trouble.reading.message_class in _MEANINGS and not _is_left_behind(obj, trouble)
    )
    if troubles:
        finding = stated_finding(obj, troubles, _MEANINGS, cluster)
        replayed = None
        if _is_about_attaching(troubles[0].reading.message_class):
            replayed = _replayed(obj, cluster)
        elif troubles[0].reading.message_class is _C.GATEWAY_REFERENCE_GRANT:
            replayed = not_granted(obj, cluster)
        elif troubles[0].reading.message_class is _C.GATEWAY_BACKEND_MISSING:
            replayed = missing_backends(obj, cluster)
        elif obj.kind == "Gateway" and troubles[0].reading.message_class is _C.GATEWAY_NOT_PROGRAMMED:
            finding = msgspec.structs.replace(finding, because_of=(*finding.because_of, *_entrances(obj, cluster)))
        yield _joined(finding, replayed) if replayed is not None else finding
    elif not (obj.status or {}).get("parents") and not (obj.status or {}).get("conditions"):
        unanswered = _nobody_answers(obj, cluster)
        if unanswered is not None:
            yield unanswered


def _entrances(gateway: CustomResource, cluster: Cluster) -> tuple[Ref, ...]:
    """The Services of its data plane: owned by the Gateway, or labelled with its name."""
    return tuple(
        ref(service)
        for service in cluster.maybe.all(Service)
        if (service.namespace == gateway.namespace and service.labels.get(_OF_GATEWAY) == gateway.name)
        or controller_of(service) == ref(gateway)
        or (
            service.labels.get(f"{_OWNER}-name") == gateway.name
            and service.labels.get(f"{_OWNER}-namespace") == gateway.namespace
        )
    )


def _is_left_behind(route: CustomResource, trouble: StatedTrouble) -> bool:
    """A status about a parent that the spec no longer names: controllers leave these behind."""
    if not trouble.path.startswith("status.parents["):
        return False
    path = f"{trouble.path.partition('].')[0]}].parentRef"
    names = {
        (str(row.get("namespace") or route.metadata.namespace), str(row.get("name")))
        for row in (route.spec or {}).get("parentRefs") or ()
        if isinstance(row, dict)
    }
    if not has_path(route, f"{path}.name") or not names:
        return False
    place = quote(route, f"{path}.namespace").text if has_path(route, f"{path}.namespace") else route.metadata.namespace
    return (place, quote(route, f"{path}.name").text) not in names


def _is_about_attaching(message_class: MessageClass) -> bool:
    return message_class in (_C.GATEWAY_NOT_ALLOWED, _C.GATEWAY_HOSTNAME, _C.GATEWAY_PARENT)


def _joined(finding: Finding, replayed: Finding) -> Finding:
    """The replay says which part of which Gateway decides; the message of the controller stays as evidence."""
    return msgspec.structs.replace(
        finding,
        summary=replayed.summary,
        evidence=(*replayed.evidence, *finding.evidence),
        fixes=replayed.fixes,
        commands=(*finding.commands, *replayed.commands),
    )


def _replayed(route: CustomResource, cluster: Cluster) -> Finding | None:
    """Why no listener of its parents takes the route; None where the replay finds one, or sees no Gateway."""
    namespace = cluster.maybe.get(Namespace, "", route.metadata.namespace)
    clauses: list[str] = []
    evidence: list[Evidence] = []
    fixes: list[Fix] = []
    for parent in parents(route):
        gateway = cluster.maybe.get_ref(parent.gateway)
        if not isinstance(gateway, CustomResource):
            continue
        listeners = selected_listeners(parent, gateway)
        if not listeners:
            finding = _no_listener(route, parent.path, parent.section, gateway)
            clauses.append(finding.summary)
            evidence += finding.evidence
            fixes += finding.fixes
        for listener in listeners:
            why = refused(route, listener, namespace)
            if why is None:
                return None
            clauses.append(f"listener {listener.name} of {ref(gateway).title} {_words(why[0], listener, route)}")
            evidence.append(quote(gateway, why[1], "what the listener takes"))
            fixes.append(_repair(why[0], listener, route))
    if not clauses:
        return None
    return Finding(
        about=ref(route),
        summary="; ".join(clauses[:_MOST]),
        evidence=tuple(fact for at, fact in enumerate(evidence) if fact not in evidence[:at]),
        confidence=Confidence.CERTAIN,
        fixes=tuple(dict.fromkeys(fixes))[:_MOST],
    )


def _words(why: Refused, listener: Listener, route: CustomResource) -> str:
    if why is Refused.HOSTNAME:
        return f"is for {listener.hostname}, the route for {listed(hostnames_of(route), _MOST)}"
    return _REFUSED[why]


def _repair(why: Refused, listener: Listener, route: CustomResource) -> Fix:
    edit = edit_command(ref(listener.gateway))
    match why:
        case Refused.HOSTNAME:
            return Fix(
                f"Correct spec.hostnames of the route, or hostname of listener {listener.name}",
                edit_command(ref(route)),
            )
        case Refused.KIND:
            return Fix(f"Add {route.kind} to allowedRoutes.kinds of listener {listener.name}", edit)
        case Refused.LABELS_OF_NAMESPACE:
            return Fix(f"Give namespace {route.metadata.namespace} the labels that listener {listener.name} selects")
    return Fix(
        f"Allow namespace {route.metadata.namespace} in listener {listener.name}: allowedRoutes.namespaces.from: Selector"
        f" with the label kubernetes.io/metadata.name: {route.metadata.namespace}",
        edit,
    )


def _no_listener(route: CustomResource, path: str, section: str, gateway: CustomResource) -> Finding:
    there = [listener.name for listener in listeners_of(gateway)]
    field = next(field for field in ("sectionName", "port", "name") if has_path(route, f"{path}.{field}"))
    near = next(iter(misspellings(section, there, 1)), "") if section else ""
    named = (
        f"listener {section}" if section else "listener on the port of the route's parentRef" if there else "listeners"
    )
    guess = f"; did you mean {near}?" if near else f", only {listed(there, 5)}" if there else ""
    return Finding(
        about=ref(route),
        summary=f"{ref(gateway).title} has no {named}{guess}",
        evidence=(quote(route, f"{path}.{field}", "the Gateway has no such listener"),),
        confidence=Confidence.CERTAIN,
        fixes=(Fix(f"Correct {field} in parentRefs of the route", edit_command(ref(route))),),
    )


def _nobody_answers(obj: CustomResource, cluster: Cluster) -> Finding | None:
    """No controller has written a status: what the object names does not exist."""
    created = obj.metadata.creation_timestamp
    if created is not None and cluster.taken_at - created < START:
        return None
    if obj.kind == "Gateway":
        name = (obj.spec or {}).get("gatewayClassName")
        named = [("spec.gatewayClassName", Ref(GATEWAY_CLASS, "", name))] if isinstance(name, str) and name else []
    else:
        named = [(f"{parent.path}.name", parent.gateway) for parent in parents(obj)]
    for path, target in named:
        try:
            if cluster.get_ref(target) is None and has_path(obj, path):
                return _absent(obj, path, target, cluster)
        except CannotSee:
            continue
    return None


def _absent(obj: CustomResource, path: str, target: Ref, cluster: Cluster) -> Finding:
    others = cluster.maybe.all_named(target.kind)
    same_name = [ref(other) for other in others if other.metadata.name == target.name]
    near = misspellings(target.name, {o.metadata.name for o in others if o.metadata.namespace == target.namespace}, 1)
    guess = ""
    if near:
        guess = f"; did you mean {near[0]}?"
    elif same_name:
        guess = f"; {same_name[0].title} does"
    elif others:
        guess = f", only {listed((ref(other).title for other in others), _MOST)}"
    return Finding(
        about=ref(obj),
        summary=f"{target.title} does not exist{guess}",
        evidence=(quote(obj, path, "no object of this name"),),
        confidence=Confidence.CERTAIN,
        fixes=(Fix(f"Correct {path} of the {obj.kind}, or create {target.title}", edit_command(ref(obj))),),
        commands=(Command(ref(obj).describe_command, "its conditions and events"),),
    )
