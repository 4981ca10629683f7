"""What the user is told while the image is made, and when it is there: the exact texts, in both languages."""

from __future__ import annotations

import pytest

from phases.anygen.sandbox import Sandbox
from tests.playing import HandClock, Player
from tests.promises.journeys import WORDS, creates, link, looks, to_generating, to_ready

STARTED = {
    "en": "Your image is being generated. You can follow the progress here: {url}\n"
    "It takes about 5–10 minutes, so you're free to do other things. "
    "I'll check and let you know when it's ready.",
    "zh-CN": "图片正在生成中。您可以在此查看进度:{url}\n预计耗时5-10分钟,可先进行其他操作。我会留意进度,完成后通知您。",
}
STARTED_UNWATCHED = {
    "en": "I've started generating your image. It usually takes about 5–10 minutes. You can check the progress "
    "here: {url}. Let me know when you'd like me to check if it's ready!",
    "zh-CN": "我已启动图片生成,通常需要5-10分钟。您可在此查看进度:{url} 。需要我帮您检查是否完成时,请随时告诉我!",
}
READY = {
    "en": "Your image is ready! You can view and download it here: {url}\n"
    "If you'd like any changes — such as adjusting colors, layout, or adding elements — just tell me.",
    "zh-CN": "您的图片已生成完成!可在此查看并下载:{url}\n如果需要调整(如修改颜色、布局或添加元素),请随时告知我。",
}
FAILED = {
    "en": "Unfortunately the image generation didn't complete successfully. You can check the details here: {url}"
    "\n\nJust tell me to try again, or what you'd like to change first.",
    "zh-CN": "很遗憾,图片生成未成功完成。\n您可在此查看详情:{url}\n\n如果想再试一次,或想先做些修改,告诉我就好。",
}
LATE = {
    "en": "The image is taking a bit longer than expected. You can check the progress here: {url}",
    "zh-CN": "图片生成耗时比预期稍长。\n您可在此查看进度:{url}",
}
STILL = {
    "en": "Your image is still being generated: “{about}”\nYou can follow the progress here: {url}\n"
    "Feel free to ask me again at any time.",
    "zh-CN": "您的图片还在生成中：“{about}”\n您可以在此查看进度：{url}\n您可以随时再来问我。",
}
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh-CN"])


@LANGUAGES
@pytest.mark.rule("R56", "R57", "R58")
def test_at_once_the_user_is_told_what_is_so(play: Player, sandbox: Sandbox, language: str) -> None:
    """The turn of the approval says that it runs, the exact link, and how long it takes, and that one is free."""
    reply = to_generating(play, language=language, host="openclaw")
    assert reply.state == "deliver.generating"
    assert play.texts() == [STARTED[language].format(url=link(play))]
    task = next(iter(sandbox.requests[-1:]))
    assert task.path == "/v1/openapi/tasks"  # nothing was asked between the order and the message
    assert link(play).startswith(f"{sandbox.url}/task/task_")


@LANGUAGES
@pytest.mark.rule("R59", "R61", "R78")
def test_without_a_monitor_nothing_is_promised(play: Player, language: str) -> None:
    """On a host that cannot watch, the fallback text takes the place of the promise, and no way to watch is given."""
    reply = to_generating(play, language=language, host="generic")
    assert play.texts() == [STARTED_UNWATCHED[language].format(url=link(play))]
    assert reply.watch is not None
    assert reply.watch["ways"] == []
    assert "sessions_spawn" not in str(reply.as_json())


@pytest.mark.rule("R59", "R61")
@pytest.mark.parametrize(
    ("host", "ways"),
    [
        ("generic", []),
        ("openclaw", ["background", "subagent"]),
        ("claude-code", ["background"]),
        ("openclaw-subagent", ["subagent"]),
    ],
)
def test_the_promise_and_the_monitor_come_together(play: Player, host: str, ways: list[str]) -> None:
    """For each host: the sentence that promises news stands in the message exactly where a monitor is asked for."""
    reply = to_generating(play, host=host)
    assert reply.watch is not None
    assert [way["how"] for way in reply.watch["ways"]] == ways
    assert ("I'll check and let you know when it's ready" in play.texts()[0]) == bool(ways)
    assert ("Let me know when you'd like me to check" in play.texts()[0]) == (not ways)


@LANGUAGES
@pytest.mark.rule("R74", "R79")
def test_the_image_is_ready(play: Player, sandbox: Sandbox, language: str) -> None:
    """One message with the link; nothing was fetched from it, neither page nor picture."""
    to_ready(play, language=language, host="claude-code")
    assert play.texts() == [READY[language].format(url=link(play))]
    assert all(each.path.startswith("/v1/openapi/") for each in sandbox.requests)
    play.send(None)
    assert play.texts() == []


@LANGUAGES
@pytest.mark.rule("R75")
def test_the_generation_failed(play: Player, sandbox: Sandbox, language: str) -> None:
    """Exactly this text; what the service says of it is not shown."""
    sandbox.fault("task-failed", on="create")
    to_generating(play, language=language, host="claude-code")
    play.watch()
    reply = play.send(None)
    assert (reply.state, reply.status, reply.exit_code) == ("deliver.no_image", "waiting", 0)
    assert play.texts() == [FAILED[language].format(url=link(play))]


@LANGUAGES
@pytest.mark.rule("R76")
def test_it_takes_longer(play: Player, sandbox: Sandbox, clock: HandClock, language: str) -> None:
    """A task that never ends is late, not failed: exactly this text, once, and a look on request still finds it."""
    sandbox.settings(looks=3)
    to_generating(play, language=language, host="claude-code")
    clock.pass_(1200)
    reply = play.send(None)
    assert (reply.state, reply.status) == ("deliver.late", "waiting")
    assert play.texts() == [LATE[language].format(url=link(play))]
    play.send("check")
    assert play.texts() == [STILL[language].format(url=link(play), about=WORDS)]
    play.send("check")
    assert play.texts() == [READY[language].format(url=link(play))]


@LANGUAGES
@pytest.mark.rule("R78", "R67")
def test_a_look_on_request_is_one_look(play: Player, sandbox: Sandbox, clock: HandClock, language: str) -> None:
    """Nobody looks until the user asks; then it is one GET, no pause, and what it found is said."""
    sandbox.settings(looks=3)
    to_generating(play, language=language)
    clock.pass_(120)
    play.send(None)
    assert looks(sandbox) == []
    for number in (1, 2):
        reply = play.send("check")
        assert (reply.state, len(looks(sandbox))) == ("deliver.generating", number)
        assert play.texts() == [STILL[language].format(url=link(play), about=WORDS)]
    play.send("check")
    assert play.texts() == [READY[language].format(url=link(play))]
    assert (len(looks(sandbox)), clock.slept, len(creates(sandbox))) == (3, [], 1)


@pytest.mark.rule("R69")
def test_the_monitor_is_not_talked_about(play: Player, sandbox: Sandbox) -> None:
    """No message of a watched run speaks of monitors, agents, processes or commands; the way to watch is beside it."""
    told = []
    reply = to_generating(play, host="openclaw")
    told += play.texts()
    assert reply.watch is not None and reply.watch["ways"]
    play.watch()
    play.send(None)
    told += play.texts()
    play.send("modify", {"words": "darker"}, quote="darker")
    told += play.texts()
    play.watch()
    play.send(None)
    told += play.texts()
    assert len(told) == 4
    for word in ("monitor", "agent", "process", "spawn", "session", "workflow", "watch", "task_id", "poll", "status"):
        assert not [text for text in told if word in text.replace(link(play), "").casefold()], word
