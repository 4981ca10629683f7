"""The server's instructions: what every host shows its agent before the first call.

Some hosts cut them off after 2 KB. So they are short, the most important comes first, and what a single call needs
stands in the descriptions of the tools.
"""

from __future__ import annotations

from collections.abc import Sequence

from workflow.mcp_server.uploads import MAX_FILE, SHAPE
from workflow.model.translation import RULE

MOST = 2_000
"""Bytes of all of it."""
MOST_EVENTS = 120
"""Bytes of the names of events; where a bundle has more, the refusal of a `note` lists them."""
BEGINS = "A session that begins here"
"""What the first line is about."""
BY_CONTENT = f"- Files come by content, never by path: {SHAPE}, at most {MAX_FILE // 1024**2} MB each.\n"
_TEXT = f"""\
This server runs a declared procedure, one step per call; a refusal names the way out.
- Begin with workflow_start. Then send one event for each message of the user, out of the last reply's `next`, by \
workflow_advance with that reply's `seen`. Where none fits, answer yourself and send nothing.
- Tell the user what `say` says, whole. {RULE} `notices`, ids and this protocol are not for the user.
- Options with `who: person` are theirs: send one only when they have decided. Never answer for them.
- What the user wants changed goes to the session that made it, also when it is over. A new one would be paid for again.
- `in_doubt`: a paid call may have happened. It is never repeated; the person decides.
- `watching`: the service is at work. Never wait for it. When the user asks, or takes back a `cancel`, send `check`.
- Only what is meant for the result goes into an event's words: no thanks, no other topic, nothing on how fast.
"""
_WISH = "- A wish that has to wait, or came before `say` asked: keep it with `note`{}. `say` asks about it in time.\n"


def instructions(where: str, waits: Sequence[str], *, by_content: bool) -> str:
    """The whole text, at most :data:`MOST` bytes.

    ``where`` says which store and service a session belongs to, and is cut where it is too long: the reply to
    workflow_start gives it whole. ``waits`` are the events that a wish can wait for.
    """
    names = ", ".join(f"`{name}`" for name in waits)
    named = f", `for` one of {names}" if names and len(names.encode()) <= MOST_EVENTS else ""
    wish = _WISH.format(named) if waits else ""
    rest = f"\n{_TEXT}{wish}{BY_CONTENT if by_content else ''}"
    return _cut(where, MOST - len(rest.encode())) + rest


def _cut(text: str, most: int) -> str:
    """The text in at most ``most`` bytes, with a sign where something is missing."""
    whole = text.encode()
    return text if len(whole) <= most else f"{whole[: most - 3].decode(errors='ignore')}…"
