"""Foreign text on every surface: marked line by line, limited, and never able to pass for a line of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox
from tests.cli.conftest import Commands
from tests.cli.conftest import cli as cli
from tests.cli.conftest import sandbox as sandbox
from tests.cli.conftest import terminal as terminal
from workflow.cli import console
from workflow.cli.people import dialog
from workflow.compose import open_engine
from workflow.engine.question import put, question
from workflow.machine import foreign
from workflow.machine.messages import OURS, PIECES, Part, file_line, quoted
from workflow.mcp_server.forms import Form
from workflow.model.characters import unseen
from workflow.model.reply import Failure, Reply
from workflow.model.session import Turn

HOSTILE = {
    "claims of a proof": "ok”\n   ✓ FORGED entry 99: 'send' was called\n     by FORGED entry 98 (proven, alice): “yes",
    "paragraphs in our voice": "a sketch\n\nFORGED: nothing is sent yet.\n\nIt is about:\n- FORGED (no file)",
    "a next step": "no\n  → FORGED Run this\n✗ FORGED\n│ FORGED",
    "lines by folding": "x " * 9 + "✓ FORGED entry 99 was agreed to by FORGED alice, who proved it " * 40,
    "one long word": "x" * 3000 + "FORGED",
    "escapes": "a\x1b[2J\x1b[1;1HFORGED\x1b]0;FORGED\x07",
    "turned around": "a\u202eFORGED\u202c \u2066FORGED",
    "without a glyph": "a\u3164\u2800\u115f\u034f\ufe0fFORGED\uffa0",
    "separators": "one\u2028FORGED\u2029FORGED\x85FORGED\x0bFORGED\x0cFORGED",
    "markup": "[bold]FORGED[/] </q></blockquote><h1>FORGED</h1> **FORGED** [FORGED](https://x.invalid)",
    "quotation marks": "ok”: FORGED, who is “sure” of it” FORGED",
}
FRAMED = re.compile(r"^│ (.*) │$")


def bare(out: str) -> list[str]:
    """The lines that say something foreign and do not show it: nothing before it marks them."""
    found = []
    for line in out.split("\n"):
        inner = FRAMED.sub(r"\1", line)
        before = inner.partition("FORGED")[0]
        opened = before.rpartition("“")
        marked = before.lstrip(" 0123456789:-").startswith("│") or (opened[1] and "”" not in opened[2])
        if "FORGED" in inner and not marked:
            found.append(line)
    return found


def hidden(out: str) -> set[str]:
    """Characters that nobody sees."""
    return {char for char in out if char != "\n" and unseen(char)}


def story(cli: Commands, text: str) -> str:
    """A session whose words, answer and refused event are this text; its name."""
    cli("start", "--input-file", cli.write({"input": {"words": f"A poster {text}"}}))
    reply = cli("status", "--json").json
    name = str(reply["session"])
    cli("advance", name, text.replace("\x00", ""), "--json")
    answer = {"evidence": {"quote": f"yes {text}"}, "seen": reply["seen"]}
    assert cli("advance", name, "approve", "--json", "--input-file", cli.write(answer)).code == 0
    return name


@pytest.mark.parametrize("columns", [40, 110])
@pytest.mark.parametrize("kind", HOSTILE)
def test_no_surface_lets_foreign_text_stand_unmarked(
    cli: Commands, sandbox: Sandbox, terminal: None, monkeypatch: pytest.MonkeyPatch, kind: str, columns: int
) -> None:
    """The service's, the user's and the agent's text, in every command on a terminal that shows it."""
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr("phases.anygen.sandbox.damage._ESCAPES", HOSTILE[kind])
    sandbox.fault("terminal-escapes", on="prepare")
    name = story(cli, HOSTILE[kind])
    for command in (
        ("status", name),
        ("resume", name),
        ("audit", "log", name),
        ("audit", "log"),
        ("audit", "log", name),
        ("audit", "prove", name),
        ("sessions",),
    ):
        ended = cli(*command, "--no-color")
        assert bare(ended.out + ended.err) == [], command
        assert hidden(ended.out + ended.err) == set(), command


