"""Looks that get an odd answer: the job is paid for and goes on, so that the wait does too; and the ends it knows."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox
from tests.playing import HandClock, Player
from tests.promises.journeys import change, link, looks, to_generating, to_ready
from workflow.engine.watch_many import Vigil
from workflow.engine.watching import MOST_SORTS
from workflow.history import audit
from workflow.model.errors import BadResponse, NoAnswer, Unreachable
from workflow.service.http import Http

ODD: list[tuple[str, dict[str, Any]]] = [
    ("html-200", {}),
    ("empty-body", {}),
    ("truncated-json", {}),
    ("not-an-object", {}),
    ("redirect-302", {}),
    ("drop-before", {}),
    ("reset-body", {}),
    *[("server-error", {"status": status}) for status in (408, 409, 425, 500, 502, 503, 504, 522)],
    *[("bad-gateway", {"status": status}) for status in (400, 401, 403, 404, 429, 500, 522)],
    ("success-false-200", {"code": None, "error": "upstream request timeout"}),
    ("success-false-200", {"code": 100007001}),
]
IDS = [" ".join([name, *map(str, options.values())]) for name, options in ODD]


@pytest.mark.parametrize(("fault", "options"), ODD, ids=IDS)
def test_a_look_at_an_image_survives_any_odd_answer(
    play: Player, sandbox: Sandbox, fault: str, options: dict[str, Any]
) -> None:
    """Five of them in a row: the wait goes on, the log has one line for all of them, and the image is delivered."""
    sandbox.settings(looks=1)
    to_generating(play, host="claude-code")
    sandbox.fault(fault, on="task", times=5, **options)
    assert play.watch() == 6
    assert play.send(None).state == "deliver.ready" and play.says()[-1] == "ready"
    assert [entry.body and entry.body["action"] for entry in play.journal("odd")] == ["look"]
    assert play.journal("failure") == []
    assert audit.verify(play.engine, play.name).entries == len(play.journal())


@pytest.mark.parametrize(("fault", "options"), ODD, ids=IDS)
def test_a_look_at_a_change_survives_any_odd_answer(
    play: Player, sandbox: Sandbox, fault: str, options: dict[str, Any]
) -> None:
    """The same for the answer to a change."""
    to_ready(play, host="claude-code")
    change(play)
    sandbox.fault(fault, on="messages", times=5, **options)
    play.watch()
    assert play.send(None).state == "revise.changed"
    assert [entry.body and entry.body["action"] for entry in play.journal("odd")] == ["read_answer"]


def test_odd_answers_until_the_end_are_late_and_no_failure(play: Player, sandbox: Sandbox, clock: HandClock) -> None:
    """Nobody answers for twenty minutes: the deadline ends the wait, and what was paid for is not given up."""
    to_generating(play, host="claude-code")
    sandbox.fault("bad-gateway", on="task", times=0, status=403)
    began = clock.boot
    play.watch()
    assert play.send(None).state == "deliver.late"
    assert 1200 <= clock.boot - began < 1210
    sandbox.clear()
    sandbox.settings(looks=1)
    assert play.send("check").state == "deliver.ready"


def test_a_person_who_asks_hears_that_it_cannot_be_seen(play: Player, sandbox: Sandbox) -> None:
    """A firewall's page is no bad key: nothing asks for one, and `retry` is not needed."""
    to_generating(play)
    sandbox.fault("bad-gateway", on="task", status=403)
    reply = play.send("check")
    assert (reply.state, reply.error, play.says()) == ("deliver.generating", None, ["look_failed"])
    assert "retry" not in {option.event for option in reply.next}


def test_each_sort_of_odd_answer_is_noted_once_and_a_few_at_most(play: Player, sandbox: Sandbox) -> None:
    """A service that never fails twice in the same way cannot fill the log; the next wait begins its own list."""
    to_generating(play, host="claude-code")
    sandbox.settings(looks=999)
    for status in (*range(500, 520), *range(500, 520)):
        sandbox.fault("bad-gateway", on="task", status=status)
        assert not play.engine.look(play.name).moved
    sorts = [(entry.body or {})["sort"] for entry in play.journal("odd")]
    assert sorts == [f"upstream {status}" for status in range(500, 500 + MOST_SORTS)]
    sandbox.settings(looks=1)
    play.watch()
    play.send(None)
    change(play)
    sandbox.fault("bad-gateway", on="messages", status=500)
    play.engine.look(play.name)
    assert len(play.journal("odd")) == MOST_SORTS + 1


