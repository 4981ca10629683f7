"""``workflow watch`` of several sessions: a reply for each, as its wait is over."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox
from tests.cli.conftest import Commands
from tests.on_leave import DAY, begun
from tests.playing import HandClock
from workflow.cli.agent import watch
from workflow.engine.watch_many import Vigil
from workflow.store.sqlite import SqliteStore


def _begun(cli: Commands, count: int) -> list[str]:
    """Names of sessions that wait for their images."""
    return [str(cli.approved(cli.planned())["session"]) for _ in range(count)]


def _replies(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_each_session_has_a_line(cli: Commands, sandbox: Sandbox) -> None:
    """The replies are those of `status`; what is new is left to the next turn of each."""
    names = _begun(cli, 2)
    ended = cli("watch", *names)
    replies = _replies(ended.out)
    assert (ended.code, ended.err) == (0, "")
    assert {reply["session"] for reply in replies} == set(names)
    assert {reply["state"] for reply in replies} == {"deliver.ready"}
    for name in names:
        assert cli("status", name).json["receipt"] in {reply["receipt"] for reply in replies}
        assert "repeat" not in cli("advance", name).json["say"][0]


def test_all_that_wait_are_watched(cli: Commands, sandbox: Sandbox) -> None:
    """Those that wait for the service and no others; a single one as well."""
    (name,) = _begun(cli, 1)
    cli.planned()
    assert [reply["session"] for reply in _replies(cli("watch", "--all").out)] == [name]
    ended = cli("watch", "--all")
    assert (ended.code, ended.json["notices"]) == (0, ["No session waits for the service."])


def test_what_is_due_happens_while_all_are_watched(cli: Commands, tmp_path: Path) -> None:
    """Also where no session waits for the service: each in which something happened has its reply, once."""
    begun_then = HandClock()
    begun_then.wall = time.time() - 5 * DAY
    with begun(tmp_path, store=SqliteStore(cli.folder / "state"), clock=begun_then) as (play, _, _):
        escalated, none = _replies(cli("watch", "--all").out)
        assert (escalated["session"], escalated["state"]) == (play.name, "review.escalated")
        assert none["notices"] == ["No session waits for the service."]
        assert len(_replies(cli("watch", "--all").out)) == 1


def test_one_that_is_not_there_does_not_end_the_others(cli: Commands, sandbox: Sandbox) -> None:
    """It has a line of its own with the error, which is the exit code."""
    (name,) = _begun(cli, 1)
    ended = cli("watch", "no-such", name)
    replies = {reply["session"]: reply for reply in _replies(ended.out)}
    assert (ended.code, replies["no-such"]["error"]["type"]) == (5, "not_found")
    assert replies[name]["state"] == "deliver.ready"


@pytest.mark.parametrize("arguments", [("--all", "amber-fox"), ("--all", "--announce-skip")], ids=" ".join)
def test_what_cannot_go_together_is_a_usage_error(cli: Commands, arguments: tuple[str, ...]) -> None:
    """A watcher that speaks speaks for one session; all are all."""
    ended = cli("watch", *arguments)
    assert (ended.code, ended.error["type"]) == (2, "usage")


def test_an_end_by_hand_names_the_way_on(cli: Commands, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is one reply more, with its exit code."""
    names = _begun(cli, 2)

    def interrupted(*arguments: object, **named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Vigil, "watch", interrupted)
    ended = cli("watch", *names)
    assert (ended.code, ended.error["type"]) == (130, "interrupted")
    assert "same command" in ended.error["hint"]


def test_a_host_sees_that_it_lives(cli: Commands, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line on stderr in each period, here of no length, and none where quiet is asked for."""
    monkeypatch.setattr(watch, "HEARTBEAT", 0.0)
    assert "watching 1 sessions\n" in cli("watch", *_begun(cli, 2)).err
    assert cli("watch", "--quiet", *_begun(cli, 2)).err == ""
