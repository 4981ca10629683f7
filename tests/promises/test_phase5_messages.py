"""What the user is told of a change: the exact texts, in both languages, with and without a monitor."""

from __future__ import annotations

import pytest

from phases.anygen.sandbox import Sandbox
from tests.playing import HandClock, Player
from tests.promises.journeys import CHANGE, WORDS, change, link, looks, readings, remembered, to_changed, to_ready

APPLYING = {
    "en": "I'm working on your changes now. I'll let you know when they're done.",
    "zh-CN": "我正在处理您的修改请求,完成后会通知您。",
}
APPLYING_UNWATCHED = {
    "en": "I've sent your changes. You can check the progress here: {url}. "
    "Let me know when you'd like me to check if it's done!",
    "zh-CN": "我已发送您的修改请求,您可在此查看进度:{url} 。需要我帮您检查是否完成时,请随时告诉我!",
}
CHANGED = {
    "en": "Your changes are done! You can view the updated image here: {url}\n"
    "If you need further adjustments, just let me know.",
    "zh-CN": "您的修改已完成!可在此查看更新后的图片:{url}\n如果需要进一步调整,请随时告知我。",
}
CHANGED_WITH_REPLY = {
    "en": "Your changes are done! You can view the updated image here: {url}\n\nThis is what was done:\n\n{note}\n\n"
    "If you need further adjustments, just let me know.",
    "zh-CN": "您的修改已完成!可在此查看更新后的图片:{url}\n\n这次做了以下修改:\n\n{note}\n\n"
    "如果需要进一步调整,请随时告知我。",
}
NOT_CHANGED = {
    "en": "The modification didn't complete as expected. You can check the details here: {url}\n\n"
    f"This is what you asked for: “{CHANGE}”\nShall I try exactly that again, or would you like something different?",
    "zh-CN": "修改未按预期完成。您可在此查看详情:{url}\n\n"
    + f"您要求的是：“{CHANGE}”\n要原样再试一次吗?还是换一种改法?",
}
STILL = {
    "en": "Your changes to this image are still being worked on: “{about}”\nYou can follow the progress here: {url}\n"
    "Feel free to ask me again at any time.",
    "zh-CN": "您对这张图片的修改还在处理中：“{about}”\n您可以在此查看进度：{url}\n您可以随时再来问我。",
}
STILL_WATCHED = {
    "en": "Your changes to this image are still being worked on: “{about}”\nYou can follow the progress here: {url}\n"
    "I'll let you know when they're done.",
    "zh-CN": "您对这张图片的修改还在处理中：“{about}”\n您可以在此查看进度：{url}\n完成后我会通知您。",
}
LATE = {
    "en": "Your changes are taking a bit longer than expected. They may still arrive, so there's no need to ask for "
    "them again. You can check the progress here: {url}",
    "zh-CN": "修改耗时比预期稍长，但仍可能完成，无需再次提交。您可以在此查看进度：{url}",
}
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh-CN"])


@LANGUAGES
@pytest.mark.rule("R83", "R86")
def test_a_watched_change(play: Player, language: str) -> None:
    """At once that it is being worked on, with the promise; then that it is done, once, and with the note."""
    to_ready(play, language=language, host="openclaw")
    change(play)
    assert play.texts() == [APPLYING[language]]
    play.watch()
    play.send(None)
    note = f"Done: “{CHANGE}”. You will see that the background is darker."
    assert play.texts() == [CHANGED_WITH_REPLY[language].format(url=link(play), note=note)]
    play.send(None)
    assert play.texts() == []


