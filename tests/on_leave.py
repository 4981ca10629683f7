"""A session of the bundle in `tests/leave`, which has every timer, and pieces of its YAML changed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.playing import HandClock, Player, player
from workflow.bundle import open_bundle
from workflow.model.ports import Store
from workflow.service.sandbox.table import Answers

LEAVE = Path(__file__).parent / "leave"
HOUR, DAY = 3600.0, 86400.0


def changed(folder: Path, changes: Mapping[str, str]) -> Path:
    """The bundle in ``folder``, with pieces of its YAML replaced; each piece must be there."""
    text = (LEAVE / "workflow.yaml").read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    if not folder.exists():
        shutil.copytree(LEAVE, folder)
    (folder / "workflow.yaml").write_text(text, encoding="utf-8")
    reminder = "prompts/en/reminder.md"
    (folder / reminder).unlink(missing_ok=True)  # no message may be there that nothing says
    if "remind:" in text:
        shutil.copy(LEAVE / reminder, folder / reminder)
    return folder


@contextmanager
def begun(
    tmp_path: Path,
    changes: Mapping[str, str] = {},
    *,
    store: Store | None = None,
    clock: HandClock | None = None,
) -> Iterator[tuple[Player, Answers, HandClock]]:
    """A session that waits for the manager, the sandbox that it talks to, and its clock."""
    folder, clock = changed(tmp_path / "leave", changes), clock or HandClock()
    sandbox = Answers(open_bundle(folder).definition)
    sandbox.start()
    try:
        play = player(tmp_path, folder, sandbox.url, clock=clock, store=store)
        play.start({"words": "a week in May"})
        yield play, sandbox, clock
    finally:
        sandbox.stop()
