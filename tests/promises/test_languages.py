"""Messages in the user's language, translations that never replace what was shown, and a change of language midway."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from phases.anygen.sandbox import Request, Sandbox
from tests.conduct import WORDS, answer, begin, finish, reach, said_texts
from tests.playing import Player, player
from workflow.engine import refusals
from workflow.model.digest import digest
from workflow.model.errors import UsageError
from workflow.model.reply import pieces

Asked = Callable[[str], list[Request]]
CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.mark.rule("R23")
def test_a_whole_conversation_in_chinese(play: Player, sandbox: Sandbox, tmp_path: Path) -> None:
    """Every message of a run from the file to the end is the Chinese one, and none asks for a translation."""
    begin(play, tmp_path, language="zh-cn")
    finish(play, sandbox)
    said = [each for entry in play.journal("reply") for each in (entry.body or {})["reply"]["say"]]
    assert len(said) >= 9
    assert {(each["language"], each.get("translate_to")) for each in said} == {("zh-CN", None)}
    for each in said:
        ours = "".join(part["text"] for part in pieces(each) if part.get("by") != "service")
        assert CHINESE.search(ours), ours
        assert not re.search(r"\b(?:your|image|please|the)\b", ours, re.I), ours


@pytest.mark.rule("R23")
@pytest.mark.parametrize(
    ("language", "told", "translate_to"),
    [
        ("en", "en", None),
        ("en-GB", "en", None),
        ("fr", "en", "fr"),
        ("pt-br", "en", "pt-BR"),
        ("zh", "zh-CN", None),
        ("zh-TW", "zh-CN", "zh-TW"),
        ("ZH-HANT-hk", "zh-CN", "zh-Hant-HK"),
        ("zh-CN", "zh-CN", None),
    ],
)
def test_another_language_gets_the_nearest_one(
    play: Player, language: str, told: str, translate_to: str | None
) -> None:
    """The declared language of the same base, else the first; ``translate_to`` asks for the user's own beside it."""
    said = play.start({"words": WORDS}, language=language).say[0]
    assert (said.language, said.translate_to) == (told, translate_to)
    assert ("if you'd rather" in said.text) == (told == "en")


@pytest.mark.rule("R23")
@pytest.mark.parametrize("tag", ["english", "e", "en_", "en-", "-", "zh--CN", "中文", "en us", "en\n", "x" * 400])
def test_a_malformed_tag_is_an_error_not_english_by_accident(play: Player, sandbox: Sandbox, tag: str) -> None:
    """No session and no request at the start; midway, the session stays as it was."""
    with pytest.raises(UsageError, match="is not a language tag"):
        play.start({"words": WORDS}, language=tag)
    assert (play.engine.sessions(), sandbox.requests) == ([], [])
    play.start({"words": WORDS}, language="fr")
    before, requests = play.engine.world.store.load(play.name), len(sandbox.requests)
    with pytest.raises(UsageError, match="is not a language tag"):
        play.send("answer", {"words": "Warm"}, language=tag)
    assert play.engine.world.store.load(play.name) == before
    assert len(sandbox.requests) == requests


