"""Webhooks that are called about the pods that they, or all pods, depend on."""

from __future__ import annotations

from typing import Final, NamedTuple

from kubedoctor.cluster import Cluster, Namespace, Service, Webhook, listed
from kubedoctor.findings import Fix
from kubedoctor.replay.admission.matching import AdmissionRequest
from kubedoctor.replay.admission.webhooks import is_called

_SYSTEM: Final = "kube-system"


class Deadlock(NamedTuple):
    """words: as a sentence."""

    words: str
    fixes: tuple[Fix, ...]


def deadlock_of(webhook: Webhook, service: Service, cluster: Cluster) -> Deadlock | None:
    """service: that of the webhook, without ready endpoints. None where its own pods and those of kube-system can be created."""
    own = _is_called_in(service.namespace, dict(service.spec.selector or {}), webhook, cluster)
    system = service.namespace != _SYSTEM and _is_called_in(_SYSTEM, {}, webhook, cluster)
    if not own and not system:
        return None
    whose = ["its own pods"] if own else []
    whose += [f"the pods of {_SYSTEM}, such as the network plugin and DNS,"] if system else []
    spaces = [name for name, is_so in ((service.namespace, own), (_SYSTEM, system)) if is_so]
    words = f"It is called about {' and '.join(whose)} too: a pod that is lost there is not created again, which is a deadlock."
    text = f"Leave {listed(spaces, 2)} out of its namespaceSelector: kubernetes.io/metadata.name NotIn"
    return Deadlock(words, (Fix(f"{text} [{', '.join(spaces)}]"),))


def _is_called_in(namespace: str, labels: dict[str, str], webhook: Webhook, cluster: Cluster) -> bool:
    """About a new pod with these labels."""
    space = cluster.maybe.get(Namespace, "", namespace)
    if space is None:
        return False
    pod = {"metadata": {"namespace": namespace, "labels": labels}, "spec": {}}
    known = {"kubernetes.io/metadata.name": namespace, **space.labels}
    return not webhook.match_conditions and is_called(
        webhook, AdmissionRequest("CREATE", "", "v1", "Pod", "pods", namespace, "", pod, known)
    )
