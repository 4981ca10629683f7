"""Ways past the person that were tried, and what each comes to."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import SANDBOX_KEY, Sandbox
from tests.playing import HandClock, Player, player
from tests.promises.conftest import REFERENCE
from workflow.history import audit
from workflow.machine.guards import BUILT_IN, judge
from workflow.machine.registry import Facts, Guard, Registry
from workflow.model.digest import sha256
from workflow.model.errors import SessionBusy, UsageError
from workflow.model.journal import Entry
from workflow.model.ports import Held
from workflow.model.session import Session, Turn
from workflow.store.memory import MemoryStore

DIE = "reply"


class Killed(BaseException):
    """The process is gone."""


class DyingStore(MemoryStore):
    """Dies as a reply is about to be written, where it is told to."""

    dying = False

    def append(self, held: Held, entries: Sequence[Entry], session: Session, status: str) -> None:
        """Write, unless this is a reply."""
        if self.dying and entries[-1].kind == DIE:
            raise Killed
        super().append(held, entries, session, status)


@pytest.fixture
def store() -> DyingStore:
    """A store that can die."""
    return DyingStore()


@pytest.fixture
def play(tmp_path: Path, sandbox: Sandbox, clock: HandClock, store: DyingStore) -> Player:
    """A session about to start, on that store."""
    return player(tmp_path, REFERENCE, sandbox.url, clock=clock, store=store)


def uploads(sandbox: Sandbox) -> list[Any]:
    """The files that reached the service, by digest."""
    return [file.sha256 for request in sandbox.requests for file in request.files]


def creates(sandbox: Sandbox) -> int:
    """How many images were ordered."""
    return sum(request.method == "POST" and request.path.endswith("/tasks") for request in sandbox.requests)


def offer(*names: str) -> list[dict[str, str]]:
    """References, described."""
    return [{"path": name, "description": f"picture {name}"} for name in names]


@pytest.mark.rule("R48", "R50")
def test_a_plan_that_was_made_but_never_said_cannot_be_approved(
    play: Player, sandbox: Sandbox, store: DyingStore
) -> None:
    """The process dies between the new plan and the reply: the answer to the old one opens nothing."""
    sandbox.settings(rounds=1)
    play.start({"words": "A cat"})
    store.dying = True
    with pytest.raises(Killed):
        play.send("adjust", {"words": "A dog"})
    store.dying = False
    reply = play.send("approve", quote="yes", revision=2)
    assert reply.error is not None and "`seen` is of another reply" in reply.error.message
    assert play.says() == ["plan"] and creates(sandbox) == 0


@pytest.mark.rule("R33")
def test_a_file_that_was_never_asked_for_is_not_sent(
    play: Player, sandbox: Sandbox, store: DyingStore, tmp_path: Path
) -> None:
    """As with a plan: consent to what an earlier question asked is no consent to what a later one would have."""
    (tmp_path / "a.png").write_bytes(b"a")
    (tmp_path / "s.png").write_bytes(b"secret")
    sandbox.settings(rounds=1)
    play.start({"words": "A cat", "references": offer("a.png")})
    play.send("consent", quote="yes")
    store.dying = True
    with pytest.raises(Killed):
        play.send("adjust", {"words": "And this", "references": offer("s.png")})
    store.dying = False
    sent = uploads(sandbox)
    assert play.send("consent", quote="yes", revision=3).error is not None
    assert uploads(sandbox) == sent


@pytest.mark.rule("R33")
def test_a_consent_sent_twice_is_one(play: Player, sandbox: Sandbox, tmp_path: Path) -> None:
    """The file changes, the host repeats the turn: the same reply, and the new bytes stay here."""
    (tmp_path / "ref.png").write_bytes(b"agreed")
    play.start({"words": "A cat", "references": offer("ref.png")})
    (tmp_path / "ref.png").write_bytes(b"swapped")
    seen = play.reply.seen
    for _ in range(2):
        reply = play.send("consent", quote="yes", revision=1, seen=seen)
        assert reply.state == "understand.consenting"
    assert reply.replayed and uploads(sandbox) == []
    assert play.send("consent", quote="yes", revision=None, seen=f"{seen}0").error is not None
    assert uploads(sandbox) == []


@pytest.mark.rule("R33")
def test_a_declined_file_is_not_sent_with_a_later_consent(play: Player, sandbox: Sandbox, tmp_path: Path) -> None:
    """A consent that failed and was followed by a no is over; a later one is for what it names."""
    for name in ("b.png", "c.png"):
        (tmp_path / name).write_bytes(name.encode())
    play.start({"words": "A cat", "references": offer("b.png")})
    sandbox.fault("too-large", on="upload")
    play.send("consent", quote="yes")
    play.send("decline")
    before = uploads(sandbox)
    play.send("answer", {"words": "More", "references": offer("b.png", "c.png")})
    play.send("consent", quote="only c", items=["c.png"])
    assert uploads(sandbox) == [*before, sha256(b"c.png")]
    assert play.reply.state == "confirm.presenting"


def test_a_name_that_means_two_files_consents_to_none(play: Player, sandbox: Sandbox, tmp_path: Path) -> None:
    """Two folders, one base name: which is meant cannot be told, so neither is sent."""
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.png").write_bytes(folder.encode())
    play.start({"words": "A cat", "references": offer("x/a.png", "y/a.png")})
    reply = play.send("consent", quote="yes", items=["a.png"])
    assert reply.error is not None and "more than one file" in reply.error.message
    assert uploads(sandbox) == []


@pytest.mark.rule("R11")
@pytest.mark.parametrize("form", [str, lambda key: base64.b64encode(key.encode()).decode()], ids=["plain", "base64"])
def test_a_key_that_is_sent_as_words_is_not_written_down(play: Player, form: Any) -> None:
    """Pasted by accident or on purpose: the turn is no turn, and nothing of it is in the store."""
    with pytest.raises(UsageError, match="holds the service's key"):
        play.start({"words": f"use {form(SANDBOX_KEY)}"})
    play.start({"words": "A cat"})
    with pytest.raises(UsageError):
        play.send("answer", {"words": form(SANDBOX_KEY)})
    assert form(SANDBOX_KEY) not in str([entry.body for entry in play.journal()])


def test_a_status_quotes_a_receipt_that_exists(
    copied: Path, tmp_path: Path, clock: HandClock, sandbox: Sandbox
) -> None:
    """The bundle was edited since the last turn: what `status` has not written is in no receipt."""
    play = player(tmp_path, copied, sandbox.url, clock=clock)
    receipt = play.start({"words": "A cat"}).receipt
    (copied / "prompts" / "en" / "busy.md").write_text("One moment, please.\n")
    assert play.engine.status(play.name).receipt == receipt
    assert audit.verify(play.engine, play.name, receipt).receipt == receipt


@pytest.mark.parametrize(
    "code",
    [
        "return None",
        'return Done({"change_reply": {1, 2}})',
        'return Done({"change_reply": float("nan")})',
        'raise ActionError(ValueError("x"))',
        'raise ActionError("x", ["a"])',
        "raise SystemExit(3)",
        'call.data["conversation"]["tokens"].append("x"); raise KeyError("x")',
    ],
)
def test_a_broken_action_ends_as_a_failed_call(
    copied: Path, tmp_path: Path, clock: HandClock, sandbox: Sandbox, code: str
) -> None:
    """Whatever a bundle's own code does: the person hears of it, `retry` and `cancel` are there, the log holds."""
    sandbox.settings(rounds=1, looks=1)
    module = copied / "phases" / "revise.py"
    begins = "    data = call.data\n    client = Client(call.service, call.base_url)\n    try:\n        answer ="
    text = module.read_text()
    assert text.count(begins) == 1
    module.write_text(text.replace(begins, f"    {code}\n{begins}"))
    play = player(tmp_path, copied, sandbox.url, clock=clock)
    play.start({"words": "A cat"})
    play.send("approve", quote="yes")
    play.watch()
    play.send(None)
    play.send("modify", {"words": "Darker"}, quote="Darker")
    reply = play.send("check")
    assert reply.error is not None and reply.error.type == "service"
    assert {"retry", "cancel"} <= {option.event for option in reply.next}
    assert audit.verify(play.engine, play.name).entries == len(play.journal())
    assert play.send("cancel").status == "cancelled"


