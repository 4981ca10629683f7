"""``python -m tests.docs.walk``: the first ten minutes of somebody new, typed into a terminal of two sizes.

A fresh clone, an empty home and tmux: each line is typed by hand, and what the terminal shows then is drawn
into ``docs/pictures``. The last table tells how long each step took. A person looks at the pictures: no test does.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parents[2]
SIZES = ((80, 24), (120, 40))
PROMPT = "$ "
PATIENCE = 300.0
"""Seconds for the longest step, which installs."""


@dataclass(frozen=True)
class Answer:
    """What is typed once the last line of the screen asks ``wanted``; ``picture`` names what is drawn before that."""

    wanted: str
    typed: str
    picture: str = ""


@dataclass(frozen=True)
class Step:
    """What is typed, and the answers to what it asks."""

    name: str
    line: str
    answers: Sequence[Answer] = ()


STEPS = (
    Step("clone", "git clone ~/phasegate.git/ phasegate && cd phasegate"),
    Step("demo", "make demo", (Answer("go ahead?", "y"),)),
    Step("path", 'export PATH="$PWD/.venv/bin:$PATH" && clear'),
    Step(
        "play",
        "clear; workflow play",
        (
            Answer("words, in your own words:", "A poster for a jazz night"),
            Answer("references: the path of a file (Enter: none):", ""),
            Answer("task url (the full link; Enter: none):", ""),
            Answer("What happens?", "Warm and lively, with the words JAZZ NIGHT", "question"),
            Answer("What happens?", "approve", "plan"),
            Answer("Your answer, in your own words:", "Yes, go ahead"),
            Answer("What happens?", "q", "ready"),
        ),
    ),
    Step("init", "clear; workflow init tea"),
    Step("lint", "clear; workflow lint tea"),
    Step("test", "clear; workflow test tea"),
    Step("graph", "clear; workflow graph tea"),
    Step("extra", "clear; .venv/bin/pip install -q -c constraints.txt '.[mcp]'"),
    Step("host", "clear; workflow mcp --print-config claude-code"),
)
QUIET = {"path", "extra"}
"""Steps that show nothing worth a picture."""


class Terminal:
    """A tmux session of this size, with an empty home."""

    def __init__(self, home: Path, columns: int, rows: int) -> None:
        self._socket, self._size = str(home / "tmux"), (columns, rows)
        self._prompts = home / "prompts"
        self._prompts.touch()
        environ = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm-256color"}
        environ["PROMPT_COMMAND"] = f"'echo >> {self._prompts}'"
        shell = f"env -i {' '.join(f'{name}={value}' for name, value in environ.items())} PS1='{PROMPT}' bash --norc"
        self._tmux("new-session", "-d", "-x", str(columns), "-y", str(rows), "-c", str(home), f"{shell} -i")
        self._until_prompt(1)

    def run(self, step: Step, line: str, draw: Callable[[str], None]) -> float:
        """Type a line and its answers; seconds until the prompt is there again."""
        begun, prompts = time.monotonic(), self._prompted()
        self._type(line)
        for answer in step.answers:
            self._until(lambda wanted=answer.wanted: self._asks(wanted))  # type: ignore[misc]
            if answer.picture:
                draw(answer.picture)
            before = self.text()
            self._type(answer.typed)
            self._until(lambda text=before: self.text() != text)  # type: ignore[misc]
        self._until_prompt(prompts + 1)
        return time.monotonic() - begun

    def text(self) -> str:
        """What the terminal shows."""
        return self._tmux("capture-pane", "-p")

    def draw(self, file: Path, title: str) -> None:
        """The screen as it stands, as SVG."""
        columns, rows = self._size
        console = Console(width=columns, height=rows, record=True, file=io.StringIO(), force_terminal=True)
        console.print(Text.from_ansi(self._tmux("capture-pane", "-e", "-p").rstrip("\n")), crop=True)
        console.save_svg(str(file), title=title, unique_id=file.stem)

    def close(self) -> None:
        """End tmux and all that runs in it."""
        self._tmux("kill-server")

    def _type(self, text: str) -> None:
        self._tmux("send-keys", "-l", text)
        self._tmux("send-keys", "Enter")

    def _prompted(self) -> int:
        """How often the shell has asked for a line."""
        return len(self._prompts.read_text().splitlines())

    def _until_prompt(self, times: int) -> None:
        self._until(lambda: self._prompted() >= times and self._last() == PROMPT.rstrip())

    def _asks(self, wanted: str) -> bool:
        """Whether the last line asks for this and nothing is typed yet."""
        last = self._last()
        return wanted in last and last.endswith(("?", ":", "]", ")"))

    def _last(self) -> str:
        """The last line of the screen that is not empty."""
        return self.text().rstrip("\n").rpartition("\n")[2].rstrip()

    def _until(self, true: Callable[[], bool]) -> None:
        ends = time.monotonic() + PATIENCE
        while not true():
            if time.monotonic() > ends:
                raise SystemExit(f"nothing more in {PATIENCE:.0f} s:\n{self.text()}")
            time.sleep(0.1)

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(["tmux", "-S", self._socket, *words], capture_output=True, text=True, check=True)
        return done.stdout


def main() -> None:
    """All steps in both sizes; the times are those of the first size, which installs."""
    wish = argparse.ArgumentParser(prog="python -m tests.docs.walk", description=(__doc__ or "").partition("\n")[0])
    wish.add_argument("--folder", type=Path, default=ROOT / "docs" / "pictures", help="where the pictures go")
    wish.add_argument("--home", type=Path, help="an empty home to be made, and removed; default: a temporary one")
    given = wish.parse_args()
    if shutil.which("tmux") is None:
        raise SystemExit("tmux is not installed")
    given.folder.mkdir(exist_ok=True)
    took = [walk(columns, rows, given.folder, given.home) for columns, rows in SIZES]
    for step in STEPS:
        print(f"| {step.name} | " + " | ".join(f"{each[step.name]:.1f} s" for each in took) + " |")


def walk(columns: int, rows: int, folder: Path, home: Path | None = None) -> dict[str, float]:
    """Seconds of each step in a terminal of this size."""
    took: dict[str, float] = {}

    def draw(name: str) -> None:
        terminal.draw(folder / f"{name}-{columns}x{rows}.svg", name)

    with _empty(home) as made:
        (made / "phasegate.git").symlink_to(ROOT)  # pictures show no path of the machine that drew them
        terminal = Terminal(made, columns, rows)
        try:
            for step in STEPS:
                took[step.name] = terminal.run(step, step.line, draw)
                if step.name not in QUIET:
                    draw(step.name)
        finally:
            terminal.close()
    return took


@contextmanager
def _empty(home: Path | None) -> Iterator[Path]:
    """A folder with nothing in it, which goes again; one that is there already is left alone."""
    if home is None:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            yield Path(folder)
        return
    home.mkdir()
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
