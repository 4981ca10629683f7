"""What may be written in ``workflow.yaml``: one class per table, one line per key.

The classes are plain data; the loader has them checked by pydantic, away from the path of a turn. The
texts under the fields are the reference of the language: they become the schema that editors read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from typing_extensions import TypedDict

Table = str | dict[str, str]
Told = str | dict[str, Table]
Name = str
Constant = str | int | float | bool
Sign = int | dict[str, Constant]
"""An HTTP status, or fields of the answer with the values that they must all have."""
Wording = str | dict[str, str]
"""A text for every language, or a table language → text."""


def _plain(name: str) -> str:
    """``if_`` is written ``if``."""
    return name.rstrip("_")


class _Strict:
    __pydantic_config__: ClassVar[dict[str, Any]] = {
        "extra": "forbid",
        "use_attribute_docstrings": True,
        "alias_generator": _plain,
    }


@dataclass(frozen=True)
class Key(_Strict):
    """Where the service's key is read from; the first that is set wins."""

    env: str | None = None
    """Name of an environment variable."""
    file: str | None = None
    """A JSON file with a field `api_key`; `~` is the home folder."""
    set_with: str | None = None
    """The command with which a person sets it on the machine, as hints and the skill name it."""
    header: str = "Authorization"
    """The header that the key is sent in."""
    scheme: str = "Bearer"
    """The word before the key; empty where the key stands alone."""


@dataclass(frozen=True)
class AnswerTable(_Strict):
    """What a sandbox that is written in YAML answers to a call."""

    status: int = 200
    """HTTP status."""
    body: dict[str, Any] | None = None
    """The JSON object of the answer; without one the answer is empty."""
    after: str | None = None
    """Another call of the sandbox, written as its key: once that was made, this is answered rather than the others."""


@dataclass(frozen=True)
class ServiceTable(_Strict):
    """The one service that the bundle talks to."""

    base_url: str
    """The only host that gets a request, or the key: https, or http on loopback."""
    sandbox: str | dict[str, AnswerTable | list[AnswerTable]]
    """The offline sandbox of the service: a module of the bundle that serves it, or a table call → answer, such as
    `GET /orders/{id}: {body: {state: new}}`; `{…}` stands for any one segment, a list is answered from the left,
    its last answer from then on."""
    sandbox_key: str = "sandbox"
    """The key that a sandbox session sends: never the real one."""
    key: Key | None = None
    """Where the key is read from. Without this table the service takes no key, and requests carry none."""


@dataclass(frozen=True)
class ActionTable(_Strict):
    """A call of the service without Python; in quotes, `'{name}'` stands for a datum, everything else for itself."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    """HTTP method."""
    path: str
    """Path below the service's host; a datum in it, `{name}`, is percent-encoded and can never be more than a part
    of one segment."""
    effect: Literal["read", "repeatable", "once"]
    """`read` changes nothing; `repeatable` may be done again, and is, with pauses; `once` costs something, and is
    never repeated by itself."""
    query: dict[str, Constant] | None = None
    """Parameters after the path; a datum that is empty is left out."""
    headers: dict[str, Constant] | None = None
    """Headers; never those that carry the key, frame the message or name the host."""
    body: dict[str, Any] | None = None
    """The JSON object that is sent; tables may be nested."""
    sets: dict[Name, str] | None = None
    """Datum → field of the answer, `name` or `name.of.name`; one that is missing or of another type is no answer:
    for `once`, doubt. Required with `once`."""
    fails: dict[str, Sign | list[Sign]] | None = None
    """Error class → HTTP status, or fields with values, or a list of these, read from the left; a sign fits a JSON
    object only. Any other status than 2xx that is not named is class `upstream`: for `once`, doubt."""
    timeout: str | int | float = "30s"
    """Of the whole call, at most `10m`. Without `once` it also ends with its turn (120 s) or its look (30 s)."""
    idempotency: str | None = None
    """With `once`: the header that names the call, so that the service knows it again; the same for each approval
    that is spent, and no other."""


@dataclass(frozen=True)
class GuardTable(_Strict):
    """A guard without Python: one datum or one setting, and one of `is`, `not`, `in` and `set`."""

    datum: Name | None = None
    """What is looked at: the event's input if it holds it, else the session's data."""
    setting: Name | None = None
    """What is looked at instead: an option of the user's configuration. An event whose `if` it is, and that it does not
    let pass, is switched off: no reply, skill or drawing shows it."""
    is_: Constant | None = None
    """Passes if it has this value."""
    not_: Constant | None = None
    """Passes if it has any other value, or none."""
    in_: list[Constant] | None = None
    """Passes if it has one of these values."""
    set: bool | None = None
    """`true`: passes if it has a value that is not empty; `false`: if it has none."""
    because: str = ""
    """Why not, in words for the agent; made from the rest if there is none."""


@dataclass(frozen=True)
class GateTable(_Strict):
    """A question that only the person can answer."""

    subject: list[Name] = field(default_factory=list)
    """Data that the answer is bound to, besides the text that was shown."""
    each: Name | None = None
    """A `files` datum: every item needs an answer of its own, bound to its bytes."""
    until: Name | None = None
    """With `each`: an item is settled once this datum holds its digest as a key."""
    declined: Name | None = None
    """With `each`: a `files` datum that gets the items which the last answer left out, for a message to name them."""
    strength: Literal["relayed", "asked", "proven", "signed"] = "relayed"
    """The least that an answer must be worth."""
    valid: str | int | float = "7d"
    """How long the question can be answered after it was handed over, and how long its answer counts after it was
    given: more than nothing, at most `365d`."""
    lasts: int = 1
    """For how many performances an answer counts, at most 100. The first performance of any action that names the gate
    in `never_without` spends it, unless it lasts: of a `once` action the call as it leaves, of another its success."""
    by: Name | None = None
    """The role whose answer it takes: only that of an identified person who holds the role when they answer, and still
    when the call leaves."""
    other_than: list[Name] = field(default_factory=list)
    """With `by`: gates whose last answers must have come from other people."""
    least: int = 1
    """With `by`: how many different people must answer. Until then nothing moves."""
    decline: Name | None = None
    """The event that a person's no sends. The text that it takes, if any, is their reason."""
    covers: list[str] = field(default_factory=list)
    """Numbers of the rules that this gate keeps."""


