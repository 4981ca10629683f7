"""Speaking: what is owed becomes messages, checked for leaks, and the reply."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from math import ceil
from typing import Any

from workflow.engine.run import UNSAID, Run
from workflow.engine.watching import remaining
from workflow.machine import due, gates, leaks, own_messages, seen, wishes
from workflow.machine.definition import ABOUT, Watch
from workflow.machine.hosts import BRIEFED, command, ways
from workflow.machine.language import nearest
from workflow.machine.messages import OURS, Part, fill, placeholders
from workflow.machine.standing import options, status
from workflow.model.digest import digest
from workflow.model.errors import Undecidable, WorkflowError
from workflow.model.frozen import Noun, replace
from workflow.model.instant import Instant, iso
from workflow.model.journal import Entry, told_text
from workflow.model.reply import Failure, Reply, Said
from workflow.model.session import MAIN, Owed
from workflow.model.surface import SHELL


class Known(Noun):
    """What the caller has shown to know, by the token of a reply: whether all that a reply would tell of where the run
    stands, the ``events`` whose meaning and input it was told, and the ``phase`` that the run was in.
    """

    here: bool = False
    events: tuple[str, ...] = ()
    phase: str = ""


NOTHING = Known()


class Speech(Noun):
    """Messages as they were rendered, and what the journal is to know of them."""

    said: tuple[Said, ...] = ()
    owed: tuple[Owed, ...] = ()
    notes: tuple[dict[str, Any], ...] = ()
    asked: dict[str, str] | None = None

    def __add__(self, other: Speech) -> Speech:
        return Speech(
            self.said + other.said,
            self.owed + other.owed,
            self.notes + other.notes,
            {**(self.asked or {}), **(other.asked or {})},
        )


def say(run: Run, owed: Sequence[Owed]) -> Speech:
    """Render what is owed, in order, with the data as they are now."""
    told, notes, asked = list[Said](), list[dict[str, Any]](), dict[str, str]()
    for each in owed:
        said, withheld = message(run, each.message, maybe_said=each.claimed is not None)
        told.append(said if each.claimed else _marked(run, said))
        notes.append(_note(said, withheld))
        asked |= _asked(run, each.message, said)
    return Speech(tuple(told), tuple(owed), tuple(notes), asked)


def _marked(run: Run, said: Said) -> Said:
    """A message marked as a repeat where a look again has only the same text to say, or as perhaps said."""
    arrived = run.session.told.get(told_text(said.text))
    return said if arrived is None else replace(said, repeat=arrived, maybe_said=not arrived)


def _note(said: Said, withheld: list[str]) -> dict[str, Any]:
    """What the journal knows of a message besides its text."""
    return {"message": said.id, "language": said.language, "withheld": withheld}


def message(
    run: Run, name: str, *, repeat: bool = False, maybe_said: bool = False, unsaid: bool = False
) -> tuple[Said, list[str]]:
    """One message, and why it was withheld if it was. One that cannot be made is withheld: no turn depends on it."""
    try:
        if name != UNSAID:
            said, why_not = _rendered(run, name, repeat=repeat, maybe_said=maybe_said)
            return replace(said, unsaid=unsaid), why_not
        why = "no guard can tell which one to say"
    except Exception as fault:
        why = f"it cannot be rendered ({type(fault).__name__})"
    run.notice(f"The message '{name}' was withheld: {why}. Tell the user in your own words where the session stands.")
    text, language = _plain(run, name), run.session.language
    silent = Said(
        id=name,
        text=text,
        language=language,
        translate_to=None,
        parts=({"text": text},),
        repeat=repeat,
        maybe_said=maybe_said,
        unsaid=unsaid,
        withheld=True,
    )
    return silent, [why]


def _plain(run: Run, name: str) -> str:
    """The plain variant of a message that cannot be made, if that can; else a sign that something is missing."""
    try:
        definition = run.program.definition
        language, _ = nearest(run.session.language, definition.languages)
        parts = fill(run.bundle.prompts[language][f"{name}.plain"], definition.shown_types, _presented(run))
        return "…" if leaks.find(parts, secrets(run)) else "".join(part.text for part in parts)
    except Exception:
        return "…"


def _rendered(run: Run, name: str, *, repeat: bool, maybe_said: bool) -> tuple[Said, list[str]]:
    """One message, and why it was withheld if it was; then its plain variant is said instead."""
    parts, language, translate_to = _filled(run, name)
    leaking = _leaking(run, parts)
    if leaking:
        plain = f"{name}.plain"
        parts = _filled(run, plain)[0] if plain in run.bundle.prompts[language] else ()
        if not parts or _leaking(run, parts):
            parts = (Part("…"),)
        run.notice(f"The message '{name}' was withheld: it held {', '.join(leaking)}.")
    return (
        Said(
            id=name,
            text="".join(part.text for part in parts),
            language=language,
            translate_to=translate_to,
            parts=tuple(_part(part) for part in _joined(parts)),
            repeat=repeat,
            maybe_said=maybe_said,
            withheld=bool(leaking),
        ),
        leaking,
    )


def _template(run: Run, texts: Mapping[str, str], name: str) -> str:
    """What is filled in: the plain variant where the message says what the session is about, and nobody has said so."""
    if not run.session.about and ABOUT in placeholders(texts[name]):
        return texts[f"{name}.plain"]
    return texts[name]


def _filled(run: Run, name: str) -> tuple[tuple[Part, ...], str, str | None]:
    """The parts of a message, its language, and the one that it is to be translated to, if any."""
    if own_messages.is_own(name):
        return own_messages.parts(name, run.session, name in _wish(run))
    definition = run.program.definition
    language, translate_to = nearest(run.session.language, definition.languages)
    template = _template(run, run.bundle.prompts[language], name)
    return fill(template, definition.shown_types, _presented(run)), language, translate_to


def wording(run: Run) -> str:
    """The message of the state where the run stands, as it is filled in: to compare with, never to be said."""
    name = run.message()
    return "".join(part.text for part in _filled(run, name)[0]) if name else ""


def questions(run: Run) -> list[str]:
    """The gates whose questions are open now and are shown to be answered, and the wish that is asked about."""
    return [*_gates(run), *_wish(run)]


def _gates(run: Run) -> list[str]:
    return [gate.name for gate in gates.questions(run.program.definition, run.state)]


def _wish(run: Run) -> list[str]:
    return wishes.questions(run.program.definition, run.session)


def resting(run: Run, *, maybe_said: bool = False, unsure: Container[str] = (), unsaid: Container[str] = ()) -> Speech:
    """What is said where the run rests, once more: the message of the state, and the question about a kept wish."""
    again = [
        _once_more(run, name, maybe_said=maybe_said, unsure=unsure, unsaid=unsaid)
        for name in (_resting(run), *_wish(run))
    ]
    return sum(again, Speech())


def _once_more(
    run: Run, name: str | None, *, maybe_said: bool = False, unsure: Container[str] = (), unsaid: Container[str] = ()
) -> Speech:
    """One message again; not a second saying, unless it is ``unsure`` whether there was a first.

    One that is still ``unsaid`` is marked so: the next turn says it.
    """
    if name is None:
        return Speech()
    maybe_said, first = maybe_said or name in unsure, name in unsaid
    said, withheld = message(run, name, repeat=not (maybe_said or first), maybe_said=maybe_said, unsaid=first)
    return Speech((said,), (), (_note(said, withheld),), _asked(run, name, said))


def _resting(run: Run) -> str | None:
    """The name of that message; a sign where no guard can tell which one it is."""
    try:
        trouble, failed = run.session.trouble, None if run.session.undecided else run.state.action
        return run.program.definition.told_of(trouble, failed) if trouble else run.message()
    except Undecidable:
        return UNSAID


def asked_again(run: Run, speech: Speech, named: int = 0) -> Speech:
    """What is to be said, with each open question once more if its term is over, or no turn has named a reply that put
    it as it is now.

    ``named`` is the sequence that the token of this turn names.
    """
    if run.session.trouble:
        return speech
    try:
        for name, asked in ((_resting(run), _gates(run)), *((key, [key]) for key in _wish(run))):
            if asked and name not in {said.id for said in speech.said}:
                speech += _put_again(run, name, asked, max(run.session.seen, named))
    except Exception:  # an end is told whatever becomes of its questions
        if not run.state.end:
            raise
    return speech


def _put_again(run: Run, name: str | None, asked: Sequence[str], seen_by: int) -> Speech:
    """A message that puts these questions, where they have to be put again; otherwise nothing."""
    session = run.session
    again = _once_more(run, name, maybe_said=not own_messages.is_own(name or "") or name in session.shown)
    seen_last = max(session.opened.get(key, 0) for key in asked) <= seen_by
    same = all(session.shown.get(key) == text for key, text in (again.asked or {}).items())
    if not (seen_last and same):
        return again
    if set(lapsed(run)).isdisjoint(asked):
        return Speech()
    again = _once_more(run, name)
    return again if begins_a_term(run, again) else Speech()


def lapsed(run: Run) -> list[str]:
    """The open questions that cannot be answered before they are handed over again, or at all."""
    definition, session, now = run.program.definition, run.session, run.world.clock.now()
    asked, wish = gates.questions(definition, run.state), wishes.asked(definition, session)
    found = [gate.name for gate in asked if gates.unanswerable(definition, gate, session, None, now)]
    return [*found, *([wish.key] if wish and wishes.unanswerable(definition, session, wish, now) else [])]


def handing_over(run: Run, speech: Speech) -> list[str]:
    """The gates whose open questions ``speech`` puts; a withheld one puts none."""
    return [gate for gate in questions(run) if (speech.asked or {}).get(gate)]


def begins_a_term(run: Run, speech: Speech) -> list[str]:
    """Those of them whose terms are over: only where one begins is it recorded that a question was said again."""
    due = lapsed(run)
    return [gate for gate in handing_over(run, speech) if gate in due]


def record(
    run: Run,
    speech: Speech,
    *,
    by: str,
    outside: Sequence[Owed] = (),
    answers: int | None = None,
    error: Failure | None = None,
    proof: Mapping[str, Any] = {},
    known: Known = NOTHING,
) -> Reply:
    """The reply, in the journal before it is given.

    What happened ``outside`` the conversation is only claimed, until it is confirmed; ``answers`` is the
    revision of the turn that the reply belongs to, so that the turn's repeat finds it. ``proof`` is what the token of
    a turn without an entry of its own has named. The terms of the questions that it puts begin. ``known`` is what
    the caller has shown to know.
    """
    claimed, now = [each.id for each in outside], run.world.clock.now()
    handed = handing_over(run, speech) if by == MAIN else []
    may_watch = run.can_watch and run.state.watch and not run.session.trouble
    first = by == MAIN and may_watch and not run.session.asked_to_watch
    answer = reply(run, speech, error, handed=dict.fromkeys(handed, now), known=known)
    body = {
        "by": by,
        "answers": answers,
        "revision": run.session.revision,
        "said": [each.id for each in speech.owed if each.id not in claimed],
        "claimed": claimed,
        "asked": {**proof.get("asked", {}), **(speech.asked or {})},
        "asked_to_watch": now.as_json() if first else None,
        "messages": list(speech.notes),
        "reply": answer.as_record(),
    } | ({"seen": proof["seen"]} if "seen" in proof else {})
    body |= {"handed": handed, "now": now.as_json()} if handed else {}
    body |= {} if run.world.surface == SHELL else {"surface": run.world.surface.name}
    run.note("reply", body)
    run.commit()
    return replace(answer, receipt=run.receipt, claims=tuple(claimed))


def reply(
    run: Run,
    speech: Speech,
    error: Failure | None = None,
    *,
    reads_only: bool = False,
    handed: Mapping[str, Instant] = {},
    known: Known = NOTHING,
) -> Reply:
    """The reply of the run as it stands, with what ``speech`` shows taken as shown.

    What a reply that ``reads_only`` has noted is never stored, so its token counts from the last entry that is.
    ``handed`` are the gates whose terms begin with it. It is brief where its caller has shown to know (``known``) what
    may come next, and nothing is asked again. What an event means and takes, and a phase, are told once.
    """
    state, session = run.state, run.session
    made_at = run.stored if reads_only and run.stored else session
    if speech.asked:
        terms = {**session.handed, **handed}
        session = replace(session, shown={**session.shown, **speech.asked}, handed=terms)
    world = run.world
    asked = seen.with_wordings(session, role_wordings(run))
    following = options(run.program, asked, run.facts(), world.policy, world.clock.now(), world.surface, _people(run))
    coming = tuple(replace(each, known=each.event in known.events) for each in following)
    phase = run.program.definition.phase(state.name, session.language)
    return Reply(
        session=session.name,
        revision=session.revision,
        phase=phase,
        same_phase=phase == known.phase,
        state=state.name,
        status=status(run.program, session),
        sandbox=session.sandbox is not None,
        say=speech.said,
        next=coming,
        watch=_watch(run, state.watch) if state.watch and not session.trouble else None,
        due=tuple(_due(run, each) for each in due.coming(run.program.definition, session, world.clock.now())),
        notices=(*run.notices, *run.connection().notices),
        receipt=run.receipt,
        error=error,
        brief=known.here and bool(coming) and not speech.asked and not session.trouble,
        seen=seen.token(run.program.definition, session, made_at.seq, made_at.head),
    )


def _people(run: Run) -> Mapping[str, Sequence[str]]:
    """Who holds which role, to count their answers; where that cannot be told, a reply counts nobody's."""
    try:
        return run.people
    except WorkflowError as error:
        run.notice(f"Whose answers count cannot be told: {error.message}")
        return {}


