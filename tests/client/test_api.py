"""The raw client for people: its output, its waiting, and the configuration file that others share."""

from __future__ import annotations

import json
import os
import re
import stat
import sys
from pathlib import Path

import click
import pytest

from phases.anygen import api
from phases.anygen.config import Config, replace_file
from phases.anygen.errors import check_answer
from phases.anygen.options import Strict, TypedPath
from tests.client.conftest import Bench, Clock, Run
from tests.client.test_actions import finished
from workflow import ActionError, CredentialsError, Response, UsageError
from workflow.bundle import open_bundle

KEY = "sk-test-0123456789abcdef"


def file() -> Path:
    """The configuration file of the test's own home."""
    return Config(Path.home()).path


def write(text: str, mode: int = 0o600) -> Path:
    """Put this into the configuration file."""
    file().parent.mkdir(parents=True, exist_ok=True)
    file().write_text(text, encoding="utf-8")
    file().chmod(mode)
    return file()


def test_the_whole_way_with_the_labels_of_the_script(run: Run, bench: Bench, tmp_path: Path) -> None:
    """Upload, prepare twice, create, poll, change, read: what one prints the next one takes."""
    image, saved = tmp_path / "ref.png", str(tmp_path / "talk.json")
    image.write_bytes(b"png")
    token = run("upload", "--file", str(image)).stdout.removeprefix("File Token: ").strip()
    asked = run("prepare", "--message", "A poster", "--file-token", token, "--save", saved).stdout
    assert asked.startswith("Status: collecting\n[REPLY] Gladly")
    ready = run("prepare", "-m", "Blue", "--input", saved, "--save", saved).stdout
    prompt = ready.partition("\n[RESULT] ")[2].removesuffix("\n")
    assert (
        ready.startswith("Status: ready\n[REPLY] ")
        and prompt == json.loads(Path(saved).read_text())["suggested_task_params"]["prompt"]
    )
    made = run("create", "-o", "ai-designer", "-p", prompt, "--file-token", token, "-l", "en-US")
    task = made.stdout.splitlines()[0].removeprefix("Task ID: ")
    assert made.stdout.splitlines()[1] == f"Task URL: {bench.sandbox.url}/task/{task}"
    assert "--language is not sent" in made.stderr and "language" not in bench.asked("POST", "/tasks")[0].body
    assert "Status: completed\n" in run("poll", "--task-id", task).stdout
    sent = run("send-message", "--task-id", task, "--message", "Darker", "--file", str(image)).stdout
    number = sent.splitlines()[0].removeprefix("Message ID: ")
    assert sent.splitlines()[1] == "Status: processing"
    assert "[REPLY] Done: “Darker”" in run("get-messages", "--task-id", task, "--wait", "--since-id", number).stdout
    assert "[SNAPSHOT] {" in run("get-messages", "--task-id", task).stdout
    assert stat.S_IMODE(Path(saved).stat().st_mode) == 0o600


@pytest.mark.rule("R79")
def test_nothing_is_downloaded_unless_asked(run: Run, bench: Bench, tmp_path: Path) -> None:
    """The link is said; a file on another host is never fetched."""
    finished(bench)
    task = bench.data["task_id"]
    assert f"[RESULT] {bench.data['task_url']}/image.svg" in run("poll", "--task-id", task).stdout
    assert bench.asked("GET", ".svg") == []
    assert isinstance(run("poll", "--task-id", task, "--output", str(tmp_path / "no")).exception, UsageError)
    assert list(tmp_path.iterdir()) == []


def test_poll_gives_up_after_20_minutes(run: Run, bench: Bench, clock: Clock) -> None:
    """A look each 3 seconds, a sign of life each 30 on stderr, and an error in the end."""
    finished(bench)
    bench.sandbox.settings(looks=10_000)
    task = bench.client.create("A poster", []).task_id
    bench.sandbox.fault("bad-gateway", on="task")
    result = run("poll", "--task-id", task)
    assert isinstance(result.exception, ActionError) and result.exception.type == "service"
    assert clock.passed == 1200 and set(clock.naps) == {3.0} and len(clock.naps) == 400
    assert len([line for line in result.stderr.splitlines() if line.startswith("[HEARTBEAT]")]) == 39
    assert "[HEARTBEAT]" not in result.stdout


