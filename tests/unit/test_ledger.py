"""The ledger's lines: what is whole is read, what was never finished is no payment, and any other damage is seen."""

from __future__ import annotations

import random

import pytest

from workflow.model.frozen import replace
from workflow.model.ledger import LedgerDamaged, Payment, opening, read, written

ONE = Payment("s" * 32, "c" * 32, "amber-fox", "create", "8:" + "a" * 24, "2026-11-30T09:00:00.000Z")
TWO = replace(ONE, call="d" * 32, session="dry-owl", entry="9:" + "b" * 24)
OPENED = written(opening(ONE.store, ONE.time))
LINES = [OPENED, written(ONE.as_json()), written(TWO.as_json())]


def test_what_was_written_is_read() -> None:
    """Payments in their order, and the stores that the ledger keeps."""
    found = read(b"".join(LINES))
    assert found.payments == (ONE, TWO)
    assert (found.stores, found.torn) == (frozenset({ONE.store}), 0)
    assert found.of("another") == ()
    assert read(b"").payments == ()


@pytest.mark.parametrize("cut", [2, 3, 20, 100, len(LINES[2]) - 2, len(LINES[2]) - 1])
def test_an_unfinished_last_line_is_no_payment(cut: int) -> None:
    """Cut anywhere, it is left out, and its length is known."""
    found = read(b"".join(LINES[:2]) + LINES[2][:-cut])
    assert (found.payments, found.torn) == ((ONE,), len(LINES[2]) - cut)


def test_a_last_line_counts_without_its_line_break() -> None:
    """An editor took it away: what was written whole is a payment, and is not written over."""
    found = read(b"".join(LINES)[:-1])
    assert (found.payments, found.torn) == ((ONE, TWO), 0)


def test_a_store_knows_what_it_has_become() -> None:
    """Adopted once and again: the payments of all that came after it are its own, and it is an older copy."""
    lines = [OPENED, written(ONE.as_json()), written(opening("b" * 32, ONE.time, ONE.store))]
    lines += [written(replace(TWO, store="b" * 32).as_json()), written(opening("e" * 32, ONE.time, "b" * 32))]
    found = read(b"".join(lines))
    assert found.later(ONE.store) == {"b" * 32, "e" * 32} and found.later("e" * 32) == frozenset()
    assert [each.session for each in found.of(ONE.store)] == ["amber-fox", "dry-owl"]
    assert [each.session for each in found.of("b" * 32)] == ["dry-owl"]


def test_any_changed_byte_is_damage() -> None:
    """Of every line but an unfinished one, wherever the byte is."""
    content = b"".join(LINES)
    rng = random.Random(1)
    for place in rng.sample(range(len(content) - 1), 150):
        other = rng.choice([each for each in range(256) if each != content[place]])
        with pytest.raises(LedgerDamaged):
            read(content[:place] + bytes([other]) + content[place + 1 :])


@pytest.mark.parametrize(
    ("spoiled", "number"),
    [
        (LINES[0] + b"{}\n" + LINES[1], 2),
        (LINES[0] + b"\n" + LINES[1], 2),
        (LINES[0] + LINES[1][:-9] + b"\n" + LINES[2], 2),
        (LINES[1][:-9] + LINES[2] + LINES[0], 1),
        (LINES[0] + LINES[1][:-9] + b"\n", 2),
        (LINES[0] + b"\xff\xfe\n", 2),
        (LINES[0] + b"[" * 100_000 + b"\n", 2),
        (LINES[0] + LINES[1].replace(b'"v":1', b'"v":2'), 2),
    ],
)
def test_damage_names_its_line(spoiled: bytes, number: int) -> None:
    """A line within that is not as it was written, or two lines that ran together."""
    with pytest.raises(LedgerDamaged) as caught:
        read(spoiled)
    assert caught.value.number == number


def test_what_is_left_of_a_damaged_ledger_can_be_read() -> None:
    """A person who looks at it sees the lines that are whole."""
    content = LINES[0] + LINES[1][:20] + b"\n" + LINES[2]
    assert read(content, salvage=True).payments == (TWO,)
