"""A wish that has to wait is kept, asked about once it is possible, and never done without the person's yes to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import SANDBOX_KEY, Sandbox
from tests.conduct import check_promises
from tests.playing import HandClock, Player
from tests.promises.conftest import REFERENCE
from tests.promises.journeys import again, change, creates, on_disk, sends, to_generating, to_plan, to_ready
from tests.tampering import written_anew
from workflow.engine.question import question
from workflow.engine.waiting import with_about
from workflow.history.fork import fork
from workflow.history.proof import prove
from workflow.history.replay import replay
from workflow.machine.wishes import LONGEST, MOST
from workflow.model.errors import UsageError
from workflow.model.journal import Entry
from workflow.model.reply import Reply
from workflow.show.story import tell

PURPLE = "Make the sky purple"
TITLE = "Make the title bigger"


def wish(play: Player, words: str = PURPLE, **more: Any) -> Reply:
    """Keep a wish for a change."""
    return play.send("note", {"words": words, "for": "modify"}, **more)


def said_of(play: Player, words: str = PURPLE) -> list[str]:
    """The messages of the last reply that show the wish."""
    return [said.text for said in play.reply.say if said.id.startswith("wish.") and words in said.text]


def yes(play: Player, words: str = PURPLE, quote: str = "yes please", **more: Any) -> Reply:
    """Pass on the person's yes to a kept wish."""
    return play.send("modify", {"words": words}, quote=quote, **more)


def asked(play: Player, words: str = PURPLE) -> None:
    """A wish that was kept while the image was made, and is asked about now that it is there."""
    to_generating(play)
    wish(play, words)
    play.watch()
    play.send(None)
    assert (play.reply.state, len(said_of(play, words))) == ("deliver.ready", 1)


def test_a_wish_waits_and_a_yes_to_it_orders_it(play: Player, sandbox: Sandbox) -> None:
    """It is kept while the service works, asked about with its words when it is done, and sent as it was kept."""
    to_generating(play)
    before = play.reply
    kept = wish(play)
    assert kept.error is None
    assert (kept.state, kept.status, kept.revision, said_of(play)) == (before.state, "watching", before.revision, [])
    play.watch()
    play.send(None)
    (question,) = said_of(play)
    assert question.index(PURPLE) > 0 and play.says()[0] == "ready"
    assert yes(play).error is None
    assert [each.json for each in sends(sandbox)] == [{"content": PURPLE}]
    assert play.engine.stored(play.name).wishes == ()
    check_promises(play, sandbox)
    assert prove(play.engine, play.name).holds
    assert [each.what for each in replay(play.engine, play.name).differences] == []


def test_the_persons_words_are_marked_as_theirs(play: Player) -> None:
    """Between our words about it, their wish is a part of its own."""
    asked(play)
    play.send(None)
    assert [each.maybe_said for each in play.reply.say] == [True] and len(said_of(play)) == 1
    play.send("approve")  # refused, and names the reply that asked
    assert play.reply.error is not None and said_of(play) == []
    assert yes(play).error is None


def test_other_words_than_the_kept_ones_are_refused(play: Player, sandbox: Sandbox) -> None:
    """The person said yes to what they were shown, and to nothing else."""
    asked(play)
    reply = yes(play, "Make the sky green")
    assert reply.error is not None and "evidence.quote" in reply.error.message
    assert sends(sandbox) == []


@pytest.mark.parametrize(
    "words",
    [PURPLE.lower(), f"{PURPLE} and red", "Make the sky", "M\u0430ke the sky purple", f"{PURPLE}\u200b", "purple sky"],
)
def test_words_that_only_look_like_the_kept_ones_are_refused(play: Player, sandbox: Sandbox, words: str) -> None:
    """Another case, more, less, a lookalike, or a character that nobody sees."""
    asked(play)
    assert yes(play, words).error is not None
    assert sends(sandbox) == []


def test_spaces_that_were_lost_on_the_way_change_nothing(play: Player, sandbox: Sandbox) -> None:
    """What is sent is what was kept, byte for byte."""
    words = "Make the  sky\npurple"
    asked(play, words)
    assert yes(play, PURPLE).error is None
    assert sends(sandbox)[0].json == {"content": words}


