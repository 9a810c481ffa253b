"""Ask Kubernetes' own code whether proposed changes help: `python -m tests.differential.fixes`.

With each change that kubedoctor proposes for a generated pending pod some node must be feasible, and the very nodes that
were named; with any one edit left out, none may be. Where a change lets the volume controller bind a claim, upstream's
controller must be able to choose that very volume. Exit code 1 where that is not so.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from kubedoctor.answers.placement.fixing.words import remedy_words
from kubedoctor.cluster.changes import Operation, apply_to_data, reference
from kubedoctor.replay.scheduler.counterfactuals import Counterfactual, Edit, Kind, Situation, counterfactuals
from kubedoctor.replay.scheduler.cycle import schedule
from kubedoctor.testing.oracle import question
from tests.differential import oracle

Request = dict[str, Any]
CLAIMS = {"persistentVolumeClaim", "ephemeral"}
STORAGE = (Kind.CORRECT_CLAIM, Kind.CHANGE_CLAIM, Kind.REMAKE_CLAIM, Kind.RELEASE_VOLUME, Kind.FORGET_NODE)


def proposed(request: Request) -> tuple[Counterfactual, ...]:
    """What kubedoctor would change; nothing where a node takes the pod."""
    situation = Situation(*question(json.dumps(request).encode()))
    return counterfactuals(situation, schedule(situation.pod, situation.state))


def changed(request: Request, change: Counterfactual) -> Request:
    """The question after the change."""
    pod, *objects = apply_to_data([{"kind": "Pod", **request["pod"]}, *request["objects"]], change.outcome)
    return {**request, "pod": pod, "objects": objects}


def trials(request: Request, change: Counterfactual) -> Iterator[tuple[Counterfactual, list[str]]]:
    """The whole change, then all but one of its edits in turn, each with the nodes that must be feasible."""
    yield change, sorted(change.nodes)
    for index in range(len(change.edits)):
        yield change.without(index), []


def bindings(request: Request, change: Counterfactual) -> Iterator[tuple[Request, str]]:
    """A `pvmatch` question for each claim that is bound without asking for a volume by name, and the volume."""
    for index, edit in enumerate(change.edits):
        bare = msgspec.structs.replace(edit, follows=tuple(one for one in edit.follows if not _binds(one)))
        before = changed(request, Counterfactual((*change.edits[:index], bare)))["objects"]
        yield from _bindings(edit, before)


def _binds(operation: Operation) -> bool:
    """Part of what the volume controller does to a claim and a volume."""
    return any(step.path in (("spec", "volumeName"), ("spec", "claimRef")) for step in operation.steps)


def _bindings(edit: Edit, before: list[dict[str, Any]]) -> Iterator[tuple[Request, str]]:
    for operation in filter(_binds, edit.follows):
        claim = next((one for one in before if reference(one) == operation.about), None)
        volume = next((step.value for step in operation.steps if step.path == ("spec", "volumeName")), "")
        if claim is None or not volume or claim["spec"].get("volumeName"):
            continue
        volumes = [one for one in before if one["kind"] == "PersistentVolume"]
        for one in volumes:
            if one["metadata"]["name"] == volume and one["status"]["phase"] == "Released":
                one["status"]["phase"] = "Available"  # The controller does so before it binds it.
        yield {"claim": claim, "volumes": volumes, "node": None, "delayBinding": False}, volume


def rows(seed: int, count: int) -> Iterator[dict[str, Any]]:
    """Generated questions; those with storage also with a class for which the volume controller binds at once, and with
    released volumes that remember their claim."""
    for line in oracle.questions("scheduling", seed, count).splitlines():
        row = json.loads(line)
        yield row
        again = json.loads(line)
        static = [one for one in again["request"]["objects"] if one["metadata"]["name"] == "static"]
        if static:
            static[0]["volumeBindingMode"] = "Immediate"
            for one in again["request"]["objects"]:
                if one["kind"] == "PersistentVolume" and one["status"]["phase"] == "Released":
                    one["spec"].setdefault("claimRef", {"namespace": "d", "name": "gone", "uid": "stale"})
            yield {**again, "id": f"{row['id']}-at-once"}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.differential.fixes", description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=500, help="pending pods with proposals (default: 500)")
    parser.add_argument("--seed", type=int, help="repeat the questions of a seed (default: a new one every day)")
    parser.add_argument("--storage", action="store_true", help="only pods with claims")
    return parser.parse_args()


def main() -> int:
    """Generate, propose, ask."""
    options = arguments()
    if why_not := oracle.why_not():
        print(f"not compared with upstream: {why_not}")
        return 0
    oracle.build()
    seed = options.seed if options.seed is not None else int(datetime.now(UTC).strftime("%Y%m%d"))
    asked: list[str] = []
    wanted: list[tuple[str, str, list[str]]] = []
    bound: list[tuple[str, str, str]] = []
    kinds: Counter[str] = Counter()
    assumed = stored = 0
    pods = changes = 0
    for row in rows(seed, options.count * (50 if options.storage else 5)):
        if options.storage and not any(set(one) & CLAIMS for one in row["request"]["pod"]["spec"].get("volumes") or ()):
            continue
        found = proposed(row["request"])
        pods += bool(found)
        for change in found:
            changes += 1
            kinds.update(edit.kind.value for edit in change.edits)
            assumed += bool(change.provisioners)
            stored += not change.provisioners and any(edit.kind in STORAGE for edit in change.edits)
            for asking, volume in bindings(row["request"], change):
                bound.append((row["id"], volume, json.dumps({"id": row["id"], "mode": "pvmatch", "request": asking})))
            for part, nodes in trials(row["request"], change):
                asked.append(
                    json.dumps({"id": row["id"], "mode": "schedule", "request": changed(row["request"], part)})
                )
                wanted.append((row["id"], remedy_words(part) if part.edits else "nothing changed", nodes))
        if pods == options.count:
            break
    answers = oracle.answers(oracle.UPSTREAM, "".join(f"{line}\n" for line in asked).encode())
    wrong = [
        f"{name}: {text}: kubedoctor {nodes}, upstream {answer.get('answer', answer).get('feasible')}"
        for (name, text, nodes), answer in zip(wanted, answers, strict=True)
        if sorted(answer.get("answer", {}).get("feasible") or ()) != nodes or "error" in answer
    ]
    chosen = oracle.answers(oracle.UPSTREAM, "".join(f"{line}\n" for _, _, line in bound).encode())
    wrong += [
        f"{name}: kubedoctor binds {volume}, upstream {answer.get('answer', answer).get('controller')}"
        for (name, volume, _), answer in zip(bound, chosen, strict=True)
        if volume not in (answer.get("answer", {}).get("controller") or ())
    ]
    print(f"seed {seed}: {pods} pending pods, {changes} changes, {len(asked)} trials, {len(wrong)} wrong")
    print(f"{len(bound)} bindings asked of the volume controller")
    print(f"{stored} changes are about claims and volumes, {assumed} more assume a provisioner")
    print(", ".join(f"{kind} {count}" for kind, count in kinds.most_common()))
    for text in wrong[:5]:
        print(text)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
