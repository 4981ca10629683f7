"""Leases in PostgreSQL: holders that stop, die, or lose their row, and who takes over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.contract.journals import answered, begin, leaving, started
from workflow.model.errors import HoldLost, SessionBusy
from workflow.model.ports import CALL, LONGEST_CALL, Holder
from workflow.store.postgres.store import PostgresStore

ROOT = Path(__file__).parents[2]

HOLDER = """
import sys
from pathlib import Path
from tests.contract.journals import answered, append, begin
from workflow.model.errors import HoldLost
from workflow.store.postgres.store import PostgresStore

store = PostgresStore(sys.argv[1], Path(sys.argv[2]), lease=float(sys.argv[3]))
session = begin(store, "amber-fox")
entry, after = answered(session)
with store.hold("amber-fox", part=sys.argv[4]) as held:
    print("held", flush=True)
    sys.stdin.readline()
    try:
        store.append(held, [entry], after, "waiting")
        print("written", flush=True)
    except HoldLost as error:
        print(error.message, flush=True)
store.close()
"""


@contextmanager
def holder(database: str, folder: Path, lease: float, part: str = "") -> Iterator[subprocess.Popen[str]]:
    """Another process, which holds the session and appends when it gets a line."""
    arguments = [sys.executable, "-c", HOLDER, database, str(folder), str(lease), part]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()


def append_now(process: subprocess.Popen[str]) -> str:
    """Let the other process append; what it says of it."""
    assert process.stdin is not None and process.stdout is not None
    print(file=process.stdin, flush=True)
    return process.stdout.readline().strip()


def stop(process: subprocess.Popen[str]) -> None:
    """SIGSTOP, and wait until it has stopped."""
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)


@pytest.fixture
def store(database: str, tmp_path: Path) -> Iterator[PostgresStore]:
    """The store of whoever takes over."""
    with closing(PostgresStore(database, tmp_path / "mine", lease=1.0)) as store:
        yield store


def test_a_stopped_holder_loses_its_lease(database: str, store: PostgresStore, tmp_path: Path) -> None:
    """It is named while its lease lasts; then another takes over, and the append of the one that wakes is refused."""
    with holder(database, tmp_path / "other", 1.0) as process:
        stop(process)
        found = store.held_by("amber-fox")
        assert found == Holder(process.pid, "python", found.since if found else "", stopped=True)
        with store.hold("amber-fox", wait=60) as held:
            session = store.load("amber-fox")
            assert session is not None
            process.send_signal(signal.SIGCONT)
            assert append_now(process) == "this turn does not hold session amber-fox any more, so it can write nothing"
            entry, after = answered(session, turn="mine")
            store.append(held, [entry], after, "waiting")
    assert store.load("amber-fox") == after and store.verify().links == 2


def test_a_stopped_holder_that_nobody_followed_goes_on(database: str, store: PostgresStore, tmp_path: Path) -> None:
    """A lease that ran out and that nobody took is still its holder's: nothing was written in between."""
    with holder(database, tmp_path / "other", 600.0) as process, psycopg.connect(database) as connection:
        connection.execute("UPDATE phasegate.holds SET until = clock_timestamp() - interval '1 hour'")
        connection.commit()
        assert append_now(process) == "written"


@pytest.mark.parametrize("part", ["", CALL])
def test_a_dead_holder_of_this_machine_holds_nothing(
    database: str, store: PostgresStore, tmp_path: Path, part: str
) -> None:
    """kill -9 frees what it held immediately, long before its lease ends."""
    with holder(database, tmp_path / "other", 600.0, part) as process:
        with pytest.raises(SessionBusy, match=rf"process {process.pid} \(python\)"):
            store.hold("amber-fox", part=part).__enter__()
        process.kill()
        process.wait()
        assert store.held_by("amber-fox", part) is None
        with store.hold("amber-fox", part=part):
            pass


