"""What waits for one person: the sessions that ask something which they may answer."""

from __future__ import annotations

from collections.abc import Iterator

from workflow.engine import Engine
from workflow.engine.question import Question, question
from workflow.machine import gates
from workflow.model.frozen import Noun, replace
from workflow.model.ports import Summary
from workflow.model.reply import Option, in_one_line
from workflow.web.people import Person

PAGE = 50
"""Sessions on one page of a list."""
_LOOKED = 500
"""Live sessions that one look at the inbox goes through, the latest first."""
_STEP = 100


class Row(Noun):
    """A session of the inbox: what it asks, of whom, since when and until when; or why that cannot be told."""

    session: str
    title: str = ""
    about: str = ""
    events: tuple[str, ...] = ()
    whose: tuple[str, ...] = ()
    since: str = ""
    until: str | None = None
    sandbox: bool = False
    doubt: bool = False
    fault: str = ""


class Inbox(Noun):
    """The rows, and whether older sessions were not looked at."""

    rows: tuple[Row, ...]
    more: bool = False


def asked_of(engine: Engine, name: str, person: Person) -> Question:
    """What a session asks of this person; an auditor is shown what it asks of anybody."""
    asked = replace(question(engine, name), strength=person.strength)
    return asked.only(person.roles) if person.may_answer else asked


def inbox(engine: Engine, person: Person) -> Inbox:
    """What waits for the person now, the latest first; changes nothing."""
    rows, looked = list[Row](), 0
    while looked < _LOOKED:
        page = engine.sessions(live=True, limit=_STEP, offset=looked)
        looked += len(page)
        rows += [row for each in page if (row := _row(engine, each, person))]
        if len(page) < _STEP:
            return Inbox(tuple(rows))
    return Inbox(tuple(rows), more=True)


def waiting(asked: Question, person: Person) -> Iterator[Option]:
    """The options that were put to somebody and are the person's to answer, and that they have not answered.

    What anybody may say at any time, in words of their own, waits for nobody.
    """
    for option in asked.options:
        gate = asked.gate(option)
        own = gates.of_own_words(asked.definition, gate) and asked.reply.status != "in_doubt"
        if not own and not answered(asked, option, person):
            yield option


def answered(asked: Question, option: Option, person: Person) -> bool:
    """Whether the person has answered this question already, which waits for more people."""
    gate = asked.gate(option)
    kept = (each for event, each in asked.session.partial if event == option.event and each.gate == gate.name)
    about = gates.subject(asked.definition, gate, asked.session)
    return bool(person.name) and any((each.approver, each.subject) == (person.name, about) for each in kept)


def _row(engine: Engine, summary: Summary, person: Person) -> Row | None:
    """The session's row; None if it waits for nobody here. One that cannot be shown says why, to whoever sees all."""
    try:
        asked = asked_of(engine, summary.name, person)
        options = list(waiting(asked, person))
    except Exception as error:  # of this one session
        row = Row(summary.name, about=summary.about, since=summary.updated, fault=in_one_line(error))
        return row if person.sees_all else None
    if not options:
        return None
    return Row(
        session=summary.name,
        title=asked.definition.title,
        about=summary.about,
        events=tuple(option.event for option in options),
        whose=tuple(dict.fromkeys(replace(asked, reply=replace(asked.reply, next=tuple(options))).roles.values())),
        since=asked.session.stopped,
        until=min(filter(None, (option.gate.until for option in options if option.gate)), default=None),
        sandbox=asked.reply.sandbox,
        doubt=asked.reply.status == "in_doubt",
    )
