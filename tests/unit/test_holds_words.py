"""Words that are sent stand in what the person said, as they are."""

from __future__ import annotations

import unicodedata

import pytest

from workflow.model.evidence import holds_words

STAND = [
    ("Make it blue", "Make it blue"),
    ("It failed?? OK. Make the sky purple, please. And thanks!", "Make the sky purple"),
    ("make the   sky\npurple", "make the sky purple"),
    ("a caf\u00e9 in the dark", "cafe\u0301"),
    ("你好，把背景调暗一点，谢谢", "把背景调暗一点"),
    ("สวัสดีทำให้มืดลง", "ทำให้มืดลง"),
    ("15 lanterns and 5 lanterns", "5 lanterns"),
    ("bigger, Bigger", "Bigger"),
    ("make it “blue”", "blue"),
]
"""Quote, and words that stand in it."""

DO_NOT = [
    ("Make it blue", "make it blue", "another case"),
    ("Make it blue", "Make it bl\u0443e", "a lookalike of another script"),
    ("Make it blue", "Make it blu\u200be", "an invisible character"),
    ("Make it blu\u200be", "Make it blue", "an invisible character left out"),
    ("Make it\u202e blue", "Make it blue", "a character that turns text around left out"),
    ("Make the sky purple", "purple Make the sky", "another order"),
    ("Make the sky purple", "Make sky purple", "a word left out"),
    ("Make the sky, and the title, purple", "Make the sky purple", "two pieces"),
    ("15 lanterns", "5 lanterns", "a number cut in two"),
    ("unbearably red", "bearably red", "a word cut in two"),
    ("bored", "red", "the end of a word"),
    ("redder", "red", "the beginning of a word"),
    ("x\u0302 marks it", "x", "a letter without its mark"),
    ("Make it blue", "", "nothing"),
    ("", "Make it blue", "nothing was said"),
    ("Make it blue", "Ｍake it blue", "a wide letter"),
]
"""Quote, words that do not stand in it, and why."""


@pytest.mark.parametrize(("quote", "words"), STAND)
def test_words_that_stand_in_the_quote(quote: str, words: str) -> None:
    """In one piece, whatever the spaces and however a character is composed."""
    assert holds_words(quote, words)
    assert holds_words(unicodedata.normalize("NFD", quote), words)


@pytest.mark.parametrize(("quote", "words", "why"), DO_NOT)
def test_words_that_do_not(quote: str, words: str, why: str) -> None:
    """What differs in any way that could change the meaning."""
    assert not holds_words(quote, words), why
