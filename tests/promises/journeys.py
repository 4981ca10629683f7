"""How a run of the reference bundle gets to a later phase, and what its service saw on the way."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from phases.anygen.sandbox import Request, Sandbox
from tests.playing import HandClock, Player, player
from workflow.model.reply import Reply
from workflow.store.sqlite import SqliteStore

WORDS = "A poster for a jazz night"
MORE = "Blue and gold, with the title “Night Train”"
CHANGE = "Make the background darker"


def to_plan(play: Player, **start: Any) -> Reply:
    """Up to the plan that waits for approval; the sandbox asks once."""
    play.start({"words": WORDS}, **start)
    return play.send("answer", {"words": MORE})


def to_generating(play: Player, **start: Any) -> Reply:
    """Up to the image being made, or to wherever a fault of the paid call leads."""
    to_plan(play, **start)
    return play.send("approve", quote="Yes, go ahead")


def to_ready(play: Player, **start: Any) -> Reply:
    """Up to the image that is there and told of."""
    to_generating(play, **start)
    play.watch()
    return play.send(None)


def change(play: Player, words: str = CHANGE, **input: Any) -> Reply:
    """Order a change in the person's own words."""
    return play.send("modify", {"words": words, **input}, quote=words)


def to_changed(play: Player, **start: Any) -> Reply:
    """Up to the first change that is made and told of."""
    to_ready(play, **start)
    change(play)
    play.watch()
    return play.send(None)


def again(play: Player, folder: Path, clock: HandClock, **settings: Any) -> Player:
    """The same session in a new process: another engine on the store in ``folder``, which knows what is on disk."""
    after = player(
        folder, Path(play.bundle), play.sandbox, store=SqliteStore(folder / "state"), clock=clock, **settings
    )
    after.name, after.heard = play.name, play.heard
    after.reply = after.engine.status(play.name)
    return after


def on_disk(folder: Path, sandbox: Sandbox, clock: HandClock, bundle: Path, **settings: Any) -> Player:
    """A session about to start whose store is a file."""
    return player(folder, bundle, sandbox.url, store=SqliteStore(folder / "state"), clock=clock, **settings)


def creates(sandbox: Sandbox) -> list[Request]:
    """The calls that ordered an image: each costs money."""
    return _calls(sandbox, "POST", "/tasks")


def sends(sandbox: Sandbox) -> list[Request]:
    """The calls that ordered a change: each costs money."""
    return [each for each in sandbox.requests if each.method == "POST" and each.path.endswith("/messages")]


def looks(sandbox: Sandbox) -> list[Request]:
    """Looks at a task."""
    return [
        each for each in sandbox.requests if each.method == "GET" and each.path.rsplit("/", 1)[-1].startswith("task_")
    ]


def readings(sandbox: Sandbox) -> list[Request]:
    """Looks at the messages of a task."""
    return [each for each in sandbox.requests if each.method == "GET" and each.path.endswith("/messages")]


def remembered(play: Player) -> Mapping[str, Any]:
    """The data of the session, which no message shows whole."""
    return play.engine.data(play.name)


def link(play: Player) -> str:
    """The exact link to the image."""
    return str(remembered(play)["task_url"])


def _calls(sandbox: Sandbox, method: str, path: str) -> list[Request]:
    return [each for each in sandbox.requests if (each.method, each.path) == (method, f"/v1/openapi{path}")]