@pytest.mark.rule("R23")
def test_a_message_that_lacks_a_language_is_an_error(copied: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    """The bundle is rejected before it runs; nobody gets English by accident."""
    (copied / "prompts" / "zh-CN" / "plan.md").unlink()
    play = player(tmp_path, copied, sandbox.url)
    with pytest.raises(Exception, match=r"'plan'.*zh-CN|zh-CN.*plan"):
        play.start({"words": WORDS}, language="zh-CN")
    assert (play.engine.sessions(), sandbox.requests) == ([], [])


@pytest.mark.rule("R24", "R25", "R52")
def test_a_translation_stands_beside_the_original_which_is_what_is_approved(play: Player, asked: Asked) -> None:
    """The plan's text is the service's own, marked for translation; evidence and order are bound to that text."""
    play.start({"words": WORDS}, language="fr")
    said = play.send("answer", {"words": "Des couleurs chaudes"}).say[0]
    assert said.translate_to == "fr"
    original = [part["text"] for part in said.parts if part.get("by") == "service"]
    data = play.engine.data(play.name)
    assert original == [data["reply"], data["prompt"]]
    session = play.engine.world.store.load(play.name)
    assert session is not None
    assert session.shown["user_approved"] == digest(said.text)
    play.send("approve", quote="Oui, allez-y")
    assert asked("create")[0].json["prompt"] == original[1]
    evidence = (play.journal("event")[-1].body or {})["evidence"][0]
    assert (evidence["quote"], evidence["gate"]) == ("Oui, allez-y", "user_approved")
    assert not any("Oui" in text for text in said_texts(play.journal()))  # nothing of a translation is kept or sent


@pytest.mark.rule("R25")
def test_the_link_is_in_a_message_that_is_to_be_translated(play: Player, sandbox: Sandbox, tmp_path: Path) -> None:
    """A message for another language still holds the whole link, which a translation keeps."""
    begin(play, tmp_path, language="de")
    said = reach(play, "deliver.generating").say[0]
    assert said.translate_to == "de"
    assert str(play.engine.data(play.name)["task_url"]) in said.text


def test_a_change_of_language_asks_an_open_question_again(play: Player, sandbox: Sandbox, tmp_path: Path) -> None:
    """The same plan in the other language's frame; nothing is sent, and the answer is to that question."""
    begin(play, tmp_path)
    reach(play, "confirm.presenting")
    requests, revision = len(sandbox.requests), play.reply.revision
    reply = play.send(None, language="zh-CN")
    assert (play.says(), reply.state, reply.revision) == (["plan_with_files"], "confirm.presenting", revision)
    assert (reply.say[0].language, reply.say[0].repeat) == ("zh-CN", False)
    assert "可以按这个方案开始生成吗" in play.texts()[0]
    assert len(sandbox.requests) == requests
    assert play.send("approve", quote="好的").state == "deliver.generating"


def test_a_yes_counts_in_whatever_language_it_comes(play: Player, asked: Asked) -> None:
    """The approval is to the plan as it was handed over; from then on messages are in the language of the turn."""
    play.start({"words": WORDS})
    play.send("answer", {"words": "Warm"})
    reply = play.send("approve", quote="好的", language="zh-CN")
    assert (reply.state, reply.say[0].language, len(asked("create"))) == ("deliver.generating", "zh-CN", 1)
    assert [each.id for each in reply.say] == ["started_unwatched"]


@pytest.mark.parametrize(("event", "quote"), [("consent", "好"), ("decline", None)])
def test_an_answered_question_is_not_put_again_in_the_new_language(
    play: Player, tmp_path: Path, event: str, quote: str | None
) -> None:
    """After a yes or a no, the next message comes in the new language, and the files are not asked for again."""
    begin(play, tmp_path)
    reply = play.send(event, quote=quote, language="zh-CN")
    assert reply.ok
    assert not set(play.says()) & {"consent"}
    assert {said.language for said in reply.say} == {"zh-CN"}


def test_a_refused_turn_leaves_the_language_as_it_is(play: Player, asked: Asked) -> None:
    """The question stays the one that the user was shown, so that the corrected turn still answers it."""
    play.start({"words": WORDS})
    play.send("answer", {"words": "Warm"})
    handed = play.reply.seen
    refused = play.send("approve", language="zh-CN")
    assert refused.error is not None
    assert play.journal("language") == []
    assert play.send("approve", quote="好的", language="zh-CN", seen=handed).state == "deliver.generating"
    assert len(asked("create")) == 1


def test_news_that_comes_with_a_change_of_language_is_in_the_new_one(play: Player, sandbox: Sandbox) -> None:
    """What happened before the turn is told in the language of the turn, like everything after it."""
    play.start({"words": WORDS})
    play.send("answer", {"words": "Warm"})
    play.send("approve", quote="Yes")
    play.engine.look(play.name)
    while not play.engine.look(play.name).moved:
        pass
    reply = play.send("finish", language="zh-CN", revision=None)
    assert "ready" in play.says()
    assert {said.language for said in reply.say} == {"zh-CN"}


@pytest.mark.parametrize(
    ("first", "tags"),
    [
        ("en", ["en-GB", "en", "en-US"]),
        ("zh-CN", ["zh", "zh-CN"]),
        ("zh", ["zh-CN"]),
    ],
)
def test_a_language_that_reads_the_same_changes_nothing(play: Player, first: str, tags: list[str]) -> None:
    """Back and forth between tags whose messages are alike says nothing and writes nothing."""
    play.start({"words": WORDS}, language=first)
    play.send("answer", {"words": "Warm"})
    handed = play.reply.seen
    play.send(None, seen=handed)
    before = len(play.journal())
    for tag in tags * 3:
        assert play.send(None, language=tag, seen=handed).say == ()
    assert len(play.journal()) == before


def test_languages_back_and_forth_do_not_grow_the_journal_without_end(
    play: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changes without an event have a bound in each hour, as refusals have; an event still brings its language."""
    monkeypatch.setattr(refusals, "MOST_AN_HOUR", 6)
    play.start({"words": WORDS})
    play.send("answer", {"words": "Warm"})
    with pytest.raises(UsageError, match="too often within this hour"):
        for number in range(9):
            play.send(None, language="fr" if number % 2 else "zh-CN")
    before = len(play.journal())
    with pytest.raises(UsageError, match="too often"):
        play.send(None, language="de")
    assert len(play.journal()) == before
    play.send(None)
    assert play.send("adjust", {"words": "Kälter"}, language="de").ok
    assert (play.journal("language")[-1].body or {})["language"] == "de"


def test_an_approval_stays_good_in_another_language(
    copied: Path, tmp_path: Path, sandbox: Sandbox, asked: Asked
) -> None:
    """Approved without a key, then another language: with the key the plan is created, and not asked again."""
    live = {"ANYGEN_API_KEY": "sk-ag-0123456789abcdef"}
    play = player(tmp_path, copied, None, environ=live)
    play.start({"words": WORDS})
    play.send("answer", {"words": "Warm"})
    bare = player(tmp_path, copied, None, store=play.engine.world.store)
    bare.name, bare.reply = play.name, play.reply
    assert bare.send("approve", quote="yes").error is not None
    assert bare.says() == ["needs_key"]
    bare.send(None, language="zh-CN")
    play.reply = bare.reply
    reply = play.send("retry")
    assert (reply.state, play.says()) == ("deliver.generating", ["started_unwatched"])
    assert len(asked("create")) == 1


def test_a_change_of_language_without_a_question_says_nothing(play: Player, tmp_path: Path) -> None:
    """Where nothing is asked nothing is repeated; what comes next is in the new language."""
    begin(play, tmp_path)
    reach(play, "deliver.generating")
    assert play.send(None, language="zh-CN").say == ()
    assert answer(play, "check").say[0].language == "zh-CN"
    assert [entry.kind for entry in play.journal("language")] == ["language"]
    assert play.send(None, language="zh-CN").say == ()
    assert len(play.journal("language")) == 1
