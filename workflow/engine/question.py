"""A question that only a person can answer, as it stands, and what an answer would be bound to."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any
from urllib.parse import urlsplit

from workflow.engine import refusals, speak
from workflow.engine.intake import check_content
from workflow.engine.observe import observe
from workflow.engine.preview import preview
from workflow.engine.repeats import recorded
from workflow.engine.turns import Engine
from workflow.machine import gates, roles, terms, wishes
from workflow.machine.decide import Refused, decide
from workflow.machine.definition import Definition, Event, Gate
from workflow.machine.seen import with_wordings
from workflow.model.digest import canonical, digest
from workflow.model.errors import WorkflowError
from workflow.model.evidence import SIGNED, STRENGTHS, at_least
from workflow.model.frozen import Noun, replace
from workflow.model.instant import Instant
from workflow.model.reply import Option, Reply, Said
from workflow.model.session import Session, Turn
from workflow.model.signature import Assertion, NoPasskeys, Signature, challenge, holding

STRENGTH = "asked"
"""What an answer is worth that this program has asked for itself."""
ANYBODY = "?"
"""Who answers where only what would come of it is looked at; no approver can be called so."""


class Question(Noun):
    """What a session asks of a person: its reply as it stands, and what the answers would be bound to.

    ``at`` is when it was looked up to be shown, from which its term counts; ``strength`` is the most that an answer
    can be worth where it is asked. ``told`` is what the people of roles are told, by the gate that asks them.
    """

    reply: Reply
    session: Session
    definition: Definition
    at: Instant
    strength: str = STRENGTH
    told: Mapping[str, Said] = {}

    @property
    def options(self) -> tuple[Option, ...]:
        """The answers that a person may give, whether they can be given now or not."""
        return persons(self.reply)

    def gate(self, answered: Turn | Option) -> Gate:
        """The gate that a turn, or an option, answers; of a person's no, the one that it declines."""
        declines = answered.declines if isinstance(answered, Turn) else None
        return self.definition.gates[declines or self.definition.events[answered.event or ""].gate or ""]

    def needs(self, turn: Turn) -> str:
        """The least that the answer of a turn must be worth."""
        name = self.gate(turn).name
        return next(option.gate.needs for option in self.options if option.gate and option.gate.name == name)

    def why_not(self, option: Option) -> str:
        """Why this answer cannot be taken here now; empty if it can."""
        assert option.gate is not None
        if not at_least(self.strength, option.gate.needs):
            return f"takes only answers that are '{option.gate.needs}'"
        if not option.ready:
            return "has not been put to anybody yet"
        if "files" in option.input.values():
            return "takes files"
        gate = self.gate(option)
        shown = None if gates.of_own_words(self.definition, gate) else self.session.shown.get(gate.name)
        if shown is not None and shown not in {digest(said.text) for said in self.says(option)}:
            return "was put in other words than it would be now"
        return ""

    def says(self, option: Option) -> tuple[Said, ...]:
        """What whoever gives this answer is shown: their role's own text, or what the user was told."""
        told = self.told.get(option.gate.name) if option.gate else None
        return (told,) if told else self.reply.say

    @property
    def roles(self) -> dict[str, str]:
        """The roles whose answers are asked for, each in words."""
        gates_ = [self.gate(option) for option in self.options if option.gate]
        return {gate.by: self.definition.role(gate.by, self.session.language) for gate in gates_ if gate.by}

    def only(self, roles: Container[str]) -> Question:
        """The same without the answers that are for people of other roles than these."""
        kept = tuple(
            each
            for each in self.reply.next
            if each.gate is None or (self.gate(each).by is None or self.gate(each).by in roles)
        )
        return replace(self, reply=replace(self.reply, next=kept))

    def reason(self, event: Event) -> str | None:
        """The datum that gets the reason of a no, if its event takes one."""
        return next((name for name in event.given if self.definition.data[name] == "text"), None)

    def no(self, option: Option) -> Event | None:
        """The event that a no sends instead of this answer, if the gate names one."""
        return self.definition.events.get(self.gate(option).decline or "")

    def until(self, option: Option) -> str | None:
        """When the answer must be given by, if it is shown now; None where nothing is shown."""
        gate = self.gate(option)
        return None if gates.of_own_words(self.definition, gate) else terms.end(self.at, self.at, gate.valid)

    def opened(self, option: Option) -> int:
        """The sequence of the entry that asked the option's question."""
        return self.session.opened.get(self.gate(option).name, 0)

    def mark(self, option: Option) -> bytes:
        """What a code of this question is made from, before anything is typed: another question, and the same one
        asked again, has another. Neither refusals nor the answers of others change it.
        """
        about = gates.question(self.definition, self.gate(option), self.session)
        return canonical([self.session.name, self.opened(option), option.event, {}, about])

    def kept(self, option: Option) -> Mapping[str, str]:
        """The words that a yes would send where the answer is one to a kept wish, by their datum."""
        wish = wishes.asked(self.definition, self.session)
        event = self.definition.events[option.event]
        if wish is None or not wishes.takes(self.definition, event, wish) or not wishes.agreed(self.session, wish):
            return {}
        return {wishes.text_of(self.definition, event) or "": wish.words}

    def items(self, option: Option) -> list[Mapping[str, Any]]:
        """The files that the answer is about, by each of their names; none where the gate asks only once."""
        gate = self.gate(option)
        return list(gates.named_items(gate, self.session.data)) if gate.each else []


