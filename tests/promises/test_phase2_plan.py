"""Phase 2: the plan is shown whole, and nothing is made before the person has agreed to exactly that plan."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Request, Sandbox
from tests.playing import HandClock, Player, player
from tests.promises.conftest import REFERENCE
from tests.promises.journeys import again, on_disk, to_plan
from workflow.bundle import open_bundle
from workflow.engine import speak
from workflow.machine.definition import Definition, successors
from workflow.model.digest import digest
from workflow.model.reply import Reply

WORDS = "A poster for a jazz night"
Asked = Callable[[str], list[Request]]


def ways_on(definition: Definition, name: str) -> Iterator[tuple[str, str]]:
    """(how, where to), by events and by itself."""
    state = definition.states[name]
    yield from successors(state)
    yield from definition.moves(state).items()


def reached(definition: Definition, without: set[tuple[str, str]]) -> set[str]:
    """Every state that can be reached if these events, each in its state, never happen."""
    found, todo = set(), [definition.start]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += [to for how, to in ways_on(definition, name) if (name, how) not in without]
    return found


ORDERS = {("confirm.presenting", "approve"), ("understand.asking", "create_now")}


@pytest.mark.rule("R45", "R42")
def test_no_way_leads_past_the_question() -> None:
    """Over the whole graph: only the approval of the plan, or the direct order, leads to the paid call."""
    definition = open_bundle(REFERENCE).definition
    paid = {name for name, state in definition.states.items() if state.do == "create"}
    assert paid == {"create.creating"}
    assert paid <= reached(definition, set())
    assert paid.isdisjoint(reached(definition, ORDERS))
    into = {(name, how) for name in definition.states for how, to in ways_on(definition, name) if to in paid}
    assert into == ORDERS
    gates = {definition.events[event].gate for _, event in ORDERS}
    assert gates == set(definition.needs("create")) == {"user_approved", "ordered_directly"}


@pytest.mark.rule("R46", "R47")
@pytest.mark.parametrize(
    ("language", "words", "question"),
    [
        ("en", WORDS, "Shall I go ahead with it, or would you like to adjust anything?"),
        ("zh-CN", "爵士之夜的海报", "可以按这个方案开始生成吗？还是您想做些调整？"),
    ],
)
def test_the_plan_is_shown_whole_and_ends_with_the_question(
    play: Player, sandbox: Sandbox, language: str, words: str, question: str
) -> None:
    """The service's reply and its full prompt stand there byte for byte; the question comes last."""
    sandbox.settings(rounds=1)
    play.start({"words": words}, language=language)
    data = play.engine.data(play.name)
    (said,) = play.reply.say
    assert (said.id, said.language, said.withheld) == ("plan", language, False)
    verbatim = [part["text"] for part in said.parts if part.get("by") == "service"]
    assert verbatim == [data["reply"], data["prompt"]]
    assert data["prompt"] == data["plan"]["prompt"]
    assert said.text.endswith(f"\n\n{question}")
    assert len(data["prompt"].splitlines()) > 10


@pytest.mark.rule("R47", "R48")
def test_the_plan_waits_for_the_person(play: Player, asked: Asked) -> None:
    """What may come next is an answer of the person's, or a change; without either nothing happens."""
    to_plan(play)
    offered = {option.event: option for option in play.reply.next}
    assert (offered["approve"].who, offered["approve"].ready) == ("person", True)
    assert offered["approve"].gate is not None
    assert (offered["approve"].gate.needs, offered["approve"].gate.have) == ("relayed", None)
    assert offered["adjust"].who == "agent"
    for _ in range(3):
        assert play.send(None).state == "confirm.presenting"
    assert asked("create") == []


@pytest.mark.rule("R48")
@pytest.mark.parametrize("quote", [None, "", "  ", "\n"])
def test_without_the_persons_words_nothing_is_made(play: Player, asked: Asked, quote: str | None) -> None:
    """An approval without a quote is the agent's own idea: refused, logged, nothing asked of the service."""
    to_plan(play)
    reply = play.send("approve", quote=quote, seen=play.reply.seen)
    assert (reply.exit_code, reply.state) == (3, "confirm.presenting")
    assert reply.error is not None
    assert "needs the person's own words, as evidence.quote" in reply.error.message
    assert play.journal()[-1].kind == "refusal"
    assert asked("create") == []


@pytest.mark.rule("R48")
def test_an_approval_must_say_what_it_answers(play: Player, asked: Asked) -> None:
    """An answer is to something: without the token of a reply the turn is refused, whatever its own id."""
    to_plan(play)
    reply = play.send("approve", quote="yes", seen=None)
    assert reply.error is not None and "`seen` is required" in reply.error.message
    play.send("approve", quote="yes", turn_id="t1", revision=None, seen=None)
    assert asked("create") == []
    assert play.send("approve", quote="yes", turn_id="t1", revision=None).state == "deliver.generating"


