"""Moments as people name them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from kubedoctor.cluster.grammar.durations import parse_duration


def moment_named(text: str, now: datetime) -> datetime:
    """`14:49`, `14:49:50` (UTC, the last time that it was so), `2026-11-30T14:49:50Z`, or `5m` ago. Raises ValueError."""
    text = text.strip()
    for form in ("%H:%M:%S", "%H:%M"):
        try:
            clock = datetime.strptime(text.removesuffix("Z"), form).replace(tzinfo=UTC)
        except ValueError:
            continue
        at = now.astimezone(UTC).replace(hour=clock.hour, minute=clock.minute, second=clock.second, microsecond=0)
        return at if at <= now else at - timedelta(days=1)
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    except ValueError:
        pass
    try:
        return now - parse_duration(text.removesuffix(" ago").strip())
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is no moment: 14:49:50, 2026-11-30T14:49:50Z, or 5m ago") from None
