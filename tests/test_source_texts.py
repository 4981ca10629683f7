"""The words that the sources give are the words that the user hears, or a reason says why not."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.source_texts import SourceText, differences, read_texts

TEXTS = read_texts()


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: f"{text.message}-{text.language}")
def test_a_message_is_its_source_or_has_a_reason(text: SourceText) -> None:
    """Byte for byte and no reason, or different and a reason: a reason that is no longer needed goes."""
    assert (text.kept == "byte for byte") == (text.reason == ""), f"{text.kept}: {text.ours!r}"


def test_every_source_text_is_listed_once() -> None:
    """One text for each message and language; the 10 messages that both sources give whole are there in both."""
    assert max(Counter((each.message, each.language) for each in TEXTS).values()) == 1
    both = {each.message for each in TEXTS if each.language == "en"} & {
        each.message for each in TEXTS if each.language == "zh-CN"
    }
    assert len(both) >= 10
    assert {"ready", "generation_failed", "late", "changed", "modification_failed", "recommend_first"} <= both


def test_whole_source_sentences_are_kept_where_something_is_added() -> None:
    """A message says its source in other words only where the source is a note, or a link would swallow a stop."""
    reworded = {(each.message, each.language) for each in differences() if each.kept == "in other words"}
    assert reworded == {
        ("check_key", "en"),
        ("ask_admin", "en"),
        ("too_large", "en"),
        ("started_unwatched", "zh-CN"),
        ("applying_unwatched", "zh-CN"),
    }