def test_a_service_that_says_when_is_asked_then(play: Player, sandbox: Sandbox, clock: HandClock) -> None:
    """`Retry-After` sets the next look, but never past the deadline, and never closer than the bundle says."""
    to_generating(play, host="claude-code")
    for said, waits in ((60, 60), (1, 3), ("soon", 3), (86_400, 1200)):
        sandbox.fault("rate-limited", on="task", retry_after=said)
        found = play.engine.look(play.name)
        assert (found.moved, found.fault, found.every) == (False, "rate_limited", waits)
    seen = len(looks(sandbox))
    sandbox.fault("rate-limited", on="task", retry_after=86_400)
    play.watch()
    assert (clock.slept[-1], len(looks(sandbox)) - seen) == (1200, 2)


def test_watching_all_survives_odd_answers_and_waits_as_asked(play: Player, sandbox: Sandbox, clock: HandClock) -> None:
    """One process that watches many goes by the same look."""
    to_generating(play, host="claude-code")
    sandbox.settings(looks=1)
    sandbox.fault("bad-gateway", on="task", status=403)
    sandbox.fault("rate-limited", on="task", retry_after=60)
    sandbox.fault("html-200", on="task")
    began = clock.boot
    with ThreadPoolExecutor(1) as pool:
        seen = list(Vigil(play.engine, pool).watch([play.name]))
    assert [each.over for each in seen] == [False, False, False, True] and seen[-1].error is None
    assert clock.boot - began >= 3 + 60 + 3
    assert play.send(None).state == "deliver.ready"


@pytest.mark.parametrize("word", ["cancelled", "canceled", "Cancelled", "deleted", "expired", "rejected", "error"])
def test_an_end_that_the_service_names_is_an_end(play: Player, sandbox: Sandbox, word: str) -> None:
    """It is told at once, not after twenty minutes; what to do next is the person's to say."""
    to_generating(play, host="claude-code")
    sandbox.fault("unknown-status", on="task", status=word)
    assert play.watch() == 1
    reply = play.send(None)
    assert (reply.state, play.says()) == ("deliver.no_image", ["generation_failed"])
    assert {"adjust", "finish"} <= {option.event for option in reply.next}
    assert "goes on" not in play.send("cancel").say[0].text


def test_a_word_that_is_no_end_is_none(play: Player, sandbox: Sandbox) -> None:
    """What nobody knows is not taken for an end of something that is paid for."""
    to_generating(play, host="claude-code")
    sandbox.fault("unknown-status", on="task", status="pausing")
    assert not play.engine.look(play.name).moved


def test_a_change_that_was_called_off_is_told(play: Player, sandbox: Sandbox) -> None:
    """The same for an answer to a change."""
    to_ready(play, host="claude-code")
    change(play)
    sandbox.fault("unknown-status", on="messages", status="cancelled")
    play.watch()
    assert play.send(None).state == "revise.unchanged"


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("options", [{}, {"status": 200}, {"status": 410, "code": 100004002}])
def test_a_deleted_image_has_an_end_that_says_so(
    play: Player, sandbox: Sandbox, language: str, options: dict[str, Any]
) -> None:
    """The user hears that it is not there, and what can be done; nothing is ordered without a new approval."""
    play.start({"words": "A poster"}, language=language, host="claude-code")
    play.send("answer", {"words": "in blue"})
    play.send("approve", quote="yes")
    sandbox.fault("not-found", on="task", **options)
    assert play.watch() == 1
    reply = play.send(None)
    assert (reply.state, reply.status, reply.error, play.says()) == ("deliver.gone", "waiting", None, ["gone"])
    assert {option.event for option in reply.next} == {"check", "again", "adjust", "finish", "cancel"}
    assert str(play.engine.data(play.name)["task_url"]) in play.texts()[0]
    assert play.send("adjust", {"words": "in red"}).state == "confirm.presenting"
    assert sum(each.path.endswith("/tasks") for each in sandbox.requests) == 1


