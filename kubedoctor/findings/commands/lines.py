"""Command lines about pods, and changes of pod templates."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from typing import Any, Final

from msgspec.structs import replace

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.findings.model import Command, Effect, Fix

_OF_STATIC_PODS = "kube-system"
SETTABLE = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "CronJob"})
"""The kinds whose template `kubectl set` can change."""


RESTARTABLE = frozenset({"Deployment", "StatefulSet", "DaemonSet"})
"""The kinds that `kubectl rollout` knows."""


def json_text(data: Any) -> str:
    """Data as kubectl reads it."""
    import json  # what is healthy needs no command

    return json.dumps(data)


def kubectl(*words: str, namespace: str = "") -> str:
    """A command line with the words quoted for the shell. What follows `--` stays last."""
    end = words.index("--") if "--" in words else len(words)
    place = ["-n", namespace] if namespace else []
    return shlex.join(["kubectl", *words[:end], *place, *words[end:]])


_PROGRAM: Final = re.compile(r"(^|[|;&(]\s*|\n)(kubectl|kubedoctor)(?= )")
_EDIT: Final = re.compile(r"\bkubectl (--\S+ ('[^']*'|\S+) )*edit ")
_OF_NO_CLUSTER: Final = (" explain", " version", " completion")


def in_cluster(line: str, flags: Sequence[str]) -> str:
    """A command line about another cluster than the current one: each program in it gets the flags that name the cluster,
    unless it has them. kubectl gets them first, so that no other word can hide them."""
    if not flags:
        return line
    words = shlex.join(flags)

    def named(match: re.Match[str]) -> str:
        has_them = match[2] != "kubectl" or line.startswith(f" {words}", match.end())
        return match[0] if has_them else f"{match[0]} {words}"

    done = _PROGRAM.sub(named, line)
    of_cluster = done.startswith("kubedoctor ") and not done.startswith(_OF_NO_CLUSTER, len("kubedoctor"))
    return f"{done} {words}" if of_cluster and not done.endswith(f" {words}") else done


def fixes_in_cluster(fixes: Iterable[Fix], flags: Sequence[str]) -> tuple[Fix, ...]:
    """The fixes with their commands as `in_cluster` gives them."""
    return tuple(replace(fix, command=in_cluster(fix.command, flags)) for fix in fixes)


def commands_in_cluster(commands: Iterable[Command], flags: Sequence[str]) -> tuple[Command, ...]:
    """The commands as `in_cluster` gives them."""
    return tuple(replace(command, line=in_cluster(command.line, flags)) for command in commands)


def is_by_hand(line: str) -> bool:
    """Whether the command opens an editor, in which a person decides what is changed."""
    return _EDIT.search(line) is not None


def words_of(line: str) -> list[str]:
    """The words of a command line, as a shell reads them. Raises ValueError for a quotation mark that is not closed."""
    return shlex.split(line)


def own_command(*words: str, namespace: str = "") -> str:
    """A command line of this program: `kubedoctor why-pending web-1 -n shop`."""
    return shlex.join(["kubedoctor", *words, *(["-n", namespace] if namespace else [])])


def edit_command(about: Ref) -> str:
    """The command that opens an object in an editor."""
    return kubectl("edit", about.argument, namespace=about.namespace)


def fix_by_hand(about: Ref, summary: str) -> Fix:
    """A change by hand of a pod template. Those of Pods and Jobs are immutable."""
    if about.kind in ("Pod", "Job"):
        if about.kind == "Pod" and about.namespace == _OF_STATIC_PODS:
            return Fix(
                f"{summary}; a static pod is changed in its manifest on the node, another is deleted and recreated"
            )
        return Fix(f"{summary}; a {about.kind} cannot be changed in place: delete and recreate it")
    return Fix(summary, edit_command(about))


def look_at_pod(pod: Pod, why: str) -> Command:
    return Command(kubectl("describe", "pod", pod.name, namespace=pod.namespace), why)


def look_at_log(pod: Pod, container: str, *, previous: bool, why: str = "") -> Command:
    options = ["--previous"] if previous else []
    line = kubectl("logs", pod.name, "-c", container, *options, namespace=pod.namespace)
    return Command(line, why or ("the end of the run that failed" if previous else "what the program writes"))


def look_at(name: Ref, why: str) -> Command:
    return Command(kubectl("get", name.argument, "-o", "yaml", namespace=name.namespace), why)


def rollout(verb: str, workload: Ref) -> str:
    """`kubectl rollout undo deployment/web -n shop`; verbs: undo, restart, status, history, pause, resume."""
    return kubectl("rollout", verb, workload.argument, namespace=workload.namespace)


def restart(workload: Ref, summary: str) -> Fix:
    """New pods for a workload; what no controller replaces has to be created again by hand."""
    if workload.kind in RESTARTABLE:
        return Fix(summary, rollout("restart", workload), Effect.DISRUPTS)
    return Fix(f"{summary}: delete {workload.title} and create it again", "", Effect.DISRUPTS)


def roll_back(workload: Ref, known: str = "if it was healthy", *, instead: bool = False) -> Fix:
    """known: of the previous revision. instead: other fixes are named before."""
    words = f"{'Or roll' if instead else 'Roll'} back to the previous revision, {known}"
    return Fix(words, rollout("undo", workload), Effect.DISRUPTS)


def delete_by_force(about: Ref) -> str:
    """Deletes without waiting, such as a pod that no kubelet can end."""
    options = ["-n", about.namespace] if about.namespace else []
    return kubectl("delete", about.argument, *options, "--force", "--grace-period=0")