class LetCall(Noun):
    """A call that needs an answer before it leaves; ``once`` if it costs something."""

    name: str
    once: bool


class Effects(Noun):
    """What an answer lets happen: the calls that need it, the first request that would leave, and where to.

    ``content`` is what that request carries besides its headers: its query, its JSON, and the file that goes along.
    """

    calls: tuple[LetCall, ...]
    request: str
    host: str
    sandbox: bool
    content: Mapping[str, Any] = {}


class Put(Noun):
    """One answer that a person may give to a question: its option, and what would come with it.

    ``about`` is the digest of all that the answer would be bound to; ``mark`` is of that, of the agent's
    ``translation``, and of the entry that opened the question, so that the same question asked again has another, and
    neither refusals nor others' answers change it.
    """

    question: Question
    option: Option
    given: Mapping[str, Any]
    about: str
    mark: bytes
    translation: str | None = None


def persons(reply: Reply) -> tuple[Option, ...]:
    """What only a person can answer."""
    return tuple(option for option in reply.next if option.who == "person")


def question(engine: Engine, name: str) -> Question:
    """What a session asks now, in the words that are shown now; changes nothing. Raises :class:`SessionNotFound`."""
    reply, run = engine.status(name), engine.load(name)
    now = engine.world.clock.now()
    told = speak.told_to_roles(run)
    wordings = {**speak.wordings(run), **speak.digests(told)}
    return Question(reply, with_wordings(run.session, wordings), run.program.definition, now, told=told)


def effects(engine: Engine, asked: Question) -> dict[str, Effects]:
    """What each answer to a question lets happen, by its event; nothing is done, and nothing sent."""
    name = asked.session.name
    run = engine.load(name)
    host = urlsplit(asked.session.sandbox or asked.definition.service.base_url).netloc
    found = {}
    for option in asked.options:
        if option.gate is None or asked.why_not(option):
            continue
        gate = option.gate.name
        actions = [each for each in asked.definition.never_without if gate in asked.definition.needs(each)]
        calls = tuple(LetCall(each, run.program.registry.actions[each].effect == "once") for each in actions)
        sent = _first_request(engine, asked, option)
        request = f"{sent['method']} {urlsplit(sent['url']).path}" if sent else ""
        content = {name: sent[name] for name in ("query", "json", "file") if name in sent}
        found[option.event] = Effects(calls, request, host, bool(asked.session.sandbox), content)
    return found


def _first_request(engine: Engine, asked: Question, option: Option) -> Mapping[str, Any]:
    """The request that would leave first; empty where the answer needs words that nobody has typed yet."""
    if any(not kind.endswith("?") for kind in option.input.values()):
        return {}
    names = tuple(gates.item_names(asked.items(option))) or None
    strength = max(asked.strength, option.gate.needs if option.gate else STRENGTH, key=STRENGTHS.index)
    turn = Turn(option.event, quote="yes", items=names, strength=strength, asked_at=asked.at)
    if asked.gate(option).by or strength == SIGNED:
        turn = replace(turn, approver=ANYBODY)
        engine = _with_anybody(engine, asked.definition)
    try:
        request = preview(engine, asked.session.name, turn, ahead=True).request
    except WorkflowError:  # of a bundle or a store: the answer itself says so
        return {}
    return request or {}


