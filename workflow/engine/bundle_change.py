"""Whether a session fits a bundle that was changed under it: then it follows, else it stops (decision 030).

Loaded by name, and only where a bundle has changed: a plain turn does not pay for it (decision 012).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from workflow.engine.redecide import ELSEWHERE, Difference, Redecider, steps
from workflow.engine.run import Run
from workflow.machine import due, gates
from workflow.machine.definition import Definition, State
from workflow.machine.kept import kept_definition
from workflow.machine.own_messages import is_own
from workflow.machine.program import Program
from workflow.model.errors import BundleChanged
from workflow.model.evidence import Evidence
from workflow.model.frozen import Noun
from workflow.model.journal import Entry
from workflow.model.reply import ENDED
from workflow.model.session import Session
from workflow.model.spelling import near
from workflow.model.surface import Machine

BACK = "Put the bundle back as it was; until then the session waits, and nothing of it is lost."


class Misfit(Noun):
    """Why a session cannot go on in a bundle; ``old`` is the name that a map could replace, ``new`` a likely one."""

    what: str
    old: str = ""
    new: str = ""
    lasting: bool = False
    """Whether no map helps: only the bundle as it was."""


def follow(run: Run) -> None:
    """Go on with the changed bundle, and say so; raises :class:`BundleChanged` with all that is in the way."""
    session = run.session
    entries = journal_of(run)
    found = [*misfits(run.program, session, entries), *elsewhere(run, entries)]
    if found:
        told = "; ".join(each.what for each in found)
        raise BundleChanged(
            f"the bundle has changed, and {session.name} does not fit it: {told}", way_out(session, found)
        )
    void = _of_another_rule(run, entries)
    partial = stale(run.program.definition, session, [each for _, each in session.partial])
    pinned = {"from": session.bundle, "bundle": run.bundle.digest, "compiled": run.bundle.compiled}
    voided = {"void": [[each.gate, each.item] for each in void]} if void else {}
    timers = due.passed_on(run.program.definition, session, run.state, run.world.clock.now())
    run.note("bundle", {**pinned, "to": None, **voided, **reworded(run), **timers})
    run.notices.append("The bundle has changed since the last turn; the run follows the latest.")
    run.notices += map(void_because, dict.fromkeys(each.gate for each in (*void, *partial)))


def _of_another_rule(run: Run, entries: Sequence[Entry]) -> list[Evidence]:
    """Answers to gates whose rule is another one now, or may be: the bundle of before is not in every store."""
    pinned = [entry.body["compiled"] for entry in entries if entry.body and entry.body.get("compiled")]
    before = kept_definition(run.world.store.definitions(run.session.bundle), pinned[-1] if pinned else None)

    def rule(definition: Definition | None, name: str) -> Mapping[str, Any] | None:
        gate = definition.gates.get(name) if definition else None
        return gate.as_json() if gate else None

    now = run.program.definition
    kept = {gate for gate in now.gates if rule(before, gate) == rule(now, gate)}
    return [each for each in run.session.evidence if each.gate not in kept]


def stale(definition: Definition, session: Session, answers: Iterable[Evidence]) -> list[Evidence]:
    """The answers that are to something else now, or to nothing."""
    found = []
    for each in answers:
        gate = definition.gates.get(each.gate)
        if gate is None:
            found.append(each)
        elif gate.each:
            items = session.data.get(gate.each) or []
            if each.subject not in {gates.item_subject(definition, gate, item, session.sandbox) for item in items}:
                found.append(each)
        elif each.subject != gates.subject(definition, gate, session):
            found.append(each)
    return found


def void_because(gate: str) -> str:
    """What whoever changed a bundle is told of the answers to a gate that they void."""
    return f"The answer to '{gate}' is void: what it was given to is not what is asked now."


def journal_of(run: Run) -> list[Entry]:
    """The entries that the session in hand adds up to."""
    session = run.session
    return [entry for entry in run.world.store.entries(session.name) if entry.seq <= session.seq]


def misfits(program: Program, session: Session, entries: Sequence[Entry], *, moved: bool = False) -> Iterator[Misfit]:
    """What of the session itself the bundle has no place for; ``moved`` if it is only to be put into its state."""
    definition = program.definition
    if definition.workflow != session.workflow:
        what = f"it is another workflow now, '{definition.workflow}' instead of '{session.workflow}'"
        yield Misfit(what, lasting=True)
        return
    state = definition.states.get(session.state)
    if state is None:
        likely = near(session.state, definition.states.keys() - visited(entries))
        yield Misfit(f"the state '{session.state}' is gone", session.state, likely)
    else:
        yield from _in_doubt(program, session, state)
        was, now = _manner_of(session, entries), manner(state)
        if not moved and was and was != now:
            yield Misfit(
                f"the state '{state.name}' {was} when the run came there, and {now} now", state.name, state.name
            )
    for name, value in session.data.items():
        kind = definition.data.get(name)
        if kind is None and value:
            likely = near(name, definition.data.keys() - session.data.keys())
            yield Misfit(f"there is no '{name}' any more, of which it holds some", name, likely)
        elif kind is not None and not holds(kind, value):
            yield Misfit(f"its '{name}' is no {kind}, which the bundle now takes it for", name)


def elsewhere(run: Run, entries: Sequence[Entry]) -> Iterator[Misfit]:
    """Where the journal, decided again with this bundle, would have led elsewhere; what takes no events stays ended."""
    if run.session.state not in run.program.definition.states or (run.state.end and not run.state.on):
        return
    redecider = Redecider(run.world, run.bundle)
    since = max((entry.seq for entry in entries if entry.kind == "upgrade"), default=1)  # accepted by a person
    for before, entry, _ in steps(entries):
        if entry.seq >= since and entry.kind != "reply":
            yield from (_otherwise(each) for each in redecider.differences(before, entry) if each.kind in ELSEWHERE)


def way_out(session: Session, found: Iterable[Misfit]) -> str:
    """What to do, with the command that would do it where there is one."""
    command = upgrade_command(session.name, found)
    return Machine(f"{BACK} Or let a person accept the change: `{command}`.") if command else BACK


def upgrade_command(name: str, found: Iterable[Misfit]) -> str:
    """The command that maps what is gone, NEW where no name is likely; empty if none would help."""
    found = list(found)
    if any(each.lasting for each in found):
        return ""
    maps = dict.fromkeys(f"--map {each.old}={each.new or 'NEW'}" for each in found if each.old)
    return " ".join(["workflow-admin", "upgrade", name, *maps])


def reworded(run: Run) -> dict[str, Any]:
    """Messages that were owed and that the bundle no longer has; instead, what it now says here."""
    known = run.bundle.prompts[run.program.definition.languages[0]]
    due = (*run.session.owed, *run.session.unheard)
    gone = [each.id for each in due if each.message not in known and not is_own(each.message)]
    return {"gone": gone, **(run.rested() if gone else {"owe": []})}


def holds(kind: str, value: Any) -> bool:
    """Whether a value is one of this type of data; what is empty is of any."""
    if value in (None, "", [], {}) or kind not in _SHAPES:
        return True
    if kind in _PIECES:
        return isinstance(value, list) and all(
            isinstance(each, Mapping) and _PIECES[kind] <= set(each) for each in value
        )
    return isinstance(value, _SHAPES[kind]) and (kind == "flag" or not isinstance(value, bool))


_SHAPES: Mapping[str, type | tuple[type, ...]] = {
    "text": str,
    "verbatim": str,
    "url": str,
    "number": (int, float),
    "flag": bool,
    "files": list,
    "texts": list,
}
_PIECES = {"files": {"sha256"}, "texts": {"text", "by"}}
"""What each item of a list has to have."""


def manner(state: State) -> str:
    """What a run does in a state, as a verb."""
    if state.end:
        return "ends"
    if state.works:
        return "works"
    return "watches" if state.watch else "waits"


def visited(entries: Iterable[Entry]) -> set[str]:
    """The states that a journal names."""
    return {
        str(entry.body[key]) for entry in entries if entry.body for key in ("state", "from", "to") if key in entry.body
    }


def _manner_of(session: Session, entries: Sequence[Entry]) -> str:
    """What the run did where it stands, as far as its journal shows it; empty if it does not."""
    if session.since:
        return "watches"
    if session.intent or (session.trouble and session.undecided != "say"):
        return "works"
    for entry in reversed(entries):
        body = entry.body or {}
        if entry.kind == "reply" and body:
            return "ends" if body["reply"]["status"] in ENDED else "waits"
        if body.get("to") or entry.kind in ("started", "upgrade"):
            break
    return ""


def _in_doubt(program: Program, session: Session, state: State) -> Iterator[Misfit]:
    """A paid call without an outcome is settled by the rules of a state that knows of it, or not at all."""
    if session.intent and not (state.do == session.intent.action and state.doubt):
        what = f"'{session.intent.action}' may have been called, and '{state.name}' does not call it"
        yield Misfit(what, lasting=True)
    if session.doubt and not state.end and state.name not in program.doubtful:
        what = f"whether '{session.doubt}' happened is not known, and '{state.name}' is not a state of doubt"
        yield Misfit(what, state.name)


def _otherwise(found: Difference) -> Misfit:
    """A difference of the journal; no map of names helps, but a person may accept it."""
    return Misfit(f"entry {found.seq} would be decided otherwise ({found.what}: {found.recorded}; now: {found.now})")