@dataclass(frozen=True)
class AllTable(_Strict):
    """Gates that an action needs together."""

    all: list[Name]
    """Gates: each has an answer that fits what is sent."""


@dataclass(frozen=True)
class SinceTable(_Strict):
    """What voids something that has happened."""

    since: Name | list[Name]
    """Actions or states: what happened before one of them counts no more."""


@dataclass(frozen=True)
class WatchTable(_Strict):
    """Waiting for the service."""

    do: Name
    """The action that looks; its effect must be `read`."""
    every: str | int | float
    """Pause between two looks, such as `3s`."""
    within: str | int | float
    """The longest wait, such as `20m`."""
    then: dict[str, str]
    """Guard → state."""
    no_news: Table
    """Message that is said on `check` when nothing has happened, or a table guard → message with `else`."""
    late: Name
    """The state when the time is over."""
    brief: Name
    """File in `prompts/briefs/`: the instruction for a sub-agent that watches."""


@dataclass(frozen=True)
class ReminderTable(_Strict):
    """Saying again that an answer is awaited; it moves nothing, and changes no question."""

    every: str | int | float
    """Time from the state's entry to the first reminder, and from one to the next, such as `24h`. Those that nobody was
    there to see are one."""
    say: Table
    """Message, or a table guard → message with `else`."""
    at_most: int | None = None
    """How many reminders there are in one wait; without it as many as become due."""


@dataclass(frozen=True)
class StateTable(_Strict):
    """A state works (`do`, `then`), waits (`say`, `on`, `watch`) or ends (`end`)."""

    do: Name | None = None
    """The action that is performed here."""
    then: Table | None = None
    """The next state, or a table guard → state with `else`, read from the left."""
    failed: Table | None = None
    """Where a failed call leads: a state, or a table error class → state; unrouted, `retry` repeats it. With `watch`,
    only a certain no of the service counts as failed."""
    doubt: Name | None = None
    """The state if the outcome of a paid call is unknown; required exactly where the effect is `once`."""
    say: Told | None = None
    """The message, or a table guard → message with `else`. A table with `user` says whom each message is for: the
    `user` that the agent talks to, and roles, each with a message or a table."""
    on: dict[str, str] | None = None
    """Event → state. In an end: what it still takes. In a working state: where what holds everywhere leads from it."""
    acknowledge: dict[str, Table] | None = None
    """Event of this state → message that is said first when it leads on, or a table guard → message: what became of the
    answer, before the next question."""
    no_news: Table | None = None
    """Message that is said on `check`, or a table guard → message with `else`: the state takes `check`, which moves
    nothing."""
    aside: Table | None = None
    """An extra message of the main session, once per user profile."""
    watch: WatchTable | None = None
    """Waiting for the service."""
    after: dict[str, str] | None = None
    """Time → state, when nobody answers: `{48h: review.escalated}`. Counted from the state's entry, at most `365d`.
    Where there are several, they come in order, and only the last leads elsewhere; the others lead to the state itself,
    which puts its question again."""
    remind: ReminderTable | None = None
    """Reminders while nobody answers."""
    end: Literal["done", "cancelled", "failed"] | None = None
    """How the run ends here. It takes the events of its own `on`, and goes on with them; what holds everywhere does not
    hold in an end."""
    covers: list[str] = field(default_factory=list)
    """Numbers of the rules that this state keeps."""


class PhaseTable(TypedDict, total=False, extra_items=StateTable):  # type: ignore[call-arg]
    """A phase: its title, and its states by name."""

    __pydantic_config__ = {"use_attribute_docstrings": True}  # type: ignore[misc]  # read by pydantic, no key

    title: Wording
    """What people call the phase, or a table language → title. Replies, logs and drawings show it after the phase's
    number: its place among the phases that do more than end. Without it they show the phase's name."""


