"""Deciding again what a journal has recorded: what this bundle and today's code make of it (decision 031).

Nothing is asked of the world: the time, the files, the user's configuration and the answers of the service are
those of the journal. Each entry is judged from the session as it was recorded before it, so that one difference
hides no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Any, NoReturn, cast

from workflow.bundle import Bundle
from workflow.engine import languages, speak
from workflow.engine.observe import heard
from workflow.engine.run import UNSAID, Run
from workflow.engine.world import World, ignore
from workflow.machine import approvals, due
from workflow.machine.brakes import limits, words
from workflow.machine.decide import Observed, Refused, decide
from workflow.machine.definition import Choice, Definition, either
from workflow.machine.gates import opened_at
from workflow.machine.own_messages import is_own
from workflow.machine.standing import STAYING
from workflow.model.brakes import limits_in
from workflow.model.digest import digest
from workflow.model.errors import CredentialsError, JournalTampered, Undecidable, WorkflowError
from workflow.model.evidence import Evidence
from workflow.model.frozen import Noun, replace
from workflow.model.instant import Instant
from workflow.model.journal import Entry, fold
from workflow.model.ports import Connection, Store
from workflow.model.session import Session, Turn
from workflow.model.signature import UNSIGNED, Signature

DECIDED = (
    "started",
    "event",
    "partial",
    "wish",
    "refusal",
    "move",
    "due",
    "intent",
    "result",
    "failure",
    "doubt",
    "unwatched",
    "language",
    "reply",
)
"""The kinds of entries in which something was decided; the others are facts."""

ELSEWHERE = ("state", "refused", "route", "unapproved", "limited")
"""The kinds of differences that lead a run to another place; the rest leaves it where it was."""

Body = Mapping[str, Any]


class Difference(Noun):
    """What entry ``seq`` says, and what would be decided now.

    ``kind``: state (it is gone), refused (then accepted), accepted (then refused), route, unapproved (a paid call
    without evidence that fits), limited (a paid call over the limit), guard, evidence, data, action, message.
    """

    seq: int
    kind: str
    what: str
    recorded: str
    now: str


def steps(entries: Iterable[Entry]) -> Iterator[tuple[Session | None, Entry, Session]]:
    """Each entry with the session before and after it, up to the first whose content was erased.

    One that cannot be folded raises :class:`JournalTampered`.
    """
    session: Session | None = None
    for entry in takewhile(lambda each: each.body is not None, entries):
        before = session
        try:
            session = fold(before, entry)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise JournalTampered(f"entry {entry.seq} does not have the form of '{entry.kind}'", entry.seq) from error
        yield before, entry, session


class Redecider:
    """Decides again, entry by entry and in order; the key is not known here, and not needed."""

    def __init__(self, world: World, bundle: Bundle) -> None:
        self._store = _Store()
        self._world = replace(
            world,
            store=cast(Store, self._store),
            clock=_Clock(),
            connect=_offline,
            policy={},
            settings={},
            report=ignore,
        )
        self._bundle = bundle
        self._turn: Session | None = None
        self._answers: list[Evidence] = []
        self._hashes: dict[int, str] = {}
        self._lost = ""

    def differences(self, before: Session | None, entry: Entry) -> Iterator[Difference]:
        """What would be decided otherwise than ``entry`` says; ``before`` is the session as it was then."""
        body = entry.body or {}
        self._hashes[entry.seq] = entry.hash
        if before is None:
            yield from self._started(entry.seq, body)
            return
        if before.state not in self._bundle.definition.states:
            if self._lost != before.state and entry.kind in DECIDED:
                yield Difference(entry.seq, "state", before.state, "the run was there", "there is no such state")
                self._lost = before.state
            return
        again = _AGAIN.get(entry.kind)
        if again is None:
            return
        if entry.kind in ("event", "partial", "refusal"):
            self._turn = before
            self._world = replace(self._world, settings=body.get("settings", {}), policy=body.get("policy", {}))
        try:
            yield from again(self, self._run(before, body), entry.seq, body)
        except WorkflowError:
            raise
        except Exception as error:  # the data do not fit this bundle
            now = f"cannot be decided with this bundle ({type(error).__name__})"
            yield Difference(entry.seq, "route", entry.kind, "as it stands", now)

    def _run(self, session: Session, body: Body) -> Run:
        """The session of then, in the bundle of now; an aside was for the first time if it was owed."""
        asides = {
            target for state in self._bundle.definition.states.values() if state.aside for target in state.aside.targets
        }
        self._store.first = bool(asides.intersection(body.get("owe", ())))
        return Run(self._world, self._bundle, session)

    def _started(self, seq: int, body: Body) -> Iterator[Difference]:
        start = self._bundle.definition.start
        if not body.get("parent") and body["state"] != start:
            yield Difference(seq, "route", "start", body["state"], start)

    def _event(self, run: Run, seq: int, body: Body) -> Iterator[Difference]:
        name, session = body["event"], run.session
        decision = self._decide(run, _accepted_turn(session, body), body["set"], body)
        if isinstance(decision, Refused):
            yield Difference(seq, "refused", name, "accepted", f"refused: {'; '.join(decision.reasons)}")
            return
        answered = {each.gate for each in decision.evidence}
        self._answers = [each for each in self._answers if each.gate not in answered] + list(decision.evidence)
        recorded = [Evidence.from_json(each) for each in body["evidence"]]
        if _subjects(recorded) != _subjects(decision.evidence):
            yield Difference(seq, "evidence", name, _gates(recorded), f"{_gates(decision.evidence)}, to something else")
        if digest(dict(body["set"])) != digest(dict(decision.set)):
            yield Difference(seq, "data", name, ", ".join(body["set"]), ", ".join(decision.set))
        yield from _verdicts(seq, body["verdicts"], decision.verdicts)
        yield from _arrival(seq, name, body, run.effect(decision))

    def _partial(self, run: Run, seq: int, body: Body) -> Iterator[Difference]:
        """One answer of several: would it still be kept, for the same question, and still not be enough?"""
        name = body["event"]
        decision = self._decide(run, _accepted_turn(run.session, body), {}, body)
        if isinstance(decision, Refused):
            yield Difference(seq, "refused", name, "accepted", f"refused: {'; '.join(decision.reasons)}")
        elif not decision.missing:
            yield Difference(seq, "route", name, "it waited for more answers", "it would not wait")
        elif _subjects(map(Evidence.from_json, body["evidence"])) != _subjects(decision.evidence):
            gate = body["evidence"][0]["gate"]
            yield Difference(seq, "evidence", name, gate, f"{gate}, to something else")

    def _wish(self, run: Run, seq: int, body: Body) -> Iterator[Difference]:
        """A wish that could not be kept any more leads nowhere else: it is dropped, and that is said."""
        decision = self._decide(run, _accepted_turn(run.session, body), {}, body)
        if isinstance(decision, Refused):
            yield Difference(seq, "data", "note", "accepted", f"refused: {'; '.join(decision.reasons)}")

    def _refusal(self, run: Run, seq: int, body: Body) -> Iterator[Difference]:
        given = body["given"]
        if "sha256" in given:  # only a digest and a prefix are kept of a long one: it cannot be decided again
            return
        turn = Turn(
            given["event"],
            given["input"],
            quote=given["quote"],
            items=_items(given),
            turn_id="recorded" if body.get("named") else None,
            expect_revision=body.get("expects"),
            strength=body.get("strength", "relayed"),
            translation=given.get("translation"),
            asked_at=_asked_at(body),
            approver=body.get("approver"),
            declines=body.get("declines"),
        )
        decision = self._decide(run, turn, body.get("observed", {}), body)
        told = "; ".join(body["reasons"])
        if not isinstance(decision, Refused):
            yield Difference(seq, "accepted", str(given["event"]), f"refused: {told}", "accepted")
        elif decision.type != body["type"]:
            yield Difference(seq, "accepted", str(given["event"]), f"{body['type']}: {told}", decision.type)

    def _move(self, run: Run, seq: int, body: Body) -> Iterator[Difference]:
        state, why = run.state, body["why"]
        if why == "no news":
            said = {UNSAID, *run.program.definition.trouble.targets, *(state.answers.targets if state.answers else ())}
            if not said.issuperset(body["owe"]):
                yield Difference(seq, "message", state.name, ", ".join(body["owe"]), "another one")
            return
        if why == "answered":  # a fact, like the answer itself, which is the next entry
            return
        watch = state.watch.then if state.watch else None
        choice = state.then if why == "then" else watch
        if choice is None:
            yield Difference(seq, "route", why, body["to"], f"{state.name} does not lead on like that")
            return
        stuck = (body.get("undecided") or {}).get("choice") == why
        try:
            holds, verdicts = run.ask(choice if why != "late" else Choice(()), run.facts())
        except Undecidable as fault:
            if not stuck:
                yield Difference(seq, "route", why, body["to"] or "it stayed", f"it stays: {fault.message}")
            return
        if stuck:
            yield Difference(seq, "guard", why, body["undecided"]["because"], "it can be told")
            return
        yield from _verdicts(seq, body["verdicts"], verdicts)
        yield from _arrival(seq, why, body, run.arrival(run.program.after(state.name, why, holds)))

    def _due(self, run: Run, seq: int, body: Body) -> Iterator[Difference]:
        """A timer: it ran, its time was over by the clock of then, and it leads where it led."""
        name, number, timer = body["timer"], body["number"], run.session.timers.get(body["timer"])
        what = f"{name}, number {number}"
        to = due.target(run.program.definition, run.session, name, number)
        if timer is None or timer.seconds is None or _moment(body).since(timer.since) < timer.seconds:
            yield Difference(seq, "route", what, body["to"] or "it reminded", "it is not due")
        elif name == due.REMIND:
            remind = run.state.remind
            yield from _owed(seq, what, body, run.told(remind.say) if remind else {"owe": []})
        elif to is None:
            yield Difference(seq, "route", what, body["to"], "it stays: there is no such timer")
        else:
            yield from _arrival(seq, what, body, run.arrival(to))

    def _intent(self, run: Run, seq: int, body: Body) -> Iterator[Difference]:
        """A paid call: was it approved, by answers as they would be bound now?"""
        name, session = body["action"], run.session
        if run.state.do != name:
            yield Difference(seq, "action", run.state.name, name, run.state.do or "none")
            return
        definition = run.program.definition
        answered = replace(session, evidence=(*session.evidence, *self._answers))
        if not approvals.best(
            definition, answered, name, self._world.policy, _moment(body), people=body.get("people", {})
        ).complete:
            told = f"no answer to {either(definition.alternatives(name))} that fits and counts"
            yield Difference(seq, "unapproved", name, ", ".join(body["spends"]), told)
        self._spend(body)
        yield from _limited(definition, seq, body)

    def _spend(self, body: Body) -> None:
        spent, item = body.get("spends", ()), body.get("item")
        self._answers = [each for each in self._answers if each.gate not in spent or not each.is_for(item)]

    def _result(self, run: Run, seq: int, body: Body) -> Iterator[Difference]:
        self._spend(body)
        if run.state.action != body["action"] and not run.state.end:  # an answer may arrive after the end
            yield Difference(seq, "action", run.state.name, body["action"], run.state.action or "none")

    def _failure(self, run: Run, seq: int, body: Body) -> Iterator[Difference]:
        kind = body["kind"]
        to = run.program.after(run.session.state, "failed", {kind: True})
        unrouted = kind in STAYING  # nothing left, and nothing moves
        if unrouted and body["to"] is None:
            to = None
        message = run.program.definition.told_of(kind, body["action"])
        yield from _arrival(seq, kind, body, run.arrival(to, owe=[message] if message else []))

    def _doubt(self, run: Run, seq: int, body: Body) -> Iterator[Difference]:
        to = run.program.after(run.session.state, "doubt", {})
        yield from _arrival(seq, body["action"], body, run.arrival(to))

    def _unwatched(self, run: Run, seq: int, body: Body) -> Iterator[Difference]:
        if body["owe"]:
            yield from _owed(seq, run.state.name, body, run.rested())

    def _language(self, run: Run, seq: int, body: Body) -> Iterator[Difference]:
        yield from _owed(seq, run.state.name, body, languages.changed(run, body["language"]))

    def _reply(self, run: Run, seq: int, body: Body) -> Iterator[Difference]:
        """What was said, rendered again; what had happened before a turn, with the data from before its event."""
        news = len(body["claimed"]) if body["answers"] is not None else 0
        for place, (note, said) in enumerate(zip(body["messages"], body["reply"]["say"], strict=True)):
            earlier = self._run(self._turn, {}).spoken_in(run.session.language) if self._turn else run
            then = earlier if place < news else run
            yield from self._message(then, seq, note, said)

    def _message(self, run: Run, seq: int, note: Body, said: Body) -> Iterator[Difference]:
        name, definition = note["message"], run.program.definition
        if name == UNSAID:
            return
        known = is_own(name) or name in self._bundle.prompts[definition.languages[0]]
        if run.session.state not in definition.states or not known:
            yield Difference(seq, "message", name, digest(said["text"])[:12], "there is no such message")
            return
        now = speak.message(run, name)[0].text
        if digest(now) != digest(said["text"]) and "the key" not in note["withheld"]:  # which is not known here
            yield Difference(seq, "message", name, digest(said["text"])[:12], digest(now)[:12])

    def _decide(self, run: Run, turn: Turn, seen: Body, body: Body) -> Any:
        """What a turn's token named then is a fact, as is the wording that it proved to have been handed over."""
        looked = {name: seen[name] for name in turn.input if name in seen}
        observed = Observed(
            {**turn.input, **looked},
            _moment(body),
            run.facts(),
            self._world.policy,
            heard(run, turn),
            body.get("names", "present" if "seen" in body else "none"),
            body.get("asked", {}),
            people=body.get("people", {}),
            signed=_signed(body),
            opened=self._hashes.get(opened_at(self._bundle.definition, run.session, turn), ""),
        )
        return decide(run.program, run.session, turn, observed)


