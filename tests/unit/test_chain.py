"""The chain of a store by itself: whatever of it does not fit the sessions and entries is found, and said."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from workflow.model.errors import JournalTampered, UsageError
from workflow.model.journal import START, receipt
from workflow.store.chain import check_chain, linked

Links = list[tuple[int, str, int, str, str | None]]
Ends = list[tuple[str, int, str, int | None, int]]


def whole() -> tuple[Links, Ends]:
    """Two sessions, one of which was written to twice."""
    links: Links = []
    for number, (name, seq) in enumerate([("amber-fox", 1), ("blue-owl", 1), ("amber-fox", 3)], 1):
        head = f"{name[0]}{seq}" * 32
        previous = links[-1][3] if links else START
        links.append((number, name, seq, linked(previous, number, name, seq, head), head))
    return links, [("amber-fox", 3, "a3" * 32, 3, 3), ("blue-owl", 1, "b1" * 32, 1, 1)]


Edit = Callable[[Links, Ends], object]
EDITS: dict[str, tuple[Edit, str]] = {
    "a link is missing": (lambda links, ends: links.pop(1), "link 2 of the store's chain is missing"),
    "its entry is missing": (
        lambda links, ends: links.__setitem__(1, (*links[1][:4], None)),
        "entry 1 of session blue-owl was deleted",
    ),
    "its entry is another": (
        lambda links, ends: links.__setitem__(1, (*links[1][:4], "b2" * 32)),
        "link 2 .* does not match session blue-owl",
    ),
    "the last link is missing": (lambda links, ends: links.pop(), "amber-fox is not as the store's chain says"),
    "a session was set back": (
        lambda links, ends: ends.__setitem__(0, ("amber-fox", 1, "a1" * 32, 1, 1)),
        "amber-fox is not as the store's chain says",
    ),
    "entries were added": (
        lambda links, ends: ends.__setitem__(1, ("blue-owl", 1, "b1" * 32, 2, 2)),
        "blue-owl is not as the store's chain says",
    ),
    "entries were left out": (
        lambda links, ends: ends.__setitem__(0, ("amber-fox", 3, "a3" * 32, 3, 2)),
        "amber-fox is not as the store's chain says",
    ),
    "a session was added": (
        lambda links, ends: ends.append(("red-elk", 1, "c1" * 32, 1, 1)),
        "red-elk is not as the store's chain says",
    ),
    "a session was deleted": (lambda links, ends: ends.pop(), "a session that the store's chain names was deleted"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_what_does_not_fit_is_found(edit: str) -> None:
    """Each by itself, without a receipt: the chain, the sessions and the entries have to agree."""
    change, told = EDITS[edit]
    links, ends = whole()
    assert check_chain(links, ends).sessions == 2
    change(links, ends)
    with pytest.raises(JournalTampered, match=told):
        check_chain(links, ends)


def test_what_was_set_back_as_a_whole_is_found_by_a_receipt() -> None:
    """A shorter chain that fits is told from the true one by what was kept elsewhere, and by nothing else."""
    links, ends = whole()
    kept = check_chain(links, ends).receipt
    assert check_chain(links, ends, kept).receipt == kept == receipt(3, links[-1][3])
    links.pop()
    ends[0] = ("amber-fox", 1, "a1" * 32, 1, 1)
    assert check_chain(links, ends).links == 2
    with pytest.raises(JournalTampered, match="does not hold the head"):
        check_chain(links, ends, kept)
    with pytest.raises(UsageError, match="is not a receipt"):
        check_chain(links, ends, "3")
