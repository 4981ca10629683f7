"""Texts that are more than they seem: control sequences, templates and markup, on a terminal and in a turn."""

from __future__ import annotations

import unicodedata

import pytest

from phases.anygen.sandbox import Sandbox
from tests.cli.conftest import Commands
from tests.cli.conftest import cli as cli
from tests.cli.conftest import sandbox as sandbox
from tests.cli.conftest import terminal as terminal
from workflow.model.reply import pieces

HIDDEN = {
    "colour": "\x1b[31mred\x1b[0m",
    "title of the window": "\x1b]0;owned\x07",
    "clipboard": "\x1b]52;c;b3duZWQ=\x07",
    "link": "\x1b]8;;https://elsewhere.invalid\x07here\x1b]8;;\x07",
    "erased line": "approved\r\x1b[2Kdeclined",
    "one-byte introducer": "\x9b2J\x9d0;owned\x9c",
    "backspace": "yes\b\b\bno",
    "bell": "\a\a\a",
    "right to left": "\u202egnp.exe\u202c \u2066x\u2069 \u200f",
    "zero width": "a\u200bp\u2060p\ufeffr\u00adove",
    "tag characters": "".join(chr(0xE0000 + ord(char)) for char in "approve"),
    "line separators": "one\u2028two\u2029three\x85four\x0bfive\x0csix",
    "private": "\ue000\U000f0000",
    "unassigned": "\U000e0fff\ufdd0",
    "markup": "[bold red]approve[/] [link=https://elsewhere.invalid]x[/link] :smile:",
    "template": "${prompt} $task_id $$ {prompt} {{7*7}} {0} %(key)s %s",
}
_HARMLESS = "\n\t"


def invisible(text: str) -> set[str]:
    """Characters that a terminal obeys, or that nobody sees."""
    kinds = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    return {char for char in text if unicodedata.category(char) in kinds and char not in _HARMLESS}


@pytest.mark.parametrize("kind", HIDDEN)
def test_terminal_escapes_bidi_and_tag_characters(
    cli: Commands, sandbox: Sandbox, terminal: None, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """In the service's and in the user's own text: on a terminal nothing of it is obeyed, and nothing is hidden."""
    monkeypatch.setattr("phases.anygen.sandbox.damage._ESCAPES", HIDDEN[kind])
    sandbox.fault("terminal-escapes", on="prepare")
    words = f"A poster {HIDDEN[kind]}"
    cli("start", "--no-color", "--input-file", cli.write({"input": {"words": words}}))
    session = cli("sessions", "--json").json["sessions"][0]["name"]
    for command in (("status", session), ("audit", "log", session), ("status", session, "--raw"), ("sessions",)):
        ended = cli(*command, "--no-color")
        assert ended.code == 0
        assert invisible(ended.out + ended.err) == set(), command
    shown = cli("status", session, "--no-color").out
    if kind in ("markup", "template"):
        assert HIDDEN[kind].split()[0] in shown
    else:
        assert "\\u{" in shown


@pytest.mark.rule("R24")
@pytest.mark.parametrize("kind", HIDDEN)
def test_template_injection_through_data(
    cli: Commands, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """To a program the service's text is given as it came, byte for byte, in a part marked as verbatim."""
    monkeypatch.setattr("phases.anygen.sandbox.damage._ESCAPES", HIDDEN[kind])
    sandbox.fault("terminal-escapes", on="prepare", field="prompt")
    reply = cli.planned()
    parts = list(pieces(reply["say"][0]))
    verbatim = [part["text"] for part in parts if part.get("by") == "service"]
    assert any(HIDDEN[kind] in text for text in verbatim)
    assert not any(HIDDEN[kind] in part["text"] for part in parts if part.get("by") != "service")


TURNS: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{input: {words: x}}",
    "a list": b'[{"input": {"words": "x"}}]',
    "a text": b'"start"',
    "a key twice": b'{"input": {"words": "x"}, "input": {"words": "y"}}',
    "a key twice within": b'{"input": {"words": "x", "words": "y"}}',
    "NaN": b'{"input": {"words": "x"}, "expect_revision": NaN}',
    "infinite": b'{"input": {"words": "x"}, "expect_revision": 1e999}',
    "a huge number": b'{"input": {"words": "x"}, "expect_revision": 1' + b"0" * 5000 + b"}",
    "beyond 64 bits": b'{"input": {"words": "x"}, "expect_revision": 18446744073709551616}',
    "true for one": b'{"input": {"words": "x"}, "expect_revision": true}',
    "half a pair": b'{"input": {"words": "x\\ud83d"}}',
    "a tower": b'{"input": ' + b'{"a": ' * 5000 + b"1" + b"}" * 5001,
    "brackets": b"[" * 200_000,
    "UTF-16": '{"input": {"words": "x"}}'.encode("utf-16"),
    "Latin-1": b'{"input": {"words": "\xe9"}}',
    "a NUL": b'{"input": {"words": "x"}}\0',
    "two objects": b'{"input": {"words": "x"}}{"input": {"words": "y"}}',
    "a comment": b'{"input": {"words": "x"}} // approve',
    "too much": b'{"input": {"words": "' + b"x" * 2_000_000 + b'"}}',
    "an unknown key": b'{"input": {"words": "x"}, "state": "create.creating"}',
    "evidence of more": b'{"input": {"words": "x"}, "evidence": {"quote": "yes", "strength": "proven"}}',
    "a channel": b'{"input": {"words": "x"}, "channel": "terminal"}',
    "a prototype": b'{"input": {"words": "x"}, "__proto__": {"ok": true}}',
    "data of the service": b'{"input": {"words": "x", "task_id": "task_1", "plan": {"prompt": "p"}}}',
}


@pytest.mark.parametrize("kind", TURNS)
def test_hostile_json_of_a_turn(cli: Commands, sandbox: Sandbox, kind: str) -> None:
    """A usage error or a refusal with a reason; no session, no request, nothing of it repeated at length."""
    file = cli.folder / "turn.json"
    file.write_bytes(TURNS[kind])
    ended = cli("start", "--input-file", str(file))
    assert ended.code in (2, 3), ended.out
    assert ended.error["message"] and len(ended.out) < 2000
    assert cli("sessions", "--json").json["sessions"] == []
    assert sandbox.requests == []
