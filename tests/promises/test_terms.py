"""Terms: a question that waits too long is asked again, and so is an approval that was held too long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.guarded import REFUSES, Guarded
from tests.playing import HandClock, Player, player
from tests.promises.test_key import KEY, put_key
from workflow.engine.question import put
from workflow.history import audit
from workflow.history.proof import prove
from workflow.history.replay import replay
from workflow.model.instant import Instant
from workflow.model.reply import Reply
from workflow.model.session import Turn

DAY = 86_400.0
WORDS = {"words": "A poster for a jazz night"}
YES = "yes, go ahead"


class Shift(NamedTuple):
    """What the clocks do meanwhile; ``boot`` None is a reboot. ``counts`` says whether a term of 7 days still runs."""

    wall: float
    boot: float | None
    counts: bool

    def apply(self, clock: HandClock) -> None:
        """To a clock that is set by hand."""
        clock.wall += self.wall
        if self.boot is None:
            clock.boot, clock.boot_id = 5.0, clock.boot_id + "+"
        else:
            clock.boot += self.boot


CLOCKS = {
    "a minute": Shift(60, 60, True),
    "six days": Shift(6 * DAY, 6 * DAY, True),
    "eight days": Shift(8 * DAY, 8 * DAY, False),
    "sixty days": Shift(60 * DAY, 60 * DAY, False),
    "set forward": Shift(8 * DAY, 60, False),
    "set back": Shift(-3600, 60, False),
    "set back after eight days": Shift(60, 8 * DAY, False),
    "rebooted": Shift(60, None, True),
    "rebooted after eight days": Shift(8 * DAY, None, False),
    "rebooted and set back": Shift(-60, None, False),
}


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Guarded]:
    """A bundle with one paid call, at its question."""
    with Guarded(tmp_path, "end", REFUSES) as running:
        running.play.start({"words": "a poster"})
        yield running


def asked_by(play: Player, how: str) -> Callable[[], Reply]:
    """An answer to the question as it is shown now, to be given later: by an agent, a terminal or a form."""
    if how == "relayed":
        return lambda: play.send("approve", quote=YES)
    found = put(play.engine, play.name, Turn("approve"))
    assert found is not None and not isinstance(found, str)
    turn = Turn("approve", quote=YES, strength=how, channel="terminal", about=found.about, asked_at=found.question.at)
    return lambda: play.engine.advance(play.name, turn)


@pytest.mark.parametrize("how", ["relayed", "asked", "proven"])
@pytest.mark.parametrize("case", CLOCKS)
def test_a_question_is_answered_within_its_term(guarded: Guarded, case: str, how: str) -> None:
    """However the clocks were set, and whoever asked; a late answer is no answer, and the next one pays once."""
    shift, play = CLOCKS[case], guarded.play
    answer = asked_by(play, how)
    shift.apply(guarded.clock)
    reply = answer()
    assert guarded.paid == shift.counts
    if shift.counts:
        return
    assert reply.error is not None and reply.error.type == "stale" and reply.state == "a.asking"
    assert ("set back" in reply.error.message) is (min(shift.wall, shift.boot or 0) < 0)
    assert [said.id for said in reply.say] == ["ask"] and "ask the person again" in reply.error.hint
    assert asked_by(play, how)().state == "a.waiting" and guarded.paid == 1


@pytest.mark.parametrize("how", ["relayed", "asked"])
def test_the_old_token_counts_again_once_the_question_is_said_again(guarded: Guarded, how: str) -> None:
    """It is the same question: what was refused is its age."""
    play, token = guarded.play, guarded.play.reply.seen
    guarded.clock.pass_(8 * DAY)
    assert play.send("approve", quote=YES).error is not None
    assert play.send("approve", quote=YES, seen=token).state == "a.waiting" and guarded.paid == 1


def test_an_old_form_is_refused_after_its_term_whatever_was_said_since(guarded: Guarded) -> None:
    """Its own term counts, not that of the conversation."""
    late = asked_by(guarded.play, "asked")
    guarded.clock.pass_(8 * DAY)
    guarded.play.send(None)  # says the question again
    refused = late()
    assert refused.error is not None and "is 8d old, and its term is 7d" in refused.error.message
    assert guarded.paid == 0


def test_polling_writes_nothing_until_a_term_is_over(guarded: Guarded) -> None:
    """A term that is over begins with the first reply that says the question again; `status` never begins one."""
    play = guarded.play
    before = len(play.journal())
    for _ in range(5):
        guarded.clock.pass_(DAY)
        play.send(None)
        play.engine.status(play.name)
    assert len(play.journal()) == before
    guarded.clock.pass_(3 * DAY)
    assert play.engine.status(play.name).next[0].gate.until is None  # type: ignore[union-attr]
    assert len(play.journal()) == before
    assert [said.id for said in play.send(None).say] == ["ask"] and len(play.journal()) == before + 1
    play.send(None)
    assert len(play.journal()) == before + 1
    assert play.send("approve", quote=YES).state == "a.waiting"


def test_a_refusal_that_says_the_question_again_begins_the_term(guarded: Guarded) -> None:
    """In its own entry, and only where the term is over."""
    play = guarded.play
    play.send("approve")
    guarded.clock.pass_(8 * DAY)
    play.send("approve")
    play.send("approve")
    assert [entry.body.get("handed") for entry in play.journal("refusal") if entry.body] == [None, ["agreed"], None]
    guarded.clock.pass_(6 * DAY)
    assert play.send("approve", quote=YES).state == "a.waiting"


def test_the_end_of_the_term_is_shown(guarded: Guarded) -> None:
    """In the reply that asks, in `status`, and nowhere where no term runs."""
    play = guarded.play
    asked = play.option("approve").gate
    assert asked is not None and asked.until == "2027-01-22T08:00:00.000Z"
    shown = play.engine.status(play.name).next[0].gate
    assert shown is not None and shown.until == asked.until
    assert play.send("approve").next[0].gate == asked


@pytest.fixture
def keyless(copied: Path, tmp_path: Path) -> Player:
    """A live session with a plan, whose key is gone."""
    put_key(tmp_path, KEY)
    play = player(tmp_path, copied, None)
    play.start(WORDS)
    play.send("answer", {"words": "Warm colours"})
    assert play.reply.state == "confirm.presenting"
    (tmp_path / ".config" / "anygen" / "config.json").unlink()
    return play


@pytest.mark.parametrize("case", CLOCKS)
def test_an_approval_that_is_held_behind_a_missing_key(
    keyless: Player, tmp_path: Path, asked: Callable[[str], list[object]], case: str
) -> None:
    """It ages: past its term it is void, the person is asked again with a message, and a new yes pays once."""
    shift, play = CLOCKS[case], keyless
    clock = play.engine.world.clock
    assert isinstance(clock, HandClock)
    assert play.send("approve", quote=YES).error.kind == "no_key"  # type: ignore[union-attr]
    shift.apply(clock)
    put_key(tmp_path, KEY)
    play.send("retry")
    assert len(asked("create")) == shift.counts
    if not shift.counts:
        assert play.reply.state == "confirm.presenting" and play.says() == ["ask_again", "plan"]
        (void,) = [entry.body for entry in play.journal("failure") if entry.body and entry.body["kind"] == "void"]
        assert "'user_approved'" in void["message"]
        assert ("its term is 7d" in void["message"]) is ("back" not in case or case == "set back after eight days")
        assert play.option("approve").gate.have is None  # type: ignore[union-attr]
        assert play.send("approve", quote=YES).state == "deliver.generating"
    assert len(asked("create")) == 1
    assert prove(play.engine, play.name).holds
    assert audit.verify(play.engine, play.name).entries == len(play.journal())


def test_consent_to_a_file_ages_file_by_file(
    copied: Path, tmp_path: Path, asked: Callable[[str], list[object]]
) -> None:
    """No file leaves on a consent that is past its term; the person is asked again, and one yes sends it once."""
    put_key(tmp_path, KEY)
    play = player(tmp_path, copied, None)
    (tmp_path / "ref.png").write_bytes(b"a picture")
    play.start({**WORDS, "references": [{"path": "ref.png", "description": "the style"}]})
    (tmp_path / ".config" / "anygen" / "config.json").unlink()
    play.send("consent", quote="yes, send it")
    play.engine.world.clock.sleep(8 * DAY)
    put_key(tmp_path, KEY)
    assert "seen" in play.option("retry").how and "`upload`" in play.option("retry").how
    play.send("retry", seen=None)
    assert play.reply.error is not None and play.reply.error.type == "refused" and asked("upload") == []
    play.reply = play.engine.status(play.name)
    play.send("retry")
    assert asked("upload") == [] and play.reply.state == "understand.consenting"
    assert play.says() == ["ask_again", "consent"]
    play.send("consent", quote="yes, send it")
    assert len(asked("upload")) == 1


def test_the_persons_own_words_are_no_question_that_ages(copied: Path, tmp_path: Path) -> None:
    """Nothing is shown before `modify`: it has no term for answering, and none is shown."""
    put_key(tmp_path, KEY)
    play = player(tmp_path, copied, None)
    play.start(WORDS)
    play.send("answer", {"words": "Warm colours"})
    play.send("approve", quote=YES)
    play.watch()
    play.send(None)
    gate = play.option("modify").gate
    assert gate is not None and gate.until is None
    play.engine.world.clock.sleep(60 * DAY)
    assert play.send("modify", {"words": "Make it blue"}, quote="Make it blue").state == "revise.applying"


def test_a_clock_that_fails_pays_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever reading of it is the first to fail: without an intent nothing left, and later one yes pays once.

    What has a result is not made again, also where the run could not move on for it.
    """
    for working in range(100):
        with Guarded(tmp_path / str(working), "end", REFUSES) as guarded, monkeypatch.context() as broken:
            play = guarded.play
            play.start({"words": "a poster"})
            broken.setattr(guarded.clock, "now", _failing_after(working, guarded.clock.now))
            try:
                play.send("approve", quote=YES)
            except RuntimeError:
                assert guarded.paid <= len(play.journal("intent")) <= 1
            else:
                assert guarded.paid == 1 and working > 3
                return
            broken.undo()
            play.reply = play.engine.status(play.name)
            unsure = play.reply.status == "in_doubt"
            play.send(None)
            if play.reply.state == "a.asking":
                play.send("approve", quote=YES)
            assert unsure or (guarded.paid == 1 and play.reply.state == "a.waiting")
    raise AssertionError("a turn reads the clock a hundred times")


