"""The golden sessions, which later code must fold and decide the same; ``python -m tests.golden.make`` adds to them.

They are frozen (decision 202): a journal that is kept stays as it is, byte for byte, and only new ones are made. Later
entries may be of more kinds and say more; none says less.
"""

from __future__ import annotations

import csv
import itertools
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from phases.anygen.sandbox import Sandbox
from tests.playing import HandClock, Player, settings_in
from tests.promises.journeys import change, to_changed, to_plan
from tests.roles import PEOPLE, REPORT, People, write
from workflow.bundle import Bundle, open_bundle, packaged
from workflow.compose import open_engine
from workflow.engine import Engine
from workflow.engine.question import note_unanswered
from workflow.history.forget import forget
from workflow.model.digest import sha256
from workflow.model.frozen import Noun, as_dict, replace
from workflow.model.session import Turn
from workflow.model.strict_json import write_json
from workflow.service.sandbox.table import Answers
from workflow.store.memory import MemoryStore

FOLDER = Path(__file__).parent
FROZEN = FOLDER / "frozen.csv"
ROOT = FOLDER.parents[1]
REFERENCE = [{"path": "trumpet.png", "description": "a trumpet in warm light"}]
DAY = 86_400.0


class Journey(Noun):
    """A way through a bundle, with the twin of its service; ``bundle`` is empty for the packaged one."""

    play: Callable[[Player, Any], object]
    bundle: str = ""

    @contextmanager
    def twin(self) -> Iterator[Any]:
        """The service, offline."""
        if not self.bundle:
            with Sandbox(rounds=2, looks=2) as sandbox:
                yield sandbox
            return
        if (bundle := opened(self.bundle)).definition.service.sandbox:
            with bundle.module(bundle.definition.service.sandbox).Sandbox() as running:
                yield running
            return
        answers = Answers(bundle.definition)
        answers.start()
        try:
            yield answers
        finally:
            answers.stop()


def opened(name: str) -> Bundle:
    """A bundle by what the journals call it: the packaged one, an example, or that of ``tests/roles.yaml``."""
    if name != SIGNING:
        return open_bundle(ROOT / name if name else packaged())
    with tempfile.TemporaryDirectory() as folder:
        return open_bundle(write(Path(folder)))


def main() -> int:
    """Play every journey that is not kept yet, and write its journal, one entry a line."""
    kept = frozen()
    for name, journey in JOURNEYS.items():
        if name in kept or (FOLDER / f"{name}.jsonl").exists():
            print(f"{name} is frozen, and stays as it is")
            continue
        with journey.twin() as twin:
            journal = played(journey, twin).journal()
        text = "".join(f"{write_json(as_dict(entry))}\n" for entry in journal)
        (FOLDER / f"{name}.jsonl").write_text(text, encoding="utf-8")
        with FROZEN.open("a", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerow((name, sha256(text.encode())))
        print(f"{name} is kept from now on")
    return 0


def frozen() -> dict[str, str]:
    """Journal → the digest of its file."""
    with FROZEN.open(encoding="utf-8", newline="") as file:
        return dict(list(csv.reader(file))[1:])


def played(journey: Journey, twin: Any) -> Player:
    """A journey through its bundle, with files in a folder of no meaning; nonces are counted."""
    folder = Path("/tmp/golden")  # the same for everybody: its path is in the journals
    folder.mkdir(exist_ok=True)
    (folder / REFERENCE[0]["path"]).write_bytes(b"a picture of a trumpet")
    engine = open_engine(
        store=MemoryStore("golden"),
        clock=HandClock(),
        environ={"HOME": str(folder)},
        base=folder,
        settings=settings_in(folder, settings={"recommendations": True} if not journey.bundle else {}),
    )
    nonces = (f"{number:024x}" for number in itertools.count(1))
    opens = {"open_bundle": opened} if journey.bundle else {}
    player = Player(Engine(replace(engine.world, nonce=lambda: next(nonces), **opens)), journey.bundle, twin.url)
    journey.play(player, twin)
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


def signed(play: Player, books: Any) -> None:
    """A clock that is set back, a manager's no, nobody for two days, a director in their place, another who signs."""
    people = People(play, EXPENSE_PEOPLE)
    lines = {"lines": "2026-11-02; equipment; 1200; A desk"}
    clock: Any = play.engine.world.clock
    play.start(lines)
    clock.wall, clock.boot, clock.boot_id = clock.wall - DAY, 5.0, "boot-2"
    play.send(None)
    people.answer("erin", "submit")
    play.send("approve", quote="yes, says the manager")
    people.decline("mona", "manager_ok")
    play.send("change", lines)
    people.answer("erin", "submit")
    clock.pass_(DAY)
    play.send(None)
    clock.pass_(DAY)
    play.send(None)
    people.answer("dora", "stand_in")
    clock.pass_(6 * 3600.0)
    books.fault("drop-before", on="POST /v1/payments")
    people.answer("dirk", "sign")
    people.answer("ann", "paid")


def voted(play: Player, answers: Any) -> None:
    """Two of the board sign, one after the other; a form was closed before; then what the session held is erased."""
    people = People(play, PEOPLE)
    play.start({**REPORT, "big": True})
    people.answer("max", "submit")
    note_unanswered(play.engine, play.name, Turn("sign", channel="terminal"), "board_ok", "closed")
    people.answer("ada", "sign")
    people.answer("ada", "sign")
    people.answer("bob", "sign")


def erased(play: Player, answers: Any) -> None:
    """A report that nobody wants any more, of which only the chain is left."""
    play.start({**REPORT, "big": False})
    play.send("cancel")
    forget(play.engine, play.name)


SIGNING, EXPENSE = "tests/roles.yaml", "examples/expense"
EXPENSE_PEOPLE = {"employee": ("erin",), "manager": ("mona",), "director": ("dora", "dirk"), "accounting": ("ann",)}
JOURNEYS: dict[str, Journey] = {
    "good": Journey(good),
    "doubt": Journey(doubt),
    "change_of_plan": Journey(change_of_plan),
    "modification": Journey(modification),
    "refusals": Journey(refusals),
    "chinese": Journey(chinese),
    "signed": Journey(signed, EXPENSE),
    "voted": Journey(voted, SIGNING),
    "erased": Journey(erased, SIGNING),
}

if __name__ == "__main__":
    raise SystemExit(main())
