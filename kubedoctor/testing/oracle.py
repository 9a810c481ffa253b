"""`python -m kubedoctor.testing.oracle`: kubedoctor's replay with the interface of the oracle built from upstream's
code.

One JSON object per line in and out: `{"id", "mode", "request"}` gives `{"id", "mode", "answer"}`, or `"error"` for a
question that cannot be answered; `-full` repeats the request. Two oracles can be compared with a plain diff. Modes:
schedule, requests, quantity, labelselector, fieldselector, nodeselector, toleration, rollout, cron, hpa, eviction,
drain, podsecurity, rbac, quota, limitrange, pvmatch, message, log, reach, answer, corefile, resolvconf, dns, lookup, client, endpointslices,
hostmatch, inject, policies, scope, route. A row of mode `cluster` names the objects for the rows that follow it.

Where upstream quotes a parser's message (errors of label and node selectors), the text is kubedoctor's.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from kubedoctor.cluster.grammar.quantities import Quantity, QuantityError, parse_quantity
from kubedoctor.cluster.grammar.selectors import (
    CompiledNodeSelector,
    SelectorError,
    parse_field_selector,
    parse_label_selector,
    selector_from_map,
    selector_of,
)
from kubedoctor.cluster.grammar.tolerations import tolerates, untolerated
from kubedoctor.cluster.kinds.affinity import NodeSelector, Toleration
from kubedoctor.cluster.kinds.core import Node, Taint
from kubedoctor.cluster.kinds.meta import LabelSelector
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import kind_name
from kubedoctor.replay.kubelet.quality_of_service import quality_of_service
from kubedoctor.replay.scheduler import snapshot
from kubedoctor.replay.scheduler.cycle import Objection, SchedulingVerdict, schedule
from kubedoctor.replay.scheduler.framework import Status
from kubedoctor.replay.scheduler.plugins.required_node_affinity import required_terms
from kubedoctor.replay.scheduler.plugins.selector_errors import selector_problem
from kubedoctor.replay.scheduler.preemption import Preemption, preempt
from kubedoctor.replay.scheduler.profile import default_plugins
from kubedoctor.replay.scheduler.releases import LATEST
from kubedoctor.replay.scheduler.requests import Amounts, occupied, pod_limits, pod_requests
from kubedoctor.replay.scheduler.snapshot import ClusterState
from kubedoctor.testing import controllers, oracle_admission, oracle_mesh, oracle_storage
from kubedoctor.testing.asked import Answer, BadRequest, State, converted, decoded
from kubedoctor.testing.oracle_log import answer_log
from kubedoctor.testing.oracle_message import answer_message
from kubedoctor.testing.oracle_network import ABOUT_A_STATE

INT64 = 1 << 63

ARGUMENTS = {kind_name(kind): name for kind, name in snapshot.ARGUMENTS.items()}
"""The kinds that the scheduler reads besides nodes and pods, and their attributes of `ClusterState`."""


class _Row(msgspec.Struct):
    mode: str = ""
    id: str = ""
    request: msgspec.Raw = msgspec.Raw(b"null")


class _Kind(msgspec.Struct):
    kind: str = ""


class _ScheduleRequest(msgspec.Struct):
    pod: msgspec.Raw
    objects: tuple[msgspec.Raw, ...] | None = None
    plugins: tuple[str, ...] | None = None


_ROW = msgspec.json.Decoder(_Row)
_KIND = msgspec.json.Decoder(_Kind)
_SCHEDULE = msgspec.json.Decoder(_ScheduleRequest)


def question(request: bytes | msgspec.Raw) -> tuple[Pod, ClusterState]:
    """The pod and the cluster of a `schedule` request; raises BadRequest."""
    schedule_request = _SCHEDULE.decode(request)
    objects: dict[str, list[Any]] = {}
    for raw in schedule_request.objects or ():
        kind = _KIND.decode(raw).kind
        if kind in ARGUMENTS or kind in ("Node", "Pod"):
            objects.setdefault(kind, []).append(decoded(kind, raw))
    nodes, pods = objects.pop("Node", []), objects.pop("Pod", [])
    pod = decoded("Pod", schedule_request.pod)
    assert isinstance(pod, Pod)
    state = ClusterState.of(nodes, pods, **{ARGUMENTS[kind]: items for kind, items in objects.items()})
    return pod, state


def _schedule(request: msgspec.Raw) -> Answer:
    pod, state = question(request)
    only = _SCHEDULE.decode(request).plugins
    if not only:
        return schedule_answer(pod, state)
    plugins = tuple(default_plugin for default_plugin in default_plugins(LATEST) if default_plugin.name in only)
    if "SchedulingGates" not in only:
        pod = msgspec.structs.replace(pod, spec=msgspec.structs.replace(pod.spec, scheduling_gates=None))
    verdict = schedule(pod, state, plugins)
    return verdict_answer(verdict) | preemption_answer(preempt(pod, state, verdict, plugins), verdict)


def schedule_answer(pod: Pod, state: ClusterState) -> Answer:
    """The whole cycle in upstream's form."""
    verdict = schedule(pod, state)
    return verdict_answer(verdict) | preemption_answer(preempt(pod, state, verdict), verdict)


