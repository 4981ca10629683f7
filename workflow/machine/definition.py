"""What a bundle says: the typed content of ``workflow.yaml``, read from a document that was validated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, Literal

from workflow.machine.declared_guard import TESTS, DeclaredGuard
from workflow.machine.denials import Words, normalized
from workflow.machine.wording import Phase, Wording, worded, wording_of
from workflow.model.brakes import Limit
from workflow.model.duration import seconds
from workflow.model.frozen import Noun, replace

Effect = Literal["read", "repeatable", "once"]
HARMLESS = ("read", "repeatable")
"""Effects of calls that may be made again; any other is taken for ``once``."""
PUBLIC = ("text", "verbatim", "texts", "url", "number", "flag", "files")
PRIVATE = ("internal", "hidden")
NOTE, AGAIN = "note", "again"
OURS: Mapping[str, str] = {
    "retry": "The cause of a failed call is fixed: it is made again.",
    NOTE: "The user wants what is not possible yet, or said it before they were asked: it is kept and asked about.",
    AGAIN: "The user wants what failed once more, unchanged: they are asked again.",
}
"""Events that every definition has, each with when to send it; `again` only where a state says where it leads."""
ABOUT = "about"
"""What every message may show beside the data: the first words that its session began with."""
TITLE = "title"
"""The key of a phase under which its title stands."""
USER = "user"
"""Whom the agent talks to, in a `say` by role."""

Names = tuple[str, ...]


class Choice(Noun):
    """A table ``{name: target, else: target}``, read from the left."""

    cases: tuple[tuple[str, str], ...]
    otherwise: str | None = None

    @property
    def names(self) -> Names:
        """What is asked, in order: guards, or error classes."""
        return tuple(name for name, _ in self.cases)

    @property
    def targets(self) -> Names:
        """Everything it may lead to, in order."""
        last = () if self.otherwise is None else (self.otherwise,)
        return tuple(target for _, target in self.cases) + last

    def pick(self, holds: Mapping[str, bool]) -> str | None:
        """The first target whose name holds, else the last resort."""
        for name, target in self.cases:
            if holds.get(name):
                return target
        return self.otherwise


class Watch(Noun):
    """Waiting for the service: look with ``do`` each ``every`` seconds, at most ``within`` seconds."""

    do: str
    every: float
    within: float
    then: Choice
    no_news: Choice
    late: str
    brief: str

    @property
    def time_limit(self) -> int:
        """Seconds to ask of the host for a process that watches: a quarter more than the wait."""
        return round(self.within * 1.25)


class Reminder(Noun):
    """What is said while nobody answers: every ``every`` seconds, ``at_most`` times; None = as often as it is due."""

    every: float
    say: Choice
    at_most: int | None = None


Stage = tuple[float, str]
"""Seconds, and the state where a run is led when they have passed."""


class State(Noun):
    """A state works (``do``, ``then``), waits (``say``, ``on``, ``watch``) or ends (``end``).

    ``say`` is the user's message, ``tells`` those of the roles that answer for themselves.
    """

    name: str
    do: str | None = None
    then: Choice | None = None
    failed: Choice | None = None
    doubt: str | None = None
    say: Choice | None = None
    tells: Mapping[str, Choice] = {}
    on: Mapping[str, str] = {}
    acknowledge: Mapping[str, Choice] = {}
    no_news: Choice | None = None
    aside: Choice | None = None
    watch: Watch | None = None
    end: str | None = None
    covers: Names = ()
    after: tuple[Stage, ...] = ()
    remind: Reminder | None = None

    @property
    def phase(self) -> str:
        """The part of the name before the dot."""
        return self.name.partition(".")[0]

    @property
    def works(self) -> bool:
        """Whether the run goes on by itself from here."""
        return self.say is None

    @property
    def answers(self) -> Choice | None:
        """What is said on `check` when there is nothing new; None where `check` only moves, or means nothing."""
        return self.watch.no_news if self.watch else self.no_news

    @property
    def says(self) -> tuple[Choice, ...]:
        """The choices of all messages that are said in this state, or on the way from it."""
        reminder = self.remind.say if self.remind else None
        found = (self.say, *self.tells.values(), self.aside, self.answers, reminder, *self.acknowledge.values())
        return tuple(choice for choice in found if choice)

    @property
    def action(self) -> str | None:
        """The action that is performed here, watching included."""
        return self.watch.do if self.watch else self.do


VALID = 7 * 86400.0
"""Seconds in which a question can be answered, and in which its answer counts, where a gate says nothing else."""


class Gate(Noun):
    """A question only the person can answer; ``each`` names the files datum that is asked item by item.

    ``declined`` is the datum that gets the items which an answer leaves out.

    ``valid`` is its term in seconds: from when the question was handed over, and again from the answer. An answer
    counts for as many performances as it ``lasts``.

    ``by`` is the role whose answer it takes, ``other_than`` the gates whose answerers cannot answer it, ``least`` how
    many different people must, and ``decline`` the event that a person's no sends.
    """

    name: str
    subject: Names = ()
    each: str | None = None
    until: str | None = None
    strength: str = "relayed"
    valid: float = VALID
    covers: Names = ()
    declined: str | None = None
    lasts: int = 1
    by: str | None = None
    other_than: Names = ()
    least: int = 1
    decline: str | None = None

    def as_json(self) -> dict[str, Any]:
        """What evidence covers of the gate itself: a key that says what it would say by itself is left out."""
        known = {"name": self.name, "subject": list(self.subject), "each": self.each, "until": self.until}
        told: dict[str, tuple[Any, Any]] = {
            "valid": (self.valid, VALID),
            "lasts": (self.lasts, 1),
            "by": (self.by, None),
            "other_than": (list(self.other_than), []),
            "least": (self.least, 1),
            "decline": (self.decline, None),
        }
        return known | {name: value for name, (value, default) in told.items() if value != default}


class After(Noun):
    """What must have happened: a state or an action; none of ``since`` may have happened after it."""

    name: str
    since: Names = ()


class Event(Noun):
    """What a caller may send, and ``when`` to send it."""

    name: str
    input: Names = ()
    optional: Names = ()
    guard: str | None = None
    gate: str | None = None
    say: str | None = None
    covers: Names = ()
    when: Wording = {}

    @property
    def given(self) -> Names:
        """All data that may come with it."""
        return self.input + self.optional


class HttpAction(Noun):
    """An action that is declared: a request, and what its answer means; ``timeout`` in seconds."""

    name: str
    method: str
    path: str
    effect: Effect
    query: Mapping[str, Any] = {}
    headers: Mapping[str, Any] = {}
    body: Mapping[str, Any] | None = None
    sets: Mapping[str, str] = {}
    fails: Mapping[str, tuple[Any, ...]] = {}
    timeout: float = 30.0
    idempotency: str | None = None


class Service(Noun):
    """The one service of a bundle; ``key_env`` and ``key_file`` say where its key is read from, ``key_command`` how a
    person sets it.

    Its offline twin is a module, ``sandbox``, or else the ``answers`` by call.
    """

    base_url: str
    key_env: str | None
    key_file: str | None
    key_command: str | None
    key_header: str
    key_scheme: str
    sandbox: str
    sandbox_key: str
    answers: Mapping[str, Any] = {}

    @property
    def keyless(self) -> bool:
        """Whether the service takes no key: the bundle names no place where one could be."""
        return self.key_env is None and self.key_file is None


class Definition(Noun):
    """One machine: everything ``workflow.yaml`` says, with names resolved to values but not to code."""

    format: int
    workflow: str
    title: str
    languages: Names
    settings: Mapping[str, Any]
    service: Service
    data: Mapping[str, str]
    never_say: Names
    avoid: Names
    denials: Mapping[str, Words]
    gates: Mapping[str, Gate]
    actions: Mapping[str, HttpAction]
    guards: Mapping[str, DeclaredGuard]
    never_without: Mapping[str, tuple[Names, ...]]
    only_after: Mapping[str, tuple[After, ...]]
    never_after: Mapping[str, Names]
    events: Mapping[str, Event]
    trouble: Choice
    start: str
    on: Mapping[str, str]
    states: Mapping[str, State]
    phases: Mapping[str, Phase]
    description: str = ""
    triggers: Names = ()
    covers: Mapping[str, Names] = {}
    roles: Mapping[str, Wording] = {}
    limits: Mapping[str, Limit] = {}
    deadline: Stage | None = None

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Definition:
        """Built from a document that the grammar has accepted."""
        return cls(
            format=document["format"],
            workflow=document["workflow"],
            title=document.get("title", document["workflow"]),
            languages=tuple(document["languages"]),
            settings=dict(document.get("settings") or {}),
            service=_service(document["service"]),
            data=dict(document.get("data") or {}),
            never_say=tuple(document.get("never_say") or ()),
            avoid=tuple(document.get("avoid") or ()),
            denials={name: _denials(table) for name, table in (document.get("denials") or {}).items()},
            gates={name: _gate(name, body or {}) for name, body in (document.get("gates") or {}).items()},
            actions={name: _action(name, body) for name, body in (document.get("actions") or {}).items()},
            guards={name: _guard(name, body) for name, body in (document.get("guards") or {}).items()},
            never_without={name: _alternatives(some) for name, some in (document.get("never_without") or {}).items()},
            only_after={name: _after(some) for name, some in (document.get("only_after") or {}).items()},
            never_after=_lists(document.get("never_after")),
            events={name: _event(name, body or {}) for name, body in document["events"].items()} | _again(document),
            trouble=_choice(document["trouble"]),
            start=document["start"],
            on=dict(document.get("on") or {}),
            states={state.name: state for state in _states(document["phases"])},
            phases={phase.name: phase for phase in _phases(document["phases"])},
            description=document.get("description", ""),
            triggers=tuple(document.get("triggers") or ()),
            covers={name: tuple(rules) for name, rules in (document.get("covers") or {}).items()},
            roles={name: wording_of(wording) for name, wording in (document.get("roles") or {}).items()},
            limits={name: _limit(body) for name, body in (document.get("limits") or {}).items()},
            deadline=next(_stages(document.get("deadline")), None),
        )

    def phase(self, state: str, language: str) -> str:
        """The phase of a state, as it is shown in this language."""
        return self.phases[state.partition(".")[0]].shown(language)

    @cached_property
    def shown_types(self) -> Mapping[str, str]:
        """The types of what messages may show: the data, and what the engine knows of every session."""
        return {ABOUT: "text", **self.data}

    def words_of(self, event: str) -> Names:
        """The texts of the user that come with an event, those that must come first."""
        return tuple(name for name in self.events[event].given if self.data[name] == "text")

    def options(self, mine: Mapping[str, Any]) -> Mapping[str, Any]:
        """The settings of the bundle, with the values that the user's configuration gives them."""
        return {**self.settings, **{name: value for name, value in mine.items() if name in self.settings}}

    def switched_off(self, options: Mapping[str, Any]) -> frozenset[str]:
        """The events that these options switch off: none of them is possible anywhere."""
        off = [
            event.name
            for event in self.events.values()
            if (guard := self.guards.get(event.guard or "")) and guard.of_setting and event.name != "start"
            if not guard.passes(options.get(guard.looks_at))
        ]
        return frozenset(off)

    def without(self, events: frozenset[str]) -> Definition:
        """The same for its readers, without these events and what they would move."""
        if not events:
            return self
        states = {
            name: replace(state, on={event: to for event, to in state.on.items() if event not in events})
            for name, state in self.states.items()
        }
        return replace(
            self,
            events={name: event for name, event in self.events.items() if name not in events},
            on={event: to for event, to in self.on.items() if event not in events},
            states=states,
        )

    def configured(self, mine: Mapping[str, Any]) -> Definition:
        """The same without the events that the user's configuration switches off."""
        return self.without(self.switched_off(self.options(mine)))

    def of_type(self, *types: str) -> Names:
        """The names of all data of these types, in the order of the file."""
        found = self._of_type.get(types)
        if found is None:
            found = self._of_type[types] = tuple(name for name, kind in self.data.items() if kind in types)
        return found

    @cached_property
    def unspeakable(self) -> Names:
        """What no message may hold of our own words: what the bundle names, and the names of internal data."""
        return (*self.never_say, *(name for name in self.of_type("internal") if "_" in name))

    def moves(self, state: State) -> Mapping[str, str]:
        """Event → state, for everything that moves a run that waits in ``state``.

        In a working state a run waits after a failed call; only what holds everywhere moves it then. In an end it does
        not hold: a run that is over takes what its end names, and nothing else.
        """
        return state.on if state.end else {**self.on, **state.on}

    def offers(self, state: State) -> tuple[Event, ...]:
        """The events that a caller may send while a run waits in ``state``, in the order of the file."""
        found = self._offers.get(state.name)
        if found is None:
            found = self._offers[state.name] = tuple(self._offered(state))
        return found

    def asks(self, state: State) -> Names:
        """The gates that are offered in ``state``."""
        found = self._asks.get(state.name)
        if found is None:
            gates = dict.fromkeys(event.gate for event in self.offers(state) if event.gate)
            found = self._asks[state.name] = tuple(gates)
        return found

    def declining(self, state: State, event: str) -> tuple[Gate, ...]:
        """The gates asked in ``state`` to which this event is a person's no."""
        asked = (self.gates[name] for name in self.asks(state) if name in self.gates)  # lint asks before it knows
        return tuple(gate for gate in asked if gate.decline == event)

    @cached_property
    def classes(self) -> Names:
        """The classes of failed calls that `trouble` has words for; its other names are those of actions."""
        performed = {state.action for state in self.states.values()}
        return tuple(name for name in self.trouble.names if name not in performed)

    def told_of(self, kind: str, action: str | None = None) -> str | None:
        """The message for a call that failed with this class: that of the class, else that of the action."""
        return self.trouble.pick({kind: True} if action is None else {kind: True, action: True})

    def role(self, name: str, language: str) -> str:
        """A role as people are told of it."""
        return worded(self.roles[name], language)

    def alternatives(self, action: str) -> tuple[Names, ...]:
        """The gates that ``action`` needs: all of one of these."""
        return self.never_without.get(action, ())

    def needs(self, action: str) -> Names:
        """Every gate that ``action`` may need, in the order of the file."""
        return tuple(dict.fromkeys(gate for gates in self.alternatives(action) for gate in gates))

    @cached_property
    def guarding(self) -> frozenset[str]:
        """The gates that some action must never be performed without."""
        return frozenset(name for action in self.never_without for name in self.needs(action))

    def item_gate(self, action: str) -> Gate | None:
        """The gate by which ``action`` is performed item by item, if there is one."""
        each = [self.gates[name] for name in self.needs(action) if self.gates[name].each]
        return each[0] if each else None

    def _offered(self, state: State) -> Iterator[Event]:
        if state.works:
            return
        moves = self.moves(state)
        for event in self.events.values():
            said = event.say and not state.end
            if event.name in moves or said or (event.name == "check" and state.answers):
                yield event

    @cached_property
    def _offers(self) -> dict[str, tuple[Event, ...]]:
        """What was found out by :meth:`offers`: every turn asks several times."""
        return {}

    @cached_property
    def _asks(self) -> dict[str, Names]:
        """What was found out by :meth:`asks`."""
        return {}

    @cached_property
    def _of_type(self) -> dict[Names, Names]:
        """What was found out by :meth:`of_type`."""
        return {}

    @cached_property
    def service_events(self) -> frozenset[str]:
        """What only the service can say: the outcomes that a watch waits for, and that it is late."""
        outcomes = {name for state in self.states.values() if state.watch for name in state.watch.then.names}
        return frozenset(outcomes | {"late"}) - set(self.events)


