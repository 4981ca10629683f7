"""A guard that cannot tell: wherever it is asked, the run stops there, and nothing that hangs on it happens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.guarded import CANNOT_TELL, HOLDS, PLACES, REFUSES, Guarded
from workflow.engine import speak
from workflow.engine.preview import preview
from workflow.history import audit
from workflow.history.fork import fork
from workflow.history.replay import replay
from workflow.history.upgrade import forecasts
from workflow.machine.messages import fill
from workflow.model.session import Turn

STANDS = {
    "then": ("a.choosing", "waiting"),
    "if": ("a.asking", "waiting"),
    "say": ("a.asking", "waiting"),
    "aside": ("a.asking", "waiting"),
    "look": ("a.waiting", "waiting"),
    "end": ("over.cancelled", "cancelled"),
    "news": ("a.asking", "waiting"),
    "watch_news": ("a.waiting", "watching"),
    "acknowledge": ("a.waiting", "watching"),
}
"""Where the session stands after a guard could not tell, by the place where it was asked."""
STOPS = ("then", "say", "aside", "look")
"""The places after which the session is in trouble until the guard can tell."""
WORDLESS = ("end", "news", "watch_news", "acknowledge")
"""The places where only a message depends on it: it is withheld, and nothing stops for that."""


@pytest.mark.parametrize("how", CANNOT_TELL)
@pytest.mark.parametrize("place", PLACES)
def test_a_guard_that_cannot_tell_stops_the_run(tmp_path: Path, place: str, how: str) -> None:
    """At every place and in every way: no `else`, no order that hangs on it, no word of what it raised."""
    with Guarded(tmp_path, place, CANNOT_TELL[how]) as guarded:
        guarded.reach()
        play, reply = guarded.play, guarded.play.reply
        assert (reply.state, reply.status) == STANDS[place]
        assert guarded.paid == (place in ("look", "watch_news", "acknowledge"))
        assert (reply.error is None) == (place in WORDLESS)
        assert "sk-secret" not in str([reply.as_json(), [entry.body for entry in play.journal()]])
        if place in STOPS:
            assert reply.error is not None and reply.error.kind == "internal"
            assert play.says()[-1] == "cannot_tell"
            assert {option.event for option in reply.next} >= {"retry", "cancel"}
            assert not any(option.gate for option in reply.next)
        if place == "if":
            assert reply.error is not None and reply.error.type == "refused" and "mine" in reply.error.message
        if place in WORDLESS:
            assert [(said.id, said.text, said.withheld) for said in reply.say][:1] == [("…", "…", True)]
            assert play.says()[1:] == (["waiting"] if place == "acknowledge" else [])
            assert "no guard can tell" in "".join(reply.notices)
        if place != "end":
            assert play.send("cancel").status == "cancelled"
        assert audit.verify(play.engine, play.name).entries == len(play.journal())


@pytest.mark.parametrize("how", ["raises", "gives nothing"])
@pytest.mark.parametrize("place", STOPS)
def test_retry_goes_on_once_the_guard_can_tell(tmp_path: Path, place: str, how: str) -> None:
    """Retried in vain it stops again; in the fixed bundle it goes on, and nothing is done twice."""
    with Guarded(tmp_path, place, CANNOT_TELL[how]) as guarded:
        guarded.reach()
        play = guarded.play
        for _ in range(2):
            reply = play.send("retry")
            assert reply.error is not None and (reply.error.kind, reply.state) == ("internal", STANDS[place][0])
        assert guarded.paid == (place == "look")
        guarded.change(REFUSES if place in ("then", "say") else HOLDS)
        reply = play.send("retry")
        assert reply.error is None
        if place == "then":
            assert (reply.state, guarded.paid) == ("a.waiting", 1)
        elif place == "look":
            assert (reply.state, play.says()[-1], guarded.paid) == ("over.done", "done", 1)
        else:
            assert play.says() == ["ask", "hint"]
            assert play.send("approve", quote="yes, please").state == "a.waiting"
            assert guarded.paid == 1


@pytest.mark.parametrize("place", PLACES)
def test_history_decides_the_same(tmp_path: Path, place: str) -> None:
    """Replay finds no difference with the broken guard, and none that leads elsewhere with the fixed one."""
    with Guarded(tmp_path, place, CANNOT_TELL["raises"]) as guarded:
        guarded.reach()
        play = guarded.play
        assert replay(play.engine, play.name).differences == ()
        guarded.change(HOLDS)
        kinds = {each.kind for each in replay(play.engine, play.name).differences}
        assert kinds <= {"guard", "message", "accepted"}
        assert [each.outcome for each in forecasts(play.engine)] == ([] if place == "end" else ["follows"])


@pytest.mark.parametrize("place", STOPS)
def test_what_was_decided_is_not_undone_by_a_guard_that_breaks(tmp_path: Path, place: str) -> None:
    """A changed bundle whose guard cannot tell where it once led stops the session; one for words alone does not."""
    with Guarded(tmp_path, place, REFUSES if place == "then" else HOLDS) as guarded:
        guarded.reach()
        play = guarded.play
        guarded.change(CANNOT_TELL["raises"])
        leads = {"then": ["stops"], "look": [], "say": ["follows"], "aside": ["follows"]}
        assert [each.outcome for each in forecasts(play.engine)] == leads[place]
        assert any("failed: ValueError" in each.now for each in replay(play.engine, play.name).differences) == (
            place in ("then", "look")
        )


@pytest.mark.parametrize("place", STOPS)
def test_a_fork_stands_where_its_parent_stood(tmp_path: Path, place: str) -> None:
    """In the same trouble, and it goes on by retry as well."""
    with Guarded(tmp_path, place, CANNOT_TELL["raises"]) as guarded:
        guarded.reach()
        play = guarded.play
        forked = fork(play.engine, play.name)
        assert (forked.state, forked.error and forked.error.kind) == (STANDS[place][0], "internal")
        guarded.change(REFUSES if place == "then" else HOLDS)
        turn = Turn("retry", expect_revision=forked.revision, seen=forked.seen)
        went_on = play.engine.advance(str(forked.session), turn)
        assert went_on.error is None or (place, went_on.error.kind) == ("then", "void")
        assert guarded.paid == (place == "look")


def test_an_author_sees_where_the_guard_broke(tmp_path: Path) -> None:
    """`--dry-run` has the traceback; the reply that a user and an agent get has not."""
    with Guarded(tmp_path, "then", CANNOT_TELL["misses a key"]) as guarded:
        guarded.play.start({"words": "a poster"})
        turn = Turn("approve", quote="yes, please", seen=guarded.play.reply.seen)
        seen = preview(guarded.play.engine, guarded.play.name, turn)
        assert seen.trouble == "internal" and seen.request is None
        assert "odd.py" in seen.faults[0] and "KeyError: 'amount'" in seen.faults[0]
        reply = guarded.play.send("approve", quote="yes, please")
        assert "amount" not in str(reply.as_json())


def test_a_brief_that_cannot_be_filled_in_offers_no_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session waits all the same, and a notice says why nobody can watch it; cancel works."""

    def filled(template: str, *rest: Any) -> Any:
        if template.startswith("Run "):
            raise KeyError("sk-secret")
        return fill(template, *rest)

    monkeypatch.setattr(speak, "fill", filled)
    with Guarded(tmp_path, "end", REFUSES) as guarded:
        play = guarded.play
        play.start({"words": "a poster"}, host="openclaw")
        reply = play.send("approve", quote="yes, please")
        assert (reply.state, reply.watch and reply.watch["ways"]) == ("a.waiting", [])
        assert "The brief 'watching' cannot be filled in (KeyError)" in "".join(reply.notices)
        assert play.send("cancel").status == "cancelled"
