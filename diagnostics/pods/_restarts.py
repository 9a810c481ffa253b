"""Whether and by what a container that ended is started again: the pod's restartPolicy, the container's own, its rules."""

from __future__ import annotations

from datetime import datetime

from kubedoctor.cluster import ContainerRestartRule, Pod, counted, human_duration, times
from kubedoctor.findings import ContainerWithStatus
from kubedoctor.replay.kubelet.endings import Ending, next_try

_RESTART = "Restart"


def restart_words(pod: Pod, part: ContainerWithStatus, ending: Ending, now: datetime) -> str:
    """A sentence: `In CrashLoopBackOff, restarted 4 times, next try in 54s.`"""
    status, own = part.status, part.container.restart_policy
    rule = _rule(part, ending.exit_code)
    if status.state is not None and status.state.terminated is not None and rule is None:
        policy = own or pod.spec.restart_policy
        if policy == "Never" or (policy == "OnFailure" and ending.exit_code == 0):
            whose = "its own" if own else "the pod's"
            before = f" after {counted(status.restart_count, 'restart')}" if status.restart_count else ""
            return f"It is not restarted{before}: {whose} restartPolicy is {policy}."
    waiting = status.state.waiting if status.state else None
    state = "In CrashLoopBackOff, restarted" if waiting and waiting.reason == "CrashLoopBackOff" else "Restarted"
    again = next_try(status)
    when = f", next try in {human_duration(again - now)}" if again is not None and again > now else ""
    by = f", by its restart rule for {exit_codes(rule)} (action {rule.action})" if rule is not None else ""
    return f"{state} {times(status.restart_count)}{when}{by}."


def _rule(part: ContainerWithStatus, code: int) -> ContainerRestartRule | None:
    """The first rule that takes the exit code decides, before the policy (`pkg/kubelet/container/helpers.go`, v1.37)."""
    for rule in part.container.restart_policy_rules or ():
        codes = rule.exit_codes
        if codes is None:
            continue
        inside = code in (codes.values or ())
        if inside if codes.operator == "In" else codes.operator == "NotIn" and not inside:
            return rule if rule.action == _RESTART else None
    return None


def exit_codes(rule: ContainerRestartRule) -> str:
    """`code 42`, `a code other than 0`."""
    values = ", ".join(map(str, (rule.exit_codes.values if rule.exit_codes else None) or ()))
    other = rule.exit_codes is not None and rule.exit_codes.operator == "NotIn"
    return f"a code other than {values}" if other else f"code {values}" if values else "any code"
