"""Answers from the page: what a form says becomes a turn of the engine, bound to the question as it was shown.

What was handed over is recorded by the answer that names it: showing a question writes nothing.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

from workflow.engine import Engine
from workflow.engine.question import STRENGTH, Question, note_unanswered
from workflow.machine import gates
from workflow.machine.foreign import inline
from workflow.model.digest import sha256
from workflow.model.errors import UsageError, WorkflowError
from workflow.model.frozen import Noun, replace
from workflow.model.journal import Entry
from workflow.model.ports import Held, Store
from workflow.model.reply import Option, Reply
from workflow.model.session import Session, Turn
from workflow.web.decided import ANSWERS
from workflow.web.inbox import asked_of
from workflow.web.people import Person
from workflow.web.seals import Seals, read, written

CHANNEL = "page"
WAIT = 10.0
"""Seconds to wait for another turn, or a look, that holds the session."""
_ROUNDS = 3
"""How often an answer is taken to the question again where something beside it had changed meanwhile."""
Form = Mapping[str, Sequence[str]]
"""The fields of a form as they came: anything at all."""
Sign = Callable[[Engine, str, Turn, str], Turn]
"""Puts a signature, as the browser sent it, to the turn of a session; raises :class:`UsageError` for another's."""


class Missing(Exception):
    """What a form lacks, as a key of the page's words, and what it is about."""

    def __init__(self, key: str, about: str = "") -> None:
        super().__init__(key)
        self.key, self.about = key, about


class Changed(Exception):
    """The question of a form is not the one that is asked now."""


class Taken(Noun):
    """What came of an answer: ``key`` says it in the page's words, ``why`` is the engine's own reason for a refusal.

    ``event`` is what was sent, empty where a no moves nothing.
    """

    key: str
    event: str = ""
    why: str = ""

    @property
    def counts(self) -> bool:
        """Whether it was recorded as an answer."""
        return self.key in ("taken", "partial")


def field(form: Form, name: str) -> str:
    """A field's text; empty where it is not there."""
    return next(iter(form.get(name, ())), "")


def shown(seals: Seals, asked: Question, option: Option, person: Person) -> dict[str, str]:
    """What the form of an option carries as it is shown to this person now: the question's mark, when, and the code."""
    mark = sha256(asked.mark(option))
    code = seals.code(asked.session.name, mark, asked.at, person.browser)
    return {"mark": mark, "at": written(asked.at), "code": code}


def was_shown(seals: Seals, session: str, person: Person, form: Form) -> bool:
    """Whether this person was shown the question of a form, whatever has become of it since."""
    at = read(field(form, "at"))
    return at is not None and seals.is_code(field(form, "code"), session, field(form, "mark"), at, person.browser)


def posed(seals: Seals, asked: Question, person: Person, form: Form) -> Option:
    """The option that a form answers; raises :class:`Changed` unless its question is asked now, as it was shown."""
    option = next((each for each in asked.options if each.event == field(form, "event")), None)
    known = was_shown(seals, asked.session.name, person, form)
    if option is None or not known or field(form, "mark") != sha256(asked.mark(option)):
        raise Changed
    return option


def turn_of(
    engine: Engine, seals: Seals, name: str, person: Person, form: Form
) -> tuple[Question, Option, Turn | None]:
    """The turn that a form sends, without a signature; None for a no that sends nothing.

    Raises :class:`Missing` and :class:`Changed` as :func:`take` does.
    """
    asked = asked_of(engine, name, person)
    option = posed(seals, asked, person, form)
    if asked.why_not(option):
        raise Changed
    no = field(form, "answer") == "no"
    if no and asked.no(option) is None:
        return asked, option, None
    turn = _no(asked, option, form) if no else _yes(asked, option, form)
    return asked, option, replace(turn, approver=person.name or None, client=f"browser {person.browser}")


def take(
    engine: Engine,
    seals: Seals,
    name: str,
    person: Person,
    form: Form,
    kept: Callable[[], None],
    sign: Sign | None = None,
) -> Taken:
    """Take the answer of a form; ``kept`` is called as soon as its own entry is written.

    Raises :class:`Missing` for a form that lacks something, :class:`Changed` where its question is not asked any more.
    """
    for _ in range(_ROUNDS):
        asked, option, turn = turn_of(engine, seals, name, person, form)
        if turn is None:
            return _noted(engine, name, asked, option, person, form)
        signature = field(form, "signature")
        if signature and sign:
            try:
                turn = sign(engine, name, turn, signature)
            except UsageError as error:
                return Taken("not_taken", why=error.message)
        reply = _sent(engine, name, turn, kept)
        moved = engine.stored(name).revision != asked.session.revision
        if reply.error is None or reply.error.type != "stale" or not moved:
            return _taken(reply, asked, option, turn)
    raise Changed


def _taken(reply: Reply, asked: Question, option: Option, turn: Turn) -> Taken:
    if reply.error is not None and reply.error.kind is None:
        return Taken("not_taken", why=reply.error.message)
    partial = turn.declines is None and asked.gate(option).least > 1 and reply.revision == asked.session.revision
    return Taken("partial" if partial else "taken", turn.event or "")


