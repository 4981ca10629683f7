"""Many walks: what they cover, and the first that breaks something, as short as it can be had."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import islice

from workflow.author.play import lines
from workflow.author.random_walk import Act, Pool, Walk, gather
from workflow.author.stand import Candidate, make_sandbox
from workflow.author.walk_coverage import Coverage
from workflow.machine.definition import Definition
from workflow.model.frozen import Noun

FEW = 20
"""At least this many refused events tell that nothing can be taken; fewer may be chance."""
_GIVE_INPUTS = "Walks take their inputs from the scenarios: write one in which it is taken."


class Violation(Noun):
    """What was broken in which walk, and the transcript of the shortest run that was found to break it."""

    walk: int
    seed: int
    broken: tuple[str, ...]
    transcript: tuple[str, ...]


class Simulated(Noun):
    """All walks: how many steps they took, what they covered, and the first violation, if there was one.

    ``unreached`` is why they say nothing of the bundle, empty if they do: nothing is proved by walks that get nowhere.
    """

    walks: int
    steps: int
    coverage: Coverage
    violation: Violation | None
    notes: tuple[str, ...]
    unreached: str = ""

    @property
    def ok(self) -> bool:
        """Whether the walks got somewhere, and broke nothing."""
        return self.violation is None and not self.unreached


def simulate(tried: Candidate, *, seed: int, walks: int, steps: int) -> Simulated:
    """Walk until something is broken, or all walks are done; the walk ``n`` has the seed ``seed + n``."""
    pool, coverage, definition = gather(tried), Coverage.of(tried.bundle), tried.bundle.definition
    taken, violation, number = 0, None, 0
    events, failed, refused = Counter[str](), Counter[str](), defaultdict[str, Counter[str]](Counter)
    while number < walks and violation is None:
        walk = Walk(tried, pool, coverage, seed + number)
        broken = walk.go(steps)
        taken += len(walk.acts)
        events.update(walk.taken)
        failed.update(walk.failed)
        for event, reason in walk.refused:
            refused[event][reason] += 1
        if broken:
            broken, told = _shortest(tried, pool, walk, broken)
            violation = Violation(number, walk.seed, broken, told)
        number += 1
    unreached = _unreached(definition, events, refused) or _beyond_the_start(definition, coverage, failed)
    return Simulated(number, taken, coverage, violation, _notes(tried), unreached)


def _unreached(definition: Definition, taken: Counter[str], refused: Mapping[str, Counter[str]]) -> str:
    """Why no walk got anywhere: no session began, or no event moved one; empty if one did."""
    moving = [event.name for event in definition.events.values() if not event.say and event.name != "start"]
    tried = {name: refused[name] for name in moving if name in refused}
    if not taken["start"]:
        what, tried = "no session began", {"start": refused.get("start", Counter())}
    elif any(taken[name] for name in moving) or sum(each.total() for each in tried.values()) < FEW:
        return ""
    else:
        what = "no event after `start` was taken"
    reasons = (f"{each.most_common(1)[0][0]} ({each.total()} times)" for each in tried.values() if each)
    return f"{what}: {'; '.join(islice(reasons, 3))}. {_GIVE_INPUTS}"


def _beyond_the_start(definition: Definition, coverage: Coverage, failed: Counter[str]) -> str:
    """Why every walk stayed in the first state, or gave up there; empty if one got on, or there is nowhere to get."""
    aims = [state.name for state in definition.states.values() if state.end not in ("cancelled", "failed")]
    further = [name for name in aims if name != definition.start and name in coverage.states]
    if not further or not failed or any(coverage.states[name] for name in further):
        return ""
    reason, times = failed.most_common(1)[0]
    return (
        f"no walk got beyond {definition.start}: {reason} ({times} times). Does the sandbox answer what scenarios send?"
    )


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
