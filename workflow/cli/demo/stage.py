"""The demo's stage: a private folder, the sandbox as a process, and the real commands as processes."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from workflow.model.errors import UsageError, WorkflowError
from workflow.model.frozen import Noun
from workflow.model.journal import Entry
from workflow.model.reply import Reply
from workflow.model.strict_json import JsonError, read_json

START_LIMIT = 20.0
"""Seconds until the sandbox must have said where it listens."""
COMMAND_LIMIT = 60.0
"""Seconds for one command, the watch included."""
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
_ID = re.compile(r"(?<=/)[a-z]+_[A-Za-z0-9_-]+(?=/|$)")


class StepFailed(WorkflowError):
    """A step of the demo did not go as it should."""


class Ran(Noun):
    """A command that has ended: what it was given, and what it gave."""

    arguments: tuple[str, ...]
    code: int
    out: str
    error: str = ""

    @property
    def line(self) -> str:
        """The command as a person would type it."""
        return " ".join(("workflow", *self.arguments))

    def json(self) -> Any:
        """Its answer; raises :class:`StepFailed` if it is none."""
        try:
            return read_json(self.out, what=f"the answer of `{self.line}`")
        except JsonError as error:
            raise StepFailed(f"{error} (exit code {self.code})", self.error.strip()[-400:]) from error

    def reply(self) -> Reply:
        """Its answer as a turn's reply."""
        try:
            return Reply.from_json(self.json())
        except (KeyError, TypeError) as error:
            raise StepFailed(f"the answer of `{self.line}` is not a reply", self.out.strip()[:400]) from error

    def entries(self) -> list[Entry]:
        """Its answer as entries of a log, one a line."""
        try:
            lines = [read_json(line, what=f"the answer of `{self.line}`") for line in self.out.splitlines()]
            return [Entry(**line) for line in lines]  # type: ignore[arg-type]
        except (JsonError, TypeError) as error:
            raise StepFailed(f"the log cannot be read: {error}") from error

    def failure(self) -> StepFailed:
        """What went wrong, in the command's own words where it found some."""
        what = f"`{self.line}` ended with {self.code}"
        try:
            error = self.reply().error
        except StepFailed:
            error = None
        if error:
            return StepFailed(f"{what}: {error.message}", error.hint)
        return StepFailed(what, (self.error or self.out).strip()[-400:])


