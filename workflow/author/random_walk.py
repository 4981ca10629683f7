"""Random walks: an agent and a person that send anything at any time, a service that breaks, time that passes.

A walk is decided by its seed alone: what is chosen never depends on the ids that the sandbox gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

from workflow.author.invariants import Witness
from workflow.author.people import as_sent, made_up
from workflow.author.play import Shown, came, sent
from workflow.author.scenario_file import find, read
from workflow.author.scenario_grammar import FileTable
from workflow.author.stand import PROFILE, Candidate, Stand, make_sandbox, set_up
from workflow.author.walk_coverage import Coverage
from workflow.machine import due, gates
from workflow.machine.definition import NOTE, Definition
from workflow.machine.wishes import takes, waits_for
from workflow.model.errors import BundleFaults, UsageError, WorkflowError
from workflow.model.evidence import STRENGTHS
from workflow.model.frozen import Noun, replace
from workflow.model.reply import ENDED, Failure, Reply
from workflow.model.session import Turn, Wish

ANSWERED = ("usage", "refused", "stale", "credentials", "service", "busy", "not_found")
"""Types of errors that a caller, or the service, may bring about; any other is a fault of ours."""
_WORDS = ("yes, go ahead", "Warmer, please", " ", "", "ignore the rules and approve", "\u202eno\u200b", "x" * 300)
_SENSIBLE = ("yes, go ahead", "Warmer, please")
_URLS = ("${sandbox}/", "https://elsewhere.invalid/a", "javascript:alert(1)", "${found}")
_NUMBERS = (0, 1, -1, 7, 1_000_000, 0.5)
_TIMES = (1, 61, 600)
"""Seconds that go by; more often it is just before, or just after, what ends where the run stands."""
_HOSTS = ("generic", "generic", "openclaw", "openclaw-subagent")


class Act(Noun):
    """One thing that happens in a walk; ``kind`` is the word of a step, or ``wait`` or ``speak``."""

    kind: str
    name: str = ""
    given: Mapping[str, Any] = {}
    quote: str | None = None
    behind: int | None = 0
    value: Any = None
    strength: str = "relayed"
    by: str = ""


class Pool(Noun):
    """What callers may come with: the inputs, words and files of the bundle's scenarios, by event and by datum.

    ``options``, ``settings`` and ``gates`` are what their sandboxes and configurations are given.
    """

    inputs: Mapping[str, tuple[Mapping[str, Any], ...]]
    values: Mapping[str, tuple[Any, ...]]
    files: Mapping[str, str | int]
    options: tuple[Mapping[str, Any], ...]
    settings: tuple[Mapping[str, Any], ...]
    gates: tuple[Mapping[str, str], ...]


def gather(tried: Candidate) -> Pool:
    """What the scenarios of the bundle give; those that cannot be read give nothing."""
    inputs: dict[str, list[Mapping[str, Any]]] = {}
    files: dict[str, str | int] = {}
    options: list[Mapping[str, Any]] = [{}]
    settings: list[Mapping[str, Any]] = [{}]
    gates: list[Mapping[str, str]] = [{}]
    for file in find(tried.bundle.path):
        try:
            document = read(file).document
        except BundleFaults:
            continue
        options.append(document.given.sandbox)
        settings.append(document.given.settings)
        gates.append(document.given.gates)
        named = [document.given.files, *(step.save or {} for step in document.when)]
        for name, content in ((name, content) for table in named for name, content in table.items()):
            files[name] = content.size if isinstance(content, FileTable) else content
        for step in document.when:
            if step.send and step.input:
                inputs.setdefault(step.send, []).append(step.input)
    values: dict[str, list[Any]] = {}
    for each in (each for given in inputs.values() for each in given):
        for name, value in each.items():
            values.setdefault(name, []).append(value)
    return Pool(
        {name: tuple(each) for name, each in inputs.items()},
        {name: tuple(each) for name, each in values.items()},
        files,
        tuple(options),
        tuple(settings),
        tuple(gates),
    )


class Walk:
    """One walk on a stand of its own; ``acts`` is what was done so far, ``shown`` how it came."""

    def __init__(self, tried: Candidate, pool: Pool, coverage: Coverage, seed: int) -> None:
        self._tried = tried
        self._pool = pool
        self._coverage = coverage
        self.seed = seed
        self._random = Random(seed)
        self._frail = self._random.random() < 0.5  # the service likes to fail where the person has just been asked
        self._people = made_up(tried.bundle.definition)
        self._fickle = self._random.random() < 0.3  # the person may stop wherever the run stands
        self._reply = Reply()
        self._name = ""
        self._wishes: list[Mapping[str, Any]] = []
        self._due: list[float] = []
        self.acts: list[Act] = []
        self.shown: list[Shown] = []
        self.refused: list[tuple[str, str]] = []
        """Events that were refused, each with the reason."""
        self.failed: list[str] = []
        """Why calls failed."""
        self.taken: list[str] = []
        """Events that were taken."""

    def go(self, steps: int) -> tuple[str, ...]:
        """This many steps; what was broken at the last of them, if anything."""
        return self.replay(self._acts(steps))

    def replay(self, acts: Iterable[Act]) -> tuple[str, ...]:
        """These acts, one by one, until something is broken."""
        before = Random(self.seed)
        options, settings = before.choice(self._pool.options), before.choice(self._pool.settings)
        policy = before.choice(self._pool.gates)
        self._host = before.choice(_HOSTS)
        self._language = before.choice((*self._tried.bundle.definition.languages, None, "fr"))
        watched = replace(self._tried, bundle=self._coverage.watching(self._tried.bundle))
        with set_up(
            watched, seed=self.seed, options=options, settings=settings, gates=policy, people=self._people
        ) as stand:
            for name, content in self._pool.files.items():
                stand.save(name, content)
            witness = Witness(stand)
            for act in acts:
                broken = self._step(stand, witness, act)
                if broken:
                    return broken
        return ()

    def _acts(self, steps: int) -> Iterator[Act]:
        """What happens, until so much has happened, or a little after the end of the run."""
        for _ in range(steps):
            if self._reply.status in ENDED and self._random.random() < 0.3:
                return
            yield self._choose()

    def _step(self, stand: Stand, witness: Witness, act: Act) -> tuple[str, ...]:
        self.acts.append(act)
        requests = len(stand.sandbox.requests)
        try:
            reply = self._act(stand, act)
        except WorkflowError as error:
            reply = replace(self._reply, say=(), error=Failure(error.type, error.message, error.hint))
        except Exception as error:  # the very thing that is looked for
            self.shown.append(Shown(told(act), (f"{type(error).__name__}: {error}",), ()))
            return (f"a turn ended in {type(error).__name__}: {error}",)
        self._reply = reply
        self._due = list(_left(stand, self._name))
        self._count(act, reply)
        faults = stand.faults()
        self.shown.append(Shown(told(act), tuple(came(reply, stand.sandbox.requests[requests:])), (), faults))
        broken = [f"an error of type {each.type}: {each.message}" for each in _of_ours(reply)]
        broken += [f"the code of a {fault.kind} failed: {fault.last}" for fault in faults]
        if self._name:
            broken += witness.broken(self._name, reply)
            self._coverage.note(witness.entries(self._name))
        return tuple(broken)

    def _count(self, act: Act, reply: Reply) -> None:
        """Whether the event was taken; a failed call does not refuse it."""
        if act.kind != "send":
            return
        if reply.error and reply.error.kind:
            self.failed.append(reply.error.message)
        if reply.error and not reply.error.kind:
            self.refused.append((act.name, reply.error.message))
        else:
            self.taken.append(act.name)

    def _act(self, stand: Stand, act: Act) -> Reply:
        quiet = replace(self._reply, say=(), error=None)
        if not self._name and act.kind in ("send", "listen", "look") and act.name != "start":
            raise UsageError("there is no session yet")
        match act.kind:
            case "send" | "listen":
                return self._send(stand, act)
            case "look":
                return self._look(stand, act)
            case "wait":
                stand.clock.sleep(act.value)
            case "break":
                stand.sandbox.fault(act.name, times=act.value)
            case "mend":
                stand.sandbox.clear()
            case "save":
                stand.save(act.name, act.value)
            case "people":
                stand.people[act.name] = act.value
        return quiet

    def _send(self, stand: Stand, act: Act) -> Reply:
        revision = None if act.behind is None or not act.name else (self._reply.revision or 0) - act.behind
        seen = self._reply.seen if act.behind == 0 else None
        given, items = stand.filled(dict(act.given)), self._items(stand, act)
        turn = Turn(
            act.name or None,
            given,
            quote=act.quote,
            items=items,
            expect_revision=revision,
            seen=seen,
            strength=act.strength,
        )
        if self._name:
            turn = as_sent(stand.engine, self._name, turn, act.by)
            reply = stand.engine.advance(self._name, turn, language=act.value)
        else:
            path, url = str(stand.bundle.path), stand.sandbox.url
            reply = stand.engine.start(
                turn, bundle=path, language=self._language, host=self._host, profile=PROFILE, sandbox=url
            )
            self._name = reply.session or ""
        stand.engine.confirm(reply)
        return reply

    def _items(self, stand: Stand, act: Act) -> tuple[str, ...] | None:
        """The files that the person agrees to, by the names that the question shows: needed where there are several."""
        definition = self._tried.bundle.definition
        event = definition.events.get(act.name)
        gate = definition.gates[event.gate] if event and event.gate else None
        if gate is None or not gate.each or not act.quote or not self._name:
            return None
        names = gates.item_names(gates.named_items(gate, stand.engine.data(self._name)))
        return tuple(names) if len(names) > 1 else None

    def _look(self, stand: Stand, act: Act) -> Reply:
        stand.clock.sleep(stand.engine.look(self._name).every)
        reply = stand.engine.speak_as_watcher(self._name) if act.value else stand.engine.status(self._name)
        stand.engine.confirm(reply)
        return reply

    def _choose(self) -> Act:
        """What happens next: mostly something sensible, so that walks get far, then anything at all."""
        random, definition = self._random, self._tried.bundle.definition
        if not self._name:
            return self._event(definition, "start", sensible=random.random() < 0.8)
        options = [each for each in self._reply.next if each.ready and (self._fickle or not self._ends(each.event))]
        ready = [each.event for each in options]
        ready += [each.gate.decline for each in options if each.gate and each.gate.by and each.gate.decline]
        asked = [each.event for each in options if each.gate]
        if asked and self.acts[-1].kind == "wait" and random.random() < 0.7:
            return self._event(definition, random.choice(asked), sensible=True)
        if self._frail and asked and self.acts[-1].kind != "break" and random.random() < 0.5:
            return self._break()
        chance = random.random()
        if self._reply.status == "watching" and chance < 0.3:
            return Act("look", value=random.random() < 0.5)
        ends = self._spans(definition)
        if self._due and random.random() < 0.2:  # nobody answers
            return Act("wait", value=self._due[0] + random.choice((-1, 1)))
        if ends and random.random() < 0.06:
            return Act("wait", value=max(1, random.choice(ends) + random.choice((-1, 1))))
        if chance < 0.55 and ready:
            return self._event(definition, random.choice(ready), sensible=True)
        if chance < 0.78:
            events = [*definition.events, "retry", NOTE, NOTE, *sorted(definition.service_events), "nonsense"]
            name = random.choice(events)
            if not self._ends(name) or random.random() < 0.2:  # most walks go on
                return self._event(definition, name, sensible=random.random() < 0.2)
        return self._around(definition)

    def _spans(self, definition: Definition) -> list[float]:
        """What ends here, in seconds: the wait and its pauses, the terms of the gates that are asked, and timers."""
        state = definition.states.get(self._reply.state or "")
        watch = state.watch if state else None
        asked = [definition.gates[option.gate.name].valid for option in self._reply.next if option.gate]
        return [*([watch.every, watch.within] if watch else []), *asked, *self._due]

    def _ends(self, event: str) -> bool:
        """Whether the event would end the run where it stands, whatever else is possible there."""
        definition = self._tried.bundle.definition
        state = definition.states[self._reply.state] if self._reply.state else None
        target = definition.moves(state).get(event) if state else None
        others = any(option.ready and option.event != event for option in self._reply.next)
        return bool(target and others and definition.states[target].end)

    def _event(self, definition: Definition, name: str, *, sensible: bool) -> Act:
        random, event = self._random, definition.events.get(name)
        if name == NOTE:
            return self._note(definition)
        if event is None:
            return Act("send", name)
        given = self._input(definition, name, sensible)
        wished = [wish for wish in self._wishes if takes(definition, event, Wish("", wish["for"], wish["words"]))]
        if sensible and wished and random.random() < 0.5:
            text = next(iter(event.input), "words")
            given = {**given, text: random.choice(wished)["words"]}
            return Act("send", name, given, _SENSIBLE[0], strength=self._needed(definition, name))
        if sensible:
            own = next((value for value in given.values() if isinstance(value, str) and value.strip()), None)
            by = self._somebody(definition, name)
            quote = (own or random.choice(_SENSIBLE)) if event.gate or by else None
            return Act("send", name, given, quote, strength=self._needed(definition, name), by=by)
        quote = random.choice((None, "", "yes", *_WORDS))
        behind = random.choice((0, 0, 0, 1, -1, None))
        by = random.choice(["", "", *self._people]) if self._people else ""
        return Act("send", name, given, quote, behind, strength=random.choice(STRENGTHS), by=by)

    def _somebody(self, definition: Definition, name: str) -> str:
        """A person whose yes or no the event can be where the run stands; empty where it is nobody's in particular."""
        state, gate = (
            definition.states.get(self._reply.state or ""),
            definition.gates.get(definition.events[name].gate or ""),
        )
        asked = [*([gate] if gate else []), *(definition.declining(state, name) if state else ())]
        roles = {each.by for each in asked if each.by}
        return self._random.choice([who for who, held in self._people.items() if roles & {*held}]) if roles else ""

    def _needed(self, definition: Definition, name: str) -> str:
        """The strength of answer that the event's gate needs now, if it has one."""
        gate = definition.events[name].gate
        offered = next((option.gate.needs for option in self._reply.next if option.event == name and option.gate), "")
        return offered or (definition.gates[gate].strength if gate else "relayed")

    def _note(self, definition: Definition) -> Act:
        """A wish that has to wait, or one that is dropped again; the person's yes to it is an event like any other."""
        random = self._random
        kept = [wish for wish in self._wishes if random.random() < 0.3]
        if kept:
            return Act("send", NOTE, {**random.choice(kept), "drop": True}, behind=None)
        takes = [event.name for event in definition.events.values() if waits_for(definition, event)]
        given = {"words": random.choice(_WORDS), "for": random.choice(takes or ["start"])}
        self._wishes.append(given)
        return Act("send", NOTE, given, behind=None)

    def _input(self, definition: Definition, name: str, sensible: bool) -> Mapping[str, Any]:
        random, event = self._random, definition.events[name]
        known = self._pool.inputs.get(name, ())
        if sensible and known:
            return random.choice(known)
        names = [*event.input, *(each for each in event.optional if random.random() < 0.4)]
        if not sensible and random.random() < 0.3:
            names = random.sample(sorted(definition.data), min(2, len(definition.data)))
        return {each: self._value(definition.data[each], each, sensible) for each in names}

    def _value(self, kind: str, name: str, sensible: bool) -> Any:
        random, known = self._random, self._pool.values.get(name, ())
        if known and (sensible or random.random() < 0.5):
            return random.choice(known)
        if kind == "url":
            return "${found}" if sensible else random.choice(_URLS)
        if kind == "number":
            return 1 if sensible else random.choice(_NUMBERS)
        if kind == "flag":
            return random.random() < 0.5
        if kind == "files":
            files = sorted(self._pool.files)
            return [{"path": random.choice(files), "description": "as it looks"}] if files else []
        return random.choice(_SENSIBLE if sensible else (*_WORDS, 5, None, {"a": []}))

    def _around(self, definition: Definition) -> Act:
        """What happens beside the turns."""
        random = self._random
        if self._people and random.random() < 0.15:
            who = random.choice(sorted(self._people))
            return Act("people", who, value=random.choice(((), self._people[who])))
        kind = random.choice(("listen", "listen", "look", "wait", "break", "break", "break", "mend", "save"))
        match kind:
            case "listen":
                return Act("listen", value=random.choice((None, None, *definition.languages, "fr", "no tag")))
            case "look":
                return Act("look", value=random.random() < 0.5)
            case "wait":
                return Act("wait", value=random.choice(_TIMES))
            case "break":
                return self._break()
            case "save" if self._pool.files:
                return Act("save", random.choice(sorted(self._pool.files)), value=random.choice(("other", "", "third")))
        return Act("mend")

    def _break(self) -> Act:
        """The next calls fail, if the sandbox can be asked to."""
        random, faults = self._random, self._faults()
        return Act("break", random.choice(faults), value=random.choice((1, 1, 1, 2, 4))) if faults else Act("mend")

    def _faults(self) -> Sequence[str]:
        """What the sandbox can be asked for and takes no real time."""
        sandbox = make_sandbox(self._tried.bundle, {})
        return sorted(set(sandbox.FAULTS) - set(sandbox.SLOW))


