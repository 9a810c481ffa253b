"""What completes the words and values of a command line: read within a second, or nothing."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubedoctor.collect.source import ReadableCluster

PATIENCE = 0.8  # seconds; with the start of Python a shell waits for about a second
_QUICK = "800ms"


def namespaces(prefix: str, options: argparse.Namespace) -> list[str]:
    """Namespaces of the cluster or the recording."""
    return names("Namespace", prefix, options)


def contexts(prefix: str, options: argparse.Namespace) -> list[str]:
    """Contexts of the kubeconfig."""
    import os

    from kubedoctor.collect.connecting.kubeconfig import find_files, read_kubeconfig

    context_names = read_kubeconfig(find_files(options.kubeconfig, os.environ)).contexts
    return [name for name in context_names if name.startswith(prefix)]


def files(prefix: str, _options: argparse.Namespace) -> list[str]:
    """Files and folders."""
    from argcomplete.completers import FilesCompleter

    return list(FilesCompleter()(prefix))


def kinds(prefix: str) -> list[str]:
    """Kinds as kubectl spells them, without the forms that name a group."""
    from kubedoctor.cluster.kinds.resources import kind_words

    return [word for word in sorted(kind_words()) if word.startswith(prefix) and ("." not in word or "." in prefix)]


def objects(words: Sequence[str], prefix: str, options: argparse.Namespace) -> list[str]:
    """Kinds, then names of that kind; `deploy/web` in one word too."""
    from kubedoctor.cluster.kinds.resources import kind_from_word

    if "/" in prefix:
        kind_word, _, start = prefix.partition("/")
        kind = kind_from_word(kind_word)
        return [f"{kind_word}/{name}" for name in names(kind.kind, start, options)] if kind is not None else []
    if not words:
        before, comma, last = prefix.rpartition(",")
        return [f"{before}{comma}{kind}" for kind in kinds(last)]
    kind = kind_from_word(words[0])
    if kind is None:
        return []
    return [name for name in names(kind.kind, prefix, options) if name not in words[1:]]


def names(kind: str, prefix: str, options: argparse.Namespace) -> list[str]:
    """Names of objects of a kind in the namespace of the options, as far as they can be read in time."""

    def read() -> tuple[str, ...]:
        from kubedoctor.cli.reading import namespace_meant
        from kubedoctor.cluster.kinds.resources import kind_named

        row = kind_named(kind)
        namespaced = row is None or row.namespaced
        with _quick_source(options) as source:
            return source.names(kind, namespace_meant(source, options) if namespaced else "")

    return [name for name in in_time(read) if name.startswith(prefix)]


def containers(words: Sequence[str], prefix: str, options: argparse.Namespace) -> list[str]:
    """Containers of the pod, or of the template of the workload, that the words name: `web-1`, `deploy/web`,
    `deploy web`."""

    def read() -> list[str]:
        from kubedoctor.cluster.kinds.references import Ref
        from kubedoctor.cluster.kinds.resources import kind_from_word
        from kubedoctor.cluster.seen.wants import Want

        word, _, name = words[0].partition("/") if "/" in words[0] else ("pod", "", words[0])
        if len(words) > 1 and kind_from_word(words[0]) is not None:
            word, name = words[0], words[1]
        kind = kind_from_word(word)
        if kind is None:
            return []
        with _quick_source(options) as source:
            want = Want(kind.kind, options.namespace or source.namespace, name)
            source.gather(frozenset((want,)))
        spec = getattr(source.snapshot.get(Ref(want.kind, want.namespace, want.name)), "spec", None)
        pod = getattr(getattr(spec, "template", None), "spec", spec)
        return [one.name for field in ("containers", "init_containers") for one in getattr(pod, field, None) or ()]

    return [name for name in in_time(read) if name.startswith(prefix)] if words else []


def _quick_source(options: argparse.Namespace) -> closing[ReadableCluster]:
    from kubedoctor.cli.reading import source_options
    from kubedoctor.collect.opening import open_source

    options.request_timeout = _QUICK
    return closing(open_source(source_options(options)))


def in_time(read: Callable[[], Iterable[str]]) -> list[str]:
    """The result of a read, or nothing where it fails or takes too long: a shell waits for the answer."""
    words: list[str] = []

    def run() -> None:
        try:
            words.extend(read())
        except Exception:  # noqa: BLE001  # errors must not appear during completion
            return

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return [] if thread.is_alive() else words
