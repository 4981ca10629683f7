"""Messages: values are copied, never read as templates; what a terminal would obey becomes visible."""

from __future__ import annotations

import pytest

from workflow.machine.messages import Part, fill, joined, placeholders, shown, visible

TYPES = {"reply": "verbatim", "words": "text", "files": "files", "price": "number"}


def test_a_value_is_never_a_template() -> None:
    """Dollars, braces and names in it stay what they are, and its part says where it came from."""
    parts = fill("$$5: ${reply}!", TYPES, {"reply": "${words} $$ {words} %s"})
    assert "".join(part.text for part in parts) == "$5: ${words} $$ {words} %s!"
    assert [part.text for part in parts if part.by == "service"] == ["${words} $$ {words} %s"]
    assert Part("x").origin == "ours"


def test_what_is_not_there_is_empty_and_files_are_named() -> None:
    """A file by name, folder, size and digest, one to a line; control characters in it are written out."""
    assert shown("text", None) == ""
    assert shown("number", 5) == "5"
    one, two = {"name": "a.png", "size": 999, "sha256": "ab" * 32}, {"name": "b\n.png", "folder": "x/y"}
    lines = "- “a.png” (999 B, abababab)\n- “b\\u{a}.png” (“x/y”, 1.2 MB, abababab)"
    assert shown("files", [one, {**one, **two, "size": 1_234_567}]) == lines
    with pytest.raises(KeyError):
        fill("${nobody}", TYPES, {})


def test_texts_of_several_are_each_their_own() -> None:
    """With a blank line between them, which is ours; joined, they are the same text."""
    said = [{"text": "A ${poster}", "by": "user"}, {"text": "a moon", "by": "agent"}, {"text": "Red?", "by": "service"}]
    parts = fill("So: ${talk}!", {"talk": "texts"}, {"talk": said})
    assert [(part.text, part.by) for part in parts if part.by] == [(each["text"], each["by"]) for each in said]
    assert "".join(part.text for part in parts) == f"So: {joined(said)}!" == f"So: {shown('texts', said)}!"
    assert fill("${talk}", {"talk": "texts"}, {}) == () and shown("texts", None) == ""
    with pytest.raises(KeyError):
        fill("${talk}", {"talk": "texts"}, {"talk": [{"text": "whose?", "by": "nobody"}]})


@pytest.mark.parametrize(("template", "line"), [("a $ b", 1), ("\n\n${", 3), ("${1}", 1), ("ends with $", 1)])
def test_a_stray_dollar_is_found_with_its_line(template: str, line: int) -> None:
    """Before the message is ever said."""
    with pytest.raises(ValueError, match=f"line {line}"):
        list(placeholders(template))
    assert list(placeholders("$$ ${words} $reply")) == ["words", "reply"]


def test_what_hides_becomes_visible() -> None:
    """Escapes, turned text, tags, private and broken characters; line breaks where they are wanted."""
    assert visible("\x1b[2Ja\u202eb\U000e0041\ue000\ud800") == ("\\u{1b}[2Ja\\u{202e}b\\u{e0041}\\u{e000}\\u{d800}")
    assert visible("a\nb", keep="\n") == "a\nb"
    assert visible("夜の灯り é 😀") == "夜の灯り é 😀"