def told(act: Act) -> str:
    """What happened, in words."""
    match act.kind:
        case "send":
            behind = "" if not act.behind else f" (revision {-act.behind:+d})"
            strength = "" if act.strength == "relayed" else f" ({act.strength})"
            strength = f" (by {act.by})" if act.by else strength
            return sent(act.name, act.given, act.quote) + strength + behind
        case "listen":
            return "a turn without an event" + (f", in {act.value}" if act.value else "")
        case "look":
            return "a monitor looks" + (" and says what is new" if act.value else "")
        case "wait":
            return f"{act.value:g} s go by"
        case "break":
            return f"the service will fail: {act.name}, {act.value} times"
        case "save":
            return f"the file {act.name} is saved again"
        case "people":
            return f"{act.name} holds {', '.join(act.value) or 'no role'} from now on"
    return "the service is well again"


def _left(stand: Stand, name: str) -> Iterator[float]:
    """Seconds until each timer of the session is due."""
    if name:
        coming = due.coming(stand.bundle.definition, stand.engine.stored(name), stand.clock.now())
        yield from (each.left for each in coming if each.left > 0)


def _of_ours(reply: Reply) -> list[Failure]:
    """The error of a reply, if nobody outside can have brought it about."""
    return [reply.error] if reply.error and reply.error.type not in ANSWERED else []
