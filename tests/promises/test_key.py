"""The key: without one the run stands and says so, and it goes to the service's own host and nowhere else."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from phases.anygen.sandbox import SANDBOX_KEY, Request, Sandbox
from tests.playing import Player, player
from workflow.bundle import open_bundle
from workflow.engine import Engine
from workflow.model.errors import BundleFaults, UsageError
from workflow.model.frozen import replace
from workflow.model.reply import Reply
from workflow.model.surface import RELAY
from workflow.store.memory import MemoryStore

REFERENCE = Path(__file__).parents[2]
KEY = "sk-ag-7f3a9c2e11aa4b66d0"
OTHER = "sk-ag-0b1c2d3e4f5a6b7c8d"
WORDS = {"words": "A poster for a jazz night"}
LINK = "https://www.anygen.io/home?auto_create_openclaw_key=1"
MARKDOWN = re.compile(r"\[[^\]]+\]\((https://www\.anygen\.io/\S+)\)")


@pytest.fixture
def elsewhere() -> Iterator[Sandbox]:
    """Another listener, which nobody has a reason to ask."""
    with Sandbox() as running:
        yield running


def put_key(home: Path, key: str) -> None:
    """Write the key where the service's own programs look for it."""
    file = home / ".config" / "anygen" / "config.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"api_key": key, "theirs": 1}), encoding="utf-8")
    file.chmod(0o600)


def take_key(home: Path) -> None:
    """Forget the key."""
    shutil.rmtree(home / ".config")


@pytest.mark.rule("R3", "R9")
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_without_a_key_the_run_stands_and_asks_for_one(
    copied: Path, tmp_path: Path, sandbox: Sandbox, language: str
) -> None:
    """No key: no request, the run is saved where it stands, and the full link is given in the user's language."""
    play = player(tmp_path, copied, None)
    reply = play.start(WORDS, language=language)
    assert (reply.state, reply.status, reply.exit_code) == ("understand.preparing", "waiting", 4)
    assert reply.error is not None
    assert (reply.error.type, reply.error.kind) == ("credentials", "no_key")
    assert [(said.id, said.language) for said in reply.say] == [("needs_key", language)]
    assert MARKDOWN.findall(play.texts()[0]) == [LINK]
    assert {option.event for option in reply.next} == {"retry", "cancel"}
    assert sandbox.requests == []
    assert play.send("retry").error is not None
    assert sandbox.requests == []
    assert [each.name for each in play.engine.sessions(live=True)] == [reply.session]


@pytest.mark.rule("R9", "R11")
@pytest.mark.parametrize("content", [None, "{}", '{"api_key": "two words"}'])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_missing_or_bad_key_is_set_on_the_machine(
    copied: Path, tmp_path: Path, language: str, content: str | None
) -> None:
    """The user hears where, and that a chat is no place for it; the agent hears how, on every surface."""
    if content:
        put_key(tmp_path, "x")
        (tmp_path / ".config" / "anygen" / "config.json").write_text(content, encoding="utf-8")
    play = player(tmp_path, copied, None)
    reply = play.start(WORDS, language=language)
    (text,) = play.texts()
    wanted = {"en": ("on the computer", "doesn't belong in a chat"), "zh-CN": ("那台电脑上", "不要在对话里")}
    assert all(words in text for words in wanted[language])
    assert not any(name in text for name in ("ANYGEN_API_KEY", "config", "workflow-admin", "api_key", "retry"))
    assert reply.error
    for told in (reply.error.hint, play.engine.status(play.name).notices[0]):
        assert "on the machine, not in this chat" in told and "`retry`" in told
        assert "`workflow-admin api config set`" in told and "ANYGEN_API_KEY" in told
    remote = Engine(replace(play.engine.world, surface=RELAY))
    (elsewhere,) = [each for each in remote.status(play.name).notices if "not in this chat" in each]
    assert "workflow-admin" not in elsewhere and "ANYGEN_API_KEY" in elsewhere


