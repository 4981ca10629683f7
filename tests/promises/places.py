"""Stores that are restored, copied and moved: how a test does it, and what is paid for by then."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from phases.anygen.sandbox import Sandbox
from tests.playing import HandClock, Player, player
from tests.promises.conftest import REFERENCE
from tests.promises.journeys import creates, to_plan
from workflow.history.adopt import Adopted, Outcome, adopt, survey
from workflow.model.ledger import Payment, read
from workflow.model.reply import Reply
from workflow.store.ledger import BESIDE
from workflow.store.sqlite import SqliteStore

YES = "Yes, go ahead"


def at(folder: Path, sandbox: Sandbox, clock: HandClock, state: str = "state", **options: Any) -> Player:
    """A session about to start, in the store ``state`` of ``folder``; each call is a process of its own."""
    store = SqliteStore(folder / state, ledger=options.pop("ledger", None))
    return player(folder, REFERENCE, sandbox.url, store=store, clock=clock, **options)


def planned(folder: Path, sandbox: Sandbox, clock: HandClock, state: str = "state", **options: Any) -> Player:
    """The same, up to the plan: the next answer pays."""
    play = at(folder, sandbox, clock, state, **options)
    to_plan(play)
    return play


def like(
    play: Player, folder: Path, sandbox: Sandbox, clock: HandClock, state: str = "state", **options: Any
) -> Player:
    """The same session in another process, which remembers what the agent read."""
    other = at(folder, sandbox, clock, state, **options)
    other.name, other.reply = play.name, play.reply
    return other


def approve(play: Player, *, seen: str | None = None, **more: Any) -> Reply:
    """The same answer as ever, by an agent that reads first what the store says now, unless it names a reply."""
    return play.send("approve", quote=YES, revision=2, seen=seen or play.engine.status(play.name).seen, **more)


def backup(play: Player, file: Path) -> Path:
    """A copy as `workflow backup` makes it."""
    play.engine.world.store.backup(str(file))
    return file


def restore(file: Path, state: Path) -> None:
    """Put a copy in the place of the database, whatever has it open."""
    for each in state.glob("phasegate.db*"):
        each.unlink()
    shutil.copy(file, state / "phasegate.db")


def duplicate(state: Path, other: Path) -> Path:
    """A copy of a whole state folder, made while nobody writes."""
    shutil.copytree(state, other, ignore=shutil.ignore_patterns("*.lock"))
    return other


def payments(state: Path) -> Sequence[Payment]:
    """What the ledger beside the store says."""
    return read((state / BESIDE).read_bytes()).payments


def settled(play: Player, outcome: Outcome = "did_not_happen") -> Adopted:
    """Adopt the store, and say the same of every line."""
    found = survey(play.engine)
    assert found.reasons
    return adopt(play.engine, found, {line.id: outcome for line in found.open})


def set_back(reply: Reply, sandbox: Sandbox, paid: int = 1) -> bool:
    """The call did not leave; the agent is told why, the person hears it, and nothing was paid since."""
    assert reply.error is not None and reply.error.kind == "set_back", reply
    assert "workflow-admin adopt" in reply.error.hint and reply.error.type == "store"
    assert [each.id for each in reply.say][-1:] in (["set_back"], [])
    return len(creates(sandbox)) == paid
