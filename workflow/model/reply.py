"""The reply to a turn: one JSON object, the same from every surface."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from workflow.model.errors import BundleError, CredentialsError, WorkflowError
from workflow.model.frozen import Noun, as_dict, replace
from workflow.model.surface import SHELL, Surface

VERSION = 1
Status = Literal["working", "waiting", "watching", "in_doubt", "done", "cancelled", "failed"]
ENDED = ("done", "cancelled", "failed")

_RECORDED = ("phase", "state", "status", "sandbox", "say", "next", "watch", "due", "brief", "notices", "error")

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
    """A message, ready for the user; ``translate_to`` asks for a translation beside it.

    ``parts`` are the pieces of the text, each with the marks of what is foreign in it; none where all of it is ours.
    """

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
        """Foreign pieces are given by where they are in the text; marks that are not set are left out."""
        return self._told(list(_spans(self.parts)))

    def as_record(self) -> dict[str, Any]:
        """For the journal: all pieces in full, since an export may cover some of the text."""
        foreign = any(len(part) > 1 for part in self.parts)
        return self._told([dict(part) for part in self.parts] if foreign else [])

    def _told(self, parts: list[dict[str, Any]]) -> dict[str, Any]:
        out: dict[str, Any] = {"id": self.id, "text": self.text, "language": self.language}
        optional = {"translate_to": self.translate_to, "parts": parts}
        marks = {mark: True for mark in ("repeat", "maybe_said", "unsaid", "withheld") if getattr(self, mark)}
        return out | {name: value for name, value in optional.items() if value} | marks

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Said:
        """A message, read back from a reply or from the journal."""
        return cls(**{"translate_to": None, **value, "parts": tuple(pieces(value))})


def pieces(said: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The whole text of a message in a reply or in the journal, in pieces with their marks; those of ours have none.

    Pieces that do not make up the text are not believed: then all of it is taken for ours.
    """
    text, parts = said["text"], said.get("parts", ())
    if parts and "at" not in parts[0]:
        whole = "".join(part["text"] for part in parts) == text
        yield from parts if whole else ({"text": text},)
        return
    end = 0
    for part in parts:
        start, after = part["at"]
        if start > end:
            yield {"text": text[end:start]}
        yield {"text": text[start:after], **{mark: part[mark] for mark in part if mark != "at"}}
        end = after
    if end < len(text):
        yield {"text": text[end:]}


