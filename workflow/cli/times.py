"""Times as people read them: the journal's are ISO 8601 in UTC."""

from __future__ import annotations

from datetime import datetime

_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def minute(time: str) -> str:
    """``2025-01-01 09:30`` of an ISO time, in UTC."""
    return time[:16].replace("T", " ")


def here(time: str) -> str:
    """``2025-01-01 10:30:00`` of an ISO time, by this machine's clock."""
    return f"{datetime.fromisoformat(time).astimezone():%Y-%m-%d %H:%M:%S}"


def local(time: str, now: float) -> str:
    """The time by this machine's clock, and how far it is from ``now`` (seconds since the epoch)."""
    seconds = round(datetime.fromisoformat(time).timestamp() - now)
    return f"{here(time)} ({_apart(seconds)})"


def _apart(seconds: int) -> str:
    for size, unit in _UNITS:
        count = abs(seconds) // size
        if count:
            span = f"{count} {unit}{'s' if count > 1 else ''}"
            return f"in {span}" if seconds > 0 else f"{span} ago"
    return "now"