def successors(state: State) -> Iterator[tuple[str, str]]:
    """(how, target) for every way on that needs no caller; how is then, failed, doubt, look, late or after."""
    for how, choice in (("then", state.then), ("failed", state.failed)):
        if choice:
            yield from ((how, target) for target in choice.targets)
    if state.doubt:
        yield "doubt", state.doubt
    if state.watch:
        yield from (("look", target) for target in state.watch.then.targets)
        yield "late", state.watch.late
    yield from (("after", target) for _, target in state.after)


def either(alternatives: Iterable[Names]) -> str:
    """Alternatives in words: ``a or b``, ``a and b, or c``."""
    told = [" and ".join(names) for names in alternatives]
    return (", or " if any(" and " in each for each in told) else " or ").join(told)


def _limit(body: Mapping[str, Any]) -> Limit:
    return Limit(seconds(body["per"]), body["most"], tuple(body.get("of") or ()))


def _choice(value: str | Mapping[str, str]) -> Choice:
    if isinstance(value, str):
        return Choice((), value)
    cases = tuple((name, target) for name, target in value.items() if name != "else")
    return Choice(cases, value.get("else"))


def _lists(table: Mapping[str, list[str]] | None) -> Mapping[str, Names]:
    return {name: tuple(values) for name, values in (table or {}).items()}