@pytest.mark.parametrize("answer", [None, True, "yes", ("passes",)])
def test_a_guard_without_a_verdict_does_not_pass(answer: Any) -> None:
    """True is no verdict: a guard says that it passes, or it does not."""
    guard = Guard("mine", frozenset(), lambda facts: answer)
    registry = Registry({}, {each.name: each for each in (*BUILT_IN, guard)})
    verdict = judge(registry, ["mine"], Facts({}, {}, {}, False, False))["mine"]
    assert not verdict.passes and "no verdict" in verdict.reason


def test_a_renamed_message_does_not_block_a_run(
    copied: Path, tmp_path: Path, clock: HandClock, sandbox: Sandbox
) -> None:
    """What was owed under a name that is gone is said in the words that the bundle has now."""
    sandbox.settings(rounds=1, looks=1)
    play = player(tmp_path, copied, sandbox.url, clock=clock)
    play.start({"words": "A cat"})
    play.send("approve", quote="yes")
    play.watch()
    for language in ("en", "zh-CN"):
        folder = copied / "prompts" / language
        (folder / "ready.md").rename(folder / "image_ready.md")
    yaml = copied / "workflow.yaml"
    yaml.write_text(
        yaml.read_text().replace("say: ready\n", "say: image_ready\n").replace("  ready: ", "  image_ready: ")
    )
    play.send(None)
    assert play.says() == ["image_ready"]
    assert audit.verify(play.engine, play.name).entries == len(play.journal())