def _sent(engine: Engine, name: str, turn: Turn, kept: Callable[[], None]) -> Reply:
    """The turn. What it has to say is the agent's to say: it is offered again by the next turn of the conversation."""
    store = cast(Store, _Keeping(engine.world.store, kept))
    reply = Engine(replace(engine.world, store=store)).advance(name, turn, wait=WAIT)
    if reply.error is None:
        with suppress(WorkflowError):
            engine.unsay(reply, "the answer was given on the page")
    return reply


def _yes(asked: Question, option: Option, form: Form) -> Turn:
    given = {name: _value(name, kind, field(form, f"in.{name}")) for name, kind in _needed(option).items()}
    said = field(form, "words").strip()
    texts = [given[name] for name in given if option.input[name] == "text"]
    quote = said or (texts[0] if len(texts) == 1 else _default(option.event, form))
    return Turn(
        event=option.event,
        input=given,
        quote=quote,
        items=_items(asked, option, form),
        expect_revision=asked.session.revision,
        channel=CHANNEL,
        strength=STRENGTH,
        about=gates.question(asked.definition, asked.gate(option), asked.session, given),
        asked_at=read(field(form, "at")),
    )


def _no(asked: Question, option: Option, form: Form) -> Turn:
    """A no that sends the event which the gate names for it, with the reason."""
    event, reason = asked.no(option), field(form, "reason").strip()
    assert event is not None
    if event.input and not reason:
        raise Missing("needs_reason")
    gate, datum = asked.gate(option), asked.reason(event)
    return Turn(
        event=event.name,
        input={datum: reason} if datum and reason else {},
        quote=reason or _default(event.name, form),
        expect_revision=asked.session.revision,
        channel=CHANNEL,
        strength=STRENGTH,
        about=gates.question(asked.definition, gate, asked.session),
        asked_at=read(field(form, "at")),
        declines=gate.name,
    )


def _noted(engine: Engine, name: str, asked: Question, option: Option, person: Person, form: Form) -> Taken:
    """A no that sends nothing: it is recorded, and the question stays open."""
    reason = field(form, "reason").strip()
    who = person.name or "the person"
    why = f"{who} said no: {inline(reason)}" if reason else f"{who} said no"
    turn = Turn(option.event, channel=CHANNEL, client=f"browser {person.browser}")
    note_unanswered(engine, name, turn, asked.gate(option).name, why, wait=WAIT)
    return Taken("no_recorded")


def _default(event: str, form: Form) -> str:
    """The words of somebody who typed none: what they pressed, with the beginning of the question's code."""
    return f"{event.replace('_', ' ')} {field(form, 'code')[:8]}"


def _items(asked: Question, option: Option, form: Form) -> tuple[str, ...] | None:
    """The files that were ticked; None where there is at most one, so that nobody had a choice."""
    items = asked.items(option)
    if len(items) < 2:
        return None
    ticked = [each for each in form.get("item", ()) if each in gates.item_names(items)]
    if not ticked:
        raise Missing("needs_file")
    return tuple(dict.fromkeys(ticked))


def _needed(option: Option) -> dict[str, str]:
    return {name: kind for name, kind in option.input.items() if not kind.endswith("?")}


def _value(name: str, kind: str, typed: str) -> Any:
    """A datum as it was typed; raises :class:`Missing` for what cannot be one."""
    typed = typed.strip().replace("\r\n", "\n")
    if kind == "flag" and typed in ("yes", "no"):
        return typed == "yes"
    if kind == "number":
        try:
            number = float(typed)
            if math.isfinite(number):
                return int(number) if number.is_integer() and "." not in typed and "e" not in typed.lower() else number
        except ValueError:
            pass
    elif kind != "flag" and typed:
        return typed
    raise Missing("needs_words", name)


class _Keeping:
    """The store of one turn; says when the entry of the answer is kept, long before a paid call has ended."""

    def __init__(self, store: Store, kept: Callable[[], None]) -> None:
        self._store, self._kept = store, kept

    def append(self, held: Held, entries: Sequence[Entry], session: Session, status: str) -> None:
        """Write them, and then say so if one of them is the answer."""
        self._store.append(held, entries, session, status)
        if any(each.kind in ANSWERS and (each.body or {}).get("channel") == CHANNEL for each in entries):
            self._kept()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class Underway:
    """An answer in a thread of its own: the browser is answered once it is kept, and the turn goes on to its end."""

    def __init__(self, work: Callable[[Callable[[], None]], Taken]) -> None:
        self._work, self._kept = work, threading.Event()
        self._taken: Taken | None = None
        self._fault: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="answer")
        self._thread.start()

    def outcome(self) -> Taken:
        """Wait until the answer is kept, or turned away; raises what that raised."""
        self._kept.wait()
        if self._fault:
            raise self._fault
        return self._taken or Taken("taken")

    def end(self) -> None:
        """Wait for the end of the turn."""
        self._thread.join()

    def _run(self) -> None:
        try:
            self._taken = self._work(self._kept.set)
        except Exception as fault:
            self._fault = fault
        finally:
            self._kept.set()
