"""The project's pages, help, errors and docstrings are plain English: ``make prose``."""

from __future__ import annotations

import pytest

from tests import prose

BANNED = {
    "It is drawn anew.": "again",
    "The cause is mended.": "fix",
    "List so many of them.": "at most",
    "Nothing is kept but for the key.": "except",
    "It waits for ever.": "always",
    "The reply is written behind the commit.": "after",
    "A fork is no retry.": "is not a",
}
PLAIN = (
    "It is drawn again, for every state.",
    "Foreign text stands behind a margin, and nothing is left behind.",
    "There is no session, and it is no longer open.",
    "`mend` and ``anew`` are code.",
    "```text\nMend it anew\n```",
    "[A wait](pages/begins-anew.md)",
    "\n".join(f"- item {number}" for number in range(100)),
)


def test_every_page_and_text_passes() -> None:
    """What `make prose` prints has to be rewritten."""
    assert prose.faults() == []


def test_it_reads_what_it_says() -> None:
    """Pages of each sort, and the help and docstrings of each room."""
    pages = {place for place, _ in prose.pages()}
    assert {"README.md", "docs/index.md", "workflow/store/README.md"} <= pages
    assert not any(place.startswith("docs/decisions/001") for place in pages)
    assert {place.split("/")[1] for place, _ in prose.docstrings()} == set(prose.ROOMS)
    assert "Maximum number to list." in {text for _, text in prose.texts()}


@pytest.mark.parametrize("text", BANNED)
def test_a_banned_word_is_found(text: str) -> None:
    """Each row of the table, with what to write instead."""
    (fault,) = prose.judged_words("here", text)
    assert fault.place == "here" and BANNED[text] in fault.better


@pytest.mark.parametrize("text", PLAIN)
def test_plain_text_and_code_pass(text: str) -> None:
    """Code, addresses and lists are no sentences."""
    assert not list(prose.judged_words("here", text)) and not list(prose.judged_length("here", text))


def test_a_long_sentence_is_found() -> None:
    """Forty words pass, one more does not; a full stop ends one."""
    assert not list(prose.judged_length("here", "word " * 40))
    assert not list(prose.judged_length("here", "word " * 39 + "word. " + "word " * 40))
    (fault,) = prose.judged_length("here", "word " * 41)
    assert "41" in fault.better
