"""The terminal application."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubedoctor.collect.opening import Source
    from kubedoctor.engine import Catalogue
    from kubedoctor.tui.session import Opener


def run(source: Source, *, namespace: str | None, catalogue: Catalogue, opener: Opener | None = None) -> int:
    """Show the source until the person leaves; the exit code. `namespace` None means the source's own, empty all.

    opener: how to reach other contexts, where there are any.
    """
    from kubedoctor.tui.app import KubedoctorApp
    from kubedoctor.tui.session import Session

    session = Session(source, catalogue, opener)
    app = KubedoctorApp(session, session.opening_namespace() if namespace is None else namespace)
    try:
        app.run()
    finally:
        app.session.close()
    return app.return_code or 0
