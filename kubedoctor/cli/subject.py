"""Which object the words of the command line mean."""

from __future__ import annotations

from kubedoctor.cluster.grammar.nearest import nearest_word
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.kinds.resources import ResourceKind, kind_from_word, kind_words
from kubedoctor.cluster.seen.wants import Want
from kubedoctor.collect.source import ReadableCluster
from kubedoctor.problems import NoSuchObject, UsageProblem


def split_words(words: list[str]) -> tuple[ResourceKind, str]:
    """`pod X` or `pod/X` as the kind and the name. Raises UsageProblem for an unknown kind or a missing name."""
    first = words[0]
    if "/" in first:
        kind_word, _, name = first.partition("/")
        rest = words[1:]
    else:
        kind_word, name, rest = first, words[1] if len(words) > 1 else "", words[2:]
    kind = kind_from_word(kind_word)
    if kind is None:
        near = nearest_word(kind_word.lower(), [word for word in kind_words() if "." not in word])
        hint = f"Did you mean {', '.join(near)}?" if near else "See kubedoctor --help for the commands."
        raise UsageProblem(f"{kind_word!r} is neither a command nor a kind that kubedoctor knows", hint)
    if not name:
        raise UsageProblem(
            f"which {kind.singular}?",
            f"Name one: kubedoctor {kind.singular} NAME. For all of them: kubedoctor scan",
        )
    if rest:
        raise UsageProblem(
            f"one {kind.singular} at a time: {' '.join(rest)!r} is too much", "For many: kubedoctor scan"
        )
    return kind, name


def find_subject(words: list[str], source: ReadableCluster, namespace: str | None) -> Ref:
    """The object that is meant, checked to exist. Raises NoSuchObject with the nearest names."""
    kind, name = split_words(words)
    if not kind.namespaced:
        return _existing(Ref(kind.kind, "", name), source)
    if namespace is None and source.snapshot.closed:
        places = [obj.metadata.namespace for obj in source.snapshot.of_kind(kind.kind) if obj.metadata.name == name]
        if len(places) > 1:
            raise UsageProblem(
                f"there is a {kind.singular} {name} in {', '.join(places)}", "Say which one with -n NAMESPACE"
            )
        if places:
            return Ref(kind.kind, places[0], name)
    return _existing(Ref(kind.kind, namespace or source.namespace, name), source)


def _existing(subject: Ref, source: ReadableCluster) -> Ref:
    want = Want(subject.kind, subject.namespace, subject.name)
    if not source.snapshot.covers(want):
        source.gather(frozenset({want}))
    if source.snapshot.get(subject) is not None:
        return subject
    if not source.snapshot.covers(want) and (why := source.snapshot.refusal(want)):
        raise NoSuchObject(f"{subject.title} cannot be read: {why}", _way_out(why, subject.namespace, source))
    names = source.names(subject.kind, subject.namespace)
    near = nearest_word(subject.name, names) or tuple(name for name in names if subject.name in name)[:3]
    where = f" in namespace {subject.namespace}" if subject.namespace else ""
    hint = "" if near else _elsewhere(subject, names)
    raise NoSuchObject(f"there is no {subject.short_kind} {subject.name}{where}", hint, near)


def check_namespace(namespace: str, source: ReadableCluster) -> None:
    """Raises NoSuchObject for a namespace that does not exist: nothing wrong in it would be no news.

    Where that cannot be told, because namespaces may not be read and nothing is seen in it, the report will say so.
    """
    snapshot = source.snapshot
    if namespace in snapshot.namespaces() or snapshot.get(Ref("Namespace", "", namespace)) is not None:
        return
    if not snapshot.covers(Want("Namespace", "", namespace)):
        why = snapshot.refusal(Want("Namespace")) or snapshot.limitation(Want("Namespace")) or "not in this recording"
        snapshot.problems.append(
            f"nothing at all was seen in namespace {namespace}, and whether it exists cannot be told: {why}"
        )
        return
    known = source.names("Namespace")
    near = nearest_word(namespace, known)
    hint = "" if near else f"There are {', '.join(known[:10])}" + (f" and {len(known) - 10} more" if known[10:] else "")
    raise NoSuchObject(f"there is no namespace {namespace} in {source.context}", hint, near)


def _way_out(why: str, namespace: str, source: ReadableCluster) -> str:
    if source.snapshot.closed:
        return "Record it too: kubedoctor capture -o state.tar.gz"
    if "forbidden" in why:
        return "Look: kubectl auth can-i --list" + (f" -n {namespace}" if namespace else "")
    if "does not serve" in why:
        return "Is it the right cluster? Look: kubectl api-resources"
    return "Try again. Look: kubectl get --raw='/readyz?verbose'"


def _elsewhere(subject: Ref, names: tuple[str, ...]) -> str:
    if names:
        return f"There are {len(names)}, for example {', '.join(names[:3])}"
    if subject.namespace:
        return f"There is none at all in {subject.namespace}. Another namespace? Use -n NAMESPACE"
    return ""