@pytest.mark.rule("R3", "R4")
@pytest.mark.parametrize("where", ["environment", "file"])
def test_once_the_key_is_set_the_run_goes_on_where_it_was(
    copied: Path, tmp_path: Path, asked: Callable[[str], list[Request]], where: str
) -> None:
    """The words of before are sent with the new key, once; nothing has to be said again."""
    store = MemoryStore()
    first = player(tmp_path, copied, None, store=store)
    first.start(WORDS)
    play = player(tmp_path, copied, None, store=store, environ={"ANYGEN_API_KEY": KEY} if where != "file" else {})
    play.name, play.reply = first.name, first.reply
    if where == "file":
        put_key(tmp_path, KEY)
    reply = play.send("retry")
    assert (reply.state, reply.error, play.says()) == ("understand.asking", None, ["questions"])
    (request,) = asked("prepare")
    assert request.key == KEY
    assert request.json["messages"] == [{"role": "user", "content": [{"type": "text", "text": WORDS["words"]}]}]


def test_what_turns_out_to_be_the_key_is_said_no_more(copied: Path, tmp_path: Path) -> None:
    """A file was named before the key was set, and like it: from then on no message says that name."""
    name = "harbour-lane-twelve-blue"
    (tmp_path / f"{name}.png").write_bytes(b"a reference")
    play = player(tmp_path, copied, None)
    play.start({**WORDS, "references": [{"path": f"{name}.png", "description": "a saxophone"}]})
    assert name in play.texts()[0]
    put_key(tmp_path, name)
    (said,) = play.engine.status(play.name).say
    assert said.withheld and name not in said.text
    take_key(tmp_path)
    assert name in play.engine.status(play.name).say[0].text


@pytest.mark.rule("R3")
def test_a_missing_key_spends_no_consent_and_no_approval(
    copied: Path, tmp_path: Path, sandbox: Sandbox, asked: Callable[[str], list[Request]]
) -> None:
    """Nothing has left, so the person's answers still hold: `retry` uploads, and creates, without asking again."""
    (tmp_path / "ref.png").write_bytes(b"a reference")
    play = player(tmp_path, copied, None)
    play.start({**WORDS, "references": [{"path": "ref.png", "description": "a saxophone"}]})
    reply = play.send("consent", quote="yes, upload it")
    assert (reply.state, play.says(), sandbox.requests) == ("understand.uploading", ["needs_key"], [])
    put_key(tmp_path, KEY)
    assert play.send("retry").state == "understand.asking"
    play.send("answer", {"words": "in blue"})
    take_key(tmp_path)
    before = len(sandbox.requests)
    reply = play.send("approve", quote="yes, go ahead")
    assert (reply.state, reply.status, play.says()) == ("create.creating", "waiting", ["needs_key"])
    assert len(sandbox.requests) == before
    assert play.journal("intent") == []
    put_key(tmp_path, KEY)
    assert play.send("retry").state == "deliver.generating"
    assert (len(asked("upload")), len(asked("create"))) == (1, 1)
    assert [each["quote"] for each in _evidence(play)] == ["yes, upload it", "yes, go ahead"]


@pytest.mark.rule("R4")
@pytest.mark.parametrize(
    ("env", "file", "used"), [(KEY, OTHER, KEY), (KEY, "", KEY), ("", OTHER, OTHER), (f" {KEY}\n", OTHER, KEY)]
)
def test_the_environment_comes_before_the_file(
    copied: Path, tmp_path: Path, sandbox: Sandbox, env: str, file: str, used: str
) -> None:
    """The variable, else the file: the service sees the right one of them, as one word."""
    if file:
        put_key(tmp_path, file)
    play = player(tmp_path, copied, None, environ={"ANYGEN_API_KEY": env})
    assert play.start(WORDS).state == "understand.asking"
    assert [request.headers["authorization"] for request in sandbox.requests] == [f"Bearer {used}"]


