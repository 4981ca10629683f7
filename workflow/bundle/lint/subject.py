"""What is looked at, and how a problem in it is written down."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cached_property
from string import Template
from typing import Any, NamedTuple

from workflow.bundle.lint.slips import Slip
from workflow.bundle.lint.ways import Ways
from workflow.bundle.loader import Keys, Position, Source
from workflow.machine.definition import USER, Choice, Definition, State
from workflow.machine.registry import Registry
from workflow.model.errors import DefinitionError
from workflow.model.frozen import Noun
from workflow.model.spelling import did_you_mean, near


class Subject(Noun):
    """A bundle, read but not trusted: its names need not exist."""

    definition: Definition
    source: Source
    registry: Registry | None
    prompts: Mapping[str, Mapping[str, str]]
    briefs: Mapping[str, str]
    code: Mapping[str, str] = {}
    """The modules of its phases by path, as text."""

    def at_key(self, message: str, *keys: str | int) -> DefinitionError:
        """A problem of the thing that stands under this key of ``workflow.yaml``."""
        return self.at(message, self.source.at(*keys))

    def at_value(self, message: str, *keys: str | int) -> DefinitionError:
        """A problem of the value of this key of ``workflow.yaml``."""
        return self.at(message, self.source.value_at(*keys))

    def at(self, message: str, place: Position, trace: Iterable[str] = ()) -> DefinitionError:
        """A problem at this place of ``workflow.yaml``, with the turns that show it."""
        return DefinitionError(message, self.source.path, *place, trace=trace)

    @cached_property
    def ways(self) -> Ways:
        """Every way that a run can take, explored once."""
        return Ways(self.definition)

    @cached_property
    def effects(self) -> Mapping[str, str]:
        """Action → its effect, as far as the bundle's code can be read."""
        return {name: action.effect for name, action in self.registry.actions.items()} if self.registry else {}

    @cached_property
    def performed(self) -> frozenset[str]:
        """The actions that some state performs."""
        return frozenset(name for name, _ in actions(self))

    def unknown(
        self, kind: str, name: str, known: Iterable[str], place: Position, otherwise: str = ""
    ) -> Iterator[DefinitionError]:
        """A problem if ``name`` is not among those known; ``otherwise`` is what to do where none of them was meant."""
        known = known if isinstance(known, Collection) else list(known)
        if name not in known:
            meant = did_you_mean(name, list(known))
            problem = self.at(f"unknown {kind} '{name}'{meant}", place)
            problem.hint = "" if meant else otherwise
            yield about(problem, kind, name, known)


def about(problem: DefinitionError, kind: str, name: str, known: Iterable[str]) -> DefinitionError:
    """The problem, marked as one of an unknown name."""
    problem.slip = Slip(kind, name, near(name, known))
    return problem


class Mark(NamedTuple):
    """A ``$`` of a template: the datum it asks for, or None if it is a stray one; counted from 1."""

    name: str | None
    line: int
    column: int


WORDLESS = "Give it a message under `trouble`: what the user hears when a call fails so."
"""What to do about an error class that is routed and has no words."""
Check = Callable[[Subject], Iterator[DefinitionError]]
Named = tuple[str, Position]
"""A name, and the place where it is used."""


def keys_of(state: State) -> Keys:
    """Where a state stands in the document."""
    phase, _, name = state.name.partition(".")
    return "phases", phase, name


def tellings(subject: Subject, state: State) -> Iterator[tuple[Choice, Keys]]:
    """What a state says, to the user and to each role that it tells, and where that stands."""
    phase, _, name = state.name.partition(".")
    written = subject.source.document["phases"][phase][name].get("say")
    keys = (*keys_of(state), "say")
    if state.say:
        yield state.say, (*keys, USER) if isinstance(written, dict) and USER in written else keys
    for role, choice in state.tells.items():
        yield choice, (*keys, role)


def keys_of_answers(state: State) -> Keys:
    """Where it stands what a state says on `check`."""
    return (*keys_of(state), *(("watch",) if state.watch else ()), "no_news")


def marks(template: str) -> Iterator[Mark]:
    """Every placeholder and every stray ``$`` of a template, as ``render`` would see them."""
    for match in Template.pattern.finditer(template):
        if match["escaped"] is None:
            start = match.start()
            line, column = template.count("\n", 0, start) + 1, start - template.rfind("\n", 0, start)
            yield Mark(match["named"] or match["braced"], line, column)


