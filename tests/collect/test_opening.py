"""One door to a live cluster or a bundle, and what it costs to stand before it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from kubedoctor.collect.live.cluster import LiveSource
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.collect.source import ReadableCluster
from tests.collect.fake_api import kubeconfig

HEAVY = ("kubernetes", "textual", "rich", "requests", "urllib3")
LOADED = f"import sys, kubedoctor.collect.opening; print([name for name in {HEAVY} if name in sys.modules])"
PLAIN = (
    "import sys; from kubedoctor.collect.opening import *; open_source(Options(kubeconfig=sys.argv[1]));"
    "print([name for name in ('kubernetes', 'requests') if name in sys.modules])"
)


def test_the_door_loads_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_plain_credentials_do_not_load_the_official_client(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path / "config", "https://127.0.0.1:1", user={"token": "x"})
    done = subprocess.run([sys.executable, "-c", PLAIN, path], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_without_a_file_a_live_cluster_is_meant(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path / "config", "https://127.0.0.1:1")
    source: ReadableCluster = open_source(Options(kubeconfig=path, namespace="mine"))

    assert isinstance(source, LiveSource)
    assert (source.namespace, source.context, source.snapshot.requests) == ("mine", "test", 0)
    source.close()
