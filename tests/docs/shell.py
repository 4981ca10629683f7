"""A reader at a terminal: runs the shell snippets of a page, in order, in a home of their own."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shlex
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click

from phases.anygen.sandbox import Sandbox
from tests.docs.pages import ROOT, Block, blocks
from tests.docs.tables import client
from tests.playing import configuration
from workflow.cli.app import workflow
from workflow.cli.people.admin import admin

NAME = "amber-fox"
"""What the pages call the session whose reply was printed last."""
SEEN = "6-b3993f09"
"""What pages call the tokens of replies that were printed; a typed one stands for the last of them."""
PORT = "http://127.0.0.1:8765"
"""What the pages call the address of the sandbox."""
SETTING_UP = ("make", "pipx", "pip", "python3 -m venv", "git", "pre-commit")
"""Programs that a snippet only names here: they need a network, or set something up."""
PERSONAL = (
    "workflow demo",
    "workflow play",
    "workflow-admin approve ",
    "workflow-admin resolve ",
    "workflow-admin api config set",
)
"""Commands that take long and have tests of their own, or ask a person: here they are only read."""

_PATIENCE = 60.0
_COLUMNS = 80
_TOKEN = re.compile(r"\b[0-9]+-[0-9a-f]{8}\b")
_SESSION = re.compile(r'^(?:\{"session": ?")?([a-z]+-[a-z]+(?:-[0-9]+)?)(?:"|  [a-z_]+\.[a-z_]+  )', re.MULTILINE)
"""How a reply begins, drawn or as JSON: with the session's name."""
_MARK = re.compile("\036(\\d+)\036\r?\n")
_OURS = re.compile(r"(?:^|[|(&;]) *(workflow(?:-admin)?) ([^|)&;\n]*)")
_SHIM = '#!/bin/sh\nexec "{python}" -c "import sys; from workflow.cli{module} import main; sys.exit(main())" "$@"\n'