def _spans(parts: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Where the pieces that have marks begin and end, in characters.

    Nobody looks which language a piece is in: the rule for translation says so, once for all of them.
    """
    end = 0
    for part in parts:
        start, end = end, end + len(part["text"])
        if len(part) > 1:
            yield {"at": [start, end], **{mark: part[mark] for mark in part if mark not in ("text", "language")}}


class GateState(Noun):
    """A gate as the caller sees it: the least strength it ``needs``, and what it ``have``s.

    ``until`` is when the term for answering ends, ISO 8601 in UTC; None where none runs. ``by`` is who is awaited, in
    words, where the answer is not the user's: ``since`` when, and how many ``given`` answers there are of ``least``.
    ``decline`` is the event that a no sends. Of a reply that was read back,
    ``name`` and ``needs`` may be empty: its caller knew them.
    """

    name: str = ""
    needs: str = ""
    have: str | None = None
    until: str | None = None
    by: str | None = None
    since: str | None = None
    given: int | None = None
    least: int | None = None
    decline: str | None = None

    def as_json(self, *, known: bool = False) -> dict[str, Any]:
        """As it stands in the reply: without what there is not, and without what the caller knows."""
        told = ("name", "needs") if known else ()
        return {name: value for name, value in as_dict(self).items() if value not in (None, "") and name not in told}


class Option(Noun):
    """What may come next: who may send it and ``when``, what comes with it, and whether more is missing.

    ``how`` says what ``input`` and ``gate`` do not; often there is nothing. What a ``known`` option means and takes was
    told to the caller before.
    """

    event: str
    who: Literal["agent", "person"] = "agent"
    gate: GateState | None = None
    ready: bool = True
    input: Mapping[str, str] = {}
    how: str = ""
    when: str = ""
    known: bool = False

    def as_json(self, *, brief: bool = False) -> dict[str, Any]:
        """As it stands in the reply: without what is usual; only its name where the caller has the rest."""
        told = {
            "event": self.event,
            "who": self.who if self.who != "agent" else None,
            "gate": self.gate and self.gate.as_json(known=self.known),
            "input": {} if self.known else dict(self.input),
            "how": self.how,
            "when": "" if self.known else self.when,
        }
        kept = {name: value for name, value in told.items() if value and (name == "event" or not brief)}
        return kept if self.ready else {**kept, "ready": False}

    def completed(self, before: Option | None) -> Option:
        """With what a reply before has told of it."""
        if before is None:
            return self
        gate = before.gate and replace(self.gate or GateState(), name=before.gate.name, needs=before.gate.needs)
        return replace(self, input=self.input or before.input, when=self.when or before.when, gate=gate or self.gate)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Option:
        """An option, read back."""
        return cls(**{**value, "gate": GateState(**value["gate"]) if value.get("gate") else None})


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
    due: tuple[Mapping[str, Any], ...] = ()
    """What time will bring where nobody answers, the first first: the timer, ``at`` when, and where it leads ``to``.

    ``overdue`` marks what happens at the next turn, and ``held`` says why it does not yet."""
    notices: tuple[str, ...] = ()
    receipt: str | None = None
    seen: str | None = None
    """The token of this reply, for the answer to what it asks; no log has it."""
    error: Failure | None = None
    replayed: bool = False
    brief: bool = False
    """Whether the caller has shown that it knows the rest of ``next``, so that only names are given."""
    same_phase: bool = False
    """Whether the caller has shown that it knows the phase, which the JSON then leaves out; not part of it itself."""
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
        """The reply as every surface gives it, without what is empty; `workflow schema reply` is its schema."""
        told: dict[str, Any] = {
            "session": self.session,
            "revision": self.revision,
            "phase": None if self.brief or self.same_phase else self.phase,
            "state": self.state,
            "status": self.status,
            "sandbox": self.sandbox,
            "say": [said.as_json() for said in self.say],
            "next": [option.as_json(brief=self.brief) for option in self.next],
            "watch": {name: value for name, value in (self.watch or {}).items() if value},
            "due": [dict(each) for each in self.due],
            "brief": self.brief,
            "notices": list(self.notices),
            "receipt": self.receipt,
            "seen": self.seen,
            "error": self.error and self.error.as_json(),
            "replayed": self.replayed,
        }
        kept = {name: value for name, value in told.items() if value or (name == "revision" and value is not None)}
        return {"v": VERSION, "ok": self.ok, **kept}

    def as_record(self) -> dict[str, Any]:
        """For the journal: without what its entry says itself; ``say`` is always there."""
        told = {**self.as_json(), "say": [said.as_record() for said in self.say]}
        return {name: told[name] for name in _RECORDED if name in told}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Reply:
        """A reply, read back; of one that was recorded, ``session`` and ``revision`` are its entry's."""
        plain = ("session", "revision", "phase", "state", "status", "sandbox", "watch", "receipt", "seen", "replayed")
        error = value.get("error")
        return cls(
            **{name: value[name] for name in (*plain, "brief") if name in value},
            say=tuple(Said.from_json(each) for each in value.get("say", ())),
            next=tuple(Option.from_json(each) for each in value.get("next", ())),
            due=tuple(value.get("due", ())),
            notices=tuple(value.get("notices", ())),
            error=Failure(error["type"], error["message"], error["hint"], error.get("class")) if error else None,
        )

    def completed(self, before: Reply | None) -> Reply:
        """With what it leaves out because its caller was told it ``before``: by the reply that the turn had named,
        completed in turn.
        """
        if before is None or before.session != self.session:
            return self
        told = {option.event: option for option in before.next}
        if self.brief:
            coming = tuple(replace(told.get(option.event, option), ready=option.ready) for option in self.next)
        else:
            coming = tuple(option.completed(told.get(option.event)) for option in self.next)
        return replace(self, phase=self.phase or before.phase, next=coming, brief=False)

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
    message = f"an internal fault: {type(error).__name__} ({place_of(error)})"
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


def place_of(error: Exception) -> str:
    """File and line of a fault, without the folder it stands in."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    if trace is None:
        return "?"
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
