"""Other contexts of the same kubeconfig."""

from __future__ import annotations

import os

import msgspec

from kubedoctor.collect.connecting.kubeconfig import find_files, read_kubeconfig
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.collect.source import ReadableCluster
from kubedoctor.tui.state.sources import Opener


def opener_for(options: Options) -> Opener | None:
    """Opens the other contexts that the flags allow; None for a recording."""
    if options.from_:
        return None

    def contexts() -> tuple[str, ...]:
        return tuple(sorted(read_kubeconfig(find_files(options.kubeconfig, os.environ)).contexts))

    def open_context(name: str) -> ReadableCluster:
        # The given namespace belongs to the previous context.
        return open_source(msgspec.structs.replace(options, context=name, namespace=None))

    return Opener(contexts, open_context)
