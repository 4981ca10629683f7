"""Quotes that can only be a "no", and quotes that must pass: sixty of each in every built-in language."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from workflow.machine.denials import Words, denies, normalized

with (Path(__file__).parents[1] / "denials.csv").open(encoding="utf-8") as listed:
    QUOTES = [(row["language"], row["verdict"], row["quote"]) for row in csv.DictReader(listed)]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("verdict", ["stop", "pass"])
def test_there_are_sixty_of_each(language: str, verdict: str) -> None:
    """No quote stands there twice."""
    found = [quote for *kind, quote in QUOTES if kind == [language, verdict]]
    assert len(set(found)) == len(found) >= 60


@pytest.mark.parametrize(("verdict", "quote"), [(verdict, quote) for _, verdict, quote in QUOTES])
def test_a_no_is_one_and_nothing_else(verdict: str, quote: str) -> None:
    """Every word of a "no" is listed, and one of them refuses; a single word beside the list is enough to pass."""
    assert denies(quote) == (verdict == "stop")


@pytest.mark.parametrize("quote", ["", "  ", "?", "…", "。", "ok", "please", "now", "do it"])
def test_nothing_that_refuses_is_no_no(quote: str) -> None:
    """Words that only fill, and no words at all, refuse nothing here."""
    assert not denies(quote)


GERMAN = {"de": Words(normalized(["nein", "nicht", "stopp"]), normalized(["danke", "bitte", "jetzt", "noch"]))}


@pytest.mark.parametrize("quote", ["Nein", "Nein, danke", "noch nicht", "STOPP!", "Bitte nicht jetzt"])
def test_a_bundle_brings_its_languages(quote: str) -> None:
    """Words of a bundle count beside the built-in ones."""
    assert denies(quote, GERMAN) and not denies(quote)


def test_a_bundle_takes_nothing_away() -> None:
    """A list for a language that is built in stands beside it."""
    assert denies("no way", {"en": Words(normalized(["nah"]))}) and denies("Nah", {"en": Words(normalized(["nah"]))})
