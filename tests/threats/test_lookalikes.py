"""Look-alike letters: all that Unicode knows are seen through, and the table is the one that Unicode gives."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest

from tests.threats import unicode_tables
from tests.threats.confusables import single_letters
from workflow.machine import leaks
from workflow.machine.leaks import Secrets
from workflow.machine.messages import OURS, Part
from workflow.model.unicode_tables import UNICODE

PAIRS = single_letters()
SECRET = "tk_5f0c2a9e77b1d04c8e63aa10XqLmZ"


def test_the_table_is_the_one_that_unicode_gives() -> None:
    """The committed tables are what their generator makes of the named version of Unicode."""
    assert unicode_tables.TABLES.read_text(encoding="utf-8") == unicode_tables.source()
    assert UNICODE == "17.0.0"


def test_the_corpus_is_all_of_unicodes_single_letters() -> None:
    """More than 1,300 pairs, of every letter that has a look-alike."""
    assert len(set(PAIRS)) == len(PAIRS) >= 1_315
    assert len({letter for letter, _ in PAIRS}) >= 55


def test_no_single_look_alike_hides_a_secret() -> None:
    """A secret of ten characters that all count, with one of them in another alphabet, is found each time."""
    missed = []
    for letter, like in PAIRS:
        value = f"x9{letter}k3v5w7z"
        text = f"Your number is {value.replace(letter, like)}."
        for looked_for in (Secrets((value,), "", (), ()), Secrets((), value, (), ())):
            if not leaks.find([Part(text, "verbatim")], looked_for):
                missed.append((letter, hex(ord(like))))
    assert missed == []


def test_no_single_look_alike_hides_a_word() -> None:
    """A word that must not be said, with one letter of another alphabet, is found in our own text each time."""
    missed = []
    for letter, like in PAIRS:
        word = f"be{letter}der_token"
        hidden = f"be{like}der_token"
        if not leaks.find([Part(f"Keep the {hidden} safe.", OURS)], Secrets((), "", (word,), ())):
            missed.append((letter, hex(ord(like))))
    assert missed == []


@pytest.mark.parametrize("seed", range(20))
def test_a_secret_in_nothing_but_look_alikes_is_found(seed: int) -> None:
    """All its letters from other alphabets, taken at random, without its first and last: found as before."""
    chance = random.Random(seed)
    likes = defaultdict(list)
    for letter, like in PAIRS:
        likes[letter].append(like)
    hidden = "".join(chance.choice(likes[char]) if likes[char] else char for char in SECRET[1:-1])
    looked_for = Secrets((SECRET,), "", (), ())
    assert leaks.find([Part(f"Here: {hidden}.", "text")], looked_for) == ["an internal id"]
    assert leaks.find([Part(" ".join(hidden), "text")], looked_for) == ["an internal id"]


def test_words_that_differ_are_not_look_alikes() -> None:
    """In ASCII, an l is no i: a text with "fall" does not hold the word "fail"."""
    looked_for = Secrets((), "", ("fail", "mail"), ())
    assert leaks.find([Part("The leaves fall in the mall.")], looked_for) == []
    assert leaks.find([Part("The leaves f\u0430\u0456l.")], looked_for) == ["the word fail"]
    assert leaks.find([Part("The leaves fai1.")], looked_for) == ["the word fail"]
