"""Durations as a bundle writes them: ``3s``, ``20m``, ``1h30m`` or ``7d``."""

from __future__ import annotations

import re


def seconds(duration: str | int | float) -> float:
    """``3s``, ``20m``, ``1h30m``, ``7d`` or a bare number of seconds; anything else raises ``ValueError``."""
    if isinstance(duration, (int, float)) and not isinstance(duration, bool):
        return float(duration)
    match = re.fullmatch(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?", str(duration))
    if not match or not any(match.groups()):
        raise ValueError(f"{duration!r} is not a duration; write it like 3s, 20m, 1h30m or 7d")
    days, hours, minutes, rest = (float(part or 0) for part in match.groups())
    return days * 86400 + hours * 3600 + minutes * 60 + rest


def span(seconds: float) -> str:
    """A duration as a bundle writes it, such as ``7d`` or ``1d12h``, in its two largest units; never less than 1s."""
    whole = max(round(seconds), 1)
    counts = ((whole // 86400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "m"), (whole % 60, "s"))
    return "".join([f"{count}{unit}" for count, unit in counts if count][:2])