def _due(run: Run, coming: due.Due) -> dict[str, Any]:
    """One timer, as a caller sees it."""
    told: dict[str, Any] = {"timer": coming.timer, "at": coming.at(run.world.clock.now())}
    held = due.held_back(run.program, run.session, coming.timer)
    told |= {"to": coming.to} if coming.to else {}
    if coming.left <= 0:
        told |= {"held": held} if held else {"overdue": True}
    return told


def token_of(run: Run, said: Entry) -> str:
    """The token of a reply that was recorded: of nothing now, if what it handed over is not what is asked now."""
    body = said.body or {}
    session = replace(run.session, revision=body["revision"], shown={**run.session.shown, **body["asked"]})
    return seen.token(run.program.definition, session, said.seq - 1, said.previous)


def wordings(run: Run) -> dict[str, str]:
    """The wording of each question that is open to the user now, as it would be put now."""
    asked, noticed = questions(run), list(run.notices)
    if not asked:
        return {}
    now = resting(run).asked or {}
    run.notices[:] = noticed  # nothing is said here
    return {name: text for name, text in now.items() if name in asked}


def for_role(run: Run, role: str) -> Said | None:
    """What is told to the people of a role where the run stands; None where they are told nothing.

    It is never a part of a reply: whoever shows it to one of them shows it itself.
    """
    choice, noticed = run.state.tells.get(role), list(run.notices)
    if choice is None:
        return None
    try:
        name = choice.pick(run.ask(choice, run.facts())[0])
    except Undecidable:
        name = UNSAID
    said = message(run, name)[0] if name else None
    run.notices[:] = noticed
    return said


