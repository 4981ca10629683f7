"""An answer is to the question that its giver had before them, and says who put it."""

from __future__ import annotations

from pathlib import Path

from phases.anygen.sandbox import Sandbox
from tests.conduct import begin, reach
from tests.playing import Player
from tests.promises.journeys import creates
from workflow.engine.question import Put, put
from workflow.machine import gates
from workflow.model.frozen import replace
from workflow.model.session import Turn

ANSWER = Turn("approve", quote="yes", channel="terminal", strength="asked", client="somebody 1")


def open_question(play: Player) -> Put:
    """What an approval is asked about now."""
    found = put(play.engine, play.name, ANSWER)
    assert isinstance(found, Put)
    return found


def test_an_answer_to_the_open_question_is_taken(play: Player, sandbox: Sandbox, tmp_path: Path) -> None:
    """It is kept with the program that put the question."""
    begin(play, tmp_path)
    revision = reach(play, "confirm.presenting").revision
    turn = replace(ANSWER, about=open_question(play).about, expect_revision=revision)
    assert play.engine.advance(play.name, turn).state == "deliver.generating"
    (evidence,) = [each for entry in play.journal("event")[-1:] for each in (entry.body or {})["evidence"]]
    assert evidence["client"] == "somebody 1" and len(creates(sandbox)) == 1


def test_an_answer_to_another_question_is_refused(play: Player, sandbox: Sandbox, tmp_path: Path) -> None:
    """At the same revision too: in another language it is another text that was agreed to."""
    begin(play, tmp_path)
    revision = reach(play, "confirm.presenting").revision
    asked = open_question(play)
    assert play.engine.advance(play.name, Turn(), language="zh-CN").revision == revision
    reply = play.engine.advance(play.name, replace(ANSWER, about=asked.about, expect_revision=revision))
    assert reply.error and "has changed since the person answered" in reply.error.message
    assert creates(sandbox) == [] and open_question(play).mark != asked.mark


def test_a_question_about_files_is_about_each_of_them(play: Player, tmp_path: Path) -> None:
    """Other bytes under the same name are another question."""
    begin(play, tmp_path)
    session = play.engine.world.store.load(play.name)
    assert session is not None
    definition = play.engine.world.open_bundle(session.path).definition
    gate = definition.gates["consent_given"]
    (file,) = session.data["references"]
    other = replace(session, data={**session.data, "references": [{**file, "sha256": "0" * 64}]})
    assert gates.question(definition, gate, session) != gates.question(definition, gate, other)


def test_nobody_is_to_be_asked_where_the_turn_is_not_theirs(play: Player, tmp_path: Path) -> None:
    """An agent's own event, one that is not possible, one for another revision."""
    begin(play, tmp_path)
    reach(play, "confirm.presenting")
    assert put(play.engine, play.name, Turn("adjust", {"words": "Larger"})) is None
    assert put(play.engine, play.name, Turn("modify", {"words": "Blue"})) is None
    assert put(play.engine, play.name, replace(ANSWER, expect_revision=99)) is None
