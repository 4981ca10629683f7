"""What one client's calls have in common: how an engine is opened, and what that client was told last."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from workflow.engine import Engine
from workflow.errors import WorkflowError
from workflow.reply import Reply


@dataclass
class Desk:
    """One for each connection.

    ``open_engine`` is called for each call, so that a gate that the user raises holds at once; ``beginning``
    gives what a new session starts with; ``secret`` makes the codes of questions, and outlives the process.
    """

    open_engine: Callable[[], Engine]
    beginning: Callable[[], Mapping[str, Any]]
    secret: bytes = field(repr=False)
    _told: list[Reply] = field(default_factory=list)

    def tell(self, reply: Reply) -> None:
        """Keep in mind what this reply claims to have said."""
        if reply.claims:
            self._told.append(reply)

    def heard(self) -> None:
        """The client has called again, so the replies before have reached it: what they claimed was said."""
        told, self._told = self._told, []
        for reply in told:
            with suppress(WorkflowError):  # what cannot be noted now is offered again, as maybe said
                self.open_engine().confirm(reply)
