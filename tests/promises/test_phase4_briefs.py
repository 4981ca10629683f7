"""What a monitor is told, and what it says: enough and no more, in the user's language, and last the agreed word."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import workflow.cli.agent.watch as watching
from phases.anygen.sandbox import Sandbox
from tests.playing import HandClock, Player, player
from tests.promises.journeys import change, link, to_generating, to_ready
from tests.promises.test_phase4_messages import FAILED, LATE, READY
from workflow.engine import Engine
from workflow.model.errors import SessionNotFound, StoreError
from workflow.model.frozen import replace as replaced
from workflow.model.reply import Reply

TECHNICAL = (
    *("task_id", "file_token", "message_id", "poll", "sub-agent", "subagent", "api", "script", "workspace", "json"),
    *("downloaded to", "session", "workflow", "status:", "completed", "processing", "spawn", "process", "/home", "~/"),
)


def brief(play: Player) -> str:
    """The task of the sub-agent that the last reply asks for."""
    assert play.reply.watch is not None
    return str(play.reply.watch["ways"][-1]["arguments"]["task"])


def announce(play: Player, monkeypatch: pytest.MonkeyPatch) -> Result:
    """What a sub-agent runs, and all that it sees of it."""
    monkeypatch.setattr(watching, "open_engine", lambda **_: play.engine)
    # The command is one for the whole process, and remembers how its help is asked for.
    names = ["-h", "--help"]
    arguments = [play.name, "--announce-skip"]
    return CliRunner().invoke(watching.watch, arguments, help_option_names=names, standalone_mode=False)


@pytest.mark.parametrize("language", ["en", "zh-CN", "pt-BR"])
@pytest.mark.parametrize("host", ["openclaw", "openclaw-subagent"])
@pytest.mark.rule("R63", "R64", "R70")
def test_the_brief_of_an_image_needs_no_context(play: Player, host: str, language: str) -> None:
    """Session, link, command and language are filled in, nothing is left to fill, and both times are stated."""
    to_generating(play, host=host, language=language)
    text = brief(play)
    assert "$" not in text
    assert "{" not in text
    assert f"- Session: {play.name}\n" in text
    assert f"- Link to the image: {link(play)}\n" in text
    assert f"- Language of the user: {language}\n" in text
    assert f"    workflow watch {play.name} --announce-skip\n" in text
    assert "may take up to 20 minutes. Ensure your execution timeout is at least 25 minutes." in text
    assert f"Everything you send to the user is in {language}." in text


@pytest.mark.rule("R63", "R71", "R84")
def test_the_brief_of_a_change_states_its_own_times(play: Player) -> None:
    """Up to 8 minutes within at least 10, asked of the host as 600 s; the last word is the agreed one."""
    to_ready(play, host="openclaw")
    reply = change(play)
    text = brief(play)
    assert "$" not in text
    assert "{" not in text
    assert f"- Link to the image: {link(play)}\n" in text
    assert "may take up to 8 minutes. Ensure your execution timeout is at least 10 minutes." in text
    assert "Your FINAL reply MUST be EXACTLY:\n\nANNOUNCE_SKIP\n" in text
    assert reply.watch is not None
    assert reply.watch["ways"][-1]["arguments"]["runTimeoutSeconds"] >= 600


@pytest.mark.rule("R64", "R71", "R72")
def test_the_brief_of_an_image_demands_nothing_but_the_text(play: Player) -> None:
    """No greeting, no comment, no second run; the final reply is exactly the agreed word, whatever happened."""
    to_generating(play, host="openclaw")
    text = brief(play)
    assert "Say nothing beyond that text: no greeting, no introduction, no commentary" in text
    assert "Your FINAL reply MUST be EXACTLY:\n\nANNOUNCE_SKIP\n" in text
    assert "NEVER run it a second time" in text
    assert "at least 25 minutes" in text


@pytest.mark.rule("R63")
def test_a_brief_names_the_store_for_a_monitor_elsewhere(play: Player, tmp_path: Path) -> None:
    """A sub-agent with another home is told which store it needs; one that looks in vain hears where it looked."""
    elsewhere = replace(play, engine=Engine(replaced(play.engine.world, folder=tmp_path / "store")))
    to_generating(elsewhere, host="openclaw")
    text = brief(elsewhere)
    assert f"- Folder of the store: {tmp_path / 'store'}\n" in text
    assert "with the environment variable PHASEGATE_STATE set to the folder of the store" in text
    with pytest.raises(SessionNotFound, match=f"there is no session 'no-such-one' in {tmp_path / 'store'}"):
        elsewhere.engine.status("no-such-one")


@pytest.mark.parametrize(("within", "minutes"), [("20s", "1"), ("90s", "2"), ("20m", "20")])
def test_a_brief_never_says_0_minutes(copied: Path, tmp_path: Path, within: str, minutes: str) -> None:
    """Times are whole minutes, rounded up, so that none is too short or nothing."""
    yaml = copied / "workflow.yaml"
    yaml.write_text(yaml.read_text(encoding="utf-8").replace("within: 20m", f"within: {within}"), encoding="utf-8")
    play = player(tmp_path, copied, None, environ={"ANYGEN_API_KEY": "sk-test-0123456789abcdef"})
    to_generating(play, host="openclaw")
    assert f"may take up to {minutes} minutes. " in brief(play) and " 0 minutes" not in brief(play)


def _done(sandbox: Sandbox, clock: HandClock) -> None:
    """The image gets ready."""


def _fails(sandbox: Sandbox, clock: HandClock) -> None:
    sandbox.fault("task-failed", on="task")


def _too_long(sandbox: Sandbox, clock: HandClock) -> None:
    sandbox.settings(looks=1000)
    clock.pass_(1190)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize(("happens", "texts"), [(_done, READY), (_fails, FAILED), (_too_long, LATE)])
@pytest.mark.rule("R70", "R71", "R72")
def test_a_monitor_says_the_text_and_the_last_word(
    play: Player,
    sandbox: Sandbox,
    clock: HandClock,
    monkeypatch: pytest.MonkeyPatch,
    happens: Callable[[Sandbox, HandClock], None],
    texts: dict[str, str],
    language: str,
) -> None:
    """On success, failure and timeout: the prescribed text in the user's language, then exactly the agreed word."""
    to_generating(play, host="openclaw-subagent", language=language)
    happens(sandbox, clock)
    result = announce(play, monkeypatch)
    assert result.stdout == f"{texts[language].format(url=link(play))}\nANNOUNCE_SKIP\n"
    assert result.exit_code == 0


