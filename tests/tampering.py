"""Somebody with a pen of their own: random changes of a store, and whether an audit finds them.

``python -m tests.tampering --rounds 10000`` prints the figures; each change is undone before the next.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

from phases.anygen.sandbox import Sandbox
from tests.conduct import begin, finish
from tests.playing import Player, player
from workflow.history import audit
from workflow.model.digest import canonical
from workflow.model.errors import StoreError
from workflow.model.journal import START, Entry, fold, seal
from workflow.model.session import Session
from workflow.store import write_snapshot
from workflow.store.sqlite import SqliteStore

REFERENCE = Path(__file__).parents[1]
Row = list[Any]
ENTRY = ("session", "seq", "kind", "time", "digest", "hash", "turn", "body")
SESSION = (
    "name",
    "workflow",
    "state",
    "status",
    "revision",
    "seq",
    "head",
    "created",
    "updated",
    "snapshot",
)
BODY, DIGEST, HASH, SEQ, TURN = map(ENTRY.index, ("body", "digest", "hash", "seq", "turn"))


@dataclass
class Stored:
    """The rows of one session, to be changed; ``other`` is the journal of another one."""

    session: Row
    entries: list[Row]
    other: list[Row]

    def renumber(self) -> None:
        """Let the numbers run without a gap."""
        for number, row in enumerate(self.entries, 1):
            row[SEQ] = number


Change = Callable[[random.Random, Stored], None]


def edit_content(chance: random.Random, stored: Stored) -> None:
    """One character of a body."""
    row = chance.choice(stored.entries)
    row[BODY] = _misspelt(chance, row[BODY])


def edit_column(chance: random.Random, stored: Stored) -> None:
    """One character of anything else in an entry, or another entry's value."""
    row, column = chance.choice(stored.entries), chance.choice([0, 2, 3, DIGEST, HASH, TURN])
    row[column] = chance.choice([_misspelt(chance, row[column] or "x"), chance.choice(stored.other)[column]])


def edit_session(chance: random.Random, stored: Stored) -> None:
    """One value of what the session is listed by, or a character of its snapshot."""
    column = chance.randrange(1, len(SESSION))
    value = stored.session[column]
    stored.session[column] = value + chance.choice([-1, 1, 10]) if isinstance(value, int) else _misspelt(chance, value)


def erase(chance: random.Random, stored: Stored) -> None:
    """The content of one entry, or of all."""
    for row in stored.entries if chance.random() < 0.2 else [chance.choice(stored.entries)]:
        row[BODY] = row[TURN] = None


def drop(chance: random.Random, stored: Stored) -> None:
    """Some entries; the rest may be numbered anew."""
    start = chance.randrange(len(stored.entries))
    del stored.entries[start : start + chance.randint(1, 3)]
    if chance.random() < 0.5:
        stored.renumber()


def swap(chance: random.Random, stored: Stored) -> None:
    """Two entries, or their contents only."""
    one, two = chance.sample(stored.entries, 2)
    columns = chance.choice([(SEQ,), (BODY,), (BODY, DIGEST), (2, 3, DIGEST, BODY, TURN)])
    for column in columns:
        one[column], two[column] = two[column], one[column]
    stored.entries.sort(key=lambda row: row[SEQ])


def duplicate(chance: random.Random, stored: Stored) -> None:
    """An entry once more, elsewhere."""
    copy = [*chance.choice(stored.entries)]
    copy[TURN] = None
    stored.entries.insert(chance.randint(0, len(stored.entries)), copy)
    stored.renumber()


def splice(chance: random.Random, stored: Stored) -> None:
    """Entries of another session, one or the whole end, under this one's name."""
    start = chance.randrange(min(len(stored.entries), len(stored.other)))
    end = start + 1 if chance.random() < 0.5 else max(len(stored.entries), len(stored.other))
    stored.entries[start:end] = [[stored.session[0], *row[1:TURN], None, row[BODY]] for row in stored.other[start:end]]


