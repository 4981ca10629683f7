"""What a database can do to the store: be away, full, changed, restored, promoted; and what is never shown of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.contract.journals import TIMES, append, begin, leaving, pay, replied, started
from tests.database import Server
from tests.playing import player
from tests.tampering import REFERENCE
from workflow.model.database_address import Address
from workflow.model.errors import JournalTampered, LedgerUnusable, SetBack, StoreError, UsageError
from workflow.model.ledger import Payment
from workflow.store.postgres import schema
from workflow.store.postgres.store import PostgresStore

SECRET = "s3cr~t"


@pytest.fixture
def store(database: str, tmp_path: Path) -> Iterator[PostgresStore]:
    """An empty store."""
    with closing(PostgresStore(database, tmp_path / "state")) as store:
        yield store


def change(database: str, *statements: str) -> None:
    """Meddle, as another program would."""
    with psycopg.connect(database, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql://ann:{SECRET}@127.0.0.1:1/shop",
        f"postgresql://ann:{SECRET.replace('3', '%33')}@127.0.0.1:1/shop",
        f"postgresql://ann@127.0.0.1:1/shop?password={SECRET}",
        f"postgresql://ann:{SECRET}@no.host.invalid/shop",
    ],
)
def test_a_database_that_is_away_is_tried_later(text: str, tmp_path: Path) -> None:
    """The error names the database and the next step, and never the password."""
    with pytest.raises(StoreError, match="cannot be reached") as caught:
        PostgresStore(text, tmp_path / "state", patience=2.0)
    assert "postgresql://ann@" in caught.value.message and "Try again later" in caught.value.hint
    assert SECRET not in f"{caught.value.message} {caught.value.hint} {Address(text)!r}"


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql://ann:{SECRET}@x@host/shop",
        f"postgresql://ann:{SECRET}/x@host/shop",
        f"postgresql://ann:{SECRET}%@host/shop",
        f"postgresql://ann:{SECRET} @host/shop",
        f"postgresql://ann:{SECRET}#@host/shop",
        f"mysql://ann:{SECRET}@host/shop",
        "postgresql://\n",
        f"host=x password={SECRET}",
    ],
)
def test_what_could_be_read_otherwise_is_no_address(text: str) -> None:
    """A character that would end the password early makes another part of it, which would be shown."""
    with pytest.raises(UsageError, match="not one of a PostgreSQL database") as caught:
        Address(text)
    assert SECRET not in f"{caught.value.message} {caught.value.hint}"


def test_a_database_without_a_store_says_how_one_is_made(postgres: Server, tmp_path: Path) -> None:
    """Nothing is made by whoever comes first: that takes a role of its own."""
    with pytest.raises(StoreError, match="holds no store yet") as caught:
        PostgresStore(postgres.address(postgres.create()), tmp_path)
    assert "workflow-admin store migrate" in caught.value.hint


def test_a_server_that_goes_away_leaves_nothing_half_done(store: PostgresStore, database: str) -> None:
    """A connection that is cut within an append: nothing of it is there, and the same append goes through after."""
    session = begin(store, "amber-fox")
    entry, after = replied(session)
    with store.hold("amber-fox") as held, psycopg.connect(database, autocommit=True) as blocker:
        blocker.execute("BEGIN; LOCK phasegate.links")
        blocker.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'phasegate'"
            " AND datname = current_database()"
        )
        blocker.execute("COMMIT")
        store.append(held, [entry], after, "waiting")
    assert store.load("amber-fox") == after and store.verify().links == 2


EDITS = {
    "a trigger": "CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
    "CREATE TRIGGER odd BEFORE INSERT ON phasegate.entries FOR EACH ROW EXECUTE FUNCTION public.f()",
    "a rule": "CREATE RULE odd AS ON INSERT TO phasegate.links DO ALSO NOTHING",
    "a column": "ALTER TABLE phasegate.entries ADD COLUMN odd text",
    "an index that is gone": "DROP INDEX phasegate.entries_turn",
    "a check that is off": "ALTER TABLE phasegate.entries DISABLE TRIGGER ALL",
    "a table": "CREATE TABLE phasegate.odd (x int)",
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_changed_schema_is_found(store: PostgresStore, database: str, edit: str, tmp_path: Path) -> None:
    """Before anything is believed: whoever opens it, verifies it or checks a session for a paid call."""
    session = begin(store, "amber-fox")
    change(database, edit)
    for look in (store.verify, lambda: store.check_session(session), lambda: PostgresStore(database, tmp_path / "x")):
        with pytest.raises(JournalTampered, match="was changed by another program"):
            look()
    assert "was changed by another program" in store.check()[0]


TAMPERED = {
    "a body": "UPDATE phasegate.entries SET body = replace(body, 'lion', 'tiger') WHERE kind = 'event'",
    "a snapshot": "UPDATE phasegate.sessions SET snapshot = replace(snapshot, 'lion', 'tiger')",
    "an entry that is gone": "DELETE FROM phasegate.entries WHERE seq = (SELECT max(seq) FROM phasegate.entries)",
    "a hash": "UPDATE phasegate.entries SET hash = digest WHERE seq = 1",
    "a status": "UPDATE phasegate.sessions SET status = 'done'",
    "an owner": "UPDATE phasegate.sessions SET owner = 'ann'",
    "a turn": "UPDATE phasegate.entries SET turn = 'another' WHERE seq = 1",
}


@pytest.mark.parametrize("edit", TAMPERED.values(), ids=TAMPERED)
def test_an_edited_session_is_found(store: PostgresStore, database: str, edit: str, tmp_path: Path) -> None:
    """What is stored of a session is compared with its journal, as of a conversation of the reference bundle."""
    play = player(tmp_path, REFERENCE, None, store=store)
    play.start({"words": "A picture of a lion"}, turn_id="first")
    session = store.load(play.name)
    assert session is not None
    store.check_session(session)
    change(database, edit)
    with pytest.raises(StoreError):
        store.check_session(session)


GONE = {
    "a session": "DELETE FROM phasegate.entries WHERE session = 'dry-owl'; DELETE FROM phasegate.sessions"
    " WHERE name = 'dry-owl'",
    "a link": "DELETE FROM phasegate.links WHERE number = 1",
    "the last link": "DELETE FROM phasegate.links WHERE number = 2",
    "the head": "UPDATE phasegate.head SET number = 1",
}


@pytest.mark.parametrize("edit", GONE.values(), ids=GONE)
def test_the_chain_of_the_store_finds_what_is_gone(store: PostgresStore, database: str, edit: str) -> None:
    """Whole sessions and links, and a head that writers did not leave."""
    begin(store, "amber-fox")
    begin(store, "dry-owl")
    change(database, edit)
    with pytest.raises(JournalTampered):
        store.verify()


PLACES = {
    "another cluster": ("1/{1}/{2}", "another database cluster"),
    "another database": ("{0}/1/{2}", "another database of this server"),
    "a promotion": ("{0}/{1}/00000000", r"promoted, or restored to an earlier time, since \(timeline 0 became 1\)"),
    "a copy": ("", "marked as a copy"),
}


@pytest.mark.parametrize(("place", "told"), PLACES.values(), ids=PLACES)
def test_a_store_of_another_place_pays_for_nothing(store: PostgresStore, database: str, place: str, told: str) -> None:
    """Restored, copied or promoted: reading and writing work, paid calls wait until a person has adopted it."""
    session = begin(store, "amber-fox")
    with psycopg.connect(database, autocommit=True) as connection:
        row = connection.execute("SELECT place FROM phasegate.identity").fetchone()
        assert row is not None
        connection.execute("UPDATE phasegate.identity SET place = %s", (place.format(*row[0].split("/")),))
    for look in (store.check_own, lambda: store.check_paying("amber-fox")):
        with pytest.raises(SetBack, match=told):
            look()
    entry, after = replied(session)
    append(store, [entry], after, "waiting")
    store.adopt(TIMES[1])
    store.check_paying("amber-fox")
    assert store.foreign() == ""


def test_a_restored_dump_is_foreign(store: PostgresStore, postgres: Server, database: str, tmp_path: Path) -> None:
    """The same rows in another database of the same server."""
    begin(store, "amber-fox")
    store.close()
    copy = postgres.create(database.partition("?")[0].rpartition("/")[2])
    with closing(PostgresStore(postgres.address(copy), tmp_path / "state")) as restored:
        assert restored.load("amber-fox") is not None
        with pytest.raises(SetBack, match="another database of this server"):
            restored.check_paying("amber-fox")


@pytest.mark.parametrize("setting", ["synchronous_commit"])
def test_a_server_that_can_lose_what_it_acknowledged_is_not_paid_from(
    postgres: Server, database: str, tmp_path: Path, setting: str
) -> None:
    """A role or a database may be set so; the error names the setting."""
    name = database.partition("?")[0].rpartition("/")[2]
    change(database, f"ALTER DATABASE {name} SET {setting} = off")
    with closing(PostgresStore(database, tmp_path / "state")) as store:
        begin(store, "amber-fox")
        with pytest.raises(LedgerUnusable, match=f"{setting} is off"):
            store.check_paying("amber-fox")
        assert f"{setting} is off" in store.check()[0]


def paid(store: PostgresStore, name: str) -> None:
    """A paid call of this host, as the engine makes it."""
    store.begin_ledger(TIMES[0])
    store.check_paying(name)
    session = pay(store, name)
    entry = next(each for each in store.entries(name, session.seq - 1))
    store.enter(Payment(store.identity(), "c" * 32, name, "create", entry.receipt, TIMES[1]))


def test_each_host_has_a_ledger(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that never paid has lost nothing; one whose ledger is gone pays for nothing until it is adopted there."""
    one, two = tmp_path / "one", tmp_path / "two"
    with closing(PostgresStore(database, one)) as here, closing(PostgresStore(database, two)) as there:
        paid(here, "amber-fox")
        there.check_paying("dry-owl")
        paid(there, "dry-owl")
        (one / "ledger.jsonl").unlink()
        with pytest.raises(SetBack, match="of this host was lost"):
            here.check_paying("amber-fox")
        there.check_paying("amber-fox")
        here.adopt(TIMES[2])
        here.check_paying("amber-fox")
        there.check_paying("amber-fox")
        paid(there, "red-elk")
        paid(here, "tall-ant")


