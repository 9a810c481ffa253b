"""What the flags of a component of the control plane mean for its operators: audit, encryption, sign-in, profiling."""

from __future__ import annotations

from typing import NamedTuple

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.mirror_pods import flag_of


class Setting(NamedTuple):
    """What is set up. text: with the value of the flag that decides."""

    name: str
    text: str


def api_server_settings(pod: Pod) -> tuple[Setting, ...]:
    """Of the flags of kube-apiserver (`cmd/kube-apiserver/app/options`, v1.37)."""

    def value(name: str) -> str:
        flag = flag_of(pod, name)
        return flag.value if flag is not None else ""

    log = value("audit-log-path") or value("audit-webhook-config-file")
    audit = (
        f"to {log}"
        if log and value("audit-policy-file")
        else "off: no policy and no log"
        if not log
        else f"to {log}, without a policy"
    )
    encryption = value("encryption-provider-config")
    issuer = value("oidc-issuer-url") or value("authentication-config")
    anonymous = value("anonymous-auth")
    return (
        Setting("audit log", audit),
        Setting("encryption at rest", f"by {encryption}" if encryption else "off: Secrets lie in etcd as they are"),
        Setting("sign-in", f"OIDC, {issuer}" if issuer else "certificates and service accounts, no OIDC"),
        Setting("anonymous requests", "refused" if anonymous == "false" else "allowed, for what their group may do"),
        Setting("admission plugins", value("enable-admission-plugins") or "the default ones"),
        profiling(pod),
    )


def profiling(pod: Pod) -> Setting:
    """It is on unless it is turned off."""
    flag = flag_of(pod, "profiling")
    return Setting("profiling", "off" if flag is not None and flag.value == "false" else "on (/debug/pprof)")
