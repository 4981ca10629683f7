"""The systems that are compared, and a run of one: real processes, which can be killed."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import IO

from compare.shop import Shop
from compare.turn import Stands

HERE = Path(__file__).parent
ERRORS = "errors.txt"


@dataclass(frozen=True)
class System:
    """A row of the table.

    ``renaming`` is the name by which a saved run that waits knows where it is, and another one for the same place.
    ``serves`` says that an application process runs beside the turns.
    """

    title: str
    file: str
    distribution: str
    renaming: tuple[str, str]
    variant: str = ""
    serves: bool = False

    @property
    def version(self) -> str:
        """Of the distribution, as it is installed; raises ``PackageNotFoundError``."""
        return metadata.version(self.distribution)


OURS = System("Phasegate", "ours.py", "phasegate", ("presenting", "showing"))
SYSTEMS = (
    OURS,
    System("LangGraph, as it comes", "langgraph_.py", "langgraph", ("confirm", "review")),
    System("LangGraph, tuned", "langgraph_.py", "langgraph", ("confirm", "review"), variant="tuned"),
    System("Burr", "burr_.py", "apache-burr", ("propose", "suggest")),
    System("DBOS, one application", "dbos_.py", "dbos", ("propose", "suggest"), serves=True),
    System("DBOS, a process per turn", "dbos_.py", "dbos", ("propose", "suggest"), variant="turns"),
)


class Run:
    """One run of the procedure on one system, in a folder of its own, with a shop of its own."""

    def __init__(self, system: System, folder: Path, shop: Shop) -> None:
        self.system, self.folder, self.shop = system, folder, shop
        self._alive: list[subprocess.Popen[str]] = []
        self._heard: dict[int, str] = {}
        shutil.copy(HERE / system.file, folder / "procedure.py")
        shutil.copytree(HERE / "bundle", folder / "bundle", ignore=shutil.ignore_patterns("__pycache__"))

    def start(self, wish: str) -> Stands:
        """The first turn, up to the question."""
        if self.system.serves:
            self._serve(wish)
        return self.asked(self.turn("start", wish=wish))

    def asked(self, stands: Stands) -> Stands:
        """The run waits for an answer, or nothing was measured: raises ``RuntimeError``."""
        if stands.status != "waiting":
            raise RuntimeError(f"there was to be a question, but the run is {stands.status}: {stands.why}")
        return stands

    def turn(self, verb: str, **given: str) -> Stands:
        """One turn, to its end."""
        return self.finish(self.begin(verb, **given))

    def resume(self) -> Stands:
        """What the system's documentation says to do after a crash."""
        self.restart()
        return self.turn("resume")

    def restart(self) -> None:
        """The application again, where there is one; a saved run is all that is left of the processes before."""
        if self.system.serves:
            self._serve()

    def begin(self, verb: str, **given: str) -> subprocess.Popen[str]:
        """A process that takes one turn."""
        options = {"folder": str(self.folder), "variant": self.system.variant, **given}
        command = [sys.executable, str(self.folder / "procedure.py"), verb]
        command += [f"--{name}={value}" for name, value in options.items()]
        paths = os.pathsep.join([str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
        environ = {**os.environ, "HOME": str(self.folder), "PYTHONPATH": paths, "COMPARE_SHOP": self.shop.url}
        with (self.folder / ERRORS).open("a") as errors:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environ)
        self._alive.append(process)
        return process

    def first_word(self, process: subprocess.Popen[str]) -> None:
        """Until the turn has said something, or has ended."""
        self._heard[process.pid] = _output(process).readline()

    def finish(self, process: subprocess.Popen[str]) -> Stands:
        """Where the run stands after that turn; a turn that breaks off has stopped with its last line of error."""
        lines = (self._heard.pop(process.pid, "") + _output(process).read()).splitlines()
        if process.wait() == 0:
            return Stands(**json.loads(lines[-1]))
        return Stands("stopped", why=(self.warnings() or [f"ended with {process.returncode}"])[-1])

    def warnings(self) -> list[str]:
        """What the processes of the run wrote to stderr so far, but for what calls itself information."""
        return [line for line in _lines(self.folder / ERRORS) if "INFO]" not in line]

    def kill(self) -> None:
        """SIGKILL to every process of this run."""
        for process in self._alive:
            process.send_signal(signal.SIGKILL)
            process.wait()
            _output(process).close()
        self._alive.clear()

    def rename(self) -> None:
        """Edit the saved procedure as an author would: the place where it waits gets another name."""
        kept = "bundle/workflow.yaml" if self.system is OURS else "procedure.py"
        before, after = self.system.renaming
        text, found = re.subn(rf"\b{before}\b", after, (self.folder / kept).read_text(encoding="utf-8"))
        assert found, f"{before} does not occur in {kept}"
        (self.folder / kept).write_text(text, encoding="utf-8")

    def _serve(self, wish: str = "") -> None:
        process = self.begin("serve", wish=wish)
        if _output(process).readline() != "serving\n":
            raise RuntimeError(f"{self.system.title} did not start: {self.finish(process).why}")


def _output(process: subprocess.Popen[str]) -> IO[str]:
    assert process.stdout is not None
    return process.stdout


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()] if path.exists() else []
