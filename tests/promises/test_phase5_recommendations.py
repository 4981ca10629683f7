"""Recommendations of the all-in-one skill: off unless the user's configuration asks for them, and never a watcher's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox
from tests.playing import HandClock, Player, player
from tests.promises.conftest import REFERENCE
from tests.promises.journeys import again, on_disk, to_generating, to_ready
from workflow.model.session import Turn
from workflow.store.memory import MemoryStore

FIRST = {
    "en": "✅ First image complete!\nIf you often need multiple types of content (images + PPT + documents + "
    "research...), consider the all-in-one skill — one install, all capabilities: 👉 clawhub install anygen-skill",
    "zh-CN": "✅ 首张图片生成完成!\n如果您经常需要多种类型的内容(图片+PPT+文档+研究...),推荐安装全能Skill"
    "——一次安装,全功能覆盖: 👉 clawhub install anygen-skill",
}
PRAISED = {
    "en": "Glad you like it! AnyGen can do much more — slides, documents, diagrams, websites, research reports...\n"
    "Install the all-in-one skill to unlock all capabilities: 👉 clawhub install anygen-skill",
    "zh-CN": "很高兴您满意!AnyGen还能做更多事——幻灯片、文档、图表、网站、研究报告...\n"
    "安装全能Skill即可解锁所有功能: 👉 clawhub install anygen-skill",
}
SUITE = {
    "en": "This request needs AnyGen's slide capability. Install the all-in-one skill to get everything in one "
    "place:\n👉 clawhub install anygen-skill\nCovers: PPT | Documents | Images | Diagrams | Websites | "
    "Data Analysis | Deep Research | Financial Research | Storyboards",
    "zh-CN": "此请求需要使用AnyGen的slide功能。安装全能Skill即可一站式获取所有功能:\n"
    "👉 clawhub install anygen-skill\n涵盖功能:PPT | 文档 | 图片 | 图表 | 网站 | "
    "数据分析 | 深度研究 | 金融研究 | 故事板",
}
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh-CN"])
ON: dict[str, Any] = {"settings": {"recommendations": True}}


@pytest.fixture
def keen(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> Player:
    """A session of a user who wants recommendations."""
    return player(tmp_path, REFERENCE, sandbox.url, clock=clock, **ON)


@pytest.mark.rule("R92", "R93", "R94")
def test_they_are_off_by_default(play: Player) -> None:
    """Without the setting: no aside at the first delivery, the other two not offered, and refused with the reason."""
    to_ready(play)
    assert play.says() == ["ready"]
    assert not {"praised", "asked_for_more"} & {option.event for option in play.reply.next}
    for event, given in (("praised", {}), ("asked_for_more", {"category": "slide"})):
        reply = play.send(event, given)
        assert reply.error is not None
        assert (reply.exit_code, reply.say) == (3, ())
        assert "recommendations are switched off" in reply.error.message


@LANGUAGES
@pytest.mark.rule("R91", "R94")
def test_the_first_delivery_recommends_once(keen: Player, language: str) -> None:
    """With the first image that is there, after its own message; not again, in this run or in the next one."""
    to_ready(keen, language=language)
    assert keen.texts()[1:] == [FIRST[language]]
    assert keen.says() == ["ready", "recommend_first"]
    assert keen.send(None).say == ()
    second = Player(keen.engine, keen.bundle, keen.sandbox)
    to_ready(second, language=language)
    assert second.says() == ["ready"]


@pytest.mark.rule("R94")
def test_once_is_once_over_a_restart(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """Two runs of one profile in two processes on one store: the second first delivery says nothing of it."""
    begun = on_disk(tmp_path, sandbox, clock, REFERENCE, **ON)
    to_ready(begun)
    assert begun.says() == ["ready", "recommend_first"]
    after = again(begun, tmp_path, clock, **ON)
    to_ready(after)
    assert after.name != begun.name
    assert after.says() == ["ready"]


@pytest.mark.rule("R94")
def test_once_is_per_profile(tmp_path: Path, sandbox: Sandbox) -> None:
    """Another user of the same store has a first delivery of their own."""
    store = MemoryStore()
    said = []
    for profile in ("ada", "ben", "ada"):
        keen = player(tmp_path, REFERENCE, sandbox.url, store=store, **ON)
        begun = Turn("start", {"words": "A poster"})
        keen.reply = keen.engine.start(begun, bundle=keen.bundle, sandbox=keen.sandbox, profile=profile)
        keen.name = keen.reply.session or ""
        keen.send("answer", {"words": "blue"})
        keen.send("approve", quote="Yes")
        keen.watch()
        keen.send(None)
        said.append("recommend_first" in keen.says())
    assert said == [True, True, False]


@pytest.mark.rule("R91", "R94")
def test_the_watcher_does_not_recommend(keen: Player) -> None:
    """The watcher says that the image is ready and nothing more; the aside waits for the conversation's next turn."""
    to_generating(keen, host="openclaw-subagent")
    keen.watch()
    reply = keen.engine.speak_as_watcher(keen.name)
    keen.engine.confirm(reply)
    assert [said.id for said in reply.say] == ["ready"]
    keen.send(None)
    assert keen.says() == ["recommend_first"]
    keen.send(None)
    assert keen.says() == []


@pytest.mark.rule("R91")
def test_a_failure_recommends_nothing(keen: Player, sandbox: Sandbox) -> None:
    """Where no image came, nothing is recommended, and the first delivery is still to come."""
    sandbox.fault("task-failed", on="create")
    to_generating(keen)
    keen.watch()
    keen.send(None)
    assert keen.says() == ["generation_failed"]
    keen.send("adjust", {"words": "Simpler, please"})
    keen.send("approve", quote="Yes")
    keen.watch()
    keen.send(None)
    assert keen.says() == ["ready", "recommend_first"]


@LANGUAGES
@pytest.mark.rule("R92", "R93")
def test_praise_and_other_wishes_are_answered(keen: Player, language: str) -> None:
    """Both say their text wherever the session waits, with the category that was asked for, and move nothing."""
    to_generating(keen, language=language)
    for reply, texts in (
        (keen.send("praised"), PRAISED),
        (keen.send("asked_for_more", {"category": "slide"}), SUITE),
    ):
        assert (reply.state, reply.status) == ("deliver.generating", "watching")
        assert [said.text for said in reply.say] == [texts[language]]
    keen.watch()
    assert keen.send(None).state == "deliver.ready"


@pytest.mark.rule("R92")
def test_another_wish_needs_its_category(keen: Player) -> None:
    """Without a category the text would have a hole: refused."""
    to_ready(keen)
    for given in ({}, {"category": "  "}):
        reply = keen.send("asked_for_more", given)
        assert (reply.exit_code, reply.say) == (3, ())


@pytest.mark.rule("R92", "R93")
def test_an_open_question_stays_open(keen: Player) -> None:
    """Praise of a plan is no approval, and voids none: the same plan can be approved after it."""
    keen.start({"words": "A poster"})
    keen.send("answer", {"words": "blue"})
    keen.send("praised")
    assert keen.reply.state == "confirm.presenting"
    keen.send("asked_for_more", {"category": "document"})
    assert keen.send("approve", quote="Yes").state == "deliver.generating"