def test_waiting_for_an_answer_ends_after_8_minutes(run: Run, bench: Bench, clock: Clock) -> None:
    """And a service that asks for more time between looks is given it."""
    finished(bench)
    bench.sandbox.settings(looks=10_000)
    number = str(bench.client.send(bench.data["task_id"], "Darker", []))
    bench.sandbox.fault("rate-limited", on="messages", retry_after=20)
    result = run("get-messages", "--task-id", bench.data["task_id"], "--wait", "--since-id", number)
    assert isinstance(result.exception, ActionError) and clock.passed == 480 and clock.naps[0] == 20


def test_one_odd_answer_ends_no_wait_for_an_answer(run: Run, bench: Bench) -> None:
    """Nor does it at the first look, which finds out what is waited for."""
    finished(bench)
    bench.client.send(bench.data["task_id"], "Darker", [])
    for fault in ("html-200", "bad-gateway", "truncated-json", "drop-before"):
        bench.sandbox.fault(fault, on="messages")
        result = run("get-messages", "--task-id", bench.data["task_id"], "--wait")
        assert result.exit_code == 0 and "[REPLY] Done: “Darker”" in result.stdout


def test_a_failed_task_is_an_error(run: Run, bench: Bench) -> None:
    """It is said on stdout, and the command fails."""
    bench.sandbox.fault("task-failed", on="create")
    task = bench.client.create("A poster", []).task_id
    result = run("poll", "--task-id", task)
    assert "Status: failed" in result.stdout and isinstance(result.exception, ActionError)


@pytest.mark.rule("R89")
def test_messages_are_paged_by_cursor(run: Run, bench: Bench) -> None:
    """Ten unless told, a hundred at most; following the cursor shows each message once."""
    finished(bench)
    task = bench.data["task_id"]
    for number in range(125):
        bench.client.send(task, str(number), [])
    assert run("get-messages", "--task-id", task).stdout.count("Message ID: ") == 10
    assert run("get-messages", "--task-id", task, "--limit", "101").exit_code == 2
    seen, more = [], ["--limit", "100"]
    while more:
        lines = run("get-messages", "--task-id", task, *more).stdout.splitlines()
        seen += [line for line in lines if line.startswith("Message ID: ")]
        cursor = [line.removeprefix("Cursor: ") for line in lines if line.startswith("Cursor: ")]
        more = ["--limit", "100", "--cursor", *cursor] if cursor else []
    assert len(seen) == len(set(seen)) == 252


def test_terminal_escapes_are_made_visible(run: Run, bench: Bench) -> None:
    """Nothing that the service writes can act on the terminal."""
    bench.sandbox.fault("terminal-escapes", on="prepare")
    out = run("prepare", "-m", "A poster").stdout
    assert "\\u{1b}[31m" in out and not {"\x1b", "\x9b", "\u202e", "\u200b", "\r"} & set(out)


@pytest.mark.rule("R43")
def test_files_that_cannot_be_sent_never_leave(run: Run, bench: Bench, tmp_path: Path) -> None:
    """Too large by a byte, a folder, a pipe, nothing: each is refused before a request."""
    big = tmp_path / "big.png"
    with big.open("wb") as hole:
        hole.truncate(52_428_801)
    os.mkfifo(tmp_path / "pipe")
    for path in (big, tmp_path, tmp_path / "pipe", tmp_path / "none"):
        assert isinstance(run("upload", "--file", str(path)).exception, UsageError)
    assert bench.sandbox.requests == []


@pytest.mark.rule("R4")
def test_a_key_is_never_an_argument(run: Run, bench: Bench) -> None:
    """Neither as a flag of any command nor behind `config set`; the hint says how to set it."""
    flagged = [
        ("upload", "--file", "x"),
        ("prepare", "-m", "x"),
        ("create", "-p", "x"),
        ("poll", "--task-id", "x"),
    ]
    for arguments in [*((*each, "--api-key", KEY) for each in flagged), ("config", "set", "api_key", KEY)]:
        result = run(*arguments)
        assert isinstance(result.exception, UsageError) and "config set api_key" in result.exception.hint
        assert KEY not in result.output + str(result.exception)
    assert bench.sandbox.requests == [] and not file().exists()