@pytest.mark.parametrize("broken", ["look", "speak_as_watcher", "confirm"])
@pytest.mark.rule("R71")
def test_the_last_word_comes_whatever_breaks(play: Player, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    """A store that breaks while looking, claiming or confirming: the last line is the agreed word all the same."""
    to_generating(play, host="openclaw-subagent")

    def breaks(*_: Any, **__: Any) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(play.engine, broken, breaks)
    result = announce(play, monkeypatch)
    assert result.stdout.splitlines()[-1] == "ANNOUNCE_SKIP"
    assert "the disk is full" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.rule("R71")
def test_the_last_word_for_a_session_that_is_not_there(play: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong name: nothing for the user, and the agreed word."""
    play.name = "no-such-session"
    result = announce(play, monkeypatch)
    assert result.stdout == "ANNOUNCE_SKIP\n"
    assert "there is no session" in result.stderr


@pytest.mark.rule("R71")
def test_the_last_word_after_a_fault_of_ours(play: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is wrong with the program itself is told on stderr: no reply stands where texts for the user stand."""
    to_generating(play, host="openclaw-subagent")
    monkeypatch.setattr(play.engine, "look", lambda *_, **__: 1 / 0)
    result = announce(play, monkeypatch)
    assert (result.stdout, result.return_value) == ("ANNOUNCE_SKIP\n", 1)
    assert "ZeroDivisionError" in result.stderr and "Traceback" not in result.stderr


@pytest.mark.rule("R71", "R77")
def test_a_monitor_that_is_asked_to_end(
    play: Player, sandbox: Sandbox, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM while it waits: nothing but the last word, and 143; the next monitor tells the news, unmarked."""
    sandbox.settings(looks=2)
    to_generating(play, host="openclaw-subagent")
    before = signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as asked:
        asked.setattr(clock, "sleep", lambda seconds: signal.raise_signal(signal.SIGTERM))
        result = announce(play, asked)
    assert (result.stdout, result.return_value) == ("ANNOUNCE_SKIP\n", 143)
    assert signal.getsignal(signal.SIGTERM) is before
    assert announce(play, monkeypatch).stdout == f"{READY['en'].format(url=link(play))}\nANNOUNCE_SKIP\n"


@pytest.mark.rule("R71", "R77")
def test_a_monitor_that_is_asked_to_end_as_it_speaks(play: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM between claim and confirmation: the text is said and confirmed, so that nobody says it again."""
    to_generating(play, host="openclaw-subagent")
    confirm = play.engine.confirm

    def asked(reply: Reply) -> None:
        signal.raise_signal(signal.SIGTERM)
        confirm(reply)

    with monkeypatch.context() as speaking:
        speaking.setattr(play.engine, "confirm", asked)
        result = announce(play, speaking)
    assert (result.stdout, result.return_value) == (f"{READY['en'].format(url=link(play))}\nANNOUNCE_SKIP\n", 0)
    assert play.send(None).say == ()


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.rule("R72", "R73", "R91")
def test_what_a_monitor_says_holds_no_technical_term(play: Player, sandbox: Sandbox, language: str) -> None:
    """Every text of a watcher, over an image and two changes: the link apart, no word, path or label of the trade.

    None is said again in the conversation but the last: it asks for a yes that only the conversation can pass on.
    """
    told = []
    to_generating(play, host="openclaw-subagent", language=language)
    for doomed in (False, False, True):
        if doomed:
            sandbox.fault("message-failed", on="messages")
        play.watch()
        reply = play.engine.speak_as_watcher(play.name)
        play.engine.confirm(reply)
        told += [said.text for said in reply.say]
        play.send(None)
        assert play.says() == (["modification_failed"] if doomed else [])
        assert all(said.maybe_said for said in play.reply.say)
        play.send(None, seen=play.reply.seen)
        assert play.says() == []
        if len(told) < 3:
            change(play)
    assert len(told) == 3
    for word in TECHNICAL:
        assert not [text for text in told if word in text.replace(link(play), "").casefold()], word


@pytest.mark.rule("R70")
def test_a_language_nobody_wrote_is_marked_for_translation(play: Player) -> None:
    """A user of a third language gets the nearest text, and the watcher is told what to translate it to."""
    to_generating(play, host="openclaw-subagent", language="pt-BR")
    play.watch()
    (said,) = play.engine.speak_as_watcher(play.name).say
    assert (said.text, said.language, said.translate_to) == (READY["en"].format(url=link(play)), "en", "pt-BR")
