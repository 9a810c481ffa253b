"""What `can VERB RESOURCE --as SUBJECT` asks: the request, and who makes it."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.grammar.text import listed
from kubedoctor.cluster.kinds.core import Namespace, ServiceAccount
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.kinds.resources import kind_from_word
from kubedoctor.cluster.relations.workloads import template_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.problems import UsageProblem
from kubedoctor.replay.permissions.refusals import SERVICE_ACCOUNT, Refusal

AUTHENTICATED: Final = "system:authenticated"
SUBRESOURCES: Final = frozenset(
    [
        "approval",
        "attach",
        "binding",
        "ephemeralcontainers",
        "eviction",
        "exec",
        "finalize",
        "log",
        "portforward",
        "proxy",
        "resize",
        "scale",
        "status",
        "token",
    ]
)
"""Of the built-in kinds; objects with such a name are not expected."""
_SUBJECTS: Final = {
    "user": "user",
    "users": "user",
    "group": "group",
    "groups": "group",
    "sa": "serviceaccount",
    "serviceaccount": "serviceaccount",
    "serviceaccounts": "serviceaccount",
}
_SUBJECT_FORMS: Final = "Write NAME, NAMESPACE/NAME, NAMESPACE:NAME, deployment/NAME, user:NAME or group:NAME."
_GROUPS: Final = frozenset(
    (
        AUTHENTICATED,
        "system:unauthenticated",
        "system:masters",
        "system:nodes",
        "system:serviceaccounts",
        "system:monitoring",
        "system:bootstrappers",
    )
)
_VERB: Final = compiled_later(r"[a-z]+|\*")
_RESOURCE: Final = compiled_later(r"[a-z*][a-z0-9.*-]*")


class Asker(NamedTuple):
    """Who makes a request. problem: why that cannot be said; a clause after the title."""

    title: str
    user: str = ""
    groups: tuple[str, ...] | None = None
    problem: str = ""


def asked_request(verb: str, resource: str, subresource: str, namespace: str) -> Refusal:
    """The request. An empty namespace stands for the cluster scope, as do kinds without namespaces; a name that is one of
    the API's subresources is read as such. Raises UsageProblem."""
    if not _VERB.fullmatch(verb):
        raise UsageProblem(f"{verb!r} is not a verb of the API", "Verbs are in lower case: get, list, create, delete.")
    if resource.startswith("/"):
        return Refusal("", verb, path=resource)
    word, _, name = resource.partition("/")
    kind = kind_from_word(word)
    if kind is None and not _RESOURCE.fullmatch(word):
        raise UsageProblem(f"{resource!r} is not a resource", "Write it as pods, deployments.apps or pods/NAME.")
    plural, group = (kind.plural, kind.group) if kind is not None else _custom(word)
    if name in SUBRESOURCES and not subresource:
        name, subresource = "", name
    scoped = namespace if kind is None or kind.namespaced else ""
    full = "/".join(filter(None, (plural, subresource)))
    return Refusal("", verb, resource=full, group=group, namespace=scoped, name=name)


def has_namespaces(request: Refusal) -> bool:
    """Whether objects of the resource are in namespaces; one that is not known counts as such."""
    kind = kind_from_word(request.resource.partition("/")[0])
    return not request.path and (kind is None or kind.namespaced)


def _custom(word: str) -> tuple[str, str]:
    """`certificates.cert-manager.io` as resource and group."""
    plural, _, group = word.partition(".")
    return plural, group


def asker(word: str, namespace: str, cluster: Cluster, groups: tuple[str, ...] = ()) -> Asker:
    """A ServiceAccount, by name, `NAMESPACE/NAME` or `NAMESPACE:NAME`, the one of a workload, or a user or group as it is
    written. groups: of a user besides those that every user has; without a word they alone ask. Raises UsageProblem."""
    if not word and groups:
        return Asker(f"group {listed(groups, 3)}", "", (*groups, AUTHENTICATED))
    who = _named(word, namespace, cluster)
    if not groups:
        return who
    if who.groups is not None:
        return who._replace(groups=(*groups, *who.groups))
    return who._replace(groups=(*groups, *Refusal(who.user, "").member_of))


