"""Adopting a store that was restored, copied or moved: a person settles what only its ledger knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from workflow.engine.run import Run
from workflow.engine.turns import Engine
from workflow.engine.view import View
from workflow.engine.work import settle_intent
from workflow.history import audit
from workflow.machine import gates
from workflow.machine.definition import Definition
from workflow.machine.reach import doubt_only
from workflow.model.errors import SessionBusy, StoreError, UsageError, WorkflowError
from workflow.model.frozen import Noun, replace
from workflow.model.instant import iso
from workflow.model.journal import fold, seal
from workflow.model.ledger import Payment
from workflow.model.ports import Held, Summary
from workflow.model.reply import ENDED, in_one_line
from workflow.model.session import Session

Outcome = Literal["happened", "did_not_happen"]
LIVE, OVER, GONE = "live", "ended", "not in this store"
_PAGE = 200


class Line(Noun):
    """A paid call that the ledger knows and the journals do not; ``stands`` says what became of its session."""

    payment: Payment
    stands: str

    @property
    def id(self) -> str:
        """How a person names it: the session and the entry, such as ``amber-fox:12``."""
        return f"{self.payment.session}:{self.payment.entry.partition(':')[0]}"


class Survey(Noun):
    """Why a store has to be adopted, each reason in words, and the calls that have to be looked at."""

    reasons: tuple[str, ...]
    lines: tuple[Line, ...]

    @property
    def open(self) -> tuple[Line, ...]:
        """What a person has to settle: calls of live sessions, and of ended ones that can go on."""
        return tuple(each for each in self.lines if each.stands == LIVE)


class Adopted(Noun):
    """What was done: sessions whose answers are void, sessions that ended, those left alone with the reason, files."""

    voided: tuple[str, ...]
    ended: tuple[str, ...]
    left: tuple[str, ...]
    moved: tuple[str, ...]


def survey(view: View) -> Survey:
    """What stands between this store and its next paid call; without reasons, nothing does."""
    store = view.store
    lines = [Line(each, _stands(view, each.session)) for each in store.unknown_payments()]
    reasons = [reason for reason in (store.foreign(), store.ledger_fault()) if reason]
    if any(line.stands in (LIVE, GONE) for line in lines):
        reasons.append("the store was set back: the ledger knows paid calls that its journals do not")
    return Survey(tuple(reasons), tuple(lines))


def adopt(engine: Engine, found: Survey, outcomes: Mapping[str, Outcome], *, wait: float = 0.0) -> Adopted:
    """Settle the lines of live sessions by ``outcomes`` (id of a line → outcome), and make the store its own.

    A session of which a call happened is ended. In every other live session all answers become void, and its question
    is asked again. Raises :class:`UsageError`, before anything is written, for a line without an outcome or a session
    that cannot be ended; the store is adopted last, so that what stops halfway leaves it as foreign as it was.
    """
    missing = [line.id for line in found.open if line.id not in outcomes]
    if missing:
        raise UsageError(f"nobody has said whether {missing[0]} happened", "Settle every line.")
    of: dict[str, list[Line]] = {}
    for line in found.open:
        of.setdefault(line.payment.session, []).append(line)
    endings = {name for name, lines in of.items() if any(outcomes[line.id] == "happened" for line in lines)}
    for name in endings:
        _end_of(_definition(engine, audit.read(engine, name).session), name)
    ended: list[str] = []
    voided: list[str] = []
    left: list[str] = []
    reason = "; ".join(found.reasons)
    for name in _live(engine):
        calls = [line.payment for line in of.get(name, ())]
        try:
            if _note(engine, name, reason, calls, name in endings, wait):
                (ended if name in endings else voided).append(name)
        except SessionBusy:
            raise
        except StoreError as error:
            if name in of:
                raise
            left.append(f"{name}: {in_one_line(error)}")  # a damaged session pays for nothing
    moved = engine.world.store.adopt(iso(engine.world.clock.now()))
    return Adopted(tuple(voided), tuple(ended), tuple(left), tuple(moved))


def _stands(view: View, name: str) -> str:
    record = view.store.record(name)
    if record is None:
        return GONE
    return LIVE if _goes_on(view, record.summary) else OVER


def _live(view: View) -> Iterator[str]:
    """The names of all sessions that can go on, as they are before any of them is written to."""
    found: list[Summary] = []
    while page := view.store.sessions(limit=_PAGE, offset=len(found)):
        found += page
    yield from [each.name for each in found if _goes_on(view, each)]


def _goes_on(view: View, summary: Summary) -> bool:
    """Whether a session takes turns that move it: it is live, or its end takes events."""
    if summary.status not in ENDED:
        return True
    record = view.store.record(summary.name)
    if record is None or record.session.forgotten:
        return False
    definition = _definition(view, record.session)
    state = definition.states.get(record.session.state) if definition else None
    return bool(state and state.on)


def _note(engine: Engine, name: str, reason: str, calls: Sequence[Payment], ends: bool, wait: float) -> bool:
    """Write into one session what the adoption means for it; whether it means anything."""
    with engine.world.store.hold(name, wait) as held:
        told: dict[str, Any] = {"reason": reason, "calls": [each.as_json() for each in calls], "outcome": None}
        if calls:
            told["outcome"] = "happened" if ends else "did_not_happen"
        try:
            run = engine.load(name, held, wait)
        except StoreError:
            raise
        except WorkflowError:  # its bundle is gone, or was changed: what can be done without it is done
            return _note_alone(engine, held, name, told, calls[-1].action if ends else None)
        if run.session.intent:
            settle_intent(run)
        body = _ending(run, calls[-1].action, name) if ends else _asking(run)
        if not calls and not body["asks"] and not run.session.evidence:
            run.commit()
            return False
        run.note("adopted", told | body)
        run.commit()
        return True


def _asking(run: Run) -> dict[str, Any]:
    """The open question is put once more; what is about the person's own words alone needs nothing shown."""
    definition = run.program.definition
    asks = [] if run.session.trouble else [gate.name for gate in gates.questions(definition, run.state)]
    return {"asks": asks, "to": None, **(run.asked_again() if asks else {"owe": []})}


