"""The release bundle, which is YAML and prompts alone: played against the twin that its own YAML describes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.playing import Player, player
from workflow.bundle import find_problems, open_bundle
from workflow.service.sandbox.table import Answers, Seen

RELEASE = Path(__file__).parents[2] / "examples" / "release"
WHAT = {"project": "lighthouse", "version": "v1.4.0"}
PUBLISH = "POST /api/projects/{project}/releases"
FIND = "GET /api/projects/{project}/releases/{version}"
PIPELINE = "GET /api/projects/{project}/pipelines/{pipeline}"
TAG = "PUT /api/projects/{project}/tags/{version}"


@pytest.fixture
def forge() -> Iterator[Answers]:
    """The forge's offline twin."""
    with Answers(open_bundle(RELEASE).definition) as running:
        yield running


@pytest.fixture
def play(tmp_path: Path, forge: Answers) -> Player:
    """A session about to start."""
    return player(tmp_path, RELEASE, forge.url)


def asked(forge: Answers, method: str, end: str = "") -> list[Seen]:
    """What the forge was asked with this method, at paths that end so."""
    return [each for each in forge.requests if each.method == method and each.path.endswith(end)]


def presented(play: Player) -> Player:
    """A session whose tests have passed, and whose changelog is shown."""
    play.start(WHAT)
    play.watch()
    play.send(None)
    assert (play.reply.state, play.says()) == ("approve.presenting", ["changelog"])
    return play


def test_it_has_no_python_and_no_problems() -> None:
    """A bundle can be YAML and prompts alone."""
    assert not (RELEASE / "phases").exists()
    assert find_problems(RELEASE) == []


def test_a_release_goes_from_tests_to_announcement(play: Player, forge: Answers) -> None:
    """Tests, approval, tag, release, pipeline, announcement: each asked once, with exactly what was agreed to."""
    assert play.start(WHAT).status == "watching"
    assert play.watch() == 1
    play.send(None)
    assert "- Search is twice as fast." in play.texts()[0]
    assert play.send("approve", quote="Yes, publish it").state == "publish.building"
    assert play.watch() == 2
    play.send(None)
    assert (play.reply.state, play.says()) == ("announce.offering", ["live"])
    words = "Lighthouse 1.4: search is twice as fast."
    assert play.send("announce", {"announcement": words}, quote=words).status == "done"
    (tagged,), (published, announced) = asked(forge, "PUT"), asked(forge, "POST")
    assert tagged.path == "/api/projects/lighthouse/tags/v1.4.0" and tagged.json == {"commit": "5f3c9a1e77"}
    assert published.json == {
        "tag": "v1.4.0",
        "commit": "5f3c9a1e77",
        "notes": "- Search is twice as fast.\n- The map no longer forgets its zoom.",
        "draft": False,
    }
    assert announced.json == {"release": "v1.4.0", "text": words, "pinned": True}
    assert {each.headers["private-token"] for each in forge.requests} == {"forge-sandbox-token"}
    assert not any("authorization" in each.headers for each in forge.requests)


def test_nothing_is_tagged_or_published_without_approval(play: Player, forge: Answers) -> None:
    """An approval without words, an event out of order and a stale one are refused, and the forge hears of none."""
    presented(play)
    assert play.send("approve").exit_code == 3
    assert play.send("announce", {"announcement": "It is out"}, quote="It is out").exit_code == 3
    assert play.send("approve", quote="yes", revision=0).exit_code == 6
    assert asked(forge, "PUT") == asked(forge, "POST") == []


def test_a_red_test_run_stops_it(tmp_path: Path, forge: Answers) -> None:
    """No answer of the forge but `passed` leads to an approval; when the time is over, nothing has passed."""
    play = player(tmp_path, RELEASE, forge.url)
    play.start(WHAT)
    play.engine.world.clock.sleep(45 * 60)
    forge.fault("server-error", times=3)
    assert play.send(None).state == "test.red"
    assert asked(forge, "PUT") == asked(forge, "POST") == []