def test_what_only_another_hosts_ledger_knows_stops_it_there(database: str, tmp_path: Path) -> None:
    """A promotion lost a paid call: the host that made it knows, also after another host has adopted the store."""
    one, two = tmp_path / "one", tmp_path / "two"
    with closing(PostgresStore(database, one)) as here, closing(PostgresStore(database, two)) as there:
        paid(here, "amber-fox")
        store_id = there.identity()
        begin(there, "dry-owl")
        there.begin_ledger(TIMES[0])
        there.enter(Payment(store_id, "d" * 32, "dry-owl", "create", "2:" + "0" * 24, TIMES[1]))  # its commit was lost
        with pytest.raises(SetBack, match="dry-owl was set back"):
            there.check_paying("dry-owl")
        here.adopt(TIMES[2])
        with pytest.raises(SetBack, match="dry-owl was set back"):
            there.check_paying("dry-owl")
        assert [each.session for each in there.unknown_payments()] == ["dry-owl"]
        there.adopt(TIMES[3])
        there.check_paying("dry-owl")
        here.check_paying("amber-fox")
        assert there.unknown_payments() == [] == here.unknown_payments()


def test_an_older_copy_of_an_adopted_store_is_known(database: str, tmp_path: Path) -> None:
    """The ledger of the host on which it was adopted says so."""
    with closing(PostgresStore(database, tmp_path / "state")) as store:
        paid(store, "amber-fox")
        before = store.identity()
        store.adopt(TIMES[2])
        change(database, f"UPDATE phasegate.identity SET id = '{before}'", "DELETE FROM phasegate.former")
        with pytest.raises(SetBack, match="older copy"):
            store.check_paying("amber-fox")
        assert "older copy" in store.ledger_fault()


