"""What the engine needs from the world: a store, a clock, a service, each with several adapters; and what they pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any, Protocol

from workflow.model.brakes import Pause, Use
from workflow.model.errors import BadResponse
from workflow.model.fault import Fault
from workflow.model.frozen import Noun
from workflow.model.instant import Instant
from workflow.model.journal import Entry
from workflow.model.ledger import Payment
from workflow.model.session import Session
from workflow.model.strict_json import JsonError, read_json


class Upload(Noun, hide=("content",)):
    """One file part and the text parts sent before it, as multipart/form-data."""

    field: str
    name: str
    content: bytes
    fields: Mapping[str, str] = {}


class Response(Noun, hide=("body",)):
    """What came back, 4xx and 5xx included; header names are in lower case, ``body`` is decoded."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    request_id: str | None

    def json(self) -> dict[str, Any]:
        """The body as a JSON object, read strictly; raises ``BadResponse`` for anything else."""
        try:
            value = read_json(self.body, what="The answer")
        except JsonError as error:
            fault = str(error)
        else:
            if isinstance(value, dict):
                return value
            fault = "The answer is not a JSON object"
        raise BadResponse(f"{fault} (HTTP {self.status}).", request_id=self.request_id, status=self.status)


class Clock(Protocol):
    """Time; tests inject their own."""

    def now(self) -> Instant:
        """This moment, by the wall and by the boot clock."""

    def sleep(self, seconds: float) -> None:
        """Wait; nothing is held meanwhile but the caller."""


class Summary(Noun):
    """One line of the list of sessions; times are ISO 8601, UTC."""

    name: str
    workflow: str
    state: str
    status: str
    revision: int
    created: str
    updated: str
    owner: str | None = None
    sandbox: str | None = None
    """The address of the sandbox that it began with; None where its calls are real."""
    about: str = ""
    """The first words that it began with: somebody else's, so that surfaces mark them."""
    due: str | None = None
    """When something happens by itself if nobody answers, by the clock as it was when its time began."""


class Over(Noun):
    """A session that has ended and still holds its content: since when, and how many bytes its content takes."""

    name: str
    status: str
    updated: str
    size: int


class Record(Noun):
    """Everything that is stored of one session, at one instant: for audits, which compare it with the entries.

    ``summary``, ``seq`` and ``head`` are what it is listed and found by, ``turns`` the turns that its entries
    are found by; ``session`` is what ``snapshot``, the stored text, says, whether it is true or not.
    ``definitions`` are what was kept of the session's bundle, ``timers`` what it is found by when something is due.
    """

    summary: Summary
    seq: int
    head: str
    session: Session
    snapshot: str
    entries: tuple[Entry, ...]
    turns: Mapping[int, str]
    definitions: tuple[str, ...]
    timers: tuple[tuple[str, float, float, str], ...] = ()


class Chain(Noun):
    """The chain of a whole store: how many sessions and links it has, and its head as a receipt."""

    sessions: int
    links: int
    receipt: str


CALL = "call"
"""The part of a session that is held while a call is out that may be repeated: nobody else makes it meanwhile."""
LONGEST_CALL = 600.0
"""Seconds in which a paid call has left and been answered, counted from before its intent; a hold outlasts them."""


class Holder(Noun):
    """Who holds a session: a process, the command that it runs, and since when (ISO 8601, UTC); empty = unknown.

    ``stopped`` says that it was stopped by a signal: it holds the session and does nothing. ``host`` is the machine,
    empty for this one.
    """

    pid: int
    command: str = ""
    since: str = ""
    stopped: bool = False
    host: str = ""

    @property
    def sentence(self) -> str:
        """For errors and notices."""
        where = f" on {self.host}" if self.host else ""
        if not self.since:
            return f"a process{where} that cannot be named"
        stopped = ", which was stopped (SIGSTOP)" if self.stopped else ""
        return f"process {self.pid} ({self.command}){where}{stopped}, since {self.since}"


class Held(Protocol):
    """A hold in hand: what :meth:`Store.append` takes as the right to append."""

    @property
    def name(self) -> str:
        """The session that is held."""

    def release(self) -> None:
        """Let go before the block ends, so that others can have the session; idempotent."""

    def retake(self, wait: float = 0.0) -> None:
        """Take it again, also after it was lost; raises :class:`SessionBusy` as :meth:`Store.hold` does.

        Others may have changed the session meanwhile: load it again.
        """


