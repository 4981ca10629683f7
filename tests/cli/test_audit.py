"""``workflow audit``: the log as a story and as data, and whether it can be believed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest

from phases.anygen.sandbox import SANDBOX_KEY, Sandbox
from tests.cli.conftest import Commands, Ended
from workflow.model.journal import Entry
from workflow.model.journal import verify as verify_chain
from workflow.store.sqlite import SqliteStore

REFERENCE = Path(__file__).parents[2]


@pytest.fixture
def played(cli: Commands, sandbox: Sandbox) -> dict[str, Any]:
    """The last reply of a session with a refusal, an approval and a paid call in its log."""
    plan = cli.planned()
    assert cli("advance", plan["session"], "approve").code == 3
    return cli.approved(plan)


@pytest.fixture
def change(cli: Commands) -> Callable[[str, str], None]:
    """Somebody with a pen of their own changes the store; ``:name`` is the session."""

    def write(sql: str, name: str) -> None:
        connection = apsw.Connection(str(SqliteStore(cli.folder / "state").path))
        connection.execute(sql, {"name": name})
        connection.close()

    return write


def test_log_is_one_entry_a_line_as_stored(cli: Commands, played: dict[str, Any]) -> None:
    """A verifier that has nothing but the lines finds the whole chain, up to the receipt of the last reply."""
    lines = cli("audit", "log", played["session"], "--json").out.splitlines()
    entries = [Entry(**json.loads(line)) for line in lines]
    assert list(verify_chain(entries, played["receipt"])) == entries
    assert [entry.kind for entry in entries][:2] == ["started", "event"]
    assert {"refusal", "intent", "result", "reply"} <= {entry.kind for entry in entries}


def test_log_tells_a_story_on_a_terminal(cli: Commands, played: dict[str, Any], terminal: None) -> None:
    """In order: what happened, why it was refused or allowed, and on whose words."""
    out = joined(cli("audit", "log", played["session"]).out)
    told = [
        "'approve' was refused",
        "because: `seen` is required",
        "'approve' was accepted: confirm.presenting → create.creating (revision 2)",
        "evidence: user_approved (relayed, cli, for http://127.0.0.1:",
        "“yes, go ahead”",
        "about to call 'create', which is done at most once",
        "'create' succeeded",
        "to be said: started_unwatched (en)",
        f"Head: {played['receipt']}",
    ]
    places = [out.find(each) for each in told]
    assert -1 not in places and places == sorted(places)


def test_log_tells_the_same_story_in_a_pipe(cli: Commands, played: dict[str, Any]) -> None:
    """For `less` and `grep`, without colours."""
    ended = cli("audit", "log", played["session"])
    assert ended.code == 0 and "'create' succeeded" in ended.out and not ended.out.startswith("{")
    assert "\x1b" not in ended.out


@pytest.mark.rule("R11")
def test_log_never_holds_the_key(cli: Commands, played: dict[str, Any]) -> None:
    """Nor its beginning."""
    out = cli("audit", "log", played["session"], "--json").out
    assert played["session"] in out and SANDBOX_KEY[:10] not in out


def test_foreign_text_cannot_command_the_terminal(cli: Commands, sandbox: Sandbox, terminal: None) -> None:
    """Escapes and line breaks in what a person wrote are written out, in the log too."""
    file = cli.folder / "turn.json"
    file.write_text(json.dumps({"input": {"words": "A poster\n99 \x1b[2J\u202e fake"}}), encoding="utf-8")
    cli("start", "--input-file", str(file))
    out = cli("audit", "log", _latest(cli)).out
    assert "\x1b" not in out and "\u202e" not in out
    assert "“A poster\\u{a}99 \\u{1b}[2J\\u{202e} fake”" in joined(out)


def _latest(cli: Commands) -> str:
    ended = cli("sessions", "--json")
    return str(ended.json["sessions"][0]["name"])


def test_verify_says_what_is_claimed_and_what_is_not(cli: Commands, played: dict[str, Any]) -> None:
    """A log that holds: its receipt, its length, and a sentence that claims no more than was checked."""
    ended = cli("audit", "verify", played["session"], "--json")
    reply = ended.json
    claim = reply.pop("claim")
    assert ended.code == 0
    assert reply == {
        "v": 1,
        "ok": True,
        "session": played["session"],
        "entries": int(played["receipt"].partition(":")[0]),
        "receipt": played["receipt"],
        "erased": 0,
        "forgotten": None,
        "unchecked": [],
        "sandbox": True,
    }
    assert "exactly what they add up to" in claim and "only a receipt kept elsewhere can show" in claim
    assert len(re.findall(r"\.(?:\s|$)", claim)) == 1


def test_verify_holds_against_an_earlier_receipt(cli: Commands, sandbox: Sandbox) -> None:
    """A receipt that was quoted earlier is still in the log."""
    plan = cli.planned()
    cli.approved(plan)
    ended = cli("audit", "verify", plan["session"], "--expect-head", plan["receipt"], "--json")
    assert ended.code == 0 and plan["receipt"] in ended.json["claim"]


def test_verify_refuses_a_receipt_that_is_not_in_the_log(cli: Commands, played: dict[str, Any]) -> None:
    """A head that the log does not hold means that it was cut or rewritten."""
    ended = cli("audit", "verify", played["session"], "--expect-head", "3:" + "a" * 24, "--json")
    assert (ended.code, ended.error["type"]) == (1, "store")
    assert "cut or rewritten" in ended.error["message"]


@pytest.mark.parametrize("receipt", ["", "x", "3:abc", "0:" + "a" * 24, "3:" + "A" * 24, "3:" + "a" * 64])
def test_what_is_no_receipt_is_a_usage_error(cli: Commands, played: dict[str, Any], receipt: str) -> None:
    """A mistyped receipt never looks like a broken log."""
    ended = cli("audit", "verify", played["session"], "--expect-head", receipt, "--json")
    assert (ended.code, ended.error["type"]) == (2, "usage")
    assert "not a receipt" in ended.error["message"]


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("UPDATE entries SET body = replace(body, 'jazz', 'rock') WHERE session = :name AND seq = 2", "entry 2"),
        ("UPDATE entries SET time = '2020-01-01T00:00:00.000Z' WHERE session = :name AND seq = 4", "entry 4"),
        ("DELETE FROM entries WHERE session = :name AND seq = 3", "entry 3"),
        ("DELETE FROM entries WHERE session = :name AND seq >= 3", "ends with entry 2"),
        ("DELETE FROM entries WHERE session = :name", "ends with entry 0"),
        ("UPDATE sessions SET snapshot = replace(snapshot, 'jazz', 'rock') WHERE name = :name", "the stored session"),
        ("UPDATE sessions SET snapshot = NULL WHERE name = :name", "cannot be read"),
    ],
)
def test_verify_finds_what_was_tampered_with(
    cli: Commands, played: dict[str, Any], change: Callable[[str, str], None], sql: str, what: str
) -> None:
    """An edit of any kind is found, and the place is named; exit code 1."""
    change(sql, played["session"])
    ended = cli("audit", "verify", played["session"], "--json")
    assert (ended.code, ended.error["type"]) == (1, "store")
    assert what in ended.error["message"]


def test_verify_finds_entries_that_the_session_does_not_know(
    cli: Commands, sandbox: Sandbox, change: Callable[[str, str], None]
) -> None:
    """A snapshot that was set back to an earlier one does not hide what came after it."""
    plan = cli.planned()
    beside = f"ATTACH '{cli.folder / 'kept.db'}' AS beside; "
    change(f"{beside}CREATE TABLE beside.kept AS SELECT snapshot FROM sessions WHERE name = :name", plan["session"])
    cli.approved(plan)
    change(f"{beside}UPDATE sessions SET snapshot = (SELECT snapshot FROM kept) WHERE name = :name", plan["session"])
    ended = cli("audit", "verify", plan["session"], "--json")
    seq = int(plan["receipt"].partition(":")[0]) + 1
    assert ended.code == 1 and f"entry {seq} is in the journal of" in ended.error["message"]


def test_verify_is_not_blind_behind_content_that_is_gone(
    cli: Commands, played: dict[str, Any], change: Callable[[str, str], None]
) -> None:
    """A body that is taken out switches nothing off: neither its own check, nor that of the saved session."""
    change("UPDATE entries SET body = NULL WHERE session = :name AND seq = 2", played["session"])
    change("UPDATE sessions SET snapshot = replace(snapshot, 'jazz', 'rock') WHERE name = :name", played["session"])
    ended = cli("audit", "verify", played["session"], "--json")
    assert ended.code == 1 and "the stored session" in ended.error["message"]
    change("UPDATE sessions SET snapshot = replace(snapshot, 'rock', 'jazz') WHERE name = :name", played["session"])
    ended = cli("audit", "verify", played["session"], "--json")
    assert ended.code == 1 and "what its journal adds up to" in ended.error["message"]


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("UPDATE sessions SET status = 'done' WHERE name = :name", "lists the session's status as 'done'"),
        ("UPDATE sessions SET state = 'over.finished' WHERE name = :name", "state as 'over.finished'"),
        ("UPDATE sessions SET workflow = 'w' WHERE name = :name", "workflow as 'w'"),
        ("UPDATE sessions SET revision = revision + 1 WHERE name = :name", "revision as 3"),
        ("UPDATE sessions SET seq = seq - 1 WHERE name = :name", "sequence as"),
        ("UPDATE sessions SET head = hex(hash) FROM entries WHERE session = name AND name = :name", "head as"),
        ("UPDATE sessions SET created = '2020' WHERE name = :name", "beginning as '2020'"),
        ("UPDATE sessions SET updated = '2020' WHERE name = :name", "last change as '2020'"),
        ("UPDATE entries SET turn = NULL WHERE session = :name AND turn IS NOT NULL", "a turn that is not its own"),
        ("UPDATE entries SET turn = 'id:7' WHERE session = :name AND seq = 4", "entry 4 is kept under a turn"),
        ("""UPDATE entries SET body = replace(body, '"nonce":', '"nonce":NaN,"o":') WHERE seq = 2""", "entry 2"),
        (r"""UPDATE entries SET body = replace(body, 'jazz', '\ud800') WHERE seq = 2""", "entry 2"),
        ("""UPDATE entries SET body = replace(body, '"nonce":', '"nonce":"",  "nonce":') WHERE seq = 2""", "entry 2"),
        ("UPDATE sessions SET snapshot = replace(snapshot, '\"revision\":2', '\"revision\":2.0')", "add"),
    ],
)
def test_verify_compares_every_copy(
    cli: Commands, played: dict[str, Any], change: Callable[[str, str], None], sql: str, what: str
) -> None:
    """What a session is listed and found by is derived from its journal too; and JSON that is none is no fault."""
    change(sql, played["session"])
    ended = cli("audit", "verify", played["session"], "--json")
    assert (ended.code, ended.error["type"]) == (1, "store")
    assert what in ended.error["message"]


def test_verify_says_what_it_could_not_compare(
    cli: Commands, played: dict[str, Any], change: Callable[[str, str], None]
) -> None:
    """Without the definition nobody can tell the status of a session; that is said, and nothing is claimed of it."""
    change("DELETE FROM definitions", played["session"])
    reply = cli("audit", "verify", played["session"], "--json").json
    assert reply["unchecked"] == ["status"] and "except its status" in reply["claim"]


def test_audit_needs_no_bundle(cli: Commands, played: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The log of a session can be read and checked when its bundle is gone."""
    monkeypatch.setattr("workflow.compose.packaged", lambda: cli.folder / "gone")
    assert cli("audit", "log", played["session"], "--json").code == 0
    assert cli("audit", "verify", played["session"], "--json").code == 0


