"""A state of the real cluster and its repair: what kubedoctor proposes is pasted, and the object is well."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.real.cluster.layout import Document
from tests.real.diagnosis import Diagnosis, diagnose, run, said
from tests.real.namespace import Namespace
from tests.real.recording.state import state_of
from tests.real.workloads import VERTICAL, manifest

Step = Callable[[Namespace], None]
Test = Callable[[Namespace], bool]
READS = ("kubectl get ", "kubectl describe ", "kubectl logs ", "kubectl rollout history ")
"""Commands that work in each of these clusters: `kubectl top` needs metrics, `kubectl rollout status` fails by design."""
DRY = ("patch", "scale", "set", "delete", "create", "taint", "cordon", "uncordon", "label", "annotate")
"""Verbs of kubectl that know `--dry-run=server`."""


@dataclass(frozen=True)
class Case:
    """words: how to ask kubedoctor; fixes: how the pasted ones begin, in their order; without any, their words alone are
    followed by `repair`. later: how much older the state is when kubedoctor looks at it, through a recording. stays: it is
    found again after the repair, as what it is computed from is history. undo: of what concerns the whole cluster."""

    diagnostic: str
    words: tuple[str, ...]
    fixes: tuple[str, ...]
    arrange: Step
    well: Test
    repair: Step | None = None
    says: str = ""
    later: timedelta = timedelta()
    kinds: str = ""
    stays: bool = False
    undo: Step | None = None


def check(namespace: Namespace, folder: Path, case: Case) -> None:
    found: list[Document] = []

    def is_found() -> bool:
        found[:] = findings(namespace, folder, case)
        return bool(found)

    try:
        case.arrange(namespace)
        namespace.cluster.wait_for(case.diagnostic, is_found, 150)
        assert case.says in said(found[0]), said(found[0])
        follow(namespace, found[0], case)
        namespace.cluster.wait_for("it is well", lambda: case.well(namespace), 120)
        if not case.stays:
            namespace.cluster.wait_for("it is found no more", lambda: not is_found(), 60)
    finally:
        if case.undo is not None:
            case.undo(namespace)


def findings(namespace: Namespace, folder: Path, case: Case) -> list[Document]:
    return [one for one in ask(namespace, folder, case).findings if one["diagnostic"] == case.diagnostic]


def ask(namespace: Namespace, folder: Path, case: Case) -> Diagnosis:
    words = (*case.words, "-n", namespace.name)
    if not case.later:
        return diagnose(namespace.cluster.visitor_kubeconfig, *words)
    path = folder / "state.json"
    state = state_of(namespace, datetime.now(UTC) + case.later, case.kinds)
    path.write_text(json.dumps({"name": "state", **state}))
    return diagnose(None, *words, "-f", str(path))


def follow(namespace: Namespace, finding: Document, case: Case) -> None:
    """Paste all that the finding proposes: first what only reads, then without effect what is not the repair, then this."""
    cluster = namespace.cluster
    for line in [command["line"] for command in finding["commands"]]:
        if line.startswith("kubedoctor "):
            done = run(cluster.visitor_kubeconfig, *shlex.split(line)[1:])
            assert done.returncode in (0, 1, 3), f"{line}: {done.stderr}"
        elif line.startswith(READS) and "--previous" not in line:
            cluster.paste(line)
    fixes = [fix for fix in finding["fixes"] if fix["command"]]
    chosen = [next((fix for fix in fixes if fix["summary"].startswith(words)), None) for words in case.fixes]
    assert None not in chosen, f"{case.fixes} of {[fix['summary'] for fix in finding['fixes']]}"
    for fix in fixes:
        if fix not in chosen:
            cluster.paste(without_effect(fix["command"]))
    for fix in filter(None, chosen):
        cluster.paste(fix["command"])
    if case.repair is not None:
        case.repair(namespace)


def without_effect(line: str) -> str:
    """The same commands, where the API server only checks what they would do; others are left out."""
    parts = [part for part in line.split(" && ") if part.split()[1] in (*DRY, "edit") and "replace --force" not in part]
    return " && ".join(part if part.split()[1] == "edit" else f"{part} --dry-run=server" for part in parts)


def available(namespace: Namespace, *objects: Document) -> None:
    namespace.apply(*objects)
    for one in objects:
        if one["kind"] == "Deployment" and one["spec"]["replicas"]:
            namespace.wait_until_available(one["metadata"]["name"])


def field(namespace: Namespace, kind: str, name: str, *path: str) -> object:
    value: object = namespace.cluster.get(kind, name, namespace.name)
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def define_vertical(namespace: Namespace) -> None:
    """The kind VerticalPodAutoscaler, with any fields: the programs that work for it are not here."""
    any_fields = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": any_fields}}
    names = {"kind": "VerticalPodAutoscaler", "plural": "verticalpodautoscalers", "singular": "verticalpodautoscaler"}
    definition = manifest(
        "CustomResourceDefinition",
        f"verticalpodautoscalers.{VERTICAL}",
        None,
        "apiextensions.k8s.io/v1",
        spec={"group": VERTICAL, "scope": "Namespaced", "names": names, "versions": [version]},
    )
    definition["metadata"]["annotations"] = {"api-approved.kubernetes.io": "unapproved, for a test"}
    namespace.apply(definition)
    namespace.cluster.kubectl(
        "wait", "--for=condition=Established", f"crd/verticalpodautoscalers.{VERTICAL}", "--timeout=60s"
    )