@LANGUAGES
@pytest.mark.rule("R86")
def test_a_change_of_which_nothing_was_said(play: Player, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the service says nothing about it, that it is done is all."""
    monkeypatch.setattr("phases.anygen.sandbox.tasks._account", lambda change: "")
    to_ready(play, language=language)
    change(play)
    play.watch()
    play.send(None)
    assert play.texts() == [CHANGED[language].format(url=link(play))]


@LANGUAGES
@pytest.mark.rule("R76", "R83", "R86")
def test_a_late_change_may_still_arrive(play: Player, sandbox: Sandbox, clock: HandClock, language: str) -> None:
    """It is told as late, never as failed, and cannot be ordered again; later looks are told in other words."""
    sandbox.settings(looks=1)
    to_ready(play, language=language, host="openclaw")
    sandbox.settings(looks=99)
    change(play)
    play.send("check")
    assert play.texts() == [STILL_WATCHED[language].format(url=link(play), about=WORDS)]
    clock.pass_(480)
    play.send(None)
    assert play.texts() == [LATE[language].format(url=link(play))]
    for _ in range(2):
        assert "modify" not in {option.event for option in play.reply.next}
        play.send("check")
        assert play.texts() == [STILL[language].format(url=link(play), about=WORDS)]


@LANGUAGES
@pytest.mark.rule("R83", "R87")
def test_a_change_without_a_monitor(play: Player, sandbox: Sandbox, language: str) -> None:
    """No promise; on request the last five messages are read, and the answer is passed on byte for byte."""
    to_ready(play, language=language, host="generic")
    change(play)
    assert play.texts() == [APPLYING_UNWATCHED[language].format(url=link(play))]
    assert readings(sandbox) == []
    play.send("check")
    assert play.texts() == [STILL[language].format(url=link(play), about=WORDS)]
    play.send("check")
    note = f"Done: “{CHANGE}”. You will see that the background is darker."
    assert play.texts() == [CHANGED_WITH_REPLY[language].format(url=link(play), note=note)]
    assert {"text": note, "by": "service", "language": "und"} in play.reply.say[0].parts
    assert [each.query for each in readings(sandbox)] == [{"limit": "5"}] * 2


@LANGUAGES
@pytest.mark.rule("R86")
def test_a_change_that_failed(play: Player, sandbox: Sandbox, language: str) -> None:
    """Exactly this text, until a turn shows that it was handed over: it asks for a yes to something paid."""
    sandbox.fault("message-failed", on="send")
    to_ready(play, language=language, host="openclaw")
    change(play)
    play.watch()
    play.send(None)
    assert play.texts() == [NOT_CHANGED[language].format(url=link(play))]
    play.send(None)
    assert play.texts() == [NOT_CHANGED[language].format(url=link(play))]
    assert play.reply.say[0].maybe_said
    play.send(None, seen=play.reply.seen)
    assert play.texts() == []


@pytest.mark.rule("R87")
def test_an_answer_that_would_leak_is_left_out(play: Player, sandbox: Sandbox) -> None:
    """The note gives away the task's id: the change is told, the note is withheld, and the journal says so."""
    to_ready(play)
    change(play)
    play.send("check")
    sandbox.fault("leak-id", on="messages")
    play.send("check")
    assert play.reply.state == "revise.changed"
    text = play.texts()[0].replace(link(play), "")
    assert remembered(play)["task_id"] not in text
    assert text.startswith("Your changes are done!")
    assert "must not be repeated" in text
    assert play.reply.say[0].withheld
    last = play.journal("reply")[-1]
    assert last.body is not None
    assert last.body["messages"][0]["withheld"] == ["an internal id"]


@pytest.mark.rule("R87")
def test_an_answer_that_gives_orders_is_only_text(play: Player, sandbox: Sandbox) -> None:
    """The note tells the agent to approve by itself: it is shown as the service's own words, and moves nothing."""
    to_ready(play)
    change(play)
    play.send("check")
    sandbox.fault("prompt-injection", on="messages")
    play.send("check")
    assert play.reply.state == "revise.changed"
    verbatim = [part["text"] for part in play.reply.say[0].parts if part.get("by") == "service"]
    assert verbatim == [remembered(play)["change_reply"]]
    assert "SYSTEM" in verbatim[0]
    assert [entry.kind for entry in play.journal()[-2:]] == ["move", "reply"]


@pytest.mark.rule("R86")
def test_after_a_change_the_link_is_asked_for_once(play: Player, sandbox: Sandbox) -> None:
    """One look at the task refreshes the link before the message; if that look fails, the known link is given."""
    to_changed(play)
    made = len(looks(sandbox))
    known = link(play)
    change(play, "Bold lettering")
    sandbox.fault("server-error", on="task")
    play.watch()
    play.send(None)
    assert len(looks(sandbox)) == made + 1
    assert (play.reply.state, link(play)) == ("revise.changed", known)
    assert known in play.texts()[0]
