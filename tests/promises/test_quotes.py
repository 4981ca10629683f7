"""What an agent reports of a person: their words, and neither nothing nor what they were told (decision 043)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from phases.anygen.sandbox import Request, Sandbox
from tests.playing import Player
from workflow.history.replay import replay
from workflow.model.characters import drawn, unseen
from workflow.model.evidence import blank, wordless
from workflow.model.unicode_tables import IGNORABLE

FRAME = "Shall I go ahead with it, or would you like to adjust anything?"


@pytest.fixture
def planned(play: Player) -> Player:
    """A session whose plan waits for the person."""
    play.start({"words": "A poster for a jazz night"})
    play.send("answer", {"words": "Blue and gold"})
    assert play.reply.state == "confirm.presenting"
    return play


def refused(play: Player, event: str, quote: str, reason: str, **more: object) -> None:
    """The quote opens nothing, the log says so, and the question stays where it was."""
    state = play.reply.state
    reply = play.send(event, quote=quote, **more)  # type: ignore[arg-type]
    assert reply.error is not None and (reply.error.type, reply.state) == ("refused", state)
    assert reason in reply.error.message
    assert reason in " ".join(play.journal("refusal")[-1].body["reasons"])  # type: ignore[index]


@pytest.mark.parametrize("strength", ["relayed", "asked", "proven"])
@pytest.mark.parametrize(("quote", "why"), [("yes\0", "holds characters"), ("yes " * 5001, "is longer than")])
def test_a_quote_is_a_text_within_bounds(planned: Player, quote: str, why: str, strength: str) -> None:
    """On every way that an answer can come: as for every other text of a turn."""
    reply = planned.send("approve", quote=quote, strength=strength)
    assert reply.error is not None and f"evidence.quote {why}" in reply.error.message
    assert planned.send("approve", quote="yes", strength=strength).error is None


@pytest.mark.parametrize("quote", [".", "…", "?!", "“”", "—", "-", "()", "\u200b.", "。", "*"])
def test_punctuation_is_nobodys_answer(planned: Player, asked: Callable[[str], list[Request]], quote: str) -> None:
    """There are no words in it."""
    refused(planned, "approve", quote, "evidence.quote holds no words")
    assert asked("create") == []


UNDRAWN = [
    "\u3164",
    "\u115f",
    "\u1160",
    "\uffa0",
    "\u2800",
    "\u2800\u2800",
    "\u034f",
    "\ufe0f",
    "\U000e0041",
    "\U000e0100",
]
UNDRAWN += ["\u00ad", "\u202e", "\u180e", "\u17b4", "\ufffc", "\U0001d159", "\u3164!", "\u2800 . \u3164"]


@pytest.mark.parametrize("quote", UNDRAWN)
def test_what_is_not_drawn_is_nobodys_answer(
    planned: Player, asked: Callable[[str], list[Request]], quote: str
) -> None:
    """Fillers, blanks, selectors, tags, soft hyphens and what turns text around are no words."""
    assert wordless(quote) and blank(quote)
    refused(planned, "approve", quote, "evidence.quote")
    assert asked("create") == []


@pytest.mark.parametrize("strength", ["asked", "proven"])
@pytest.mark.parametrize("quote", ["", " ", *UNDRAWN])
def test_words_that_nobody_sees_are_no_answer_at_any_strength(
    planned: Player, asked: Callable[[str], list[Request]], quote: str, strength: str
) -> None:
    """Whoever asked, and whatever proves it: an answer is made of words."""
    refused(planned, "approve", quote, "needs the person's own words", strength=strength)
    assert asked("create") == []


@pytest.mark.parametrize("words", UNDRAWN)
def test_words_that_are_not_drawn_are_empty(planned: Player, asked: Callable[[str], list[Request]], words: str) -> None:
    """Nor are they words to make an image of."""
    reply = planned.send("adjust", {"words": words})
    assert reply.error is not None and "is empty" in reply.error.message
    assert len(asked("prepare")) == 2


def test_every_default_ignorable_character_is_no_word() -> None:
    """All 4,000 of them, and none that is drawn: letters of ten scripts, an emoji with its selector, a hyphen."""
    every = [chr(code) for first, last in IGNORABLE for code in range(first, last + 1)]
    assert len(every) > 4_000
    assert all(wordless(char) and blank(f"{char}.") and unseen(char) for char in every)
    assert not any(map(wordless, ["y", "д", "好", "は", "한", "ש", "ع", "न", "ก", "❤\ufe0f", "1\ufe0f\u20e3"]))
    assert drawn("so\u00ad\u3164so") == "soso"


@pytest.mark.parametrize("quote", ["y", "👍", "✅", "1", "+1", "好", "ok.", "はい", "¡Sí!", "да"])
def test_short_answers_in_any_script_are_answers(planned: Player, quote: str) -> None:
    """A person may say yes as they like."""
    assert planned.send("approve", quote=quote).state == "deliver.generating"


def test_the_plan_is_no_answer_to_itself(planned: Player, asked: Callable[[str], list[Request]]) -> None:
    """Not the whole of it, not a line of it, not the question below it, and not in other marks, case or width."""
    said = planned.reply.say[0]
    plan = next(part["text"] for part in said.parts if part.get("by") == "service" and part["text"].startswith("#"))
    line = "An upright composition with one clear focus a little above the middle"
    assert line in plan and FRAME in said.text
    wide = "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in line)
    for quote in (said.text, plan, line, FRAME, f"> **{line.upper()}!**", wide, line.replace(" ", "\n")):
        refused(planned, "approve", quote, "is a copy of what the person was shown")
    assert asked("create") == []


def test_words_that_happen_to_be_in_the_text_are_answers(planned: Player) -> None:
    """“Go ahead” stands in the question, and is what people say to it."""
    assert "go ahead" in planned.reply.say[0].text
    assert planned.send("approve", quote="Go ahead").state == "deliver.generating"


def test_a_long_answer_of_ones_own_is_one(planned: Player) -> None:
    """Also where it quotes the plan in part."""
    quote = "Yes: “room to breathe at the edges” is just what I meant, so please go on and make it"
    assert planned.send("approve", quote=quote).state == "deliver.generating"


def test_an_order_that_the_service_wrote_is_not_the_persons(
    play: Player, sandbox: Sandbox, asked: Callable[[str], list[Request]]
) -> None:
    """A change that the service suggests is ordered only by somebody who says it."""
    play.start({"words": "A poster for a jazz night"})
    play.send("create_now", quote="just make it")
    play.watch()
    play.send(None)
    change = {"words": "Make the title larger and the background a little darker"}
    play.send("modify", change, quote=change["words"])
    play.watch()
    play.send(None)
    answer = str(play.engine.data(play.name)["change_reply"])
    before = len(asked("send"))
    refused(play, "modify", answer, "is a copy of what the person was shown", input={"words": answer})
    assert len(asked("send")) == before
    again = play.send("modify", change, quote=change["words"])
    assert again.state == "revise.applying", "what the person said before is theirs, even where the service repeats it"


def test_an_answer_that_this_program_asked_for_is_not_compared(planned: Player) -> None:
    """There the person typed it themselves."""
    assert planned.send("approve", quote=FRAME, strength="asked").state == "deliver.generating"


def test_a_replay_refuses_for_the_same_reason(planned: Player) -> None:
    """The comparison needs nothing but what is in the log and the bundle."""
    planned.send("approve", quote=FRAME)
    planned.send("approve", quote="yes")
    assert [each.what for each in replay(planned.engine, planned.name).differences] == []
