"""Actions and guards that are declared in ``workflow.yaml``: what a request says, and what its answer means.

Loaded by name, and only for a bundle that declares some: others do not pay for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from workflow.machine.certainty import Form, Known, judge_answer
from workflow.machine.declared_guard import DeclaredGuard, same
from workflow.machine.definition import Definition, HttpAction
from workflow.machine.registry import PASSES, Action, Call, Done, Facts, Guard, Registry, Verdict, because
from workflow.model.errors import ActionError, BadResponse
from workflow.model.ports import Response
from workflow.service.answers import error_of
from workflow.service.safe_target import harmless, header_value

HERE = __name__
"""The module of everything that is declared: what has another one is written in Python."""
NO_CONTENT = frozenset({204, 205})
"""HTTP statuses of a success that has no body."""

_PLACE = re.compile(r"\{([^{}]*)\}")
_UNFIT = re.compile(r"[\x00-\x20\x7f/\\%@]")
_LINK = re.compile(r"https?://[A-Za-z0-9.:-]+(?:/[A-Za-z0-9._~!$&*+,;=:@%/?#-]*)?")
"""Nothing that a message could show as something else: no brackets, quotes, blanks or letters that look alike."""
_LONGEST_LINK = 2048


def completed(registry: Registry, definition: Definition) -> Registry:
    """The registry of the bundle's Python with everything that its YAML declares."""
    actions = {each.name: _action(each, definition.data) for each in definition.actions.values()}
    guards = {each.name: _guard(each) for each in definition.guards.values()}
    return Registry({**actions, **registry.actions}, {**guards, **registry.guards})


def places(path: str) -> tuple[str, ...]:
    """The data that a path is filled with."""
    return tuple(_PLACE.findall(path))


def datum_in(value: Any) -> str | None:
    """The datum that a value stands for, None where it stands for itself."""
    match = _PLACE.fullmatch(value) if isinstance(value, str) else None
    return match[1] if match else None


def leaves(value: Any) -> Iterator[Any]:
    """Everything in a body that is not a table."""
    if isinstance(value, Mapping):
        for each in value.values():
            yield from leaves(each)
    else:
        yield value


def sent_by(action: HttpAction) -> tuple[str, ...]:
    """The data that leave with a request, once each."""
    values = (*action.query.values(), *action.headers.values(), *leaves(action.body))
    named = [name for name in map(datum_in, values) if name is not None]
    return tuple(dict.fromkeys((*places(action.path), *named)))


def fits(kind: str, value: Any) -> bool:
    """Whether a field of an answer can be a datum of this type."""
    if kind == "hidden":
        return True
    if kind == "flag":
        return isinstance(value, bool)
    if kind == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == "internal":
        return (isinstance(value, str) and bool(value)) or (isinstance(value, int) and not isinstance(value, bool))
    if kind == "url":
        return isinstance(value, str) and len(value) <= _LONGEST_LINK and _LINK.fullmatch(value) is not None
    return kind == "verbatim" and isinstance(value, str)


def _action(action: HttpAction, kinds: Mapping[str, str]) -> Action:
    def perform(call: Call) -> Done:
        data = call.data
        headers = {name: _header(name, _value(value, data)) for name, value in action.headers.items()}
        if action.idempotency and call.intent:
            headers[action.idempotency] = call.intent
        response = call.service.call(
            action.method,
            _path(action.path, data),
            query=_query(action.query, data),
            headers=headers,
            json=None if action.body is None else _body(action.body, data),
            timeout=action.timeout,
        )
        return Done(_taken(action, kinds, response))

    return Action(action.name, action.effect, frozenset(action.sets), perform)


def _path(path: str, data: Mapping[str, Any]) -> str:
    """The path with its data filled in; a value that could lead elsewhere stops the call before it leaves."""

    def fill(place: re.Match[str]) -> str:
        text = _written(data.get(place[1]))
        if not text.strip(".") or _UNFIT.search(text):
            what = "is empty" if not text else "holds what no part of a path may hold (such as / @ % or a blank)"
            raise ActionError(f"'{place[1]}' {what}; nothing was sent.", "invalid")
        return quote(text, safe="")

    filled = _PLACE.sub(fill, path)
    if not harmless(filled):
        raise ActionError("The data do not make an address; nothing was sent.", "invalid")
    return filled


