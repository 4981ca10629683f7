"""The demo: the whole conversation by real processes, with a person at the terminal and without one."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from workflow.cli.demo.person import SCRIPTS, Person
from workflow.cli.demo.picture import HEIGHT, WIDTH, harbour
from workflow.model.reply import Option, Reply, Said

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "workflow"]
LIMIT = 60.0
"""Seconds: the demo promises to be done in a minute."""
PROMPT = "type what to change)"


def environment(**more: str) -> dict[str, str]:
    """The variables of this test, and where our package is."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", **more}


@contextmanager
def started(*arguments: str, terminal: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A demo in a process group of its own, which is put away with all it began, whatever the test does."""
    process = subprocess.Popen(
        [*COMMAND, "demo", *arguments],
        cwd=ROOT,
        env=environment(),
        start_new_session=True,
        stdin=subprocess.DEVNULL if terminal is None else terminal,
        stdout=subprocess.PIPE if terminal is None else terminal,
        stderr=subprocess.STDOUT if terminal is None else terminal,
    )
    try:
        yield process
    finally:
        if anybody_left(process):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout:
            process.stdout.close()


def anybody_left(process: subprocess.Popen[bytes]) -> bool:
    """Whether any process of the demo's group is there."""
    process.poll()
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True


def played(*arguments: str) -> tuple[int, str]:
    """The exit code and the output of a demo that nobody sits at; nothing of it may be left behind."""
    begun = time.monotonic()
    with started(*arguments) as process:
        out = process.communicate(timeout=LIMIT)[0].decode()
        assert not anybody_left(process)
    assert time.monotonic() - begun < LIMIT
    return process.returncode, out


def folder_of(out: str) -> Path:
    """The private folder that the demo said it used."""
    found = re.search(r"^ +folder +(\S+)$", out, re.MULTILINE)
    assert found, out
    return Path(found[1])


def test_the_whole_conversation_without_a_person() -> None:
    """All five phases, a refusal and two modifications, to be read in a pipe; nothing stays behind."""
    code, out = played("--yes")
    assert code == 0, out
    assert "refused, exit code 3: the gate 'user_approved'" in out
    assert out.index("refused, exit code 3") < out.index(SCRIPTS["en"].says["approve"][0])
    assert "understand → confirm → create → deliver → revise → over" in out
    for words in (SCRIPTS["en"].start, *SCRIPTS["en"].says["modify"]):
        assert words in " ".join(out.split())
    assert len(re.findall(r"^ +agent +workflow advance \S+ modify", out, re.MULTILINE)) == 2
    assert out.count("─ changed_with_reply ─") == 2
    assert re.search(r"^1 +POST /v1/openapi/tasks +$", out, re.MULTILINE)
    assert re.search(r"^2 +POST /v1/openapi/tasks/…/messages", out, re.MULTILINE)
    assert re.search(r"^ +link +http://127\.0\.0\.1:\d+/task/task_\w+$", out, re.MULTILINE)
    assert "\x1b" not in out
    assert max(map(len, out.splitlines())) <= 80
    assert not folder_of(out).exists()


def test_the_summary_for_a_program_and_what_is_kept(tmp_path: Path) -> None:
    """With --json one object in the end, in Chinese too; the kept store verifies, and holds what was done."""
    folder = tmp_path / "kept"
    code, out = played("--json", "--language", "zh-CN", "--keep", str(folder))
    assert code == 0, out
    summary = json.loads(out)
    assert summary.keys() == {"v", "ok", "session", "turns", "requests", "link", "verified"}
    assert summary["ok"] is summary["verified"] is True
    assert summary["requests"]["POST /v1/openapi/files/upload"] == 1
    assert summary["requests"]["POST /v1/openapi/tasks"] == 1
    assert summary["requests"]["POST /v1/openapi/tasks/…/messages"] == 2
    assert summary["link"].startswith("http://127.0.0.1:")
    assert (folder / "harbour.png").read_bytes() == harbour()
    answer = asked(folder, "audit", "verify", summary["session"])
    assert answer.returncode == 0, answer.stdout
    entries = [
        json.loads(line) for line in asked(folder, "audit", "log", summary["session"], "--json").stdout.splitlines()
    ]
    assert [each["body"]["action"] for each in entries if each["kind"] == "intent"] == ["create", "send", "send"]
    assert [each["body"]["given"]["event"] for each in entries if each["kind"] == "refusal"] == ["approve"]
    assert {each["body"]["language"] for each in entries if each["kind"] == "started"} == {"zh-CN"}


def asked(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command on the store that a demo kept."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=ROOT,
        env=environment(PHASEGATE_STATE=str(folder / "state")),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )


def test_a_person_at_the_terminal_decides() -> None:
    """The demo stops at the plan; what is typed becomes a change, is asked again, and yes is quoted as typed."""
    terminal, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, 80))
    try:
        with started(terminal=theirs) as process:
            os.close(theirs)
            plan = read_until(terminal, PROMPT)
            assert "refused, exit code 3" in plan
            assert "Shall I go ahead with it" in plan
            os.write(terminal, b"Make the title larger, it's for old eyes\n")
            again = read_until(terminal, PROMPT)
            assert "refused, exit code 3" not in again
            assert '{"input": {"words": "Make the title larger' in plain(again)
            assert "I have worked your change into the plan" in plain(again)
            os.write(terminal, b"yes\n")
            rest = plain(read_until(terminal, None))
            assert process.wait(LIMIT) == 0, rest
            assert not anybody_left(process)
    finally:
        os.close(terminal)
    assert '{"evidence": {"quote": "yes"}' in rest
    assert re.search(
        r"user_approved\b.{0,5}relayed, cli, for http://127.0.0.1:\d+\): “yes”",
        " ".join(rest.replace("│ ", "").split()),
    )
    assert "/task/task_" in rest