@pytest.mark.rule("R4")
def test_where_the_key_comes_from(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment goes before the file; only the place is said."""
    assert run("config", "get").stdout == "api_key: not set\n"
    write(json.dumps({"api_key": KEY, "other": "x"}))
    assert run("config", "get").stdout == "api_key: set (from ~/.config/anygen/config.json)\n"
    assert "set (from" in run("config", "get", "other").stdout
    monkeypatch.setenv("ANYGEN_API_KEY", KEY)
    assert run("config", "get").stdout == "api_key: set (from ANYGEN_API_KEY)\n"


@pytest.mark.rule("R5")
def test_the_file_is_private_from_the_first_instant(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file that is made is opened with mode 600, under any umask; so are the folders, with 700."""
    made, real = [], os.open

    def watched(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        descriptor = real(path, flags, mode, dir_fd=dir_fd)
        if flags & os.O_CREAT:
            made.append((flags & os.O_EXCL != 0, stat.S_IMODE(os.fstat(descriptor).st_mode)))
        return descriptor

    monkeypatch.setattr(os, "open", watched)
    for umask in (0, 0o277):
        before = os.umask(umask)
        try:
            Config(Path.home()).set("api_key", KEY)
        finally:
            os.umask(before)
    assert made == [(True, 0o600), (True, 0o400)]
    assert stat.S_IMODE(file().stat().st_mode) == 0o600
    assert [stat.S_IMODE(each.stat().st_mode) for each in list(file().parents)[:2]] == [0o700, 0o700]


@pytest.mark.rule("R5")
@pytest.mark.parametrize("arguments", [("set", "api_key"), ("get",), ("get", "other"), ("delete", "other")])
def test_a_wider_mode_is_repaired_and_reported(run: Run, arguments: tuple[str, ...]) -> None:
    """Whatever is done with the file, others can no longer read it afterwards, and the user is told."""
    write(json.dumps({"api_key": KEY, "other": 1}), 0o644)
    result = run("config", *arguments, stdin=KEY)
    assert "was open to other users" in result.stderr and stat.S_IMODE(file().stat().st_mode) == 0o600


@pytest.mark.rule("R6")
def test_a_file_that_cannot_be_understood_is_left_alone(run: Run) -> None:
    """Other clients' settings are not overwritten by ours."""
    for text in ("{", "[]", '{"a": 1, "a": 2}', "x" * 70_000):
        write(text)
        assert isinstance(run("config", "set", "api_key", stdin=KEY).exception, UsageError)
        assert isinstance(run("config", "get").exception, CredentialsError)
        assert file().read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    "value",
    ["", " \n", "two words", "sk-ü", "sk-\x00", "a\nb", "x" * 513, "anything", "sk-", "sk-short", "sk-" + "x" * 510],
)
def test_what_cannot_be_a_key_is_refused(run: Run, value: str) -> None:
    """And not repeated."""
    result = run("config", "set", "api_key", stdin=value)
    assert isinstance(result.exception, UsageError) and not file().exists()
    assert len(str(result.exception)) < 120


@pytest.mark.parametrize("name", ["api-key", "key", "sk-ag-0123456789abcdef", "default_language"])
def test_nothing_but_the_key_is_set(run: Run, name: str) -> None:
    """What else is in the file belongs to other clients; a key that was typed as the name is not repeated."""
    result = run("config", "set", name, stdin=KEY)
    assert isinstance(result.exception, UsageError) and not file().exists()
    assert name not in result.output + str(result.exception)


def test_the_command_that_the_bundle_names_sets_the_key(run: Run) -> None:
    """`set_with` of the bundle is a command that works as it stands there."""
    named = open_bundle(Path(__file__).parents[2]).definition.service.key_command
    assert named is not None and named.startswith("workflow-admin api ")
    assert run(*named.split()[2:], stdin=f"{KEY}\n").stdout == "api_key: set (in ~/.config/anygen/config.json)\n"
    assert json.loads(file().read_text(encoding="utf-8")) == {"api_key": KEY}


SOLUTIONS = {  # an error of the service, and what the hint names as the way out
    "invalid API key": "config set",
    "operation not allowed": "administrator",
    "prompt is required": "--prompt",
    "content is required": "--message",
    "file size exceeds 50MB": "Reduce the file size",
    "credits insufficient": "Add credits",
    "rate limit exceeded": "Wait a moment",
    "invalid file token": "Upload the file again",
    "task is not completed": "until the image is ready",
    "task not found": "Check the id",
    "something new": "try again later",
    "this parameter is invalid": "--help",
}


@pytest.mark.rule("R90")
@pytest.mark.parametrize("text", SOLUTIONS)
def test_each_error_of_the_service_has_a_hint(text: str) -> None:
    """A person at the terminal is told what to do about it."""
    body = json.dumps({"success": False, "error": text}).encode()
    with pytest.raises(ActionError) as caught:
        check_answer("repeatable", Response(200, {}, body, None))
    assert SOLUTIONS[text] in caught.value.hint


def test_several_files_are_uploaded_in_their_order(run: Run, bench: Bench, tmp_path: Path) -> None:
    """A second --file is taken, not dropped."""
    for name in ("one.png", "two.png"):
        (tmp_path / name).write_bytes(name.encode())
    out = run("upload", "--file", str(tmp_path / "one.png"), "--file", str(tmp_path / "two.png")).stdout
    assert [line.startswith("File Token: tk_") for line in out.splitlines()] == [True, True]
    assert [each.files[0].filename for each in bench.asked("POST", "/files/upload")] == ["one.png", "two.png"]


ONCE = [  # an option that is no list, given twice
    ("prepare", "-m", "x", "--message", "y"),
    ("prepare", "-m", "x", "--input", "a", "--input", "b"),
    ("create", "-p", "x", "-p", "x"),
    ("poll", "--task-id", "x", "--task-id", "y"),
    ("send-message", "--task-id", "x", "-m", "x", "-m", "y"),
    ("get-messages", "--task-id", "x", "--limit", "3", "--limit", "4"),
]
OTHER_WAY = [  # an option that the way that is taken does not use
    ("get-messages", "--task-id", "x", "--since-id", "3"),
    ("get-messages", "--task-id", "x", "--wait", "--limit", "10"),
    ("get-messages", "--task-id", "x", "--wait", "--cursor", "x"),
]


@pytest.mark.parametrize("arguments", ONCE + OTHER_WAY, ids=" ".join)
def test_no_option_is_dropped_without_a_word(run: Run, bench: Bench, arguments: tuple[str, ...]) -> None:
    """An option that could not count is refused by name, and nothing is sent."""
    result = run(*arguments)
    assert isinstance(result.exception, UsageError) and result.exception.hint
    assert re.search(r"--[a-z-]+ (is given twice|belongs to --wait|does not go with --wait)", str(result.exception))
    assert bench.sandbox.requests == []


def test_every_command_of_the_client_is_strict() -> None:
    """No command of it takes an option twice in silence, and every path may begin with `~`."""
    group = api.commands(lambda: pytest.fail("nothing is called"))
    leaves = [each for name, each in group.commands.items() if name != "config"]
    assert leaves and all(isinstance(each, Strict) for each in leaves)
    paths = [each.type for leaf in leaves for each in leaf.params if isinstance(each.type, click.Path)]
    assert paths and all(isinstance(each, TypedPath) for each in paths)


def test_a_home_folder_that_the_shell_left_is_found(run: Run, bench: Bench) -> None:
    """`--file=~/x` and `--save ~/x` mean the person's home."""
    (Path.home() / "ref.png").write_bytes(b"png")
    assert run("upload", "--file=~/ref.png").stdout.startswith("File Token: tk_")
    run("prepare", "-m", "A poster", "--save", "~/talk.json")
    assert (Path.home() / "talk.json").exists()


def test_a_link_to_the_file_is_followed_and_kept(tmp_path: Path) -> None:
    """Where the file is a link, what it leads to is exchanged, and the link stays."""
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_text("old", encoding="utf-8")
    link.symlink_to(real)
    replace_file(link, "new")
    assert link.is_symlink() and real.read_text(encoding="utf-8") == "new"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["link.json", "real.json"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is an error, the file is as it was, and nothing is left behind."""
    target = tmp_path / "config.json"
    target.write_text("old", encoding="utf-8")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="No space left"):
        replace_file(target, "new")
    assert target.read_text(encoding="utf-8") == "old" and list(tmp_path.iterdir()) == [target]


def test_no_line_of_the_services_text_passes_for_a_label(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal: only the first line stands behind the label of the text, and nothing is obeyed or hidden."""
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda stream: True)
    api._block("REPLY", "Done.\nStatus: completed\nTask URL: https://elsewhere.invalid\u2028\u3164\x1b[2J")
    assert capsys.readouterr().out == (
        "[REPLY] Done.\n│ Status: completed\n│ Task URL: https://elsewhere.invalid\\u{2028}\\u{3164}\\u{1b}[2J\n"
    )
