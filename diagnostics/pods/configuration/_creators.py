"""The objects whose operators create Secrets: which of them should create a Secret that is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kubedoctor.answers.statements import LONGEST_MESSAGE, quoted, said, troubles_of
from kubedoctor.cluster import Cluster, CustomResource, Event, Evidence, has_path, quote, ref, visible_end
from kubedoctor.replay.status.conditions import bad_conditions
from kubedoctor.replay.status.messages import StatedTrouble, says_why

EXTERNAL_SECRET: Final = "ExternalSecret.external-secrets.io"
SEALED_SECRET: Final = "SealedSecret.bitnami.com"
CERTIFICATE: Final = "Certificate.cert-manager.io"
CREATORS: Final = {
    EXTERNAL_SECRET: (("target", "name"),),
    SEALED_SECRET: (("template", "metadata", "name"),),
    CERTIFICATE: (("secretName",),),
}
"""The path of the Secret's name in the spec of each kind; without it the Secret has the name of the object."""


def creator_of(name: str, namespace: str, cluster: Cluster) -> CustomResource | None:
    """The object that should create the Secret; None where no such object is seen."""
    return next((creator for creator in _creators(namespace, cluster) if _secret_name(creator) == name), None)


def _creators(namespace: str, cluster: Cluster) -> Iterator[CustomResource]:
    for kind in CREATORS:
        short, _, group = kind.partition(".")
        yield from cluster.maybe.custom(short, group, namespace)


def _secret_name(creator: CustomResource) -> str:
    for path in CREATORS[f"{creator.kind}.{creator.group}"]:
        value: Any = creator.spec or {}
        for field in path:
            value = value.get(field) if isinstance(value, dict) else None
        if isinstance(value, str) and value:
            return value
    return creator.name


def only_merges(creator: CustomResource) -> tuple[Evidence, ...]:
    """That the object adds keys to a Secret which others create; empty where it creates the Secret itself."""
    path = "spec.target.creationPolicy"
    if f"{creator.kind}.{creator.group}" != EXTERNAL_SECRET or not has_path(creator, path):
        return ()
    policy = quote(creator, path, "it does not create the Secret")
    return (policy,) if policy.text in ("Merge", "None") else ()


def state_of(creator: CustomResource, cluster: Cluster) -> tuple[str, tuple[Evidence, ...]]:
    """What it reports, as a clause, and quoted: trouble, else what it waits for; empty where there is neither. Of an
    object that says only that something failed, or nothing, its newest Warning event counts."""
    troubles = troubles_of(creator, cluster)
    if troubles and not (troubles[0].is_vague or _is_word(troubles[0])):
        return said(troubles[0]), quoted(creator, troubles[0])
    if not troubles and (waits := next((stated for _, stated in bad_conditions(creator) if stated.message), None)):
        return f": {visible_end(waits.message, LONGEST_MESSAGE)}", (quote(creator, f"{waits.path}.message"),)
    clause, evidence = (said(troubles[0]), quoted(creator, troubles[0])) if troubles else ("", ())
    if (troubles or not creator.status) and (event := _warning(creator, cluster)) is not None:
        clause += f": {visible_end(event.message, LONGEST_MESSAGE)}"
        evidence = (*evidence, quote(event, "message", f"event {event.reason}"))
    return clause, evidence


def _warning(creator: CustomResource, cluster: Cluster) -> Event | None:
    events = cluster.events_about(ref(creator))
    newest = next((event for event in reversed(events) if event.type == "Warning" and event.message), None)
    return newest if newest is not None and says_why(newest.message) else None


def _is_word(trouble: StatedTrouble) -> bool:
    """A state or a reason alone: `CreateFailed`."""
    return trouble.event is None and (
        trouble.message_path == trouble.path or trouble.message_path.endswith((".reason", ".type"))
    )