@pytest.mark.parametrize("command", ["log", "verify", "prove", "export"])
@pytest.mark.parametrize("name", ["amber-fox", "../../etc", "", "\udcff"])
def test_an_unknown_session_is_not_found(cli: Commands, command: str, name: str) -> None:
    """Exit code 5, with the way to those that exist."""
    ended = cli("audit", command, name, "--json")
    assert (ended.code, ended.error["type"]) == (5, "not_found")
    assert "workflow sessions" in ended.error["hint"]


def test_a_story_survives_entries_of_no_form(
    cli: Commands, played: dict[str, Any], change: Callable[[str, str], None], terminal: None
) -> None:
    """What cannot be told is said to be so, the rest is told, and the exit code says that the log does not hold."""
    change("UPDATE entries SET body = '{}' WHERE session = :name AND seq = 2", played["session"])
    change("UPDATE entries SET body = NULL WHERE session = :name AND seq = 3", played["session"])
    ended = cli("audit", "log", played["session"])
    assert ended.code == 1 and "does not hold" in ended.err
    assert "no entry of the form of 'event'" in " ".join(ended.out.split())
    assert "its content was erased" in ended.out and "'create' succeeded" in ended.out


def joined(out: str) -> str:
    """What was folded, without its margins."""
    return " ".join(out.replace("│ ", "").split())


