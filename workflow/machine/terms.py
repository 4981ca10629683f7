"""How long a question can be answered and an approval counts. Pure: a term is seconds between two instants.

Nothing counts whose age cannot be told: a clock that was set back makes it negative, and voids it.
"""

from __future__ import annotations

from workflow.model.duration import span
from workflow.model.instant import Instant, iso


def age(earlier: Instant, now: Instant) -> float:
    """Seconds from ``earlier`` to ``now``: the most that either clock says, and what a clock that ran back says.

    Across a reboot only the wall can tell.
    """
    wall = now.wall - earlier.wall
    if now.boot_id != earlier.boot_id:
        return wall
    boot = now.boot - earlier.boot
    return max(wall, boot) if wall >= 0 and boot >= 0 else min(wall, boot)


def runs(earlier: Instant, now: Instant, valid: float) -> bool:
    """Whether a term of ``valid`` seconds that began at ``earlier`` is not over."""
    return 0 <= age(earlier, now) <= valid


def end(earlier: Instant | None, now: Instant, valid: float) -> str | None:
    """When the term ends by the wall as it is now, ISO 8601 in UTC; None where none runs.

    It is the same each time that it is asked: clocks that differ by less than a second are taken for alike.
    """
    if earlier is None or not runs(earlier, now, valid):
        return None
    return _moment(earlier, now, valid, age(earlier, now))


def moment(since: Instant, now: Instant, seconds: float) -> str:
    """When these seconds have passed since then, by the wall as it is now: ISO 8601 in UTC.

    It is the same each time that it is asked: clocks that differ by less than a second are taken for alike.
    """
    return _moment(since, now, seconds, now.since(since))


def _moment(since: Instant, now: Instant, seconds: float, passed: float) -> str:
    apart = passed - (now.wall - since.wall)
    return iso(Instant(since.wall + seconds - (apart if abs(apart) >= 1 else 0.0), 0.0, ""))


def lapse(earlier: Instant, now: Instant, valid: float) -> str:
    """How old something is, and its term, in words."""
    passed = age(earlier, now)
    if passed < 0:
        return f"is {span(-passed)} in the future: the clock was set back"
    return f"is {span(passed)} old, and its term is {span(valid)}"
