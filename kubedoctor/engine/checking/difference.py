"""What applying the files would change for what runs: a rehearsal whose change is the files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from kubedoctor.answers.what_if import Following, Intended
from kubedoctor.cluster.changes import Change, Operation
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.manifests import FileDocument
from kubedoctor.cluster.relations.workloads import pods_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.seen.wants import LogWant, Want
from kubedoctor.engine.catalogue import Catalogue
from kubedoctor.engine.checking.checked import Checked, check_files
from kubedoctor.engine.checking.surroundings import Surroundings
from kubedoctor.engine.examination import Gather, scan
from kubedoctor.engine.rehearsal import Rehearsal, rehearsal_of


def difference(
    catalogue: Catalogue,
    documents: Sequence[FileDocument],
    snapshot: Snapshot,
    gather: Gather,
    around: Surroundings,
    line: str,
    heed: Callable[[], None] = lambda: None,
) -> Rehearsal:
    """snapshot: the cluster; everything that the catalogue reads was listed before. line: what would be typed to apply the
    files."""
    before = scan(catalogue, snapshot, gather, heed=heed)
    checked = check_files(catalogue, documents, snapshot, around, heed)
    after = scan(catalogue, checked.after, _read_nothing, heed=heed)
    change = Change(tuple(Operation(name) for name in checked.applied))
    return rehearsal_of(line, Intended(change), _following(checked, snapshot), before, snapshot, after)


def _following(checked: Checked, snapshot: Snapshot) -> Following:
    """Causes of pods that are replaced are decided when the new ones run."""
    replaced = {name for name, count in checked.restarts.items() if count}
    ended = {Ref("Pod", pod.namespace, pod.name) for name in replaced for pod in _pods(name, snapshot)}
    created = Counter(source for name, source in checked.made.items() if name.kind == "Pod" and _is_one(name))
    return Following(
        checked.after,
        restarts=tuple((name, count) for name, count in sorted(checked.restarts.items()) if count),
        created=tuple(sorted((name, count) for name, count in created.items() if name not in replaced)),
        moved=frozenset(replaced),
        again=frozenset(replaced | ended),
        gaps=checked.gaps,
    )


def _is_one(pod: Ref) -> bool:
    """Not a second picture of another pod."""
    return not pod.name.endswith(("-placed", "-held"))


def _pods(name: Ref, snapshot: Snapshot) -> Sequence[Ref]:
    workload = snapshot.get(name)
    found = pods_of(workload, Cluster(snapshot).maybe) if workload is not None else ()
    return [Ref("Pod", pod.namespace, pod.name) for pod in found]


def _read_nothing(wants: frozenset[Want | LogWant]) -> None:
    """What the scan of the present state has not read is not read for the other one either."""
