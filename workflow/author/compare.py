"""What was seen beside what was expected of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from workflow.author.scenario_grammar import ThenTable
from workflow.author.stand import asked
from workflow.model.frozen import Noun
from workflow.model.journal import Entry
from workflow.model.reply import Reply
from workflow.service.sandbox.protocol import Asked

Difference = tuple[str, str, str]
"""The key of the table, what it expects, and what was seen instead."""


class Seen(Noun):
    """What a step, or a whole run, has brought about: the last reply, requests and entries."""

    reply: Reply
    requests: tuple[Asked, ...]
    entries: tuple[Entry, ...]


def differences(then: ThenTable, seen: Seen) -> Iterator[Difference]:
    """Everything that is not as expected; what the table does not name is not looked at."""
    yield from _position(then, seen.reply)
    yield from _said(then, seen.reply)
    yield from _errors(then, seen.reply)
    yield from _asked(then, seen.requests)
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
    about = body.get("action") or body.get("event") or (given.get("event") if isinstance(given, dict) else "")
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
    bodies = "\n".join(json.dumps(each.json, ensure_ascii=False) for each in requests if each.json is not None)
    for part in then.sent:
        if json.dumps(part, ensure_ascii=False)[1:-1] not in bodies:
            yield "sent", repr(part), bodies or "nothing"


def _missing(wanted: Sequence[str], entries: Sequence[Entry]) -> str:
    """The first of the wanted entries that does not come after the one before it; empty if all do."""
    left = iter(entries)
    for name in wanted:
        if not any(name in (entry.kind, entry_name(entry)) for entry in left):
            return name
    return ""


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"
