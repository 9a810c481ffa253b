"""The oracle's mode `pvmatch`: which volume an unbound claim gets."""

from __future__ import annotations

import msgspec

from kubedoctor.cluster.grammar.selectors import CompiledNodeSelector, SelectorError
from kubedoctor.cluster.kinds.core import Node
from kubedoctor.cluster.kinds.storage import PersistentVolume, PersistentVolumeClaim
from kubedoctor.replay.scheduler.plugins.selector_errors import selector_problem
from kubedoctor.replay.storage.binding import candidates, possible_volumes
from kubedoctor.testing.asked import Answer, BadRequest, converted


def answer_pv_match(request: msgspec.Raw) -> Answer:
    """`volume`: the choice among all volumes as one list, empty for none; `controller`: every possible choice of the
    volume controller, where no node is given. Raises BadRequest."""
    data = msgspec.json.decode(request)
    claim = converted(PersistentVolumeClaim, data["claim"])
    volumes = [converted(PersistentVolume, one) for one in data.get("volumes") or ()]
    node = converted(Node, data["node"]) if data.get("node") is not None else None
    delayed = bool(data.get("delayBinding")) and node is None
    try:
        fitting = candidates(claim, volumes, delayed=delayed, any_access_mode=node is None)
    except SelectorError as error:
        words = selector_problem(claim.spec.selector) or str(error)
        problem = f"error creating internal label selector for claim: {claim.namespace}/{claim.name}: {words}"
        access = set(claim.spec.access_modes or ())
        if node is None and any(access <= set(volume.spec.access_modes or ()) for volume in volumes):
            raise BadRequest(problem) from None
        return {"volume": "", "error": problem, **({"controller": []} if node is None else {})}
    chosen = fitting.best((lambda volume: _reaches(volume, node)) if node is not None else lambda volume: True)
    answer: Answer = {"volume": chosen.name if chosen is not None else ""}
    if node is None:
        answer["controller"] = [volume.name for volume in possible_volumes(claim, volumes, delayed=delayed)]
    return answer


def _reaches(volume: PersistentVolume, node: Node) -> bool:
    """`component-helpers/storage/volume CheckNodeAffinity`: the labels of the node count, its name does not."""
    affinity = volume.spec.node_affinity
    if affinity is None or affinity.required is None:
        return True
    return CompiledNodeSelector(affinity.required.node_selector_terms).matches(node.labels, "")


MODES = {"pvmatch": answer_pv_match}
