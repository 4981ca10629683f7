"""Shapes: a state works, waits or ends, and has the keys of its kind; tables are total where they must be."""

from __future__ import annotations

from collections.abc import Iterator

from workflow.bundle.lint.subject import Check, Subject, keys_of, tellings
from workflow.machine.definition import State
from workflow.model.errors import DefinitionError

_WORKING = ("do", "then", "failed", "doubt")
_WAITING = ("on", "watch", "aside", "no_news", "acknowledge", "after", "remind")
_SERVED = ("watch", "aside", "after", "remind")
"""What an end has no use for: nobody is waited for in it, and nothing is delivered."""
_TABLES = {"then": True, "no_news": True, "failed": False, "aside": False}
"""Keys whose table decides by guards or classes, and whether it needs `else`."""
_LONGEST = 366 * 24 * 3600.0
"""Nothing is waited for longer than a year; it keeps the arithmetic of deadlines finite."""


def _kinds(subject: Subject) -> Iterator[DefinitionError]:
    for state in subject.definition.states.values():
        written = subject.source.document["phases"][keys_of(state)[1]][keys_of(state)[2]]
        present = [key for key, value in written.items() if value not in (None, {}, [])]
        if state.end:
            yield from _misplaced(subject, state, "ends", (*_WORKING, *_SERVED), present)
            if "say" not in present:
                yield subject.at_key(f"{state.name} ends, and needs `say`", *keys_of(state))
        elif "say" in present:
            misplaced = tuple(key for key in _WORKING if key != "failed" or not state.watch)
            yield from _misplaced(subject, state, "waits", misplaced, present)
        else:
            yield from _working(subject, state, present)


def _misplaced(
    subject: Subject, state: State, kind: str, keys: tuple[str, ...], present: list[str]
) -> Iterator[DefinitionError]:
    for key in keys:
        if key in present:
            yield subject.at_key(f"{state.name} {kind}, and has no `{key}`", *keys_of(state), key)


def _working(subject: Subject, state: State, present: list[str]) -> Iterator[DefinitionError]:
    if not {*_WORKING, *_WAITING} & set(present):
        message = f"{state.name} must work (`do`, `then`), wait (`say`, `on`) or end (`say`, `end`)"
        yield subject.at_key(message, *keys_of(state))
        return
    for key in _WAITING:
        if key in present and not (key == "on" and set(state.on) <= set(subject.definition.on)):
            also = ", or is what holds everywhere" if key == "on" else ""
            yield subject.at_key(
                f"`{key}` of {state.name} needs `say`{also}: only who waits can be answered", *keys_of(state), key
            )
    if not state.then and not set(_WAITING) & set(present):
        yield subject.at_key(f"{state.name} works, and needs `then`", *keys_of(state))
    for key in ("failed", "doubt"):
        if key in present and not state.do:
            yield subject.at_key(f"`{key}` of {state.name} needs `do`", *keys_of(state), key)


def _tables(subject: Subject) -> Iterator[DefinitionError]:
    document = subject.source.document
    yield from _total(subject, document["trouble"], True, "trouble")
    for state in subject.definition.states.values():
        keys = keys_of(state)
        body = document["phases"][keys[1]][keys[2]]
        for key, total in _TABLES.items():
            yield from _total(subject, body.get(key), total, *keys, key)
        for _, place in tellings(subject, state):
            table = body["say"] if place[-1] == "say" else body["say"][place[-1]]
            yield from _total(subject, table, True, *place)
        for event, table in (body.get("acknowledge") or {}).items():
            yield from _total(subject, table, False, *keys, "acknowledge", event)
        if state.watch:
            yield from _total(subject, body["watch"]["no_news"], True, *keys, "watch", "no_news")
            table = body["watch"]["then"]
            if not state.watch.then.cases:
                yield subject.at_key("a watch waits for something: a table guard: state", *keys, "watch", "then")
            if "else" in table:
                yield subject.at_key("a watch has no `else`: without news it goes on", *keys, "watch", "then", "else")


def _checks(subject: Subject) -> Iterator[DefinitionError]:
    """What is said on `check` is asked for by that event, and one thing answers it."""
    definition = subject.definition
    for state in definition.states.values():
        if not state.no_news:
            continue
        keys = (*keys_of(state), "no_news")
        if "check" not in definition.events:
            yield subject.at_key("`no_news` is said on `check`, and there is no such event", *keys)
        elif state.watch:
            yield subject.at_key(f"`no_news` of {state.name} stands in its `watch`", *keys)
        elif "check" in definition.moves(state):
            yield subject.at_key(f"`check` leads away from {state.name}: it says no `no_news`", *keys)


def _total(subject: Subject, table: object, total: bool, *keys: str | int) -> Iterator[DefinitionError]:
    if not isinstance(table, dict):
        return
    if "else" not in table:
        if total:
            yield subject.at_key(f"`{keys[-1]}` needs `else`", *keys)
    elif next(reversed(table)) != "else":
        yield subject.at_key("`else` comes last: the table is read from the left", *keys, "else")


def _watches(subject: Subject) -> Iterator[DefinitionError]:
    for state in subject.definition.states.values():
        watch, keys = state.watch, (*keys_of(state), "watch")
        if watch is None:
            continue
        if watch.every < 1:
            yield subject.at_value("`every` must be at least 1s", *keys, "every")
        if watch.within <= watch.every:
            yield subject.at_value("`within` must be longer than `every`", *keys, "within")
        if watch.within > _LONGEST:
            yield subject.at_value("`within` must not be longer than a year", *keys, "within")
        effect = _effect(subject, watch.do)
        if effect not in (None, "read"):
            yield subject.at_value(f"a watch looks again and again: '{watch.do}' is {effect}, not read", *keys, "do")
        yield from subject.unknown("brief", watch.brief, subject.briefs, subject.source.value_at(*keys, "brief"))


def _doubts(subject: Subject) -> Iterator[DefinitionError]:
    """`doubt` exactly where the effect is `once`; there, every definite failure leads somewhere."""
    for state in subject.definition.states.values():
        effect, keys = _effect(subject, state.do), keys_of(state)
        if effect is None:
            continue
        if effect == "once" and not state.doubt:
            yield subject.at_value(f"'{state.do}' is once: {state.name} needs `doubt`", *keys, "do")
        if effect == "once" and not (state.failed and state.failed.otherwise):
            yield subject.at_value(f"'{state.do}' is once: {state.name} needs a total `failed`", *keys, "do")
        if effect != "once" and state.doubt:
            yield subject.at_key(f"'{state.do}' is {effect}: nothing can be in doubt", *keys, "doubt")


def _effect(subject: Subject, action: str | None) -> str | None:
    found = subject.registry.actions.get(action) if subject.registry and action else None
    return found.effect if found else None


CHECKS: tuple[Check, ...] = (_kinds, _tables, _checks, _watches, _doubts)
