"""Other contexts of the same kubeconfig."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

import msgspec

from kubedoctor.collect.connecting.kubeconfig import find_files, read_kubeconfig
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.collect.settings import read_settings
from kubedoctor.collect.source import ReadableCluster
from kubedoctor.engine import Catalogue
from kubedoctor.problems import Problem
from kubedoctor.tui.session import Session
from kubedoctor.tui.state.sources import Opener


def clusters_of(
    contexts: Iterable[str], options: Options, catalogue: Callable[[], Catalogue]
) -> dict[str, Callable[[], Session]]:
    """How to open a session on the cluster of each context. `catalogue`: loads it, when the first of them is opened."""
    settings = read_settings()

    def opening(context: str) -> Callable[[], Session]:
        own = msgspec.structs.replace(options, context=context)
        return lambda: Session(open_source(own), catalogue(), opener_for(own), settings=settings)

    return {context: opening(context) for context in contexts}


def opener_for(options: Options) -> Opener | None:
    """Opens the other contexts that the flags allow; None for a recording."""
    if options.from_:
        return None

    def contexts() -> tuple[str, ...]:
        return tuple(sorted(read_kubeconfig(find_files(options.kubeconfig, os.environ)).contexts))

    def open_context(name: str) -> ReadableCluster:
        # The given namespace belongs to the previous context.
        return open_source(msgspec.structs.replace(options, context=name, namespace=None))

    def current() -> str | None:
        try:
            return read_kubeconfig(find_files(options.kubeconfig, os.environ)).current_context
        except Problem:
            return None

    return Opener(contexts, open_context, current)
