"""A question as the page shows it: plain values for a template, everything foreign marked by the one printer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from workflow.engine import Engine
from workflow.engine.question import Effects, Question, effects
from workflow.history import audit
from workflow.machine import foreign, gates
from workflow.machine.decide import LONGEST_TEXT
from workflow.machine.messages import file_line
from workflow.machine.wording import worded
from workflow.model.evidence import at_least
from workflow.model.journal import Entry
from workflow.model.reply import Option, Said
from workflow.model.session import Session
from workflow.show.times import minute
from workflow.web import answers
from workflow.web.decided import Decided, Difference, difference
from workflow.web.inbox import answered, waiting
from workflow.web.people import Person
from workflow.web.seals import Seals

Words = Mapping[str, str]
_WIDTH = 200
"""Columns from which on a text stands below its name; the browser folds lines by itself."""
MOST = 20_000
"""Characters of what would be sent; the rest is counted."""


def asked_view(
    engine: Engine, seals: Seals, asked: Question, person: Person, words: Words, kept: answers.Form
) -> dict[str, Any]:
    """All that the page of a question shows; ``kept`` are the fields of a form that was not taken."""
    entries = list(audit.entries(engine, asked.session.name))
    effects_, first = effects(engine, asked), list(waiting(asked, person))
    options = [
        option_view(seals, asked, option, person, words, effects_.get(option.event), kept) for option in asked.options
    ]
    said = {each.text: each for option in asked.options for each in asked.says(option)}
    return {
        "said": [lines(each) for each in said.values()],
        "roles": list(asked.roles.values()),
        "asker": asker(entries, asked.session, words),
        "differences": list(_differences(entries, asked, first, words)),
        "options": [view for view, option in zip(options, asked.options, strict=True) if option in first],
        "others": [view for view, option in zip(options, asked.options, strict=True) if option not in first],
        "sandbox": asked.reply.sandbox,
        "doubt": asked.reply.status == "in_doubt",
    }


def option_view(
    seals: Seals,
    asked: Question,
    option: Option,
    person: Person,
    words: Words,
    lets: Effects | None,
    kept: answers.Form,
) -> dict[str, Any]:
    """One answer that may be given, with what comes of it."""
    gate, declining, until = asked.gate(option), asked.no(option), asked.until(option)
    mine = answers.field(kept, "event") == option.event
    state = option.gate
    return {
        "event": option.event,
        "label": label(option.event),
        "when": worded(asked.definition.events[option.event].when, words["language"]),
        "cannot": asked.why_not(option),
        "terminal": bool(state) and not at_least(asked.strength, state.needs if state else ""),
        "answered": answered(asked, option, person),
        "given": state.given if state else None,
        "least": gate.least,
        "until": minute(until) if until else "",
        **_lets(lets, words),
        "inputs": [_input(asked, option, name, kind, kept, mine) for name, kind in option.input.items()],
        "files": _files(asked, option, kept if mine else {}),
        "described": [
            {"name": file_line(each), "lines": list(foreign.block(str(each["description"]), most=1_000))}
            for each in asked.items(option)
            if str(each.get("description") or "").strip()
        ],
        "decline": label(declining.name) if declining else "",
        "reason_must": bool(declining and declining.input),
        "quoted": not any(kind == "text" for kind in option.input.values()),
        "typed": {name: answers.field(kept, name) if mine else "" for name in ("words", "reason")},
        "hidden": answers.shown(seals, asked, option, person),
        "opened": asked.opened(option),
        "longest": LONGEST_TEXT,
    }


def lines(said: Said) -> list[foreign.Line]:
    """A message's lines, each marked as ours or not."""
    return list(foreign.lines(said.parts or ({"text": said.text},)))


def label(event: str) -> str:
    """An event's name as it is read."""
    return event.replace("_", " ").capitalize()


def asker(entries: Iterable[Entry], session: Session, words: Words) -> dict[str, str]:
    """Who asks: the agent's program, whose session it is, and what it began with."""
    began = next((entry.time for entry in entries), "")
    return {
        "who": words["asked_by_how"].format(host=foreign.name(session.host), when=minute(began)),
        "owner": words["asked_by_owner"].format(foreign.name(session.owner)) if session.owner else "",
        "about": foreign.inline(session.about) if session.about else "",
    }


def told_by(decided: Decided, person: Person, words: Words) -> str:
    """Who decided something, in words."""
    if decided.who:
        return words["by_you"] if decided.who == person.name else foreign.name(decided.who)
    if decided.channel == answers.CHANNEL:
        return words["by_page"]
    if decided.channel == "elicitation":
        return words["by_form"].format(foreign.inline(decided.client))
    return words["by_terminal" if decided.channel == "terminal" else "by_agent"]


def told(decided: Decided, person: Person, words: Words) -> str:
    """What decided a question, by whom and when."""
    if not decided.event:
        return words["went_on"].format(time=minute(decided.time))
    known = {"event": label(decided.event), "time": minute(decided.time), "who": told_by(decided, person, words)}
    return words["was_refused" if decided.no else "was_decided"].format(**known)


def _differences(entries: list[Entry], asked: Question, options: Iterable[Option], words: Words) -> Iterable[Any]:
    """For each text that is asked, how it differs from the one before."""
    seen = set[str]()
    for option in options:
        gate = asked.gate(option)
        text = "\n".join(each.text for each in asked.says(option))
        if gates.of_own_words(asked.definition, gate) or text in seen:
            continue
        found: Difference | None = difference(entries, gate.name, asked.opened(option), text)
        if found:
            seen.add(text)
            key = "difference_approved" if found.approved else "difference_refused"
            yield {"from": words[key].format(minute(found.time)), "same": found.same, "pieces": found.pieces}


def _lets(lets: Effects | None, words: Words) -> dict[str, Any]:
    if lets is None:
        return {"lets": [], "request": "", "host": "", "content": []}
    return {
        "lets": [
            words["lets_once" if call.once else "lets_again"].format(foreign.name(call.name)) for call in lets.calls
        ],
        "request": lets.request,
        "host": lets.host,
        "content": list(_content(lets.content)),
    }


def _content(content: Mapping[str, Any]) -> Iterator[str]:
    """What a request carries, field by field; a text with its own lines."""
    for part in content.values():
        for name, value in part.items() if isinstance(part, Mapping) else (("", part),):
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2, default=str)
            yield from foreign.labelled(foreign.name(str(name)), text, _WIDTH, MOST)


def _input(asked: Question, option: Option, name: str, kind: str, kept: answers.Form, mine: bool) -> dict[str, Any]:
    """A datum that comes with an answer, filled in with what was typed before or the words of a kept wish."""
    typed = answers.field(kept, f"in.{name}") if mine else ""
    optional = kind.endswith("?")
    return {
        "name": name,
        "label": label(name),
        "kind": kind.removesuffix("?"),
        "optional": optional,
        "value": typed or asked.kept(option).get(name, ""),
    }


def _files(asked: Question, option: Option, kept: answers.Form) -> list[dict[str, Any]]:
    """The files to choose from, where there are several."""
    items = asked.items(option)
    if len(items) < 2:
        return []
    ticked = kept.get("item", ())
    return [
        {"name": name, "line": file_line(each).removeprefix("- "), "ticked": name in ticked}
        for name, each in zip(gates.item_names(items), items, strict=True)
    ]
