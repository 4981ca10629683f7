"""JSON is read one way only, and a hostile text ends in one kind of error."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.model.strict_json import MAX_LEVELS, JsonError, printed_json, read_json, write_json

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | TEXT
ANY_JSON = st.recursive(
    SCALARS.filter(lambda value: value not in (float("inf"), float("-inf"))),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)


@given(ANY_JSON)
def test_what_is_written_is_read_back(value: object) -> None:
    """Every value that JSON can hold survives the round trip, as text and as bytes."""
    text = write_json(value)
    assert read_json(text) == value
    assert read_json(text.encode()) == value


def test_written_compactly_and_readably() -> None:
    """No padding, and no escapes for what UTF-8 can say."""
    assert write_json({"a": [1, "日"]}) == '{"a":[1,"日"]}'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'"\xff"', "is not UTF-8"),
        ("\ufeff{}", "is not valid"),
        ('{"a": 1, "a": 2}', "repeats a key"),
        ('{"a": 1, "\\u0061": 2}', "repeats a key"),
        ('{"deep": [{"a": 1, "a": 1}]}', "repeats a key"),
        ("NaN", "NaN"),
        ("[-Infinity]", "infinity"),
        ("[Infinity]", "infinity"),
        ("1e999", "too large"),
        ("-1e999", "too large"),
        ('"\\ud800"', "lone surrogate"),
        ('{"\\udfff": 1}', "lone surrogate"),
        ('["\\ud83d\\ud83d\\ude00"]', "lone surrogate"),
        ('"\ud800"', "is not UTF-8"),
        ("9223372036854775808", "beyond 64 bits"),
        ("-9223372036854775809", "beyond 64 bits"),
        ("1" * 5000, "beyond 64 bits"),
        ("-" + "1" * 5000, "beyond 64 bits"),
        ("", "is not valid at line 1, column 1"),
        ("{}{}", "is not valid"),
        ('{"a": "line\nbreak"}', "is not valid"),
        ("{'a': 1}", "is not valid"),
        ("01", "is not valid"),
        ("[1,]", "is not valid"),
    ],
)
def test_ambiguous_or_broken_text_is_refused(text: str | bytes, reason: str) -> None:
    """What another parser might read differently, or not at all, is not JSON here."""
    with pytest.raises(JsonError, match=reason):
        read_json(text)


@pytest.mark.parametrize("number", ["9223372036854775807", "-9223372036854775808", "0", "-0.5", "1e308"])
def test_the_limits_themselves_are_accepted(number: str) -> None:
    """The largest and smallest 64-bit integers and large finite floats are ordinary numbers."""
    assert read_json(number) == json.loads(number)


def test_a_surrogate_pair_is_one_character() -> None:
    """Both halves together are no lone surrogate."""
    assert read_json('"\\ud83d\\ude00"') == "😀"


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_at_most_64_levels(opening: str, closing: str) -> None:
    """The deepest accepted text parses, one level more is refused."""
    read_json(opening * MAX_LEVELS + "1" + closing * MAX_LEVELS)
    with pytest.raises(JsonError, match="deeper than 64 levels"):
        read_json(opening * (MAX_LEVELS + 1) + "1" + closing * (MAX_LEVELS + 1))


@pytest.mark.parametrize("text", ["[" * 500_000, '{"a":' * 200_000, "[" * 100_000 + "]" * 100_000])
def test_a_tower_of_brackets_raises_no_recursion_error(text: str) -> None:
    """A hundred thousand brackets kill a recursive parser; here they are counted first."""
    with pytest.raises(JsonError, match="levels"):
        read_json(text)


def test_brackets_inside_strings_do_not_count() -> None:
    """Neither escaped quotes nor backslashes confuse where a string ends."""
    text = json.dumps(['[{"' * 200, "\\", '\\"[', "[" * 500])
    assert read_json(text) == json.loads(text)


@pytest.mark.parametrize("text", ['"' + '\\"' * 500_000, '"' * 1_000_001, '"' + "\\" * 1_000_001, '["' * 300_000])
def test_the_scan_is_linear(text: str) -> None:
    """A megabyte of unclosed strings must not cost quadratic time."""
    begun = time.perf_counter()
    with pytest.raises(JsonError):
        read_json(text)
    assert time.perf_counter() - begun < 5


def test_the_reason_repeats_nothing_of_the_text() -> None:
    """A refused text may be a secret file: neither the message nor any chained exception shows it."""
    for text in (
        "sk-secret-value",
        '{"sk-secret-value": 1, "sk-secret-value": 2}',
        '["sk-secret-value", \\ud800]',
    ):
        with pytest.raises(JsonError) as caught:
            read_json(text, what="config.json")
        assert str(caught.value).startswith("config.json ")
        assert "secret" not in repr(caught.value)
        assert "\n" not in str(caught.value)
        assert caught.value.__context__ is None and caught.value.__cause__ is None


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", {"\udc00": 1}])
def test_what_could_not_be_read_back_is_not_written(value: object) -> None:
    """NaN, infinities and lone surrogates have no JSON."""
    with pytest.raises(JsonError) as caught:
        write_json(value)
    assert caught.value.__context__ is None


def test_a_cycle_is_not_written() -> None:
    """A value that contains itself ends in an error, not in a full stack."""
    value: list[object] = []
    value.append(value)
    with pytest.raises(JsonError):
        write_json(value)


@given(
    st.recursive(
        st.text() | st.integers(-9, 9) | st.none(), lambda each: st.lists(each) | st.dictionaries(st.text(), each)
    )
)
def test_what_is_printed_is_the_same_value_without_unseen_characters(value: object) -> None:
    """On one line or on several: a terminal gets nothing to obey, and a program reads what was written."""
    for indent in (None, 2):
        printed = printed_json(value, indent=indent)
        assert json.loads(printed) == value
        assert printed.replace("\n", "" if indent else "\n").isprintable()


@pytest.mark.parametrize(
    "character", [chr(0x7F), chr(0x9B), chr(0x202E), chr(0x2066), chr(0x200B), chr(0x2028), chr(0xFEFF), chr(0xE0041)]
)
def test_what_a_terminal_would_obey_is_escaped(character: str) -> None:
    """Controls of both sets, letters that turn or hide others, line separators, tags: in values as in keys."""
    printed = printed_json({f"a{character}": f"b{character}"})
    assert character not in printed and printed.count("\\u") in (2, 4) and json.loads(printed)[f"a{character}"]


def test_letters_of_every_script_stay_readable() -> None:
    """Only what cannot be seen is written out."""
    assert printed_json({"wörter": "海报 🙂"}) == '{"wörter":"海报 🙂"}'