def test_a_lost_answer_is_looked_up_at_the_forge(play: Player, forge: Answers) -> None:
    """It was published and the answer lost: the forge is asked, and the run goes on without a second release."""
    presented(play)
    forge.fault("drop-after", on=PUBLISH)
    reply = play.send("approve", quote="Yes")
    assert (reply.state, reply.status) == ("publish.building", "watching")
    assert len(asked(forge, "POST")) == 1 and len(asked(forge, "GET", "/releases/v1.4.0")) == 1
    assert [entry.kind for entry in play.journal("intent", "doubt")] == ["intent", "doubt"]
    assert "releases/70881" in play.texts()[0]


def test_what_the_forge_does_not_know_is_the_persons_to_say(play: Player, forge: Answers) -> None:
    """It was not published: in doubt until the person says so; then only a fresh approval publishes."""
    presented(play)
    forge.fault("drop-before", on=PUBLISH)
    reply = play.send("approve", quote="Yes")
    assert (reply.state, reply.status, reply.exit_code) == ("publish.unsure", "in_doubt", 7)
    assert play.send("published", quote="I think so").state == "publish.unsure"
    assert play.send("not_published", quote="No, it is not there").state == "publish.refused"
    assert play.send("look_again").state == "approve.presenting"
    gate = play.option("approve").gate
    assert gate is not None and gate.have is None
    assert play.send("approve", quote="Yes, again").state == "publish.building"
    assert len([each for each in forge.requests if each.method == "POST"]) == 2


@pytest.mark.parametrize("fault", ["html-200", "empty-object", "server-error", "bad-gateway", "rate-limited"])
def test_an_answer_that_says_nothing_is_doubt(play: Player, forge: Answers, fault: str) -> None:
    """A paid call is never repeated, and never taken for done or undone by a guess."""
    presented(play)
    forge.fault(fault, on=PUBLISH)
    play.send("approve", quote="Yes")
    assert play.journal("doubt") and len(asked(forge, "POST")) == 1
    done = fault in ("html-200", "empty-object")
    assert play.reply.state == ("publish.building" if done else "publish.unsure")


def test_a_declared_watch_survives_odd_answers(play: Player, forge: Answers) -> None:
    """The pipeline of a release that is out is watched on, whatever stands between; the log notes each sort once."""
    presented(play)
    play.send("approve", quote="Yes")
    for fault in ("html-200", "server-error", "bad-gateway", "redirect-302", "html-200"):
        forge.fault(fault, on=PIPELINE)
    play.watch()
    assert play.send(None).state == "announce.offering"
    assert len(play.journal("odd")) == 4 and play.journal("failure") == []


def test_a_pipeline_that_is_not_there_is_not_waited_for(play: Player, forge: Answers) -> None:
    """The forge itself says 404: the run says so and offers what can be done, not `retry` for two hours."""
    presented(play)
    play.send("approve", quote="Yes")
    forge.fault("not-found", on=PIPELINE)
    assert play.watch() == 1
    reply = play.send(None)
    assert (reply.state, reply.error, play.says()) == ("publish.broken", None, ["not_shown", "pipeline_broken"])
    assert {option.event for option in reply.next} == {"look_again", "finish", "cancel"}


def test_a_repeatable_call_is_repeated(play: Player, forge: Answers) -> None:
    """The tag is set again after a busy answer, once the pause is over that the forge asked for."""
    presented(play)
    forge.fault("rate-limited", on=TAG)
    assert play.send("approve", quote="Yes").state == "publish.building"
    assert len(asked(forge, "PUT")) == 2


def test_a_name_cannot_lead_to_another_address(play: Player, forge: Answers) -> None:
    """What would climb, or be two segments to somebody, stops before anything leaves."""
    for name in ("..", "a/b", "a%2fb", "a\\b", ".", "a b", "lighthouse@elsewhere"):
        reply = play.start({"project": name, "version": "v1"}, turn_id=name)
        assert reply.error is not None and reply.error.kind == "invalid", name
    assert forge.requests == []


def test_it_speaks_german(play: Player) -> None:
    """The other language is whole."""
    play.start(WHAT, language="de")
    assert play.texts() == ["Die Tests laufen noch."]
