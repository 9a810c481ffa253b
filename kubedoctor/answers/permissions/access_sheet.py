"""Whether somebody may do something, and why, as a sheet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from kubedoctor.answers.permissions.asked_access import Asker, asked_request, asker, has_namespaces, made_by
from kubedoctor.answers.permissions.grants import granted
from kubedoctor.answers.permissions.near_words import what_misses
from kubedoctor.answers.question import Choices
from kubedoctor.answers.sheet import Cell, Conclusion, Fact, Link, Mark, Sheet, SheetRow, Table
from kubedoctor.cluster.grammar.nearest import nearest_word
from kubedoctor.cluster.grammar.text import counted, listed
from kubedoctor.cluster.kinds.control import RoleBinding
from kubedoctor.cluster.kinds.core import ServiceAccount
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.findings.commands import kubectl
from kubedoctor.findings.model import Command, Fix
from kubedoctor.replay.permissions.authorizer import AccessDecision, authorize
from kubedoctor.replay.permissions.grants import ROLE_KINDS, allows, bindings_of, every_binding, rules_of
from kubedoctor.replay.permissions.nearest import nearest_rule
from kubedoctor.replay.permissions.refusals import Refusal

MASTERS: Final = "system:masters"
"""The API server lets this group do everything, whatever RBAC says."""
_ONLY_RBAC: Final = "other authorizers of the API server, such as webhooks, may allow it as well"


def access_sheet(namespace: str, choices: Choices, cluster: Cluster) -> Sheet:
    """namespace: in which the request is made; empty for the cluster scope."""
    request = asked_request(choices.one("verb"), choices.one("resource"), choices.one("subresource"), namespace)
    cluster.together(*(lambda kind=kind: cluster.maybe.all(kind) for kind in ROLE_KINDS))
    if not choices.one("as") and not choices.all("as-group"):
        return _who(request, cluster)
    who = asker(choices.one("as"), namespace, cluster, choices.all("as-group"))
    return _may(made_by(request, who), who, cluster)


def _may(request: Refusal, who: Asker, cluster: Cluster) -> Sheet:
    if who.problem and not who.user:
        return Sheet(who.title, who.problem, Conclusion.UNKNOWN)
    decision, links = authorize(request, cluster), tuple(_links(request, cluster))
    if who.problem:
        return _nobody(request, who, decision.allowed, links, cluster)
    notes: tuple[Fact, ...] = ()
    if MASTERS in request.member_of:
        return Sheet(
            who.title,
            f"may {request.request}: group {MASTERS} may do everything",
            Conclusion.WELL,
            data=_data(request, True),
        )
    if decision.role is not None and decision.binding is not None:
        why = f"{ref(decision.binding).title} gives it {decision.role.title}"
        return Sheet(
            who.title,
            f"may {request.request}: {why}",
            Conclusion.WELL,
            facts=notes,
            chain=links,
            next=(_asks(request),),
            data=_data(request, True, reason=decision.reason),
        )
    roles = list(dict.fromkeys(role for _, role, _ in bindings_of(request, cluster)))
    if unread := _unread(cluster):
        return Sheet(
            who.title,
            f"not known whether it may {request.request}: {unread} could not be read",
            Conclusion.UNKNOWN,
            facts=notes,
            chain=links,
            next=(_asks(request),),
            data=_data(request, None),
        )
    if (somewhere := _in_some_namespace(request, cluster)) is not None and somewhere.binding is not None:
        inside = somewhere.request.namespace
        return Sheet(
            who.title,
            f"may not {request.request}; it may in namespace {inside}: {ref(somewhere.binding).title} gives it that there",
            Conclusion.TROUBLE,
            facts=notes,
            chain=(*links, *_links(somewhere.request, cluster)),
            next=(_asks(request), _asks(somewhere.request)),
            data=_data(request, False, reason=decision.reason, message=decision.message),
        )
    near = nearest_rule(request, roles, cluster)
    why = (
        f"nearly: {what_misses(near, request)}"
        if near is not None
        else "no rule of its roles allows it"
        if roles
        else "no role is bound to it"
    )
    return Sheet(
        who.title,
        f"may not {request.request}; {why}",
        Conclusion.TROUBLE,
        facts=(*notes, Fact("note", _ONLY_RBAC)),
        chain=links,
        fixes=tuple(granted(request, roles, None, cluster)),
        next=(_asks(request),),
        data=_data(request, False, reason=decision.reason, message=decision.message),
    )


def _nobody(request: Refusal, who: Asker, allowed: bool, links: tuple[Link, ...], cluster: Cluster) -> Sheet:
    """An account that does not exist makes no request: what RBAC says of its name is only noted."""
    account = request.service_account
    known = [row.name for row in cluster.maybe.all(ServiceAccount, account[0])] if account is not None else []
    near = nearest_word(account[1], known) if account is not None else ()
    meant = f"; did you mean {', '.join(near)}?" if near else ""
    fixes = [Fix(f"Ask about one that exists: {listed(sorted(known), 5)}")] if known else []
    if account is not None:
        create = kubectl("create", "serviceaccount", account[1], namespace=account[0])
        fixes.append(Fix(f"Or ask about --as user:{account[1]}, if a user is meant"))
        fixes.append(Fix(f"Or create {who.title}, if pods are to use it", create))
    verb = "would" if allowed else "would not"
    return Sheet(
        who.title,
        f"{who.problem}, so no pod may {request.request} with it{meant}",
        Conclusion.TROUBLE,
        facts=(Fact("note", f"RBAC {verb} allow it to an account of this name"),),
        chain=links,
        fixes=tuple(fixes),
        next=(Command(kubectl("get", "serviceaccounts", namespace=account[0] if account else ""), "those that exist"),),
        data=_data(request, False, reason=who.problem),
    )


def _unread(cluster: Cluster) -> str:
    """The bindings and roles that could not be read: without them there is no answer."""
    kinds = {kind.__name__ for kind in ROLE_KINDS}
    return ", ".join(sorted({f"{gap.kind}s" for gap in cluster.gaps if gap.kind in kinds}))


def _in_some_namespace(request: Refusal, cluster: Cluster) -> AccessDecision | None:
    """Where a request for all namespaces is allowed in one of them."""
    if request.namespace or not has_namespaces(request):
        return None
    for namespace in sorted({binding.namespace for binding in cluster.maybe.all(RoleBinding)}):
        decision = authorize(msgspec.structs.replace(request, namespace=namespace), cluster)
        if decision.allowed:
            return decision
    return None


def _links(request: Refusal, cluster: Cluster) -> Iterator[Link]:
    """The bindings that count, and whether their roles allow the request."""
    for binding, role, _ in bindings_of(request, cluster):
        rules = rules_of(role, cluster)
        allowed = any(allows(rule, request) for rule in rules or ())
        near = nearest_rule(request, [role], cluster) if not allowed else None
        gone = ", which does not exist" if rules is None else ""
        misses = f": {what_misses(near, request)}" if near is not None else ""
        yield Link(f"{ref(binding).title} → {role.title}{gone}{misses}", Mark.YES if allowed else Mark.NO, ref(binding))


def _who(request: Refusal, cluster: Cluster) -> Sheet:
    """Everybody who may."""
    rows = [
        SheetRow((Cell(kind), Cell(name), Cell(ref(binding).title), Cell(role.title)), ref(binding))
        for binding, role, subjects in every_binding(request.namespace, cluster)
        if any(allows(rule, request) for rule in rules_of(role, cluster) or ())
        for kind, name in subjects
    ]
    names = {(row.cells[0].text, row.cells[1].text) for row in rows}
    unread = _unread(cluster)
    known = f", as far as is known: {unread} could not be read" if unread else ""
    verdict = f"{counted(len(names), 'subject')} may" if names else "no binding allows it to anybody"
    return Sheet(
        request.request,
        f"{verdict}{known}",
        Conclusion.UNKNOWN if unread else Conclusion.ACCOUNT,
        facts=(Fact("note", f"group {MASTERS} may do everything, without a binding"),),
        tables=(Table(("KIND", "SUBJECT", "BINDING", "ROLE"), tuple(rows)),) if rows else (),
        data={
            "request": request.request,
            "allowed": [
                {"kind": row.cells[0].text, "name": row.cells[1].text, "binding": row.about, "role": row.cells[3].text}
                for row in rows
            ],
        },
    )


def _asks(request: Refusal) -> Command:
    """The API server's own answer."""
    what = request.path or request.what
    plain, slash, subresource = what.partition("/") if not request.path else (what, "", "")
    words = ["auth", "can-i", request.verb, f"{plain}/{request.name}" if request.name else plain]
    words += [f"--subresource={subresource}"] if slash else []
    words += [f"--as={request.user or 'anyone'}"] if request.user or request.groups else []
    words += [f"--as-group={group}" for group in request.groups or ()]
    words += ["--all-namespaces"] if has_namespaces(request) and not request.namespace else []
    return Command(kubectl(*words, namespace=request.namespace), "the API server's own answer")


def _data(request: Refusal, allowed: bool | None, **more: Any) -> dict[str, Any]:
    return {"request": request.request, "user": request.user, "allowed": allowed, **more}
