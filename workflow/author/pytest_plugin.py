"""Scenarios as tests: pytest collects ``scenarios/*.yaml`` of every bundle below the folders it is given."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from workflow.author.play import Played, play_file
from workflow.author.scenario_grammar import FOLDER
from workflow.author.stand import Candidate, candidate


class ScenarioFailed(Exception):
    """A scenario did not come as it says; holds what was played."""

    def __init__(self, played: Played) -> None:
        super().__init__("\n".join(played.transcript()))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A YAML file in a folder ``scenarios`` beside a ``workflow.yaml``."""
    folder = file_path.parent
    if file_path.suffix == ".yaml" and folder.name == FOLDER and (folder.parent / "workflow.yaml").is_file():
        found: pytest.Collector = ScenarioFile.from_parent(parent, path=file_path)
        return found
    return None


class ScenarioFile(pytest.File):
    """One file, one scenario."""

    def collect(self) -> Iterator[pytest.Item]:
        """The scenario, under the name of its file."""
        yield ScenarioItem.from_parent(self, name=self.path.stem)


class ScenarioItem(pytest.Item):
    """A scenario that is about to be played."""

    def runtest(self) -> None:
        """Play it; raises :class:`ScenarioFailed`."""
        played = play_file(self.path, _opened(self.path.parent.parent))
        if not played.passed:
            raise ScenarioFailed(played)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The transcript alone: where it was played is nobody's matter."""
        if isinstance(excinfo.value, ScenarioFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """The file, and the scenario's name."""
        return self.path, 0, self.name


@cache
def _opened(folder: Path) -> Candidate:
    """Each bundle is checked once."""
    return candidate(folder)
