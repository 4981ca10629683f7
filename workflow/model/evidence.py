"""Evidence: what a person answered, and to exactly what."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from workflow.model.characters import compatible, drawn
from workflow.model.frozen import Noun, as_dict
from workflow.model.instant import Instant
from workflow.model.signature import Signature

STRENGTHS = ("relayed", "asked", "proven", "signed")
"""Weakest first: the agent reports it, this program asked, it came with a passphrase, a passkey signed it."""

SIGNED = STRENGTHS[-1]
BY_THEMSELVES = STRENGTHS[2:]
"""Worth more than what a form or an agent can pass on: the person shows who they are."""
WORTH = "`proven` and `signed` mean something only where the agent runs as another user than the owner of this store."
DISPLAYED = "That the browser displayed the text is the word of the server; the signature does not show it."


def at_least(strength: str, needed: str) -> bool:
    """Whether evidence of ``strength`` is enough where ``needed`` is the least."""
    return STRENGTHS.index(strength) >= STRENGTHS.index(needed)


SHORTEST_COPY = 32
"""Letters and digits from which on the same words are taken for a copy; wide ones count twice (decision 043)."""


def wordless(quote: str) -> bool:
    """Whether nobody can have said that: no letter, no digit and no sign such as 👍 that is drawn, only punctuation."""
    return not any(unicodedata.category(char)[0] in "LN" or unicodedata.category(char) == "So" for char in drawn(quote))


def blank(text: str) -> bool:
    """Whether nothing is drawn of the text, or nothing but punctuation beside what is not drawn."""
    seen = drawn(text)
    return not seen.strip() or (seen != text and wordless(seen))


def copyable(quote: str) -> bool:
    """Whether it is long enough that nobody says just that by chance."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in _bare(quote)) >= SHORTEST_COPY


def copied(quote: str, texts: Iterable[str]) -> bool:
    """Whether a quote that is :func:`copyable` stands as it is in one of these, whatever its marks, case and spaces."""
    return copyable(quote) and any(_bare(quote) in _bare(text) for text in texts)


def holds_words(quote: str, words: str) -> bool:
    """Whether ``words`` stand in ``quote`` as they are: in one piece, in this case, no word or number cut in two.

    Spaces and Unicode's ways to compose a character make no difference; a character that nobody sees does.
    """
    whole, part = one_spelling(quote), one_spelling(words)
    start = whole.find(part) if part else -1
    while start >= 0:
        end = start + len(part)
        if not _one_word(whole[start - 1 : start], part[0]) and not _one_word(part[-1], whole[end : end + 1]):
            return True
        start = whole.find(part, start + 1)
    return False


def one_spelling(text: str) -> str:
    """The text in NFC, with single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def _one_word(left: str, right: str) -> bool:
    """Whether two neighbours belong together: digits, letters of scripts that know case, and marks on a letter.

    Chinese, Japanese or Thai are written without spaces, and their letters have no case.
    """
    if not left or not right:
        return False
    return bool(unicodedata.combining(right)) or all(
        each.isdecimal() or each.lower() != each.upper() for each in (left, right)
    )


class Evidence(Noun):
    """One answer to one gate, bound to ``subject``, the digest of what it was an answer to.

    ``taken`` is when, by both clocks: its term counts from then. ``client`` is the program that put the question, by
    its own name and version; ``approver`` who proved it; ``service`` the address that it lets calls go to: the real
    one's or a sandbox's. ``translation`` is the question in the person's language, as the agent gives it: nobody has
    checked it. ``used`` is for how many performances it has counted.
    ``role`` is the one that the gate asked for, ``roles`` the digest of the table that said who held it. ``signature``
    is that of the approver's passkey.
    """

    gate: str
    subject: str
    quote: str
    channel: str
    strength: str
    at: str
    taken: Instant
    item: str | None = None
    client: str | None = None
    approver: str | None = None
    service: str | None = None
    translation: str | None = None
    used: int = 0
    role: str | None = None
    roles: str | None = None
    signature: Signature | None = None

    def is_for(self, item: Mapping[str, Any] | str | None) -> bool:
        """Whether it is an answer for this item, or its digest, or for no item in particular."""
        digest = item["sha256"] if isinstance(item, Mapping) else item
        return self.item is None or digest is None or self.item == digest

    def as_json(self) -> dict[str, Any]:
        """For the journal and the snapshot; what is not there has no key in :data:`_LATER`."""
        told = as_dict(self) | {"taken": self.taken.as_json()}
        return {name: value for name, value in told.items() if name not in _LATER or value}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Evidence:
        """The inverse of :meth:`as_json`."""
        known = {**value, "taken": Instant(*value["taken"])}
        if "signature" in value:
            known["signature"] = Signature.from_json(value["signature"])
        return cls(**known)


_LATER = ("translation", "used", "role", "roles", "signature")
"""Fields that most answers do not have."""


def _bare(text: str) -> str:
    """Letters and digits alone."""
    return "".join(filter(str.isalnum, compatible(drawn(text)).casefold()))