def test_a_yes_before_it_was_asked_opens_nothing(play: Player, sandbox: Sandbox) -> None:
    """The token of the reply before does not cover the question, though the wish waits."""
    to_generating(play)
    wish(play)
    old = play.reply.seen
    play.watch()
    reply = yes(play, seen=old)
    assert reply.error is not None and reply.error.type == "stale"
    assert (sends(sandbox), len(said_of(play))) == ([], 1)
    assert yes(play).error is None


def test_a_wish_that_the_person_was_not_asked_about_is_not_covered(play: Player, sandbox: Sandbox) -> None:
    """It was kept after the reply that the turn names."""
    to_ready(play)
    old = play.reply.seen
    wish(play)
    assert len(said_of(play)) == 1
    reply = yes(play, seen=old)
    assert reply.error is not None and reply.error.type == "stale"
    assert sends(sandbox) == []


def test_a_wish_of_another_session_opens_nothing(play: Player, tmp_path: Path, sandbox: Sandbox) -> None:
    """Each session asks about its own."""
    asked(play)
    other = Player(play.engine, play.bundle, play.sandbox)
    to_ready(other)
    reply = yes(other)
    assert reply.error is not None and reply.error.type == "refused"
    reply = yes(other, seen=play.reply.seen)
    assert reply.error is not None
    assert sends(sandbox) == []


def test_a_no_is_not_a_yes(play: Player, sandbox: Sandbox) -> None:
    """Like every answer that lets a paid call leave."""
    asked(play)
    assert yes(play, quote="no, not now").error is not None
    assert sends(sandbox) == []


def test_a_yes_is_too_late_after_the_gates_term(play: Player, sandbox: Sandbox, clock: HandClock) -> None:
    """Then it is asked again, and a yes to that counts."""
    asked(play)
    clock.pass_(8 * 86400)
    reply = yes(play)
    assert reply.error is not None and reply.error.type == "stale"
    assert (sends(sandbox), len(said_of(play))) == ([], 1)
    assert yes(play).error is None


def test_two_wishes_are_asked_about_one_by_one(play: Player, sandbox: Sandbox) -> None:
    """The oldest first; the yes to one is none to the other."""
    to_generating(play)
    wish(play)
    wish(play, TITLE)
    play.watch()
    play.send(None)
    assert said_of(play) == [f"Earlier you said: “{PURPLE}”\nShall I do that now?"]
    assert said_of(play, TITLE) == [f"I also have this from you: “{TITLE}”\nI'll ask you about it when its turn comes."]
    assert yes(play, TITLE).error is not None
    assert yes(play).error is None
    play.watch()
    play.send(None)
    assert (play.reply.state, said_of(play), len(said_of(play, TITLE))) == ("revise.changed", [], 1)
    assert yes(play, TITLE).error is None
    assert [each.json["content"] for each in sends(sandbox)] == [PURPLE, TITLE]


def test_a_wish_that_the_person_says_again_in_full_is_done_with(play: Player, sandbox: Sandbox) -> None:
    """In their own words it needs no question, and is not asked about afterwards."""
    asked(play)
    assert change(play, PURPLE).error is None
    assert play.engine.stored(play.name).wishes == ()


def test_a_wish_survives_another_change(play: Player) -> None:
    """The person wanted something else first: it waits, and is asked about again."""
    asked(play)
    change(play, TITLE)
    play.watch()
    play.send(None)
    assert (play.reply.state, len(said_of(play))) == ("revise.changed", 1)


def test_a_dropped_wish_is_not_asked_about(play: Player, sandbox: Sandbox) -> None:
    """The person says no: the next one is asked about, if there is one, and the log tells."""
    asked(play)
    wish(play, TITLE)
    reply = play.send("note", {"words": PURPLE, "for": "modify", "drop": True})
    assert (reply.error, said_of(play), len(said_of(play, TITLE))) == (None, [], 1)
    assert yes(play).error is not None
    assert "dropped" in tell(play.journal("wish")[-1]).what
    reply = play.send("note", {"words": PURPLE, "for": "modify", "drop": True})
    assert reply.error is not None and TITLE in reply.error.message
    assert sends(sandbox) == []


def test_a_wish_that_was_overtaken_is_told(play: Player) -> None:
    """An end without its event: the user hears of it, and the log has it."""
    to_plan(play)
    wish(play)
    play.send("cancel")
    assert said_of(play) == [f"This can't be done any more: “{PURPLE}”"]
    (entry,) = play.journal("overtaken")
    assert "cannot come any more" in tell(entry).what
    assert play.engine.stored(play.name).wishes == ()
    assert prove(play.engine, play.name).holds


