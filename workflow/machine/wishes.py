"""Wishes that wait: which may be kept, which is asked about, and which cannot be fulfilled any more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from workflow.machine import foreign, gates, terms
from workflow.machine.definition import OURS, VALID, Definition, Event
from workflow.machine.reach import ahead
from workflow.model.evidence import blank, holds_words, one_spelling
from workflow.model.instant import Instant
from workflow.model.session import Session, Turn, Wish
from workflow.model.spelling import did_you_mean

MOST = 10
"""Wishes that wait at once: each is asked about one by one, and nobody answers more of these than that."""
LONGEST = 2_000
"""Characters of a wish: its question shows it whole, beside the message of the state."""
WORDS, FOR, DROP = "words", "for", "drop"
_TAKES = (WORDS, FOR, DROP)


def text_of(definition: Definition, event: Event) -> str | None:
    """The datum that a wish becomes: the first text that the event needs; None if it needs none."""
    return next((name for name in event.input if definition.data.get(name) == "text"), None)


def waits_for(definition: Definition, event: Event) -> bool:
    """Whether words can wait for the event: it takes some, and moves a session that was begun."""
    return event.name not in ("start", *OURS) and not event.say and text_of(definition, event) is not None


def awaited(definition: Definition) -> list[str]:
    """The events that a wish can wait for."""
    return [event.name for event in definition.events.values() if waits_for(definition, event)]


def takes(definition: Definition, event: Event, wish: Wish) -> bool:
    """Whether an event can take a wish's words: its own, or another for the same text that answers nothing else.

    An event with a gate of another subject would be a yes to that. A wish for an event with a gate adjusts nothing
    that comes before the gate: a change of the finished thing is not one of its plan.
    """
    own, gate = definition.events.get(wish.event), definition.gates.get(event.gate or "")
    if own is None or not waits_for(definition, event):
        return False
    alike = text_of(definition, event) == text_of(definition, own) and (gate is not None or own.gate is None)
    return event.name == own.name or (alike and (gate is None or gates.of_own_words(definition, gate)))


def taker(definition: Definition, state: str, wish: Wish) -> Event | None:
    """The event that takes a wish's words in a state: its own where that is possible, else the first that can."""
    able = [event for event in definition.offers(definition.states[state]) if takes(definition, event, wish)]
    return next((event for event in able if event.name == wish.event), able[0] if able else None)


def asked(definition: Definition, session: Session) -> Wish | None:
    """The wish whose question is open: the oldest that an event can take where the session waits.

    In trouble or in doubt nothing else is asked.
    """
    return None if session.trouble or session.doubt else first(definition, session.state, session.wishes)


def questions(definition: Definition, session: Session) -> list[str]:
    """The key of the question about a wish that is open, if there is one."""
    wish = asked(definition, session)
    return [wish.key] if wish else []


def first(definition: Definition, state: str, wishes: tuple[Wish, ...]) -> Wish | None:
    """The oldest of these that can be fulfilled in a state: an end that takes an event asks like any other state."""
    return next((wish for wish in wishes if taker(definition, state, wish)), None)


def stays_asked(definition: Definition, session: Session, wish: Wish | None) -> bool:
    """Whether the question about a wish stays open over a move: it was put where the run stood, and is not put again.

    Where the service has worked in between, it is asked again: nothing took it there.
    """
    return wish is not None and wish == asked(definition, session) and agreed(session, wish)


def told(definition: Definition, state: str, wishes: tuple[Wish, ...], now: Wish | None) -> list[str]:
    """The keys of the wishes that are told of on arrival: the one that is asked about ``now``, then the others.

    Where nobody is asked, they are told of at an end alone, which may be the last that the person hears.
    """
    if now is None and not definition.states[state].end:
        return []
    return [wish.key for wish in sorted(wishes, key=lambda wish: wish != now)]


def fulfilled(definition: Definition, session: Session, event: Event, given: Mapping[str, Any]) -> Wish | None:
    """The wish that an event with this input fulfils: its words are the same, whatever their spaces."""
    text = given.get(text_of(definition, event) or "")
    same = [wish for wish in session.wishes if takes(definition, event, wish) and _same(wish.words, text)]
    return next((wish for wish in same if wish.event == event.name), same[0] if same else None)


def answered_in_part(definition: Definition, session: Session, event: Event, given: Mapping[str, Any]) -> Wish | None:
    """The wish that is asked about, where an event takes a part of its words, or all of them with more.

    The person has chosen that part, or has said the whole again.
    """
    wish, text = asked(definition, session), given.get(text_of(definition, event) or "")
    if wish is None or not isinstance(text, str) or not takes(definition, event, wish):
        return None
    return wish if holds_words(wish.words, text) or holds_words(text, wish.words) else None


def leaves_rest(definition: Definition, session: Session, wish: Wish, event: Event, given: Mapping[str, Any]) -> bool:
    """Whether an event takes a part of a wish, and nothing keeps the rest: no wish that waits is another part of it."""
    text = given.get(text_of(definition, event) or "")
    if not isinstance(text, str) or _same(wish.words, text) or not holds_words(wish.words, text):
        return False
    return not any(other != wish and holds_words(wish.words, other.words) for other in session.wishes)


