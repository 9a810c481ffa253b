"""What must not be loaded is not loaded: each headless module is imported in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("textual", "rich", "kubernetes", "aiohttp", "yaml")


def loaded_by(statement: str) -> set[str]:
    """The top-level packages that a fresh Python has loaded after the statement."""
    code = f"{statement}\nimport sys\nprint('\\n'.join(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "module",
    [
        "kubedoctor.cli",
        "kubedoctor.cli.diagnosing",
        "kubedoctor.cli.commands.scan",
        "kubedoctor.cli.arguments.overview",
        "kubedoctor.cli.formats.text",
        "kubedoctor.cluster",
        "kubedoctor.replay",
        "kubedoctor.findings",
        "kubedoctor.engine",
        "kubedoctor.collect.opening",
        "kubedoctor.handbook",
    ],
)
def test_headless_modules_load_nothing_heavy(module: str) -> None:
    assert not loaded_by(f"import {module}") & set(HEAVY)


def test_diagnostics_load_nothing_heavy() -> None:
    assert not loaded_by("from kubedoctor.engine import load_catalogue; load_catalogue()") & set(HEAVY)


def test_the_first_request_waits_for_no_diagnosis() -> None:
    """What examines objects is imported while the server answers."""
    statement = "import kubedoctor.cli.diagnosing, kubedoctor.collect.live.cluster"
    code = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = done.stdout.split()
    assert "kubedoctor.collect.live.cluster" in names
    assert not [name for name in names if name.startswith(("kubedoctor.engine", "kubedoctor.answers", "diagnostics"))]


def test_structs_have_no_annotations_in_text() -> None:
    """msgspec compiles each annotation that is text when it makes a decoder: a fifteenth of a short run."""
    code = """
import kubedoctor.collect.live.cluster, kubedoctor.engine, msgspec

def below(struct):
    for one in struct.__subclasses__():
        yield one
        yield from below(one)

decoded = ("kubedoctor.cluster.kinds", "kubedoctor.cluster.seen.decoding", "kubedoctor.collect", "kubedoctor.engine.installed")
for struct in below(msgspec.Struct):
    if struct.__module__.startswith(decoded) and str in map(type, struct.__annotations__.values()):
        print(f"{struct.__module__}.{struct.__name__}")
print("all")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    never_decoded = {
        "Chosen",
        "Entry",
        "Extensions",
        "Kubeconfig",
        "Options",
        "Recordable",
        "Ref",
        "ResourceKind",
        "Sent",
    }
    assert [name for name in done.stdout.split() if name.rpartition(".")[2] not in never_decoded] == ["all"]


def test_a_request_needs_no_large_library() -> None:
    """Neither those of other protocols, nor what only retries, plug-ins, proxies or unusual kubeconfigs need."""
    loaded = loaded_by("import kubedoctor.cli.diagnosing, kubedoctor.collect.live.cluster")
    heavy = {"email", "http", "yaml", "urllib3", "random", "shutil", "tempfile", "queue", "asyncio"}
    assert not loaded & heavy


def test_the_program_starts_without_what_it_does_not_use() -> None:
    """Where other packages need typing_extensions, they get it."""
    assert not loaded_by("import kubedoctor.__main__") & {
        "typing_extensions",
        "inspect",
        "dataclasses",
        "email",
        "urllib3",
    }
    assert "typing_extensions" in loaded_by("import kubedoctor.__main__, typing_extensions")


def test_the_probe_sees_what_is_loaded() -> None:
    assert {"yaml", "rich"} <= loaded_by("import yaml, rich")


def test_what_is_healthy_needs_nothing_that_joins_findings() -> None:
    code = "import kubedoctor.engine, kubedoctor.cli.formats.text\nimport sys\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    joining = {f"kubedoctor.engine.{name}" for name in ("concluding", "alike", "causes", "history", "proven", "nodes")}
    assert not joining & set(done.stdout.split())