@pytest.mark.rule("R4")
def test_a_new_key_counts_from_the_next_turn(copied: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    """The key is read for each turn, and never kept: the store does not hold it."""
    store = MemoryStore()
    play = player(tmp_path, copied, None, store=store)
    put_key(tmp_path, KEY)
    play.start(WORDS)
    put_key(tmp_path, OTHER)
    play.send("answer", {"words": "in blue"})
    assert [request.key for request in sandbox.requests] == [KEY, OTHER]
    kept = json.dumps([entry.body for entry in play.journal()]) + json.dumps(play.engine.data(play.name))
    assert KEY[:10] not in kept
    assert OTHER[:10] not in kept


@pytest.mark.rule("R3", "R11")
@pytest.mark.parametrize("key", [f"{KEY} {OTHER}", f"{KEY}\r\nX-Leak: 1", "sk-ag-schlüssel-0123", "k" * 600])
def test_what_cannot_be_a_key_is_never_sent(copied: Path, tmp_path: Path, sandbox: Sandbox, key: str) -> None:
    """A malformed key: no request, the message about its format, and not a piece of it anywhere."""
    play = player(tmp_path, copied, None, environ={"ANYGEN_API_KEY": key})
    reply = play.start(WORDS)
    assert (reply.exit_code, reply.error and reply.error.kind) == (4, "credentials")
    assert play.says() == ["check_key"]
    assert MARKDOWN.findall(play.texts()[0]) == [LINK]
    assert sandbox.requests == []
    assert key[:10] not in json.dumps(reply.as_json(), ensure_ascii=False)
    assert key[:10] not in json.dumps([entry.body for entry in play.journal()], ensure_ascii=False)


@pytest.mark.rule("R11")
@pytest.mark.parametrize("content", ["", "[]", '{"api_key": 7}', '{"api_key": "sk-1', '{"api_key": null}'])
def test_a_broken_file_of_the_key_is_no_crash(copied: Path, tmp_path: Path, sandbox: Sandbox, content: str) -> None:
    """Whatever the file holds, the run stands, asks nothing of the service, and goes on once it is mended."""
    put_key(tmp_path, KEY)
    (tmp_path / ".config" / "anygen" / "config.json").write_text(content, encoding="utf-8")
    play = player(tmp_path, copied, None)
    reply = play.start(WORDS)
    assert (reply.exit_code, reply.state) == (4, "understand.preparing")
    assert play.says() == ["needs_key" if "null" in content else "check_key"]
    assert sandbox.requests == []
    put_key(tmp_path, KEY)
    assert play.send("retry").state == "understand.asking"
    assert KEY[:10] not in json.dumps([entry.body for entry in play.journal()])


@pytest.mark.rule("R7")
def test_a_session_of_the_sandbox_never_sees_the_real_key(tmp_path: Path, sandbox: Sandbox) -> None:
    """The sandbox gets the sandbox's own key, whatever the environment and the file hold, and the reply says so."""
    put_key(tmp_path, OTHER)
    play = player(tmp_path, REFERENCE, sandbox.url, environ={"ANYGEN_API_KEY": KEY})
    reply = _play_all(play)
    assert (reply.state, reply.sandbox) == ("revise.changed", True)
    assert {request.key for request in sandbox.requests} == {SANDBOX_KEY}


@pytest.mark.rule("R7")
@pytest.mark.parametrize(
    "address", ["http://www.anygen.io", "http://10.0.0.1", "https://www.anygen.io/other", "https://a@www.anygen.io"]
)
def test_a_bundle_cannot_name_a_service_that_may_not_get_a_key(copied: Path, sandbox: Sandbox, address: str) -> None:
    """Plain HTTP beyond this machine, or an address that hides its host, is refused before anything runs."""
    yaml = copied / "workflow.yaml"
    yaml.write_text(yaml.read_text(encoding="utf-8").replace(sandbox.url, address), encoding="utf-8")
    with pytest.raises(BundleFaults, match="base_url"):
        open_bundle(copied)


@pytest.mark.rule("R7")
@pytest.mark.parametrize(
    "address",
    [
        *("https://127.0.0.1:1", "http://www.anygen.io:80", "http://192.0.2.1:80", "http://[2001:db8::1]:80"),
        *("http://127.0.0.1", "http://127.0.0.1:1@evil.example:2"),
    ],
)
def test_only_loopback_is_a_sandbox(tmp_path: Path, address: str) -> None:
    """An address that is not this machine's is no sandbox: the session says so before it asks anything."""
    play = player(tmp_path, REFERENCE, address, environ={"ANYGEN_API_KEY": KEY})
    with pytest.raises(UsageError, match="no sandbox"):
        play.start(WORDS)


@pytest.mark.rule("R10", "R11")
def test_authentication_is_by_header_only(copied: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    """Every request of a whole run carries the header, none the key in its body, form or query."""
    play = player(tmp_path, copied, None, environ={"ANYGEN_API_KEY": KEY})
    assert _play_all(play).state == "revise.changed"
    calls = {f"{each.method} {each.path.rpartition('/')[2]}" for each in sandbox.requests}
    assert {"POST upload", "POST prepare", "POST tasks", "POST messages", "GET messages"} <= calls
    for each in sandbox.requests:
        assert each.headers["authorization"] == f"Bearer {KEY}"
        rest = json.dumps([each.json, each.form, each.query, each.path])
        assert "auth_token" not in rest
        assert KEY[:10] not in rest
    everything = [play.reply.as_json(), *(entry.body for entry in play.journal())]
    assert KEY[:10] not in json.dumps(everything)


@pytest.mark.rule("R11")
@pytest.mark.parametrize("field", ["reply", "prompt"])
def test_a_service_that_repeats_the_key_is_not_repeated(
    copied: Path, tmp_path: Path, sandbox: Sandbox, field: str
) -> None:
    """The key in the service's own words reaches neither the user nor the journal."""
    sandbox.settings(rounds=1)
    sandbox.fault("leak-key", on="prepare", field=field)
    play = player(tmp_path, copied, None, environ={"ANYGEN_API_KEY": KEY})
    reply = play.start(WORDS)
    assert KEY[:10] not in json.dumps(reply.as_json())
    assert KEY[:10] not in json.dumps([entry.body for entry in play.journal()])
    assert KEY[:10] not in json.dumps(play.engine.status(play.name).as_json())


# What is asked, and where the run is after an answer that leads to another host.
STEPS = {
    "upload": "understand.uploading",
    "prepare": "understand.preparing",
    "create": "create.unsure",
    "task": "deliver.generating",
    "send": "revise.unsure",
    "messages": "revise.applying",
}


@pytest.mark.rule("R7", "R8")
@pytest.mark.parametrize("status", [302, 307, 308])
@pytest.mark.parametrize("call", STEPS)
def test_no_request_follows_a_redirect(
    copied: Path, tmp_path: Path, sandbox: Sandbox, elsewhere: Sandbox, call: str, status: int
) -> None:
    """Whatever is asked, a redirect ends the step in an error, and a look in an odd answer; nobody else is asked."""
    sandbox.fault(f"redirect-{status}", on=call, to=elsewhere.url)
    play = player(tmp_path, copied, None, environ={"ANYGEN_API_KEY": KEY})
    _play_all(play, until=STEPS[call])
    if call in ("task", "messages"):
        assert [(entry.body or {})["sort"] for entry in play.journal("odd")] == [f"upstream {status}"]
    else:
        assert play.reply.state == STEPS[call]
        assert play.reply.status in ("waiting", "in_doubt")
        assert play.reply.exit_code in (7, 8)
    assert elsewhere.requests == []
    assert not sandbox._armoury.listed()


def _play_all(play: Player, until: str = "") -> Reply:
    """A whole run with a file and a change, until it stands in that state behind something that went wrong."""
    (play.engine.world.base / "ref.png").write_bytes(b"a reference")
    play.start({**WORDS, "references": [{"path": "ref.png", "description": "a saxophone"}]})
    turns: list[tuple[str, dict[str, str], str]] = [
        ("consent", {}, "yes"),
        ("answer", {"words": "in blue"}, ""),
        ("approve", {}, "go ahead"),
        ("watch", {}, ""),
        ("modify", {"words": "darker"}, "darker"),
        ("watch", {}, ""),
    ]
    for event, given, quote in turns:
        if play.reply.state == until and (play.reply.error or play.reply.status == "in_doubt"):
            break
        if event == "watch":
            play.watch()
        play.send(None if event == "watch" else event, given, quote=quote)
    return play.reply


def _evidence(play: Player) -> Iterator[dict[str, str]]:
    for entry in play.journal("event"):
        yield from (entry.body or {})["evidence"]
