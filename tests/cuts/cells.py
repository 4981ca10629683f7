"""The table: what is cut, where, for which client, and what comes next."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

BEFORE, DURING, AFTER, FORM = "before", "during", "after", "form"
ERAS = ("2025-11-25", "2026-07-28")
CLIENTS = {"sdk1": ERAS[:1], "sdk2": ERAS, "python": ERAS}
"""Each client, and the eras that it speaks: SDK 1.x ended with the first one."""
TRANSPORTS = ("stdio", "http")
ALIVE, RESTARTED, KILLED = "alive", "restarted", "killed"
LIVES = (ALIVE, RESTARTED, KILLED)
"""The client after the cut: it ran out of time and goes on, it ran out of time and ends, or it was killed there."""
STATUS, ADVANCE, AGAIN, SESSIONS = "status", "advance", "again", "sessions"
PICTURE = b"a picture of brass"
WORDS = {"input": {"words": "A poster for a jazz night"}}
_PICTURE = {"name": "ref.png", "description": "warm brass", "content": base64.b64encode(PICTURE).decode()}
PREPARE, UPLOAD = ("POST", "/v1/openapi/tasks/prepare"), ("POST", "/v1/openapi/files/upload")
CREATE, LOOK = ("POST", "/v1/openapi/tasks"), ("GET", "/v1/openapi/tasks/")
_APPROVED: tuple[tuple[str, Mapping[str, Any]], ...] = (("workflow_advance", {"event": "approve"}),)
_NEWS = (*_APPROVED, ("workflow_watch", {}))


@dataclass(frozen=True)
class Kind:
    """A call that is cut. ``steps`` lead up to it; ``request`` or ``function`` is where it is held while it works.

    ``says`` is what the user must have been told in the end because of it; ``turn``: it takes a ``turn_id``.
    """

    name: str
    tool: str
    function: str
    given: Mapping[str, Any] = field(default_factory=dict)
    request: tuple[str, str] | None = None
    steps: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    says: str = ""
    file: bool = False
    rounds: int = 1
    paid: int = 0
    turn: bool = True
    nexts: tuple[str, ...] = (STATUS, ADVANCE, AGAIN)
    cuts: tuple[str, ...] = (BEFORE, DURING, AFTER)

    @property
    def session(self) -> bool:
        """Whether the call names a session."""
        return self.tool not in ("workflow_start", "workflow_sessions")

    @property
    def reads(self) -> bool:
        """Whether the tool changes nothing."""
        return self.function in ("shown", "sessions", "verify")

    def start(self, http: bool) -> dict[str, Any]:
        """How its conversation begins; over HTTP files come by content."""
        file = _PICTURE if http else {"path": "ref.png", "description": "warm brass"}
        return {"input": {**WORDS["input"], **({"references": [file]} if self.file else {})}}


KINDS = (
    Kind("start", "workflow_start", "start", WORDS, PREPARE, says="questions", rounds=2, nexts=(AGAIN, SESSIONS)),
    Kind(
        "answer",
        "workflow_advance",
        "advance",
        {"event": "answer", "input": {"words": "Warm colours"}},
        PREPARE,
        says="plan",
        rounds=2,
    ),
    Kind(
        "consent",
        "workflow_advance",
        "advance",
        {"event": "consent"},
        UPLOAD,
        says="questions_with_files",
        file=True,
        rounds=2,
        cuts=(BEFORE, DURING, AFTER, FORM),
    ),
    Kind(
        "approve",
        "workflow_advance",
        "advance",
        {"event": "approve"},
        CREATE,
        says="started_unwatched",
        paid=1,
        cuts=(BEFORE, DURING, AFTER, FORM),
    ),
    Kind("news", "workflow_advance", "advance", steps=_NEWS, says="ready", paid=1, turn=False),
    Kind("watch", "workflow_watch", "look", {}, LOOK, steps=_APPROVED, says="ready", paid=1, turn=False),
    Kind("status", "workflow_status", "shown", turn=False, nexts=(ADVANCE,)),
    Kind("sessions", "workflow_sessions", "sessions", turn=False, nexts=(ADVANCE,)),
    Kind("audit", "workflow_audit", "verify", turn=False, nexts=(ADVANCE,)),
)


@dataclass(frozen=True)
class Cell:
    """One cut."""

    kind: Kind
    cut: str
    client: str
    era: str
    transport: str
    life: str
    next: str

    def __str__(self) -> str:
        return " ".join(
            (self.kind.name, self.cut, self.client, self.era, self.transport, self.life, f"then {self.next}")
        )

    @property
    def exists(self) -> bool:
        """Since 2026-07-28 no call is under way while a form is open: only the end of the client can cut there."""
        return self.cut != FORM or self.era == ERAS[0] or self.life == KILLED


def cells() -> Iterator[Cell]:
    """All of them."""
    for kind in KINDS:
        for cut in kind.cuts:
            for client, eras in CLIENTS.items():
                for era in eras:
                    for transport in TRANSPORTS:
                        for life in LIVES:
                            for following in kind.nexts:
                                cell = Cell(kind, cut, client, era, transport, life, following)
                                if cell.exists:
                                    yield cell
