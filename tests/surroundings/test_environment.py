"""Every variable that a command looks at stands in a table of the pages, and all of ours but a host's are looked at."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.docs.pages import DOCS, section
from tests.surroundings.everything import Everything
from workflow.cli.agent.host_config import TOKEN

ROOT = Path(__file__).parents[2]
CLI = DOCS / "cli.md"
INTERPRETERS = re.compile("_PYTHON_.*|__.*")
"""Of the interpreter itself, where it was built."""


def named(heading: str) -> set[str]:
    """The variables in the first column of the table below a heading."""
    cells = (line.split("|")[1] for line in section(CLI, heading).splitlines() if line.startswith("| `"))
    return {name for cell in cells for name in re.findall("`([^`]+)`", cell)}


def test_every_variable_that_a_command_looks_at_is_explained(tmp_path: Path) -> None:
    """All commands are run, and what they and their libraries look up in the environment is written down."""
    everything = Everything(tmp_path, sys.executable, str(ROOT))
    runs = everything.run({"HOME": "{}"}, person=True, recorded=True)
    looked = {name for ended in runs.values() for name in ended.variables if not INTERPRETERS.fullmatch(name)}
    ours, others = named("Environment"), named("Variables of the system and of libraries")
    assert looked - ours - others == set()
    assert ours - looked == {TOKEN}  # which a host looks up, by the name in its entry, and no command