def test_a_passed_deadline_waits_for_a_key(copied: Path, tmp_path: Path, clock: HandClock, sandbox: Sandbox) -> None:
    """Without a key no last look can be made, so the run is not late; with it, the image is found."""
    sandbox.settings(rounds=1, looks=1)
    key = {"ANYGEN_API_KEY": "sk-some-key-for-now-0001"}
    play = player(tmp_path, copied, None, clock=clock, environ=key)
    play.start({"words": "A cat"})
    play.send("approve", quote="yes")
    clock.pass_(5_000)
    without = player(tmp_path, copied, None, clock=clock, store=play.engine.world.store)
    without.name = play.name
    assert without.send(None).state == "deliver.generating"
    assert play.send(None).state == "deliver.ready"


def test_many_files_are_not_read_before_they_are_refused(play: Player, tmp_path: Path, monkeypatch: Any) -> None:
    """Nor are those of an event that is not possible."""
    (tmp_path / "a.png").write_bytes(b"a")
    play.start({"words": "A cat"})
    monkeypatch.setattr("workflow.local.files.offer", lambda *given, **named: pytest.fail("read"))
    assert play.send("answer", {"words": "b", "references": offer(*["a.png"] * 21)}).error is not None
    assert play.send("modify", {"words": "b", "references": offer("a.png")}, quote="b").error is not None


def test_one_start_that_is_sent_by_three_is_one_session(play: Player, store: DyingStore) -> None:
    """Another process accepted the same start first: its session and its reply are given, or it is busy."""
    first = play.start({"words": "A cat"}, turn_id="s")
    find, calls = store.find_turn, [0]

    def late(turn: str, name: str | None = None) -> Entry | None:
        calls[0] += 1
        return None if calls[0] == 1 else find(turn, name)

    store.find_turn = late  # type: ignore[method-assign]
    try:
        again = play.engine.start(
            Turn("start", {"words": "A cat"}, turn_id="s"), bundle=play.bundle, sandbox=play.sandbox, profile="tester"
        )
    except SessionBusy:
        return
    assert (again.session, again.replayed) == (first.session, True)
    assert len(play.engine.sessions()) == 1
