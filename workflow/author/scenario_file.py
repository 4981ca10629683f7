"""Finding and reading the scenarios of a bundle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from workflow.author.scenario_grammar import ACTS, FOLDER, ScenarioDocument
from workflow.bundle import loader
from workflow.local.files import read_regular
from workflow.model.duration import seconds
from workflow.model.errors import BundleFaults, DefinitionError, UsageError
from workflow.model.frozen import Noun
from workflow.model.spelling import did_you_mean


class Script(Noun):
    """A scenario as it was read: ``name`` is that of its file, ``document`` what it says, ``source`` where."""

    name: str
    document: ScenarioDocument
    source: loader.Source


def find(bundle: Path, names: tuple[str, ...] = ()) -> list[Path]:
    """The scenarios of the bundle in this folder, by name, or those that are named; raises :class:`UsageError`."""
    files = sorted((bundle / FOLDER).glob("*.yaml"))
    known = [file.stem for file in files]
    for name in names:
        if name not in known:
            raise UsageError(
                f"there is no scenario {name!r}{did_you_mean(name, known)}", f"There are: {', '.join(known) or 'none'}."
            )
    return [file for file in files if not names or file.stem in names]


def read(file: Path) -> Script:
    """The scenario in this file; raises :class:`BundleFaults` with all that is wrong in it."""
    path = f"{FOLDER}/{file.name}"
    try:
        content = read_regular(file, loader.MAX_BYTES)
    except OSError as error:
        raise BundleFaults([DefinitionError(f"cannot be read: {error.strerror}", path, 1, 1)]) from error
    return parse(file.stem, content, path)


def parse(name: str, content: str | bytes, path: str) -> Script:
    """The scenario in a text; raises :class:`BundleFaults`."""
    source = loader.read_as(ScenarioDocument, content, path, _beside)
    return Script(name, loader.typed(ScenarioDocument, source), source)


def _beside(source: loader.Source) -> Iterator[DefinitionError]:
    """What types cannot say: that there are steps, one thing each, and how a duration is written."""
    steps = source.document.get("when")
    if steps == []:
        yield DefinitionError("'when' has no step", source.path, *source.value_at("when"))
    acts = [act.rstrip("_") for act in ACTS]
    for number, step in enumerate(steps if isinstance(steps, list) else []):
        if not isinstance(step, dict):
            continue
        place = source.value_at("when", number)
        done = [act for act in acts if act in step]
        if len(done) != 1:
            said = f"does {' and '.join(done)}" if done else "does nothing"
            yield DefinitionError(f"the step {said}; it must do one of: {', '.join(acts)}", source.path, *place)
        if "by" in step and "send" not in step:
            where = source.at("when", number, "by")
            yield DefinitionError("'by' says who sends: it needs 'send'", source.path, *where)
        if "pass" in step and isinstance(step["pass"], (str, int, float)) and not _is_duration(step["pass"]):
            where = source.value_at("when", number, "pass")
            yield DefinitionError("'pass' must be a duration such as 3s, 20m, 1h30m or 7d", source.path, *where)


def _is_duration(value: str | int | float) -> bool:
    try:
        return seconds(value) >= 0
    except ValueError:
        return False
