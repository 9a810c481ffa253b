"""Bindings that give nothing, and rights by which somebody may gain others, as a sheet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from kubedoctor.answers.sheet import Cell, Conclusion, Fact, Sheet, SheetRow, Table
from kubedoctor.cluster.grammar.text import counted, listed
from kubedoctor.cluster.kinds.control import ClusterRoleBinding, RoleBinding
from kubedoctor.cluster.kinds.core import Namespace, ServiceAccount
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.findings.commands import look_at
from kubedoctor.replay.permissions.escalation import EscalationPath, escalation_paths
from kubedoctor.replay.permissions.grants import ROLE_KINDS, Binding, full_name, role_of, rules_of

_DEFAULTS: Final = ("kubernetes.io/bootstrapping", "rbac-defaults")
"""The label of what the API server creates itself."""
_WORDS: Final = {
    EscalationPath.EVERYTHING: "do everything",
    EscalationPath.ESCALATE: "give itself any right",
    EscalationPath.BIND: "bind any role to itself",
    EscalationPath.IMPERSONATE: "act as others",
    EscalationPath.TOKEN: "get tokens of ServiceAccounts",
    EscalationPath.SECRETS: "read Secrets, tokens among them",
    EscalationPath.EXEC: "run commands in pods, with their ServiceAccounts",
    EscalationPath.NODES: "run commands in the pods of nodes through kubelets",
}


class _Grant(NamedTuple):
    binding: Binding
    role: Ref
    kind: str
    subject: str


def audit_sheet(namespace: str, cluster: Cluster) -> Sheet:
    """namespace: whose RoleBindings are looked at besides ClusterRoleBindings; empty for all."""
    kinds = (*ROLE_KINDS, ServiceAccount, Namespace)
    cluster.together(*(lambda kind=kind: cluster.maybe.all(kind) for kind in kinds))
    bindings = [binding for binding in _bindings(namespace, cluster) if not _is_default(binding)]
    nothing = [(binding, role_of(binding)) for binding in bindings if _gives_nothing(role_of(binding), cluster)]
    grants = [grant for binding in bindings for grant in _grants(binding)]
    gone = [grant for grant in grants if _is_gone(grant, cluster)]
    paths = [row for grant in grants if grant not in gone for row in _paths(grant, cluster)]
    blind = any(gap.kind in {kind.__name__ for kind in ROLE_KINDS} for gap in cluster.gaps)
    trouble = bool(nothing or gone)
    return Sheet(
        f"permissions in {namespace}" if namespace else "permissions in all namespaces",
        _verdict(len(nothing), len(gone), len({(row.cells[0], row.cells[1]) for row in paths}), blind=blind),
        Conclusion.UNKNOWN if blind else Conclusion.TROUBLE if trouble else Conclusion.ACCOUNT,
        facts=(
            Fact(
                "note",
                "bindings that the API server creates itself are not listed; group system:masters may do everything",
            ),
        ),
        tables=(
            *_table(
                ("BINDING", "ROLE THAT DOES NOT EXIST"),
                [_row(ref(one).title, role.title, about=ref(one)) for one, role in nothing],
            ),
            *_table(
                ("BINDING", "SUBJECT THAT DOES NOT EXIST"),
                [_row(ref(one.binding).title, f"{one.kind} {one.subject}", about=ref(one.binding)) for one in gone],
            ),
            *_table(("KIND", "SUBJECT", "MAY", "BY", "WHERE", "BINDING"), paths),
        ),
        next=tuple(look_at(ref(binding), "which role it gives to whom") for binding, _ in nothing[:1]),
        data={
            "without_role": [{"binding": ref(binding), "role": role} for binding, role in nothing],
            "without_subject": [
                {"binding": ref(one.binding), "kind": one.kind, "subject": one.subject} for one in gone
            ],
            "escalation": [
                {
                    "kind": row.cells[0].text,
                    "subject": row.cells[1].text,
                    "may": row.cells[2].text,
                    "by": row.cells[3].text,
                    "where": row.cells[4].text,
                    "binding": row.about,
                }
                for row in paths
            ],
        },
    )


def _verdict(nothing: int, gone: int, powerful: int, *, blind: bool) -> str:
    parts = [f"{counted(nothing, 'binding')} to a role that does not exist"] if nothing else []
    parts += [f"{counted(gone, 'subject')} that {'does' if gone == 1 else 'do'} not exist"] if gone else []
    parts += [f"{counted(powerful, 'subject')} that may gain the rights of others"] if powerful else []
    text = (
        ", ".join(parts)
        or "all bindings give a role to subjects that exist, none of them a way to the rights of others"
    )
    return f"{text}, as far as roles and bindings could be read" if blind else text


def _bindings(namespace: str, cluster: Cluster) -> Iterator[Binding]:
    yield from cluster.maybe.all(ClusterRoleBinding)
    yield from cluster.maybe.all(RoleBinding, namespace) if namespace else cluster.maybe.all(RoleBinding)


def _is_default(binding: Binding) -> bool:
    return binding.labels.get(_DEFAULTS[0]) == _DEFAULTS[1]


def _gives_nothing(role: Ref, cluster: Cluster) -> bool:
    """Whether the role is known not to exist."""
    kind = next((kind for kind in ROLE_KINDS if kind.__name__ == role.kind), None)
    return kind is not None and cluster.maybe.get_ref(role) is None and cluster.has_all(kind, role.namespace)


def _grants(binding: Binding) -> Iterator[_Grant]:
    for subject in binding.subjects or ():
        yield _Grant(binding, role_of(binding), subject.kind, full_name(subject, binding.namespace))


def _is_gone(grant: _Grant, cluster: Cluster) -> bool:
    """Only ServiceAccounts are objects."""
    if grant.kind != "ServiceAccount":
        return False
    namespace, _, name = grant.subject.partition("/")
    if not namespace:
        return True
    return cluster.maybe.get(ServiceAccount, namespace, name) is None and cluster.has_all(ServiceAccount, namespace)


def _paths(grant: _Grant, cluster: Cluster) -> Iterator[SheetRow]:
    inside = isinstance(grant.binding, RoleBinding)
    ways: dict[str, list[str]] = {}
    for rule in rules_of(grant.role, cluster) or ():
        for way in escalation_paths(rule, in_namespace=inside):
            only = f" ({listed(way.names, 2)} only)" if way.names else ""
            ways.setdefault(_WORDS[way.path], []).append(f"{way.verb} {way.resource}{only}")
    if _WORDS[EscalationPath.EVERYTHING] in ways:
        ways = {_WORDS[EscalationPath.EVERYTHING]: ["* on *"]}
    where = f"namespace {grant.binding.namespace}" if inside else "cluster"
    for words, by in ways.items():
        yield _row(
            grant.kind,
            grant.subject,
            words,
            listed(list(dict.fromkeys(by)), 3),
            where,
            ref(grant.binding).title,
            about=ref(grant.binding),
        )


def _row(*texts: str, about: Ref) -> SheetRow:
    return SheetRow(tuple(Cell(text) for text in texts), about)


def _table(columns: tuple[str, ...], rows: list[SheetRow]) -> tuple[Table, ...]:
    return (Table(columns, tuple(rows)),) if rows else ()
