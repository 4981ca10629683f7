"""The chain of entries: what it shows of tampering, and what it cannot show without a head kept elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workflow.model import journal as journal_module
from workflow.model.digest import digest
from workflow.model.errors import JournalTampered
from workflow.model.frozen import replace
from workflow.model.journal import START, Entry, fold, replay, seal, verify

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
    "another form of the same": changed(2, body={"given": 3.0, "reasons": [], "type": "refused", "nonce": "nonce-3"}),
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


def forgotten(entries: Journal) -> Journal:
    """The journal after what it held was erased."""
    left = {"workflow": "w", "bundle": "b", "state": "a.b", "sandbox": None, "revision": 0}
    body = {"status": "cancelled", "left": left, "entries": len(entries), "fault": None}
    last = seal("amber-fox", len(entries) + 1, entries[-1].hash, "forgotten", "2026-01-02T00:00:00.000Z", body, "n")
    return [*(replace(each, body=None) for each in entries), last]


def test_an_erased_body_leaves_the_chain_whole() -> None:
    """What people wrote can be forgotten; that something was there, when, and that it was erased stays provable."""
    before = journal()
    entries = forgotten(before)
    assert list(verify(entries, before[-1].receipt)) == entries
    assert entries[2].turn is None
    with pytest.raises(JournalTampered, match="erased"):
        fold(fold(None, before[0]), entries[2])
    *erased, (last, left) = replay(entries)
    assert [session for _, session in erased] == [None] * 5
    assert left is not None and (left.forgotten, left.seq, left.head) == ("cancelled", 6, last.hash)


def test_content_that_is_gone_was_erased_by_an_entry() -> None:
    """A missing body is no erased one: somebody took it out, and an entry would say so otherwise."""
    taken = [*journal()[:2], replace(journal()[2], body=None), *journal()[3:]]
    with pytest.raises(JournalTampered, match="entry 3 is gone, and no entry says") as caught:
        list(verify(taken))
    assert caught.value.seq == 3
    half = [*journal()[:2], *forgotten(journal())[2:]]
    with pytest.raises(JournalTampered, match="some of it is there"):
        list(verify(half))
    with pytest.raises(JournalTampered, match="entry 1 is gone"):
        list(verify([*forgotten(journal())[:-1], replace(forgotten(journal())[-1], body=None)]))


@pytest.mark.parametrize(
    "body",
    [{"given": math.nan}, {"given": "\ud800"}, {"\udfff": 1}, {"given": {1, 2}}, {1: "one", "b": "two"}],
    ids=["no number", "half a character", "half a character in a name", "no JSON", "names of two kinds"],
)
def test_what_no_entry_was_sealed_with_is_tampering(body: dict[Any, Any]) -> None:
    """What canonical JSON cannot hold is named as a change, and is no fault of ours."""
    with pytest.raises(JournalTampered, match="content of entry 3 was changed"):
        list(verify(changed(2, body=body)(journal())))
    with pytest.raises(JournalTampered, match="entry 3 does not match"):
        list(verify(changed(2, time="\ud800")(journal())))


@pytest.mark.parametrize("kind", ["event", "intent", "reply", "gossip", "forgotten"])
def test_a_chain_of_entries_without_form_is_tampering(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes a whole chain anew has to write it as we would, or it is not folded."""
    monkeypatch.setitem(journal_module._FOLD, "gossip", journal_module._FOLD["event"])
    entries = journal(length=2)
    entries.append(seal("amber-fox", 3, entries[-1].hash, kind, "t", {"evidence": [{"gate": "g"}]}, "n"))
    monkeypatch.undo()
    if kind == "forgotten":
        entries = [*(replace(each, body=None) for each in entries[:-1]), entries[-1]]
    with pytest.raises(JournalTampered, match=f"entry 3 does not have the form of its kind, '{kind}'"):
        list(replay(entries))


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


@given(texts=st.tuples(*[st.text(st.characters(codec="utf-8"))] * 5), seq=st.integers())
@example(texts=('a","b', "kind", "time", "0", "1"), seq=1)
@example(texts=("a\\", "kind", "time", "0", "1"), seq=1)
def test_a_hash_is_that_of_canonical_json_whatever_stands_in_it(texts: tuple[str, ...], seq: int) -> None:
    """It is put together only where that gives the same text: a row that was edited may hold anything."""
    session, kind, time, previous, content = texts
    entry = Entry(session, seq, kind, time, previous, content, "", None)
    assert journal_module._chained(entry) == digest(
        [journal_module.FORMAT, session, seq, kind, time, previous, content]
    )
