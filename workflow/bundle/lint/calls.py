"""Declared actions: a request that can be made, and an answer that means one thing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from workflow.bundle.lint.subject import WORDLESS, Check, Subject
from workflow.bundle.loader import Keys
from workflow.machine.certainty import judge_answer
from workflow.machine.definition import HttpAction
from workflow.model.errors import DefinitionError
from workflow.service.declared_calls import HERE, datum_in, places, sent_by
from workflow.service.safe_target import free_header, harmless, header_value, key_header

FIELD = re.compile(r"[A-Za-z_$@][A-Za-z0-9_$@:-]*(?:\.[A-Za-z_$@][A-Za-z0-9_$@:-]*)*")
"""A field of an answer: names, one inside the other; no list is ever searched."""

_WRITTEN = ("text", "verbatim", "url", "number", "flag", "internal", "hidden")
_GIVEN = ("verbatim", "url", "number", "flag", "internal", "hidden")
_CHANGES = ("PUT", "PATCH", "DELETE")
_LONGEST = 600.0
"""Seconds; a call that takes longer is watched."""


def _used(subject: Subject) -> Iterator[DefinitionError]:
    """What nobody performs is a mistyped name, or left over."""
    for name in subject.definition.actions:
        if name not in subject.performed:
            yield subject.at_key(f"no state does '{name}'", "actions", name)
        if subject.registry and subject.registry.actions[name].perform.__module__ != HERE:
            yield subject.at_key(f"the action '{name}' is in `phases/` as well", "actions", name)


def _targets(subject: Subject) -> Iterator[DefinitionError]:
    for action in subject.definition.actions.values():
        keys = ("actions", action.name)
        plain = re.sub(r"\{[^{}]*\}", "x", action.path)
        if not harmless(plain):
            message = "`path` must begin with one '/' and stay below it, without a query; data in it are written {name}"
            yield subject.at_value(message, *keys, "path")
        for name in places(action.path):
            yield from _placed(subject, name, *keys, "path")
        if action.method == "GET" and action.body is not None:
            yield subject.at_key("a GET has no `body`: use `query`", *keys, "body")
        if action.effect == "read" and action.method in _CHANGES:
            yield subject.at_value(f"a {action.method} changes something: its effect is not read", *keys, "effect")
        if not 0 < action.timeout <= _LONGEST:
            yield subject.at_value("`timeout` must be between 1s and 10m", *keys, "timeout")


def _contents(subject: Subject) -> Iterator[DefinitionError]:
    for action in subject.definition.actions.values():
        for part, table in (("query", action.query), ("headers", action.headers), ("body", action.body)):
            yield from _content(subject, table, ("actions", action.name, part))


def _content(subject: Subject, value: Any, keys: Keys) -> Iterator[DefinitionError]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _content(subject, each, (*keys, name))
    elif isinstance(value, list):
        yield subject.at_value("a body has no lists: what needs one is an action in `phases/`", *keys)
    elif value is None and len(keys) > 3:
        yield subject.at_key(f"nothing stands here; a datum is written in quotes: '{{{keys[-1]}}}'", *keys)
    elif isinstance(value, str) and ("{" in value or "}" in value):
        name = datum_in(value)
        if name is None:
            yield subject.at_value("a datum stands alone, as '{name}': texts are not put together here", *keys)
        else:
            yield from _placed(subject, name, *keys)


def _placed(subject: Subject, name: str, *keys: str | int) -> Iterator[DefinitionError]:
    data = subject.definition.data
    yield from subject.unknown("datum", name, data, subject.source.value_at(*keys))
    if name in data and data[name] not in _WRITTEN:
        yield subject.at_value(f"'{name}' is {data[name]}: only an action in `phases/` can send it", *keys)


def _headers(subject: Subject) -> Iterator[DefinitionError]:
    service = subject.definition.service
    if service.keyless and subject.source.document["service"].get("key") is not None:
        message = "`key` names no place: write `env` or `file`, or leave `key` out if the service takes none"
        yield subject.at_key(message, "service", "key")
    if not key_header(service.key_header):
        yield subject.at_value(f"the key cannot be sent in '{service.key_header}'", "service", "key", "header")
    if service.key_scheme and not re.fullmatch("[A-Za-z][A-Za-z0-9-]*", service.key_scheme):
        yield subject.at_value("the scheme is one word, or empty", "service", "key", "scheme")
    for action in subject.definition.actions.values():
        keys = ("actions", action.name)
        for name, value in action.headers.items():
            yield from _header(subject, name, *keys, "headers", name)
            if datum_in(value) is None and not header_value(str(value)):
                yield subject.at_value("a header's value is one line of plain text", *keys, "headers", name)
        if action.idempotency:
            yield from _header(subject, action.idempotency, *keys, "idempotency")
            if action.effect != "once":
                message = f"`idempotency` names a call that is made once; '{action.name}' is {action.effect}"
                yield subject.at_key(message, *keys, "idempotency")
            if action.idempotency.lower() in {name.lower() for name in action.headers}:
                yield subject.at_value(f"'{action.idempotency}' is among `headers` as well", *keys, "idempotency")


def _header(subject: Subject, name: str, *keys: str | int) -> Iterator[DefinitionError]:
    if not free_header(name) or name.lower() == subject.definition.service.key_header.lower():
        yield subject.at_value(f"the header '{name}' is not a bundle's to set", *keys)


def _results(subject: Subject) -> Iterator[DefinitionError]:
    data = subject.definition.data
    for action in subject.definition.actions.values():
        for name, field in action.sets.items():
            keys = ("actions", action.name, "sets", name)
            yield from subject.unknown("datum", name, data, subject.source.at(*keys))
            if name in data and data[name] not in _GIVEN:
                hint = "; what the service says is verbatim" if data[name] == "text" else ""
                yield subject.at_key(f"'{name}' is {data[name]}: no answer gives it{hint}", *keys)
            yield from _field(subject, field, subject.source.value_at(*keys))


def _refusals(subject: Subject) -> Iterator[DefinitionError]:
    known = subject.definition.classes
    for action in subject.definition.actions.values():
        before: list[Any] = []
        for kind, signs in action.fails.items():
            keys = ("actions", action.name, "fails", kind)
            if kind == "no_key":
                yield subject.at_key("'no_key' is not the service's to say", *keys)
            else:
                yield from subject.unknown("error class", kind, known, subject.source.at(*keys), WORDLESS)
            for sign in signs:
                yield from _sign(subject, action, sign, *keys)
                if sign in before:
                    yield subject.at_value(f"no answer is ever '{kind}' by {sign}: another sign has it already", *keys)
                before.append(sign)


def _proofs(subject: Subject) -> Iterator[DefinitionError]:
    """Any layer between can write an empty success: a call that is made once takes from its answer what shows it."""
    for action in subject.definition.actions.values():
        if action.effect == "once" and not action.sets:
            message = f"'{action.name}' is once, and needs `sets`: a field of the answer that shows that it was done"
            yield subject.at_key(message, "actions", action.name)


def _sign(subject: Subject, action: HttpAction, sign: Any, *keys: str | int) -> Iterator[DefinitionError]:
    if isinstance(sign, Mapping):
        if not sign:
            yield subject.at_value("an empty table would fit every answer", *keys)
        for field in sign:
            yield from _field(subject, field, subject.source.value_at(*keys))
    elif not isinstance(sign, int) or isinstance(sign, bool) or not 400 <= sign <= 599:
        yield subject.at_value("an answer that refuses has a status from 400 to 599", *keys)
    elif action.effect == "once" and judge_answer("once", sign, "refusal", "no") == "doubt":
        yield subject.at_value(f"after HTTP {sign} nobody knows whether it was done: leave it to `doubt`", *keys)


def _field(subject: Subject, field: str, place: tuple[int, int]) -> Iterator[DefinitionError]:
    if not FIELD.fullmatch(field):
        yield subject.at(f"'{field}' is not a field of an answer: names and dots alone", place)


def _agreed(subject: Subject) -> Iterator[DefinitionError]:
    """Whoever agrees to a paid call agrees to everything that it sends."""
    definition = subject.definition
    for action in definition.actions.values():
        for name in definition.needs(action.name) if action.effect == "once" else ():
            gate = definition.gates.get(name)
            if gate and not gate.each:
                yield from _bound(subject, action, name, gate.subject)


def _bound(subject: Subject, action: HttpAction, gate: str, about: Iterable[str]) -> Iterator[DefinitionError]:
    for datum in sent_by(action):
        if datum in subject.definition.data and datum not in about:
            message = f"'{action.name}' sends '{datum}', which the gate '{gate}' is not about"
            yield subject.at_key(message, "gates", gate)


CHECKS: tuple[Check, ...] = (_used, _targets, _contents, _headers, _results, _refusals, _proofs, _agreed)
