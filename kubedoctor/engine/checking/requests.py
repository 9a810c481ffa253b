"""What the API server would be asked when the files are applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.kinds.resources import kind_named
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.engine.checking.judging import Judged
from kubedoctor.replay.admission.defaults import with_defaults
from kubedoctor.replay.admission.matching import AdmissionRequest
from kubedoctor.replay.validation.versions import pod_specs


class Requests:
    """Of the objects of the files. snapshot: the cluster, where one was read."""

    def __init__(self, found: Sequence[Judged], snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._files = {one.subject: one.document.data for one in found if one.obj is not None}

    def of(self, one: Judged) -> AdmissionRequest:
        """What applying it would ask."""
        data, subject = one.document.data, one.subject
        group, _, version = str(data.get("apiVersion")).rpartition("/")
        is_new = self._snapshot.get(subject) is None
        metadata = {**data.get("metadata", {}), **({"namespace": subject.namespace} if subject.namespace else {})}
        return AdmissionRequest(
            "CREATE" if is_new else "UPDATE",
            group,
            version,
            str(data.get("kind")),
            _resource(str(data.get("kind")), self._files, group),
            subject.namespace,
            subject.name,
            with_defaults({**data, "metadata": metadata}),
            self._labels(subject.namespace),
        )

    def of_pod(self, one: Judged) -> AdmissionRequest | None:
        """The first pod that its controller would create."""
        if one.document.data.get("kind") == "Pod":
            return None
        for path, spec in pod_specs(one.document.data):
            template: Any = one.document.data
            for step in path[:-1]:
                template = template[step]
            own = template.get("metadata") if isinstance(template.get("metadata"), Mapping) else {}
            metadata = {**own, "generateName": f"{one.subject.name}-", "namespace": one.subject.namespace}
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": dict(spec)}
            labels = self._labels(one.subject.namespace)
            return AdmissionRequest(
                "CREATE", "", "v1", "Pod", "pods", one.subject.namespace, "", with_defaults(pod), labels
            )
        return None

    def _labels(self, namespace: str) -> Mapping[str, str] | None:
        """Of a namespace of the files, else of the cluster's; each has its own name among them."""
        if not namespace:
            return None
        name = Ref("Namespace", "", namespace)
        if name in self._files:
            metadata = self._files[name].get("metadata", {})
            labels: Mapping[str, str] = metadata.get("labels") or {}
        elif (space := self._snapshot.get(name)) is not None:
            labels = space.labels
        else:
            return None
        return {"kubernetes.io/metadata.name": namespace, **labels}

    def title(self, one: Judged) -> str:
        """`deployments.apps "web"`, as a refusal begins."""
        group = str(one.document.data.get("apiVersion")).rpartition("/")[0]
        resource = _resource(str(one.document.data.get("kind")), self._files, group)
        return f'{resource}{f".{group}" if group else ""} "{one.subject.name}"'


def _resource(kind: str, files: Mapping[Ref, Mapping[str, Any]], group: str) -> str:
    """The plural name of a kind: as its definition spells it, else as English does."""
    row = kind_named(kind)
    if row is not None:
        return row.plural
    for data in files.values():
        if data.get("kind") == "CustomResourceDefinition":
            spec = data.get("spec", {})
            names = spec.get("names", {})
            if names.get("kind") == kind and spec.get("group") == group:
                return str(names.get("plural"))
    lowered = kind.lower()
    if lowered.endswith("y") and lowered[-2:-1] not in "aeiou":
        return f"{lowered[:-1]}ies"
    return f"{lowered}es" if lowered.endswith(("s", "x", "ch", "sh")) else f"{lowered}s"