def verdict_answer(verdict: SchedulingVerdict) -> Answer:
    """Everything but preemption."""
    if verdict.failed:
        node = next(
            (
                f"filtering {node_verdict.node}: "
                for node_verdict in verdict.nodes
                if node_verdict.first is verdict.failed
            ),
            "",
        )
        raise BadRequest(node + verdict.failed.status.message)
    answer: Answer = {"feasible": sorted(verdict.feasible)}
    if verdict.pre_enqueue:
        answer["preEnqueue"] = _objection(verdict.pre_enqueue)
    if verdict.pre_filter:
        answer["preFilter"] = _objection(verdict.pre_filter)
    if verdict.nodes:
        answer["nodes"] = {
            node_verdict.node: _objection(node_verdict.first) if node_verdict.first else _said(node_verdict.status)
            for node_verdict in verdict.nodes
        }
    blockers = {
        node_verdict.node: {blocker.plugin: _said(blocker.status) for blocker in node_verdict.blockers}
        for node_verdict in verdict.nodes
        if node_verdict.blockers
    }
    if blockers:
        answer["blockers"] = blockers
    if verdict.message:
        answer["message"] = verdict.message
    return answer


def preemption_answer(preemption: Preemption | None, verdict: SchedulingVerdict) -> Answer:
    """The part on preemption, and the event."""
    if preemption is None:
        return {"event": verdict.message} if verdict.message else {}
    answer: Answer = {"code": preemption.code.value}
    if preemption.not_eligible:
        answer["notEligible"] = preemption.not_eligible.value
    if preemption.rejected:
        answer["rejected"] = {node: _objection(objection) for node, objection in preemption.rejected}
    if preemption.candidates:
        answer["candidates"] = {
            candidate.node: {
                "victims": [f"{victim.namespace}/{victim.name}" for victim in candidate.victims],
                "pdbViolations": candidate.violations,
            }
            for candidate in preemption.candidates
        }
        answer["best"] = list(preemption.best)
    return {"event": preemption.event, "preemption": answer}


def _objection(objection: Objection) -> Answer:
    answer = _said(objection.status)
    return answer | {"plugin": objection.plugin} if objection.plugin else answer


def _said(status: Status) -> Answer:
    answer: Answer = {"code": status.code.value}
    return answer | {"reasons": list(status.texts)} if status.reasons else answer


def _requests(request: msgspec.Raw) -> Answer:
    pod = converted(Pod, msgspec.json.decode(request)["pod"])
    return {
        "requests": _amounts(pod_requests(pod.spec)),
        "limits": _amounts(pod_limits(pod.spec)),
        "occupied": _amounts(occupied(pod)),
        "qos": quality_of_service(pod),
    }


def _amounts(amounts: Amounts) -> Answer:
    return {
        name: {"text": str(amount), "value": amount.milli_value() if name == "cpu" else amount.value()}
        for name, amount in amounts.items()
    }


_FORMAT = re.compile(r"[+-]?([0-9]*(?:\.[0-9]*)?)([eEinumkKMGTP]*[-+]?[0-9]*)")
_WRONG_FORMAT = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_WRONG_SUFFIX = "unable to parse quantity's suffix"
_WRONG_NUMBER = "unable to parse numeric part of quantity"


def _quantities(request: msgspec.Raw) -> Answer:
    data = msgspec.json.decode(request)
    singles = [_quantity(text) for text in data.get("strings") or ()]
    pairs = [_pair(*pair) for pair in data.get("pairs") or ()]
    return {"quantities": singles or None, "pairs": pairs or None}


def _quantity(text: str) -> Answer:
    try:
        quantity = parse_quantity(text)
    except QuantityError:
        return {"in": text, "error": _quantity_error(text), "value": 0, "milli": 0, "sign": 0}
    sign = (quantity > Quantity()) - (quantity < Quantity())
    return {
        "in": text,
        "canonical": str(quantity),
        "value": _int64(quantity.value()),
        "milli": _int64(quantity.milli_value()),
        "sign": sign,
    }


def _quantity_error(text: str) -> str:
    """Upstream's error for a text that is not a quantity."""
    parts = _FORMAT.fullmatch(text)
    if not text or parts is None:
        return _WRONG_FORMAT
    number, suffix = parts.groups()
    if number.strip("."):
        return _WRONG_SUFFIX
    try:
        parse_quantity(f"0{suffix}")
    except QuantityError:
        return _WRONG_SUFFIX
    return _WRONG_NUMBER


def _int64(number: int) -> int:
    """The number wrapped like Go's int64."""
    return (number + INT64) % (2 * INT64) - INT64


def _pair(first: str, second: str) -> Answer | None:
    try:
        left, right = parse_quantity(first), parse_quantity(second)
    except QuantityError:
        return None
    return {"cmp": (left > right) - (left < right), "sum": str(left + right), "sub": str(left - right)}


