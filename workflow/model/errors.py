"""Everything Phasegate raises. A refusal is not here: it is a value (``machine.Refused``).

WorkflowError
├── UsageError              the caller's own input cannot be read
├── BundleError             the bundle cannot be used
│   ├── DefinitionError     ... with path, line and column
│   ├── BundleFaults        all of these at once
│   ├── UnknownName
│   ├── UndeclaredRead      a guard looks at what it did not declare
│   ├── UnsetDatum          a guard or an action reads a datum that has no value yet
│   ├── Undecidable         a guard that is needed cannot tell
│   └── MissingPrompt
├── SessionError
│   ├── SessionNotFound
│   ├── SessionBusy
│   ├── StaleRevision
│   └── BundleChanged
├── Braked                  a paid call that a person or a limit holds back
│   ├── Paused
│   └── Limited
├── StoreError
│   ├── NameTaken           ... by a session that exists: choose another
│   ├── SetBack             the store or a session may be older than what was paid for
│   ├── LedgerUnusable
│   └── JournalTampered     ... with the sequence number
└── ActionError             a call of the service did not succeed
    ├── HostNotAllowed
    ├── CredentialsError    found out before anything left
    ├── FileChanged         not the bytes that were consented to
    ├── Unreachable         nothing left: no connection
    ├── NoAnswer            it may have left, and nothing came back
    ├── BadResponse         something came back that is no answer
    ├── ApiError            the service said no
    └── InDoubt             a paid call whose outcome is unknown
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from workflow.model.surface import Machine


class WorkflowError(Exception):
    """The root: ``str()`` names the thing, ``hint`` the next step."""

    type: ClassVar[str] = "internal"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(WorkflowError):
    """The caller's input cannot be read: wrong shape, unknown option, malformed tag."""

    type = "usage"


class BundleError(WorkflowError):
    """The bundle cannot be used."""

    type = "bundle"


class DefinitionError(BundleError):
    """A fault in a file of the bundle, ``workflow.yaml`` above all; ``line`` and ``column`` count from 1.

    ``trace`` tells, line by line, the turns of a run that show it; ``code`` is the kind of check that found it.
    ``slip`` is the unknown name that it is about, if it is about one: its kind, the name, and what was meant. ``also``
    are the other places of the same slip: path, line and column.
    """

    def __init__(
        self, message: str, path: str, line: int, column: int, hint: str = "", trace: Iterable[str] = ()
    ) -> None:
        super().__init__(f"{path}:{line}:{column}: {message}", hint)
        self.path, self.line, self.column = path, line, column
        self.trace = tuple(trace)
        self.code = ""
        self.slip: Any = None
        self.also: tuple[tuple[str, int, int], ...] = ()


class BundleFaults(BundleError):
    """Everything that is wrong with a bundle, at once; ``problems`` are in the order of files and lines."""

    def __init__(self, problems: Iterable[DefinitionError]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            "\n".join(problem.message for problem in self.problems),
            Machine("Correct these, and check again with `workflow lint`."),
        )


class UnknownName(BundleError):
    """A name that nothing defines."""


class UndeclaredRead(BundleError):
    """A guard looks at a datum, an input or a setting that it did not declare."""


class UnsetDatum(BundleError, KeyError):
    """A guard or an action reads a datum that has no value yet, or that the bundle does not have."""

    def __str__(self) -> str:
        return self.message


class Undecidable(BundleError):
    """A choice that no guard can make: the guard ``guard`` raised, or gave no verdict.

    ``verdicts`` are those of the whole table, for the journal.
    """

    def __init__(self, guard: str, reason: str, verdicts: Mapping[str, Any]) -> None:
        super().__init__(
            reason, Machine("Fix the guard, check it with `workflow lint` and `workflow test`; then send `retry`.")
        )
        self.guard = guard
        self.verdicts = verdicts


class MissingPrompt(BundleError):
    """A message without a text in a declared language."""


class SessionError(WorkflowError):
    """The session cannot take this turn."""


class SessionNotFound(SessionError):
    """No session of that name."""

    type = "not_found"


class SessionBusy(SessionError):
    """Another process holds the session."""

    type = "busy"


class HoldLost(SessionBusy):
    """This turn held the session, and does not any more."""


class StaleRevision(SessionError):
    """The turn was meant for an older revision than the session's."""

    type = "stale"


class BundleChanged(SessionError):
    """The bundle on disk no longer fits the session."""

    type = "bundle"


class Braked(WorkflowError):
    """A call does not leave, and nothing of it was written.

    ``kind`` is its class, and ``facts`` is what an entry keeps of it.
    """

    kind: ClassVar[str]

    def __init__(self, message: str, facts: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.facts = facts


class Paused(Braked):
    """A person paused the session, its bundle or everything."""

    kind = "paused"


class Limited(Braked):
    """As many calls as a limit lets through have left within its window."""

    kind = "limited"


class StoreError(WorkflowError):
    """The store cannot be read or written."""

    type = "store"


class NameTaken(StoreError):
    """A new session was to have the name of one that exists."""


class SetBack(StoreError):
    """No paid call may leave: the store is a copy, was moved, or knows less than the ledger; or the ledger is lost."""


class LedgerUnusable(StoreError):
    """The ledger cannot be opened, read or written, or is somebody else's; nothing is paid without it."""


class JournalTampered(StoreError):
    """The journal's chain breaks at entry ``seq``."""

    def __init__(self, message: str, seq: int, hint: str = "") -> None:
        super().__init__(message, hint)
        self.seq = seq


class ActionError(WorkflowError):
    """A call of the service did not succeed.

    ``kind`` is the error class that ``failed`` and ``trouble`` route by; ``definite`` says that the
    service certainly did not do it; ``transient`` that the same call may succeed a little later,
    not before ``retry_after`` seconds; ``request_id`` is the service's own name for the request, and
    ``status`` the HTTP status of its answer, if one came.
    """

    type = "service"
    definite: ClassVar[bool] = True

    def __init__(
        self,
        message: str,
        kind: str = "upstream",
        *,
        transient: bool = False,
        retry_after: float | None = None,
        request_id: str | None = None,
        status: int | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(str(message), hint)
        self.kind = str(kind)
        self.transient = transient
        self.retry_after = retry_after
        self.request_id = request_id
        self.status = status


class HostNotAllowed(ActionError):
    """A request for another host, scheme or port than the bundle's service."""


class CredentialsError(ActionError):
    """No key (``no_key``) or one that cannot be a key (``credentials``); nothing has left."""

    type = "credentials"


class FileChanged(ActionError):
    """The file is not the bytes that were offered: kind ``stale``.

    ``now`` is the file as it was found (a ``files.Offered``), None if it could not be read at all.
    """

    now: Any = None


class Unreachable(ActionError):
    """No connection was made, so nothing has left.

    ``obstacle`` says what stood in the way, where the HTTP layer wrote the message: ``connection`` or ``certificate``.
    """

    obstacle: str = ""


class NoAnswer(ActionError):
    """The request may have left; no answer came in time, or the connection broke."""

    definite = False


class BadResponse(ActionError):
    """The answer cannot be understood: a redirect, no JSON, too large, hostile."""

    definite = False


class ApiError(ActionError):
    """The service answered that it did not do it; ``kind`` is the bundle's class of the error."""


class InDoubt(ActionError):
    """A call whose effect is ``once`` may or may not have happened."""

    type = "in_doubt"
    definite = False