def read_until(terminal: int, wanted: str | None) -> str:
    """What the terminal shows until ``wanted`` is there, or to the end."""
    seen = b""
    while wanted is None or wanted.encode() not in seen:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # how Linux says that nobody holds the other end any more
            piece = b""
        if not piece:
            assert wanted is None, seen.decode(errors="replace")
            break
        seen += piece
    return seen.decode(errors="replace")


def plain(text: str) -> str:
    """The text without colours and movements of the cursor."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing_behind(number: signal.Signals) -> None:
    """Told to stop in the middle, it ends with 130; no process and no folder of it is left."""
    with started("--yes") as process:
        assert process.stdout
        seen = ""
        while "Turn 2" not in seen:
            line = process.stdout.readline().decode()
            assert line, seen
            seen += line
        process.send_signal(number)
        rest = process.stdout.read().decode()
        assert process.wait(LIMIT) == 130, seen + rest
        assert not anybody_left(process)
    assert "Nothing was left running." in rest
    assert "Traceback" not in rest
    assert not folder_of(seen).exists()


def test_a_folder_in_use_is_not_taken(tmp_path: Path) -> None:
    """--keep never writes among files that were there: exit code 2, and nothing is touched."""
    (tmp_path / "mine.txt").write_text("mine")
    code, out = played("--json", "--keep", str(tmp_path))
    assert code == 2
    assert json.loads(out)["error"]["type"] == "usage"
    assert [each.name for each in tmp_path.iterdir()] == ["mine.txt"]


def test_the_picture_is_a_real_one() -> None:
    """A PNG whose chunks carry their checksums and whose data hold every row."""
    content = harbour()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, at = {}, 8
    while at < len(content):
        (length,) = struct.unpack_from(">I", content, at)
        kind, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", content, at + 8 + length)[0] == zlib.crc32(kind + body)
        chunks[kind], at = body, at + 12 + length
    assert struct.unpack(">IIBBBBB", chunks[b"IHDR"]) == (WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    assert len(zlib.decompress(chunks[b"IDAT"])) == HEIGHT * (1 + 3 * WIDTH)


def test_the_person_answers_what_is_asked() -> None:
    """Each question gets its own answer once; one that nothing was written down for gets the rest."""
    script = SCRIPTS["en"]
    person = Person(script)
    first = person.respond(asking("Who is the poster for? Is there a style you have in mind?"))
    again = person.respond(asking("Who is the poster for?"))
    assert first and again
    assert first.event == "answer"
    assert "Families" in first.words and "art deco" in first.words and "A3" not in first.words
    assert again.words == script.rest


def test_only_a_yes_approves() -> None:
    """What a person types at the approval is an approval only if it is one; the words stay as they were."""
    for typed, event in (("Y", "approve"), ("yes.", "approve"), ("好的", "approve"), ("yes, but in red", "adjust")):
        said = Person(SCRIPTS["en"], lambda typed=typed: typed).respond(offering("approve", "adjust"))  # type: ignore[misc]
        assert said
        assert (said.event, said.words) == (event, typed)


def asking(questions: str) -> Reply:
    """A reply in which the service asks, beside our own words that hold a question too."""
    parts: tuple[Mapping[str, object], ...] = (
        {"text": questions, "by": "service", "language": "und"},
        {"text": "\nAn A3 size?"},
    )
    return Reply(say=(Said("questions", questions + "\nAn A3 size?", "en", None, parts),), next=options("answer"))


def offering(*events: str) -> Reply:
    """A reply that offers these events."""
    return Reply(next=options(*events))


def options(*events: str) -> tuple[Option, ...]:
    """Events that a person may send."""
    return tuple(Option(event, "person", None, True, {}, "") for event in events)
