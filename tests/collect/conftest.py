"""What the tests of collecting share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kubedoctor.collect.connecting.connection import connect
from kubedoctor.collect.connecting.transport import Transport
from kubedoctor.collect.live.cluster import LiveSource
from kubedoctor.collect.options import Options
from tests.collect.fake_api import kubeconfig

Open = Callable[..., LiveSource]


@pytest.fixture
def open_at(tmp_path: Path) -> Iterator[Open]:
    """Opens a live source on an address, with a kubeconfig of its own; it does not wait between tries."""
    sources: list[LiveSource] = []

    def opened(server: str, **options: object) -> LiveSource:
        user, cluster = options.pop("user", None), options.pop("cluster", None)
        path = kubeconfig(tmp_path / "config", server, user=user, cluster=cluster)  # type: ignore[arg-type]  # as given
        connection = connect(Options(kubeconfig=path, **options), {})  # type: ignore[arg-type]  # as given
        sources.append(LiveSource(Transport(connection, pause=lambda _: None)))
        return sources[-1]

    yield opened
    for source in sources:
        source.close()
