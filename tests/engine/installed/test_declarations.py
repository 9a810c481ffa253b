"""Declarations are kept beside the compiled modules: they equal what the modules declare, and never outlive a change."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import diagnostics
from kubedoctor.cluster import Cluster, triage
from kubedoctor.engine import Catalogue, catalogue, load_package
from kubedoctor.engine.catalogue import Unusable, assemble
from kubedoctor.engine.checks import Results, may_apply, run_check
from kubedoctor.engine.installed import declarations
from kubedoctor.engine.installed.declarations import imported_later, keep, kept_of, sources_of
from kubedoctor.findings import Diagnostic
from kubedoctor.findings.relations import RELATIONS
from tests.engine.clinic import deployment, live, objects, pod, replica_set
from tests.engine.test_catalogue import GOOD
from tests.engine.test_catalogue import RELATIONS as DECLARED_RELATIONS

FINDING = GOOD.replace("reads=()", "reads=(), when=not_ready").format(code="AC1001")
FINDING = FINDING.replace(
    "@diagnostic",
    """from kubedoctor.cluster import not_ready, quote, ref
from kubedoctor.findings import Confidence, Finding

def here(pod):
    return True

@diagnostic""",
).replace(
    "    yield from ()",
    """    fact = quote(pod, "metadata.name")
    yield Finding(about=ref(pod), summary=f"{pod.name} is wrong", confidence=Confidence.LIKELY, evidence=(fact,))""",
)
(POD,) = objects(pod("web-1"))
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _compiled_modules_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "compiled"))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., ModuleType]]:
    """Write modules of a package, and import it as a fresh process would."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def forget() -> None:
        for name in [name for name in sys.modules if name.partition(".")[0] == "acme_checks"]:
            del sys.modules[name]
        imported_later.cache_clear()
        importlib.invalidate_caches()

    def write(**modules: str) -> ModuleType:
        folder = tmp_path / "acme_checks" / "area"
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in {"__init__": "", **modules}.items():
            path = folder / f"{name}.py"
            if not path.exists() or path.read_text() != text:
                path.write_text(text)
        init = folder.parent / "__init__.py"
        if not init.exists():
            init.touch()
        forget()
        return importlib.import_module("acme_checks")

    yield write
    forget()


def declared(package: ModuleType) -> Catalogue:
    problems: list[Unusable] = []
    return assemble(catalogue._declared(package, package.__name__, problems), problems)


def as_data(one: Diagnostic[Any]) -> dict[str, Any]:
    """A declaration without the difference between a function and one that is imported later."""
    fields = {name: getattr(one, name) for name in one.__struct_fields__}
    for name in ("check", "when", "alike", "among"):
        function = fields[name]
        fields[name] = function and (function.__module__, function.__qualname__)
    return fields | {"subject": one.subject_kinds, "also_subjects": (), "reads": one.read_kinds}


def test_what_is_kept_of_the_built_in_diagnostics_equals_what_they_declare() -> None:
    truth = load_package(diagnostics)
    sources = sources_of(diagnostics)
    keep(diagnostics, sources, truth.diagnostics, catalogue._home)
    kept = kept_of(diagnostics, sources)
    assert kept is not None
    assert not kept.modules, "each built-in diagnostic is plain data"
    assert list(map(as_data, assemble(kept.diagnostics()).diagnostics)) == list(map(as_data, truth.diagnostics))


def test_a_module_is_imported_when_its_check_runs(package: Callable[..., ModuleType]) -> None:
    modules = {"wrong_thing": FINDING, "neighbours": DECLARED_RELATIONS.format(name="certifies")}
    first = declared(package(**modules))
    second = declared(package(**modules))
    assert list(map(as_data, second.diagnostics)) == list(map(as_data, first.diagnostics))
    assert [one.name for one in second.relations[len(RELATIONS) :]] == ["certifies"]
    assert "acme_checks.area.neighbours" in sys.modules, "a relation is no plain data"
    third = declared(package(wrong_thing=FINDING))
    assert "acme_checks.area.wrong_thing" in sys.modules, "neighbours imports it"
    (one,) = third.diagnostics
    assert [found.summary for found in one(POD, Cluster(live()))] == ["web-1 is wrong"]