@dataclass
class Reader:
    """Somebody with an empty home, who types what a page says; ``shown`` is what the last block printed.

    A page cannot know the session's name and the tokens that its commands will print. Its reader copies them from the
    screen, and does nothing else beside what stands in the page.
    """

    folder: Path
    sandbox: str
    shown: str = ""
    _name: str = NAME
    _seen: str = SEEN
    _running: list[subprocess.Popen[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        commands = self.folder / "bin"
        commands.mkdir(parents=True)
        for program, module in (("workflow", ""), ("workflow-admin", ".people.admin")):
            (commands / program).write_text(_SHIM.format(python=sys.executable, module=module), encoding="utf-8")
            (commands / program).chmod(0o755)
        self._home = self.folder / "home"
        self._home.mkdir()
        self._environ = {
            "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self._home),
            "PYTHONPATH": str(ROOT),
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "COLUMNS": str(_COLUMNS),
            "PHASEGATE_STATE": str(self.folder / "state"),
            "PHASEGATE_CONFIG": str(configuration(self.folder / "config")),
            "PHASEGATE_SANDBOX": self.sandbox,
        }
        self._open_shell()

    def write(self, file: str, text: str) -> None:
        """A file that a page shows."""
        place = self._home / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")

    def run(self, block: Block) -> None:
        """The commands of a block; all of them succeed, but for a last one that ends as the block's note says."""
        self.shown = ""
        lines = list(commands_of(block.text))
        last = re.fullmatch(r"exit (\d+)", block.note)
        for number, line in enumerate(lines):
            ended = self._run(line)
            expected = int(last[1]) if last and number == len(lines) - 1 else 0
            assert ended == expected, f"line {block.line}: {line!r} ended with {ended}:\n{self.shown}"

    def close(self) -> None:
        """End the shell and what was left running beside it."""
        self._commands.close()
        self._shell.wait()
        os.close(self._screen)
        for process in self._running:
            process.terminate()
            process.communicate()

    def _run(self, line: str) -> int:
        check_usage(line)
        if is_set_up(line) or line.startswith(PERSONAL):
            return 0
        if line.startswith("workflow sandbox"):
            return self._serve(line)
        typed = line.replace(NAME, self._name).replace(PORT, self._environ["PHASEGATE_SANDBOX"])
        typed = _TOKEN.sub(self._seen, typed)
        self._commands.write(f"{{ {typed}\n}} </dev/null\nprintf '\\036%d\\036\\n' $?\n")
        self._commands.flush()
        ended, shown = self._read()
        self._name = [self._name, *_SESSION.findall(shown)][-1]
        shown = shown.replace(self._name, NAME).replace(self._environ["PHASEGATE_SANDBOX"], PORT)
        self._seen = [self._seen, *_TOKEN.findall(shown)][-1]
        shown = _TOKEN.sub(SEEN, shown)
        self.shown += shown
        return ended

    def _open_shell(self) -> None:
        self._screen, end = pty.openpty()
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, _COLUMNS, 0, 0))
        self._shell = subprocess.Popen(
            ["bash", "--norc"],
            stdin=subprocess.PIPE,
            stdout=end,
            stderr=end,
            env=self._environ,
            cwd=self._home,
            text=True,
        )
        os.close(end)
        assert self._shell.stdin is not None
        self._commands = self._shell.stdin

    def _read(self) -> tuple[int, str]:
        """What is printed until the command has ended, and how it ended."""
        shown, until = b"", time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            if select.select([self._screen], [], [], 1.0)[0]:
                shown += os.read(self._screen, 65536)
                text = shown.decode("utf-8", "replace")
                mark = _MARK.search(text)
                if mark:
                    return int(mark[1]), text[: mark.start()].replace("\r\n", "\n")
        raise AssertionError(f"nothing more in {_PATIENCE:.0f} seconds:\n{shown.decode('utf-8', 'replace')}")

    def _serve(self, line: str) -> int:
        """What the page has running in another terminal, on any free port; from now on it is the page's sandbox."""
        arguments = [*shlex.split(line, comments=True)[1:], "--port", "0"]
        process = subprocess.Popen(
            [str(self.folder / "bin/workflow"), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=self._environ,
            cwd=self._home,
            text=True,
        )
        self._running.append(process)
        assert process.stdout is not None
        for told in process.stdout:
            self.shown += told
            found = re.search(r"PHASEGATE_SANDBOX=(http://\S+)", told)
            if found:
                self.shown = self.shown.replace(found[1], PORT)
                self._environ["PHASEGATE_SANDBOX"] = found[1]
                return 0
        raise AssertionError(f"{line!r} told no address:\n{self.shown}")


def followed(page: Path, folder: Path) -> Iterator[tuple[Block, str]]:
    """Each block of a page, and what the commands before it printed: files are written, and `sh` blocks typed."""
    with Sandbox(rounds=2, looks=1) as sandbox:
        reader = Reader(folder, sandbox.url)
        try:
            for block in blocks(page):
                if block.note.startswith("file: "):
                    reader.write(block.note.removeprefix("file: "), block.text)
                elif block.language == "sh":
                    reader.run(block)
                yield block, reader.shown
        finally:
            reader.close()


def commands_of(text: str) -> Iterator[str]:
    """The commands of a snippet, without comments: a line each, or more where one goes on or has a document in it."""
    lines = iter(text.splitlines())
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        while line.endswith("\\") or not _closed(line):
            line += "\n" + next(lines)
        document = re.search(r"<<'?(\w+)'?", line)
        while document and line.rpartition("\n")[2] != document[1]:
            line += "\n" + next(lines)
        yield line


def _closed(text: str) -> bool:
    """Whether every quotation that was begun has ended; the text of a document behind `<<` is none."""
    try:
        shlex.split(text.partition("<<")[0], comments=True)
    except ValueError as error:
        return "quotation" not in str(error)
    return True


def is_set_up(line: str) -> bool:
    """Whether a command is only named here."""
    program, *rest = line.split()
    return " ".join([program.rpartition("/")[2], *rest]).startswith(SETTING_UP)


def check_usage(line: str) -> None:
    """Each of our commands in a line exists, and takes what it is given."""
    for program, rest in _OURS.findall(line.replace("\\\n", " ")):
        words = shlex.split(re.split(r" <| >| #", f"{rest} ")[0])
        command: click.Command = admin if program == "workflow-admin" else workflow
        if program == "workflow-admin" and words[:1] == ["api"]:
            command, words = client(), words[1:]
        check_arguments(command, program, words)


def check_arguments(command: click.Command, path: str, words: list[str]) -> None:
    """A command with subcommands is followed down to the last one."""
    words = [word for word in words if word not in ("--quiet", "--no-color")]
    if {"--help", "--version"} & set(words) or not words:
        return
    if isinstance(command, click.Group):
        inner = command.get_command(click.Context(command, help_option_names=["-h", "--help"]), words[0])
        assert inner is not None, f"there is no command {path} {words[0]}"
        check_arguments(inner, f"{path} {words[0]}", words[1:])
        return
    try:
        command.make_context(path, words, help_option_names=["-h", "--help"])
    except click.ClickException as error:
        raise AssertionError(f"{path} {' '.join(words)}: {error.format_message()}") from error
