"""The store as a system under AgMI's tests: each adapter asks another door, and all of them edit rows of the database.

``agmi-check --adapter tests.agmi.adapter:WithReceipt`` runs one from a shell.
"""

from __future__ import annotations

import atexit
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from agmi.adapters.base import MemoryAdapter, Record

from phases.anygen.sandbox import Sandbox
from tests.conduct import WORDS
from tests.playing import HandClock, Player, at_home, player, settings_in
from workflow.cli.agent.store_health import examine_store
from workflow.history import audit, proof
from workflow.model.errors import StoreError
from workflow.model.journal import seal
from workflow.store.sqlite import SqliteStore

REFERENCE = Path(__file__).parents[2]
COLUMNS = ("kind", "time", "digest", "hash", "turn", "body")


class StoreAdapter(MemoryAdapter):
    """A session with its plan shown, so that the next answer pays; it is padded with refused turns.

    ``entries`` is how many it has at least. A door is asked on a copy of the store, which it may change.
    """

    name = "phasegate"
    supports_replay = supports_metadata = supports_snapshot = True
    entries = 20
    clever = False
    """Whether the pen seals again what it changed, row by row, as someone who knows the format can."""
    meta = "time"
    """The column that counts as an entry's metadata."""
    keeps_receipts = False

    def ask(self, state: Path, session: str) -> bool:
        """Whether the door opens on the store in this folder; raises :class:`StoreError` for what it refuses."""
        raise NotImplementedError

    def setup(self) -> None:
        """A folder for the store."""
        self._folder = Path(tempfile.mkdtemp(prefix="agmi-"))
        self._state = self._folder / "state"

    def teardown(self) -> None:
        """The folder goes."""
        shutil.rmtree(self._folder)

    def seed(self, n: int) -> None:
        """A copy of a store that was played once."""
        seeded, self._session = played(max(n, self.entries))
        shutil.copytree(seeded, self._state)
        at_home(self._state)
        self._witness()

    def seed_other(self, n: int) -> None:
        """A second session in the same store."""
        with opened(self._state) as play:
            self._other = begun(play)

    def read_all_raw(self) -> list[Record]:
        """The rows of the session."""
        return self._rows(self._session)

    def read_other_raw(self) -> list[Record]:
        """The rows of the second session."""
        return self._rows(self._other)

    def write_raw(self, record: Record) -> None:
        """Put a row in its place, whatever is there."""
        fields = dict(record.fields)
        with self._pen() as pen:
            if self.clever and record.seq <= self._last(pen):
                fields |= self._sealed(pen, record.seq, fields)
            pen.execute(
                "UPDATE entries SET turn = NULL WHERE session = ? AND turn = ?", (self._session, fields["turn"])
            )
            values = [fields[column] for column in COLUMNS]
            pen.execute(
                "INSERT OR REPLACE INTO entries (session, seq, kind, time, digest, hash, turn, body)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (self._session, record.seq, *values),
            )

    def delete_raw(self, seq: int) -> None:
        """Delete a row."""
        with self._pen() as pen:
            pen.execute("DELETE FROM entries WHERE session = ? AND seq = ?", (self._session, seq))

    def mutate_payload(self, record: Record) -> Record:
        """Another word in the body."""
        body = json.loads(record.fields["body"])
        record.fields["body"] = json.dumps({**body, "tampered": True}, sort_keys=True, separators=(",", ":"))
        return record

    def forge_record(self, template: Record) -> Record:
        """A refusal that follows the last entry, sealed as a true one would be."""
        body = {"event": "approve", "reasons": ["forged"]}
        head = template.fields["hash"].hex()
        entry = seal(self._session, template.seq + 1, head, "refusal", template.fields["time"], body, "0" * 24)
        hashes = {"digest": bytes.fromhex(entry.digest), "hash": bytes.fromhex(entry.hash)}
        return Record(entry.seq, {**template.fields, **hashes, "kind": entry.kind, "turn": None, "body": entry.text})

    def replay_onto(self, victim_seq: int, donor: Record) -> None:
        """The donor's columns in the victim's place; a clever pen keeps the victim's hash."""
        kept = ("body", "digest") if self.clever else ("kind", "time", "digest", "hash", "body")
        with self._pen() as pen:
            for column in kept:
                values = (donor.fields[column], self._session, victim_seq)
                pen.execute(f"UPDATE entries SET {column} = ? WHERE session = ? AND seq = ?", values)

    def read_meta(self, seq: int) -> dict[str, Any]:
        """The one column, under its name."""
        with self._pen() as pen:
            query = f"SELECT {self.meta} FROM entries WHERE session = ? AND seq = ?"
            return {self.meta: pen.execute(query, (self._session, seq)).fetchone()[0]}

    def write_meta(self, seq: int, meta: dict[str, Any]) -> None:
        """Another time, or turn."""
        value = "2001-01-01T00:00:00.000Z" if self.meta == "time" else "id:tampered"
        with self._pen() as pen:
            query = f"UPDATE entries SET {self.meta} = ? WHERE session = ? AND seq = ?"
            pen.execute(query, (value, self._session, seq))

    def identity_of(self, record: Record) -> str:
        """Session and sequence."""
        return f"{record.fields['session']}:{record.seq}"

    def payload_of(self, record: Record) -> str:
        """The body."""
        return str(record.fields["body"])

    def owner_of(self, record: Record) -> str:
        """The session."""
        return str(record.fields["session"])

    def snapshot_store(self) -> Path:
        """A copy of the whole state folder."""
        copy = self._folder / "older"
        shutil.copytree(self._state, copy)
        return copy

    def restore_store(self, token: object) -> None:
        """The copy in its place."""
        shutil.rmtree(self._state)
        shutil.copytree(str(token), self._state)

    def append_genuine(self) -> None:
        """One refused turn more; whoever keeps receipts keeps its receipt."""
        with opened(self._state, self._session) as play:
            play.engine.world.clock.sleep(3600)  # a new hour has room for another refusal
            play.send("approve", revision=999)
        self._witness()

    def reload(self) -> None:
        """Each look opens the store anew."""

    def verify(self) -> bool:
        """Ask the door on a copy, so that it may pay."""
        self.verify_detail = None
        copy = Path(tempfile.mkdtemp(prefix="asked-", dir=self._folder)) / "state"
        shutil.copytree(self._state, copy)
        at_home(copy)
        try:
            return self.ask(copy, self._session)
        except StoreError as error:
            self.verify_detail = error.message
            return False
        finally:
            shutil.rmtree(copy.parent)

    def _witness(self) -> None:
        """The receipts that somebody keeps elsewhere."""
        if not self.keeps_receipts:
            return
        with opened(self._state) as play:
            self.receipt = audit.verify(play.engine, self._session).receipt
            self.store_receipt = audit.verify_store(play.engine).receipt

    def _rows(self, session: str) -> list[Record]:
        with self._pen() as pen:
            query = f"SELECT session, seq, {', '.join(COLUMNS)} FROM entries WHERE session = ? ORDER BY seq"
            found = pen.execute(query, (session,)).fetchall()
        return [Record(row[1], dict(zip(("session", "seq", *COLUMNS), row, strict=True))) for row in found]

    def _last(self, pen: sqlite3.Connection) -> int:
        return int(pen.execute("SELECT max(seq) FROM entries WHERE session = ?", (self._session,)).fetchone()[0])

    def _sealed(self, pen: sqlite3.Connection, seq: int, fields: dict[str, Any]) -> dict[str, Any]:
        """Digest and hash as an entry with this content would have them in this place."""
        query = "SELECT hash FROM entries WHERE session = ? AND seq = ?"
        before = pen.execute(query, (self._session, seq - 1)).fetchone()
        body = json.loads(fields["body"])
        nonce = body.pop("nonce")
        previous = before[0].hex() if before else "0" * 64
        entry = seal(self._session, seq, previous, fields["kind"], fields["time"], body, nonce)
        return {"digest": bytes.fromhex(entry.digest), "hash": bytes.fromhex(entry.hash), "body": entry.text}

    @contextmanager
    def _pen(self) -> Iterator[sqlite3.Connection]:
        pen = sqlite3.connect(self._state / "phasegate.db")
        try:
            with pen:
                yield pen
        finally:
            pen.close()