class Reader(Protocol):
    """What can be asked of sessions and journals, and changes none. Each method raises :class:`StoreError`."""

    def held_by(self, name: str, part: str = "") -> Holder | None:
        """Who holds ``name``, or this part of it, now; takes nothing. None if nobody does."""

    def load(self, name: str) -> Session | None:
        """The snapshot, or None if there is no such session.

        The last entry is compared with it: raises :class:`JournalTampered` where the journal does not end with the
        stored head.
        """

    def check_session(self, session: Session) -> None:
        """Raise :class:`JournalTampered` unless ``session``, and all that is stored of it, is what its journal says.

        What this process has verified is not read again as long as nobody else has written to the store.
        """

    def entries(self, name: str, after: int = 0) -> Iterator[Entry]:
        """The journal of ``name`` in order, after entry ``after``."""

    def entry_hash(self, name: str, seq: int) -> str | None:
        """The hash of one entry; None if there is none."""

    def record(self, name: str) -> Record | None:
        """All that is stored of a session, of one instant; None if there is no such session."""

    def log(self, *, since: str = "", kinds: Sequence[str] = (), limit: int = 1000) -> list[Entry]:
        """The latest entries of all sessions, in the order of their times, of these kinds or of any.

        ``since`` is the earliest time, ISO 8601 in UTC as in the entries.
        """

    def find_turn(self, turn: str, name: str | None = None) -> Entry | None:
        """The entry that accepted the turn of this identity, in one session or (a start) in any."""

    def find_reply(self, name: str, after: int) -> Entry | None:
        """The first ``reply`` entry after ``after``."""

    def sessions(
        self,
        *,
        live: bool = False,
        search: str = "",
        state: str = "",
        status: str = "",
        owner: str = "",
        limit: int = 50,
        offset: int = 0,
    ) -> list[Summary]:
        """Sessions, the latest updated first; ``live`` leaves out those that have ended.

        ``search`` is a part of the name, of the state, or in any case of the first words; ``state`` is a full state or
        a phase, ``owner`` whoever's token began it; empty = any.
        """

    def count(self) -> tuple[int, str]:
        """How many sessions there are, and when the oldest began (ISO 8601, UTC); empty without any."""

    def over(self, before: str) -> list[Over]:
        """Sessions that have ended and have not changed since ``before``, oldest first; none that was forgotten.

        ``before`` is a time as in the entries.
        """

    def definition(self, key: str) -> str | None:
        """A compiled definition that was kept under ``key``, as JSON."""

    def definitions(self, bundle: str) -> tuple[str, ...]:
        """The compiled definitions of the bundle with this digest, one per engine that compiled it."""

    def faults(self, name: str | None = None) -> list[Fault]:
        """The faults that were kept of one session, or of all, oldest first; ``""`` is all that did not begin."""

    def verify(self, expect_head: str | None = None) -> Chain:
        """Check the chain of the whole store, and that each session ends where it says.

        ``expect_head`` is a receipt of the store. Raises :class:`JournalTampered` for sessions that were deleted, added
        or set back, and for anything in the database that the store did not make.
        """

    def backup(self, file: str) -> Chain:
        """Copy everything, of one instant, into a new file, and verify the copy with every session in it.

        Raises :class:`StoreError` if the file is there already, cannot be written whole, or would be a copy of a store
        that was edited.
        """

    def identity(self) -> str:
        """The id of the store, which goes into the names of its paid calls; another one after :meth:`adopt`."""

    def foreign(self) -> str:
        """Why the store is not itself: it is a copy that a backup made, or was moved; empty if it is."""

    def check_own(self) -> None:
        """Raise :class:`SetBack` for a foreign store."""

    def check_paying(self, session: str) -> None:
        """Raise :class:`SetBack` or :class:`LedgerUnusable` unless a paid call may leave; writes nothing.

        A foreign store pays for nothing, nor does one whose ledger was lost, is damaged, or knows more than it.
        """

    def pauses(self) -> list[Pause]:
        """Every pause that holds, in the order of scope and name."""

    def uses(self, use: Use, per: float) -> list[Instant]:
        """When the paid calls left that count against the same limits as ``use``, ``per`` seconds before it or later.

        A call counts from its intent on, until :meth:`Store.append` is told that it certainly did not happen.
        """

    def due(self, now: Instant) -> list[tuple[str, int]]:
        """Live sessions in which something may happen by itself now, with their sequence, in the order of their names.

        Within the boot of ``now`` its clock decides; of timers that began before it, the wall. Whether something
        holds a timer back only the session itself can tell.
        """

    def ledger_fault(self) -> str:
        """Why the ledger cannot be relied on: it was lost, is damaged, or is somebody else's; empty if it can."""

    def unknown_payments(self) -> list[Payment]:
        """What the ledger knows and the journals do not."""

    def check(self) -> list[str]:
        """What is wrong with the store as a whole; empty if it is sound. For ``doctor``."""

    def close(self) -> None:
        """Give everything back; idempotent."""


