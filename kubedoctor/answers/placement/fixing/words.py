"""What would place a pending pod, as imperatives in a few words."""

from __future__ import annotations

from kubedoctor.cluster.grammar.text import counted
from kubedoctor.cluster.kinds.core import Taint
from kubedoctor.replay.scheduler.plugins.taint_toleration import taint_text
from kubedoctor.replay.scheduler.remedies.edits import Because, Counterfactual, Edit, Kind, Replaced


def remedy_words(counterfactual: Counterfactual) -> str:
    """All edits in one line."""
    return ", and ".join(edit_words(edit) for edit in counterfactual.edits)


def conditions(counterfactual: Counterfactual) -> tuple[str, ...]:
    """What someone else must do first."""
    return tuple(f"{provisioner} creates the volume" for provisioner in counterfactual.provisioners)


def edit_words(edit: Edit) -> str:
    """One edit; begins in lower case."""
    match edit.kind:
        case Kind.REMOVE_GATES | Kind.UNCORDON | Kind.REMOVE_TAINT | Kind.ADD_NODE | Kind.DELETE_POD:
            return _outside_the_pod(edit)
        case Kind.FORGET_NODE | Kind.CORRECT_CLAIM | Kind.CHANGE_CLAIM | Kind.REMAKE_CLAIM | Kind.RELEASE_VOLUME:
            return _storage(edit)
        case Kind.RELAX_SPREAD | Kind.RELAX_POD_AFFINITY:
            return _among_pods(edit)
    return _in_the_pod(edit)


def _outside_the_pod(edit: Edit) -> str:
    match edit.kind:
        case Kind.REMOVE_GATES:
            return f"remove the scheduling {'gate' if len(edit.names) == 1 else 'gates'} {', '.join(edit.names)}"
        case Kind.UNCORDON:
            return f"uncordon {edit.about.name}"
        case Kind.REMOVE_TAINT:
            return f"remove taint {_taint(edit)} from {edit.about.name}"
        case Kind.ADD_NODE:
            where = f", but in {' and '.join(edit.names)}" if edit.names else ""
            return f"add a node like {edit.node}{where}"
    return f"delete pod {edit.about.namespace}/{edit.about.name}, which {_why_deleted(edit)}"


def _why_deleted(edit: Edit) -> str:
    match edit.because:
        case Because.SAME_VOLUME:
            return "uses the same volume"
        case Because.FREES_VOLUMES:
            return f"has {counted(int(edit.names[0]), 'volume')} attached on {edit.node}"
        case Because.HOST_PORTS:
            return f"holds host port {' and '.join(edit.names)} of {edit.node}"
    return "has an anti-affinity against this pod"


def _in_the_pod(edit: Edit) -> str:
    before = edit.replaced[0] if edit.replaced else Replaced("", "", "")
    match edit.kind:
        case Kind.ADD_TOLERATION:
            return f"tolerate taint {_taint(edit)}"
        case Kind.CORRECT_SELECTOR:
            return f"set nodeSelector {before.field}={before.after} instead of {before.field}={before.before}"
        case Kind.DROP_SELECTOR:
            return f"drop nodeSelector {before.field}={before.before}"
        case Kind.CORRECT_AFFINITY:
            return f"allow {edit.arguments[0]}={edit.arguments[1]} in the required node affinity"
        case Kind.DROP_AFFINITY if before.field:
            return f"drop {before.before} from the required node affinity"
        case Kind.DROP_AFFINITY:
            return "drop the required node affinity"
        case Kind.DROP_NODE_NAME:
            return f"drop nodeName {edit.node}"
        case Kind.FREE_HOST_PORT:
            return f"drop host port {edit.names[0]} of container {edit.arguments[0]}"
    owner = f"of container {edit.arguments[0]}" if edit.arguments[0] else "of the pod"
    room = "is free" if edit.because is Because.ALL_THAT_IS_FREE else "is left for it"
    where = f"all that {room} on {edit.node or 'the new node'}"
    return f"lower the {before.field} request {owner} from {before.before} to {before.after} ({where})"


def _among_pods(edit: Edit) -> str:
    key = edit.arguments[0]
    if edit.kind is Kind.RELAX_SPREAD:
        _, field, value = edit.arguments
        drops_field = any(step.remove for operation in edit.operations for step in operation.steps)
        return f"set {field} of the topology spread over {key} to {value}{' and drop its minDomains' if drops_field else ''}"
    if edit.arguments[1]:
        return f"require the pod anti-affinity per node instead of per {key}"
    rule = "anti-affinity" if "podAntiAffinity" in edit.names else "affinity"
    return f"drop the required pod {rule} over {key}"


def _storage(edit: Edit) -> str:
    match edit.kind:
        case Kind.FORGET_NODE:
            return f"let the scheduler select another node than {edit.node} for claim {edit.about.name}"
        case Kind.CORRECT_CLAIM:
            return f"use claim {edit.replaced[0].after} instead of {edit.replaced[0].before}"
        case Kind.RELEASE_VOLUME if edit.because is Because.DELETED_CLAIM:
            why = f"it is kept for the deleted claim {edit.names[0]} and still has its data"
            return f"release volume {edit.about.name} for a new claim: {why}"
        case Kind.RELEASE_VOLUME:
            why = f"it is kept for claim {edit.names[0]}, which does not exist"
            return f"release volume {edit.about.name} for a new claim: {why}"
    claim = edit.arguments[0]
    text = f"recreate claim {claim}" if edit.kind is Kind.REMAKE_CLAIM else f"change claim {claim}"
    if edit.about.kind == "Pod":
        text = f"change the claim template of volume {claim.removeprefix(f'{edit.about.name}-')}"
    why = _why_claim(edit)
    return f"{text}: {', '.join(map(_claim_field, edit.replaced))}{f' ({why})' if why else ''}"


def _claim_field(replaced: Replaced) -> str:
    instead = f" instead of {replaced.before}" if replaced.before else ""
    match replaced.field:
        case "storageClassName":
            return f"storage class {replaced.after}{instead}" if replaced.after else f"no storage class{instead}"
        case "storage":
            return f"size {replaced.after}{instead}"
        case "accessModes":
            return f"access mode {replaced.after}{instead}"
    return f"volume {replaced.after} by name" if replaced.after else "no volume name"


def _why_claim(edit: Edit) -> str:
    match edit.because:
        case Because.AS_OFFERED:
            return f"as volume {edit.names[0]} has it"
        case Because.THEN_FITS:
            return f"volume {edit.names[0]} then fits"
        case Because.CLASS_HAS:
            return f"class {edit.names[0]} has so much storage near {edit.node}"
    return ""


def _taint(edit: Edit) -> str:
    key, value, effect = edit.arguments
    return taint_text(Taint(key=key, value=value, effect=effect))
