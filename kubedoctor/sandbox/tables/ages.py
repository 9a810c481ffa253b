"""Ages as kubectl prints them (`apimachinery/pkg/util/duration`, v1.37)."""

from __future__ import annotations

from datetime import datetime


def parsed(timestamp: object) -> datetime | None:
    """An RFC 3339 timestamp; None for anything else."""
    if not isinstance(timestamp, str):
        return None
    try:
        return datetime.fromisoformat(timestamp)
    except ValueError:
        return None


def age(timestamp: object, now: datetime) -> str:
    """The time since a timestamp, `<unknown>` without one."""
    moment = parsed(timestamp)
    return human_duration((now - moment).total_seconds()) if moment else "<unknown>"


def human_duration(seconds: float) -> str:
    """Two or three figures: `90s`, `5m12s`, `3h4m`, `2d3h`, `1y20d`."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    if seconds < 0:
        return "0s"
    if whole < 120:
        return f"{whole}s"
    minutes, hours = whole // 60, whole // 3600
    if minutes < 10:
        return f"{minutes}m" + (f"{whole % 60}s" if whole % 60 else "")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h" + (f"{minutes % 60}m" if minutes % 60 else "")
    if hours < 48:
        return f"{hours}h"
    days = hours // 24
    if days < 8:
        return f"{days}d" + (f"{hours % 24}h" if hours % 24 else "")
    if days < 730:
        return f"{days}d"
    years = days // 365
    if years < 8:
        return f"{years}y" + (f"{days % 365}d" if days % 365 else "")
    return f"{years}y"