def test_a_role_with_no_more_than_it_needs_takes_turns(postgres: Server, database: str, tmp_path: Path) -> None:
    """It owns nothing, and can delete no session, entry or link."""
    role = f"r{database.partition('?')[0].rpartition('/')[2]}"
    change(database, f"CREATE ROLE {role} LOGIN")
    assert role in schema.migrate(database, role)
    address = database.replace("postgres@", f"{role}@")
    with closing(PostgresStore(address, tmp_path / "state")) as store:
        paid(store, "amber-fox")
        store.adopt(TIMES[1])
        assert store.check() == [] and store.verify().sessions == 1
    for table in ("sessions", "entries", "links", "head", "identity", "former", "ledgers", "version"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            change(address, f"DELETE FROM phasegate.{table}")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        change(address, "UPDATE phasegate.links SET number = 7")
    with pytest.raises(UsageError, match="no role"):
        schema.migrate(database, "nobody-of-that-name")


def test_no_statement_leaves_the_schema_unnamed(postgres: Server, database: str, tmp_path: Path) -> None:
    """Tables of the same names that come first in the search path are not taken for ours."""
    name = database.partition("?")[0].rpartition("/")[2]
    change(
        database,
        "CREATE SCHEMA decoy",
        *(
            f"CREATE TABLE decoy.{table} (LIKE phasegate.{table})"
            for table in ("sessions", "entries", "links", "head", "holds", "identity", "uses", "pauses", "definitions")
        ),
        f"ALTER DATABASE {name} SET search_path = decoy, phasegate",
    )
    with closing(PostgresStore(database, tmp_path / "state")) as store:
        paid(store, "amber-fox")
        assert [each.name for each in store.sessions()] == ["amber-fox"] and store.verify().links == 2


def test_an_intent_that_a_session_begins_with_is_counted(store: PostgresStore) -> None:
    """Everything at once: entries, snapshot, link and use are in one commit or in none."""
    entry, session = started("amber-fox")
    intent, after = leaving(session)
    append(store, [entry, intent], after, "in_doubt")
    assert store.verify().links == 1
