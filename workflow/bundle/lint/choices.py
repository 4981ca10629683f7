"""Declared guards: each asks one thing of a datum, and somebody asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workflow.bundle.lint.subject import Check, Subject, guards
from workflow.machine.declared_guard import TESTS, DeclaredGuard
from workflow.model.errors import DefinitionError
from workflow.service.declared_calls import HERE

_TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "verbatim": (str,),
    "url": (str,),
    "internal": (str, int),
    "number": (int, float),
    "flag": (bool,),
    "hidden": (str, int, float, bool),
}


def _used(subject: Subject) -> Iterator[DefinitionError]:
    asked = {name for name, _ in guards(subject)}
    for name in subject.definition.guards:
        if name not in asked:
            yield subject.at_key(f"nothing asks for the guard '{name}'", "guards", name)
        if subject.registry and subject.registry.guards[name].judge.__module__ != HERE:
            yield subject.at_key(f"the guard '{name}' is in `phases/` or built in as well", "guards", name)


def _tests(subject: Subject) -> Iterator[DefinitionError]:
    data = subject.definition.data
    for guard in subject.definition.guards.values():
        keys = ("guards", guard.name)
        body = subject.source.document["guards"][guard.name]
        looks = [each for each in ("datum", "setting") if body.get(each) is not None]
        written = [test for test in TESTS if body.get(test) is not None]
        if len(looks) != 1:
            yield subject.at_key(f"the guard '{guard.name}' needs `datum` or `setting`, and only one", *keys)
            continue
        known = subject.definition.settings if guard.of_setting else data
        yield from subject.unknown(looks[0], guard.looks_at, known, subject.source.value_at(*keys, looks[0]))
        if len(written) != 1:
            yield subject.at_key(f"the guard '{guard.name}' needs one of {', '.join(TESTS)}, and only one", *keys)
        elif guard.test == "set" and not isinstance(guard.value, bool):
            yield subject.at_value("`set` is true or false", *keys, "set")
        elif guard.looks_at in known and guard.test != "set":
            kind = _kind_of(known[guard.looks_at]) if guard.of_setting else data[guard.looks_at]
            yield from _values(subject, guard, kind)


def _kind_of(default: bool | int | float | str) -> str:
    """The type of a setting, which is that of its default."""
    return "flag" if isinstance(default, bool) else "text" if isinstance(default, str) else "number"


def _values(subject: Subject, guard: DeclaredGuard, kind: str) -> Iterator[DefinitionError]:
    values = guard.value if guard.test == "in" else [guard.value]
    if not values:
        yield subject.at_value(f"the guard '{guard.name}' can never pass", "guards", guard.name, "in")
    if kind in ("files", "texts"):
        yield subject.at_key(f"'{guard.looks_at}' is {kind}: only `set` can be asked of it", "guards", guard.name)
    elif not all(_is(kind, each) for each in values):
        message = f"'{guard.looks_at}' is {kind}, and never has this value"
        yield subject.at_value(message, "guards", guard.name, guard.test)


def _is(kind: str, value: Any) -> bool:
    """Whether a datum of this type can have this value; true is no number."""
    types = _TYPES[kind]
    return isinstance(value, types) and (bool in types or not isinstance(value, bool))


CHECKS: tuple[Check, ...] = (_used, _tests)
