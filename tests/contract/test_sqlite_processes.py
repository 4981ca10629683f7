"""Several processes at one SQLite store, and what is left when one of them dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.contract.brakes import MOST, used
from tests.contract.journals import append, begin, replied
from workflow.model.errors import SessionBusy, StoreError
from workflow.model.journal import verify
from workflow.store.sqlite import SqliteStore

ROOT = Path(__file__).parents[2]

PROLOGUE = """
import sys
from pathlib import Path
from tests.contract.journals import append, begin, replied
from workflow.model.errors import StoreError
from workflow.store.sqlite import SqliteStore

def say(what):
    print(what, flush=True)

def hear():
    return sys.stdin.readline().strip()

folder = Path(sys.argv[1])
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """The store of the process that watches the others."""
    store = SqliteStore(tmp_path)
    yield store
    store.close()


def test_a_hold_keeps_other_processes_out(store: SqliteStore, tmp_path: Path) -> None:
    """What one process holds is busy for another, until it lets go; then nothing of it is left."""
    with _process(HOLDER, tmp_path) as holder:
        assert _hear(holder) == "held"
        with pytest.raises(SessionBusy), store.hold("amber-fox"):
            pytest.fail("held twice")
        _say(holder, "let go")
        with store.hold("amber-fox", wait=30):
            assert _hear(holder) == "let go"
    assert list((tmp_path / "holds").iterdir()) == []


def test_a_hold_dies_with_its_process(store: SqliteStore, tmp_path: Path) -> None:
    """kill -9 frees the session at once; the lock file that is left behind means nothing."""
    with _process(HOLDER, tmp_path) as holder:
        assert _hear(holder) == "held"
        _kill(holder)
        assert [path.name for path in (tmp_path / "holds").iterdir()] == ["amber-fox.lock"]
        with store.hold("amber-fox"):
            pass
    assert list((tmp_path / "holds").iterdir()) == []


HOLDER = """
store = SqliteStore(folder)
with store.hold("amber-fox"):
    say("held")
    hear()
say("let go")
"""


def test_a_transaction_dies_with_its_process(store: SqliteStore, tmp_path: Path) -> None:
    """kill -9 in the midst of writing leaves nothing of it, and keeps no other writer waiting."""
    session = begin(store, "amber-fox")
    with _process(WRITER, tmp_path) as writer:
        assert _hear(writer) == "written, not committed"
        _kill(writer)
        entry, after = replied(session)
        append(store, [entry], after, "waiting")
    assert store.load("amber-fox") == after
    assert store.load("dry-owl") is None
    assert store.definition("key") is None


WRITER = """
store = SqliteStore(folder)
with store._writing() as connection:
    connection.execute("DELETE FROM entries")
    connection.execute("INSERT INTO definitions VALUES ('key', 'content')")
    say("written, not committed")
    hear()
"""


def test_what_was_acknowledged_outlives_its_process(store: SqliteStore, tmp_path: Path) -> None:
    """kill -9 right after an append: every entry is there, whole."""
    with _process(APPENDER, tmp_path) as appender:
        head = _hear(appender)
        _kill(appender)
    session = store.load("dry-owl")
    assert session is not None and session.head == head
    assert len(list(verify(store.entries("dry-owl")))) == 6


APPENDER = """
store = SqliteStore(folder)
session = begin(store, "dry-owl")
for _ in range(5):
    entry, session = replied(session)
    append(store, [entry], session, "waiting")
say(session.head)
hear()
"""


def test_processes_create_one_store_together(tmp_path: Path) -> None:
    """Whoever comes first makes the schema; all others find it, and each occasion is one process's first."""
    folder = tmp_path / "new"
    with _process(FIRST, folder) as one, _process(FIRST, folder) as two, _process(FIRST, folder) as three:
        everyone = (one, two, three)
        assert [_hear(each) for each in everyone] == ["ready"] * 3
        for each in everyone:
            _say(each, "go")
        firsts = [[_hear(each) for each in everyone] for _ in range(10)]
    assert [sorted(each) for each in firsts] == [["False", "False", "True"]] * 10


FIRST = """
say("ready")
hear()
store = SqliteStore(folder)
for number in range(10):
    say(store.first_time("ann", str(number)))
"""


def test_of_two_processes_one_has_the_name(tmp_path: Path) -> None:
    """A race for a name leaves one session, and the other process knows."""
    with _process(NAMER, tmp_path) as one, _process(NAMER, tmp_path) as two:
        assert [_hear(one), _hear(two)] == ["ready", "ready"]
        _say(one, "go")
        _say(two, "go")
        assert sorted([_hear(one), _hear(two)]) == ["NameTaken", "mine"]


