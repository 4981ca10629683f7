"""An answer on an agent's word names the reply that it answers: what was never handed over cannot be approved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Request, Sandbox
from tests.playing import HandClock, Player, player
from tests.promises.conftest import REFERENCE
from workflow.history.fork import fork
from workflow.model.session import Turn

Asked = Callable[[str], list[Request]]
WORDS = "A poster for a jazz night"
TOKEN = r"[1-9][0-9]*-[0-9a-f]{8}"


@pytest.fixture
def plan(play: Player) -> str:
    """A session whose plan is shown; the token of the reply that shows it."""
    return planned(play)


def planned(play: Player) -> str:
    """Begin a session and have its plan shown; the token of that reply."""
    play.start({"words": WORDS})
    play.send("answer", {"words": "Warm"})
    assert (play.reply.state, play.says()) == ("confirm.presenting", ["plan"])
    assert play.reply.seen is not None
    return play.reply.seen


def approve(play: Player, seen: str | None, **more: object) -> bool:
    """Whether an approval with this token is taken."""
    turn = Turn("approve", quote="yes, go ahead", seen=seen, **more)  # type: ignore[arg-type]
    play.reply = play.engine.advance(play.name, turn)
    return play.reply.ok


def other_digits(token: str) -> str:
    """The same with one digit changed."""
    return token[:-1] + ("0" if token[-1] != "0" else "1")


SPELLINGS: dict[str, tuple[Callable[[str], str | None], bool]] = {
    "as it is": (lambda token: token, True),
    "upper case": (str.upper, True),
    "in marks": (lambda token: f" `{token}`.", True),
    "in quotes, another dash": (lambda token: f"“{token.replace('-', ' – ')}”", True),
    "none": (lambda token: None, False),
    "empty": (lambda token: "", False),
    "a wrong digit": (other_digits, False),
    "an earlier sequence": (lambda token: f"1-{token.partition('-')[2]}", False),
    "a later sequence": (lambda token: f"99-{token.partition('-')[2]}", False),
    "the digits alone": (lambda token: token.partition("-")[2], False),
    "a digit more": (lambda token: f"{token}0", False),
    "another alphabet": (lambda token: token[:-1] + "g", False),
    "full width": (lambda token: "".join(chr(ord(char) + 0xFEE0) for char in token), False),
    "a huge sequence": (lambda token: f"{'9' * 40}-{token.partition('-')[2]}", False),
    "something else": (lambda token: "yes", False),
}


@pytest.mark.rule("R48")
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_only_the_token_of_the_reply_counts(play: Player, plan: str, asked: Asked, spelling: str) -> None:
    """Case and marks around it do not matter, each digit does; a refusal shows the plan and the token that counts."""
    spelt, counts = SPELLINGS[spelling]
    assert approve(play, spelt(plan)) == counts
    if not counts:
        assert play.reply.error is not None and "`seen`" in play.reply.error.message
        assert spelling != "a wrong digit" or play.reply.error.type == "stale"
        assert asked("create") == [] and play.reply.seen
        assert approve(play, play.reply.seen), "recovering costs one turn"
    assert len(asked("create")) == 1


@pytest.mark.rule("R48")
def test_a_client_with_an_old_skill_is_told_what_to_do(play: Player, plan: str) -> None:
    """The revision was enough once; the refusal says how the agent learns the new way."""
    assert not approve(play, None, expect_revision=play.reply.revision)
    assert play.reply.error is not None and "export the skill again" in play.reply.error.message


def _refused(play: Player) -> None:
    assert not approve(play, None)


def _reminded(play: Player) -> None:
    play.engine.advance(play.name, Turn())


def _looked(play: Player) -> None:
    play.engine.status(play.name)


def _watched(play: Player) -> None:
    play.engine.look(play.name)


def _unknown(play: Player) -> None:
    play.engine.advance(play.name, Turn("aprove"))


def _adjusted(play: Player) -> None:
    play.engine.advance(play.name, Turn("adjust", {"words": "Bluer, please"}, turn_id="adjust"))


def _translated(play: Player) -> None:
    play.engine.advance(play.name, Turn(), language="zh-CN")


HAPPENED: dict[str, tuple[Callable[[Player], object], bool]] = {
    "a refusal": (_refused, True),
    "an eventless turn": (_reminded, True),
    "a status": (_looked, True),
    "a look that moves nothing": (_watched, True),
    "an unknown event": (_unknown, True),
    "another plan": (_adjusted, False),
    "another language": (_translated, False),
}


@pytest.mark.rule("R48")
@pytest.mark.parametrize("what", HAPPENED)
def test_a_token_counts_as_long_as_the_question_stands(play: Player, plan: str, asked: Asked, what: str) -> None:
    """What changes nothing of the question leaves it valid, whoever did it; another plan or wording does not."""
    happen, counts = HAPPENED[what]
    happen(play)
    assert approve(play, plan) == counts
    if not counts:
        assert approve(play, play.reply.seen)
    assert len(asked("create")) == 1


@pytest.mark.rule("R48")
def test_the_same_words_to_the_same_reply_are_the_same_turn(play: Player, plan: str, asked: Asked) -> None:
    """With or without the revision: the recorded reply comes back, and nothing is paid again."""
    assert approve(play, plan, expect_revision=play.reply.revision)
    assert approve(play, plan) and play.reply.replayed
    assert len(asked("create")) == 1


@pytest.mark.rule("R48")
def test_the_token_of_a_status_is_one(play: Player, plan: str, asked: Asked) -> None:
    """It shows the plan, so an agent that lost its context can pass on the answer to it."""
    token = play.engine.status(play.name).seen
    assert token and approve(play, token)
    assert len(asked("create")) == 1


@pytest.mark.rule("R48")
def test_a_token_is_of_one_session(
    play: Player, plan: str, tmp_path: Path, sandbox: Sandbox, clock: HandClock, asked: Asked
) -> None:
    """The same words, the same plan, another session: its token opens nothing here, nor does a parent's in a fork."""
    other = player(tmp_path, REFERENCE, sandbox.url, store=play.engine.world.store, clock=clock)
    planned(other)
    opened = [play.engine.stored(each.name).opened["user_approved"] for each in (play, other)]
    assert opened[0] == opened[1], "only the journal tells them apart"
    assert not approve(play, other.reply.seen) and not approve(other, plan)
    forked = fork(play.engine, play.name)
    child = player(tmp_path, REFERENCE, sandbox.url, store=play.engine.world.store, clock=clock)
    child.name = str(forked.session)
    assert not approve(child, plan)
    assert asked("create") == []
    assert approve(child, child.reply.seen) and approve(play, plan)


