"""Times as people read them: the journal's are ISO 8601 in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from workflow.model.errors import UsageError

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


def since(given: str, now: float) -> str:
    """The earliest time that is asked for, as entries write it; ``now`` is in seconds since the epoch.

    A span up to now (``90m``, ``12h``, ``7d``) or an ISO day or time, UTC unless it says otherwise.
    """
    span = re.fullmatch(r"([0-9]{1,6})([smhd])", given)
    try:
        if span:
            seconds = now - int(span[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[span[2]]
            moment = datetime.fromtimestamp(seconds, UTC)
        else:
            moment = datetime.fromisoformat(given)
            moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError) as error:
        hint = "Give a span such as 90m, 12h or 7d, or a day or time such as 2026-01-31 or 2026-01-31T09:30."
        raise UsageError(f"{given[:60]!r} is not a time to begin from", hint) from error
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def age(given: str, now: float) -> str:
    """The time this long ago, as entries write it: ``90d``, ``12h``, ``30m``; ``now`` is in seconds since the epoch."""
    if not re.fullmatch(r"[1-9][0-9]{0,5}[smhd]", given):
        raise UsageError(f"{given[:60]!r} is not an age", "Give a number with a unit, such as 90d or 12h.")
    return since(given, now)


def size(count: int) -> str:
    """Bytes in the unit that fits: ``14 KiB``, ``2.1 MiB``."""
    if count < 1024**2:
        return f"{-(-count // 1024)} KiB"
    return f"{count / 1024**2:.1f} MiB" if count < 1024**3 else f"{count / 1024**3:.1f} GiB"


def _apart(seconds: int) -> str:
    for length, unit in _UNITS:
        count = abs(seconds) // length
        if count:
            span = f"{count} {unit}{'s' if count > 1 else ''}"
            return f"in {span}" if seconds > 0 else f"{span} ago"
    return "now"
