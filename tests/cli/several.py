"""Several sandbox clusters in one kubeconfig."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import yaml

from kubedoctor.sandbox import Sandbox, load_recording, recording_path, serve


def written(path: Path, servers: Mapping[str, str]) -> Path:
    """A kubeconfig with a context for each server; the first is the current one."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": next(iter(servers)),
        "clusters": [{"name": name, "cluster": {"server": url}} for name, url in servers.items()],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}} for name in servers],
        "users": [{"name": name, "user": {}} for name in servers],
    }
    path.write_text(yaml.safe_dump(document))
    return path


@contextmanager
def clusters(path: Path, recordings: Mapping[str, str]) -> Iterator[dict[str, Sandbox]]:
    """A sandbox for each context with its recording, and the context `dead`, whose server does not listen."""
    with ExitStack() as stack:
        sandboxes = {name: Sandbox(load_recording(recording_path(recording))) for name, recording in recordings.items()}
        urls = {name: stack.enter_context(serve(sandbox)).url for name, sandbox in sandboxes.items()}
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
        written(path, {**urls, "dead": f"http://127.0.0.1:{port}"})
        yield sandboxes