def test_an_image_that_is_deleted_before_its_change_is_done(play: Player, sandbox: Sandbox) -> None:
    """The change cannot be made; it may be looked for again, and the run can be ended."""
    to_ready(play)
    change(play)
    sandbox.fault("not-found", on="messages")
    reply = play.send("check")
    assert (reply.state, play.says()) == ("revise.gone", ["change_lost"])
    assert {option.event for option in reply.next} == {"check", "finish", "cancel"}
    assert play.send("cancel").say[0].id == "cancelled"


Act = Callable[[], Any]


def _of_a_lost_change(play: Player, sandbox: Sandbox) -> Act:
    """A change whose answer was lost is looked for among the messages."""
    to_ready(play)
    sandbox.fault("drop-after", on="send")
    return lambda: change(play)


def _of_a_link(play: Player, sandbox: Sandbox) -> Act:
    """An image of another session is taken up by its link."""
    to_ready(play)
    url = link(play)
    play.start({"words": "a poster"})
    return lambda: play.send("open", {"task_url": url})


def _of_a_late_image(play: Player, sandbox: Sandbox) -> Act:
    """The time is over, and the user asks."""
    sandbox.settings(looks=10_000)
    to_generating(play, host="claude-code")
    play.watch()
    assert play.send(None).state == "deliver.late"
    sandbox.settings(looks=1)
    return lambda: play.send("check")


def _of_a_watch(play: Player, sandbox: Sandbox) -> Act:
    sandbox.settings(looks=1)
    to_generating(play, host="claude-code")
    return lambda: (play.watch(), play.send(None))


def _of_a_watched_change(play: Player, sandbox: Sandbox) -> Act:
    to_ready(play, host="claude-code")
    change(play)
    return lambda: (play.watch(), play.send(None))


KINDS: dict[str, tuple[Callable[[Player, Sandbox], Act], str, str]] = {
    "find_sent": (_of_a_lost_change, "messages", "revise.applying"),
    "adopt, its messages": (_of_a_link, "messages", "deliver.ready"),
    "adopt, its task": (_of_a_link, "task", "deliver.ready"),
    "a late image": (_of_a_late_image, "task", "deliver.ready"),
    "a watch": (_of_a_watch, "task", "deliver.ready"),
    "a watched change": (_of_a_watched_change, "messages", "revise.changed"),
}
"""What is read, by which call, and where it leads."""
ONCE = [*ODD, ("rate-limited", {"retry_after": 20})]


@pytest.mark.parametrize(("fault", "options"), ONCE, ids=[" ".join([f, *map(str, o.values())]) for f, o in ONCE])
@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_of_look_ends_at_one_odd_answer(
    play: Player, sandbox: Sandbox, kind: str, fault: str, options: dict[str, Any]
) -> None:
    """Whatever is read, by a turn or by a watch: one odd answer changes nothing of where it leads."""
    make, call, state = KINDS[kind]
    look = make(play, sandbox)
    sandbox.fault(fault, on=call, **options)
    look()
    assert play.reply.state == state and play.reply.error is None


LOST = {
    "refused": Unreachable("refused", transient=True),
    "reset": NoAnswer("reset", transient=True),
    "no secure connection": Unreachable("no secure connection", transient=True),
    "not HTTP": BadResponse("not HTTP"),
}


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_of_look_ends_at_one_lost_connection(
    play: Player, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, kind: str, lost: str
) -> None:
    """The same where no answer came at all."""
    make, call, state = KINDS[kind]
    look, before, failed = make(play, sandbox), Http._exchange, list[str]()

    def exchange(http: Http, sent: dict[str, Any], *rest: Any) -> Any:
        if sent["method"] == "GET" and sent["url"].endswith("/messages") is (call == "messages") and not failed:
            failed.append(sent["url"])
            return LOST[lost]
        return before(http, sent, *rest)

    monkeypatch.setattr(Http, "_exchange", exchange)
    look()
    assert failed and play.reply.state == state and play.reply.error is None