@pytest.mark.rule("R49", "R50")
def test_an_adjustment_is_planned_and_presented_anew(play: Player, asked: Asked) -> None:
    """The change goes to the same conversation of the service; the new prompt is shown, and asked about again."""
    to_plan(play)
    old = play.engine.data(play.name)["prompt"]
    reply = play.send("adjust", {"words": "with a crescent moon"})
    assert (reply.state, play.says()) == ("confirm.presenting", ["plan"])
    second, third = asked("prepare")[1:]
    assert third.json["prepare_session_id"] == second.json["prepare_session_id"]
    assert third.json["messages"][-1]["content"] == [{"type": "text", "text": "with a crescent moon"}]
    new = play.engine.data(play.name)["prompt"]
    assert new != old
    assert "with a crescent moon" in new
    assert new in play.texts()[0]
    assert play.option("approve").ready
    assert asked("create") == []


@pytest.mark.rule("R50", "R48")
def test_an_approval_of_the_plan_before_is_refused(play: Player, asked: Asked) -> None:
    """The person said yes to another plan: stale, nothing is made; the new plan needs its own answer."""
    to_plan(play)
    shown = play.reply.revision
    play.send("adjust", {"words": "with a crescent moon"})
    reply = play.send("approve", quote="yes", revision=shown)
    assert (reply.exit_code, reply.error and reply.error.type) == (6, "stale")
    assert reply.error is not None
    assert "meant for revision 2, and the run is at revision 3" in reply.error.message
    assert asked("create") == []
    play.send("approve", quote="yes, with the moon")
    assert "crescent moon" in asked("create")[0].json["prompt"]


@pytest.mark.rule("R50")
def test_a_plan_that_could_not_be_made_leaves_nothing_to_approve(play: Player, sandbox: Sandbox, asked: Asked) -> None:
    """The adjustment failed on the way: the old plan is not offered; `retry` brings the new one."""
    to_plan(play)
    sandbox.fault("server-error", on="prepare")
    reply = play.send("adjust", {"words": "with a crescent moon"})
    assert (reply.state, play.says()) == ("understand.preparing", ["plan_failed"])
    assert play.send("approve", quote="yes").exit_code == 3
    assert play.send("retry").state == "confirm.presenting"
    assert "crescent moon" in play.texts()[0]
    assert asked("create") == []


@pytest.mark.rule("R48", "R50")
def test_evidence_is_bound_to_what_was_shown(tmp_path: Path, sandbox: Sandbox, clock: HandClock, asked: Asked) -> None:
    """The recorded approval holds the digest of gate, data and shown text; another process checks it again."""
    first = on_disk(tmp_path, sandbox, clock, REFERENCE)
    to_plan(first)
    text = first.texts()[0]
    play = again(first, tmp_path, clock)
    data = play.engine.data(play.name)
    play.send("approve", quote="Yes, please!")
    (evidence,) = (play.journal("event")[-1].body or {})["evidence"]
    gate = open_bundle(REFERENCE).definition.gates["user_approved"]
    subject = {name: data.get(name) for name in ("reply", "prompt", "uploads")}
    bound = {"gate": gate.as_json(), "data": subject, "shown": digest(text), "to": sandbox.url}
    assert evidence["subject"] == digest(bound) and evidence["service"] == sandbox.url
    assert (evidence["gate"], evidence["quote"], evidence["strength"]) == ("user_approved", "Yes, please!", "relayed")
    assert len(asked("create")) == 1


@pytest.mark.rule("R48")
def test_a_plan_that_was_withheld_cannot_be_approved(play: Player, sandbox: Sandbox, asked: Asked) -> None:
    """What held a secret was not shown, so nobody can agree to it; a new plan can be asked for and approved."""
    sandbox.settings(rounds=1)
    sandbox.fault("leak-id", on="prepare", field="prompt")
    play.start({"words": WORDS})
    (said,) = play.reply.say
    assert (play.reply.state, said.withheld) == ("confirm.presenting", True)
    assert "I won't ask you to agree to something you can't see" in said.text
    assert not play.option("approve").ready
    reply = play.send("approve", quote="yes")
    assert reply.error is not None
    assert "has not been shown what the gate 'user_approved' asks" in reply.error.message
    assert asked("create") == []
    play.send("adjust", {"words": "without that"})
    assert play.send("approve", quote="yes").state == "deliver.generating"