class Status(StoreAdapter):
    """``workflow status``."""

    def ask(self, state: Path, session: str) -> bool:
        """The session as it stands."""
        with opened(state) as play:
            return play.engine.status(session).ok


class PlainTurn(StoreAdapter):
    """A turn that neither pays nor sends."""

    def ask(self, state: Path, session: str) -> bool:
        """The plan is adjusted, which asks again."""
        with opened(state, session) as play:
            return play.send("adjust", {"words": "Larger letters"}).ok


class PayingTurn(StoreAdapter):
    """A turn that pays."""

    def ask(self, state: Path, session: str) -> bool:
        """The approval, and one paid request for it; none where it is refused."""
        before = len(_creates())
        try:
            with opened(state, session) as play:
                paid = play.send("approve", quote="yes, go ahead").state == "deliver.generating"
        except StoreError:
            assert len(_creates()) == before
            raise
        assert len(_creates()) == before + paid
        return paid


class Doctor(StoreAdapter):
    """``workflow doctor``."""

    def ask(self, state: Path, session: str) -> bool:
        """Its line about the store."""
        check = examine_store(settings_in(state.parent))
        self.verify_detail = check.what
        return check.state == "ok"


class Backup(StoreAdapter):
    """``workflow backup``."""

    def ask(self, state: Path, session: str) -> bool:
        """A copy that is verified."""
        with opened(state) as play:
            return play.engine.world.store.backup(str(state.parent / "copy.db")).sessions > 0


