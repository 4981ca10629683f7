"""The golden sessions, made by ``python -m tests.golden.make``: later code must still fold and decide them the same.

They are made once and kept, so that neither the format of the journal nor the way of a run changes unnoticed. Make
them anew only where a change is meant, and say in its commit what becomes of live sessions.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

from phases.anygen.sandbox import Sandbox
from tests.playing import HandClock, Player, settings_in
from tests.promises.journeys import change, to_changed, to_plan
from workflow.compose import open_engine
from workflow.engine import Engine
from workflow.model.frozen import as_dict, replace
from workflow.model.strict_json import write_json
from workflow.store.memory import MemoryStore

FOLDER = Path(__file__).parent
REFERENCE = [{"path": "trumpet.png", "description": "a trumpet in warm light"}]


def main() -> None:
    """Play every journey, and write its journal, one entry a line."""
    for name, play in JOURNEYS.items():
        with Sandbox(rounds=2, looks=2) as sandbox:
            journal = played(play, sandbox).journal()
        lines = [write_json(as_dict(entry)) for entry in journal]
        (FOLDER / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def played(play: Callable[[Player, Sandbox], object], sandbox: Sandbox) -> Player:
    """A journey through the packaged bundle, with files in a folder of no meaning; nonces are counted."""
    folder = Path("/tmp/golden")  # the same for everybody: its path is in the journals
    folder.mkdir(exist_ok=True)
    (folder / REFERENCE[0]["path"]).write_bytes(b"a picture of a trumpet")
    engine = open_engine(
        store=MemoryStore("golden"),
        clock=HandClock(),
        environ={"HOME": str(folder)},
        base=folder,
        settings=settings_in(folder, settings={"recommendations": True}),
    )
    nonces = (f"{number:024x}" for number in itertools.count(1))
    player = Player(Engine(replace(engine.world, nonce=lambda: next(nonces))), "", sandbox.url)
    play(player, sandbox)
    return player


def good(play: Player, sandbox: Sandbox) -> None:
    """From a file and two questions to an image, a recommendation and the end."""
    play.start({"words": "A poster for a jazz night", "references": REFERENCE}, host="claude-code")
    play.send("consent", quote="Yes, you may upload it")
    play.send("answer", {"words": "Blue and gold"})
    play.send("approve", quote="Yes, go ahead")
    play.watch()
    play.send(None)
    play.send("praised")
    play.send("finish")


def doubt(play: Player, sandbox: Sandbox) -> None:
    """The answer to the order is lost; the person finds the image, and the change that follows is lost as well."""
    to_plan(play)
    sandbox.fault("drop-after", on="create")
    play.send("approve", quote="Yes, go ahead")
    (task,) = sandbox._service.tasks
    play.send("found", {"task_url": f"{sandbox.url}/task/{task}"}, quote="Here it is")
    play.watch()
    play.send(None)
    sandbox.fault("drop-before", on="send")
    change(play)
    play.send("did_not_happen", quote="No, there is nothing")


def change_of_plan(play: Player, sandbox: Sandbox) -> None:
    """The plan is adjusted twice, the service fails once, and the first approval is too late."""
    to_plan(play)
    play.send("adjust", {"words": "Larger letters"})
    play.send("approve", quote="Yes", revision=2)
    sandbox.fault("server-error", on="prepare")
    play.send("adjust", {"words": "Red letters"}, revision=3)
    play.send("retry")
    play.send("approve", quote="Yes, that one")
    play.engine.world.clock.sleep(1201)
    play.send(None)
    play.send("check")
    play.send("cancel")


def modification(play: Player, sandbox: Sandbox) -> None:
    """Two changes of the image, the second with a file, and a failed one."""
    to_changed(play)
    change(play, "Add the trumpet", references=REFERENCE)
    play.send("consent", quote="Yes, use it")
    play.watch()
    play.send(None)
    sandbox.fault("message-failed", on="send")
    change(play, "Now in green")
    play.send("check")
    play.watch()
    play.send(None)
    play.send("finish")


def refusals(play: Player, sandbox: Sandbox) -> None:
    """Everything that is refused: no such event, no words, another's event, files that are none, stale turns."""
    to_plan(play)
    play.send("create")
    play.send("approve")
    play.send("approve", quote="yes", revision=None)
    play.send("approve", quote="yes", revision=1)
    play.send("task_completed")
    play.send("adjust", {"words": "", "colour": "red"})
    play.send("adjust", {"words": "As here", "references": [{"path": "missing.png", "description": ""}]})
    play.send("modify", {"words": "red"}, quote="red")
    play.send("cancel")
    play.send("approve", quote="yes")


def chinese(play: Player, sandbox: Sandbox) -> None:
    """In Chinese from the first words on; then in a language that has no messages of its own."""
    play.start({"words": "一张爵士之夜的海报"}, language="zh-CN", host="openclaw")
    play.send("answer", {"words": "蓝色和金色"})
    play.send(None, language="de")
    play.send("approve", quote="好的，就这样")
    play.engine.world.clock.sleep(61)
    play.send(None)
    play.watch()
    play.send(None)
    play.send("finish")


JOURNEYS: dict[str, Callable[[Player, Sandbox], object]] = {
    "good": good,
    "doubt": doubt,
    "change_of_plan": change_of_plan,
    "modification": modification,
    "refusals": refusals,
    "chinese": chinese,
}

if __name__ == "__main__":
    main()