def told_to_roles(run: Run) -> dict[str, Said]:
    """What the people of roles are told, by the gate whose question it puts."""
    asked = gates.for_roles(run.program.definition, run.state)
    return {gate.name: said for gate in asked if (said := for_role(run, gate.by or ""))}


def digests(told: Mapping[str, Said]) -> dict[str, str]:
    """The wordings of these questions; a message that was withheld asks nothing."""
    return {gate: "" if said.withheld else digest(said.text) for gate, said in told.items()}


def role_wordings(run: Run) -> dict[str, str]:
    """The wording of each question that is put to a role, as its people would be asked now."""
    return digests(told_to_roles(run))


def secrets(run: Run) -> leaks.Secrets:
    """What no message of this session may hold."""
    return leaks.secrets_of(run.program.definition, run.session.data, run.known_key())


def _leaking(run: Run, parts: Sequence[Part]) -> list[str]:
    """What these parts would leak; a check that fails counts as a leak, and stops nothing else."""
    try:
        return leaks.find(parts, secrets(run))
    except Exception:
        return [leaks.UNDECIDED]


def _presented(run: Run) -> dict[str, Any]:
    """Data as messages show them: of files that are asked for one by one, those still to be asked."""
    data = {ABOUT: run.session.about, **run.session.data}
    for name in run.program.definition.asks(run.state):
        gate = run.program.definition.gates[name]
        if gate.each:
            data[gate.each] = gates.named_items(gate, run.session.data)
    return data