def _named(word: str, namespace: str, cluster: Cluster) -> Asker:
    prefix, colon, rest = word.partition(":")
    sort = _SUBJECTS.get(prefix.lower(), "")
    if (sort and colon and not rest) or word.count("/") > 1:
        raise UsageProblem(f"{word!r} is no subject", _SUBJECT_FORMS)
    if colon and sort in ("user", "group"):
        return Asker(
            f"{sort} {rest}", "" if sort == "group" else rest, (rest, AUTHENTICATED) if sort == "group" else None
        )
    if word.startswith("system:"):
        return _of_system(word, cluster)
    if "@" in word:
        return Asker(f"user {word}", word)
    if colon:  # as kubectl create rolebinding --serviceaccount has it
        return _short_account(rest if sort else word, namespace, cluster)
    if sort and cluster.maybe.get(ServiceAccount, namespace or "default", word) is None:
        raise UsageProblem(f"{word!r} lacks a name", f"Write {sort}:NAME, or -n NAMESPACE for a ServiceAccount {word}.")
    first, slash, name = word.partition("/")
    kind = kind_from_word(first) if slash else None
    if kind is not None and kind.kind != "ServiceAccount":
        return _of_workload(Ref(kind.kind, namespace, name), cluster)
    home = namespace if kind is not None or not slash else first
    return _account(home or "default", name or first, cluster)


def _short_account(text: str, namespace: str, cluster: Cluster) -> Asker:
    """`NAMESPACE:NAME`, or `NAME` alone."""
    space, colon, name = text.rpartition(":")
    if ":" in space or not name or (colon and not space):
        raise UsageProblem(f"{text!r} is no ServiceAccount", _SUBJECT_FORMS)
    return _account(space or namespace or "default", name, cluster)


def _of_system(word: str, cluster: Cluster) -> Asker:
    if word in _GROUPS or word.startswith("system:serviceaccounts:"):
        raise UsageProblem(f"{word} is a group", f"Write group:{word}.")
    if not word.startswith(SERVICE_ACCOUNT):
        return Asker(f"user {word}", word)
    account = Refusal(word, "").service_account
    if account is None or not all(account):
        raise UsageProblem(f"{word!r} is no ServiceAccount", f"Write {SERVICE_ACCOUNT}NAMESPACE:NAME.")
    return _account(*account, cluster)


def _account(namespace: str, name: str, cluster: Cluster) -> Asker:
    title = f"ServiceAccount {namespace}/{name}"
    seen = cluster.maybe.get(ServiceAccount, namespace, name)
    others = cluster.maybe.all(ServiceAccount, namespace) if seen is None else ()
    known = others or not _exists(
        namespace, cluster
    )  # Each namespace has one, default: without any they were not seen.
    gone = seen is None and known and not any(gap.kind == "ServiceAccount" for gap in cluster.gaps)
    return Asker(title, f"{SERVICE_ACCOUNT}{namespace}:{name}", problem="does not exist" if gone else "")


def _exists(namespace: str, cluster: Cluster) -> bool:
    return cluster.maybe.get(Namespace, "", namespace) is not None or not cluster.has_all(Namespace, "")


def _of_workload(about: Ref, cluster: Cluster) -> Asker:
    """The ServiceAccount of its pods."""
    found = cluster.get_ref(about)
    template = template_of(found) if found is not None else None
    spec = found.spec if isinstance(found, Pod) else template.spec if template is not None else None
    if spec is None:
        return Asker(about.title, problem="does not exist" if found is None else "has no pods")
    return _account(about.namespace, spec.service_account_name or "default", cluster)


def made_by(request: Refusal, who: Asker) -> Refusal:
    """The request of this user."""
    return msgspec.structs.replace(request, user=who.user, groups=who.groups)
