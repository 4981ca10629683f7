"""What the calls of a server have in common: how an engine is opened, and what waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import anyio

from workflow.engine import Engine, View
from workflow.mcp_server.caller import Caller
from workflow.mcp_server.uploads import Spool
from workflow.model.errors import StoreError, WorkflowError
from workflow.model.frozen import replace
from workflow.model.reply import Reply
from workflow.model.surface import RELAY, Surface
from workflow.store.visible import VisibleStore

Seen = TypeVar("Seen", bound=View)


@dataclass
class Desk:
    """One for each pipe, or for all clients of a broker.

    ``open_engine`` is called for each call, so that a gate that the user raises holds at once; ``open_view`` for each
    that only looks, so that it works where no turn can be taken. ``beginning`` gives what a new session starts with;
    ``told`` says of a subject, such as "This session", whether what begins now is real, and with which key and store;
    ``secret`` makes the codes of questions, and outlives the process; ``spool`` keeps files that come by content, where
    none may be named by path.
    """

    open_engine: Callable[[], Engine]
    beginning: Callable[[], Mapping[str, Any]]
    told: Callable[[str], str]
    secret: bytes = field(repr=False)
    spool: Spool | None = None
    open_view: Callable[[], View] | None = None
    _waits: set[anyio.CancelScope] = field(default_factory=set)
    _stopped: bool = False

    def engine(self, caller: Caller | None, surface: Surface = RELAY, *, tool: str = "") -> Engine:
        """The engine as this caller has it: sessions that are not theirs do not exist. Over a pipe, all do.

        Its replies are phrased for ``surface``. Raises :class:`WorkflowError` for a request that came to a broker and
        whose caller is not known.
        """
        return self._narrowed(self.open_engine(), caller, surface, tool)

    def view(self, caller: Caller | None, surface: Surface = RELAY) -> View:
        """As :meth:`engine`, for looking alone."""
        return self._narrowed(self.open_view() if self.open_view else self.open_engine(), caller, surface)

    def _narrowed(self, whole: Seen, caller: Caller | None, surface: Surface, tool: str = "") -> Seen:
        seen = copy(whole)
        seen.world = replace(seen.world, surface=surface)
        if caller is not None:
            store = VisibleStore(seen.world.store, partial(caller.sees, tool=tool), caller.lists)
            seen.world = replace(seen.world, store=store)
        elif self.spool is not None:
            raise StoreError("nobody knows whose request this is", "Call the broker again; nothing was done.")
        return seen

    def unsay(self, reply: Reply) -> None:
        """Nobody waits for this reply any more: what it said is offered again."""
        with suppress(
            WorkflowError
        ):  # what cannot be noted now is offered again by the next turn that does not name it
            self.open_engine().unsay(reply, "the client no longer waited for it")

    def received(
        self, input: Mapping[str, Any] | None, caller: Caller | None = None
    ) -> AbstractContextManager[dict[str, Any]]:
        """An event's data as the engine takes them: files that came by content are spooled while it lasts.

        Raises :class:`UsageError` for a path where files come by content, or a broken content.
        """
        given = dict(input or {})
        if self.spool is None:
            return nullcontext(given)
        return self.spool.received(given, self.open_engine, caller.owner if caller else "")

    @contextmanager
    def wait(self) -> Iterator[None]:
        """Within this a call waits for something outside; the end of the server cuts it short."""
        with anyio.CancelScope() as scope:
            self._waits.add(scope)
            if self._stopped:
                scope.cancel()
            try:
                yield
            finally:
                self._waits.discard(scope)

    def stop(self) -> None:
        """The server ends: nobody waits any more, here or later. For the thread of the event loop."""
        self._stopped = True
        for scope in self._waits:
            scope.cancel()
