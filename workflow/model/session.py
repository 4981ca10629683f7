"""A session: one saved run. Frozen; the journal's fold is the only thing that makes the next one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from workflow.model.digest import canonical
from workflow.model.evidence import Evidence
from workflow.model.frozen import Noun, names
from workflow.model.instant import Instant
from workflow.model.signature import Assertion


class Intent(Noun):
    """A call whose effect is ``once``, recorded before it leaves; without a result it is in doubt.

    ``call`` is its name, as :func:`workflow.machine.paid_call.name_of` makes it.
    """

    action: str
    seq: int
    call: str


MAIN = "main"
"""Who speaks in the conversation; a watcher that speaks for itself is ``watcher``."""
AGAIN = "again"
"""Claims what was said or claimed before: offered once more, it is not offered a third time for nothing."""


class Owed(Noun):
    """A message that is to be said once; ``claimed`` names who said that it would, in the entry ``at``."""

    id: str
    message: str
    claimed: str | None = None
    at: int = 0

    def was_heard(self, seen: int) -> bool:
        """Whether the conversation had claimed it by the reply that a token of the sequence ``seen`` names."""
        return self.claimed in (MAIN, AGAIN) and 0 < self.at <= seen + 1

    def as_json(self) -> list[Any]:
        """All of it, in order."""
        return [self.id, self.message, self.claimed, self.at]


LONGEST_ABOUT = 60
"""Characters of the words that tell a session from others."""


def first_words(texts: Iterable[Any]) -> str:
    """The first of these that says anything, on one line and cut to the first words."""
    lines = (" ".join(text.split()) for text in texts if isinstance(text, str))
    found = next(filter(None, lines), "")
    if len(found) <= LONGEST_ABOUT:
        return found
    cut = found[: LONGEST_ABOUT - 1]
    whole = cut.rpartition(" ")[0]  # no word is cut in two, where words have spaces between them
    return f"{(whole if len(whole) > LONGEST_ABOUT // 2 else cut).rstrip(' ,;:')}…"


class Wish(Noun):
    """What the person wants later, in their words: kept until ``event`` is possible, then asked about."""

    id: str
    event: str
    words: str

    @property
    def key(self) -> str:
        """The name of its question, as a message and beside the gates whose questions are open."""
        return f"{WISH}{self.id}"

    def as_json(self) -> list[str]:
        """All of it, in order."""
        return [self.id, self.event, self.words]


class Timer(Noun):
    """A timer that runs: ``since`` when it counts, how often it has fired, and the ``seconds`` to the next time.

    ``seconds`` is None where nothing more comes of it.
    """

    since: Instant
    number: int
    seconds: float | None

    def as_json(self) -> list[Any]:
        """All of it, in order."""
        return [self.since.as_json(), self.number, self.seconds]

    @classmethod
    def from_json(cls, value: Iterable[Any]) -> Timer:
        """The inverse of :meth:`as_json`."""
        since, number, seconds = value
        return cls(Instant(*since), number, seconds)


WISH = "wish."
"""What the names of kept wishes' questions begin with; no gate and no message of a bundle has a dot."""
CHOICES = ("then", "look", "say")
"""Choices that guards make: where a working state leads, what a look found, which message is said."""