def test_a_question_that_cannot_be_told_is_answered_by_no_token(
    play: Player, plan: str, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison raises here: the approval is refused, and cancelling with the same token is not."""

    def fails(*_: object) -> dict[str, str]:
        raise RuntimeError("it raises here")

    with monkeypatch.context() as broken:
        broken.setattr("workflow.engine.observe.speak.wordings", fails)
        assert not approve(play, plan)
        assert play.engine.advance(play.name, Turn("cancel", seen=plan)).state == "over.cancelled"
    assert asked("create") == []


def test_a_token_of_before_the_result_orders_no_change(play: Player, plan: str, asked: Asked) -> None:
    """What the service brought meanwhile is told first; a change is ordered by an answer to that."""
    assert approve(play, plan)
    old = play.reply.seen
    play.watch()
    change: dict[str, Any] = {"event": "modify", "input": {"words": "bluer"}, "quote": "bluer"}
    late = play.engine.advance(play.name, Turn(**change, seen=old))
    assert not late.ok and [said.id for said in late.say] == ["ready"] and asked("send") == []
    assert play.engine.advance(play.name, Turn(**change, seen=late.seen)).ok
    assert len(asked("send")) == 1


def test_nothing_that_is_kept_has_a_token(play: Player, plan: str) -> None:
    """Neither an entry nor a snapshot: who reads a log or a list was handed nothing over."""
    _refused(play)
    assert approve(play, plan)
    digits = [token.partition("-")[2] for token in (plan, play.reply.seen or "-?")]
    kept = [str(entry.body) for entry in play.journal()]
    kept.append(str(play.engine.world.store.load(play.name).as_json()))  # type: ignore[union-attr]
    assert not [text for text in kept for each in digits if each in text]


@pytest.mark.rule("R48")
def test_a_question_that_changes_where_it_stands_is_asked_again(
    play: Player, tmp_path: Path, asked: Asked, sandbox: Sandbox
) -> None:
    """One file of two is settled, the other has changed: it is another question, with a token of its own."""
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(name.encode())
    play.start(
        {
            "words": WORDS,
            "references": [{"path": "a.png", "description": "the logo"}, {"path": "b.png", "description": "the logo"}],
        }
    )
    first, both = play.reply.seen, ["a.png", "b.png"]
    (tmp_path / "b.png").write_bytes(b"another picture")
    play.send("consent", quote="both", items=both)
    assert play.reply.state == "understand.consenting" and play.says()[-1] == "consent"
    uploads = len(asked("upload"))
    stale = Turn("consent", quote="yes, that one", items=("b.png",), seen=first, turn_id="late")
    assert not play.engine.advance(play.name, stale).ok
    assert len(asked("upload")) == uploads