def _label_selector(request: msgspec.Raw) -> Answer:
    data = msgspec.json.decode(request)
    selector = msgspec.convert(data.get("selector"), LabelSelector | None)
    try:
        parsed = parse_label_selector(data["text"]) if data.get("text") is not None else selector_of(selector)
    except SelectorError as error:
        return {"error": selector_problem(selector) or str(error), "canonical": ""}
    return _matches(parsed.text, map(parsed.matches, data.get("labels") or ()))


def _field_selector(request: msgspec.Raw) -> Answer:
    data = msgspec.json.decode(request)
    try:
        parsed = parse_field_selector(data.get("text", ""))
    except SelectorError as error:
        return {"error": str(error), "canonical": ""}
    return _matches(parsed.text, map(parsed.matches, data.get("fields") or ()))


def _matches(canonical: str, results: Iterable[bool]) -> Answer:
    matches = list(results)
    return {"canonical": canonical, "matches": matches} if matches else {"canonical": canonical}


def _node_selector(request: msgspec.Raw) -> Answer:
    data = msgspec.json.decode(request)
    simple, required = selector_from_map(None), None
    if data.get("pod") is not None:
        pod = converted(Pod, data["pod"])
        simple, required = selector_from_map(pod.spec.node_selector), required_terms(pod)
    else:
        required = msgspec.convert(data.get("selector") or {}, NodeSelector)
    selector = None if required is None else CompiledNodeSelector(required.node_selector_terms)
    nodes = []
    for raw in data.get("nodes") or ():
        node = converted(Node, raw)
        first = simple.matches(node.labels)
        matched = first and (selector is None or selector.matches(node.labels, node.name))
        answer: Answer = {"match": matched}
        if first and not matched and selector is not None and selector.errors:
            answer["error"] = "; ".join(selector.errors)
        nodes.append(answer)
    return {"nodes": nodes or None}


def _toleration(request: msgspec.Raw) -> Answer:
    data = msgspec.json.decode(request)
    taints = msgspec.convert(data.get("taints") or (), tuple[Taint, ...])
    tolerations = msgspec.convert(data.get("tolerations") or (), tuple[Toleration, ...])
    comparison = bool(data.get("comparison"))
    tolerated = [
        any(tolerates(toleration, taint, comparison=comparison) for toleration in tolerations) for taint in taints
    ]
    answer: Answer = {"tolerated": tolerated or None}
    first = untolerated(tolerations, taints, comparison=comparison)
    if first is not None:
        answer["untolerated"] = next(raw for raw, taint in zip(data["taints"], taints, strict=True) if taint is first)
    return answer


MODES: dict[str, Callable[[msgspec.Raw], Answer]] = {
    "schedule": _schedule,
    "requests": _requests,
    "quantity": _quantities,
    "labelselector": _label_selector,
    "fieldselector": _field_selector,
    "nodeselector": _node_selector,
    "toleration": _toleration,
    **controllers.MODES,
    **oracle_admission.MODES,
    **oracle_mesh.MODES,
    **oracle_storage.MODES,
    "message": answer_message,
    "log": answer_log,
}


class Oracle:
    """Answers line by line, and keeps the state that a row of mode `cluster` gave."""

    def __init__(self) -> None:
        self._state = State()

    def answer(self, line: bytes, *, full: bool = False) -> Answer:
        """The answer to one line; never raises for the content of the line."""
        try:
            row = _ROW.decode(line)
        except msgspec.DecodeError as error:
            return {"mode": "", "error": f"bad line: {error}"}
        out: Answer = {"id": row.id} if row.id else {}
        out["mode"] = row.mode
        if full:
            out["request"] = row.request
        try:
            return out | {"answer": self._ask(row.mode, row.request)}
        except BadRequest as error:
            return out | {"error": str(error)}
        except (msgspec.DecodeError, KeyError, TypeError) as error:
            return out | {"error": f"bad request: {error}"}

    def _ask(self, mode: str, request: msgspec.Raw) -> Answer:
        if mode == "cluster":
            data = msgspec.json.decode(request)
            self._state = State(data.get("objects") or (), data)
            return {}
        if mode in ABOUT_A_STATE:
            return ABOUT_A_STATE[mode](request, self._state)
        if mode in MODES:
            return MODES[mode](request)
        raise BadRequest(f"unknown mode {mode}")


def answer_line(line: bytes, *, full: bool = False) -> Answer:
    """The answer to one line that stands alone."""
    return Oracle().answer(line, full=full)


def main() -> None:
    """Answer standard input."""
    full = any(argument in ("-full", "--full") for argument in sys.argv[1:])
    encoder = msgspec.json.Encoder(order="deterministic")
    oracle = Oracle()
    for line in sys.stdin.buffer:
        if line.strip():
            sys.stdout.buffer.write(encoder.encode(oracle.answer(line, full=full)) + b"\n")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
