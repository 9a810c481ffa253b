"""Why a proxy of Istio is not ready, and what repairs it: its probe is the injector's, and the template does not have it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from diagnostics.pods.crashes._story import Story
from kubedoctor.cluster import Cluster, CustomResource, LogTail, Pod, Service, ref, selector_from_map, visible_ends
from kubedoctor.findings import Command, Effect, Fix, Ref, edit_command, kubectl, quote_line, rollout
from kubedoctor.replay.mesh.config import NETWORKING, ROOT_NAMESPACE, labels
from kubedoctor.replay.mesh.roles import role_of

FILTER: Final = f"EnvoyFilter.{NETWORKING}"
REACH_ISTIOD: Final = Fix(
    "Let the proxy reach istiod: its probe succeeds once it has a configuration and a certificate"
)
_LONGEST: Final = 240
_REJECTED: Final = re.compile(r"config for type\.googleapis\.com/\S+ rejected: (?P<why>[^\t]+)")
"""Of Envoy (`grpc_subscription_impl.cc`, `delta_subscription_state.cc`): what of istiod's configuration it cannot use."""
_TOKEN: Final = re.compile(r"code = Unauthenticated desc = |closed since .*: 16, ")
"""istiod's answer to a token that it does not accept (`security/pkg/server/ca/server.go`)."""
_GONE: Final = re.compile(r"lookup (?P<name>[a-z0-9-]+)\.(?P<namespace>[a-z0-9-]+)\.svc\S* .*no such host")
_UNTRUSTED: Final = re.compile(r"x509: certificate signed by unknown authority|tls: unknown certificate authority")
_EXPIRED: Final = re.compile(r"x509: certificate has expired")


def is_proxy(pod: Pod, container: str) -> bool:
    """The sidecar, or the proxy of a gateway."""
    return container == "istio-proxy" and role_of(pod) is not None


def proxy_story(pod: Pod, tail: LogTail | None, about: Ref, cluster: Cluster) -> Story:
    """Empty where the log of the proxy does not tell."""
    if tail is None:
        return Story()
    for index in range(len(tail.lines) - 1, -1, -1):
        line = tail.lines[index]
        evidence = (quote_line(tail, index, "the proxy's log"),)
        if found := _REJECTED.search(line):
            why = visible_ends(found["why"], _LONGEST)
            text = f"the proxy cannot use the configuration that istiod sends: {why}"
            return Story(text, evidence=evidence, fixes=tuple(_corrected(pod, cluster)))
        if _TOKEN.search(line):
            text = f"istiod does not accept the token of ServiceAccount {pod.namespace}/{pod.spec.service_account_name or 'default'}"
            look = Command(
                kubectl("logs", "-l", "app=istiod", namespace=ROOT_NAMESPACE), "why istiod refuses the token"
            )
            fix = Fix(
                "Let the API server issue tokens with the audience and issuer that istiod expects; its log names what differs"
            )
            return Story(text, evidence=evidence, fixes=(fix,), commands=(look,))
        if (found := _GONE.search(line)) and cluster.maybe.get(Service, found["namespace"], found["name"]) is None:
            name = Ref("Service", found["namespace"], found["name"])
            text = f"its control plane {name.title} does not exist"
            return Story(text, evidence=evidence, fixes=(_moved(about, name),))
        if _UNTRUSTED.search(line):
            return Story(
                "the proxy does not trust the certificate of istiod", evidence=evidence, fixes=(_restarted(about),)
            )
        if _EXPIRED.search(line):
            fix = Fix(
                "Renew the certificate of istiod: restart istiod where it signs its own, else renew what signs it"
            )
            return Story(
                "the certificate of istiod, or of what signed it, has expired", evidence=evidence, fixes=(fix,)
            )
    return Story()


def _corrected(pod: Pod, cluster: Cluster) -> Iterator[Fix]:
    """The filters that change the configuration of this proxy; where there are none, any object of Istio may be meant."""
    filters = list(_filters(pod, cluster))
    for one in filters[:2]:
        yield Fix(
            f"Correct or delete {ref(one).title}, which changes the configuration of this proxy", edit_command(ref(one))
        )
    if not filters:
        yield Fix(
            "Correct the object of Istio that the message is about; the proxy takes the next configuration by itself"
        )


def _filters(pod: Pod, cluster: Cluster) -> Iterator[CustomResource]:
    for one in cluster.maybe.custom("EnvoyFilter", NETWORKING):
        wanted = selector_from_map(labels(one.spec, "workloadSelector", "labels"))
        if one.namespace in (pod.namespace, ROOT_NAMESPACE) and wanted.matches(pod.labels):
            yield one


def _moved(about: Ref, gone: Ref) -> Fix:
    return Fix(
        f"Label the namespace with the revision of an istiod that runs, and restart {about.title}; or install {gone.name} again"
    )


def _restarted(about: Ref) -> Fix:
    """New pods get the root certificate of today."""
    summary = "Restart the pods, which then trust the present root certificate of istiod"
    if about.kind in ("Deployment", "StatefulSet", "DaemonSet"):
        return Fix(summary, rollout("restart", about), Effect.DISRUPTS)
    return Fix(summary)