def test_a_holder_of_another_host_is_named_and_waited_for(store: PostgresStore, database: str) -> None:
    """Its number means nothing here, so nobody looks whether it lives: only its lease ends it."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO phasegate.holds VALUES ('amber-fox', '', nextval('phasegate.fences'),"
            " clock_timestamp() + interval '1 hour', 'host-b', 'elsewhere', %s)",
            ("1 2 2026-01-01T00:00:00Z workflow watch\n",),
        )
        found = store.held_by("amber-fox")
        assert found == Holder(1, "workflow watch", "2026-01-01T00:00:00Z", host="host-b")
        with pytest.raises(SessionBusy, match=r"process 1 \(workflow watch\) on host-b, since 2026"):
            store.hold("amber-fox").__enter__()
        connection.execute("UPDATE phasegate.holds SET until = clock_timestamp()")
        assert store.held_by("amber-fox") is None
        with store.hold("amber-fox"):
            pass


def test_a_hold_is_renewed_while_it_lasts(store: PostgresStore, database: str) -> None:
    """Without an append: the end of the lease moves on by itself, and no other holder gets in."""
    with psycopg.connect(database, autocommit=True) as connection, store.hold("amber-fox"):
        until = "SELECT until FROM phasegate.holds"
        first = connection.execute(until).fetchone()
        with pytest.raises(SessionBusy), store.hold("amber-fox", wait=1.5):
            pytest.fail("held twice")
        last = connection.execute(until).fetchone()
        assert first is not None and last is not None and last[0] > first[0]


@pytest.mark.parametrize("how", ["taken over", "deleted"])
def test_an_append_without_its_row_is_refused(store: PostgresStore, database: str, how: str) -> None:
    """Whatever became of the row: nothing is written, and the hold can be taken again."""
    session = begin(store, "amber-fox")
    entry, after = answered(session)
    change = {"taken over": "UPDATE phasegate.holds SET fence = fence + 1", "deleted": "DELETE FROM phasegate.holds"}
    with store.hold("amber-fox") as held, psycopg.connect(database, autocommit=True) as connection:
        connection.execute(change[how])
        with pytest.raises(HoldLost):
            store.append(held, [entry], after, "waiting")
        assert store.load("amber-fox") == session
        connection.execute("DELETE FROM phasegate.holds")
        held.retake()
        store.append(held, [entry], after, "waiting")


def test_nobody_takes_over_while_a_paid_call_can_be_out(store: PostgresStore, database: str) -> None:
    """From its intent on the lease outlasts the longest call, whoever renews it, until the next entry."""
    entry, session = started("amber-fox")
    with store.hold("amber-fox") as held, psycopg.connect(database, autocommit=True) as connection:

        def left() -> float:
            row = connection.execute("SELECT extract(epoch FROM until - clock_timestamp()) FROM phasegate.holds")
            return float(row.fetchone()[0])  # type: ignore[index]

        store.append(held, [entry], session, "waiting")
        assert left() <= 1.0
        intent, after = leaving(session)
        store.append(held, [intent], after, "in_doubt")
        assert left() > LONGEST_CALL
        with pytest.raises(SessionBusy), store.hold("amber-fox", wait=1.0):  # renewed meanwhile
            pytest.fail("held twice")
        assert left() > LONGEST_CALL - 60
        result, last = answered(after)
        store.append(held, [result], last, "waiting")
        assert left() <= 1.0


def test_a_child_shares_no_hold_with_its_parent(store: PostgresStore) -> None:
    """A fork has the same handle and the same sockets: it can neither append by the one nor speak on the other."""
    session = begin(store, "amber-fox")
    entry, after = answered(session)
    reading, writing = os.pipe()
    with store.hold("amber-fox") as held:
        child = os.fork()
        if child == 0:
            try:
                store.append(held, [entry], after, "waiting")
                os.write(writing, b"written")
            except HoldLost:
                os.write(writing, b"refused")
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        assert os.read(reading, 100) == b"refused"
        store.append(held, [entry], after, "waiting")
    os.close(reading)
    os.close(writing)


def test_a_hold_survives_a_lost_connection(store: PostgresStore, database: str) -> None:
    """Nothing of a hold is in a connection: the next append goes over another one."""
    session = begin(store, "amber-fox")
    entry, after = answered(session)
    with store.hold("amber-fox") as held, psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'phasegate' AND datname = current_database()"
        )
        store.append(held, [entry], after, "waiting")
