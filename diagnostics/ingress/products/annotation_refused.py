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
Replace the annotation by one of a lower risk: `custom-headers`, `rewrite-target`, `denylist-source-range`. Where everybody who
may write Ingresses may read the controller's Secrets too, raise the level.

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
from kubedoctor.cluster import Cluster, ConfigMap, Ingress, IngressClass, LogTail, Pod, Service, flag_of, listed
from kubedoctor.cluster.changes import put
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
    Risk,
    accepted_risk,
    group_of,
    risk_of,
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
    config = _config(pod, cluster)
    level = accepted_risk(config, pod)
    risky = [key for key in _set(ingress) if level is not None and (risk_of(key) or Risk.LOW) > level]
    if level is None or not risky:
        return
    word = level.name.capitalize()
    wanted = max(risk_of(key) or Risk.LOW for key in risky).name.capitalize()
    where = f"the controller takes annotations up to risk {word} ({RISK_LEVEL}, the default of its version)"
    names = listed([key.removeprefix(PREFIX) for key in risky], _MOST)
    evidence = [quote(ingress, f"metadata.annotations[{key}]", f"its risk is {wanted}") for key in risky[:_MOST]]
    if config is not None and has_path(config, f"data[{RISK_LEVEL}]"):
        where = f"{RISK_LEVEL} of {ref(config).title} is {word}"
        evidence.append(quote(config, f"data[{RISK_LEVEL}]", "the highest risk that the controller takes"))
    evidence.append(quote(pod, f"spec.containers[name={pod.spec.containers[0].name}].image", "the controller"))
    groups = "|".join(sorted({group_of(key) for key in risky}))
    said = _last_line(pods, re.compile(rf"annotation group (?:{groups}) contains risky annotation"), cluster)
    if said is not None:
        evidence.append(quote_line(*said, "the controller refuses an Ingress for it"))
    yield Finding(
        about=ref(ingress),
        aspect="risk",
        summary=f"ingress-nginx leaves the Ingress out: {names}"
        f" {'is an annotation' if len(risky) == 1 else 'are annotations'} of risk {wanted}, and {where}",
        evidence=tuple(evidence),
        confidence=Confidence.CERTAIN if said is not None else Confidence.LIKELY,
        fixes=(
            Fix("Remove the annotation, or use one of lower risk such as custom-headers", edit_command(ref(ingress))),
            *_raise(config, wanted),
        ),
        commands=(_log_of(pod),),
    )


def _raise(config: ConfigMap | None, wanted: str) -> Iterator[Fix]:
    words = f"Or set {RISK_LEVEL} to {wanted}, if all who write Ingresses may read what the controller reads"
    if config is not None:
        yield Fix(words, command_line(put(ref(config), ("data", RISK_LEVEL), wanted), config), Effect.CHANGES)


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


def _config(pod: Pod, cluster: Cluster) -> ConfigMap | None:
    flag = flag_of(pod, "configmap")
    name = flag.value.rpartition("/")[2] if flag is not None else ""
    return cluster.maybe.get(ConfigMap, pod.namespace, name) if name else None


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
