"""The chain of entries: what it shows of tampering, and what it cannot show without a head kept elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from workflow.errors import JournalTampered
from workflow.journal import START, Entry, fold, seal, verify
from workflow.noun import replace

Journal = list[Entry]
BEGUN = {
    "workflow": "w",
    "bundle": "b",
    "path": "",
    "language": "en",
    "host": "generic",
    "profile": "p",
    "sandbox": None,
    "state": "a.b",
}


def journal(name: str = "amber-fox", length: int = 5) -> Journal:
    """A start and some refusals."""
    entries: Journal = []
    for seq in range(1, length + 1):
        previous = entries[-1].hash if entries else START
        body: dict[str, Any] = BEGUN if seq == 1 else {"given": seq, "reasons": [], "type": "refused"}
        kind = "started" if seq == 1 else "refusal"
        entries.append(seal(name, seq, previous, kind, f"2026-01-01T00:00:0{seq}.000Z", body, f"nonce-{seq}"))
    return entries


def changed(index: int, **values: Any) -> Callable[[Journal], Journal]:
    """One entry with other values."""
    return lambda entries: [*entries[:index], replace(entries[index], **values), *entries[index + 1 :]]


TAMPERED: dict[str, Callable[[Journal], Journal]] = {
    "another body": changed(2, body={"given": 99, "nonce": "nonce-3"}),
    "another time": changed(2, time="2020-01-01T00:00:00.000Z"),
    "another kind": changed(2, kind="confirm"),
    "another session": changed(2, session="other-fox"),
    "another digest": changed(2, digest="0" * 64, body=None),
    "dropped": lambda entries: [*entries[:2], *entries[3:]],
    "swapped": lambda entries: [*entries[:2], entries[3], entries[2], entries[4]],
    "doubled": lambda entries: [*entries[:3], *entries[2:]],
    "beheaded": lambda entries: entries[1:],
    "spliced": lambda entries: [*entries[:3], *journal("other-fox")[3:]],
    "renumbered": lambda entries: [*entries[:2], *(replace(each, seq=each.seq - 1) for each in entries[3:])],
}


@pytest.mark.parametrize("how", TAMPERED)
def test_tampering_breaks_the_chain(how: str) -> None:
    """Whatever is changed, dropped, moved or brought in from elsewhere: the first entry that does not hold is named."""
    with pytest.raises(JournalTampered) as caught:
        list(verify(TAMPERED[how](journal())))
    assert caught.value.seq in (1, 3, 4)


def test_an_honest_journal_holds_and_gives_its_entries() -> None:
    """Checked one by one, in order."""
    entries = journal()
    assert list(verify(entries)) == entries
    assert list(verify(entries, entries[-1].receipt)) == entries
    assert list(verify(entries, entries[2].receipt)) == entries


@pytest.mark.parametrize("cut", [lambda entries: entries[:4], lambda entries: journal("amber-fox", 4)])
def test_a_cut_shows_against_a_head_kept_elsewhere_only(cut: Callable[[Journal], Journal]) -> None:
    """A chain without its end is a chain: only a receipt that was quoted elsewhere can tell."""
    head = journal()[-1].receipt
    assert len(list(verify(cut(journal())))) == 4
    with pytest.raises(JournalTampered, match="cut or rewritten"):
        list(verify(cut(journal()), head))


def test_an_erased_body_leaves_the_chain_whole() -> None:
    """What people wrote can be forgotten; that something was there, and when, stays provable."""
    entries = journal()
    entries[2] = replace(entries[2], body=None)
    assert list(verify(entries)) == entries
    assert entries[2].turn is None
    session = fold(None, entries[0])
    with pytest.raises(JournalTampered, match="erased"):
        fold(session, entries[2])


def test_a_journal_begins_with_its_start() -> None:
    """Nothing else makes a session."""
    with pytest.raises(JournalTampered, match="begin"):
        fold(None, journal()[1])


def test_a_kind_that_is_none_is_never_sealed() -> None:
    """A slip in the engine's own code is found at once."""
    with pytest.raises(ValueError, match="unknown kind"):
        seal("amber-fox", 1, START, "gossip", "", {}, "")


def test_equal_bodies_do_not_have_equal_digests() -> None:
    """Two people who answered the same cannot be told by it, also after their words were erased."""
    one, two = (seal("amber-fox", 1, START, "started", "t", BEGUN, nonce) for nonce in ("a", "b"))
    assert one.digest != two.digest