class Verify(StoreAdapter):
    """``workflow audit verify SESSION``."""

    def ask(self, state: Path, session: str) -> bool:
        """The log of the session."""
        with opened(state) as play:
            return audit.verify(play.engine, session).entries > 0


class VerifyStore(StoreAdapter):
    """``workflow audit verify --store``."""

    def ask(self, state: Path, session: str) -> bool:
        """The whole store."""
        with opened(state) as play:
            return audit.verify_store(play.engine).sessions > 0


class Prove(StoreAdapter):
    """``workflow audit prove SESSION``."""

    def ask(self, state: Path, session: str) -> bool:
        """The proof, of which the log is a part."""
        with opened(state) as play:
            return proof.prove(play.engine, session).holds


class FirstTouch(StoreAdapter):
    """What ``serve``, ``mcp`` and ``watch`` do when they first load a session."""

    def ask(self, state: Path, session: str) -> bool:
        """The session as it stands, to a process that lives long."""
        with opened(state, verifies=True) as play:
            return play.engine.status(session).ok


class WithReceipt(StoreAdapter):
    """``workflow audit verify SESSION --expect-head RECEIPT``."""

    keeps_receipts = True

    def ask(self, state: Path, session: str) -> bool:
        """The log must still hold the newest head that was given out."""
        with opened(state) as play:
            return audit.verify(play.engine, session, self.receipt).entries > 0


class StoreWithReceipt(StoreAdapter):
    """``workflow audit verify --store --expect-head RECEIPT``."""

    keeps_receipts = True

    def ask(self, state: Path, session: str) -> bool:
        """The store must still hold the newest head that was printed."""
        with opened(state) as play:
            return audit.verify_store(play.engine, self.store_receipt).sessions > 0


@contextmanager
def opened(state: Path, session: str = "", *, verifies: bool = False) -> Iterator[Player]:
    """An engine of its own on the store in this folder, as a fresh process has it."""
    store = SqliteStore(state, verifies=verifies)
    try:
        play = player(state.parent, REFERENCE, _sandbox().url, store=store, clock=HandClock())
        play.name = session
        if session:
            play.reply = play.engine.status(session)
        yield play
    finally:
        store.close()


def begun(play: Player) -> str:
    """A session whose plan was shown."""
    play.start({"words": WORDS})
    play.send("answer", {"words": "Warm colours"})
    assert play.reply.state == "confirm.presenting"
    return play.name


@cache
def played(entries: int) -> tuple[Path, str]:
    """The state folder of a store with one session of so many entries at least, and its name."""
    folder = Path(tempfile.mkdtemp(prefix="seeded-"))
    atexit.register(shutil.rmtree, folder, True)
    with opened(folder / "state") as play:
        name = begun(play)
        play.send("approve", revision=999)
        refusal = dict(play.journal("refusal")[-1].body or {})
        del refusal["nonce"]
        with play.engine.world.store.hold(name) as held:
            run = play.engine.load(name, held)
            while run.session.seq < entries:  # all in one commit, or five thousand turns would take a minute
                run.note("refusal", refusal)
            run.commit()
    return folder / "state", name


@cache
def _sandbox() -> Sandbox:
    """One service for all stores: sessions keep its address."""
    sandbox = Sandbox(rounds=1)
    sandbox.__enter__()
    atexit.register(sandbox.__exit__, None, None, None)
    return sandbox


def _creates() -> list[Any]:
    return [each for each in _sandbox().requests if (each.method, each.path) == ("POST", "/v1/openapi/tasks")]
