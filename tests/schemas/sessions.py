"""Sessions and their logs, so that each form of what is printed about them is printed in all of its parts."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import apsw
import pytest

from tests.cli.test_upgrade import MAP, rename
from tests.guarded import CANNOT_TELL, write
from tests.on_leave import LEAVE
from tests.schemas.recorder import Recorder, Scene
from workflow.bundle import open_bundle
from workflow.compose import open_engine
from workflow.engine.view import View
from workflow.local.clock import SystemClock
from workflow.model.frozen import replace
from workflow.model.instant import Instant
from workflow.model.session import Turn
from workflow.service.sandbox.table import Answers
from workflow.store.sqlite import SqliteStore

ROOT = Path(__file__).parents[2]
IMAGE = b"\x89PNG\r\n\x1a\n a harbour"


def conversation(cli: Recorder, patch: pytest.MonkeyPatch) -> None:
    """A whole session, with a file, a refusal, a dry run, a repeat, a watch and a change."""
    (cli.folder / "ref.png").write_bytes(IMAGE)
    files = [{"path": "ref.png", "description": "A harbour at night"}]
    begun = cli.turn(
        "start", "--host", "openclaw", "--language", "de", input={"words": "A poster", "references": files}
    )
    name = begun["session"]
    agreed = {"evidence": {"quote": "Yes, you may upload it", "items": ["ref.png"]}, "seen": begun["seen"]}
    cli.turn("advance", name, "consent", "--dry-run", **agreed)
    reply = cli.turn("advance", name, "consent", **agreed)
    reply = cli.turn("advance", name, "answer", input={"words": "Blue and gold"}, seen=reply["seen"])
    cli("advance", name, "approve")
    cli("advance", name, "approve", "--dry-run")
    cli.turn("advance", name, "note", input={"words": "and a frame", "for": "modify"}, seen=reply["seen"])
    reply = cli("status", name).json
    said = {"evidence": {"quote": "Yes, go ahead", "translation": "Der Plan"}, "seen": reply["seen"]}
    cli.turn("advance", name, "approve", "--dry-run", **said)
    cli.turn("advance", name, "approve", **said)
    cli.turn("advance", name, "approve", **said)
    cli("resume", name)
    cli("advance", name, "check")
    cli("watch", name)
    cli("status", name)
    reply = cli("advance", name).json
    cli("resume", name)
    cli.turn("advance", name, "modify", input={"words": "Darker"}, evidence={"quote": "Darker"}, seen=reply["seen"])
    cli("watch", name, name)
    cli("watch", "--all")
    cli("audit", "prove", name)


def logs(cli: Recorder, patch: pytest.MonkeyPatch) -> None:
    """What a log is good for, whole, forgotten and edited; and two sessions in lists."""
    plan = cli.planned()
    cli("advance", plan["session"], "approve")
    paid = cli.approved(plan)
    name = str(paid["session"])
    cli.planned()
    for arguments in (("--limit", "1"), ("--live",), ("--search", "nothing of that kind")):
        cli("sessions", *arguments)
    cli.admin("approve")
    cli.admin("resolve")
    cli("audit", "log", name, "--json")
    cli("audit", "verify", name)
    cli("audit", "verify", "--store")
    cli("audit", "prove", name)
    cli("audit", "export", name)
    cli("audit", "export", name, "--to", "part", "--kind", "intent")
    cli("replay", name)
    cli("fork", name, "--at", "1")
    cli("backup", "copy.db")
    cli.admin("forget", name, "--yes")
    cli("audit", "log", name)
    cli("audit", "verify", name)
    cli("audit", "export", name, "--to", "gone")
    other = cli.planned()["session"]
    plan = cli.planned()
    cli.approved(plan)
    _edit(cli, "DELETE FROM definitions")
    cli("audit", "prove", plan["session"])
    cli("audit", "verify", plan["session"])
    _edit(cli, "UPDATE entries SET time = '2020-01-01T00:00:00.000Z' WHERE session = ? AND seq = 2", other)
    cli("audit", "export", other, "--to", "edited")
    cli("audit", "verify", other)
    cli.admin("forget", other, "--yes")
    for folder in (f"{name}-log", "part", "gone", "edited"):
        cli.wrote(f"{folder}/journal.jsonl")


def changed_bundle(cli: Recorder, patch: pytest.MonkeyPatch) -> None:
    """A session whose bundle changes under it."""
    bundle = cli.folder / "bundle"
    for part in ("phases", "prompts"):
        shutil.copytree(ROOT / part, bundle / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "workflow.yaml", bundle)
    name = cli.turn("start", "--bundle", str(bundle), input={"words": "A poster"})["session"]
    cli("upgrade-check")
    rename(bundle)
    cli("upgrade-check")
    cli("upgrade-check", "--map", MAP)
    cli("replay", name)
    cli("advance", name)
    cli.admin("approve")
    cli.admin("upgrade", name, "--map", MAP)
    (bundle / "workflow.yaml").write_text("format: [")
    cli("status", name)
    cli.admin("resolve")


def guards(cli: Recorder, patch: pytest.MonkeyPatch) -> None:
    """What a guard of the bundle lets pass, holds up and cannot tell, in replies and in dry runs."""
    bodies = {"passes": "return PASSES", "refuses": "return because('no')", "faults": CANNOT_TELL["misses a key"]}
    for place in ("if", "say", "then"):
        for name, body in bodies.items():
            bundle = write(cli.folder / f"{place}-{name}", place, body)
            sandbox = Answers(open_bundle(bundle).definition)
            sandbox.start()
            try:
                patch.setenv("PHASEGATE_SANDBOX", sandbox.url)
                reply = cli.turn("start", "--bundle", str(bundle), input={"words": "a poster"})
                said = {"evidence": {"quote": "Yes, go ahead"}, "seen": reply["seen"]}
                cli.turn("advance", reply["session"], "approve", "--dry-run", **said)
                cli.turn("advance", reply["session"], "approve", **said)
                cli("status", reply["session"])
            finally:
                sandbox.stop()
    cli.admin("log")


def without_key(cli: Recorder, patch: pytest.MonkeyPatch) -> None:
    """A session that nobody has a key for, a call with parameters, and a session of a caller of the broker."""
    patch.delenv("PHASEGATE_SANDBOX")
    name = cli.turn("start", input={"words": "A poster"})["session"]
    cli("advance", name, "retry", "--dry-run")
    patch.setenv("REFUNDS_KEY", "sk-of-a-test-0000000000000000")
    patch.setenv("PHASEGATE_SANDBOX", "http://127.0.0.1:9")
    refund = {"order": "1001", "email": "ada@example.org", "amount": 5, "reason": "broken"}
    name = cli.turn("start", "--bundle", str(ROOT / "examples/refund"), input=refund)["session"]
    cli("advance", name, "retry", "--dry-run")
    begun = {"bundle": str(ROOT), "language": "en", "host": "generic", "profile": "", "sandbox": "http://127.0.0.1:9"}
    open_engine().start(Turn("start", {"words": "A poster"}), **begun, owner="openclaw")
    cli("sessions")


def troubles(cli: Recorder, patch: pytest.MonkeyPatch) -> None:
    """A plan that holds what must not be said, and a paid call whose outcome is unknown."""
    cli.sandbox.fault("leak-id", on="prepare")
    cli.planned()
    plan = cli.planned()
    cli.sandbox.fault("drop-after", on="create")
    cli.approved(plan)
    cli.admin("resolve")
    cli.admin("resolve", plan["session"])
    cli.admin("forget", plan["session"], "--yes")


def restored(cli: Recorder, patch: pytest.MonkeyPatch) -> None:
    """Stores that were set back, which a person adopts: a call that did not happen, one that did, a damaged session."""
    plan, damaged = cli.planned(), cli.planned()["session"]
    cli("backup", "copy.db")
    cli.approved(plan)
    cli.admin("adopt")
    _set_back(cli)
    cli.admin("adopt")
    cli.admin("adopt", "--all", "did-not-happen")
    ledger = cli.folder / "state/ledger.jsonl"
    paid = ledger.read_bytes()
    _set_back(cli)
    _edit(cli, "UPDATE sessions SET snapshot = '{\"broken\"' WHERE name = ?", damaged)
    ledger.write_bytes(paid)
    cli.admin("adopt", "--all", "happened")
    ledger.write_bytes(b"not a ledger\n" + paid)
    cli.admin("adopt", "--yes")


def _set_back(cli: Recorder) -> None:
    state = cli.folder / "state"
    for each in state.glob("phasegate.db*"):
        each.unlink()
    shutil.copy(cli.folder / "copy.db", state / "phasegate.db")


def pruned(cli: Recorder, patch: pytest.MonkeyPatch) -> None:
    """Sessions that ended long ago: one that is erased, and one that is left because its log was edited."""
    edited, whole = cli.planned()["session"], cli.planned()["session"]
    for name in (edited, whole):
        cli("advance", name, "cancel")
    _edit(cli, "UPDATE entries SET time = '2020-01-01T00:00:00.000Z' WHERE session = ? AND seq = 2", edited)
    now = SystemClock.now
    patch.setattr(SystemClock, "now", lambda clock: replace(now(clock), wall=now(clock).wall + 91 * 86_400))
    cli.admin("prune", "--older-than", "90d")
    cli.admin("prune", "--older-than", "90d", "--dry-run")
    cli.admin("prune", "--older-than", "90d", "--yes")


def paused(cli: Recorder, patch: pytest.MonkeyPatch) -> None:
    """A session that is paused, and everything; both end, and a pause that nobody made does not."""
    known = View.sessions
    plan = cli.planned()
    cli.admin("pause", plan["session"], "--why", "asking first")
    cli.admin("pause", "--all", "--why", "the invoice is wrong")
    cli.admin("pause")
    cli.approved(plan)
    cli("status", plan["session"])
    cli("sessions")
    cli("doctor")
    with patch.context() as patched:  # as while a paid call is out
        patched.setattr(
            View, "sessions", lambda view, **wanted: [replace(each, status="working") for each in known(view)]
        )
        cli.admin("pause", "--all", "--why", "the invoice is wrong")
    cli.admin("unpause", "--all")
    cli.admin("unpause", plan["session"])
    cli.admin("unpause", plan["session"])
    cli.admin("unpause")


def unanswered(cli: Recorder, patch: pytest.MonkeyPatch) -> None:
    """Two sessions that nobody answers for a month: one is led on by time, the other is in doubt."""
    sandbox = Answers(open_bundle(LEAVE).definition)
    sandbox.start()
    try:
        patch.setenv("PHASEGATE_SANDBOX", sandbox.url)
        start = ("start", "--bundle", str(LEAVE))
        cli.turn(*start, input={"words": "a week in May"})
        reply = cli.turn(*start, input={"words": "a day in June"})
        sandbox.fault("server-error", on="POST /bookings")
        said = {"evidence": {"quote": "yes, that is fine"}, "seen": reply["seen"]}
        cli.turn("advance", reply["session"], "approve", **said)
        now, later = SystemClock.now, 31 * 86_400.0

        def in_a_month(clock: SystemClock) -> Instant:
            return replace(now(clock), wall=now(clock).wall + later, boot=now(clock).boot + later)

        patch.setattr(SystemClock, "now", in_a_month)
        for session in cli("sessions").json["sessions"]:
            cli("status", session["name"])
            cli("advance", session["name"])
            cli("audit", "log", session["name"])
    finally:
        sandbox.stop()


def _edit(cli: Recorder, sql: str, *values: str) -> None:
    """Somebody with a pen of their own changes the store."""
    with apsw.Connection(str(SqliteStore(cli.folder / "state").path)) as store:
        store.execute(sql, values)
    store.close()


SCENES: Sequence[Scene] = (
    conversation,
    logs,
    changed_bundle,
    guards,
    without_key,
    troubles,
    restored,
    pruned,
    paused,
    unanswered,
)
