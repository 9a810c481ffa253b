"""Ask Kubernetes' own code whether proposed changes help: `python -m tests.differential.fixes`.

With each change that kubedoctor proposes for a generated pending pod some node must be feasible, and the very nodes that
were named; with any one edit left out, none may be. Exit code 1 where that is not so.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from kubedoctor.replay.scheduler.counterfactuals import Change, Situation, apply_change, counterfactuals
from kubedoctor.replay.scheduler.cycle import schedule
from kubedoctor.testing.oracle import question
from tests.differential import oracle

Request = dict[str, Any]


def proposed(request: Request) -> tuple[Change, ...]:
    """What kubedoctor would change; nothing where a node takes the pod."""
    situation = Situation(*question(json.dumps(request).encode()))
    return counterfactuals(situation, schedule(situation.pod, situation.state))


def changed(request: Request, change: Change) -> Request:
    """The question after the change."""
    pod, *objects = apply_change([{"kind": "Pod", **request["pod"]}, *request["objects"]], change)
    return {**request, "pod": pod, "objects": objects}


def trials(request: Request, change: Change) -> Iterator[tuple[Change, list[str]]]:
    """The whole change, then all but one of its edits in turn, each with the nodes that must be feasible."""
    yield change, sorted(change.nodes)
    for index in range(len(change.edits)):
        yield change.without(index), []


def main() -> int:
    """Generate, propose, ask."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential.fixes", description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=500, help="pending pods with proposals (default: 500)")
    parser.add_argument("--seed", type=int, help="repeat the questions of a seed (default: a new one every day)")
    options = parser.parse_args()
    if why_not := oracle.why_not():
        print(f"not compared with upstream: {why_not}")
        return 0
    oracle.build()
    seed = options.seed if options.seed is not None else int(datetime.now(UTC).strftime("%Y%m%d"))
    asked: list[str] = []
    wanted: list[tuple[str, str, list[str]]] = []
    kinds: Counter[str] = Counter()
    pods = changes = 0
    for line in oracle.questions("scheduling", seed, options.count * 5).splitlines():
        row = json.loads(line)
        found = proposed(row["request"])
        pods += bool(found)
        for change in found:
            changes += 1
            kinds.update(edit.kind.value for edit in change.edits)
            for part, nodes in trials(row["request"], change):
                asked.append(
                    json.dumps({"id": row["id"], "mode": "schedule", "request": changed(row["request"], part)})
                )
                wanted.append((row["id"], part.summary if part.edits else "nothing changed", nodes))
        if pods == options.count:
            break
    answers = oracle.answers(oracle.UPSTREAM, "".join(f"{line}\n" for line in asked).encode())
    wrong = [
        f"{name}: {text}: kubedoctor {nodes}, upstream {answer.get('answer', answer).get('feasible')}"
        for (name, text, nodes), answer in zip(wanted, answers, strict=True)
        if sorted(answer.get("answer", {}).get("feasible") or ()) != nodes or "error" in answer
    ]
    print(f"seed {seed}: {pods} pending pods, {changes} changes, {len(asked)} trials, {len(wrong)} wrong")
    print(", ".join(f"{kind} {count}" for kind, count in kinds.most_common()))
    for text in wrong[:5]:
        print(text)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
