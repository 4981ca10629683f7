"""Which sessions a text can be in, so that a search compares those and no others.

The index has every three characters in a row of names and first words, in any case, with two more characters at the end
of each: one or two characters are therefore the beginning of a trigram wherever they stand. It finds too many sessions,
never too few, and each is compared with the text itself: an index that somebody edited can hide a session, not change
one.
"""

from __future__ import annotations

from workflow.store import statements
from workflow.store.connection import Connection, fetch_all, trigrams

FEW = 1000
"""Candidates that are worth sorting. A text that more sessions have is soon found among the latest ones."""
_GRAM = 3
_LONGEST = 64
"""Characters of a text that are looked up; the rest is compared."""
_LAST = chr(0x10FFFF)
"""No character sorts after it."""


def candidates(connection: Connection, text: str) -> list[int] | None:
    """Return the numbers of the sessions that can have ``text`` in name, state or first words.

    None if all of them have to be compared: there is no text, or more than ``FEW`` have it.
    """
    words = _expression(text)
    if words:
        found = fetch_all(connection, statements.CANDIDATES, text, FEW + 1, words)
    elif text and "\0" not in text:
        start = _folded(connection, text)
        found = fetch_all(connection, statements.CANDIDATES_OF_A_START, text, FEW + 1, start, start + _LAST)
    else:
        return None
    return None if len(found) > FEW else sorted({row[0] for row in found})


def _folded(connection: Connection, text: str) -> str:
    """One or two characters as the index has them."""
    return trigrams(connection, text + statements.END)[0].removesuffix(statements.END[: _GRAM - len(text)])


def _expression(text: str) -> str:
    """All of its trigrams, as FTS5 reads them; empty if there is none. A NUL would end the expression."""
    start = text[:_LONGEST]
    grams = dict.fromkeys(start[at : at + _GRAM] for at in range(len(start) - _GRAM + 1))
    return " AND ".join('"' + gram.replace('"', '""') + '"' for gram in grams if "\0" not in gram)