def shown_in(template: str) -> list[str]:
    """The data that a template shows, in order and once each."""
    return list(dict.fromkeys(mark.name for mark in marks(template) if mark.name))


def targets(subject: Subject) -> Iterator[Named]:
    """Every state that is named as a place to go to."""
    value = subject.source.value_at
    yield subject.definition.start, value("start")
    yield from ((target, value("on", event)) for event, target in subject.definition.on.items())
    for state in subject.definition.states.values():
        keys = keys_of(state)
        yield from _chosen(subject, state.then, *keys, "then")
        yield from _chosen(subject, state.failed, *keys, "failed")
        if state.doubt:
            yield state.doubt, value(*keys, "doubt")
        yield from ((target, value(*keys, "on", event)) for event, target in state.on.items())
        if state.watch:
            yield from _chosen(subject, state.watch.then, *keys, "watch", "then")
            yield state.watch.late, value(*keys, "watch", "late")
        yield from _staged(subject, *keys, "after")
    yield from _staged(subject, "deadline")


def _staged(subject: Subject, *keys: str | int) -> Iterator[Named]:
    """Each state of a table time → state."""
    table: Any = subject.source.document
    for key in keys:
        table = table.get(key) or {}
    yield from ((target, subject.source.value_at(*keys, time)) for time, target in table.items())


def actions(subject: Subject) -> Iterator[Named]:
    """Every action that is performed."""
    value = subject.source.value_at
    for state in subject.definition.states.values():
        if state.do:
            yield state.do, value(*keys_of(state), "do")
        if state.watch:
            yield state.watch.do, value(*keys_of(state), "watch", "do")


def guards(subject: Subject) -> Iterator[Named]:
    """Every guard that is asked."""
    for event in subject.definition.events.values():
        if event.guard:
            yield event.guard, subject.source.value_at("events", event.name, "if")
    for state in subject.definition.states.values():
        keys = keys_of(state)
        yield from _asked(subject, state.then, *keys, "then")
        for choice, place in tellings(subject, state):
            yield from _asked(subject, choice, *place)
        yield from _asked(subject, state.aside, *keys, "aside")
        for name, choice in state.acknowledge.items():
            yield from _asked(subject, choice, *keys, "acknowledge", name)
        yield from _asked(subject, state.answers, *keys_of_answers(state))
        if state.remind:
            yield from _asked(subject, state.remind.say, *keys, "remind", "say")
        if state.watch:
            yield from _asked(subject, state.watch.then, *keys, "watch", "then")


def messages(subject: Subject) -> dict[str, Position]:
    """Every message that may be said, and where it is named first."""
    first: dict[str, Position] = {}
    for name, place in _messages(subject):
        first.setdefault(name, place)
    return first


def _messages(subject: Subject) -> Iterator[Named]:
    value = subject.source.value_at
    yield from _chosen(subject, subject.definition.trouble, "trouble")
    for event in subject.definition.events.values():
        if event.say:
            yield event.say, value("events", event.name, "say")
    for state in subject.definition.states.values():
        keys = keys_of(state)
        for choice, place in tellings(subject, state):
            yield from _chosen(subject, choice, *place)
        yield from _chosen(subject, state.aside, *keys, "aside")
        for name, choice in state.acknowledge.items():
            yield from _chosen(subject, choice, *keys, "acknowledge", name)
        yield from _chosen(subject, state.answers, *keys_of_answers(state))
        if state.remind:
            yield from _chosen(subject, state.remind.say, *keys, "remind", "say")


def _chosen(subject: Subject, choice: Choice | None, *keys: str | int) -> Iterator[Named]:
    """Each target of a choice that stands at ``keys``; one without a table is its own last resort."""
    if choice:
        yield from ((target, subject.source.value_at(*keys, name)) for name, target in choice.cases)
        if choice.otherwise is not None:
            yield choice.otherwise, subject.source.value_at(*keys, "else")


def _asked(subject: Subject, choice: Choice | None, *keys: str | int) -> Iterator[Named]:
    """Each name that a choice asks for."""
    if choice:
        yield from ((name, subject.source.at(*keys, name)) for name in choice.names)
