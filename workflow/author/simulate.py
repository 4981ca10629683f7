"""Many walks: what they cover, and the first that breaks something, as short as it can be had."""

from __future__ import annotations

from collections.abc import Sequence

from workflow.author.play import lines
from workflow.author.random_walk import Act, Pool, Walk, gather
from workflow.author.stand import Candidate, make_sandbox
from workflow.author.walk_coverage import Coverage
from workflow.model.frozen import Noun


class Violation(Noun):
    """What was broken in which walk, and the transcript of the shortest run that was found to break it."""

    walk: int
    seed: int
    broken: tuple[str, ...]
    transcript: tuple[str, ...]


class Simulated(Noun):
    """All walks: how many steps they took, what they covered, and the first violation, if there was one."""

    walks: int
    steps: int
    coverage: Coverage
    violation: Violation | None
    notes: tuple[str, ...]


def simulate(tried: Candidate, *, seed: int, walks: int, steps: int) -> Simulated:
    """Walk until something is broken, or all walks are done; the walk ``n`` has the seed ``seed + n``."""
    pool, coverage = gather(tried), Coverage.of(tried.bundle)
    taken, violation, number = 0, None, 0
    while number < walks and violation is None:
        walk = Walk(tried, pool, coverage, seed + number)
        broken = walk.go(steps)
        taken += len(walk.acts)
        if broken:
            broken, told = _shortest(tried, pool, walk, broken)
            violation = Violation(number, walk.seed, broken, told)
        number += 1
    return Simulated(number, taken, coverage, violation, _notes(tried))


Broken = tuple[tuple[str, ...], tuple[str, ...]]
"""What does not hold, and the transcript."""


def _shortest(tried: Candidate, pool: Pool, walk: Walk, broken: tuple[str, ...]) -> Broken:
    """What is left when one act after another is left out, for as long as something is still broken."""
    acts, told = walk.acts, _broken_by(tried, pool, walk.seed, walk.acts)
    if told is None:
        return (*broken, "it was not broken when the same walk was taken once more"), tuple(lines(walk.shown))
    number = len(acts)
    while number:
        number -= 1
        fewer = acts[:number] + acts[number + 1 :]
        found = _broken_by(tried, pool, walk.seed, fewer)
        if found is not None:  # what came after may not matter either, now
            acts, told, number = fewer, found, len(fewer)
    return told


def _broken_by(tried: Candidate, pool: Pool, seed: int, acts: Sequence[Act]) -> Broken | None:
    walk = Walk(tried, pool, Coverage.of(tried.bundle), seed)
    broken = walk.replay(acts)
    return (broken, tuple(lines(walk.shown))) if broken else None


def _notes(tried: Candidate) -> tuple[str, ...]:
    """What could not be looked at."""
    paid = any(each.once for each in tried.bundle.registry.actions.values())
    if paid and not make_sandbox(tried.bundle, {}).PAID:
        return ("The sandbox names no request in PAID: they were counted in the log, not as they arrived.",)
    return ()
