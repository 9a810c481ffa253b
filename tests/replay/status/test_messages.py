"""What the controller of a custom resource says, read: conditions, states, and the event that says why."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from kubedoctor.cluster.kinds.core import Event
from kubedoctor.cluster.kinds.meta import CustomResource, ObjectMeta
from kubedoctor.replay.messages.classes import MessageClass
from kubedoctor.replay.status.messages import stated_troubles

NOW = datetime(2026, 1, 15, 10, tzinfo=UTC)
LONG_AGO = datetime(2026, 1, 15, 9, tzinfo=UTC)


def secret(
    message: str, reason: str = "SecretSyncedError", since: str = "2026-01-15T09:00:00Z", **spec: Any
) -> CustomResource:
    ready = {"type": "Ready", "status": "False", "reason": reason, "message": message, "lastTransitionTime": since}
    return CustomResource(
        kind="ExternalSecret",
        api_version="external-secrets.io/v1",
        metadata=ObjectMeta(name="db", namespace="shop", creation_timestamp=LONG_AGO),
        spec=spec,
        status={"conditions": [ready]},
    )


def warning(message: str) -> Event:
    return Event(type="Warning", reason="UpdateFailed", message=message)


def classes(obj: CustomResource, *events: Event) -> list[MessageClass]:
    return [trouble.reading.message_class for trouble in stated_troubles(obj, events, NOW)]


VAGUE = "could not get secret data from provider"


def test_a_vague_condition_is_explained_by_the_newest_event() -> None:
    events = (warning("permission denied"), warning("error processing spec.data[0], err: Secret does not exist"))
    assert classes(secret(VAGUE), *events) == [MessageClass.SECRET_SYNC_KEY_MISSING, MessageClass.SECRET_SYNC_FAILED]


def test_a_condition_that_says_why_needs_no_event() -> None:
    found = classes(secret("permission denied"), warning("Secret does not exist"))
    assert found == [MessageClass.SECRET_SYNC_DENIED]


def test_events_alone_are_no_trouble() -> None:
    well = secret(VAGUE)
    well = CustomResource(kind=well.kind, api_version=well.api_version, metadata=well.metadata, status={})
    assert classes(well, warning("Secret does not exist")) == []


def test_what_is_new_or_suspended_is_no_trouble() -> None:
    assert classes(secret("permission denied", since="2026-01-15T09:59:50Z")) == []
    assert classes(secret("permission denied", suspend=True)) == []