def truncate(chance: random.Random, stored: Stored) -> None:
    """The end; the session may be set back with it, in every copy."""
    del stored.entries[chance.randrange(1, len(stored.entries)) :]
    if chance.random() < 0.7:
        _follow(stored)


def rewrite(chance: random.Random, stored: Stored) -> None:
    """An entry's content, and every hash after it, and the session with all its copies."""
    start = chance.randrange(len(stored.entries))
    entries = [_entry(row) for row in stored.entries]
    for number in range(start, len(entries)):
        old, previous = entries[number], entries[number - 1].hash if number else START
        body = {key: value for key, value in (old.body or {}).items() if key != "nonce"}
        nonce = f"{chance.getrandbits(96):024x}"
        entries[number] = seal(old.session, old.seq, previous, old.kind, old.time, body, nonce)
    stored.entries = [_row(entry, row[TURN]) for entry, row in zip(entries, stored.entries, strict=True)]
    _follow(stored)


CHANGES: tuple[Change, ...] = (
    edit_content,
    edit_column,
    edit_session,
    erase,
    drop,
    swap,
    duplicate,
    splice,
    truncate,
    rewrite,
)
UNSEEN_ALONE = ("truncate", "rewrite")
"""What a chain cannot show without a head that is kept elsewhere (docs/security.md)."""


@dataclass(frozen=True)
class Figures:
    """How many changes of each class were made, and found with the head known, without it, and by the store's chain."""

    made: Counter[str]
    found: Counter[str]
    found_alone: Counter[str]
    found_by_store: Counter[str]


def tamper(play: Player, other: str, head: str, rounds: int, seed: int) -> Figures:
    """Change the store of ``play`` so often, each time by chance, and audit it; all is undone again."""
    chance = random.Random(seed)
    figures = Figures(Counter(), Counter(), Counter(), Counter())
    store = play.engine.world.store
    assert isinstance(store, SqliteStore)
    pen = apsw.Connection(str(store.path))
    pen.execute("PRAGMA synchronous = OFF")
    true = _read(pen, play.name, other)
    while sum(figures.made.values()) < rounds:
        change = CHANGES[sum(figures.made.values()) % len(CHANGES)]
        stored = Stored([*true.session], [[*row] for row in true.entries], true.other)
        change(chance, stored)
        if (stored.session, stored.entries) == (true.session, true.entries):
            continue
        if not _write(pen, stored):  # the database itself refuses it, as it refuses two entries of one number
            continue
        figures.made[change.__name__] += 1
        figures.found[change.__name__] += _finds(play, head)
        figures.found_alone[change.__name__] += _finds(play, None)
        figures.found_by_store[change.__name__] += _finds_in_store(play)
        assert _write(pen, true)
    pen.close()
    return figures


def two_sessions(folder: Path, sandbox: Sandbox) -> tuple[Player, str]:
    """A store with a session from start to end, and the name of another one in it."""
    store = SqliteStore(folder / "state")
    other = player(folder, REFERENCE, sandbox.url, store=store)
    begin(other, folder)
    finish(other, sandbox)
    play = player(folder, REFERENCE, sandbox.url, store=store)
    begin(play, folder)
    finish(play, sandbox)
    return play, other.name


def written_anew(play: Player, change: Callable[[Entry, dict[str, Any]], None]) -> None:
    """The whole chain of a session sealed again after ``change`` had each body, and every copy made to fit."""
    store = play.engine.world.store
    assert isinstance(store, SqliteStore)
    pen = apsw.Connection(str(store.path))
    stored = _read(pen, play.name, "")
    entries: list[Entry] = []
    for row in stored.entries:
        old = _entry(row)
        body = dict(old.body or {})
        nonce = body.pop("nonce")
        change(old, body)
        previous = entries[-1].hash if entries else START
        entries.append(seal(old.session, old.seq, previous, old.kind, old.time, body, nonce))
    stored.entries = [_row(entry, entry.turn) for entry in entries]
    _follow(stored)
    assert _write(pen, stored)
    pen.close()