class Session(Noun):
    """Everything that a run remembers; ``stopped`` is when it came to where it stands, or when its call failed.

    ``undecided`` is the choice that no guard could make, of those in :data:`CHOICES`. ``odd`` are the sorts of odd
    answers that looks have met since it came there.
    """

    name: str
    workflow: str
    bundle: str
    path: str
    language: str
    state: str
    host: str = "generic"
    profile: str = "default"
    sandbox: str | None = None
    revision: int = 0
    seq: int = 0
    head: str = ""
    stopped: str = ""
    data: Mapping[str, Any] = {}
    evidence: tuple[Evidence, ...] = ()
    answered_by: Mapping[str, tuple[str, ...]] = {}
    """Gate → the approvers who gave its last answer, also when that is spent; a snapshot without any leaves it out."""
    shown: Mapping[str, str] = {}
    opened: Mapping[str, int] = {}
    """Gate → the sequence of the entry that asked its question last."""
    handed: Mapping[str, Instant] = {}
    """Gate → when a reply or a refusal that is recorded handed its question over last."""
    seen: int = 0
    """The latest sequence that a turn has named by a token of a reply."""
    intent: Intent | None = None
    doubt: str | None = None
    trouble: str | None = None
    undecided: str | None = None
    cause: str = ""
    """Why the last failed call after which it stayed had failed, as recorded; it counts while there is ``trouble``."""
    obstacle: str = ""
    """What stood in the way, where that call had not left; then the words of the cause are ours."""
    since: Instant | None = None
    asked_to_watch: Instant | None = None
    watcher: str | None = None
    odd: tuple[str, ...] = ()
    owed: tuple[Owed, ...] = ()
    unheard: tuple[Owed, ...] = ()
    """What the last reply said, until a turn names a reply as late as that one."""
    last_reply: int = 0
    """The sequence of the last reply to the conversation that said something."""
    unanswered: int | None = None
    refused: tuple[str, int] | None = None
    """The hour of the clock in which a turn was refused last, and how many refusals were recorded in it."""
    owner: str | None = None
    """Whose token began it; None for one that was begun on the command line."""
    about: str = ""
    """What it is about: the first words that it began with, on one line; empty where it began without any."""
    wishes: tuple[Wish, ...] = ()
    """What the person wants later, the oldest first."""
    unmet: tuple[Wish, ...] = ()
    """What they wanted later and were told is not done: all of it, or a part. A snapshot without any leaves it out."""
    partial: tuple[tuple[str, Evidence], ...] = ()
    """Answers of people whose gate waits for more of them, each with the event that it is to send; a snapshot without
    any leaves it out."""
    denials: int = 0
    """How often since the last event a "no" was sent as the person's yes."""
    paid: bool = False
    """Whether a paid call was made in it, or may have been."""
    timers: Mapping[str, Timer] = {}
    """What happens when nobody answers, by its name in the bundle: `after`, `remind` and `deadline`."""
    reminder: str = ""
    """The id of the last reminder as it is owed: it is not said any more once the session has left its state."""
    told: Mapping[str, bool] = {}
    """The texts that were said since the last event that did more than look again, by a digest of each, and whether
    they have surely arrived. A snapshot without any leaves it out."""
    forgotten: str | None = None
    """The status that it was left with, once its content was erased; then it takes no turns any more."""

    def as_json(self) -> dict[str, Any]:
        """The snapshot: JSON only, no type tags."""
        out: dict[str, Any] = {name: self.__dict__[name] for name in names(Session)}
        out["evidence"] = [evidence.as_json() for evidence in self.evidence]
        out["data"], out["shown"], out["opened"] = dict(self.data), dict(self.shown), dict(self.opened)
        out["told"] = dict(self.told)
        out["handed"] = {gate: each.as_json() for gate, each in self.handed.items()}
        out["intent"] = [self.intent.action, self.intent.seq, self.intent.call] if self.intent else None
        out["since"] = self.since.as_json() if self.since else None
        out["asked_to_watch"] = self.asked_to_watch.as_json() if self.asked_to_watch else None
        out["refused"] = list(self.refused) if self.refused else None
        out["owed"] = [owed.as_json() for owed in self.owed]
        out["wishes"] = [wish.as_json() for wish in self.wishes]
        out["unmet"] = [wish.as_json() for wish in self.unmet]
        out["unheard"] = [owed.as_json() for owed in self.unheard]
        out["partial"] = [[event, each.as_json()] for event, each in self.partial]
        out["answered_by"] = {gate: list(who) for gate, who in self.answered_by.items()}
        out["timers"] = {name: timer.as_json() for name, timer in self.timers.items()}
        return {name: each for name, each in out.items() if each or name not in _OPTIONAL}

    @cached_property
    def text(self) -> str:
        """The snapshot as it is written: canonical JSON; raises ``TypeError`` or ``ValueError`` for what is none.

        A store that read it sets what it read.
        """
        return canonical(self.as_json()).decode()

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Session:
        """The inverse of :meth:`as_json`; anything else raises ``TypeError``, ``KeyError`` or ``ValueError``."""
        known = dict(value)
        known["evidence"] = tuple(Evidence.from_json(each) for each in known["evidence"])
        known["handed"] = {gate: Instant(*each) for gate, each in known["handed"].items()}
        known["intent"] = Intent(*known["intent"]) if known["intent"] else None
        known["since"] = Instant(*known["since"]) if known["since"] else None
        known["asked_to_watch"] = Instant(*known["asked_to_watch"]) if known["asked_to_watch"] else None
        known["odd"] = tuple(known["odd"])
        known["owed"] = tuple(Owed(*each) for each in known["owed"])
        known["wishes"] = tuple(Wish(*each) for each in known["wishes"])
        known["unmet"] = tuple(Wish(*each) for each in known.get("unmet", ()))
        known["partial"] = tuple((event, Evidence.from_json(each)) for event, each in known.get("partial", ()))
        known["answered_by"] = {gate: tuple(names) for gate, names in known.get("answered_by", {}).items()}
        known["unheard"] = tuple(Owed(*each) for each in known["unheard"])
        known["timers"] = {name: Timer.from_json(each) for name, each in known.get("timers", {}).items()}
        known["refused"] = tuple(known["refused"]) if known["refused"] else None
        return cls(**known)


