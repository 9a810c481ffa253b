"""ingress-nginx refuses an annotation of the Ingress.

## What it means
The controller does not take the whole Ingress: its hosts and paths get 404, or keep the settings of before. Only the
controller's log says so, and an address that the Ingress has from earlier stays in its status.

## Why it happens
- Each annotation has a risk (Low, Medium, High, Critical), and the controller takes those up to `annotations-risk-level` of its
  ConfigMap. Up to version 1.11 that is Critical, from 1.12 on High: snippets are Critical.
- The value does not have the form that the annotation needs; the controller checks it since 1.12
  (`--enable-annotation-validation`).
- The value has a word of `annotation-value-word-blocklist`.

## How to fix it
Do without the annotation: `custom-headers` sets response headers without a snippet (since 1.11), a rule of its own serves a host
without `server-alias`. Where everybody who may write Ingresses may read the controller's Secrets too, raise the level; a
snippet needs `allow-snippet-annotations` as well.

## References
- https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations-risk/
- https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/configmap/#annotations-risk-level
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from diagnostics.ingress._controllers import controller_of_ingress
from diagnostics.ingress.paths._patterns import has_settings
from kubedoctor.cluster import Cluster, ConfigMap, Ingress, IngressClass, LogTail, Pod, Ref, Service, flag_of, listed
from kubedoctor.cluster.changes import Step, edit
from kubedoctor.findings import (
    Command,
    Confidence,
    Effect,
    Finding,
    Fix,
    Severity,
    command_line,
    diagnostic,
    edit_command,
    has_path,
    kubectl,
    quote,
    quote_line,
    ref,
)
from kubedoctor.replay.ingress.controllers import controller_pods
from kubedoctor.replay.ingress.nginx_annotations import (
    PREFIX,
    RISK_LEVEL,
    SNIPPETS,
    Risk,
    accepted_risk,
    group_of,
    is_snippet,
    replacement_of,
    risk_of,
    takes_snippets,
)

_NGINX: Final = "ingress-nginx"
_MOST: Final = 3


@diagnostic(
    code="KD2314",
    subject=Ingress,
    severity=Severity.CRITICAL,
    reads=(Ingress, IngressClass, Pod, Service, ConfigMap),
    when=has_settings,
    symptoms=("404", "contains risky annotation", "validation error on ingress", "configuration-snippet", "annotation"),
)
def annotation_refused(ingress: Ingress, cluster: Cluster) -> Iterator[Finding]:
    if ingress.metadata.deletion_timestamp is not None or not _set(ingress):
        return
    if _NGINX not in controller_of_ingress(ingress, cluster):
        return
    pods = controller_pods(ingress, cluster)
    risky = list(_too_risky(ingress, pods[0], pods, cluster)) if pods else []
    yield from risky
    if pods and not risky and not ingress.status.load_balancer.ingress:
        yield from _wrong_value(ingress, pods, cluster)


def _set(ingress: Ingress) -> tuple[str, ...]:
    return tuple(key for key in sorted(ingress.annotations) if key.startswith(PREFIX))


def _too_risky(ingress: Ingress, pod: Pod, pods: tuple[Pod, ...], cluster: Cluster) -> Iterator[Finding]:
    name = _config_name(pod)
    config = cluster.maybe.get(ConfigMap, pod.namespace, name) if name else None
    level = accepted_risk(config, pod)
    if level is None:
        return
    unread = bool(name) and config is None and any(gap.kind == "ConfigMap" for gap in cluster.gaps)
    risky = [key for key in _set(ingress) if (risk_of(key) or Risk.LOW) > level]
    if not risky and unread:
        risky = _refused_by_log(ingress, pods, cluster)
    if not risky:
        return
    word = level.name.capitalize()
    wanted = max(risk_of(key) or Risk.LOW for key in risky).name.capitalize()
    where = f"the controller takes annotations up to risk {word} ({RISK_LEVEL}, the default of its version)"
    names = listed([key.removeprefix(PREFIX) for key in risky], _MOST)
    evidence = [quote(ingress, f"metadata.annotations[{key}]", f"its risk is {wanted}") for key in risky[:_MOST]]
    if config is not None and has_path(config, f"data[{RISK_LEVEL}]"):
        where = f"{RISK_LEVEL} of {ref(config).title} is {word}"
        evidence.append(quote(config, f"data[{RISK_LEVEL}]", "the highest risk that the controller takes"))
    its = Ref("ConfigMap", pod.namespace, name).title
    if unread:
        where = f"the controller takes annotations up to risk {word} unless {RISK_LEVEL} of {its}, which could not be read, says otherwise"
    evidence.append(quote(pod, f"spec.containers[name={pod.spec.containers[0].name}].image", "the controller"))
    groups = "|".join(sorted({group_of(key) for key in risky}))
    said = _last_line(pods, re.compile(rf"annotation group (?:{groups}) contains risky annotation"), cluster)
    sure = Confidence.POSSIBLE if unread else Confidence.LIKELY
    if said is not None:
        evidence.append(quote_line(*said, "the controller refuses an Ingress for it"))
        sure = Confidence.CERTAIN
        if unread:
            where = f"the controller takes lower ones only, by its log ({its} could not be read)"
    yield Finding(
        about=ref(ingress),
        aspect="risk",
        summary=f"ingress-nginx leaves the Ingress out: {names}"
        f" {'is an annotation' if len(risky) == 1 else 'are annotations'} of risk {wanted}, and {where}",
        evidence=tuple(evidence),
        confidence=sure,
        would_disprove=f"{RISK_LEVEL} of {its} is {wanted}" if sure is Confidence.POSSIBLE else "",
        fixes=(Fix(_instead(risky, level, pod), edit_command(ref(ingress))), *_raise(config, risky, wanted)),
        commands=(_log_of(pod),),
    )


def _refused_by_log(ingress: Ingress, pods: tuple[Pod, ...], cluster: Cluster) -> list[str]:
    """The annotations of a group that the log of the controller calls risky, where the risk that it takes was not read."""
    above = [key for key in _set(ingress) if (risk_of(key) or Risk.LOW) > Risk.LOW]
    refused = []
    for key in above:
        words = re.compile(rf"annotation group {group_of(key)} contains risky annotation")
        if _last_line(pods, words, cluster) is not None:
            refused.append(key)
    return refused


def _instead(risky: list[str], level: Risk, pod: Pod) -> str:
    known = dict.fromkeys(filter(None, (replacement_of(key, level, pod) for key in risky)))
    return "; ".join((f"Remove the annotation{'' if len(risky) == 1 else 's'}", *known))


def _raise(config: ConfigMap | None, risky: list[str], wanted: str) -> Iterator[Fix]:
    """A snippet is dropped without `allow-snippet-annotations`, whichever risk the controller takes."""
    if config is None:
        return
    steps = [Step(("data", RISK_LEVEL), wanted)]
    also = ""
    if any(map(is_snippet, risky)) and not takes_snippets(config):
        steps.append(Step(("data", SNIPPETS), "true"))
        also = f" and {SNIPPETS} to true"
    words = f"Or set {RISK_LEVEL} to {wanted}{also}, if all who write Ingresses may read what the controller reads"
    yield Fix(words, command_line(edit(ref(config), *steps), config), Effect.CHANGES)


def _wrong_value(ingress: Ingress, pods: tuple[Pod, ...], cluster: Cluster) -> Iterator[Finding]:
    """The controller names the Ingress in these lines."""
    me = re.escape(f"{ingress.namespace}/{ingress.name}")
    words = re.compile(
        rf"validation error on ingress {me}: annotation (?P<key>[\w./-]+) contains invalid value"
        rf"|skipping ingress {me}: (?P<listed>[\w./-]+) annotation contains invalid word (?P<word>.+)"
    )
    said = _last_line(pods, words, cluster)
    match = words.search(said[0].lines[said[1]]) if said is not None else None
    if said is None or match is None:
        return
    key = f"{PREFIX}{(match['key'] or match['listed']).removeprefix(PREFIX)}"
    if not has_path(ingress, f"metadata.annotations[{key}]"):
        return  # It was corrected.
    why = (
        f"its value has the word {match['word'].strip()}, which the controller forbids"
        if match["word"]
        else "its value is not valid"
    )
    yield Finding(
        about=ref(ingress),
        aspect=key,
        summary=f"ingress-nginx leaves the Ingress out for annotation {key.removeprefix(PREFIX)}: {why}",
        evidence=(
            quote(ingress, f"metadata.annotations[{key}]", "what it refuses"),
            quote_line(*said, "the controller refuses it"),
        ),
        confidence=Confidence.LIKELY,
        would_disprove="the value was corrected after the line was written",
        fixes=(Fix("Correct or remove the annotation", edit_command(ref(ingress))),),
        commands=(_log_of(pods[0]),),
    )


def _config_name(pod: Pod) -> str:
    flag = flag_of(pod, "configmap")
    return flag.value.rpartition("/")[2] if flag is not None else ""


def _last_line(pods: tuple[Pod, ...], decides: re.Pattern[str], cluster: Cluster) -> tuple[LogTail, int] | None:
    for pod in pods[:2]:
        for container in pod.spec.containers[:1]:
            tail = cluster.log_tail(pod, container.name, optional=True)
            for index in range(len(tail.lines) - 1, -1, -1) if tail is not None else ():
                if tail is not None and decides.search(tail.lines[index]):
                    return tail, index
    return None


def _log_of(pod: Pod) -> Command:
    return Command(kubectl("logs", pod.name, namespace=pod.namespace), "what the controller says of its Ingresses")
