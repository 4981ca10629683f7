"""What a bundle declares of every way of a run, as rules that :mod:`workflow.bundle.lint.ways` proves (decision 171).

What a way adds up to for a rule is a number, bit by bit, and every missing bit makes it worse.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from workflow.bundle.lint.ways import Edge, Rule, Way
from workflow.machine.definition import HARMLESS, After, Definition, Gate, Names, State
from workflow.model.frozen import Noun

VOID = "void"
"""The class of a call that finds no approval that fits what it would send, and whose term is not over."""

Effects = Mapping[str, str]
"""Action → its effect; one that is missing may be any."""


MOST_PERFORMANCES = 100
"""Performances that an answer may count for: a series has an end, and lint looks at each of them."""


def lasting(gate: Gate) -> bool:
    """Whether the gate lasts for a number of performances that can be one."""
    return type(gate.lasts) is int and 1 <= gate.lasts <= MOST_PERFORMANCES


def performs(state: State, edge: Edge, effects: Effects) -> bool:
    """Whether leaving ``state`` by ``edge`` spends the answers that its action needs (decision 172).

    A paid call spends them as it leaves, whatever comes of it; another one when it has succeeded.
    """
    return state.action is not None and (edge.how != "failed" or effects.get(state.action) not in HARMLESS)


def may_have_happened(state: State, edge: Edge, effects: Effects) -> bool:
    """Whether the action of ``state`` may have changed something when it is left by ``edge``.

    A paid call that failed certainly did not, and a failed ``read`` changes nothing.
    """
    return edge.how != "failed" or effects.get(state.action or "") not in ("read", "once")


class NeverWithout(Noun):
    """``subject`` is never performed without an answer to each gate of one of the ``alternatives``.

    Each gate has a bit for each performance that it ``lasts`` for. Its answer sets them, and an action that ``spends``
    it takes one away.
    """

    subject: str
    alternatives: tuple[Names, ...]
    spends: Mapping[str, Names]
    lasts: Mapping[str, int] = {}
    effects: Effects = {}
    rule = "never_without"
    first = 0

    @property
    def names(self) -> Names:
        """Its gates."""
        return tuple(self._answers)

    def broken(self, state: State, bits: int) -> bool:
        """Whether the action would be performed in ``state`` without what it needs."""
        return state.action == self.subject and not any(bits & each == each for each in self._needed)

    def after(self, state: State, edge: Edge, bits: int) -> int:
        """The gates whose answers are held when ``state`` is left by ``edge``."""
        for all_of_it in self._spent.get(state.action or "", ()) if performs(state, edge, self.effects) else ():
            left = bits & all_of_it
            bits = bits & ~all_of_it | left >> 1 & all_of_it
        return bits | self._answers.get(edge.gate or "", 0)

    def edges(self, state: State) -> Iterator[Edge]:
        """None beside those of the definition."""
        yield from ()

    def missing(self, bits: int) -> tuple[Names, Names]:
        """The gates that the nearest alternative still lacks, and those of it that are held."""
        nearest = min(self.alternatives, key=lambda names: sum(not bits & self._bits[name] for name in names))
        held = tuple(name for name in nearest if bits & self._bits[name])
        return tuple(name for name in nearest if name not in held), held

    @cached_property
    def _answers(self) -> Mapping[str, int]:
        """Gate → the bits that its answer sets."""
        found: dict[str, int] = {}
        shift = 0
        for name in dict.fromkeys(name for names in self.alternatives for name in names):
            count = self.lasts.get(name, 1)
            found[name] = ((1 << count) - 1) << shift
            shift += count
        return found

    @cached_property
    def _bits(self) -> Mapping[str, int]:
        """Gate → the bit that goes last."""
        return {name: bits & -bits for name, bits in self._answers.items()}

    @cached_property
    def _needed(self) -> tuple[int, ...]:
        return tuple(sum(self._bits[name] for name in set(names)) for names in self.alternatives)

    @cached_property
    def _spent(self) -> Mapping[str, tuple[int, ...]]:
        """Action → the bits of each gate that it spends."""
        return {
            action: tuple(self._answers[name] for name in names if name in self._answers)
            for action, names in self.spends.items()
        }


class OnlyAfter(Noun):
    """``subject``, an action or a state, comes only after one of ``names`` has happened, and not before its ``since``.

    An action has happened when its call succeeded, a state when the run was in it.
    """

    subject: str
    after_one: tuple[After, ...]
    effects: Effects = {}
    rule = "only_after"
    first = 0

    @property
    def names(self) -> Names:
        """What must have happened, and what voids that."""
        return tuple(dict.fromkeys(name for each in self.after_one for name in (each.name, *each.since)))

    def broken(self, state: State, bits: int) -> bool:
        """Whether the run comes to it without any of them; what its own state voids counts no more."""
        return self.subject in (state.name, state.action) and not bits & ~self._voids.get(state.name, 0)

    def after(self, state: State, edge: Edge, bits: int) -> int:
        """What has happened, and still counts, when ``state`` is left by ``edge``."""
        action = state.action or ""
        bits &= ~self._voids.get(state.name, 0)
        if action in self._voids and may_have_happened(state, edge, self.effects):
            bits &= ~self._voids[action]
        bits |= self._happens.get(state.name, 0)
        return bits | self._happens.get(action, 0) if edge.how in ("then", "look") else bits

    def edges(self, state: State) -> Iterator[Edge]:
        """None beside those of the definition."""
        yield from ()

    @cached_property
    def _happens(self) -> Mapping[str, int]:
        return {each.name: 1 << place for place, each in enumerate(self.after_one)}

    @cached_property
    def _voids(self) -> Mapping[str, int]:
        found: dict[str, int] = {}
        for place, each in enumerate(self.after_one):
            for name in each.since:
                found[name] = found.get(name, 0) | 1 << place
        return found


class NeverAfter(Noun):
    """``subject``, an action or a state, never comes after one of ``names`` has happened: then its one bit is gone."""

    subject: str
    names: Names
    rule = "never_after"
    first = 1

    def broken(self, state: State, bits: int) -> bool:
        """Whether the run comes to it although one of them has happened."""
        return not bits and self.subject in (state.name, state.action)

    def after(self, state: State, edge: Edge, bits: int) -> int:
        """Whether still none has happened when ``state`` is left by ``edge``; whoever watches has looked."""
        succeeded = edge.how in ("then", "look") or state.watch is not None
        return bits and not (state.name in self.names or (succeeded and state.action in self.names))

    def edges(self, state: State) -> Iterator[Edge]:
        """None beside those of the definition."""
        yield from ()


Invariant = NeverWithout | OnlyAfter | NeverAfter


class AskedAgain(Noun):
    """Once ``action`` has found no approval that counts, each gate of an alternative is asked before it calls again.

    The way from there goes on by itself, and every call on it succeeds, until the run waits for somebody: there one of
    the gates is asked. Which of them had lapsed is not known, so that the rest are asked after it.
    """

    action: str
    definition: Definition
    rested = 1
    first = -1
    """Nothing is lacking: every bit is set."""

    def broken(self, state: State, bits: int) -> bool:
        """Whether the run would call again, wait or end in ``state`` with what it lacks not asked for."""
        if bits == self.first:
            return False
        return state.do == self.action or (not bits & self.rested and not state.works and not self._asked(state))

    def after(self, state: State, edge: Edge, bits: int) -> int:
        """What was asked since it found none, when ``state`` is left by ``edge``."""
        if edge.how == VOID:
            return 0
        if bits == self.first:
            return bits
        if state.works:
            return bits if edge.how == "then" or bits & self.rested else self.first
        bits |= self.rested | self._asked(state)
        return self.first if any(bits & each == each for each in self._needed) else bits

    def edges(self, state: State) -> Iterator[Edge]:
        """The way on where the action finds none: its state's own for `void`, or none, so that `retry` calls again."""
        if state.do != self.action or not state.works:
            return
        phase, _, short = state.name.partition(".")
        to = state.failed.pick({VOID: True}) if state.failed else None
        told = "" if to else "; `retry` calls it again"
        place = ("phases", phase, short, *(("failed",) if to else ()))
        yield Edge(VOID, f"`{self.action}` fails: {VOID}{told}", to or state.name, place)

    def missing(self, bits: int) -> Names | None:
        """The gates that the nearest alternative was not asked for; None where none of any was."""
        if not bits & ~self.rested:
            return None
        alternatives = self.definition.alternatives(self.action)
        nearest = min(alternatives, key=lambda names: sum(not bits & self._bits[name] for name in names))
        return tuple(name for name in nearest if not bits & self._bits[name])

    def _asked(self, state: State) -> int:
        return sum(self._bits.get(name, 0) for name in self.definition.asks(state))

    @cached_property
    def _bits(self) -> Mapping[str, int]:
        return {name: 2 << place for place, name in enumerate(self.definition.needs(self.action))}

    @cached_property
    def _needed(self) -> tuple[int, ...]:
        found = self.definition.alternatives(self.action)
        return tuple(sum(self._bits[name] for name in set(names)) for names in found)


def invariants(definition: Definition, effects: Effects | None = None) -> Iterator[Invariant]:
    """All that the bundle declares; without ``effects``, every action may have any."""
    effects = effects or {}
    spends = {action: definition.needs(action) for action in definition.never_without}
    lasts = {gate.name: gate.lasts if lasting(gate) else 1 for gate in definition.gates.values()}
    for subject, alternatives in definition.never_without.items():
        yield NeverWithout(subject, alternatives, spends, lasts, effects)
    for subject, after in definition.only_after.items():
        yield OnlyAfter(subject, after, effects)
    for subject, names in definition.never_after.items():
        yield NeverAfter(subject, names)


def added_up(rule: Rule, definition: Definition, way: Way) -> int:
    """What a way from the start adds up to for a rule."""
    state, bits = definition.states[definition.start], rule.first
    for edge in way:
        state, bits = definition.states[edge.target], rule.after(state, edge, bits)
    return bits