_OPTIONAL = ("unmet", "partial", "answered_by", "paid", "timers", "reminder", "told")


class Turn(Noun):
    """What a caller sends: an event with its input, the person's words, and what makes it unrepeatable.

    ``client`` is the program that it came through. ``about`` is what the person was asked about, as
    :func:`workflow.machine.gates.question` has it: their answer is to that and to nothing else. ``approver``
    is who proved that the words are theirs, by a passphrase or by a passkey. ``seen`` is the token of the reply that it
    answers.
    ``declines`` is the gate to which the event is a person's no. ``translation`` is what the agent made of the question
    in the person's language. ``asked_at`` is when the program that asked the person by itself showed them the
    question. ``remote`` says that it came over a connection, where only ``seen`` shows that a reply has arrived.
    ``instead_of`` are the event and the input that the caller sent, where the person's answer made another event of it.
    ``assertion`` is what a passkey of the approver signed for it.
    """

    event: str | None = None
    input: Mapping[str, Any] = {}
    quote: str | None = None
    items: tuple[str, ...] | None = None
    turn_id: str | None = None
    expect_revision: int | None = None
    seen: str | None = None
    channel: str = "cli"
    strength: str = "relayed"
    client: str | None = None
    about: str | None = None
    approver: str | None = None
    remote: bool = False
    asked_at: Instant | None = None
    translation: str | None = None
    declines: str | None = None
    instead_of: Mapping[str, Any] | None = None
    assertion: Assertion | None = None

    @cached_property
    def given(self) -> dict[str, Any]:
        """The event, its data and the person's answer, for the journal."""
        items = list(self.items) if self.items is not None else None
        given = {"event": self.event, "input": dict(self.input), "quote": self.quote, "items": items}
        return given if self.translation is None else {**given, "translation": self.translation}

    @cached_property
    def sent(self) -> dict[str, Any]:
        """What the caller sent of it, for telling turns apart: without the answer that this program asked for."""
        call = self.instead_of or {"event": self.event, "input": dict(self.input)}
        answer = {"quote": self.quote, "items": self.items} if self.strength == "relayed" else {}
        known = {**answer, "translation": self.translation}
        return {**call, **{name: value for name, value in known.items() if value is not None}}

    @cached_property
    def text(self) -> str:
        """What makes it the same turn, as canonical JSON; raises ``TypeError`` or ``ValueError`` for what is none.

        That is all that the caller sent, except a revision beside the token of a reply, which says more.
        """
        revision = None if self.seen else self.expect_revision
        return canonical([self.sent, self.turn_id, revision, self.seen]).decode()