def test_a_wish_after_the_end_is_refused(play: Player) -> None:
    """Nothing that was promised could be kept."""
    to_plan(play)
    play.send("cancel")
    reply = wish(play)
    assert reply.error is not None and "cannot come any more" in reply.error.message


def test_a_wish_moves_nothing(play: Player) -> None:
    """An approval that is on its way counts: the question, its token and the revision are as they were."""
    to_plan(play)
    seen = play.reply.seen
    wish(play)
    assert play.send("approve", quote="Yes, go ahead", seen=seen).error is None
    assert play.reply.state == "deliver.generating"


def test_a_wish_in_doubt_is_kept(play: Player, sandbox: Sandbox) -> None:
    """Wherever the session is not over; what is in doubt stays so."""
    to_plan(play)
    sandbox.fault("drop-after", on="create")
    play.send("approve", quote="Yes, go ahead")
    assert wish(play).error is None
    assert (play.reply.state, play.reply.status) == ("create.unsure", "in_doubt")
    assert [each.words for each in play.engine.stored(play.name).wishes] == [PURPLE]


def test_a_wish_in_trouble_is_kept(play: Player, sandbox: Sandbox) -> None:
    """A call failed, and the session waits for `retry`: it still does afterwards."""
    play.start({"words": "A poster for a jazz night"})
    sandbox.fault("server-error", on="prepare", times=9)
    play.send("answer", {"words": "Blue and gold"})
    assert play.reply.error is not None
    assert wish(play).state == "understand.preparing"
    assert play.option("retry").ready


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"words": PURPLE, "for": "modfy"}, "did you mean 'modify'"),
        ({"words": PURPLE, "for": "finish"}, "takes no words"),
        ({"words": PURPLE, "for": "praised"}, "takes no words"),
        ({"words": PURPLE, "for": "start"}, "takes no words"),
        ({"words": PURPLE, "for": "note"}, "must name the event"),
        ({"words": PURPLE, "for": 5}, "must name the event"),
        ({"words": PURPLE, "for": ["modify"]}, "must name the event"),
        ({"words": PURPLE}, "must name the event"),
        ({"for": "modify"}, "in the person's own words"),
        ({"words": " \u200b", "for": "modify"}, "in the person's own words"),
        ({"words": {"a": 1}, "for": "modify"}, "in the person's own words"),
        ({"words": "x" * (LONGEST + 1), "for": "modify"}, "longer than"),
        ({"words": "a\0b", "for": "modify"}, "no text may hold"),
        ({"words": PURPLE, "for": "modify", "drop": "yes"}, "true or false"),
        ({"words": PURPLE, "for": "modify", "file": "a"}, "does not take 'file'"),
    ],
)
def test_what_is_no_wish_is_refused(play: Player, given: dict[str, Any], why: str) -> None:
    """An event that is none, that takes no words or only says something; no words, too many, or no text."""
    to_generating(play)
    reply = play.send("note", given)
    assert reply.error is not None and (reply.error.type, play.engine.stored(play.name).wishes) == ("refused", ())
    assert why in reply.error.message


def test_a_key_in_a_wish_is_not_recorded(play: Player) -> None:
    """As in all other words."""
    to_generating(play)
    for words in (SANDBOX_KEY, f"use sk-{'ab12' * 8} please"):
        with pytest.raises(UsageError, match="key"):
            wish(play, words)
    assert play.engine.stored(play.name).wishes == ()


def test_a_wish_that_would_leak_is_withheld_and_opens_nothing(play: Player, sandbox: Sandbox) -> None:
    """Its question would show an id: nobody is shown anything, so nobody can say yes to it."""
    to_generating(play)
    words = f"Send {play.engine.data(play.name)['task_id']} to me"
    wish(play, words)
    play.watch()
    play.send(None)
    assert said_of(play, words) == [] and not any(words in said.text for said in play.reply.say)
    assert yes(play, words).error is not None
    asked_now = question(play.engine, play.name)
    assert [asked_now.kept(option) for option in asked_now.options] == [{}]
    assert sends(sandbox) == []