def _alternatives(listed: list[str | Mapping[str, list[str]]]) -> tuple[Names, ...]:
    return tuple((each,) if isinstance(each, str) else tuple(each["all"]) for each in listed)


def _after(listed: list[str] | Mapping[str, Mapping[str, str | list[str]] | None]) -> tuple[After, ...]:
    """A list of names, or a table name → what voids it."""
    if isinstance(listed, list):
        return tuple(map(After, listed))
    return tuple(After(name, _names((body or {}).get("since", ()))) for name, body in listed.items())


def _names(value: str | Iterable[str]) -> Names:
    return (value,) if isinstance(value, str) else tuple(value)


def roles_told(say: Any) -> Names:
    """The roles that a `say` has messages for; none where all of it is the user's."""
    return tuple(name for name in say if name != USER) if isinstance(say, Mapping) and USER in say else ()


def told_to(say: Any, role: str) -> Any:
    """What a `say` tells this role, as the document writes it: a message, or a table."""
    if isinstance(say, Mapping) and USER in say:
        return say[role]
    return say


def _optional_choice(value: str | Mapping[str, str] | None) -> Choice | None:
    return None if value is None else _choice(value)


def _service(body: Mapping[str, Any]) -> Service:
    key, sandbox = body.get("key") or {}, body["sandbox"]
    return Service(
        base_url=body["base_url"],
        key_env=key.get("env"),
        key_file=key.get("file"),
        key_command=key.get("set_with"),
        key_header=key.get("header", "Authorization"),
        key_scheme=key.get("scheme", "Bearer"),
        sandbox=sandbox if isinstance(sandbox, str) else "",
        sandbox_key="".join(body.get("sandbox_key", "sandbox")),  # kept in pieces
        answers={} if isinstance(sandbox, str) else sandbox,
    )