def _asked(run: Run, name: str, said: Said) -> dict[str, str]:
    """Which questions this message puts, and the digest of its words; a withheld one asks nothing."""
    state, shown = run.state, "" if said.withheld else digest(said.text)
    if name in _wish(run):
        return {name: shown}
    if not state.say or name not in state.say.targets:
        return {}
    return dict.fromkeys((gate for gate in run.program.definition.asks(state) if gate not in put_to_roles(run)), shown)


def put_to_roles(run: Run) -> set[str]:
    """The open gates whose questions are put to people of roles, whatever the user is told."""
    return {gate.name for gate in gates.for_roles(run.program.definition, run.state)}


def _joined(parts: Sequence[Part]) -> Iterator[Part]:
    """Neighbours that are alike as one part."""
    held: Part | None = None
    for part in parts:
        if held and held.marks == part.marks:
            held = Part(held.text + part.text, held.origin)
            continue
        if held:
            yield held
        held = part if part.by else Part(part.text, OURS)
    if held:
        yield held


def _part(part: Part) -> dict[str, Any]:
    return {"text": part.text, **part.marks}


def _watch(run: Run, watch: Watch) -> dict[str, Any]:
    """How to wait outside the conversation, for this host."""
    end = Instant(run.world.clock.now().wall + remaining(run), 0.0, "")  # by the wall as it is now, whoever has set it
    asked = run.watched and run.asked_to_watch
    ways = _ways(run, watch) if run.watched and not asked else []
    return {"until": iso(end), "ways": ways} | ({"watched": True} if asked else {})


def _ways(run: Run, watch: Watch) -> list[dict[str, Any]]:
    """How this host can run the watch; none where its brief cannot be filled in."""
    session = run.session
    try:
        types = {**run.program.definition.data, **dict.fromkeys(BRIEFED, "text")}
        data = {
            **session.data,
            "session": session.name,
            "command": command(session.name, announce=True),
            "language": session.language,
            "minutes": _minutes(watch.within),
            "limit_minutes": _minutes(watch.time_limit),
            "store": str(run.world.folder or ""),
        }
        brief = "".join(part.text for part in fill(run.bundle.briefs[watch.brief], types, data))
    except Exception as fault:
        run.notices.append(f"The brief '{watch.brief}' cannot be filled in ({type(fault).__name__}): nobody can watch.")
        return []
    return ways(session.host, session.name, watch, brief)


def _minutes(seconds: float) -> str:
    """Whole minutes, rounded up: no brief promises less time than there is, or none."""
    return str(ceil(seconds / 60))