def test_a_thousand_notes_keep_a_few(play: Player) -> None:
    """The number that waits has a bound, and so has the number of refusals that are recorded."""
    to_generating(play)
    before = len(play.journal())
    for number in range(1_000):
        play.send("note", {"words": f"Wish {number}", "for": "modify"}, seen=None, revision=None)
    assert len(play.engine.stored(play.name).wishes) == MOST
    assert len(play.journal()) - before <= 2 * MOST + 100


def test_the_same_wish_twice_waits_once(play: Player) -> None:
    """Whether the turn is repeated, as after a lost reply, or sent anew."""
    to_generating(play)
    seen = play.reply.seen
    wish(play)
    repeated = wish(play, seen=seen)
    assert repeated.replayed and repeated.error is None
    assert wish(play, f" {PURPLE} ").error is None
    assert len(play.engine.stored(play.name).wishes) == 1


def test_a_fork_takes_the_wish_along(play: Player, sandbox: Sandbox) -> None:
    """The person wanted it there as well; each session asks for itself."""
    asked(play)
    forked = fork(play.engine, play.name)
    other = Player(play.engine, play.bundle, play.sandbox, forked.session or "", forked)
    assert len(said_of(other)) == 1
    assert yes(other).error is None
    assert len(play.engine.stored(play.name).wishes) == 1


def test_a_wish_for_an_event_without_a_gate_is_offered_too(play: Player) -> None:
    """An adjustment of the plan: the yes sends its words, which are then done with."""
    play.start({"words": "A poster for a jazz night"})
    play.send("note", {"words": "Use gold letters", "for": "adjust"})
    play.send("answer", {"words": "Blue and gold"})
    assert (play.reply.state, len(said_of(play, "Use gold letters"))) == ("confirm.presenting", 1)
    assert play.send("adjust", {"words": "Use gold letters"}).error is None
    assert play.engine.stored(play.name).wishes == ()


def consented(play: Player, tmp_path: Path, kept_for: str) -> None:
    """At the plan, with a wish that was kept before it, while the user was asked about a file."""
    (tmp_path / "cafe.png").write_bytes(b"\x89PNG\r\n\x1a\ncafe")
    file = {"path": str(tmp_path / "cafe.png"), "description": "a cafe at dusk"}
    play.start(
        {"words": "A poster for a jazz night. Blue and gold, with the title “Night Train”", "references": [file]}
    )
    assert play.reply.state == "understand.consenting"
    play.send("note", {"words": "Use gold letters", "for": kept_for})
    assert said_of(play, "Use gold letters") == []
    play.send("consent", quote="yes, upload it")


@pytest.mark.parametrize("kept_for", ["answer", "adjust"])
def test_a_wish_is_offered_at_the_first_place_that_takes_its_words(
    play: Player, tmp_path: Path, sandbox: Sandbox, kept_for: str
) -> None:
    """Whichever event it was kept for: a question shows its words, and an order beside it is refused."""
    sandbox.settings(rounds=1)
    consented(play, tmp_path, kept_for)
    assert (play.reply.state, len(said_of(play, "Use gold letters"))) == ("confirm.presenting", 1)
    assert f"`for`: `{kept_for}`" in play.option("adjust").how
    refused = play.send("approve", quote="yes, do it")
    assert refused.error is not None and "`adjust`" in refused.error.hint and f"`{kept_for}`" in refused.error.hint
    assert play.send("adjust", {"words": "Use gold letters"}).error is None
    assert play.engine.stored(play.name).wishes == () and creates(sandbox) == []
    assert prove(play.engine, play.name).holds


def test_a_wish_for_a_change_of_the_image_is_none_for_its_plan(play: Player, tmp_path: Path, sandbox: Sandbox) -> None:
    """What was kept for the finished image waits for it, so that the order needs no word about it."""
    sandbox.settings(rounds=1)
    consented(play, tmp_path, "modify")
    assert (play.reply.state, said_of(play, "Use gold letters")) == ("confirm.presenting", [])
    assert play.send("approve", quote="yes, do it").state == "deliver.generating"


def test_a_yes_to_a_wish_that_another_event_takes_is_bound_as_well(play: Player, sandbox: Sandbox) -> None:
    """Kept for the plan of an image that then came: what is paid for needs the yes to the question as it was shown."""
    to_generating(play)
    old = play.reply.seen
    play.send("note", {"words": PURPLE, "for": "adjust"})
    play.watch()
    play.send(None)
    assert (play.reply.state, len(said_of(play))) == ("deliver.ready", 1)
    for refused in (yes(play, seen=old), yes(play, "Make the sky green"), yes(play, quote="no, not now")):
        assert refused.error is not None
    assert sends(sandbox) == []
    play.send(None)
    assert yes(play).error is None
    assert [each.json for each in sends(sandbox)] == [{"content": PURPLE}]
    assert prove(play.engine, play.name).holds


