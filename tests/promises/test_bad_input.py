"""Bad input of every kind: one clear answer, the right exit code, nothing lost and nothing sent."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox
from tests.conduct import ANSWERS, CHANGE, WORDS, answer, begin, reach
from tests.guarded import write
from tests.playing import HandClock, Player, player, settings_in
from workflow.cli.app import run, workflow
from workflow.compose import open_engine
from workflow.engine import refusals
from workflow.history.audit import entries, verify
from workflow.local.settings import read_settings
from workflow.model.errors import BundleError, SessionNotFound, StoreError, UsageError, WorkflowError
from workflow.model.journal import Entry
from workflow.model.ports import Held
from workflow.model.reply import ENDED, EXIT_CODES
from workflow.model.session import Session, Turn
from workflow.store.memory import MemoryStore
from workflow.store.sqlite import SqliteStore

ROOT = Path(__file__).parents[2]
STRANGE_NAMES = ["amber-fxo", "nobody", "", "..", "../amber", "a/b", "Amber-Fox", "a\0b", "ä", "x" * 500, "-", "a b"]


def untouched(play: Player, sandbox: Sandbox, turn: Callable[[], Any]) -> Any:
    """What ``turn`` gives or raises; the session is as it was but for refusals in its journal, and nothing was sent."""
    before, requests = play.engine.world.store.load(play.name), len(sandbox.requests)
    try:
        result = turn()
    except WorkflowError as error:
        result = error
    after = play.engine.world.store.load(play.name)
    assert before is not None and after is not None
    kinds = {entry.kind for entry in play.engine.world.store.entries(play.name, before.seq)}
    assert kinds <= {"refusal"}
    left_out = {"seq", "head", "refused", "seen", "unheard"}  # a refusal is counted, and has read what it names
    assert {k: v for k, v in after.as_json().items() if k not in left_out} == {
        k: v for k, v in before.as_json().items() if k not in left_out
    }
    assert len(sandbox.requests) == requests
    return result


@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_an_unknown_session_is_not_found(play: Player, sandbox: Sandbox, name: str) -> None:
    """Whatever is asked of a name that no session has, even one that is no name: not found, with the way to find it."""
    play.start({"words": WORDS})
    engine = play.engine
    asked: Sequence[Callable[[], Any]] = (
        lambda: engine.advance(name, Turn("cancel")),
        lambda: engine.status(name),
        lambda: engine.resume(name),
        lambda: engine.look(name),
        lambda: entries(engine, name),
        lambda: verify(engine, name),
        lambda: engine.speak_as_watcher(name),
    )
    for ask in asked:
        error = untouched(play, sandbox, ask)
        assert isinstance(error, SessionNotFound)
        assert "there is no session" in error.message and "`workflow sessions`" in error.hint
        assert (EXIT_CODES[error.type], len(error.message) < 200) == (5, True)


def test_a_misspelt_session_names_the_near_one(play: Player) -> None:
    """Two letters exchanged: the one that was meant is named."""
    play.start({"words": WORDS})
    with pytest.raises(SessionNotFound, match=f"did you mean '{play.name}'"):
        play.engine.status(play.name[:-2] + play.name[-1] + play.name[-2] + "x")


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("aprove", "unknown event 'aprove'; did you mean 'approve'?"),
        ("", "unknown event ''"),
        ("plan_ready", "unknown event"),
        ("task_completed", "only the service can say 'task_completed'"),
        ("late", "only the service can say 'late'"),
        ("start", "the run has started already"),
        ("modify", "'modify' is not possible in confirm.presenting"),
        ("retry", "'retry' is not possible in confirm.presenting"),
        ("found", "'found' is not possible in confirm.presenting"),
        ("to_create.creating", "unknown event"),
        ("create.creating", "unknown event"),
        ("x" * 5000, "unknown event 'xxxx"),
        ("approve\0", "unknown event"),
        ("__class__", "unknown event"),
    ],
)
def test_an_event_that_is_none_here_is_refused(play: Player, sandbox: Sandbox, event: str, reason: str) -> None:
    """Refused with the reason and what is possible; recorded, and nothing moves."""
    play.start({"words": WORDS})
    play.send("answer", {"words": "Warm"})
    reply = untouched(play, sandbox, lambda: play.send(event, {"words": CHANGE}, quote="yes"))
    assert (reply.exit_code, reply.state, reply.revision) == (3, "confirm.presenting", 2)
    assert reason in reply.error.message
    assert "Possible now: open, approve, adjust, check, cancel" in reply.error.hint
    assert len(reply.error.message) < 400
    assert [option.event for option in reply.next] == ["open", "approve", "adjust", "check", "cancel"]
    assert (play.journal("refusal")[-1].body or {})["given"]["event"] == event[: refusals.PREFIX]


@pytest.mark.parametrize(
    ("event", "given", "reason"),
    [
        ("answer", {}, "'answer' needs 'words'"),
        ("answer", {"words": ""}, "'words' is empty"),
        ("answer", {"words": " \n\t"}, "'words' is empty"),
        ("answer", {"words": None}, "'answer' needs 'words'"),
        ("answer", {"words": ["Warm"]}, "'words' must be text"),
        ("answer", {"words": "x" * 20_001}, "'words' is longer than 20000 characters"),
        ("answer", {"words": "a\0b"}, "'words' holds characters that no text may hold"),
        ("answer", {"word": "Warm", "words": "Warm"}, "'answer' does not take 'word'"),
        ("answer", {"words": "Warm", "references": "ref.png"}, "'references' must be a list of files"),
        ("answer", {"words": "Warm", "references": [{"path": 5}]}, "'references' must be a list of files"),
        ("answer", {"words": "Warm", "references": [{"path": "no.png", "description": "x"}]}, "there is no such file"),
        ("cancel", {"words": "Warm"}, "'cancel' does not take 'words' (it takes no input)"),
        ("create_now", {}, "needs the person's own words, as evidence.quote"),
    ],
)
def test_bad_input_of_an_event_is_refused(
    play: Player, sandbox: Sandbox, event: str, given: dict[str, Any], reason: str
) -> None:
    """Each fault is named, the run stays, and what is mended goes through."""
    play.start({"words": WORDS})
    reply = untouched(play, sandbox, lambda: play.send(event, given))
    assert (reply.exit_code, reply.state) == (3, "understand.asking")
    assert reason in reply.error.message
    assert reply.error.hint
    assert play.send("answer", {"words": "Warm"}).state == "confirm.presenting"


@pytest.mark.parametrize("host", ["OpenClaw", "", "emacs", "x" * 300, "generic\n"])
def test_an_unknown_host_starts_nothing(play: Player, sandbox: Sandbox, host: str) -> None:
    """A usage error that names the hosts there are; no session, no request."""
    with pytest.raises(UsageError, match="unknown host") as caught:
        play.start({"words": WORDS}, host=host)
    assert "generic, claude-code, openclaw" in caught.value.hint
    assert EXIT_CODES[caught.value.type] == 2
    assert (play.engine.sessions(), sandbox.requests) == ([], [])


@pytest.mark.parametrize("kind", ["missing", "empty", "file", "broken"])
def test_a_bundle_that_is_none_starts_nothing(play: Player, sandbox: Sandbox, tmp_path: Path, kind: str) -> None:
    """The folder is named with what is wrong; no session, no request."""
    folder = tmp_path / "nothing"
    if kind == "file":
        folder.write_text("format: 1\n")
    elif kind != "missing":
        folder.mkdir()
    if kind == "broken":
        (folder / "workflow.yaml").write_text("format: 1\nworkflow: [\n")
    play.bundle = str(folder)
    with pytest.raises(BundleError) as caught:
        play.start({"words": WORDS})
    assert "workflow.yaml" in f"{caught.value.message} {caught.value.hint}"
    assert str(folder) in caught.value.message or kind == "broken"
    assert EXIT_CODES[caught.value.type] == 2
    assert (play.engine.sessions(), sandbox.requests) == ([], [])


def test_a_bundle_that_is_gone_loses_nothing(copied: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    """Without its bundle the session cannot go on, and says so; with it, it goes on where it was."""
    play = player(tmp_path, copied, sandbox.url)
    play.start({"words": WORDS})
    copied.rename(tmp_path / "elsewhere")
    error = untouched(play, sandbox, lambda: play.send("answer", {"words": "Warm"}))
    assert isinstance(error, BundleError) and str(copied) in error.message
    (tmp_path / "elsewhere").rename(copied)
    assert play.send("answer", {"words": "Warm"}).state == "confirm.presenting"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ('[gates]\nuser_approved = "strong"\n', "gate 'user_approved' has the strength 'strong'"),
        ("[gates]\nuser_approved = 3\n", "gate 'user_approved' has the strength 3"),
        ('gates = "asked"\n', "'gates' must be a table"),
        ('[gate]\nuser_approved = "asked"\n', "unknown key 'gate'"),
        ("host = 3\n", "'host' must be text"),
        ("host = \n", "cannot be read"),
        ("settings = []\n", "'settings' must be a table"),
    ],
)
def test_settings_that_cannot_be_meant_stop_everything(tmp_path: Path, content: str, fault: str) -> None:
    """A setting that is misunderstood could open a gate wider than its user wants: a usage error, not a guess."""
    file = tmp_path / "config.toml"
    file.write_text(content)
    with pytest.raises(UsageError) as caught:
        read_settings({"PHASEGATE_CONFIG": str(file)})
    assert fault in caught.value.message and str(file) in caught.value.message
    assert EXIT_CODES[caught.value.type] == 2


def test_a_gate_that_the_bundle_does_not_have_is_said(tmp_path: Path, sandbox: Sandbox) -> None:
    """A misspelt gate raises nothing; its user is told so at the start, not left in the belief that it does."""
    play = player(tmp_path, ROOT, sandbox.url, gates={"user_aproved": "asked", "user_approved": "asked"})
    reply = play.start({"words": WORDS})
    assert reply.notices == ("The configuration raises 'user_aproved', which is not a gate of this bundle.",)
    refused = play.send("create_now", quote="just make it")
    assert refused.ok  # another gate, which stays as the bundle has it
    assert refused.notices == ()


class BrokenStore(MemoryStore):
    """A store whose disk is full from some write on."""

    full = False

    def append(self, held: Held, entries: Sequence[Entry], session: Session, status: str) -> None:
        """Write, or fail as the database does."""
        if self.full:
            raise StoreError("the store cannot be written: disk full", "Make room.")
        super().append(held, entries, session, status)


STATES = ["understand.consenting", "understand.asking", "confirm.presenting", "deliver.ready", "revise.changed"]


@pytest.mark.parametrize("state", STATES)
def test_a_store_that_cannot_be_written_sends_nothing(tmp_path: Path, sandbox: Sandbox, state: str) -> None:
    """What cannot be recorded is not done: no request, the session as it was; with room, the same turn goes through."""
    store = BrokenStore()
    play = player(tmp_path, ROOT, sandbox.url, store=store)
    begin(play, tmp_path)
    reach(play, "revise.applying" if state == "revise.changed" else state)
    while state == "revise.changed" and play.reply.state != state:
        answer(play, "check")
    store.full = True
    event = {"deliver.ready": "modify", "revise.changed": "finish"}.get(state) or ANSWERS[state]
    revision = play.reply.revision
    error = untouched(play, sandbox, lambda: answer(play, event))
    assert isinstance(error, StoreError) and "disk full" in error.message
    assert (error.type, EXIT_CODES[error.type]) == ("store", 1)
    store.full = False
    play.reply = play.engine.status(play.name)
    assert play.reply.revision == revision
    assert answer(play, event).ok


def _a_file(path: Path) -> None:
    path.write_text("I am no folder\n")


def _no_database(path: Path) -> None:
    path.mkdir()
    (path / "phasegate.db").write_text("I am a text, and longer than the header of a database would be.\n" * 40)


def _a_folder_inside(path: Path) -> None:
    (path / "phasegate.db").mkdir(parents=True)


def _a_link_inside(path: Path) -> None:
    path.mkdir()
    (path / "phasegate.db").symlink_to(path / "elsewhere.db")


@pytest.mark.parametrize("spoil", [_a_file, _no_database, _a_folder_inside, _a_link_inside])
def test_a_store_that_is_none_is_a_clear_error(
    tmp_path: Path,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
    spoil: Callable[[Path], None],
) -> None:
    """The place is named, what is there is left alone, exit code 1, one JSON reply, no request."""
    state = tmp_path / "state"
    spoil(state)
    before = {path: path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file()}
    with pytest.raises(StoreError) as caught:
        SqliteStore(state)
    assert str(state) in caught.value.message and caught.value.hint
    with pytest.raises(StoreError):
        open_engine(state=state, settings=settings_in(tmp_path), clock=HandClock())
    monkeypatch.setenv("PHASEGATE_STATE", str(state))
    monkeypatch.setenv("PHASEGATE_SANDBOX", sandbox.url)
    for arguments in (["sessions", "--json"], ["status", "amber-fox"], ["start"], ["advance", "amber-fox", "cancel"]):
        assert run(workflow, arguments, "workflow") == 1
        out, err = capsysbinary.readouterr()
        reply = json.loads(out)
        assert (reply["ok"], reply["error"]["type"]) == (False, "store")
        assert str(state) in reply["error"]["message"]
        assert b"Traceback" not in out + err
    assert {path: path.read_bytes() for path in before} == before
    assert sandbox.requests == []


def test_a_disk_that_is_full_is_a_clear_error(tmp_path: Path, sandbox: Sandbox) -> None:
    """A real process that may write no file beyond 32 KiB: exit code 1, one reply that names the store, no request."""
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    environ |= {"PHASEGATE_STATE": str(tmp_path / "state"), "PHASEGATE_SANDBOX": sandbox.url}
    ended = subprocess.run(
        [sys.executable, "-m", "workflow", "start", "--json", "--input", "-"],
        input=json.dumps({"input": {"words": WORDS}}).encode(),
        capture_output=True,
        env=environ,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (32_768, 32_768)),
    )
    reply = json.loads(ended.stdout)
    assert (ended.returncode, reply["error"]["type"]) == (1, "store")
    assert b"Traceback" not in ended.stderr
    assert sandbox.requests == []


@pytest.mark.parametrize("end", ["over.cancelled", "over.without", "over.stopped", "over.finished"])
def test_what_has_ended_takes_what_its_end_names(play: Player, sandbox: Sandbox, tmp_path: Path, end: str) -> None:
    """Every other event is refused, and no hint leads to a second order; turns without one change nothing."""
    if end == "over.without":
        sandbox.fault("task-failed", on="create")
    begin(play, tmp_path)
    if end != "over.cancelled":
        reach(play, "deliver.no_image" if end == "over.without" else "deliver.ready")
    play.send("finish" if end in ("over.without", "over.finished") else "cancel")
    assert (play.reply.state, play.reply.status in ENDED) == (end, True)
    kept = end in ("over.stopped", "over.finished")
    for event in ("approve", "adjust", "cancel", "retry", "finish", "found", "start", *(() if kept else ("modify",))):
        reply = untouched(play, sandbox, partial(play.send, event, {"words": CHANGE}, quote=CHANGE))
        assert reply.error.hint == f"Possible now: {'modify, ' if kept else ''}check."
        assert (reply.exit_code, reply.state) == (3, end)
    assert untouched(play, sandbox, lambda: play.send(None)).say == ()


@pytest.mark.parametrize("given", [{"words": 5}, {"words": None}, {"words": {"a": []}}, {}, {"words": "a", "more": 1}])
def test_a_guard_is_not_asked_about_input_of_another_shape(tmp_path: Path, given: dict[str, Any]) -> None:
    """It would have to check every type itself; the refusal names what does not fit, and no code failed."""
    folder = write(
        tmp_path / "guarded", "if", 'return PASSES if facts.input[str("wor") + "ds"].upper() else because("no")'
    )
    for file, old, new in (
        ("workflow.yaml", "start: {input: [words]}", "start: {input: [words], if: mine}"),
        ("phases/odd.py", "@guard()", '@guard(reads=["words"])'),
    ):
        text = (folder / file).read_text()
        assert old in text
        (folder / file).write_text(text.replace(old, new))
    play = player(tmp_path, folder, None)
    reply = play.start(given)
    assert reply.error is not None and "guard" not in reply.error.message
    assert play.engine.world.store.faults() == []
    assert play.start({"words": "a poster"}).state == "a.asking"
