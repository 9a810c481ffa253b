"""The programs that write `caBundle` into the objects that ask for it, by an annotation."""

from __future__ import annotations

from typing import Final, NamedTuple

from kubedoctor.cluster import KubernetesObject
from kubedoctor.findings import Command

_CAINJECTOR: Final = Command(
    "kubectl get pods -A -l app.kubernetes.io/component=cainjector", "whether cainjector runs, which fills caBundle"
)
_SERVICE_CA: Final = Command(
    "kubectl get pods -n openshift-service-ca", "whether the service CA operator runs, which fills caBundle"
)


class CaProgram(NamedTuple):
    """`suffix`: of the name of its Deployment. `source`: what it writes, with room for the annotation's value. `look`: whether
    it runs."""

    annotation: str
    suffix: str
    name: str
    source: str
    look: Command


_PROGRAMS: Final = (
    CaProgram(
        "cert-manager.io/inject-ca-from",
        "cainjector",
        "cainjector of cert-manager",
        "the authority of Certificate {}",
        _CAINJECTOR,
    ),
    CaProgram(
        "cert-manager.io/inject-ca-from-secret",
        "cainjector",
        "cainjector of cert-manager",
        "the authority in Secret {}",
        _CAINJECTOR,
    ),
    CaProgram(
        "cert-manager.io/inject-apiserver-ca",
        "cainjector",
        "cainjector of cert-manager",
        "the authority of the API server",
        _CAINJECTOR,
    ),
    CaProgram(
        "service.beta.openshift.io/inject-cabundle",
        "service-ca",
        "the service CA operator",
        "the authority of Service certificates",
        _SERVICE_CA,
    ),
)


def ca_program_of(obj: KubernetesObject) -> CaProgram | None:
    """What overwrites `caBundle` of an object; None where nothing does."""
    return next((program for program in _PROGRAMS if program.annotation in obj.annotations), None)