def test_a_wish_that_is_said_again_with_more_is_answered(play: Player) -> None:
    """Beside the questions of the service, one message can answer them and the wish."""
    play.start({"words": "A poster for a jazz night"})
    play.send("note", {"words": "use gold letters", "for": "adjust"})
    assert (play.reply.state, len(said_of(play, "use gold letters"))) == ("understand.asking", 1)
    play.send("answer", {"words": "Blue, and use gold letters"})
    assert (play.reply.state, said_of(play, "use gold letters")) == ("confirm.presenting", [])
    assert play.engine.stored(play.name).wishes == ()


def test_a_form_or_terminal_takes_the_yes_as_well(play: Player, sandbox: Sandbox) -> None:
    """Where the gate needs more than the agent's word, the person agrees to the words that are shown to them."""
    asked(play)
    asked_now = question(play.engine, play.name)
    assert [asked_now.kept(option) for option in asked_now.options] == [{"words": PURPLE}]
    assert yes(play, strength="asked").error is None
    assert sends(sandbox)[0].json == {"content": PURPLE}


def test_a_restart_loses_no_wish(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """It is in the store, and asked about by whoever goes on."""
    play = on_disk(tmp_path, sandbox, clock, REFERENCE)
    to_generating(play)
    wish(play)
    after = again(play, tmp_path, clock)
    after.watch()
    after.send(None)
    assert len(said_of(after)) == 1
    assert yes(after).error is None


def test_only_what_is_meant_for_the_image_is_sent(play: Player, sandbox: Sandbox) -> None:
    """Words of an order may be part of what the person said; the rest stays out of it."""
    to_ready(play)
    quote = "oh nice. It failed?? no wait. Can you make the sky purple, please? And what's the weather in Leeds"
    reply = play.send("modify", {"words": "make the sky purple"}, quote=quote)
    assert reply.error is None
    assert sends(sandbox)[0].json == {"content": "make the sky purple"}


@pytest.mark.parametrize("forged", ["the wish is not named", "its question is not in the log", "other words were kept"])
def test_a_forged_yes_is_no_proof(tmp_path: Path, sandbox: Sandbox, clock: HandClock, forged: str) -> None:
    """A log whose hashes fit, in which a bare yes carries words that nobody was asked about."""
    play = on_disk(tmp_path, sandbox, clock, REFERENCE)
    asked(play)
    yes(play)

    def change_it(entry: Entry, body: dict[str, Any]) -> None:
        if forged == "the wish is not named" and entry.kind == "event":
            body.pop("wish", None)
        if forged == "other words were kept" and entry.kind == "wish":
            body["words"] = TITLE
        if forged == "its question is not in the log" and entry.kind == "reply":
            body["reply"]["say"] = [each for each in body["reply"]["say"] if not each["id"].startswith("wish.")]

    assert prove(play.engine, play.name).holds
    written_anew(play, change_it)
    (why,) = [claim.why for claim in prove(play.engine, play.name).claims if not claim.holds]
    assert why == "what was sent is neither in the answer to change_ordered nor in a question that it agrees to"


def test_another_language_asks_about_the_wish_in_it(play: Player, sandbox: Sandbox) -> None:
    """The wish's question is put once more, in the new language, with the same words; a yes in a third turn counts."""
    asked(play)
    play.send(None, language="zh-CN")
    (question,) = said_of(play)
    assert not play.reply.say[0].maybe_said and "?" not in question
    assert yes(play, quote="好", language="en").error is None
    assert [each.json for each in sends(sandbox)] == [{"content": PURPLE}]


def test_one_yes_is_not_taken_for_two_questions(play: Player, sandbox: Sandbox) -> None:
    """Beside the plan, the question about a wish is answered first: a yes to both would order without the wish."""
    to_plan(play)
    play.send("note", {"words": "Fewer letters", "for": "adjust"})
    assert len(said_of(play, "Fewer letters")) == 1
    refused = play.send("approve", quote="yes, do it")
    assert refused.error is not None and "also asked about a wish" in refused.error.message
    assert "`adjust`" in refused.error.hint and "`drop`: true" in refused.error.hint
    assert refused.state == "confirm.presenting" and creates(sandbox) == []
    play.send("note", {"words": "Fewer letters", "for": "adjust", "drop": True})
    assert play.send("approve", quote="yes, without them").state == "deliver.generating"


def test_an_end_that_takes_a_wish_asks_about_it(play: Player, sandbox: Sandbox) -> None:
    """A goodbye does not forget what was kept: it asks once, and a yes to that orders it."""
    to_generating(play)
    wish(play)
    wish(play, TITLE)
    play.watch()
    play.send("finish")
    assert play.reply.state == "over.finished"
    assert [len(said_of(play)), len(said_of(play, TITLE))] == [1, 1]
    play.send(None, seen=play.reply.seen)
    assert play.reply.say == ()
    assert yes(play).error is None
    play.watch()
    play.send(None)
    assert "Shall I do that now?" in said_of(play, TITLE)[0]
    assert [each.json for each in sends(sandbox)] == [{"content": PURPLE}]
    assert prove(play.engine, play.name).holds


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("en", ["Shall I do that now?", "when its turn comes", "can't be done any more"]),
        ("zh-CN", ["现在要我照做吗？", "到时候再问您", "无法照做"]),
    ],
)
def test_each_end_says_what_becomes_of_a_wish(play: Player, sandbox: Sandbox, language: str, texts: list[str]) -> None:
    """It is asked about, goes on waiting, or cannot be fulfilled any more: the user hears which."""
    asks, waits, says_no = texts
    to_plan(play, language=language)
    other = Player(play.engine, play.bundle, play.sandbox)
    to_generating(other, language=language)
    for each in (play, other):
        wish(each)
        each.send("cancel")
    assert [len(said_of(each)) for each in (play, other)] == [1, 1]
    assert says_no in said_of(play)[0] and waits in said_of(other)[0]
    other.send("check")
    while other.reply.state != "deliver.ready":
        other.send("check")
    assert asks in said_of(other)[0]