def kinds(ended: Ended) -> list[str]:
    """The kinds of the entries in a log."""
    return [json.loads(line)["kind"] for line in ended.out.splitlines()]


def test_a_log_can_be_narrowed(cli: Commands, played: dict[str, Any]) -> None:
    """By kind, by event, by time; several of one sort are alternatives."""
    name = played["session"]
    assert kinds(cli("audit", "log", name, "--kind", "intent", "--json")) == ["intent"]
    assert kinds(cli("audit", "log", name, "--kind", "refusal", "--kind", "intent", "--json")) == ["refusal", "intent"]
    assert kinds(cli("audit", "log", name, "--event", "approve", "--json")) == ["refusal", "event"]
    assert kinds(cli("audit", "log", name, "--event", "approve", "--kind", "event", "--json")) == ["event"]
    everything = kinds(cli("audit", "log", name, "--json"))
    assert kinds(cli("audit", "log", name, "--since", "1h", "--json")) == everything
    assert kinds(cli("audit", "log", name, "--since", "2020-01-01", "--json")) == everything
    assert kinds(cli("audit", "log", name, "--since", "2999-01-31T09:30+02:00", "--json")) == []


@pytest.mark.parametrize("since", ["x", "7", "7y", "2026-13-01", "9999999d", "-1d", "0001-01-01T00:00+14:00", "é"])
def test_what_is_no_time_is_a_usage_error(cli: Commands, since: str) -> None:
    """With the ways to write one."""
    ended = cli("audit", "log", "--since", since, "--json")
    assert (ended.code, ended.error["type"]) == (2, "usage")
    assert "7d" in ended.error["hint"]


