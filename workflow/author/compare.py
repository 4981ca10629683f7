"""What was seen beside what was expected of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from workflow.author.scenario_grammar import ThenTable
from workflow.author.stand import asked
from workflow.model.frozen import Noun
from workflow.model.journal import Entry
from workflow.model.reply import Reply
from workflow.service.sandbox.protocol import Asked

Difference = tuple[str, str, str]
"""The key of the table, what it expects, and what was seen instead."""


class Seen(Noun):
    """What a step, or a whole run, has brought about: the last reply, requests and entries.

    ``told`` is the message that the people of each role are shown now.
    """

    reply: Reply
    requests: tuple[Asked, ...]
    entries: tuple[Entry, ...]
    told: Mapping[str, str] = {}


def differences(then: ThenTable, seen: Seen) -> Iterator[Difference]:
    """Everything that is not as expected; what the table does not name is not looked at."""
    yield from _position(then, seen.reply)
    yield from _said(then, seen.reply)
    yield from _errors(then, seen.reply)
    yield from _asked(then, seen.requests)
    if then.told is not None and then.told != seen.told:
        yield "told", _paired(then.told), _paired(seen.told)
    if then.log:
        missing = _missing(then.log, seen.entries)
        if missing:
            yield (
                "log",
                " · ".join(then.log),
                f"no {missing} in {' · '.join(map(entry_name, seen.entries)) or 'nothing'}",
            )


def entry_name(entry: Entry) -> str:
    """What kind of entry, and what it is about: ``intent create``."""
    body = entry.body or {}
    given = body.get("given")
    about = (
        body.get("action")
        or body.get("event")
        or body.get("timer")
        or (given.get("event") if isinstance(given, dict) else "")
    )
    return f"{entry.kind} {about}".strip()


def _position(then: ThenTable, reply: Reply) -> Iterator[Difference]:
    if then.state is not None and then.state != reply.state:
        yield "state", then.state, str(reply.state)
    if then.status is not None and then.status != reply.status:
        yield "status", then.status, str(reply.status)
    ready = [option.event for option in reply.next if option.ready]
    if then.next is not None and set(then.next) != set(ready):
        yield "next", _listed(sorted(then.next)), _listed(sorted(ready))


def _said(then: ThenTable, reply: Reply) -> Iterator[Difference]:
    said = [each.id for each in reply.say]
    if then.say is not None and then.say != said:
        yield "say", _listed(then.say), _listed(said)
    text = "\n".join(each.text for each in reply.say)
    for part in then.text:
        if part not in text:
            yield "text", repr(part), repr(text)
    for part in then.no_text:
        if part in text:
            yield "no_text", f"nothing that holds {part!r}", repr(text)


def _errors(then: ThenTable, reply: Reply) -> Iterator[Difference]:
    error = reply.error
    refused = error.message if error and not error.kind else ""
    if then.refused is not None and (not refused or then.refused.casefold() not in refused.casefold()):
        yield "refused", f"a refusal that says {then.refused!r}", repr(refused) if refused else "no refusal"
    trouble = error.kind if error else None
    if then.trouble is not None and then.trouble != trouble:
        yield "trouble", then.trouble, trouble or "no failed call"


def _asked(then: ThenTable, requests: Sequence[Asked]) -> Iterator[Difference]:
    calls = asked(requests)
    for pattern, times in (then.requests or {}).items():
        found = sum(fnmatchcase(call, pattern) for call in calls)
        if found != times:
            yield "requests", f"{times} × {pattern}", f"{found}, among: {_listed(calls)}"
    bodies = [each.json for each in requests if each.json is not None]
    for part in then.sent:
        if not any(_holds(body, part) for body in bodies):
            got = "\n".join(json.dumps(body, ensure_ascii=False) for body in bodies)
            yield "sent", json.dumps(part, ensure_ascii=False), got or "nothing"


def _holds(body: Any, part: Any) -> bool:
    """Whether a body holds a text in part, a value, or all fields of a table."""
    if isinstance(part, Mapping):
        return bool(part) and all(_same(_field(body, name), value) for name, value in part.items())
    if isinstance(part, str):
        return json.dumps(part, ensure_ascii=False)[1:-1] in json.dumps(body, ensure_ascii=False)
    within = list(body.values()) if isinstance(body, Mapping) else body if isinstance(body, list) else ()
    return _same(body, part) or any(_holds(each, part) for each in within)


def _field(body: Any, name: str) -> Any:
    """The value at ``name.of.name``; :data:`_NOTHING` if there is none."""
    for key in name.split("."):
        if not isinstance(body, Mapping) or key not in body:
            return _NOTHING
        body = body[key]
    return body


def _same(got: Any, wanted: Any) -> bool:
    """Equal, and both flags or neither: to Python, 1 is true."""
    return bool(got == wanted) and isinstance(got, bool) == isinstance(wanted, bool)


_NOTHING = object()


def _missing(wanted: Sequence[str], entries: Sequence[Entry]) -> str:
    """The first of the wanted entries that does not come after the one before it; empty if all do."""
    left = iter(entries)
    for name in wanted:
        if not any(name in (entry.kind, entry_name(entry)) for entry in left):
            return name
    return ""


def _paired(told: Mapping[str, str]) -> str:
    return _listed([f"{role}: {message}" for role, message in sorted(told.items())])


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"