def _action(name: str, body: Mapping[str, Any]) -> HttpAction:
    fails = {kind: signs if isinstance(signs, list) else [signs] for kind, signs in (body.get("fails") or {}).items()}
    return HttpAction(
        name,
        body["method"],
        body["path"],
        body["effect"],
        query=body.get("query") or {},
        headers=body.get("headers") or {},
        body=body.get("body"),
        sets=body.get("sets") or {},
        fails={kind: tuple(signs) for kind, signs in fails.items()},
        timeout=seconds(body.get("timeout", 30)),
        idempotency=body.get("idempotency"),
    )


def _guard(name: str, body: Mapping[str, Any]) -> DeclaredGuard:
    """The first test that is there; lint says that there is exactly one."""
    test = next((test for test in TESTS if body.get(test) is not None), "set")
    looks_at = body.get("setting") or body.get("datum") or ""
    return DeclaredGuard(
        name, looks_at, test, body.get(test, True), body.get("because", ""), body.get("setting") is not None
    )


def _denials(table: Mapping[str, Any]) -> Words:
    return Words(*(normalized(table.get(kind) or ()) for kind in ("refusing", "filling", "whole")))


def _gate(name: str, body: Mapping[str, Any]) -> Gate:
    return Gate(
        name,
        tuple(body.get("subject") or ()),
        body.get("each"),
        body.get("until"),
        body.get("strength", "relayed"),
        seconds(body.get("valid", VALID)),
        tuple(body.get("covers") or ()),
        body.get("declined"),
        body.get("lasts", 1),
        body.get("by"),
        tuple(body.get("other_than") or ()),
        body.get("least", 1),
        body.get("decline"),
    )


