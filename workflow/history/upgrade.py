"""Taking sessions over into a changed bundle: what would happen to each, and a person's map of names (decision 030)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from workflow.bundle import Bundle
from workflow.engine import bundle_change as fit
from workflow.engine.bundle_change import Misfit
from workflow.engine.run import Run
from workflow.engine.turns import Engine
from workflow.engine.view import View
from workflow.machine import due
from workflow.machine.definition import Definition
from workflow.model.errors import BundleChanged, BundleError, UsageError
from workflow.model.evidence import Evidence
from workflow.model.frozen import Noun, replace
from workflow.model.reply import Reply, in_one_line
from workflow.model.session import Session

PAGE = 100

Names = Mapping[str, str]
"""Old name → new name, of states (``phase.state``) and data; a datum's empty new name drops it."""


Outcome = Literal["same", "follows", "upgrades", "stops"]


class Forecast(Noun):
    """What the next turn of a session would find.

    ``outcome`` is same, follows, upgrades (with the names given) or stops; ``command`` would take it over.
    """

    session: str
    state: str
    outcome: Outcome
    problems: tuple[str, ...] = ()
    command: str = ""


def forecasts(view: View, bundle: Path | None = None, names: Names | None = None) -> Iterator[Forecast]:
    """Every live session against the bundle at its path, or against the one in this folder if it is its workflow."""
    opened: dict[str, Bundle | BundleError] = {}
    offset = 0
    while page := view.sessions(live=True, limit=PAGE, offset=offset):
        offset += len(page)
        for summary in page:
            try:
                session = view.stored(summary.name)
                found = _opened(view, opened, str(bundle) if bundle else session.path)
                if bundle is None or found.definition.workflow == session.workflow:
                    yield _forecast(Run(view.world, found, session), names or {})
            except UsageError:  # of the map, which is given for all of them
                raise
            except Exception as error:  # of this one session
                yield Forecast(summary.name, summary.state, "stops", (in_one_line(error),))


def upgrade(engine: Engine, name: str, names: Names, *, wait: float = 0.0) -> Reply:
    """Let a session go on in its changed bundle, under new names; an entry records the map.

    A person's word for what the engine would not do by itself: raises :class:`BundleChanged` where no word helps,
    :class:`UsageError` for a name that is none. Evidence whose subject is another now is void.
    """
    session = engine.stored(name)
    with engine.world.store.hold(name, wait) as held:
        run = Run(engine.world, engine.world.open_bundle(session.path), engine.stored(name), held)
        check_names(run.program.definition, names)
        notices = _upgraded(run, session, names)
    return _told(engine, name, *notices)


def _upgraded(run: Run, session: Session, names: Names) -> Iterable[str]:
    """Record the map, and say what it changed."""
    if run.session.bundle == run.bundle.digest:
        return ("It goes by this bundle already; nothing was changed.",)
    plan = _plan(run, names)
    if plan.problems:
        told = "; ".join(each.what for each in plan.problems)
        hint = fit.way_out(session, plan.problems)
        raise BundleChanged(f"{session.name} does not fit the changed bundle: {told}", hint)
    void = _void(run, plan)
    run.note("upgrade", _body(run, plan, void))
    run.commit()
    waiting = fit.stale(run.program.definition, _asked_anew(run, plan), [each for _, each in session.partial])
    return _changes(session, plan, void, waiting)


def check_names(definition: Definition, names: Names) -> None:
    """Whether every new name is one of the bundle's; raises :class:`UsageError` for the first that is none."""
    for old, new in names.items():
        is_state = "." in old
        known = definition.states if is_state else definition.data
        if new not in known and (is_state or new):
            kind = "state" if is_state else "datum"
            listed = ", ".join(list(known)[:40])
            raise UsageError(f"--map {old}={new}: the bundle has no {kind} '{new}'", f"It has: {listed}.")


class _Plan(Noun):
    """The session under its new names; ``moved`` if it is put into its state again."""

    session: Session
    data: Names
    moved: bool
    problems: tuple[Misfit, ...]