class Stage:
    """Processes that know one folder and one sandbox, and nothing of the person's own configuration."""

    def __init__(self, folder: Path, variables: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        configuration = folder / "config" / "config.toml"
        configuration.parent.mkdir(mode=0o700)
        configuration.write_text("# The demo sets nothing: the defaults apply.\n", encoding="utf-8")
        self.url = ""
        self._environ = _environment(folder) | dict(variables or {})
        self._running: list[subprocess.Popen[str]] = []

    def open(self, *, rounds: int, looks: int) -> None:
        """Start the sandbox on a free port; its banner says which."""
        sandbox = self._begin(
            ("sandbox", "--port", "0", "--rounds", str(rounds), "--looks", str(looks)),
            stderr=subprocess.STDOUT,
        )
        self.url = _address(sandbox)
        self._environ["PHASEGATE_SANDBOX"] = self.url

    def run(self, *arguments: str, turn: Mapping[str, Any] | None = None) -> Ran:
        """Run one command to its end, with the turn as JSON on its stdin."""
        done = self._begin(arguments, stdin=subprocess.PIPE)
        return self._finished(done, arguments, written(turn) if turn is not None else "")

    def show(self, *arguments: str) -> int:
        """Run one command that writes to the terminal itself; its exit code."""
        sys.stdout.flush()
        shown = self._begin(arguments, stdout=None, stderr=None)
        return self._finished(shown, arguments, None).code

    def serve(self, *arguments: str) -> int:
        """Run one command that serves until it is told to end; its exit code."""
        sys.stdout.flush()
        serving = self._begin(arguments, stdout=None, stderr=None)
        code = serving.wait()
        self._running.remove(serving)
        return code

    def background(self, *arguments: str, progress: bool = False) -> subprocess.Popen[str]:
        """Begin a command that goes on by itself; its progress bar may be seen."""
        return self._begin(arguments, stderr=None if progress else subprocess.PIPE)

    def wait(self, process: subprocess.Popen[str], *arguments: str) -> Ran:
        """Until the background command has ended."""
        return self._finished(process, arguments, None)

    def recorded(self) -> list[dict[str, Any]]:
        """Every request that the service got, oldest first, as the sandbox wrote it down."""
        return list(self._control("requests")["requests"])

    def requests(self) -> dict[str, int]:
        """How often the service was asked for what, in order of first use; ids are written ``…``."""
        return dict(Counter(f"{each['method']} {_ID.sub('…', each['path'])}" for each in self.recorded()))

    def misbehave(self, fault: str) -> None:
        """Let the next answer that this fault can strike go wrong."""
        self._control("faults", {"name": fault})

    def close(self) -> None:
        """End every process that is still there."""
        for process in self._running:
            if process.poll() is None:
                process.terminate()
        for process in self._running:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream:
                    stream.close()
        self._running = []

    def _control(self, what: str, wish: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The sandbox's control address; never through a proxy."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        content = None if wish is None else json.dumps(wish).encode()
        try:
            with opener.open(f"{self.url}/__sandbox__/{what}", content, timeout=10) as answer:
                return dict(json.load(answer))
        except (OSError, ValueError, TypeError) as error:
            raise StepFailed(f"the sandbox does not answer about its {what}", str(error)) from error

    def _begin(
        self,
        arguments: Sequence[str],
        *,
        stdin: int = subprocess.DEVNULL,
        stdout: int | None = subprocess.PIPE,
        stderr: int | None = subprocess.PIPE,
    ) -> subprocess.Popen[str]:
        with _INTERRUPTIONS.held():  # between being begun and being known, nobody would end it
            process = subprocess.Popen(
                [sys.executable, "-m", "workflow", *arguments],
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                cwd=self.folder,
                env=self._environ,
                encoding="utf-8",
                errors="replace",
            )
            self._running.append(process)
        return process

    def _finished(self, process: subprocess.Popen[str], arguments: Sequence[str], given: str | None) -> Ran:
        try:
            out, error = process.communicate(given, timeout=COMMAND_LIMIT)
        except subprocess.TimeoutExpired as late:
            raise StepFailed(f"`workflow {' '.join(arguments)}` has not ended within {COMMAND_LIMIT:.0f} s") from late
        self._running.remove(process)
        return Ran(tuple(arguments), process.returncode, out or "", error or "")


def written(turn: Mapping[str, Any]) -> str:
    """A turn's JSON, as it goes to a command and as it is shown."""
    return json.dumps(turn, ensure_ascii=False)


@contextlib.contextmanager
def set_stage(
    keep: Path | None, *, rounds: int, looks: int, variables: Callable[[Path], Mapping[str, str]] | None = None
) -> Iterator[Stage]:
    """A stage with a running sandbox; whatever happens, no process of it stays, and no folder unless kept.

    ``variables`` gives the commands more of them, for the folder they live in.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(_interruptible())
        if keep is None:
            name = stack.enter_context(tempfile.TemporaryDirectory(prefix="phasegate-demo-"))
            folder = Path(name).resolve()
        else:
            folder = _new_folder(keep)
        stage = Stage(folder, variables(folder) if variables else None)
        stack.callback(stage.close)
        stage.open(rounds=rounds, looks=looks)
        yield stage


def _environment(folder: Path) -> dict[str, str]:
    """The variables of the children: our own settings only, and this very package wherever they stand."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PHASEGATE_")}
    paths = [str(Path(__file__).resolve().parents[3])]
    paths += [os.path.abspath(path) for path in kept.get("PYTHONPATH", "").split(os.pathsep) if path]
    return kept | {
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
        "PHASEGATE_STATE": str(folder / "state"),
        "PHASEGATE_CONFIG": str(folder / "config" / "config.toml"),
    }


def _new_folder(keep: Path) -> Path:
    try:
        keep.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(keep.iterdir()):
            raise UsageError(f"the folder {keep} is not empty", "Name a new one, or an empty one.")
    except OSError as error:
        raise UsageError(f"{keep} cannot be a folder for the demo: {error.strerror}", "Name another one.") from error
    return keep.resolve()


def _address(sandbox: subprocess.Popen[str]) -> str:
    """The address in the banner; the rest of what the sandbox says is read and dropped, so that it never waits."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert sandbox.stdout is not None
        with contextlib.suppress(ValueError):  # closed at the end
            for line in sandbox.stdout:
                lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    said: list[str] = []
    end = time.monotonic() + START_LIMIT
    while True:
        try:
            line = lines.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            raise StepFailed("the sandbox has not said where it listens", "".join(said)[-400:]) from None
        if line is None:
            raise Ran(("sandbox",), sandbox.wait(), "".join(said)).failure()
        said.append(line)
        found = _ADDRESS.search(line)
        if found:
            return found[0]


_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Interruptions:
    """Signals that end the play, held back where nothing may be left half done."""

    def __init__(self) -> None:
        self._holding = False
        self._due = False

    def arrive(self, number: int, frame: FrameType | None) -> None:
        """Called by Python, between any two steps."""
        if not self._holding:
            raise KeyboardInterrupt
        self._due = True

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """What is told to end in here ends at the end of it."""
        self._holding = True
        try:
            yield
        finally:
            self._holding = False
        if self._due:
            self._due = False
            raise KeyboardInterrupt


_INTERRUPTIONS = _Interruptions()


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Being told to end is like Ctrl-C: everything is put away first."""

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _INTERRUPTIONS.arrive) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