_AGAIN: Mapping[str, Callable[[Redecider, Run, int, Body], Iterator[Difference]]] = {
    "event": Redecider._event,
    "partial": Redecider._partial,
    "wish": Redecider._wish,
    "refusal": Redecider._refusal,
    "move": Redecider._move,
    "due": Redecider._due,
    "intent": Redecider._intent,
    "result": Redecider._result,
    "failure": Redecider._failure,
    "doubt": Redecider._doubt,
    "unwatched": Redecider._unwatched,
    "language": Redecider._language,
    "reply": Redecider._reply,
}


class _Store:
    """All that is asked of a store when messages are chosen."""

    first = False

    def first_time(self, profile: str, occasion: str) -> bool:
        """As it was then; nothing is used up."""
        return self.first


class _Clock:
    """No time at all: the journal has the times."""

    def now(self) -> Instant:
        """The same moment always."""
        return Instant(0.0, 0.0, "")

    def sleep(self, seconds: float) -> None:
        """Nobody waits."""


def _offline(bundle: Bundle, session: Session) -> Connection:
    def no_key() -> NoReturn:
        raise CredentialsError("a replay has no key", "no_key")

    return Connection(bundle.definition.service.base_url, no_key, no_key)


def _accepted_turn(session: Session, body: Body) -> Turn:
    """The turn as it was sent, as far as it matters; that it was neither a repeat nor stale is a fact."""
    given, declined = body["given"], body.get("declined", [])
    answers = [*body.get("evidence", ()), *declined]
    return Turn(
        given["event"],
        given["input"],
        quote=given["quote"],
        items=_items(given),
        turn_id="recorded",
        expect_revision=session.revision,
        strength=answers[-1]["strength"] if answers else "relayed",
        translation=given.get("translation"),
        asked_at=_asked_at(body),
        approver=answers[-1].get("approver") if answers else None,
        declines=declined[0]["gate"] if declined else None,
    )