def _ending(run: Run, action: str, name: str) -> dict[str, Any]:
    """The end: the bundle says it as of a call that is in doubt, since what came of it is not in this store."""
    doubtful = Run(run.world, run.bundle, replace(run.session, doubt=action))
    return {"doubt": action, **doubtful.arrival(_end_of(run.program.definition, name)), "asks": []}


def _note_alone(engine: Engine, held: Held, name: str, told: dict[str, Any], ends: str | None) -> bool:
    """The same, without the bundle: nothing can be said or asked again."""
    record = audit.read(engine, name)
    session, status = record.session, record.summary.status
    if not ends and not session.evidence and not told["calls"]:
        return False
    body: dict[str, Any] = {**told, "asks": [], "to": None, "owe": []}
    if ends:
        definition = _definition(engine, session)
        assert definition is not None, "that it can end was found out before"
        body |= {"doubt": ends, "to": _end_of(definition, name)}
        status = definition.states[body["to"]].end or status
    time = iso(engine.world.clock.now())
    entry = seal(name, session.seq + 1, session.head, "adopted", time, body, engine.world.nonce())
    engine.world.store.append(held, [entry], fold(session, entry), status)
    return True


def _definition(view: View, session: Session) -> Definition | None:
    """What the bundle of a session says: as it is on the disk, else as the store has kept it."""
    try:
        return view.world.open_bundle(session.path).definition
    except WorkflowError:
        return audit.definition_of(view, session.bundle, audit.entries(view, session.name))


def _end_of(definition: Definition | None, name: str) -> str:
    """The state in which a session ends whose call happened elsewhere."""
    states = [*definition.states.values()] if definition else []
    doubtful = doubt_only(definition) if definition else frozenset()
    ends = [state for state in states if state.end]  # it is known to have happened: no end that asks whether it has
    ends.sort(key=lambda state: (state.name in doubtful, _GIVEN_UP.index(state.end or "done"), bool(state.on)))
    if not ends:
        raise UsageError(
            f"{name} cannot be ended: its bundle cannot be opened, or has no end",
            "Put the bundle back, then try again.",
        )
    return ends[0].name


_GIVEN_UP = ("cancelled", "failed", "done")