def agreed(session: Session, wish: Wish | None) -> bool:
    """Whether an answer can be a yes to this wish: its question was put in its words, which were not withheld."""
    return wish is not None and bool(session.shown.get(wish.key))


def agreed_to(
    definition: Definition, session: Session, turn: Turn, event: Event | None, wish: Wish | None
) -> Wish | None:
    """The wish that a relayed answer can only be a yes to: its words are not the person's answer itself."""
    if event is None or event.gate is None or wish is None or turn.strength != "relayed":
        return None
    gate, text = definition.gates[event.gate], text_of(definition, event) or ""
    if not gates.of_own_words(definition, gate) or not gates.not_quoted(gate, {text: wish.words}, turn.quote or ""):
        return None
    return wish if agreed(session, wish) else None


def asked_beside(definition: Definition, session: Session, turn: Turn, event: Event) -> Wish | None:
    """The wish that was asked about beside this event's question: a yes that is passed on could be to either.

    Only where a yes lets something be paid for or sent, and not where it is in words of its own.
    """
    if turn.strength != "relayed" or event.gate not in definition.guarding:
        return None
    wish, gate = asked(definition, session), definition.gates[event.gate]
    if wish is None or takes(definition, event, wish) or gates.of_own_words(definition, gate):
        return None
    return wish if agreed(session, wish) else None


def overtaken(definition: Definition, session: Session) -> list[Wish]:
    """The wishes that no event which can still come takes."""
    if not session.wishes:
        return []
    coming = [definition.events[name] for name in _coming(definition, session.state)]
    return [wish for wish in session.wishes if not any(takes(definition, event, wish) for event in coming)]


def unanswerable(definition: Definition, session: Session, wish: Wish, now: Instant) -> str:
    """Why a yes to the wish's question does not count before it is asked again; empty if it does."""
    since, valid = session.handed.get(wish.key), _term(definition, session, wish)
    if since is None:
        return f"the question of the wish for '{wish.event}' was not handed over yet"
    return "" if terms.runs(since, now, valid) else f"the question of the wish {terms.lapse(since, now, valid)}"


def found(definition: Definition, session: Session, given: Mapping[str, Any]) -> Wish | list[str]:
    """The wish that `note` is about, one that waits or a new one without an id; or every reason why there is none."""
    reasons = list(_faults(definition, session, given))
    if reasons:
        return reasons
    words, name = str(given[WORDS]), str(given[FOR])
    same = (each for each in session.wishes if each.event == name and _same(each.words, words))
    known = next(same, None)
    if known is None and given.get(DROP):
        waiting = ", ".join(foreign.inline(wish.words) for wish in session.wishes if wish.event == name)
        return [f"no wish for '{name}' waits in these words (waiting: {waiting or 'none'})"]
    if known is None and len(session.wishes) >= MOST:
        return [f"{MOST} wishes wait already, which is the most; the person drops one first, or lets one be asked"]
    return known or Wish("", name, words)


def _faults(definition: Definition, session: Session, given: Mapping[str, Any]) -> Iterator[str]:
    for name in given:
        if name not in _TAKES:
            yield f"'note' does not take '{foreign.name(name)}' (it takes {', '.join(_TAKES)})"
    words, drop = given.get(WORDS), given.get(DROP, False)
    if not isinstance(words, str) or blank(words):
        yield f"'{WORDS}' must be the wish, in the person's own words"
    elif len(words) > LONGEST:
        yield f"'{WORDS}' is longer than {LONGEST} characters"
    if not isinstance(drop, bool):
        yield f"'{DROP}' must be true or false"
    yield from _misaddressed(definition, session, given.get(FOR))


def _misaddressed(definition: Definition, session: Session, name: Any) -> Iterator[str]:
    """Why no wish can wait for this event."""
    event = definition.events.get(name) if isinstance(name, str) else None
    takes = awaited(definition)
    if event is None:
        hint = did_you_mean(name, takes) if isinstance(name, str) else ""
        yield f"'{FOR}' must name the event that the wish waits for{hint} (one of {', '.join(takes) or 'none'})"
    elif not waits_for(definition, event):
        yield f"no wish can wait for '{event.name}', which takes no words (one of {', '.join(takes) or 'none'})"
    elif event.name not in _coming(definition, session.state):
        yield f"'{event.name}' cannot come any more from {session.state}"


def _coming(definition: Definition, state: str) -> set[str]:
    """The events that words can wait for and that may still become possible from a state on."""
    states = [definition.states[name] for name in ahead(definition, state)]
    return {event.name for each in states for event in definition.offers(each) if waits_for(definition, event)}


def _same(words: str, text: Any) -> bool:
    return isinstance(text, str) and one_spelling(words) == one_spelling(text)


def _term(definition: Definition, session: Session, wish: Wish) -> float:
    event = taker(definition, session.state, wish)
    return definition.gates[event.gate].valid if event and event.gate else VALID