def _signed(body: Body) -> Signature | str:
    """What the passkey of the last answer signed, or why none had; that its key fits is for a proof to show."""
    answers = [*body.get("evidence", ()), *body.get("declined", ())]
    found = answers[-1].get("signature") if answers else body.get("signed")
    return Signature.from_json(found) if isinstance(found, Mapping) else found or UNSIGNED


def _moment(body: Body) -> Instant:
    """When it was decided, as the entry or the answer in it says; no term depends on any other entry."""
    taken = [each["taken"] for each in (*body.get("evidence", ()), *body.get("declined", ()))]
    known = body.get("now") or (taken[-1] if taken else None)
    return Instant(*known) if known else Instant(0.0, 0.0, "")


def _asked_at(body: Body) -> Instant | None:
    return Instant(*body["asked_at"]) if body.get("asked_at") else None


def _items(given: Body) -> tuple[str, ...] | None:
    return None if given["items"] is None else tuple(given["items"])


def _arrival(seq: int, what: str, body: Body, now: Body) -> Iterator[Difference]:
    if body.get("to") != now["to"]:
        yield Difference(seq, "route", what, body.get("to") or "it stayed", now["to"] or "it stays")
    else:
        yield from _owed(seq, what, body, now)


def _owed(seq: int, what: str, then: Body, now: Body) -> Iterator[Difference]:
    told, tells = list(then.get("owe", ())), list(now["owe"])
    if told != tells:
        yield Difference(seq, "message", what, ", ".join(told) or "none", ", ".join(tells) or "none")