def _event(name: str, body: Mapping[str, Any]) -> Event:
    return Event(
        name,
        tuple(body.get("input") or ()),
        tuple(body.get("optional") or ()),
        body.get("if"),
        body.get("gate"),
        body.get("say"),
        tuple(body.get("covers") or ()),
        wording_of(body.get("when")),
    )


def _phases(phases: Mapping[str, Mapping[str, Any]]) -> Iterator[Phase]:
    """Each with its number, if it has a state that does more than end."""
    number = 0
    for name, table in phases.items():
        goes_on = any(not body.get("end") for _, body in _bodies(table))
        number += goes_on
        yield Phase(name, number if goes_on else None, wording_of(table.get(TITLE)))


def _bodies(table: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The states of a phase as the document writes them, without its title."""
    return ((name, body) for name, body in table.items() if name != TITLE)


def _again(document: Mapping[str, Any]) -> dict[str, Event]:
    """The event that every bundle has where a state leads on by it."""
    led = any(AGAIN in (body.get("on") or {}) for phase in document["phases"].values() for _, body in _bodies(phase))
    return {AGAIN: Event(AGAIN, when=wording_of(OURS[AGAIN]))} if led else {}


def _states(phases: Mapping[str, Mapping[str, Any]]) -> Iterator[State]:
    for phase, table in phases.items():
        for name, body in _bodies(table):
            yield State(
                name=f"{phase}.{name}",
                do=body.get("do"),
                then=_optional_choice(body.get("then")),
                failed=_optional_choice(body.get("failed")),
                doubt=body.get("doubt"),
                say=_optional_choice(told_to(body.get("say"), USER)),
                tells={role: _choice(told_to(body["say"], role)) for role in roles_told(body.get("say"))},
                on=dict(body.get("on") or {}),
                acknowledge={event: _choice(said) for event, said in (body.get("acknowledge") or {}).items()},
                no_news=_optional_choice(body.get("no_news")),
                aside=_optional_choice(body.get("aside")),
                watch=_watch(body["watch"]) if body.get("watch") else None,
                end=body.get("end"),
                covers=tuple(body.get("covers") or ()),
                after=tuple(_stages(body.get("after"))),
                remind=_reminder(body["remind"]) if body.get("remind") else None,
            )


def _stages(table: Mapping[str, str] | None) -> Iterator[Stage]:
    """In the order of the file, which lint compares with that of their times."""
    return ((seconds(time), target) for time, target in (table or {}).items())


def _reminder(body: Mapping[str, Any]) -> Reminder:
    return Reminder(seconds(body["every"]), _choice(body["say"]), body.get("at_most"))


def _watch(body: Mapping[str, Any]) -> Watch:
    return Watch(
        do=body["do"],
        every=seconds(body["every"]),
        within=seconds(body["within"]),
        then=_choice(body["then"]),
        no_news=_choice(body["no_news"]),
        late=body["late"],
        brief=body["brief"],
    )