@pytest.mark.rule("R48")
def test_a_plan_that_was_never_said_cannot_be_approved(
    play: Player, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The turn that made the new plan broke before its reply: having seen the old plan is no answer to the new one."""
    to_plan(play)
    revision = play.reply.revision
    assert revision is not None
    with monkeypatch.context() as patched, pytest.raises(RuntimeError):
        patched.setattr(speak, "record", _broken)
        play.send("adjust", {"words": "with a crescent moon"})
    assert "user_approved" not in play.engine.stored(play.name).shown
    reply = play.send("approve", quote="yes", revision=revision + 1)
    assert reply.error is not None
    assert "`seen` is of another reply" in reply.error.message
    assert asked("create") == [] and "crescent moon" in reply.say[-1].text
    assert play.send("approve", quote="yes").state == "deliver.generating"


def _broken(*_: object, **__: object) -> Reply:
    raise RuntimeError("no reply is recorded")


@pytest.mark.rule("R48")
def test_in_another_language_the_question_is_asked_again(play: Player, asked: Asked) -> None:
    """An answer belongs to the words that were shown: after a change of language the plan is shown anew."""
    to_plan(play)
    reply = play.send(None, language="zh-CN")
    assert ([said.language for said in reply.say], play.says()) == (["zh-CN"], ["plan"])
    assert play.send("approve", quote="好的").state == "deliver.generating"
    assert len(asked("create")) == 1


@pytest.mark.rule("R48")
def test_the_user_may_ask_for_a_stronger_approval(tmp_path: Path, sandbox: Sandbox, asked: Asked) -> None:
    """Raised by the user's settings: what the agent relays is refused, what this program asked passes."""
    play = player(tmp_path, REFERENCE, sandbox.url, gates={"user_approved": "asked"})
    to_plan(play)
    gate = play.option("approve").gate
    assert gate is not None
    assert gate.needs == "asked"
    reply = play.send("approve", quote="yes")
    assert reply.error is not None
    assert "takes no answer that is only 'relayed'; it needs 'asked'" in reply.error.message
    assert asked("create") == []
    assert play.send("approve", quote="yes", strength="asked").state == "deliver.generating"


@pytest.mark.rule("R48")
def test_settings_cannot_weaken_a_gate(copied: Path, tmp_path: Path, sandbox: Sandbox, asked: Asked) -> None:
    """Where the bundle asks for more, the user's configuration does not lower it."""
    yaml = copied / "workflow.yaml"
    text = yaml.read_text(encoding="utf-8")
    subject = "{subject: [reply, prompt, uploads], "
    assert subject in text
    yaml.write_text(text.replace(subject, f"{subject}strength: proven, "), encoding="utf-8")
    play = player(tmp_path, copied, sandbox.url, gates={"user_approved": "relayed"})
    to_plan(play)
    assert play.send("approve", quote="yes", strength="asked").exit_code == 3
    assert asked("create") == []
    assert play.send("approve", quote="yes", strength="proven").state == "deliver.generating"


@pytest.mark.rule("R48", "R42")
@pytest.mark.parametrize("seed", range(8))
def test_random_turns_never_pay_without_an_answer(play: Player, sandbox: Sandbox, asked: Asked, seed: int) -> None:
    """Whatever is sent in whatever order, each order is preceded by an answer to exactly what was then shown."""
    chance = random.Random(seed)
    play.start({"words": WORDS})
    shown = ""
    for _ in range(30):
        if play.reply.ok and play.reply.say:
            shown = play.reply.say[-1].text
        event, given, quote = _some_turn(chance)
        answered = event in ("approve", "create_now") and bool((quote or "").strip())
        before = len(asked("create"))
        if chance.random() < 0.2:
            sandbox.fault(chance.choice(["server-error", "credits", "drop-after", "success-false-200"]), on="create")
        revision = chance.choice([play.reply.revision] * 4 + [1, None])
        play.send(event, given, quote=quote, revision=revision)
        ordered = asked("create")[before:]
        assert len(ordered) <= answered
        assert all(request.json["prompt"] in shown for request in ordered)
    assert asked("create"), "nothing was tried"


def _some_turn(chance: random.Random) -> tuple[str, dict[str, Any], str | None]:
    events = ["answer", "approve", "create_now", "adjust", "retry", "check", "modify", "did_not_happen", "consent"]
    event = chance.choice([*events, "approve", "approve", "create_now", "adjust"])
    words = chance.choice(["in blue", "with a moon", "bolder"])
    given = {"words": words} if event in ("answer", "adjust", "modify") else {}
    return event, given, chance.choice(["yes, do it", words, None, " "])
