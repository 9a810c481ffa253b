"""The checks of a scan over all their subjects: each check once, one of equal subjects for all of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any

import msgspec

from kubedoctor.cluster.kinds.manifests import GROUP as OWN_GROUP
from kubedoctor.cluster.kinds.meta import CustomResource, KubernetesObject
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.cluster.kinds.resources import kind_named
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.seen.wants import LogWant, NotCollected, Want
from kubedoctor.cluster.triage import WIDER
from kubedoctor.engine.catalogue import Catalogue
from kubedoctor.engine.checks import Results, affecting, run_check
from kubedoctor.engine.installed.declarations import imported_now
from kubedoctor.engine.report import NotChecked
from kubedoctor.findings import Diagnostic
from kubedoctor.findings.diagnostic import EXTENSIONS

Objects = tuple[KubernetesObject, ...]
Predicate = Callable[[Any], bool]


class Sweep:
    """Runs every check over every subject; `again` runs those that missed something."""

    def __init__(
        self, catalogue: Catalogue, snapshot: Snapshot, results: Results, heed: Callable[[], None] = lambda: None
    ) -> None:
        """heed: called before each check; what it raises ends the sweep."""
        self._catalogue = catalogue
        self._snapshot = snapshot
        self._results = results
        self._heed = heed
        self._missed: list[tuple[Diagnostic[Any], Objects]] = []

    def run(self, namespace: str, keep: Predicate | None) -> set[Want | LogWant]:
        """All checks over all subjects that `keep` selects; returns what they missed."""
        wants: set[Want | LogWant] = set()
        for kind in self._catalogue.subjects:
            diagnostics = self._catalogue.about(kind)
            if kind.endswith(OWN_GROUP) and not self._snapshot.of_kind(kind):
                continue  # no cluster has it: only files that are checked
            if why := _unseen(kind, namespace, self._snapshot):
                self._results.not_checked |= {NotChecked(diagnostic.id, None, why) for diagnostic in diagnostics}
            subjects = self._snapshot.of_kind(kind)
            selected = _Selected(subjects if keep is None else tuple(filter(keep, subjects)))
            for diagnostic in diagnostics:
                self._results.run.add(diagnostic.id)
                chosen = selected if diagnostic.among is None else selected.among(diagnostic.among, self._snapshot)
                wants |= self._examine(diagnostic, chosen.by(diagnostic.when))
        for diagnostic in self._catalogue.about(EXTENSIONS):
            self._results.run.add(diagnostic.id)
            for kind in (kind for kind in self._snapshot.kinds() if "." in kind):
                subjects = tuple(obj for obj in self._snapshot.of_kind(kind) if isinstance(obj, CustomResource))
                selected = _Selected(subjects if keep is None else tuple(filter(keep, subjects)))
                wants |= self._examine(diagnostic, selected.by(diagnostic.when))
        return wants

    def again(self) -> set[Want | LogWant]:
        """The checks that missed something, over the subjects where they did."""
        missed, self._missed = self._missed, []
        wants: set[Want | LogWant] = set()
        for diagnostic, subjects in missed:
            wants |= self._examine(diagnostic, subjects)
        return wants

    def _examine(self, diagnostic: Diagnostic[Any], subjects: Objects) -> set[Want | LogWant]:
        wants: set[Want | LogWant] = set()
        missed: list[KubernetesObject] = []
        self._heed()
        cluster = Cluster(self._snapshot)
        for equals in _groups(diagnostic, subjects, cluster):
            try:
                self._examine_equals(diagnostic, equals, cluster)
            except NotCollected as missing:
                wants.update(missing.wants)
                missed += equals
        if missed:
            self._missed.append((diagnostic, tuple(missed)))
        return wants

    def _examine_equals(self, diagnostic: Diagnostic[Any], equals: Objects, cluster: Cluster) -> None:
        """The first speaks for the others, unless a finding is about itself, or its check has failed."""
        cluster.forget()
        if len(equals) == 1:
            run_check(diagnostic, equals[0], cluster, self._results)
            return
        first, *others = equals
        results = Results()
        run_check(diagnostic, first, cluster, results)
        name = ref(first)
        if any(finding.about == name for _, finding, _ in results.found) or any(
            entry.traceback for entry in results.not_checked
        ):
            for other in others:
                cluster.forget()
                run_check(diagnostic, other, cluster, results)
        else:
            names = tuple(ref(other) for other in others)
            results.found = [(check, affecting(finding, names), gaps) for check, finding, gaps in results.found]
            results.not_checked |= {
                msgspec.structs.replace(entry, about=other) for entry in results.not_checked for other in names
            }
        self._results.add(results)


class _Selected:
    """The subjects of a kind that predicates select; each predicate is asked once, and only about the subjects that a
    wider one selects."""

    def __init__(self, subjects: Objects) -> None:
        self._by_predicate: dict[Predicate | None, Objects] = {None: subjects}

    def by(self, predicate: Predicate | None) -> Objects:
        if predicate not in self._by_predicate:
            wider = self.by(WIDER.get(predicate)) if predicate is not None else ()
            try:
                asked = imported_now(predicate) if predicate is not None else None
                self._by_predicate[predicate] = tuple(filter(asked, wider))
            except Exception:  # noqa: BLE001  # the check says of each what is wrong
                self._by_predicate[predicate] = wider
        return self._by_predicate[predicate]

    def among(self, narrowing: Callable[[Cluster], Predicate], snapshot: Snapshot) -> _Selected:
        """Those that a check can be about in this cluster."""
        subjects = self._by_predicate[None]
        if not subjects:
            return self
        try:
            return _Selected(tuple(filter(narrowing(Cluster(snapshot)), subjects)))
        except Exception:  # noqa: BLE001  # the check says of each what is missing or wrong
            return self


def _groups(diagnostic: Diagnostic[Any], subjects: Objects, cluster: Cluster) -> Iterator[Objects]:
    """The subjects that one check examines for all of them, in the order of the first of each group."""
    if diagnostic.alike is None:
        yield from ((subject,) for subject in subjects)
        return
    groups: dict[Hashable, list[KubernetesObject]] = {}
    for subject in subjects:
        groups.setdefault(_key(diagnostic, subject, cluster), []).append(subject)
    yield from map(tuple, groups.values())


def _key(diagnostic: Diagnostic[Any], subject: KubernetesObject, cluster: Cluster) -> Hashable:
    """The declared key; the subject's own name where it has none, or where it cannot be computed."""
    cluster.forget()
    try:
        key = diagnostic.alike(subject, cluster) if diagnostic.alike is not None else None
    except Exception:  # noqa: BLE001  # the check itself reports what is missing or wrong
        key = None
    return ref(subject) if key is None else (True, key)


def _unseen(kind: str, namespace: str, snapshot: Snapshot) -> str:
    """Why the subjects of a kind are not all there; empty if they are."""
    row = kind_named(kind)
    want = Want(kind) if row is not None and not row.namespaced else Want(kind, namespace)
    if snapshot.covers(want):
        return ""
    why = snapshot.limitation(want) or snapshot.limitation(Want(kind)) or snapshot.refusal(want)
    return f"{kind}: {why}" if why else ""
