"""The terminal application."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubedoctor.collect.opening import Options, Source
    from kubedoctor.engine import Catalogue


def run(source: Source, *, namespace: str | None, catalogue: Catalogue, options: Options | None = None) -> int:
    """Show the source until the person leaves; the exit code. `namespace` None means the source's own, empty all.

    options: what the source was opened with; with them other contexts can be reached. Closes the source.
    """
    from kubedoctor.tui.app import KubedoctorApp
    from kubedoctor.tui.contexts import opener_for
    from kubedoctor.tui.session import Session

    session = Session(source, catalogue, opener_for(options) if options else None)
    app = KubedoctorApp(session, session.opening_namespace() if namespace is None else namespace)
    try:
        app.run()
    finally:
        app.session.close()
    return app.return_code or 0