@dataclass(frozen=True)
class EventTable(_Strict):
    """What a caller may send; an event means the same wherever it is allowed."""

    when: Wording | None = None
    """When to send it: one sentence for the agent, or a table language → sentence where users read it. Replies, skill
    and drawings show it; `lint` warns where it is missing."""
    input: list[Name] = field(default_factory=list)
    """Data that must come with it."""
    optional: list[Name] = field(default_factory=list)
    """Data that may come with it; what does not come is empty."""
    if_: Name | None = None
    """The guard that must pass."""
    gate: Name | None = None
    """The gate whose answer this event carries."""
    say: Name | None = None
    """A message: the event answers and moves nothing, wherever the session waits."""
    covers: list[str] = field(default_factory=list)
    """Numbers of the rules that this event keeps."""


@dataclass(frozen=True)
class LimitTable(_Strict):
    """How many times paid calls may be made, over all sessions of the bundle in one store."""

    per: str | int | float
    """The window, such as `24h`: from `1m` to `365d`. It rolls: it ends now, whatever the hour."""
    most: int
    """The most calls within the window, at least 1. A call in doubt counts, one that the service certainly refused does
    not."""
    of: list[Name] | None = None
    """Two or more actions whose calls count together. The limit then has a name of its own, which no action has."""


@dataclass(frozen=True)
class DenialTable(_Strict):
    """Words of one language by which a relayed answer is recognised as a "no"."""

    refusing: list[str] | None = None
    """Words that refuse, such as `nein`."""
    filling: list[str] | None = None
    """Words that say neither yes nor no, such as `danke`. A quote of these and at least one that refuses is a "no"."""
    whole: list[str] | None = None
    """Whole quotes that refuse, for languages that are written without spaces."""


@dataclass(frozen=True)
class Document(_Strict):
    """One machine."""

    format: Literal[1]
    """Version of this grammar."""
    workflow: str
    """Short name of the procedure."""
    languages: list[str]
    """Languages that the messages are complete in; the first is the last resort."""
    service: ServiceTable
    """The one service that the bundle talks to."""
    events: dict[Name, EventTable | None]
    """What a caller may send."""
    trouble: dict[str, str]
    """Error class → message, said when a call fails; after the classes also action → message. `else` is required."""
    start: Name
    """The first state."""
    phases: dict[Name, PhaseTable]
    """Phases in their order, each with its states."""
    title: str = ""
    """What people call it."""
    settings: dict[str, bool | int | float | str] | None = None
    """Options of the user's configuration, with their defaults."""
    data: (
        dict[Name, Literal["text", "verbatim", "texts", "url", "number", "flag", "files", "internal", "hidden"]] | None
    ) = None
    """Everything that a session remembers: `text` of the user, `verbatim` of the service, `texts` of several, `url`,
    `number`, `flag`, `files`; `internal` are ids and tokens, never said and looked for in every message; `hidden`
    is never said."""
    never_say: list[str] | None = None
    """Words that no message of ours may hold; a last `*` stands for the rest of a name."""
    avoid: list[str] | None = None
    """Words that our own templates do without (lint)."""
    roles: dict[Name, Wording] | None = None
    """Role → what people call who holds it, or a table language → text; `workflow-admin approver` says who does."""
    gates: dict[Name, GateTable | None] | None = None
    """Questions that only the person can answer."""
    actions: dict[Name, ActionTable] | None = None
    """Calls of the service that need no Python; others are in `phases/`."""
    guards: dict[Name, GuardTable] | None = None
    """Guards that need no Python; others are in `phases/`."""
    never_without: dict[Name, list[Name | AllTable]] | None = None
    """Action → gates: it is never performed without an answer to one of them that fits what is sent. `{all: [a, b]}`
    stands for gates that are needed together. What is performed spends the answers to all gates that are named here."""
    only_after: dict[Name, list[Name] | dict[Name, SinceTable | None]] | None = None
    """Action or state → actions or states: it comes only after one of them has happened. A table says of each what
    voids it: with `{record: {since: store}}` only a `record` after the last `store` counts."""
    never_after: dict[Name, list[Name]] | None = None
    """Action or state → actions or states: it never comes after one of them has happened; an action that
    names itself happens at most once."""
    limits: dict[Name, LimitTable] | None = None
    """Action → how many times it may be called within a window; its effect must be `once`. Several actions that count
    together stand in `of`, below a name of their own. The user's configuration can lower a limit. A call over it does
    not leave: its class is `limited`, and its approval is kept within its term."""
    on: dict[str, str] | None = None
    """Event → state, wherever the session waits."""
    deadline: dict[str, str] | None = None
    """Time → state, one of them: where every session is led when so much time has passed since it began, at most
    `365d`. Never in doubt, during a paid call, or while something that was paid for is watched."""
    description: str = ""
    """What it does, in a sentence or two, for an agent that looks for a skill (`workflow skill export`)."""
    triggers: list[str] | None = None
    """When an agent should take it up; each completes "Use when …"."""
    denials: dict[str, DenialTable] | None = None
    """Language → words by which a relayed answer is recognised as a "no"; English and Chinese are built in."""
    covers: dict[Name, list[str]] | None = None
    """Guard, action, message, brief or datum → numbers of the rules that it keeps; states, events and gates say so
    themselves."""