def test_a_no_at_an_end_drops_the_wish(play: Player, sandbox: Sandbox) -> None:
    """And the session stays over."""
    asked(play)
    play.send("finish")
    reply = play.send("note", {"words": PURPLE, "for": "modify", "drop": True})
    assert (reply.error, reply.state, reply.say, sends(sandbox)) == (None, "over.finished", (), [])


def test_a_part_of_the_wish_answers_its_question(play: Player, sandbox: Sandbox) -> None:
    """The person has chosen it; what they left out is not asked about once more."""
    both = f"{PURPLE}, and the same in German"
    asked(play, both)
    quote = f"only this: {PURPLE}"
    assert play.send("modify", {"words": PURPLE}, quote=quote).error is None
    assert [each.json for each in sends(sandbox)] == [{"content": PURPLE}]
    assert play.engine.stored(play.name).wishes == ()
    assert prove(play.engine, play.name).holds


def test_the_rest_of_a_wish_is_not_lost_in_silence(play: Player, sandbox: Sandbox) -> None:
    """Where a part of it is sent, the user hears what they had said, once, beside what becomes of the part."""
    both = f"{PURPLE}, and the same in German"
    asked(play, both)
    play.send("modify", {"words": PURPLE}, quote=f"only this: {PURPLE}")
    (told,) = [said for said in play.reply.say if said.id.startswith("part.")]
    assert both in told.text and "only a part" in told.text
    assert [part["by"] for part in told.parts if part["text"] == both] == ["user"]
    play.watch()
    play.send(None)
    assert [said.id for said in play.reply.say if said.id.startswith("part.")] == []
    assert [each.what for each in replay(play.engine, play.name).differences] == []
    check_promises(play, sandbox)


@pytest.mark.parametrize("language", ["en", "zh-CN", "fr"])
def test_what_is_kept_of_a_wish_is_not_told_as_left(play: Player, sandbox: Sandbox, language: str) -> None:
    """The rest waits where it was kept as a wish of its own; nothing is left where all of it was sent, or more."""
    rest = "the same in German"
    both = f"{PURPLE}, and {rest}"
    to_ready(play, language=language)
    wish(play, both)
    wish(play, rest)
    play.send("modify", {"words": PURPLE}, quote=PURPLE)
    assert [said.id for said in play.reply.say if said.id.startswith("part.")] == []
    assert [each.words for each in play.engine.stored(play.name).wishes] == [rest]
    play.watch()
    play.send(None)
    assert len(said_of(play, rest)) == 1
    play.send("modify", {"words": f"{rest} please"}, quote=f"{rest} please")
    assert [said.id for said in play.reply.say if said.id.startswith("part.")] == []
    assert [each.json for each in sends(sandbox)] == [{"content": PURPLE}, {"content": f"{rest} please"}]