class Store(Reader, Protocol):
    """What can be asked, and the right to write. Every method raises :class:`StoreError` for a driver's errors."""

    def hold(self, name: str, wait: float = 0.0, part: str = "") -> AbstractContextManager[Held]:
        """The sole right to append to ``name``; freed when the holder dies.

        ``part`` is :data:`CALL` for the right to make its calls, which does not keep others from appending.
        Raises :class:`SessionBusy`, which names the holder, if another has it for longer than ``wait`` seconds.
        """

    def append(self, held: Held, entries: Sequence[Entry], session: Session, status: str) -> None:
        """Write entries and the snapshot in one durable commit.

        Raises :class:`HoldLost`, and writes nothing, unless ``held`` is the hold of this session now.
        The first entry of a new session must be its ``started``; a name or a turn that exists already, or an
        entry that does not follow the stored head, raises :class:`StoreError` and writes nothing.

        An intent is counted in the same commit, and a failed call that ``frees`` one takes it off again. Raises
        :class:`Paused` if a pause stops the session of an intent, and :class:`Limited` if one of the ``limits`` in it
        lets no more through; then nothing is written.
        """

    def pause(self, pause: Pause) -> bool:
        """Keep a pause until :meth:`unpause`; False, and nothing changes, if that session, bundle or all is paused."""

    def unpause(self, scope: str, name: str) -> bool:
        """End the pause of this scope and name; False if there is none."""

    def forget(self, held: Held, entry: Entry, session: Session, status: str, *, sweep: bool = True) -> None:
        """Append ``entry`` as :meth:`append` does, and erase what the entries before it held, in the same commit.

        Then whatever is left of their bytes is removed from the store's files, unless the caller does so for several
        sessions together. Raises :class:`StoreError` where this cannot be done now; :meth:`sweep` does it later.
        """

    def sweep(self) -> None:
        """Remove what is left of the bytes of erased content from the store's files."""

    def keep_definition(self, key: str, content: str) -> None:
        """Keep a compiled definition; the same key always has the same content."""

    def first_time(self, profile: str, occasion: str) -> bool:
        """True once per profile and occasion, recorded as it is asked."""

    def note_fault(self, fault: Fault) -> None:
        """Keep a fault in a bundle's code for its author: the latest :data:`MOST_FAULTS` of each session.

        It stands outside of the journal, and :meth:`forget` erases it.
        """

    def begin_ledger(self, time: str) -> None:
        """Make the ledger before the first intent; without it, whoever finds none knows that it was lost."""

    def enter(self, payment: Payment) -> None:
        """Write a paid call down in the ledger, durably, after the commit of its intent and before it leaves.

        Raises :class:`LedgerUnusable` where that is not possible; then the call must not leave.
        """

    def adopt(self, time: str) -> list[str]:
        """Make the store its own where it is now, and repair its ledger; returns the damaged files it set aside."""


class Service(Protocol):
    """The bundle's service, guarded: one host, no redirects, a total deadline."""

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        json: object = None,
        upload: Upload | None = None,
        timeout: float,
    ) -> Response:
        """One request; raises an :class:`ActionError` if there is no usable answer."""


class Connection(Noun):
    """A service as one turn sees it: its address, its calls, and the key that no text may hold.

    ``notices`` fills up as the key is read: what its user should know, such as a file mode that was repaired.
    ``advice`` gives the next step where the service cannot be reached, by the obstacle (see ``Unreachable``).
    """

    base_url: str
    make_service: Callable[[], Service]
    key: Callable[[], str]
    notices: list[str] = []
    advice: Callable[[str], str] = lambda obstacle: ""

    @cached_property
    def service(self) -> Service:
        """Made when it is first used: most turns make no call (decision 12)."""
        return self.make_service()