def _limited(definition: Definition, seq: int, body: Body) -> Iterator[Difference]:
    """A paid call that the limit of now had held back, by how many counted then within a window as long."""
    now = {(each.per, each.of): each for each in limits(definition, {}, body["action"])}
    for then, counted in zip(limits_in(body), body.get("limits", ()), strict=True):
        limit = now.get((then.per, then.of))
        if limit and counted["used"] >= limit.most:
            told = f"{counted['used']} of {then.most}"
            yield Difference(seq, "limited", body["action"], told, f"its limit is {words(limit)}")


def _verdicts(seq: int, then: Body, now: Body) -> Iterator[Difference]:
    """Guards that were asked both times; others show in where they lead."""
    for name in then:
        if name in now and (then[name] is True) != (now[name] is True):
            yield Difference(seq, "guard", name, _verdict(then[name]), _verdict(now[name]))


def _verdict(recorded: Any) -> str:
    return "it held" if recorded is True else f"it did not hold: {recorded}"


def _subjects(evidence: Iterable[Evidence]) -> list[tuple[str, str, str | None]]:
    return [(each.gate, each.subject, each.item) for each in evidence]


def _gates(evidence: Iterable[Evidence]) -> str:
    return ", ".join(dict.fromkeys(each.gate for each in evidence)) or "none"
