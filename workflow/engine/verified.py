"""Sessions that this process vouches for: their journals were verified, and added up to this."""

from __future__ import annotations

import threading

from workflow.model.errors import JournalTampered
from workflow.model.journal import fold, verify
from workflow.model.ports import Store
from workflow.model.session import Session

MOST = 1_000
"""Sessions that are remembered; any other is verified from its first entry."""


class Vouched:
    """What verified journals add up to, so that only what was added since is verified again.

    What is remembered here cannot be edited from outside. Texts are compared: to Python, 1, 1.0 and true are the same.
    """

    def __init__(self) -> None:
        self._known: dict[str, Session] = {}
        self._lock = threading.Lock()

    def check(self, store: Store, stored: Session) -> None:
        """Raise :class:`JournalTampered` unless the journal's chain holds and adds up to ``stored`` (decision 36)."""
        known = self._known.get(stored.name)
        if not _leads(store, known, stored) and _added_up(store, None, stored) != stored.text:
            hint = f"Run `workflow audit verify {stored.name}`, and restore the store from a backup."
            raise JournalTampered("the stored session is not what its journal adds up to", stored.seq, hint)
        self._keep(stored)

    def follow(self, before: Session | None, after: Session) -> None:
        """A turn that led from ``before``, None for nothing, to ``after`` is stored: vouch for this as for that."""
        known = self._known.get(after.name)
        if before is None or (known and known.text == before.text):
            self._keep(after)

    def _keep(self, session: Session) -> None:
        with self._lock:
            self._known.pop(session.name, None)
            self._known[session.name] = session
            if len(self._known) > MOST:
                del self._known[next(iter(self._known))]


def _leads(store: Store, known: Session | None, stored: Session) -> bool:
    """Whether what was verified before leads to ``stored``; if not, all of it has to be looked at."""
    if known is None or known.seq > stored.seq:
        return False
    try:
        return known.text == stored.text or _added_up(store, known, stored) == stored.text
    except JournalTampered:  # such as a store that was restored from a backup meanwhile
        return False


def _added_up(store: Store, known: Session | None, stored: Session) -> str | None:
    """What the entries behind ``known`` make of it, as text; raises :class:`JournalTampered`."""
    folded = known
    for entry in verify(store.entries(stored.name, known.seq if known else 0), after=known):
        folded = fold(folded, entry) if entry.seq <= stored.seq else folded
    return folded.text if folded else None