def _with_anybody(engine: Engine, definition: Definition) -> Engine:
    """An engine to look ahead with, for which nobody in particular holds every role, and a passkey."""
    world, key = engine.world, _Anybody.signature
    held = {role: (*names, ANYBODY) for role, names in roles.table(definition, world.people()).items()}
    held |= {holding(key.fingerprint): (ANYBODY,)}
    return Engine(replace(world, people=lambda: held, passkeys=_Anybody()))


class _Anybody(NoPasskeys):
    """The passkey of nobody in particular."""

    signature = Signature(ANYBODY, "", "", "", "", "")

    def signed(self, approver: str | None, assertion: Assertion | None) -> Signature | str:
        """It has signed whatever is asked."""
        return self.signature


def to_sign(engine: Engine, name: str, turn: Turn) -> str | None:
    """The challenge that a passkey has to sign for ``turn``, a person's yes or no; changes nothing.

    ``turn`` says who answers, and what, as it will be sent; None where it would be refused however it is signed, and
    where it answers no gate.
    """
    run = engine.load(name)
    answered = replace(turn, strength=SIGNED, assertion=None)
    check_content(run, answered)
    observed = replace(observe(run, answered), ahead=True)
    decision = decide(run.program, run.session, answered, observed)
    answers = () if isinstance(decision, Refused) else decision.declined or decision.evidence
    if isinstance(decision, Refused) or not answers:
        return None
    gate = run.program.definition.gates[answers[-1].gate]
    whole = answers if gate.each and not decision.declined else answers[-1:]
    code = gates.code(run.session, gate, turn.event or "", turn.approver, observed.opened)
    return challenge(name, gate.name, code, [answer.subject for answer in whole])


def put(engine: Engine, name: str, turn: Turn) -> Put | str | None:
    """The question that ``turn`` needs a person's answer to; changes nothing.

    A text says why it cannot be put. None: nobody has to be asked, since the turn needs no person, or would be
    refused whatever they say.
    """
    asked = question(engine, name)
    option = next((each for each in asked.options if each.event == turn.event), None)
    if option is None or option.gate is None:
        return None
    strength = max(STRENGTH, option.gate.needs, key=STRENGTHS.index)
    names = tuple(gates.item_names(asked.items(option))) or None
    answered = replace(turn, quote="yes", items=names, strength=strength, asked_at=asked.at)
    run = engine.load(name)
    check_content(run, answered)
    if recorded(run, answered):
        return None
    decision = decide(run.program, run.session, answered, replace(observe(run, answered), ahead=True))
    if isinstance(decision, Refused):
        return None
    why = asked.why_not(option)
    if why:
        return f"it {why}"
    gate = run.program.definition.gates[option.gate.name]
    about = gates.question(run.program.definition, gate, asked.session, decision.set)
    opened = asked.session.opened.get(option.gate.name, 0)
    read = [] if turn.translation is None else [turn.translation]
    mark = canonical([name, opened, turn.event, dict(decision.set), about, *read])
    return Put(asked, option, decision.set, about, mark, turn.translation)


def note_unanswered(engine: Engine, name: str, turn: Turn, gate: str, why: str, *, wait: float = 0.0) -> None:
    """Record that a question was put, or was to be put, and that no evidence came of it; it is no "no"."""
    with engine.world.store.hold(name, wait) as held:
        run = engine.load(name, held)
        body = {"event": turn.event, "gate": gate, "why": why, "channel": turn.channel, "client": turn.client}
        if refusals.left(run) > 0:
            run.note("unanswered", body)
        run.commit()


def note_unproven(engine: Engine, name: str, turn: Turn, gate: str, approver: str, wrong: int, wait: float) -> None:
    """Record a wrong passphrase: who was named, never what was typed; ``wrong`` counts those in a row.

    Nothing else of the session changes.
    """
    with engine.world.store.hold(name, wait) as held:
        run = engine.load(name, held)
        body = {"event": turn.event, "gate": gate, "approver": approver, "wrong": wrong, "channel": turn.channel}
        run.note("unproven", body)
        run.commit()