def _plan(run: Run, names: Names) -> _Plan:
    """What of the map concerns this session: the state where it stands, and the data that it holds."""
    old, entries = run.session, fit.journal_of(run)
    needed = {each.old for each in fit.misfits(run.program, old, entries)}
    needed |= old.data.keys() - run.program.definition.data.keys()
    state = names.get(old.state, old.state)
    data = {name: names[name] for name in names if name in old.data}
    idle = [name for name in (old.state, *old.data) if name in names and name not in needed]
    if idle:
        raise UsageError(f"'{idle[0]}' fits the bundle as it is", "Map only what is gone, or is something else now.")
    kept = [data.get(name, name) for name in old.data if data.get(name, name)]
    twice = next((name for name in kept if kept.count(name) > 1), None)
    if twice:
        raise UsageError(
            f"two data would become '{twice}'", "Map one of them elsewhere, or drop it with an empty name."
        )
    values = {data.get(name, name): value for name, value in old.data.items() if data.get(name, name)}
    session, moved = replace(old, state=state, data=values), old.state in names
    found = fit.misfits(run.program, session, entries, moved=moved)
    return _Plan(session, data, moved, tuple(replace(each, old=_before(each.old, old, names)) for each in found))


def _before(name: str, session: Session, names: Names) -> str:
    """The name that a misfit had before the map."""
    return next((old for old, new in names.items() if new == name and old in (session.state, *session.data)), name)


def _void(run: Run, plan: _Plan) -> list[Evidence]:
    """Evidence that is of something else now, or of nothing."""
    session = _asked_anew(run, plan)
    return fit.stale(run.program.definition, session, session.evidence)


def _asked_anew(run: Run, plan: _Plan) -> Session:
    """The session as it will be: in another state its questions have not been put yet."""
    asks = run.program.definition.asks(run.program.state(plan.session.state)) if plan.moved else ()
    return replace(plan.session, shown={gate: text for gate, text in plan.session.shown.items() if gate not in asks})


def _body(run: Run, plan: _Plan, void: list[Evidence]) -> dict[str, Any]:
    old, after = run.session, Run(run.world, run.bundle, plan.session)
    state = after.state
    body: dict[str, Any] = {
        "from": old.bundle,
        "bundle": run.bundle.digest,
        "compiled": run.bundle.compiled,
        "data": dict(plan.data),
        "void": [[each.gate, each.item] for each in void],
        "trouble": old.trouble if state.works or state.watch else None,
        "to": None,
        **fit.reworded(after),
        **due.passed_on(run.program.definition, old, state, run.world.clock.now(), moved=plan.moved),
    }
    if not plan.moved:
        return body | (after.spoken(state, after.facts()) if old.undecided == "say" else {})
    waits_on = state.watch and old.since  # the same wait under another name: nothing new, and no longer deadline
    said = {"owe": []} if waits_on else after.rested()
    since = (old.since or run.world.clock.now()).as_json() if state.watch else None
    asks = list(run.program.definition.asks(state))
    return body | {
        "to": state.name,
        "was": old.state,
        "since": since,
        "settles": False,
        "asks": asks,
        **said,
        "owe": said["owe"] or body["owe"],
    }


def _changes(old: Session, plan: _Plan, void: list[Evidence], waiting: list[Evidence]) -> Iterator[str]:
    yield "The run goes by the changed bundle from here."
    if plan.moved:
        yield f"It stands in {plan.session.state}, which was {old.state}."
    for name, new in plan.data.items():
        yield f"Its '{name}' is '{new}' now." if new else f"Its '{name}' was dropped."
    yield from map(fit.void_because, dict.fromkeys(each.gate for each in (*void, *waiting)))


def _told(engine: Engine, name: str, *notices: str) -> Reply:
    reply = engine.status(name)
    return replace(reply, notices=(*notices, *reply.notices))


def _forecast(run: Run, names: Names) -> Forecast:
    session = run.session
    if session.bundle == run.bundle.digest:
        return Forecast(session.name, session.state, "same")
    entries = fit.journal_of(run)
    found = [*fit.misfits(run.program, session, entries), *fit.elsewhere(run, entries)]
    if not found:
        return Forecast(session.name, session.state, "follows")
    check_names(run.program.definition, names)
    meant = {each.old: names[each.old] for each in found if each.old in names}
    left = _plan(run, meant).problems if meant else found
    if left:
        command = fit.upgrade_command(session.name, left)
        return Forecast(session.name, session.state, "stops", tuple(each.what for each in left), command)
    command = fit.upgrade_command(session.name, [Misfit("", old, new) for old, new in meant.items()])
    return Forecast(session.name, session.state, "upgrades", tuple(each.what for each in found), command)


def _opened(view: View, known: dict[str, Bundle | BundleError], path: str) -> Bundle:
    """The bundle at a path, read once for all its sessions; raises what is wrong with it."""
    if path not in known:
        try:
            known[path] = view.world.open_bundle(path)
        except BundleError as error:
            known[path] = error
    found = known[path]
    if isinstance(found, BundleError):
        raise found
    return found
