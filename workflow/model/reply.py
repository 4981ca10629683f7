"""The reply to a turn: one JSON object, the same from every surface."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from workflow.model.errors import BundleError, CredentialsError, WorkflowError
from workflow.model.frozen import Noun, as_dict, replace
from workflow.model.surface import SHELL, Surface

VERSION = 1
Status = Literal["working", "waiting", "watching", "in_doubt", "done", "cancelled", "failed"]
ENDED = ("done", "cancelled", "failed")

_RECORDED = ("phase", "state", "status", "sandbox", "say", "next", "watch", "notices", "error")

EXIT_CODES: Mapping[str, int] = {
    "internal": 1,
    "store": 1,
    "usage": 2,
    "bundle": 2,
    "refused": 3,
    "credentials": 4,
    "not_found": 5,
    "busy": 6,
    "stale": 6,
    "in_doubt": 7,
    "service": 8,
    "interrupted": 130,
}
"""Type of an error → exit code of a command."""


class Said(Noun):
    """A message, ready for the user; ``translate_to`` asks for a translation beside it."""

    id: str
    text: str
    language: str
    translate_to: str | None
    parts: tuple[Mapping[str, Any], ...]
    repeat: bool = False
    maybe_said: bool = False
    unsaid: bool = False
    withheld: bool = False

    def as_json(self) -> dict[str, Any]:
        """Marks that are not set are left out."""
        out: dict[str, Any] = {
            "id": self.id,
            "text": self.text,
            "language": self.language,
            "translate_to": self.translate_to,
            "parts": [dict(part) for part in self.parts],
        }
        marks = ("repeat", "maybe_said", "unsaid", "withheld")
        return out | {mark: True for mark in marks if getattr(self, mark)}


class GateState(Noun):
    """A gate as the caller sees it: the least strength it ``needs``, and what it ``have``s.

    ``until`` is when the term for answering ends, ISO 8601 in UTC; None where none runs.
    """

    name: str
    needs: str
    have: str | None
    until: str | None

    def as_json(self) -> dict[str, Any]:
        """As it stands in the reply."""
        return as_dict(self)


class Option(Noun):
    """What may come next: who may send it and ``when``, what comes with it, and whether anything but the person is
    missing."""

    event: str
    who: Literal["agent", "person", "service"]
    gate: GateState | None
    ready: bool
    input: Mapping[str, str]
    how: str
    when: str = ""

    def as_json(self) -> dict[str, Any]:
        """As it stands in the reply; without ``when`` where the bundle says nothing of it."""
        out = {
            "event": self.event,
            "who": self.who,
            "gate": self.gate and self.gate.as_json(),
            "ready": self.ready,
            "input": dict(self.input),
            "how": self.how,
        }
        return out | {"when": self.when} if self.when else out


class Failure(Noun):
    """Why not: ``type`` decides the exit code, ``kind`` is the class of a failed call."""

    type: str
    message: str
    hint: str = ""
    kind: str | None = None

    def as_json(self) -> dict[str, Any]:
        """As it stands in the reply; a failed call also has its ``class``."""
        out = {"type": self.type, "message": self.message, "hint": self.hint}
        return out | {"class": self.kind} if self.kind else out


class Reply(Noun):
    """What a turn answers: what to say, and what may come next."""

    session: str | None = None
    revision: int | None = None
    phase: str | None = None
    state: str | None = None
    status: Status | None = None
    sandbox: bool = False
    say: tuple[Said, ...] = ()
    next: tuple[Option, ...] = ()
    watch: Mapping[str, Any] | None = None
    notices: tuple[str, ...] = ()
    receipt: str | None = None
    seen: str | None = None
    """The token of this reply, for the answer to what it asks; no log has it."""
    error: Failure | None = None
    replayed: bool = False
    claims: tuple[str, ...] = ()
    """What is to be confirmed once this reply was printed; not part of the JSON."""

    @property
    def ok(self) -> bool:
        """Whether the turn did what it was to do."""
        return self.error is None

    @property
    def exit_code(self) -> int:
        """A function of the reply alone."""
        if self.error:
            return EXIT_CODES.get(self.error.type, 1)
        return EXIT_CODES["in_doubt"] if self.status == "in_doubt" else 0

    def as_json(self) -> dict[str, Any]:
        """The reply as every surface gives it; `workflow schema reply` is its schema."""
        return {
            "v": VERSION,
            "ok": self.ok,
            "session": self.session,
            "revision": self.revision,
            "phase": self.phase,
            "state": self.state,
            "status": self.status,
            "sandbox": self.sandbox,
            "say": [said.as_json() for said in self.say],
            "next": [option.as_json() for option in self.next],
            "watch": dict(self.watch) if self.watch else None,
            "notices": list(self.notices),
            "receipt": self.receipt,
            "seen": self.seen,
            "error": self.error.as_json() if self.error else None,
            "replayed": self.replayed,
        }

    def as_record(self) -> dict[str, Any]:
        """For the journal: without what its entry says itself, and without what is empty."""
        told = self.as_json()
        return {name: told[name] for name in _RECORDED if told[name] or name == "say"}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Reply:
        """A reply, read back; of one that was recorded, ``session`` and ``revision`` are its entry's."""
        error = value.get("error")
        return cls(
            session=value["session"],
            revision=value["revision"],
            phase=value["phase"],
            state=value["state"],
            status=value["status"],
            sandbox=value.get("sandbox", False),
            say=tuple(Said(**{**each, "parts": tuple(each["parts"])}) for each in value["say"]),
            next=tuple(
                Option(**{**each, "gate": GateState(**each["gate"]) if each["gate"] else None})
                for each in value.get("next", ())
            ),
            watch=value.get("watch"),
            notices=tuple(value.get("notices", ())),
            receipt=value.get("receipt"),
            seen=value.get("seen"),
            error=Failure(error["type"], error["message"], error["hint"], error.get("class")) if error else None,
            replayed=value.get("replayed", False),
        )

    def as_replay(self, receipt: str) -> Reply:
        """The same reply once more, for a turn that was sent twice."""
        return replace(self, replayed=True, receipt=receipt)


def failed(kind: str, message: str, hint: str = "") -> Reply:
    """A reply that says nothing but what went wrong."""
    return Reply(error=Failure(kind, message, hint))


def of_error(error: Exception, surface: Surface = SHELL) -> Reply:
    """What a surface answers where a turn raised; a fault of ours is told as one, without a traceback."""
    if isinstance(error, WorkflowError):
        return failed(_type(error), error.message, surface.told(error.hint))
    message = f"an internal fault: {type(error).__name__} ({_place(error)})"
    return failed("internal", message, "The session is as it was; please report this.")


def in_one_line(error: Exception) -> str:
    """Why one thing of a list cannot be shown, on one line."""
    failure = of_error(error).error
    return " ".join(failure.message.split()) if failure else ""


def _type(error: WorkflowError) -> str:
    if isinstance(error, CredentialsError):
        return "credentials"
    if isinstance(error, BundleError):
        return "bundle"
    return error.type if error.type in EXIT_CODES else "internal"


def _place(error: Exception) -> str:
    """File and line of a fault, without the folder it stands in."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    if trace is None:
        return "?"
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