def test_only_the_modules_that_are_run_are_imported(package: Callable[..., ModuleType]) -> None:
    declared(package(wrong_thing=FINDING))
    (one,) = declared(package(wrong_thing=FINDING)).diagnostics
    assert "acme_checks.area.wrong_thing" not in sys.modules
    assert one.when is triage.not_ready, "what is loaded is used itself: a scan knows equal predicates by it"
    assert [found.summary for found in one(POD, Cluster(live()))] == ["web-1 is wrong"]
    assert "acme_checks.area.wrong_thing" in sys.modules


@pytest.mark.parametrize("change", ["edited", "added", "removed", "a source of kubedoctor"])
def test_a_changed_source_is_imported_again(
    package: Callable[..., ModuleType], change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules = {"wrong_thing": FINDING, "other_thing": GOOD.format(code="AC1002")}
    module = package(**modules)
    declared(module)
    assert kept_of(module, sources_of(module))
    area = Path(str(module.__file__)).parent / "area"
    match change:
        case "edited":
            (area / "wrong_thing.py").write_text(FINDING.replace("AC1001", "AC10033"))
        case "added":
            (area / "third_thing.py").write_text(GOOD.format(code="AC1003"))
        case "removed":
            (area / "other_thing.py").unlink()
        case _:
            monkeypatch.setattr(declarations, "_BELOW", ("cluster",))
    assert kept_of(module, sources_of(module)) is None
    expected = {"edited": {"AC1002", "AC10033"}, "added": {"AC1001", "AC1002", "AC1003"}, "removed": {"AC1001"}}
    modules = {path.stem: path.read_text() for path in area.glob("*_thing.py")}
    assert {one.code for one in declared(package(**modules)).diagnostics} == expected.get(change, {"AC1001", "AC1002"})


def test_a_function_without_a_name_is_imported(package: Callable[..., ModuleType]) -> None:
    text = FINDING.replace("when=not_ready", "when=lambda pod: not_ready(pod)")
    module = package(wrong_thing=text)
    declared(module)
    kept = kept_of(module, sources_of(module))
    assert kept is not None
    assert (kept.declarations, kept.modules) == ((), ("acme_checks.area.wrong_thing",))
    assert [one.code for one in declared(package(wrong_thing=text)).diagnostics] == ["AC1001"]


def test_a_broken_package_is_not_kept(package: Callable[..., ModuleType]) -> None:
    module = package(wrong_thing=FINDING, broken="import no_such_module_anywhere")
    assert "cannot be imported" in declared(module).problems[0]
    assert kept_of(module, sources_of(module)) is None


@pytest.mark.parametrize("text", ["", "[]", '{"sources": 1}', "\x00"])
def test_what_cannot_be_read_is_written_again(package: Callable[..., ModuleType], text: str) -> None:
    module = package(wrong_thing=FINDING)
    declared(module)
    (path,) = Path(str(sys.pycache_prefix)).rglob("declarations.*.json")
    path.write_text(text)
    assert [one.code for one in declared(package(wrong_thing=FINDING)).diagnostics] == ["AC1001"]
    assert kept_of(module, sources_of(module)) is not None


def test_nothing_is_kept_where_compiled_modules_are_not(
    package: Callable[..., ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    module = package(wrong_thing=FINDING)
    assert [one.code for one in declared(module).diagnostics] == ["AC1001"]
    assert kept_of(module, sources_of(module)) is None


def test_a_module_that_is_gone_is_said_and_the_others_are_used(package: Callable[..., ModuleType]) -> None:
    """What it needs may be uninstalled after its declaration was kept."""
    text = FINDING.replace("@diagnostic", "import acme_needs\n\n@diagnostic").replace("when=not_ready", "when=here")
    needed = Path(sys.path[0]) / "acme_needs.py"
    needed.write_text("")
    declared(package(wrong_thing=text))
    needed.unlink()
    sys.modules.pop("acme_needs", None)
    (one,) = declared(package(wrong_thing=text)).diagnostics
    results = Results()
    assert may_apply(one, POD)
    run_check(one, POD, Cluster(live()), results)
    assert [entry.why for entry in results.not_checked] == [
        "the check failed: ModuleNotFoundError: No module named 'acme_needs'"
    ]


RUN = """
import sys
from kubedoctor.cli import main
main(sys.argv[1:])
print(*sorted(sys.modules), file=sys.stderr)
"""


def _running(name: str, **more: Any) -> dict[str, Any]:
    manifest = pod(name, node="n1", **more)
    manifest["metadata"]["labels"] = {"app": "web"}
    manifest["status"] = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    return manifest


def _loaded_for(folder: Path, *manifests: dict[str, Any]) -> set[str]:
    """The modules of a process that examined pod web-1, with all declarations kept."""
    recorded = folder / "recorded.json"
    recorded.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}))
    command = [sys.executable, "-c", RUN, "pod", "web-1", "-n", "shop", "-f", str(recorded)]
    surroundings = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    surroundings["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True, env=surroundings, cwd=ROOT, check=True)
    assert "no problems found" in done.stdout, done.stdout
    return set(done.stderr.splitlines()[-1].split())


def test_a_healthy_pod_imports_only_what_may_concern_it(tmp_path: Path) -> None:
    """The diagnostics of a pod that runs, of its owners and of what selects it: those without a predicate, and those
    whose predicate selects them or has to be asked."""
    loaded = _loaded_for(tmp_path, _running("web-1"))
    areas = {".".join(name.split(".")[:3]) for name in loaded}
    modules = {name for name in loaded if not name.rpartition(".")[2].startswith("_")}
    asked = {
        "diagnostics.mesh.linkerd.linkerd_proxy_missing",
        "diagnostics.mesh.sidecar_missing",
        "diagnostics.pods.running.fails_while_ready",
        "diagnostics.scheduling.node_gone",
    }
    checks = {str(check.check.__module__) for check in load_package(diagnostics).diagnostics}
    assert modules & checks == asked
    unasked = ("admission", "autoscaling", "kubelet", "logs", "scheduler")
    assert not {f"kubedoctor.replay.{area}" for area in unasked} & areas


def test_a_healthy_workload_with_its_service_imports_nothing_that_reads_or_concludes(tmp_path: Path) -> None:
    """What reads messages, logs and histories, and what makes commands of changes, waits until something is wrong."""
    web, revision = deployment("web"), replica_set("web-5d8", "web")
    for workload in (web, revision):
        workload["spec"] = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}}
        workload["status"] = {"replicas": 1, "readyReplicas": 1, "availableReplicas": 1, "updatedReplicas": 1}
    web["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "1"}
    meta = {"name": "web", "namespace": "shop", "creationTimestamp": "2026-01-01T00:00:00Z"}
    ports = [{"port": 80, "targetPort": 8080}]
    service = {"apiVersion": "v1", "kind": "Service", "metadata": meta}
    service |= {"spec": {"selector": {"app": "web"}, "ports": ports, "clusterIP": "10.0.0.9"}}
    loaded = _loaded_for(tmp_path, _running("web-1", owner="web-5d8"), revision, web, service)
    assert {"diagnostics.services.no_endpoints", "diagnostics.mesh.sidecar_missing"} <= loaded
    reading = ("messages", "logs", "permissions", "autoscaling", "scheduler", "storage")
    heavy = (
        *(f"kubedoctor.replay.{area}" for area in reading),
        "kubedoctor.answers.statements",
        "kubedoctor.answers.timeline",
    )
    assert not [name for name in loaded if name.startswith(heavy)]