def test_the_log_of_all_sessions(cli: Commands, sandbox: Sandbox, terminal: None) -> None:
    """The latest entries of all, in the order of their times, each with its session's name."""
    names = [cli.begun(), cli.begun()]
    lines = [json.loads(line) for line in cli("audit", "log", "--json").out.splitlines()]
    assert [(each["time"], each["session"], each["seq"]) for each in lines] == sorted(
        (each["time"], each["session"], each["seq"]) for each in lines
    )
    assert {each["session"] for each in lines} == set(names)
    last = [json.loads(line) for line in cli("audit", "log", "--json", "--limit", "2").out.splitlines()]
    assert last == lines[-2:]
    told = " ".join(cli("audit", "log", "--kind", "started").out.split())
    assert all(f"{name}: a session of anygen-image began" in told for name in names)


def test_a_proof_is_told_with_its_grounds(cli: Commands, played: dict[str, Any], terminal: None) -> None:
    """Each call with the answer that carried it; exit code 0."""
    ended = cli("audit", "prove", played["session"], "--expect-head", played["receipt"])
    out = " ".join(ended.out.split())
    assert ended.code == 0 and "sandbox" in ended.out.split("\n")[0]
    assert "'create' was called in the sandbox" in out and "user_approved (relayed, cli, for http://127.0.0.1:" in out
    assert "│ yes, go ahead given 2" in out and " UTC, counts until 2" in out
    assert "to the question: │ " in out
    assert "messages were clean" in out and f"is proved up to {played['receipt']}" in out