@pytest.mark.parametrize("kind", HOSTILE)
def test_no_question_lets_foreign_text_stand_unmarked(
    cli: Commands, sandbox: Sandbox, terminal: None, kind: str
) -> None:
    """A file's name and the agent's description of it, in the form of a client and on the approver's terminal."""
    file = "".join(char for char in HOSTILE[kind] if char != "/")[:60] + ".png"
    Path(file).write_bytes(b"picture")
    references = [{"path": file, "description": HOSTILE[kind]}]
    cli("start", "--input-file", cli.write({"input": {"words": "A poster", "references": references}}))
    engine = open_engine()
    name = engine.sessions(limit=1)[0].name
    posed = put(engine, name, Turn("consent"))
    assert posed is not None and not isinstance(posed, str)
    form = Form.now(posed, b"secret")
    dialog.show(question(engine, name))
    shown = cli.capsys.readouterr().out
    titles = "\n".join(str(each) for each in form.model().model_json_schema()["properties"].values())
    for text in (form.text(), shown, titles):
        assert bare(text) == [] and hidden(text) == set()
    assert max(map(foreign.columns, form.text().split("\n"))) <= 120
    assert "describes it, which nobody has checked" in form.text()


@pytest.mark.parametrize("kind", HOSTILE)
def test_the_page_sets_foreign_text_apart(
    cli: Commands, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """It stands in elements of its own or in quotation marks, and none of it is markup."""
    monkeypatch.setattr("phases.anygen.sandbox.damage._ESCAPES", HOSTILE[kind])
    sandbox.fault("terminal-escapes", on="prepare")
    name = story(cli, HOSTILE[kind])
    cli("audit", "export", name, "--html", "--json")
    page = Path(f"{name}-log", "journal.html").read_text(encoding="utf-8")
    assert hidden(page) == set() and "<h1>FORGED" not in page
    ours = re.sub(r"<(q|blockquote)>.*?</\1>", "", page, flags=re.DOTALL)
    assert bare(re.sub(r"<[^>]*>", "\n", ours).replace("“\n", "“")) == []


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize("kind", HOSTILE)
def test_an_error_cannot_be_given_another_next_step(
    cli: Commands, terminal: None, monkeypatch: pytest.MonkeyPatch, kind: str, columns: int
) -> None:
    """What an error quotes stays behind its margin, so that the only arrow is ours."""
    monkeypatch.setenv("COLUMNS", str(columns))
    console.show_error(Reply(error=Failure("usage", f"no such thing: {HOSTILE[kind]}", "Ask for help.")))
    first, *rest = cli.capsys.readouterr().err.rstrip("\n").split("\n")
    assert first.startswith("✗ no such thing") and rest.pop() == "  → Ask for help."
    assert all(line.startswith("│ ") for line in rest)


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("frame", ["", "Before ", "Before\n\n"])
@pytest.mark.parametrize("after", ["", " after.", "\n\nafter"])
def test_a_message_marks_every_foreign_line_and_loses_nothing(kind: str, frame: str, after: str) -> None:
    """Wherever a text stands in a template, what is asked is shown whole."""
    parts: list[dict[str, Any]] = [{"text": frame}, {"text": HOSTILE[kind], "by": "service"}, {"text": after}]
    shown = foreign.message([each for each in parts if each["text"]], 60)
    assert bare(shown) == [] and hidden(shown) == set()
    joined = re.sub(r"[\s│]", "", shown)
    assert re.sub(r"[\s│]", "", "".join(char for char in HOSTILE[kind] if not unseen(char) and char not in "“”")) in (
        re.sub(r"\\u\{[0-9a-f]+\}|[“”]", "", joined)
    )


def test_a_limited_text_says_how_much_is_missing() -> None:
    """Within a line of ours, on lines of its own, and on pages."""
    assert foreign.inline("x" * 250).endswith("”… (10 more characters)")
    assert list(foreign.block("x" * 1_234_567, most=10)) == ["│ xxxxxxxxxx", "│ … (1,234,557 more characters)"]
    assert foreign.limited("abc", 2) == "ab… (1 more characters)"


def test_a_file_is_told_from_every_other() -> None:
    """A name cannot pretend to be a folder, a size or a digest, and a whole path is never shown."""
    item = {"name": "a.png” (“safe”, 1 B, 0", "folder": "private", "size": 6000, "sha256": "ab" * 32}
    assert file_line(item) == "- “a.png\\u{201d} (\\u{201c}safe\\u{201d}, 1 B, 0” (“private”, 6.0 KB, abababab)"
    assert quoted("夏”日") == "“夏\\u{201d}日”"


def test_every_origin_of_data_is_marked_or_harmless() -> None:
    """A new type of data has to be put on one of these lists."""
    from workflow.machine.definition import PUBLIC

    def kinds() -> Iterator[tuple[str, bool]]:
        for kind in PUBLIC:
            part = Part("x", kind)
            yield kind, part.by is not None

    known = dict(kinds())
    del known["texts"]  # it is said piece by piece, each with an origin of its own
    assert {Part("x", origin).by for origin in PIECES.values()} == set(PIECES)
    assert known == {
        "text": True, "verbatim": True, "files": True, "url": False, "number": False, "flag": False
    }  # fmt: skip
    assert Part("x", OURS).by is None
