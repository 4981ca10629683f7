"""Reading YAML strictly: every kind of malformed text, exact places, all faults at once."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workflow.bundle.loader import MAX_BYTES, MAX_LEVELS, read, schema
from workflow.model.errors import BundleError, BundleFaults
from workflow.model.spelling import did_you_mean

GOOD = """\
format: 1
workflow: tiny
languages: [en]
service: {base_url: https://api.example, sandbox: phases.twin}
events:
  start:
  check: {}
trouble: {else: later}
start: one.first
phases:
  one:
    first:
      then: one.second
    second:
      say: {watched: busy, else: busy}
      watch:
        do: look
        every: 3s
        within: 1m30s
        then: {ready: one.last}
        no_news: busy
        late: one.last
        brief: wait
    last: {say: bye, end: done}
"""


def faults(text: str | bytes) -> list[str]:
    """What is wrong, a line each."""
    with pytest.raises(BundleFaults) as caught:
        read(text, "workflow.yaml")
    assert str(caught.value).splitlines() == [str(problem) for problem in caught.value.problems]
    return str(caught.value).splitlines()


def edited(old: str, new: str) -> str:
    """The good document with one change."""
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


def test_a_good_document_is_read_with_every_place() -> None:
    """Keys and values are found by their way through the document, items of lists by number."""
    source = read(GOOD.encode(), "workflow.yaml")
    assert source.document["events"] == {"start": None, "check": {}}
    assert source.at("phases", "one", "second", "watch", "every") == (18, 9)
    assert source.value_at("phases", "one", "second", "watch", "every") == (18, 16)
    assert source.value_at("languages", 0) == (3, 13)
    assert source.at("phases", "one", "second", "say", "else") == (15, 28)


def test_the_nearest_ancestor_stands_for_what_is_not_there() -> None:
    """A problem of a missing key points at the table that misses it."""
    source = read(GOOD, "workflow.yaml")
    assert source.at("phases", "one", "first", "failed", "else") == (12, 5)
    assert source.at("gates", "agreed") == (1, 1)
    assert source.at() == (1, 1)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("on", "on"),
        ("No", "No"),
        ("yes", "yes"),
        ("True", "True"),
        ("true", True),
        ("false", False),
        ("42", 42),
        ("-7", -7),
        ("1.50", 1.5),
        ("0", 0),
        ("007", "007"),
        ("0o17", "0o17"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("1e3", "1e3"),
        (".5", ".5"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("2026-01-02", "2026-01-02"),
        ("Null", "Null"),
        ("'42'", "42"),
        ('"true"', "true"),
        ("'null'", "null"),
    ],
)
def test_only_plain_words_and_decimal_numbers_have_a_value(written: str, value: object) -> None:
    """Everything that other readers take for a boolean, a number or a time is text."""
    document = read(edited("workflow: tiny", f"workflow: tiny\nsettings: {{x: {written}}}"), "w").document
    assert document["settings"]["x"] == value
    assert type(document["settings"]["x"]) is type(value)


@pytest.mark.parametrize("written", ["", "null", "~"])
def test_nothing_is_written_in_three_ways(written: str) -> None:
    """An empty value, null and ~ are the same."""
    assert read(edited("  start:\n", f"  start: {written}\n"), "w").document["events"]["start"] is None


BOMB = "a: &a {k0: v, k1: v, k2: v, k3: v, k4: v, k5: v, k6: v, k7: v, k8: v, k9: v, k10: vvv}\n" + "".join(
    f"{b}: &{b} {{<<: [{', '.join(['*' + a] * 9)}]}}\n" for a, b in ("ab", "bc", "cd", "de", "ef", "fg")
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: &x 1\n", ["1:4: anchors (&) are not allowed"]),
        ("a: *x\n", ["1:4: aliases (*) are not allowed"]),
        ("a: !!str 1\n", ["1:4: tags (!) are not allowed"]),
        ("a: ! 1\n", ["1:4: tags (!) are not allowed"]),
        ("a: !!python/object:os.system x\n", ["1:4: tags (!) are not allowed"]),
        ("%TAG ! tag:example,2000:\n---\na: 1\n", ["1:1: tags (!) are not allowed"]),
        ("a: 1\n<<: {b: 1}\n", ["2:1: merge keys (<<) are not allowed"]),
        ("a: 1\nb:\n  c: 1\n  c: 2\n", ["4:3: the key 'c' is there twice"]),
        ("1: x\n", ["1:1: a key must be text: write '1' in quotes, or choose another"]),
        ("a: {true: x}\n", ["1:5: a key must be text: write 'true' in quotes, or choose another"]),
        ("? [a]\n: x\n", ["1:3: a key must be text"]),
        ("*x : y\n", ["1:1: a key must be text"]),
        ("", ["1:1: the document is empty"]),
        ("# nothing\n", ["1:1: the document is empty"]),
        ("null\n", ["1:1: the document is empty"]),
        ("- a\n", ["1:1: the document must be a table"]),
        ("some text\n", ["1:1: the document must be a table"]),
        ("a: 1\n---\nb: 2\n", ["2:1: a second document"]),
        ("a: [1, 2\n", ["2:1: not YAML: expected ',' or ']', but got '<stream end>'"]),
        ("a: b: c\n", ["1:5: not YAML: mapping values are not allowed here"]),
        ("a:\n\t- b\n", ["2:1: not YAML: found character '\\t' that cannot start any token"]),
        ('a: "\\UFFFFFFFF"\n', ["1:1: not YAML: OverflowError after this place"]),
        ('ab: "\\uD800"\n', ["1:5: half of a surrogate pair is not text"]),
        ("a: x\nb: \x01\n", ["2:4: a character that YAML does not allow: U+0001"]),
        ("a: x\x00y\n", ["1:5: a character that YAML does not allow: U+0000"]),
        ("a: \ud800\n", ["1:4: not UTF-8; save it as UTF-8"]),
        (b"a: x\nbc: \xff\n", ["2:5: not UTF-8; save it as UTF-8"]),
        ("a: 1\n".encode("utf-16"), ["1:1: UTF-16, not UTF-8; save it as UTF-8"]),
        ("a: " + "9" * 5000, ["1:4: a number with too many digits; write it in quotes if it is text"]),
        ("%YAML " + "9" * 5000 + ".1\n---\na: 1\n", ["1:1: not YAML: ValueError after this place"]),
        ("[" * 100_000, ["1:51: more than 50 levels"]),
        ("{a: " * 100_000, ["1:1: larger than 256 KiB"]),
        ("{a: " * 10_000, ["1:201: more than 50 levels"]),
        ("- " * 100_000, ["1:101: more than 50 levels"]),
        ("a: [" + "x," * 20_000 + "]", ["1:39997: more than 20,000 YAML events"]),
        ("#" * (MAX_BYTES + 1), ["1:1: larger than 256 KiB"]),
        ("é" * (MAX_BYTES // 2 + 1), ["1:1: larger than 256 KiB"]),
    ],
    ids=lambda value: repr(value)[:30] if isinstance(value, (str, bytes)) else "",
)
def test_what_is_not_plain_yaml_is_refused_in_its_place(text: str | bytes, expected: list[str]) -> None:
    """Every construct that hides, repeats or multiplies is refused with line and column."""
    assert faults(text) == [f"workflow.yaml:{line}" for line in expected]


def test_a_merge_key_bomb_is_refused_before_it_unfolds() -> None:
    """381 bytes that would unfold into half a million keys are only ever seen as events."""
    assert len(BOMB) == 381
    assert "workflow.yaml:1:4: anchors (&) are not allowed" in faults(BOMB)


def test_the_limits_can_be_reached() -> None:
    """What is exactly as large or as deep as allowed is read."""
    assert "not allowed" not in "".join(faults("a: " + "[" * (MAX_LEVELS - 1) + "]" * (MAX_LEVELS - 1)))
    assert not any("levels" in line for line in faults("a: " + "[" * (MAX_LEVELS - 1) + "]" * (MAX_LEVELS - 1)))
    assert read(GOOD + "#" * (MAX_BYTES - len(GOOD)), "w").document["workflow"] == "tiny"


def test_faults_of_the_text_are_told_all_at_once() -> None:
    """One run names them all, in order, up to the one that makes reading on useless."""
    assert faults("a: &x 1\nb: *x\nc: !t 2\na: 3\n? [k]\n: v\ne: &y 4\n") == [
        "workflow.yaml:1:4: anchors (&) are not allowed",
        "workflow.yaml:2:4: aliases (*) are not allowed",
        "workflow.yaml:3:4: tags (!) are not allowed",
        "workflow.yaml:4:1: the key 'a' is there twice",
        "workflow.yaml:5:3: a key must be text",
    ]


def test_a_flood_of_faults_ends() -> None:
    """Ten thousand aliases are not ten thousand lines."""
    lines = faults("a: [" + "*x," * 5_000 + "]")
    assert len(lines) == 51
    assert lines[-1].endswith("too many faults to read on")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("format: 1\n", "", ["1:1: 'format' is missing"]),
        ("format: 1\n", "format: 2\n", ["1:9: 'format' must be 1"]),
        ("format: 1\n", "format: true\n", ["1:9: 'format' must be 1"]),
        ("format: 1\n", "format: '1'\n", ["1:9: 'format' must be 1"]),
        ("workflow: tiny", "workflow: 5", ["2:11: 'workflow' must be text"]),
        ("languages: [en]", "languages: en", ["3:12: 'languages' must be a list"]),
        ("languages: [en]", "languages: [en, 5]", ["3:17: an item of 'languages' must be text"]),
        ("base_url: ", "base_ulr: ", [
            "4:11: unknown key 'base_ulr'; did you mean 'base_url'?",
        ]),
        ("sandbox: phases.twin", "sandbox: phases.twin, key: {fil: x}", [
            "4:70: unknown key 'fil'; did you mean 'file'?"
        ]),
        ("  check: {}", "  check: {iff: x}", ["7:11: unknown key 'iff'; did you mean 'if'?"]),
        ("  check: {}", "  check: []", ["7:10: 'check' must be a table"]),
        ("trouble: {else: later}", "trouble: later", ["8:10: 'trouble' must be a table"]),
        ("start: one.first", "strat: one.first", [
            "9:1: unknown key 'strat'; did you mean 'start'?",
        ]),
        ("then: one.second", "thne: one.second", ["13:7: unknown key 'thne'; did you mean 'then'?"]),
        ("then: one.second", "then: [one.second]", ["13:13: 'then' must be text, or a table"]),
        ("then: one.second", "then: {else: 5}", ["13:20: 'else' must be text"]),
        ("then: one.second", "then: {else: {a: b}}", ["13:20: 'else' must be text"]),
        ("    first:\n      then: one.second", "    first:", ["12:11: 'first' must be a table"]),
        ("every: 3s", "every: [3s]", ["18:16: 'every' must be text, or a number"]),
        ("every: 3s", "every: soon", ["18:16: 'every' must be a duration such as 3s, 20m, 1h30m or 7d"]),
        ("every: 3s", "every: true", ["18:16: 'every' must be a duration such as 3s, 20m, 1h30m or 7d"]),
        ("        late: one.last\n", "", ["16:7: 'late' is missing in 'watch'"]),
        ("        do: look\n", "        do: look\n        frequency: 1\n", ["18:9: unknown key 'frequency'"]),
        ("end: done", "end: dnoe", [
            "24:27: 'end' must be done, cancelled or failed; did you mean 'done'?"
        ]),
        ("workflow: tiny", "workflow: tiny\nsettings: {x: [1]}", [
            "3:15: 'x' must be true or false, or a number, or text"
        ]),
        ("workflow: tiny", "workflow: tiny\ndata: {x: txt}", [
            "3:11: 'x' must be text, verbatim, texts, url, number, flag, files, internal or hidden"
            "; did you mean 'text'?"
        ]),
        ("workflow: tiny", "workflow: tiny\ngates: {x: {strength: pruven}}", [
            "3:23: 'strength' must be relayed, asked, proven or signed; did you mean 'proven'?"
        ]),
        ("workflow: tiny", "workflow: tiny\ngates: {x: {subjet: [a]}}", [
            "3:13: unknown key 'subjet'; did you mean 'subject'?"
        ]),
    ],
)  # fmt: skip
def test_what_the_grammar_does_not_know_is_told_in_plain_words(old: str, new: str, expected: list[str]) -> None:
    """One fault per place, with what would be right there."""
    assert faults(edited(old, new)) == [f"workflow.yaml:{line}" for line in expected]


def test_faults_of_the_grammar_are_told_all_at_once() -> None:
    """Five independent mistakes are five lines, in the order of the file."""
    text = edited("format: 1", "format: 3").replace("3s", "often").replace("say: bye", "sya: bye")
    text = text.replace("trouble: {else: later}", "trouble: {else: 1}").replace("languages: [en]", "languages: {}")
    assert faults(text) == [
        "workflow.yaml:1:9: 'format' must be 1",
        "workflow.yaml:3:12: 'languages' must be a list",
        "workflow.yaml:8:17: 'else' must be text",
        "workflow.yaml:18:16: 'every' must be a duration such as 3s, 20m, 1h30m or 7d",
        "workflow.yaml:24:12: unknown key 'sya'; did you mean 'say'?",
    ]


def test_a_key_named_like_a_type_confuses_nothing() -> None:
    """The names that pydantic gives to the branches of a union are never taken for keys, nor the reverse."""
    text = edited("then: one.second", "then: {str: 5, else: x}")
    assert faults(text) == ["workflow.yaml:13:19: 'str' must be text"]


@given(st.text(alphabet="ab:&*!<>{}[],\"'\\\n #-?|%@\t01", max_size=60))
@example("? ? ? -")
@example("a: |9\n  b")
def test_no_text_gets_anything_else_out_of_it(text: str) -> None:
    """Whatever is given, the answer is a document or faults with places within reach."""
    try:
        read(text, "w")
    except BundleFaults as caught:
        assert caught.problems
        assert all(problem.line >= 1 and problem.column >= 1 for problem in caught.problems)


@given(st.binary(max_size=60))
def test_no_bytes_get_anything_else_out_of_it(content: bytes) -> None:
    """The same for bytes."""
    with pytest.raises(BundleError):
        read(content, "w")


def test_the_schema_knows_every_key_with_its_meaning() -> None:
    """Editors get the names as they are written, refuse others, and show the explanation."""
    published = schema()
    json.dumps(published)
    event = published["$defs"]["EventTable"]
    assert event["properties"]["if"]["description"] == "The guard that must pass."
    assert event["additionalProperties"] is False
    assert published["required"][:2] == ["format", "workflow"]


def test_a_name_is_suggested_by_its_look_or_its_last_part() -> None:
    """A state named without its phase is recognised, too; nothing is suggested out of thin air."""
    assert did_you_mean("plan_redy", ["plan_ready", "other"]) == "; did you mean 'plan_ready'?"
    assert did_you_mean("presenting", ["a.b", "understanding_and_more.presenting"]).endswith(".presenting'?")
    assert did_you_mean("zebra", ["plan_ready"]) == ""
    states = ["ask.again", "draft.asking", "close.asking"]
    assert did_you_mean("drafts.asking", states) == "; did you mean 'draft.asking'?"
    assert did_you_mean("ask.asking", states).endswith(".asking'?")
