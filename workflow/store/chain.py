"""The chain of the whole store: one link per append, so that a deleted or reset session leaves a gap.

A link covers the link before it and the session's new head. Content that is erased later changes no link.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from workflow.model.digest import digest, sha256
from workflow.model.errors import JournalTampered, UsageError
from workflow.model.journal import START, receipt
from workflow.model.ports import Chain

FORMAT = 1
RECEIPT = re.compile(r"[1-9][0-9]{0,9}:[0-9a-f]{24}", re.ASCII)
HINT = "Restore the store from a backup, or compare with a receipt of the store that was kept elsewhere."


def linked(previous: str, number: int, session: str, seq: int, head: str) -> str:
    """The hash of a link; names and hashes need no escape in JSON."""
    return sha256(f'[{FORMAT},"{previous}",{number},"{session}",{seq},"{head}"]'.encode())


def check_receipt(text: str | None) -> None:
    """Raise :class:`UsageError` for a text that is not a receipt."""
    if text is not None and not RECEIPT.fullmatch(text):
        raise UsageError(
            f"{text[:60]!r} is not a receipt", "Give one as a reply shows it, such as 12:ab12cd34ef56ab12cd34ef56."
        )


def check_chain(links: Iterable[Any], sessions: Iterable[Any], expect_head: str | None = None) -> Chain:
    """Compare the links with the sessions and entries; raises :class:`JournalTampered` at the first that does not fit.

    ``links`` are (number, session, sequence, hash, hash of that entry or None) in their order, ``sessions`` are (name,
    sequence, head, last sequence in the journal, number of its entries), with None for a row that is missing.
    """
    check_receipt(expect_head)
    previous, count, last = START, 0, dict[str, tuple[int, str]]()
    seen = expect_head is None
    for count, (number, session, seq, link, head) in enumerate(links, 1):
        if number != count:
            raise JournalTampered(f"link {count} of the store's chain is missing", count, HINT)
        if head is None:
            raise JournalTampered(f"entry {seq} of session {session[:64]} was deleted from the store", count, HINT)
        if link != digest([FORMAT, previous, number, session, seq, head]):
            message = f"link {number} of the store's chain does not match session {session[:64]}"
            raise JournalTampered(message, count, HINT)
        previous = link
        last[session] = (seq, head)
        seen = seen or receipt(count, link) == expect_head
    _check_ends(list(sessions), last, count)
    if not seen:
        message = f"the store does not hold the head {expect_head}: sessions were deleted, or the store was set back"
        raise JournalTampered(message, count, HINT)
    return Chain(len(last), count, receipt(count, previous))


def _check_ends(sessions: Sequence[Any], last: Mapping[str, tuple[int, str]], count: int) -> None:
    """Each session is where the last link about it says, and has as many entries."""
    for name, seq, head, end, entries in sessions:
        if (seq, head) != last.get(name) or (end, entries) != (seq, seq):
            message = f"session {name[:64]} is not as the store's chain says: entries were added, deleted or moved"
            raise JournalTampered(message, count, HINT)
    if len(sessions) != len(last):
        raise JournalTampered("a session that the store's chain names was deleted", count, HINT)
