"""What a turn would do, without doing it: the decision, its guards, and the request that would leave."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn, cast

from workflow.bundle import Bundle
from workflow.engine import timers
from workflow.engine.blotting import blotted
from workflow.engine.intake import check_content
from workflow.engine.observe import observe
from workflow.engine.turns import Engine
from workflow.engine.view import View
from workflow.machine.decide import Accepted, Refused, decide
from workflow.machine.definition import Service
from workflow.model.brakes import Pause, Use
from workflow.model.digest import sha256
from workflow.model.frozen import Noun, replace
from workflow.model.instant import Instant
from workflow.model.journal import Entry
from workflow.model.ledger import Payment
from workflow.model.ports import Connection, Held, Store
from workflow.model.reply import Failure
from workflow.model.session import Session, Turn
from workflow.store import brakes

KEY = "(the key)"
"""What stands for the key in a request that is shown."""


class Preview(Noun):
    """What would happen: ``states`` are those the run would pass, ``request`` is the first that would leave.

    ``faults`` are the tracebacks of faults in the bundle's own code, without the key and the session's ids.
    """

    session: str
    event: str
    states: tuple[str, ...]
    verdicts: Mapping[str, Any] = {}
    evidence: tuple[str, ...] = ()
    request: Mapping[str, Any] | None = None
    trouble: str | None = None
    refused: Failure | None = None
    faults: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For ``--dry-run``."""
        return {
            "v": 1,
            "ok": self.refused is None,
            "dry_run": True,
            "session": self.session,
            "event": self.event,
            "states": list(self.states),
            "verdicts": dict(self.verdicts),
            "evidence": list(self.evidence),
            "request": self.request,
            "trouble": self.trouble,
            "faults": list(self.faults),
            "error": self.refused.as_json() if self.refused else None,
        }


def preview(view: View, name: str, turn: Turn, *, ahead: bool = False) -> Preview:
    """Decide ``turn``, and go on to the first request: nothing is kept, and nothing sent.

    Who looks ``ahead`` of an answer needs no signature yet.
    """
    store = _Forgetful(view.world.store)
    faults: list[str] = []
    world = replace(view.world, store=cast(Store, store), connect=_muted(view))
    dry = Engine(replace(world, report=lambda fault: faults.append(fault.trace)))
    run = dry.load(name, _Unheld(name))
    here, event = run.session.state, turn.event or ""
    check_content(run, turn)
    request, decision = None, None
    try:
        timers.fire(run)
        run.commit()
        observed = replace(observe(run, turn), ahead=ahead)
        decision = decide(run.program, run.session, turn, observed)
        if isinstance(decision, Accepted):
            dry.accept(run, turn, decision, observed)
            run.commit()
    except _WouldSend as sent:
        request = blotted(sent.request, run.ids())
    bodies = [entry.body or {} for entry in store.forgotten]
    states = (here, *(body["to"] for body in bodies if body.get("to")))
    if isinstance(decision, Refused):
        refused = Failure(decision.type, "; ".join(decision.reasons), decision.hint)
        told = (*faults, *(run.without_secrets(trace) for trace in decision.traces))
        return Preview(name, event, states, decision.verdicts, refused=refused, faults=told)
    return Preview(
        session=name,
        event=event,
        states=states,
        verdicts={guard: verdict for body in bodies for guard, verdict in body.get("verdicts", {}).items()},
        evidence=tuple(dict.fromkeys(each.gate for each in decision.evidence)) if decision else (),
        request=request,
        trouble=run.session.trouble,
        faults=tuple(faults),
    )


class _WouldSend(BaseException):
    """The first request of the turn; a base exception, so that no code of a bundle takes it for a failed call."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        super().__init__("a request would be sent")
        self.request = request


def _muted(view: View) -> Callable[[Bundle, Session], Connection]:
    """The sessions' own connections, with a service that shows what it is asked and goes no further."""

    def connect(bundle: Bundle, session: Session) -> Connection:
        real, service = view.world.connect(bundle, session), bundle.definition.service
        keyed = session.sandbox is not None or not service.keyless
        return replace(real, make_service=lambda: _Mute(real.base_url, service, keyed))

    return connect


class _Mute:
    def __init__(self, base_url: str, service: Service, keyed: bool) -> None:
        self._base_url = base_url
        self._key = {service.key_header: f"{service.key_scheme} {KEY}".strip()} if keyed else {}

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Any = None,
        headers: Any = None,
        json: Any = None,
        upload: Any = None,
        timeout: float,
    ) -> NoReturn:
        sent = {**(headers or {}), **self._key}
        shown: dict[str, Any] = {"method": method, "url": self._base_url + path, "headers": sent}
        if query:
            shown["query"] = dict(query)
        if json is not None:
            shown["json"] = json
        if upload is not None:
            shown["file"] = {"name": upload.name, "size": len(upload.content), "sha256": sha256(upload.content)}
        raise _WouldSend(shown)


class _Unheld:
    """In the place of a hold, which a preview does not need."""

    def __init__(self, name: str) -> None:
        self.name = name

    def release(self) -> None:
        """Nothing is held."""

    def retake(self, wait: float = 0.0) -> None:
        """Nothing will be held."""


class _Forgetful:
    """The store, read only: what would be written is thrown away."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.forgotten: list[Entry] = []

    @contextmanager
    def hold(self, name: str, wait: float = 0.0, part: str = "") -> Iterator[Held]:
        """Nobody is kept out by a preview."""
        yield _Unheld(name)

    def append(self, held: Held, entries: Sequence[Entry], session: Session, status: str) -> None:
        """Kept by nobody but this object; what would hold a call back does so."""
        held_back = brakes.stops(self, entries, session)
        if held_back:
            raise held_back
        self.forgotten += entries

    def pauses(self) -> Sequence[Pause]:
        """Those that hold."""
        return self._store.pauses()

    def restart(self, use: Use) -> None:
        """No window begins by looking."""

    def like(self, use: Use, per: float) -> Sequence[Instant]:
        """The calls that count."""
        return self._store.uses(use, per)

    def check_session(self, session: Session) -> None:
        """What is stored is checked; what a dry turn thought up before its call never was."""
        stored = self._store.load(session.name) if self.forgotten else session
        if stored:
            self._store.check_session(stored)

    def first_time(self, profile: str, occasion: str) -> bool:
        """Nothing is used up."""
        return False

    def begin_ledger(self, time: str) -> None:
        """Nothing will be paid."""

    def enter(self, payment: Payment) -> None:
        """Nothing is paid."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)