NAMER = """
store = SqliteStore(folder)
say("ready")
hear()
try:
    begin(store, "amber-fox")
    say("mine")
except StoreError as error:
    say(type(error).__name__)
"""


def test_a_greedy_writer_starves_nobody(store: SqliteStore, tmp_path: Path) -> None:
    """While another process writes without a pause, this one gets its turns."""
    with _process(GREEDY, tmp_path) as greedy:
        assert _hear(greedy) == "writing"
        session = begin(store, "dry-owl")
        for _ in range(20):
            entry, session = replied(session)
            append(store, [entry], session, "waiting")
        _say(greedy, "enough")
        assert int(_hear(greedy)) > 0
    assert store.load("dry-owl") == session


GREEDY = """
import select
store = SqliteStore(folder)
session = begin(store, "amber-fox")
say("writing")
written = 0
while not select.select([sys.stdin], [], [], 0)[0]:
    entry, session = replied(session)
    append(store, [entry], session, "waiting")
    written += 1
say(written)
"""


def test_the_database_is_never_opened_by_its_path(tmp_path: Path) -> None:
    """Once it exists, Python opens neither it nor its log: that would drop SQLite's locks on closing."""
    with _process(WATCHED, tmp_path / "new") as watched:
        assert _hear(watched) == "['phasegate.db']"


WATCHED = """
opened = []
def watch(event, arguments):
    if event == "open" and "phasegate.db" in str(arguments[0]):
        opened.append(Path(arguments[0]).name)
sys.addaudithook(watch)
for number in range(2):
    store, other = SqliteStore(folder), SqliteStore(folder)
    session = begin(store, f"amber-fox-{number}")
    with other.hold(session.name) as held:
        entry, session = replied(session)
        other.append(held, [entry], session, "waiting")
    list(store.entries(session.name))
    other.close()
    store.close()
say(opened)
"""


def test_locks_outlast_a_second_store_in_the_process(store: SqliteStore, tmp_path: Path) -> None:
    """A store that is opened and closed beside a transaction does not open the file to other writers."""
    with store._writing():
        SqliteStore(tmp_path).close()
        with _process(INTRUDER, tmp_path) as intruder:
            assert _hear(intruder) == "BusyError"
    with pytest.raises(StoreError, match="closed"):
        store.close()
        store.sessions()


INTRUDER = """
import apsw
try:
    apsw.Connection(str(folder / "phasegate.db")).execute("BEGIN IMMEDIATE")
    say("written")
except apsw.BusyError:
    say("BusyError")
"""


def test_races_of_processes_let_just_the_limit_through(store: SqliteStore, tmp_path: Path) -> None:
    """Of a thousand calls that four processes let leave together, as many as the limit."""
    with ExitStack() as running:
        racers = [running.enter_context(_process(RACER, tmp_path)) for _ in range(4)]
        assert [_hear(racer) for racer in racers] == ["ready"] * 4
        for number, racer in enumerate(racers):
            _say(racer, str(number))
        assert sum(int(_hear(racer)) for racer in racers) == MOST == used(store)


RACER = """
from tests.contract.brakes import DAY, MOST, RACES
from tests.contract.journals import pay
from workflow.model.errors import Limited

store, let = SqliteStore(folder), 0
say("ready")
mine = hear()
for number in range(RACES // 4):
    try:
        pay(store, f"fox-{mine}-{number}", limits=[(DAY, MOST)])
        let += 1
    except Limited:
        pass
say(let)
"""


@contextmanager
def _process(script: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that runs ``script``; it ends with the block, and well unless it was killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROLOGUE + script, str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(30) in (0, -signal.SIGKILL)
        finally:
            process.kill()


def _hear(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _say(process: subprocess.Popen[str], what: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{what}\n")
    process.stdin.flush()


def _kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait(30)


def test_a_process_that_closes_nothing_leaves_no_lock_file(tmp_path: Path) -> None:
    """Files of sessions that it held again and again are removed as it ends."""
    program = """
import sys
from pathlib import Path
from workflow.store.sqlite import SqliteStore
store = SqliteStore(Path(sys.argv[1]))
for _ in range(3):
    with store.hold("amber-fox"):
        pass
print(sorted(each.name for each in (Path(sys.argv[1]) / "holds").iterdir()))
"""
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['amber-fox.lock']"
    assert list((tmp_path / "holds").iterdir()) == []
