"""The terminal application."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubedoctor.collect.options import Options
    from kubedoctor.collect.source import ReadableCluster
    from kubedoctor.engine import Catalogue

SWITCH_EVERY = 0.001
"""Seconds. While a worker computes, a key waits so long several times: of Python's own 5 ms lists seem to stand still."""
GARBAGE_EVERY = (2_000, 20, 50)
"""Objects, and rounds: the collector looks at so few at once that no key waits for it, and as rarely at all of them."""


def run(
    source: ReadableCluster | Callable[[], ReadableCluster],
    *,
    namespace: str | None,
    catalogue: Callable[[], Catalogue],
    options: Options | None = None,
    notice: str = "",
    contexts: tuple[str, ...] = (),
) -> int:
    """Show the source until the person quits; returns the exit code. `namespace` None means the source's own, empty
    all.

    source: what to show, or how to open it: then the screen appears before a long recording is read. It is closed
    at the end. catalogue: how to load it; that is done behind the first paint, too. options: those it was opened with; they allow opening other contexts. notice: lines
    that are shown at the start and above the help. contexts: several clusters are shown side by side; then `source` is not
    opened, and needs `options`.
    Raises the Problem that prevents opening the source.
    """
    # Textual waits so long for the rest of an escape sequence: of its own 100 ms a person notices every esc.
    os.environ.setdefault("ESCDELAY", "25")
    sys.setswitchinterval(SWITCH_EVERY)
    gc.disable()  # what the interface is made of is not garbage
    from kubedoctor.collect.settings import read_settings
    from kubedoctor.tui.app import KubedoctorApp
    from kubedoctor.tui.contexts import clusters_of, opener_for
    from kubedoctor.tui.session import Session
    from kubedoctor.tui.state.choices import KeptChoices, choices_path
    from kubedoctor.tui.state.own_settings import read_own_settings

    def open_session() -> Session:
        opened = source() if callable(source) else source
        return Session(opened, catalogue(), opener_for(options) if options else None, notice, read_settings())

    several = clusters_of(contexts, options, catalogue) if options is not None else {}
    app = KubedoctorApp(open_session, namespace, ", ".join(options.from_) if options else "", several)
    path = choices_path(os.environ)
    app.use(KeptChoices(path), read_own_settings(path))
    gc.freeze()
    gc.set_threshold(*GARBAGE_EVERY)
    gc.enable()
    try:
        app.run()
    finally:
        app.close_sessions()
    if app.problem is not None:
        raise app.problem
    return app.return_code or 0