def test_a_proof_that_fails_names_the_entry(
    cli: Commands, played: dict[str, Any], change: Callable[[str, str], None]
) -> None:
    """One reply with the claim that does not hold; exit code 1."""
    change("DELETE FROM definitions", played["session"])
    ended = cli("audit", "prove", played["session"], "--json")
    assert (ended.code, ended.error["type"]) == (1, "store")
    assert "what the bundle" in ended.error["message"] and "is not in the store" in ended.error["message"]
    assert any(not claim["holds"] for claim in ended.json["claims"])


def test_what_is_forgotten_is_told_as_erased(cli: Commands, played: dict[str, Any], terminal: None) -> None:
    """The log still says that something was there and when; verify and prove say what they can."""
    name = played["session"]
    assert cli.admin("forget", name, "--yes").code == 0
    out = joined(cli("audit", "log", name).out)
    assert "its content was erased" in out and "entries before held was erased; the session counts as cancelled" in out
    found = cli("audit", "verify", name, "--expect-head", played["receipt"], "--json").json
    assert found["erased"] == found["entries"] - 1 and "was erased" in found["claim"]
    assert cli("audit", "prove", name, "--json").code == 5
    assert cli("graph", "--session", name, "--json").code == 5


def test_a_store_is_verified_as_a_whole(cli: Commands, played: dict[str, Any]) -> None:
    """Its receipt is printed, and holds when a session is forgotten; when one is deleted it does not."""
    reply = cli("audit", "verify", "--store", "--json").json
    assert (reply["ok"], reply["sessions"]) == (True, 1) and "a receipt kept elsewhere" in reply["claim"]
    other = cli.planned()
    assert cli("audit", "verify", "--store", "--expect-head", reply["receipt"], "--json").code == 0
    assert cli.admin("forget", other["session"], "--yes", "--json").code == 0
    later = cli("audit", "verify", "--store", "--expect-head", reply["receipt"], "--json").json
    assert later["sessions"] == 2 and later["links"] > reply["links"]
    gone = cli("audit", "verify", "--store", "--expect-head", f"{later['links']}:{'0' * 24}", "--json")
    assert gone.code == 1 and "does not hold the head" in gone.error["message"]


def test_a_deleted_session_is_missed_by_every_command_that_looks_at_the_store(
    cli: Commands, played: dict[str, Any], change: Callable[[str, str], None]
) -> None:
    """`doctor` no longer says that all is well, and nothing is backed up."""
    cli.planned()
    change("DELETE FROM entries WHERE session = :name; DELETE FROM sessions WHERE name = :name", played["session"])
    checks = {each["name"]: each for each in cli("doctor", "--json").json["checks"]}
    assert checks["store"]["state"] == "bad" and checks["store"]["hint"]
    for command in (("backup", "copy.db"), ("audit", "verify", "--store")):
        ended = cli(*command)
        assert ended.code == 1 and played["session"] in ended.why, ended


@pytest.mark.parametrize("arguments", [["amber-fox", "--store"], ["--store", "--expect-head", "x"]])
def test_what_is_to_be_verified_is_one_thing(cli: Commands, arguments: list[str]) -> None:
    """A session or the store, with a receipt that is one."""
    ended = cli("audit", "verify", *arguments, "--json")
    assert ended.code == 2 and ended.error["hint"]


def test_a_proof_can_ask_an_independent_checkout(cli: Commands, played: dict[str, Any]) -> None:
    """It is judged by the bundle that is given; another one has nothing to say about it."""
    name = played["session"]
    assert cli("audit", "prove", name, "--bundle", str(REFERENCE), "--json").code == 0
    ended = cli("audit", "prove", name, "--bundle", str(REFERENCE / "examples" / "release"), "--json")
    assert ended.code == 1 and "not among the bundles that were given" in ended.out
