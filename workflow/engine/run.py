"""A run in hand: one held session, the entries that are about to be written, and what it knows of itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from copy import copy
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from workflow.bundle import Bundle
from workflow.engine.blotting import blotted
from workflow.engine.budget import TURN, Budget
from workflow.engine.world import World
from workflow.local.paths import at_home
from workflow.machine import brakes, due, gates, leaks, roles, superseded, wishes
from workflow.machine.decide import Accepted
from workflow.machine.definition import AGAIN, Choice, State
from workflow.machine.guards import holding, judge, recorded, traces
from workflow.machine.hosts import can_watch
from workflow.machine.own_messages import SAME_AGAIN, of_part
from workflow.machine.program import Program, compile_program
from workflow.machine.registry import Facts
from workflow.machine.standing import status
from workflow.model.digest import canonical
from workflow.model.errors import CredentialsError, HoldLost, Undecidable, UsageError
from workflow.model.fault import Fault
from workflow.model.frozen import replace
from workflow.model.instant import iso
from workflow.model.journal import START, Entry, fold, heard, receipt, seal
from workflow.model.ports import CALL, Connection, Held
from workflow.model.reply import Failure
from workflow.model.session import Session, Wish
from workflow.service.key import redact

UNSAID = "…"
"""Owed instead of a message, where a run has ended and no guard can tell which one is to be said."""
PATIENCE = 10.0
"""Seconds to wait for the session after a call during which others could have it."""


class Run:
    """One session in memory. ``note`` makes an entry and folds it in, ``commit`` writes what was noted.

    ``held`` is the right to write; who only reads has none. ``wait`` is how many seconds the turn waits for others.
    """

    def __init__(
        self, world: World, bundle: Bundle, session: Session | None, held: Held | None = None, wait: float = 0.0
    ) -> None:
        self.world = world
        self.held = held
        self.wait = wait
        self.bundle = bundle
        self.program = program_of(bundle)
        self.stored = session
        self.notices: list[str] = []
        self._session = self._saved = session
        self._noted: list[Entry] = []
        self._connection: Connection | None = None

    @property
    def session(self) -> Session:
        """The session as it is after everything that was noted."""
        assert self._session is not None
        return self._session

    @property
    def state(self) -> State:
        """Where it stands."""
        return self.program.state(self.session.state)

    @property
    def receipt(self) -> str:
        """The head of the journal, as it is quoted."""
        return receipt(self.session.seq, self.session.head)

    @property
    def has_result(self) -> bool:
        """Whether a call has brought something that is not durable yet."""
        return any(entry.kind == "result" for entry in self._noted)

    @property
    def can_watch(self) -> bool:
        """Whether a monitor can run beside the conversation: its host can run a command, and its surface names it."""
        return self.world.surface.types and can_watch(self.session.host)

    @property
    def watched(self) -> bool:
        """Whether a monitor is registered: the host can run one, and it was not missed."""
        return self.can_watch and self.session.watcher != "absent"

    def failure(self) -> Failure | None:
        """The failed call after which it waits, as this surface tells of it."""
        if self.session.trouble is None:
            return None
        from workflow.engine.causes import failure_of  # a turn that goes well does not load it

        definition, surface = self.program.definition, self.world.surface
        return failure_of(self.session, definition, self.connection(), self.known_key, surface)

    def explain(self, what: str, failure: Mapping[str, Any]) -> None:
        """Tell the agent in the reply why a call failed, as an entry has it, where no failed call is waited for."""
        from workflow.engine.causes import shown

        told = failure["message"], failure.get("obstacle", "")
        cause = shown(self.session, self.program.definition, self.known_key, *told)
        self.notice(f"{what}: {cause.removesuffix('.')}.")

    def spoken_in(self, language: str) -> Run:
        """The run as it is, with messages in another language: to render with, never to note with."""
        if not language:
            return self
        told = copy(self)
        told._session = replace(self.session, language=language)
        return told

    def having_heard(self, body: Mapping[str, Any]) -> Run:
        """The run with what an entry of this ``body`` shows to have arrived: to decide with, never to note with."""
        told = copy(self)
        told._session = heard(self.session, body)
        return told

    @property
    def asked_to_watch(self) -> bool:
        """Whether a reply of this wait has asked for a monitor, or one was seen: it is started once."""
        return self.session.asked_to_watch is not None or self.session.watcher is not None

    def forbidden(self) -> tuple[Path, ...]:
        """Folders that no file is read from: our own, and the one that holds the service's key."""
        key_file = self.program.definition.service.key_file
        if not key_file:
            return self.world.forbidden
        with suppress(UsageError):  # without a home there is no such folder, nor a key in it
            return (*self.world.forbidden, Path(at_home(key_file, self.world.home)).parent)
        return self.world.forbidden

    def begin(self, name: str, body: Mapping[str, Any]) -> None:
        """The first entry of a new session; what the user's policy does not change is said, not passed over."""
        definition = self.program.definition
        self.notices += gates.misfits(definition, self.world.policy)
        self.notices += brakes.misfits(definition, self.program.registry, self.world.limits)
        state, now = definition.states[body["state"]], self.world.clock.now()
        body = {**body, **due.from_the_start(definition, state, now)}
        self._add(seal(name, 1, START, "started", self.time(), body, self.world.nonce()))

    def notice(self, text: str) -> None:
        """Tell the agent something, once."""
        if text not in self.notices:
            self.notices.append(text)

    def note(self, kind: str, body: Mapping[str, Any]) -> None:
        """One entry more; nothing is durable before :meth:`commit`."""
        now = self.session
        self._add(seal(now.name, now.seq + 1, now.head, kind, self.time(), body, self.world.nonce()))

    def commit(self) -> None:
        """Entries and snapshot, in one durable write."""
        if self._noted:
            assert self.held is not None, "a run without a hold only reads"
            self.world.store.append(self.held, self._noted, self.session, status(self.program, self.session))
            self._saved = self.session
            self._noted = []

    def drop(self, before: Session) -> None:
        """Forget what was noted after ``before`` and is not written."""
        self._noted = [entry for entry in self._noted if entry.seq <= before.seq]
        self._session = before

    def let_go(self) -> None:
        """Write what was noted, and let others have the session while a call is out that may be repeated."""
        self.commit()
        assert self.held is not None, "a run without a hold only reads"
        self.held.release()

    def retake(self, wait: float = PATIENCE) -> bool:
        """Hold the session again, as it is by now; False if it was moved on meanwhile.

        What was noted and not committed is dropped. Raises :class:`SessionBusy` if others keep it, and
        :class:`HoldLost` if it cannot be continued in this turn.
        """
        assert self.held is not None and self._saved is not None, "a run without a hold only reads"
        self.held.retake(wait)
        before = self._saved
        now = self.world.store.load(before.name)
        if now is None or now.forgotten or now.bundle != before.bundle:
            raise HoldLost(
                f"session {before.name} was changed while a call of this turn was out",
                "Send the same turn again: it is never done twice.",
            )
        self._session = self._saved = now
        self._noted = []
        return _standing(before) == _standing(now)

    @cached_property
    def budget(self) -> Budget:
        """The time for the calls of this turn, from the first of them on."""
        return Budget(self.world.clock, TURN)

    def check_journal(self) -> None:
        """Evidence is believed only if it stands in the journal (decision 36).

        Raises :class:`JournalTampered`; a store that is damaged or was edited pays for nothing and
        sends nothing.
        """
        if self._saved:  # else it began in this turn, all of it in memory
            self.world.store.check_session(self._saved)

    def time(self) -> str:
        """The wall's time, for entries and people: ISO 8601, UTC, milliseconds."""
        return iso(self.world.clock.now())

    def connection(self) -> Connection:
        """The service of this session."""
        if self._connection is None:
            self._connection = self.world.connect(self.bundle, self.session)
        return self._connection

    def intent(self) -> str | None:
        """The name of the paid call that is being made or in doubt, see :mod:`workflow.machine.paid_call`."""
        now = self.session
        if now.intent:
            return now.intent.call
        if now.doubt is None:
            return None
        found = [entry.body for entry in self.world.store.entries(now.name) if entry.kind == "intent" and entry.body]
        return str(found[-1]["call"]) if found else None

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """The bundle's options, with the user's values."""
        return MappingProxyType(dict(self.program.definition.options(self.world.settings)))

    @property
    def people(self) -> dict[str, list[str]]:
        """Who holds which of the bundle's roles now, and which passkeys that signed; without any, nobody is asked.

        Raises :class:`CredentialsError` where it cannot be told.
        """
        definition = self.program.definition
        asked = definition.roles or roles.passkeys(self.session)
        return roles.held(definition, self.session, self.world.people()) if asked else {}

    def who(self, action: str) -> dict[str, Any]:
        """What an entry says of a call that needs somebody's answer: who held which role as it left."""
        return {"people": self.people} if roles.asked_for(self.program.definition, self.session, action) else {}

    def conditions(self) -> dict[str, Any]:
        """What the user's own configuration changes about this bundle, for the journal; in most runs nothing."""
        definition = self.program.definition
        known = definition.settings
        changed = {name: _written(value) for name, value in self.settings.items() if value != known[name]}
        raised = {gate: strength for gate, strength in self.world.policy.items() if gate in definition.gates}
        return ({"settings": changed} if changed else {}) | ({"policy": raised} if raised else {})

    def facts(self, data: Mapping[str, Any] | None = None, *, fresh: bool = False, settled: bool = False) -> Facts:
        """What guards may look at; ``fresh`` where a state is entered and nobody was missed yet."""
        return Facts(
            data=self.session.data if data is None else data,
            input={},
            settings=self.settings,
            watched=self.can_watch if fresh else self.watched,
            in_doubt=self.session.doubt is not None and not settled,
        )

    def ask(self, choice: Choice, facts: Facts) -> tuple[dict[str, bool], dict[str, Any]]:
        """The verdicts that a choice needs: to decide by, and to record. Raises :class:`Undecidable`."""
        verdicts = judge(self.program.registry, choice.names, facts, self.program.setters)
        try:
            return holding(verdicts), recorded(verdicts)
        except Undecidable:
            for trace in traces(verdicts):
                self.report("guard", trace)
            raise

    def arrival(
        self,
        to: str | None,
        *,
        owe: Iterable[str] = (),
        data: Mapping[str, Any] | None = None,
        fulfilled: Wish | None = None,
        by_time: bool = False,
    ) -> dict[str, Any]:
        """What an entry says of a move: where to, since when, which messages are owed for it, and which no longer are.

        ``data`` is what the session will hold by then, where the entry itself sets some, and ``fulfilled`` the wish
        that no longer waits. ``by_time`` says that nobody has answered.
        """
        owed = list(owe)
        if to is None:
            return {"to": None, "owe": owed}
        state = self.program.state(to)
        settles = self.program.settles(self.session.state, to)
        since = self.world.clock.now().as_json() if state.watch else None
        asks = list(self.program.definition.asks(state))
        said: dict[str, Any] = {"owe": []}
        if state.say:
            said = self.spoken(state, self.facts(data, fresh=bool(state.watch), settled=settles))
        owed += said["owe"]
        waiting = tuple(wish for wish in self.session.wishes if wish != fulfilled)
        definition = self.program.definition
        held_up = bool(said.get("undecided") or (self.session.doubt and not settles))
        try:
            put, told = self._wished(to, waiting, held_up=held_up) if waiting else ([], [])
        except Exception:  # an end depends on no question: it is not put, so that nobody can answer it
            if not state.end:
                raise
            put, told = [], []
        asks, owed = [*asks, *put], [*owed, *told]
        timers = due.begun(definition, self.session, state, self.world.clock.now())
        gone = superseded.on_arrival(definition, self.session, to, by_time=by_time)
        return {
            "to": to,
            "since": since,
            "settles": settles,
            "asks": asks,
            **said,
            "owe": owed,
            **timers,
            **_gone(gone),
        }

    def _wished(self, to: str, waiting: tuple[Wish, ...], *, held_up: bool) -> tuple[list[str], list[str]]:
        """What is asked about a wish on arrival, and which messages tell of those that wait."""
        definition = self.program.definition
        wish = None if held_up else wishes.first(definition, to, waiting)
        if wishes.stays_asked(definition, self.session, wish):
            return [], []
        known = {each.message for each in self.session.owed}
        told = [key for key in wishes.told(definition, to, waiting, wish) if key not in known]
        return [wish.key] if wish else [], told

    def answered(self, said: dict[str, Any]) -> dict[str, Any]:
        """What an entry says of a look without news that is answered with this: an earlier answer is out of date."""
        return {**said, **_gone(superseded.by_answer(self.program.definition, self.session, said["owe"]))}

    def effect(self, decision: Accepted) -> dict[str, Any]:
        """Where an accepted event leads and what is owed for it. What the event sets counts as set."""
        if decision.say:
            return {"to": None, "owe": [decision.say]}
        if decision.event == "retry" and self.session.undecided == "then":
            return {"to": None, "owe": []}  # what the state does is done; its guards are asked again
        if decision.event == "retry" and self.session.undecided == "say":
            return {"to": None, **self.spoken(self.state, self.facts())}
        if decision.event == "retry" and self.state.watch is None:
            gone = superseded.on_arrival(self.program.definition, self.session, self.session.state)
            return {"to": self.session.state, "owe": [], **_gone(gone)}
        if decision.event == "check" and decision.to is None and self.state.no_news:
            return {"to": None, **self.answered(self.told(self.state.no_news))}
        data = {**self.session.data, **decision.set}
        known = self.state.acknowledge.get(decision.event)
        told = self.told(known, self.facts(data)) if known else {"owe": []}
        left = self._left(decision)
        owe = [*([SAME_AGAIN] if decision.event == AGAIN else []), *([of_part(left)] if left else []), *told["owe"]]
        arrived = self.arrival(decision.to, owe=owe, data=data, fulfilled=decision.wish)
        return {**told, **arrived, **({"part": True} if left else {})}

    def _left(self, decision: Accepted) -> Wish | None:
        """The wish of which an event takes only a part, where nothing keeps the rest: the user is told."""
        definition, wish = self.program.definition, decision.wish
        event = definition.events.get(decision.event)
        if wish is None or event is None:
            return None
        return wish if wishes.leaves_rest(definition, self.session, wish, event, decision.set) else None

    def message(self, facts: Facts | None = None) -> str | None:
        """The message of the state where the run stands, as the guards choose it; none where it works."""
        say = self.state.say
        return say.pick(self.ask(say, facts or self.facts())[0]) if say else None

    def spoken(self, state: State, facts: Facts) -> dict[str, Any]:
        """What an entry owes for being in ``state``: its message and its aside, or what cannot be decided."""
        try:
            return {"owe": list(self._messages(state, facts))}
        except Undecidable as fault:
            return self._undecided("say", fault, state)

    def told(self, choice: Choice, facts: Facts | None = None) -> dict[str, Any]:
        """What an entry owes for an answer by itself; nothing stops where no guard can tell which message."""
        try:
            message = choice.pick(self.ask(choice, facts or self.facts())[0])
        except Undecidable as fault:
            return {"owe": [UNSAID], "unsaid": fault.message}
        return {"owe": [message] if message else []}

    def asked_again(self) -> dict[str, Any]:
        """What an entry owes where the open question is put once more; nothing where there is none."""
        if self.session.trouble or not self.program.definition.asks(self.state):
            return {"owe": []}
        return self.rested()

    def rested(self) -> dict[str, Any]:
        """What an entry owes where the message of the state is said once more, without its aside."""
        try:
            message = self.message()
        except Undecidable as fault:
            return self._undecided("say", fault, self.state)
        return {"owe": [message] if message else []}

    def stop(self, choice: str, fault: Undecidable) -> None:
        """Stay where it is: the guards of this choice cannot tell, and no ``else`` stands for what they would say."""
        body = {"why": choice, "from": self.session.state, "verdicts": dict(fault.verdicts), "to": None}
        self.note("move", body | self._undecided(choice, fault, self.state))

    def report(self, kind: str, trace: str, *, begun: bool = True) -> None:
        """Hand a traceback of a guard or an action to whoever keeps it for the bundle's author.

        A run that only reads reports nothing: the turn that met the fault has done so. Whatever is wrong with the
        report, the turn goes on: a call that was made must still be recorded.
        """
        if self.held is None:
            return
        now = self.session
        with suppress(Exception):
            told = self.without_secrets(trace)
            self.world.report(Fault(now.name if begun else "", now.seq, now.state, self.time(), kind, told))

    def without_secrets(self, text: str) -> str:
        """A traceback, which quotes the data that it is about: without the key and the session's ids."""
        return redact(str(blotted(text, self.ids())), self.known_key())

    def ids(self) -> tuple[str, ...]:
        """Every id and token of the session, the name of its paid call among them."""
        known = leaks.values_of(self.session.data, self.program.definition.of_type("internal"))
        intent = self.intent()
        return (*known, *([intent] if intent else []))

    def known_key(self) -> str:
        """The service's key, to keep it out of texts; empty where there is none."""
        try:
            return self.connection().key()
        except CredentialsError:
            return ""

    def _messages(self, state: State, facts: Facts) -> Iterable[str]:
        """The state's own message, and the aside if this is the first time for this user."""
        assert state.say is not None
        message = state.say.pick(self.ask(state.say, facts)[0])
        if message:
            yield message
        if state.aside:
            occasion = f"{self.session.workflow}:{state.name}"
            aside = state.aside.pick(self.ask(state.aside, facts)[0])
            first = self.world.store.first_time(self.session.profile, occasion)
            if first and aside:
                yield aside

    def _undecided(self, choice: str, fault: Undecidable, state: State) -> dict[str, Any]:
        """What an entry says of a choice that cannot be made; where the run ends, it ends without its message."""
        if state.end:
            return {"owe": [UNSAID], "unsaid": fault.message}
        message = self.program.definition.told_of("internal")
        return {"owe": [message] if message else [], "undecided": {"choice": choice, "because": fault.message}}

    def _add(self, entry: Entry) -> None:
        self._session = fold(self._session, entry)
        self._noted.append(entry)