def main() -> int:
    """Print a line for each class; 1 if a change was not found."""
    parser = argparse.ArgumentParser(description="Change stored journals at random, and count what an audit finds.")
    parser.add_argument("--rounds", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Sandbox(rounds=2, looks=2) as sandbox:
        play, other = two_sessions(Path(folder), sandbox)
        head = audit.verify(play.engine, play.name).receipt
        figures = tamper(play, other, head, given.rounds, given.seed)
    print(f"{'change':<14}{'made':>7}{'found':>7}{'found without a head':>22}{'by the whole store':>20}")
    for name, made in sorted(figures.made.items()):
        print(
            f"{name:<14}{made:>7}{figures.found[name]:>7}{figures.found_alone[name]:>22}{figures.found_by_store[name]:>20}"
        )
    made, found, by_store = (sum(each.values()) for each in (figures.made, figures.found, figures.found_by_store))
    print(f"{made} changes, {found} found with the head known ({100 * found / made:.2f} %)")
    print(f"{by_store} found without a head by verifying the whole store ({100 * by_store / made:.2f} %)")
    return 0 if made == found == by_store else 1


def _finds(play: Player, head: str | None) -> bool:
    try:
        audit.verify(play.engine, play.name, head)
    except StoreError:
        return True
    return False


def _finds_in_store(play: Player) -> bool:
    try:
        audit.verify_store(play.engine)
    except StoreError:
        return True
    return False


def _misspelt(chance: random.Random, text: Any) -> Any:
    place = chance.randrange(len(text))
    if isinstance(text, bytes):
        return text[:place] + chance.randbytes(1) + text[place + 1 :]
    return text[:place] + chance.choice('0a"{}[],: \\é') + text[place + 1 :]


def _follow(stored: Stored) -> None:
    """Make every copy of the session what the entries add up to, as a clever hand would."""
    session: Session | None = None
    for row in stored.entries:
        session = fold(session, _entry(row))
    assert session is not None
    status = {"over.finished": "done"}.get(session.state, "waiting")
    said = [row for row in stored.entries if row[2] == "reply" and _entry(row).body]
    if said:
        status = (_entry(said[-1]).body or {})["reply"]["status"]
    snapshot = write_snapshot(session)
    stored.session = [session.name, session.workflow, session.state, status, session.revision, session.seq]
    stored.session += [session.head, stored.entries[0][3], stored.entries[-1][3], snapshot]


def _entry(row: Sequence[Any]) -> Entry:
    """As far as it is needed to be sealed again, or folded."""
    session, seq, kind, time, digest, hash_, _, body = row
    return Entry(session, seq, kind, time, "", digest.hex(), hash_.hex(), json.loads(body))


def _row(entry: Entry, turn: str | None) -> Row:
    body = canonical(dict(entry.body or {})).decode()
    hashes = (bytes.fromhex(entry.digest), bytes.fromhex(entry.hash))
    return [entry.session, entry.seq, entry.kind, entry.time, *hashes, turn, body]


def _read(pen: apsw.Connection, name: str, other: str) -> Stored:
    query = f"SELECT {', '.join(ENTRY)} FROM entries WHERE session = ? ORDER BY seq"
    entries, foreign = ([list(row) for row in pen.execute(query, (each,))] for each in (name, other))
    (session,) = pen.execute(f"SELECT {', '.join(SESSION)} FROM sessions WHERE name = ?", (name,))
    return Stored(list(session), entries, foreign)


def _write(pen: apsw.Connection, stored: Stored) -> bool:
    """Put these rows in the place of the session's; False if the database does not take them."""
    name = stored.session[0]
    with suppress(apsw.ConstraintError), pen:
        other = stored.other[0][0] if stored.other else ""
        pen.execute("DELETE FROM entries WHERE session != ?", (other,))  # also those under changed names
        pen.executemany(
            f"INSERT INTO entries ({', '.join(ENTRY)}) VALUES ({', '.join('?' * len(ENTRY))})", stored.entries
        )
        values = ", ".join(f"{column} = ?" for column in SESSION)
        pen.execute(f"UPDATE sessions SET {values} WHERE name = ?", (*stored.session, name))
        return True
    return False


if __name__ == "__main__":
    sys.exit(main())