def _failing_after(working: int, now: Callable[[], Instant]) -> Callable[[], Instant]:
    left = iter(range(working))

    def read() -> Instant:
        if next(left, None) is None:
            raise RuntimeError("no clock")
        return now()

    return read


def test_a_replay_decides_the_same_from_the_entries_alone(guarded: Guarded) -> None:
    """Late answers, fresh ones and those of a form: the moments that a decision used are recorded."""
    play = guarded.play
    guarded.clock.pass_(8 * DAY)
    play.send("approve", quote=YES)
    late = asked_by(play, "asked")
    guarded.clock.pass_(8 * DAY)
    assert late().error is not None
    assert asked_by(play, "asked")().state == "a.waiting"
    assert replay(play.engine, play.name).differences == ()


def test_another_term_is_another_gate(tmp_path: Path, guarded: Guarded) -> None:
    """An answer to a gate whose `valid` was changed does not count for the gate as it is now."""
    file = guarded.folder / "workflow.yaml"
    text = file.read_text()
    assert "gates: {agreed: {subject: [words]}" in text
    for valid, same in (("7d", True), ("168h", True), ("1d", False), ("8d", False)):
        file.write_text(text.replace("agreed: {subject: [words]}", f"agreed: {{subject: [words], valid: {valid}}}"))
        changed = guarded.play.engine.world.open_bundle(str(guarded.folder)).definition.gates["agreed"]
        assert ("valid" not in changed.as_json()) is same, valid
