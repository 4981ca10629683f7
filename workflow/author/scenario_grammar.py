"""What may be written in ``scenarios/*.yaml``: one class per table, one line per key, as in ``grammar``.

A scenario plays a bundle against its sandbox, on a clock that is set by hand. The texts under the fields are
the reference, and the schema that editors read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from workflow.bundle.grammar import Constant
from workflow.bundle.grammar import _Strict as Strict

FOLDER = "scenarios"
"""The folder of a bundle that holds its scenarios; they are not part of its digest."""
ACTS = ("send", "listen", "look", "pass_", "break_", "mend", "save", "people")
"""What a step may do; each step does one of them."""


@dataclass(frozen=True)
class FileTable(Strict):
    """A file by its size alone: it holds as many zeros."""

    size: int
    """Bytes."""


@dataclass(frozen=True)
class BreakTable(Strict):
    """How the sandbox is to misbehave; `workflow sandbox --faults` lists what it can be asked."""

    fault: str
    """Name of the fault."""
    on: str = "*"
    """The call that it strikes, as the sandbox names it; `*` is any."""
    times: int = 1
    """How many answers it strikes."""
    options: dict[str, bool | int | float | str | None] = field(default_factory=dict)
    """What the fault takes beside."""


@dataclass(frozen=True)
class GivenTable(Strict):
    """What there is before the first turn."""

    language: str | None = None
    """The user's language; else the first of the bundle."""
    host: str = "generic"
    """The program that the agent runs in: it decides whether a monitor can watch."""
    settings: dict[str, bool | int | float | str] = field(default_factory=dict)
    """Options of the bundle, as the user's configuration sets them."""
    gates: dict[str, Literal["relayed", "asked", "proven", "signed"]] = field(default_factory=dict)
    """Gate → the least strength that the user's configuration asks for."""
    people: dict[str, list[str]] = field(default_factory=dict)
    """Person → the roles that they hold."""
    files: dict[str, str | FileTable] = field(default_factory=dict)
    """Name → content of the files in the working folder."""
    sandbox: dict[str, bool | int | float | str] = field(default_factory=dict)
    """What the sandbox is made with, such as `rounds` and `looks`."""
    faults: list[BreakTable] = field(default_factory=list)
    """How the sandbox misbehaves from the first."""


@dataclass(frozen=True)
class ThenTable(Strict):
    """What is to be seen: of a step, or at the end of the whole run. What is not named is not looked at.

    A turn that is refused, or whose call fails, fails the scenario, unless `refused` or `trouble` expects it.
    """

    state: str | None = None
    """The full state, `phase.state`."""
    status: Literal["working", "waiting", "watching", "in_doubt", "done", "cancelled", "failed"] | None = None
    """What the run is doing, or waits for."""
    say: list[str] | None = None
    """The messages that are said, in this order and no others."""
    told: dict[str, str] | None = None
    """Role → the message that its people are shown; these roles and no others."""
    text: list[str] = field(default_factory=list)
    """Parts of what is said."""
    no_text: list[str] = field(default_factory=list)
    """What no message holds."""
    next: list[str] | None = None
    """The events that may be sent now, these and no others; the person's answer may still be missing."""
    refused: str | None = None
    """The turn is refused, and the reason holds this."""
    trouble: str | None = None
    """The class of the failed call after which the session waits."""
    requests: dict[str, int] | None = None
    """`METHOD /path` → how often the service got it; `*` stands for any part, as in `POST *`."""
    sent: list[str | int | float | bool | dict[str, Constant]] = field(default_factory=list)
    """What the JSON bodies that the service got hold: a text is a part of some text, a number or a flag is some value
    itself, and a table `field: value` (`name` or `name.of.name`) is true of one request as a whole."""
    log: list[str] = field(default_factory=list)
    """Entries that were written, in this order, others between them: a kind, or a kind and what it is about,
    such as `intent create`."""


@dataclass(frozen=True)
class StepTable(Strict):
    """A step does one thing: a turn (`send`, `listen`), or what happens around it; `then` says what is to be seen."""

    send: str | None = None
    """The event of a turn; the first is `start`."""
    listen: bool = False
    """A turn without an event: what is new is said."""
    look: int | None = None
    """A monitor looks, until something happens, at most this many times; then what is new is said."""
    pass_: str | int | float | None = None
    """So much time goes by, such as `61s`."""
    break_: BreakTable | None = None
    """The sandbox is asked to misbehave."""
    mend: bool = False
    """The sandbox forgets all faults."""
    save: dict[str, str | FileTable] | None = None
    """Name → content of files that are written now."""
    people: dict[str, list[str]] | None = None
    """Person → the roles that they hold from now on; the others keep theirs."""
    by: str | None = None
    """With `send`: the person who answers by themselves, shown what their role is told. It is their yes, or their no to
    the gate that declines with the event."""
    input: dict[str, Any] = field(default_factory=dict)
    """What comes with the event. In a text, `${sandbox}` is the sandbox's address, and `${found}` the last page
    that a person would find in their account there."""
    quote: str | None = None
    """The person's own words."""
    items: list[str] | None = None
    """Names of the files that the words are about, as the question shows them; needed where there are several."""
    revision: int | None = None
    """The revision that the turn quotes; the last one, if left out."""
    seen: Literal["last", "none", "old"] = "last"
    """Which reply's token the turn sends: the last one's, none, or that of the reply before."""
    turn_id: str | None = None
    """The turn's own id."""
    language: str | None = None
    """The language from this turn on."""
    strength: Literal["relayed", "asked", "proven", "signed"] = "relayed"
    """What the person's answer is worth."""
    then: ThenTable | None = None
    """What is to be seen after this step."""


@dataclass(frozen=True)
class ScenarioDocument(Strict):
    """One run, from its first words on."""

    scenario: str
    """What happens, in a sentence."""
    when: list[StepTable]
    """What is done, step by step."""
    given: GivenTable = field(default_factory=GivenTable)
    """What there is before."""
    then: ThenTable | None = None
    """What is to be seen at the end; requests and entries are those of the whole run."""
    covers: list[str] = field(default_factory=list)
    """Numbers of the rules that this shows."""