def _gone(ids: list[str]) -> dict[str, list[str]]:
    """The key of an entry for messages that are out of date, where there are any."""
    return {"gone": ids} if ids else {}


def _standing(session: Session) -> tuple[Any, ...]:
    """What a call was made for: as long as it is the same, the call's result fits, whatever was said meanwhile."""
    return (
        session.state,
        session.revision,
        dict(session.data),
        session.since,
        session.intent,
        session.doubt,
        session.trouble,
    )


def call_part(session: Session) -> str:
    """What a turn holds while it makes the calls of this revision that may be repeated."""
    return f"{CALL}-{session.revision}"


def _written(value: Any) -> Any:
    """A user's value as JSON can hold it; what else TOML knows (dates, nan) as text."""
    try:
        canonical(value)
    except (TypeError, ValueError):
        return str(value)
    return value


def program_of(bundle: Bundle) -> Program:
    """The compiled program of a bundle, once per process and content."""
    return _program(_Key(bundle))


class _Key:
    """A bundle by its digest, so that the cache compares content."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    def __hash__(self) -> int:
        return hash((self.bundle.digest, id(self.bundle.registry)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.bundle.registry is self.bundle.registry


@lru_cache(maxsize=16)
def _program(key: _Key) -> Program:
    return compile_program(key.bundle.definition, key.bundle.registry)