def _query(query: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, str | int]:
    written = {name: _written(_value(value, data)) for name, value in query.items()}
    return {name: text for name, text in written.items() if text}


def _header(name: str, value: Any) -> str:
    text = _written(value)
    if not header_value(text):
        raise ActionError(f"The header {name} would not be one line of plain text; nothing was sent.", "invalid")
    return text


def _body(value: Any, data: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        return {name: _body(each, data) for name, each in value.items()}
    return _value(value, data)


def _value(value: Any, data: Mapping[str, Any]) -> Any:
    name = datum_in(value)
    return value if name is None else data.get(name)


def _written(value: Any) -> str:
    """A value as it stands in an address; empty where there is none, or none that could."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, (str, int, float)) else ""


def _taken(action: HttpAction, kinds: Mapping[str, str], response: Response) -> dict[str, Any]:
    """The data that the answer gives; raises what it is otherwise."""
    body = _object(response)
    kind = _refused(action, response, body) if body is not None else None
    found, fault = (None, "") if kind else _given(action, kinds, response, body)
    form: Form = "refusal" if kind else "foreign" if found is None else "result"
    meaning = judge_answer(action.effect, response.status, form, _known(kind))
    if meaning == "done" and found is not None:
        return found
    told = f"The service declined '{action.name}' ({kind}" if kind else f"The answer to '{action.name}' {fault} ("
    raise error_of(meaning, response, f"{told}{', ' if kind else ''}HTTP {response.status}).", kind or "upstream")


def _known(kind: str | None) -> Known | None:
    """What the table ``fails`` says of a refusal."""
    return None if kind is None else "busy" if kind == "rate_limited" else "no"


def _object(response: Response) -> dict[str, Any] | None:
    try:
        return response.json()
    except BadResponse:
        return None


def _refused(action: HttpAction, response: Response, body: Mapping[str, Any]) -> str | None:
    """The first error class that fits; whoever writes no JSON object is not the service that `fails` is about."""
    return next(
        (kind for kind, signs in action.fails.items() if any(_is(sign, response, body) for sign in signs)), None
    )


def _given(
    action: HttpAction, kinds: Mapping[str, str], response: Response, body: Mapping[str, Any] | None
) -> tuple[dict[str, Any] | None, str]:
    """The data that a result gives, or None and what keeps the answer from being a result."""
    if not 200 <= response.status < 300:
        return None, "cannot be understood"
    if body is None:
        silent = response.status in NO_CONTENT and not response.body and not action.sets and not _reads_fields(action)
        return ({}, "") if silent else (None, "is not a JSON object")
    for name, field in action.sets.items():
        value = _found(field, body)
        if value is _MISSING or not fits(kinds[name], value):
            return None, f"{'has no' if value is _MISSING else f'has no {kinds[name]} in'} '{field}'"
    return {name: _found(field, body) for name, field in action.sets.items()}, ""


def _is(sign: Any, response: Response, body: Mapping[str, Any]) -> bool:
    if isinstance(sign, Mapping):
        return all(same(_found(field, body), wanted) for field, wanted in sign.items())
    return bool(response.status == sign)


def _reads_fields(action: HttpAction) -> bool:
    return any(isinstance(sign, Mapping) for signs in action.fails.values() for sign in signs)


def _found(field: str, body: Mapping[str, Any]) -> Any:
    value: Any = body
    for name in field.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return _MISSING
        value = value[name]
    return value


_MISSING: Any = object()


def _guard(guard: DeclaredGuard) -> Guard:
    def judge(facts: Facts) -> Verdict:
        name = guard.looks_at
        value = facts.settings[name] if guard.of_setting else facts.input.get(name, facts.data.get(name))
        return PASSES if guard.passes(value) else because(guard.why_not)

    return Guard(guard.name, frozenset() if guard.of_setting else frozenset({guard.looks_at}), judge)
