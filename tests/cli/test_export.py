"""``workflow audit export``: what is handed on, what is covered, and a verifier that needs Python alone."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import apsw
import pytest

from phases.anygen.sandbox import SANDBOX_KEY, Sandbox
from tests.cli.conftest import Commands, Ended
from workflow.history import verifier
from workflow.model.digest import digest
from workflow.store.sqlite import SqliteStore

HOSTILE = '<script>alert(1)</script><img src=x onerror=alert(2)>&amp;\x1b[2J\u202egnp.exe\' onmouseover="x"'


@pytest.fixture
def played(cli: Commands, sandbox: Sandbox) -> dict[str, Any]:
    """The last reply of a session with a refusal, an approval and a paid call in its log."""
    plan = cli.planned()
    assert cli("advance", plan["session"], "approve").code == 3
    return cli.approved(plan)


def lines_of(folder: Path) -> list[dict[str, Any]]:
    """The entries of an export."""
    return [json.loads(line) for line in (folder / "journal.jsonl").read_text(encoding="utf-8").splitlines()]


def write_lines(folder: Path, lines: list[dict[str, Any]]) -> None:
    """Put other entries into an export."""
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (folder / "journal.jsonl").write_text(text, encoding="utf-8")


def verified(folder: Path, *arguments: str) -> Ended:
    """``python3 verify.py`` beside the entries, in a Python that sees nothing of this project."""
    command = [sys.executable, "-I", "-S", "-W", "error", "verify.py", *arguments]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", env={}, timeout=60)
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def test_an_export_is_verified_by_python_alone(cli: Commands, played: dict[str, Any]) -> None:
    """The entries, the verifier and nothing else, for their owner only; the receipt of the reply is their head."""
    reply = cli("audit", "export", played["session"], "--to", "out", "--json").json
    out = cli.folder / "out"
    assert (reply["files"], reply["receipt"], reply["fault"]) == (
        ["journal.jsonl", "verify.py"],
        played["receipt"],
        None,
    )
    assert sorted(path.name for path in out.iterdir()) == reply["files"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()} == {0o600}
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    ended = verified(out, "--expect-head", played["receipt"])
    assert (ended.code, ended.err) == (0, "")
    where = "(sandbox: nothing went to the real service)"
    assert f"HOLDS: {played['session']} {where}, {reply['entries']} entries, head {played['receipt']}" in ended.out
    assert "only a receipt can show" in verified(out).out


@pytest.mark.rule("R11", "R17")
def test_ids_and_the_key_are_covered_unless_asked_for(cli: Commands, played: dict[str, Any]) -> None:
    """Internal data are redacted by name and wherever their values stand, and the places are said; the link stays."""
    data = _data(cli, played["session"])
    cli("audit", "export", played["session"], "--to", "out", "--html", "--json")
    cli("audit", "export", played["session"], "--to", "all", "--unredacted", "--json")
    text = "".join(
        (cli.folder / "out" / name).read_text(encoding="utf-8") for name in ("journal.jsonl", "journal.html")
    )
    whole = (cli.folder / "all" / "journal.jsonl").read_text(encoding="utf-8")
    assert data["task_url"] in text and data["task_id"] in data["task_url"]
    assert data["task_id"] not in text.replace(data["task_url"], "")
    assert data["prepare_id"] not in text and data["prepare_id"] in whole
    assert f'"task_id":"{data["task_id"]}"' in whole
    assert SANDBOX_KEY[:10] not in text + whole
    covered = {each["seq"]: each["redacted"] for each in lines_of(cli.folder / "out") if each["redacted"]}
    assert ["/set/task_id"] in covered.values()
    ended = verified(cli.folder / "out")
    assert ended.code == 0 and f"{len(covered)} redacted" in ended.out and "/set/task_id" in ended.out
    assert "redacted" not in verified(cli.folder / "all").out


def test_a_key_that_got_into_a_log_does_not_get_out(cli: Commands, played: dict[str, Any]) -> None:
    """No entry is written with it; should one hold it all the same, it is covered, also in what is not redacted."""
    _rewrite(cli, played["session"], "Poster: jazz night", f"Poster: {SANDBOX_KEY}")
    cli("audit", "export", played["session"], "--to", "out", "--unredacted", "--html", "--json")
    for path in (cli.folder / "out").iterdir():
        assert SANDBOX_KEY[:10] not in path.read_text(encoding="utf-8")


def test_only_what_is_asked_for_and_the_whole_chain(cli: Commands, played: dict[str, Any]) -> None:
    """What the filters leave out stays without content in the chain, which holds; what was asked for is there."""
    reply = cli("audit", "export", played["session"], "--to", "out", "--event", "approve", "--html", "--json").json
    lines = lines_of(cli.folder / "out")
    kept = [each for each in lines if each["body"] is not None]
    assert [each["kind"] for each in kept] == ["refusal", "event"]
    assert reply["left_out"] == len(lines) - 2 and {each["without"] for each in lines} == {None, "left out"}
    ended = verified(cli.folder / "out", "--expect-head", played["receipt"])
    assert ended.code == 0 and f"{reply['left_out']} without content, left out" in ended.out
    page = (cli.folder / "out" / "journal.html").read_text(encoding="utf-8")
    assert page.count("<li class=") - page.count('<li class="good"') == 2


def test_a_forgotten_session_is_handed_on_as_what_is_left(cli: Commands, played: dict[str, Any]) -> None:
    """The chain, and the entry that says what was erased."""
    assert cli.admin("forget", played["session"], "--yes", "--json").code == 0
    reply = cli("audit", "export", played["session"], "--to", "out", "--html", "--json").json
    assert reply["erased"] == reply["entries"] - 1
    ended = verified(cli.folder / "out", "--expect-head", played["receipt"])
    assert ended.code == 0 and f"{reply['erased']} without content, erased" in ended.out


def test_what_is_there_is_not_overwritten(cli: Commands, played: dict[str, Any]) -> None:
    """Neither a folder nor a file nor a link; and a folder that cannot be made is said."""
    (cli.folder / "link").symlink_to(cli.folder / "nowhere")
    (cli.folder / "file").write_text("mine")
    (cli.folder / "folder").mkdir()
    for name in ("link", "file", "folder"):
        ended = cli("audit", "export", played["session"], "--to", name, "--json")
        assert (ended.code, ended.error["type"]) == (2, "usage") and "is there already" in ended.error["message"]
    assert (cli.folder / "file").read_text() == "mine" and not list((cli.folder / "folder").iterdir())
    ended = cli("audit", "export", played["session"], "--to", "no/such/folder", "--json")
    assert ended.code == 2 and "cannot be written" in ended.error["message"]


def _edited(lines: list[dict[str, Any]]) -> None:
    lines[1]["body"]["given"]["quote"] = "yes"


def _resealed(lines: list[dict[str, Any]]) -> None:
    lines[1]["body"]["given"]["quote"] = "yes"
    lines[1]["digest"] = digest(lines[1]["body"])


def _erased(lines: list[dict[str, Any]]) -> None:
    lines[1] |= {"body": None, "without": "erased"}


def _renamed(lines: list[dict[str, Any]]) -> None:
    lines[-1]["session"] = "other-fox"


CHANGES: dict[str, tuple[Callable[[list[dict[str, Any]]], object], str]] = {
    "edited": (_edited, "content of entry 2 was changed"),
    "sealed again": (_resealed, "entry 2 does not match"),
    "dropped": (lambda lines: lines.pop(3), "entry 4 is missing or out of place"),
    "swapped": (lambda lines: lines.insert(2, lines.pop(4)), "entry 3 is missing or out of place"),
    "doubled": (lambda lines: lines.insert(2, lines[1]), "entry 3 is missing or out of place"),
    "cut": (lambda lines: lines.pop(), "cut or rewritten"),
    "erased": (_erased, "no entry says that it was erased"),
    "another time": (lambda lines: lines[4].update(time="2020"), "entry 5 does not match"),
    "another session": (_renamed, "out of place"),
    "another number": (lambda lines: lines[4].update(seq=True), "line 5 is not an entry"),
    "a field more": (lambda lines: lines[4].update(more=1), "line 5 is not an entry"),
    "nothing": (lambda lines: lines.clear(), "there is not an entry"),
}


@pytest.mark.parametrize("how", CHANGES)
def test_the_verifier_finds_what_was_changed(
    cli: Commands, played: dict[str, Any], how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In what was handed on, as in the store: the first entry that does not hold is named; exit code 1."""
    cli("audit", "export", played["session"], "--to", "out", "--unredacted", "--json")
    lines = lines_of(cli.folder / "out")
    change, what = CHANGES[how]
    change(lines)
    write_lines(cli.folder / "out", lines)
    code = verifier.main([str(cli.folder / "out" / "journal.jsonl"), "--expect-head", played["receipt"]])
    out = capsys.readouterr().out
    assert code == 1 and out.startswith("DOES NOT HOLD: ") and what in out


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "7", '{"a": NaN}', '{"a": 1, "a": 2}', '{"a": "\\ud800"}', "[" * 100_000, '{"a": Infinity}', "null"],
)
def test_the_verifier_survives_what_is_no_entry(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Hostile lines are named by their number; exit code 1, and no traceback."""
    file = tmp_path / "journal.jsonl"
    file.write_text(f"{text}\n", encoding="utf-8")
    assert verifier.main([str(file)]) == 1
    assert "line 1 is not an entry" in capsys.readouterr().out


def test_the_verifier_says_what_it_cannot_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there or no text, and what is not a receipt; exit code 2."""
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    assert verifier.main([str(tmp_path / "gone")]) == 2
    assert verifier.main([str(tmp_path / "binary")]) == 2
    assert verifier.main(["--expect-head", "3"]) == 2
    assert capsys.readouterr().err.count("\n") == 3


class Page(HTMLParser):
    """What a browser would make of a page: its tags with their attributes, and its texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note it."""
        self.text += data


def test_the_page_is_safe_against_what_people_wrote(cli: Commands, sandbox: Sandbox) -> None:
    """No script, no handler, nothing that is loaded: hostile words are text, and what hides is written out."""
    words = {"words": HOSTILE}
    plan = cli.turn("start", input=words)
    cli.turn("advance", plan["session"], "adjust", input=words, expect_revision=plan["revision"])
    cli("advance", plan["session"], "approve", "--input-file", cli.write({"evidence": {"quote": HOSTILE}}))
    cli("audit", "export", plan["session"], "--to", "out", "--html", "--json")
    text = (cli.folder / "out" / "journal.html").read_text(encoding="utf-8")
    page = Page(text)
    assert "<script>alert(1)</script>" in page.text and "\\u{202e}" in page.text and "\\u{1b}[2J" in page.text
    assert not {"script", "img", "iframe", "link", "object", "form", "svg", "base"} & {tag for tag, _ in page.tags}
    names = {name for _, attributes in page.tags for name in attributes}
    assert not [name for name in names if name.startswith("on") or name in ("src", "style")]
    assert all(attributes["href"].startswith("#e") for tag, attributes in page.tags if tag == "a")  # type: ignore[union-attr]
    assert "\x1b" not in text and "\u202e" not in text and "http://" not in re.sub(r">[^<]*<", "><", text)
    assert "default-src 'none'; style-src 'unsafe-inline'" in text


def test_the_page_reads_as_a_story(cli: Commands, played: dict[str, Any]) -> None:
    """In order: what was said, what was refused, on whose words it was paid for; and what that proves."""
    cli("audit", "export", played["session"], "--to", "out", "--html", "--json")
    text = " ".join(Page((cli.folder / "out" / "journal.html").read_text(encoding="utf-8")).text.split())
    told = [
        "The chain holds",
        "✓ entry",
        "'create' was called in the sandbox",
        "yes, go ahead",
        "messages were clean",
        "What happened",
        "A poster for a jazz night",
        "Here is the design plan:",
        "'approve' was refused",
        "yes, go aheaduser_approved, relayed (cli, for http://127.0.0.1:",
        "about to call 'create'",
        "I've started generating your image.",
    ]
    place = 0
    for each in told:
        assert each in text[place:], each
        place = text.index(each, place)


def test_the_page_of_a_log_that_does_not_hold_says_so(cli: Commands, played: dict[str, Any]) -> None:
    """It is handed on as evidence, with the fault on top and nothing proved; the verifier finds it too."""
    _rewrite(cli, played["session"], "go ahead", "go away!", kind="event")
    reply = cli("audit", "export", played["session"], "--to", "out", "--html", "--json").json
    text = Page((cli.folder / "out" / "journal.html").read_text(encoding="utf-8")).text
    assert "was changed" in reply["fault"]
    assert "This log does not hold" in text and reply["fault"] in text and "What it proves" not in text
    assert verified(cli.folder / "out").code == 1


def test_people_are_told_where_it_is(cli: Commands, played: dict[str, Any], terminal: None) -> None:
    """On a terminal: the folder, what is missing, and how to check it."""
    out = " ".join(cli("audit", "export", played["session"], "--html").out.split())
    folder = f"{played['session']}-log"
    assert f"{played['session']} (sandbox) is in {folder}: journal.jsonl, verify.py, journal.html" in out
    assert f"python3 {folder}/verify.py" in out and "redacted" in out
    assert (cli.folder / folder / "journal.html").is_file()


def _data(cli: Commands, session: str) -> dict[str, Any]:
    store = SqliteStore(cli.folder / "state")
    found = store.load(session)
    store.close()
    assert found is not None
    return dict(found.data)


def _rewrite(cli: Commands, session: str, old: str, new: str, kind: str = "reply") -> None:
    """Change a text in the bodies of a session."""
    pen = apsw.Connection(str(cli.folder / "state" / "phasegate.db"))
    pen.execute(
        "UPDATE entries SET body = replace(body, ?, ?) WHERE session = ? AND kind = ?", (old, new, session, kind)
    )
    assert pen.changes()
    pen.close()
