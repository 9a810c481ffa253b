"""An embedded Kubernetes API server: in memory, on loopback, for the demo, the labs and the tests.

    with serve(load_recording(recording_path("oom-killed"))) as served:
        subprocess.run(["kubectl", "get", "pods"], env={**os.environ, **served.environment})

`Sandbox` is the server without a network; with `writable=True` it takes writes, and refuses them otherwise. `faults` has the
failures that a test can turn on.
"""

from __future__ import annotations

from kubedoctor.sandbox.faults import Fault
from kubedoctor.sandbox.recorded import serve_recording
from kubedoctor.sandbox.sandbox import Sandbox
from kubedoctor.sandbox.server import SandboxServer, serve
from kubedoctor.sandbox.state import SandboxState, load_recording, recording_names, recording_path

__all__ = [
    "Fault",
    "Sandbox",
    "SandboxServer",
    "SandboxState",
    "load_recording",
    "recording_names",
    "recording_path",
    "serve",
    "serve_recording",
]