@pytest.mark.parametrize("step", ["generating", "ready", "over"])
def test_an_agent_that_comes_back_hears_of_every_wish(play: Player, step: str) -> None:
    """`status` and `resume` show each kept wish in full: as the question that is put, or as a notice."""
    long = f"Make {'very ' * 300}blue"
    to_generating(play)
    wish(play)
    wish(play, long)
    if step != "generating":
        play.watch()
    if step == "over":
        play.send("finish")
    for shown in (play.engine.status(play.name), play.engine.resume(play.name)):
        found = with_about(shown, play.engine.stored(play.name))
        for words in (PURPLE, long):
            asks = [said for said in found.say if words in said.text and said.id.startswith("wish.")]
            tells = [notice for notice in found.notices if f"wish “{words}” waits for `modify`" in notice]
            assert len(asks) + len(tells) == 1


def test_still_being_generated_is_said_once_for_one_message(play: Player, sandbox: Sandbox) -> None:
    """A look that finds nothing new, then the wish: the second turn says nothing if it names the reply of the first."""
    sandbox.settings(looks=99)
    to_generating(play)
    play.send("check")
    assert play.says() == ["still_generating_unwatched"]
    assert wish(play).say == ()
    before = play.reply.seen
    play.send("check")
    (again,) = wish(play, TITLE, seen=before).say
    assert again.id == "still_generating_unwatched" and again.maybe_said


LEAVING: dict[str, tuple[str, str]] = {"finish": ("finish", "over.finished"), "cancel": ("cancel", "over.stopped")}
"""How a user leaves a result where they were asked about a wish: the event, and the end that it leads to."""


@pytest.mark.parametrize("how", LEAVING)
@pytest.mark.parametrize("place", ["ready", "changed"])
def test_a_wish_that_was_asked_about_is_not_asked_again_where_the_user_leaves(
    play: Player, sandbox: Sandbox, place: str, how: str
) -> None:
    """They know of it, and said something else; a later yes to it still counts, since its question stays open."""
    asked(play)
    wish(play, TITLE)
    if place == "changed":
        change(play, "Rounder letters")
        play.watch()
        play.send(None)
        assert (len(said_of(play)), len(said_of(play, TITLE))) == (1, 1)
    event, end = LEAVING[how]
    reply = play.send(event)
    assert (reply.state, said_of(play), said_of(play, TITLE)) == (end, [], [])
    assert play.send(None).say == ()
    assert len(play.engine.stored(play.name).wishes) == 2
    sent = len(sends(sandbox))
    assert yes(play).error is None
    assert [each.json for each in sends(sandbox)[sent:]] == [{"content": PURPLE}]
    assert prove(play.engine, play.name).holds
    assert [each.what for each in replay(play.engine, play.name).differences] == []


def test_a_wish_that_nobody_was_asked_about_is_told_at_the_end(play: Player) -> None:
    """Its question was lost: the end asks it, since the user does not know of it."""
    asked(play)
    play.engine.unsay(play.reply, "the output was not written")
    play.send("finish", seen=None)
    assert (play.reply.state, len(said_of(play))) == ("over.finished", 1)


@pytest.mark.parametrize("drops", [False, True])
def test_whoever_keeps_a_wish_is_told_what_to_say(play: Player, drops: bool) -> None:
    """No text answers a `note` where nothing is asked about it yet: the reply says that the agent does."""
    to_generating(play)
    wish(play)
    if drops:
        play.send("note", {"words": PURPLE, "for": "modify", "drop": True})
    assert play.reply.say == () and any("in your own words" in each for each in play.reply.notices)
    if not drops:
        wish(play)  # once more
        assert any("in your own words" in each for each in play.reply.notices)


def test_a_wish_that_is_asked_about_at_once_needs_no_other_word(play: Player) -> None:
    """The question is the answer to the `note`."""
    to_ready(play)
    wish(play)
    assert len(said_of(play)) == 1 and play.reply.notices == ()
