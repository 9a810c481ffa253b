"""An installed recording, served as if recorded just now."""

from __future__ import annotations

from datetime import UTC, datetime

from kubedoctor.sandbox.sandbox import Sandbox
from kubedoctor.sandbox.server import SandboxServer, serve
from kubedoctor.sandbox.state import load_recording, recording_path


def serve_recording(name: str) -> SandboxServer:
    """Serve an installed recording with its times moved to the present, so that ages stay as recorded, and what runs renews its leases.

    Raises ValueError for a name that does not exist.
    """
    return serve(Sandbox(load_recording(recording_path(name), rebase_to=datetime.now(UTC)), renews=True))
