"""What is asked of the SQLite store, and what its rows mean; no text of a person is ever part of a statement."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from workflow.model import journal
from workflow.model.errors import JournalTampered
from workflow.model.frozen import replace, written
from workflow.model.instant import Instant, iso
from workflow.model.journal import Entry
from workflow.model.ports import Summary
from workflow.model.surface import Machine
from workflow.store import read_body


def log(kinds: Sequence[str]) -> str:
    """The query for the latest entries of these kinds, or of any."""
    among = f"AND kind IN ({', '.join('?' * len(kinds))}) " if kinds else ""
    return f"{_SELECT_ENTRY} WHERE time >= ? {among}{_NEWEST}"


def listing(
    live: bool = False,
    search: str = "",
    state: str = "",
    status: str = "",
    owner: str = "",
    among: Sequence[int] | None = None,
    limit: int = 50,
    offset: int = 0,
) -> tuple[str, list[Any]]:
    """The query that lists sessions; what people wrote is only ever a value of it.

    ``among`` are the numbers of the only sessions that are compared. Where it is None, a filter chooses pairs of state
    and status, and each pair gives its latest sessions: how many others there are makes no difference.
    """
    chosen, pairs = _all_of((_LIVE, live), (_STATE, state), (_STATUS, status))
    searched, texts = _all_of((_SEARCH, search))
    owned, owners = _all_of((_OWNER, owner))
    if among is not None:
        query = f"{_SELECT_SUMMARY} {_AMONG} WHERE {chosen} AND {searched} AND {owned} {_LATEST}"
        return _with_due(query), [json.dumps(among), *pairs, *texts, *owners, limit, offset]
    if not (pairs or live or owner):
        return _with_due(f"{_SELECT_SUMMARY} sessions WHERE {searched} {_LATEST}"), [*texts, limit, offset]
    query = _BY_PAIRS.format(owned=owned, chosen=chosen, searched=searched)
    return _with_due(query), [*owners * 4, *pairs, *owners, *texts, limit + offset, limit, offset]


def _with_due(listing: str) -> str:
    return _WITH_DUE.format(listing=listing)


def _all_of(*conditions: tuple[str, Any]) -> tuple[str, list[Any]]:
    """Those that are given as one condition, and the values that it compares, in order."""
    given = [each for each in conditions if each[1]]
    values = [value for condition, value in given for _ in range(condition.count("?"))]
    return " AND ".join(condition for condition, _ in given) or "true", values


def summary(row: Any) -> Summary:
    """A line of the list as it is selected."""
    told, due = Summary(*row[:-1]), row[-1]
    return replace(told, due=iso(Instant(due, 0.0, ""))) if isinstance(due, (int, float)) else told


def entry(row: Any) -> Entry:
    """An entry as it stands there; where nothing is before the first, the chain begins."""
    session, seq, kind, time, digest, hash_, text, previous = row
    before, body = previous.hex() if previous else journal.START, read_body(session, seq, text)
    return written(Entry(session, seq, kind, time, before, digest.hex(), hash_.hex(), body), text)


def check_end(name: str, seq: int, head: str, last: Sequence[Any]) -> None:
    """Raise :class:`JournalTampered` unless the journal ends with the stored head, in an entry as it was sealed.

    ``last`` are the columns of the last entry, and the hash before it.
    """
    at, kind, time, digest, hash_, text, before = last
    if at != seq or hash_.hex() != head:
        what = f"ends with entry {at or 0}, the stored session is of entry {seq}" if at != seq else "has another head"
        raise JournalTampered(f"the journal of {name} {what}", at or 0, hint(name))
    previous = before.hex() if before else journal.START
    if not journal.is_whole((name, at, kind, time, digest.hex(), head, text), previous):
        raise JournalTampered(f"the last entry of {name} is not as it was written", at, hint(name))


def hint(name: str) -> str:
    """What to do about a session that was edited."""
    return Machine(f"Run `workflow audit verify {name}`, and restore the store from a backup.")


def following(rows: Sequence[Any], previous: bytes | None = None) -> Iterator[Entry]:
    """Entries one after the other; ``previous`` is the hash before the first, None if they are all of a journal."""
    for row in rows:
        yield entry((*row, previous))
        previous = row[HASH_OF]


HEAD = "SELECT seq, head, (SELECT max(seq) FROM entries WHERE session = name), about FROM sessions WHERE name = ?"
SNAPSHOT = """
    SELECT snapshot, sessions.seq, head, last.seq, kind, time, digest, hash, body,
        (SELECT hash FROM entries WHERE session = ?1 AND seq = last.seq - 1)
    FROM sessions LEFT JOIN entries last ON last.session = ?1
    WHERE name = ?1 ORDER BY last.seq DESC LIMIT 1
"""
ORPHAN = """
    SELECT 1 FROM entries WHERE session = ?1 AND NOT EXISTS (SELECT 1 FROM sessions WHERE name = ?1) LIMIT 1
"""
INSERT_SESSION = """
    INSERT INTO sessions (workflow, state, status, revision, seq, head, updated, snapshot, about, name, created, owner,
        sandbox)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
UPDATE_SESSION = """
    UPDATE sessions SET workflow = ?, state = ?, status = ?, revision = ?, seq = ?, head = ?, updated = ?, snapshot = ?,
        about = ?
    WHERE name = ?
"""
END = "\2\2"
"""What the index has at the end of each text, so that its last two characters begin a trigram as well."""
_KEEP_ALL_WORDS = f"""
    INSERT INTO search (rowid, name, about) SELECT number, name || '{END}', about || '{END}' FROM sessions
"""
KEEP_WORDS = f"{_KEEP_ALL_WORDS} WHERE name = ?"
DROP_WORDS = "DELETE FROM search WHERE rowid = (SELECT number FROM sessions WHERE name = ?)"
RENEW_WORDS = ("INSERT INTO search (search) VALUES ('delete-all')", _KEEP_ALL_WORDS)
INSERT_ENTRY = """
    INSERT INTO entries (session, seq, kind, time, digest, hash, turn, body)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_BEFORE = "(SELECT hash FROM entries before WHERE before.session = entries.session AND before.seq = entries.seq - 1)"
_SELECT = "SELECT session, seq, kind, time, digest, hash, body"
HASH_OF = 5
"""Its column there."""
_SELECT_ENTRY = f"{_SELECT}, {_BEFORE} FROM entries"
ENTRIES = f"{_SELECT} FROM entries WHERE session = ? AND seq > ? ORDER BY seq LIMIT ?"
HASH = "SELECT hash FROM entries WHERE session = ? AND seq = ?"
TURN = f"{_SELECT_ENTRY} WHERE session = ? AND turn = ?"
START = f"{_SELECT_ENTRY} WHERE kind = 'started' AND turn = ?"
REPLY = f"{_SELECT_ENTRY} WHERE kind = 'reply' AND session = ? AND seq > ? ORDER BY seq LIMIT 1"
TURNS = "SELECT seq, turn FROM entries WHERE session = ? AND turn IS NOT NULL"
_NEWEST = "ORDER BY time DESC, session DESC, seq DESC LIMIT ?"
ERASE = "UPDATE entries SET body = NULL, turn = NULL WHERE session = ? AND seq < ?"
_SUMMARY = "name, workflow, state, status, revision, created, updated, owner, sandbox, about"
_SELECT_SUMMARY = f"SELECT {_SUMMARY} FROM"
_WITH_DUE = """
    SELECT listed.*, (SELECT min(wall) FROM timers WHERE session = listed.name) FROM ({listing}) AS listed
    ORDER BY listed.updated DESC, listed.name
"""
"""With when the first of a session's timers is due, in seconds of the wall; NULL where none runs."""
TIMERS = "SELECT name, wall, boot, boot_id FROM timers WHERE session = ? ORDER BY name"
DROP_TIMERS = "DELETE FROM timers WHERE session = ?"
KEEP_TIMER = "INSERT INTO timers VALUES (?, ?, ?, ?, ?)"
DUE = """
    SELECT name, seq FROM sessions JOIN (
        SELECT session FROM timers WHERE boot_id = ?3 AND boot <= ?2
        UNION SELECT session FROM timers WHERE wall <= ?1 AND boot_id <> ?3
    ) ON session = name ORDER BY name
"""
"""Within one boot by the clock that nobody can set; of other boots only the wall can tell."""
_AMONG = "json_each(?) AS found CROSS JOIN sessions ON number = found.value"
"""These and no others: a cross join is read in the order in which it is written."""
_STATES = """
    WITH RECURSIVE states (each) AS (
        SELECT min(state) FROM sessions WHERE {owned}
        UNION ALL
        SELECT (SELECT min(state) FROM sessions WHERE {owned} AND state > each) FROM states WHERE each IS NOT NULL
    )"""
_ALL_STATES = _STATES.format(owned="true")
_IN_A_STATE = "SELECT number FROM states CROSS JOIN sessions ON state = each WHERE instr(each, ?1) > 0 LIMIT ?2"
CANDIDATES = f"""{_ALL_STATES}
    SELECT rowid FROM search WHERE search MATCH ?3 UNION ALL {_IN_A_STATE}
"""
CANDIDATES_OF_A_START = f"""{_ALL_STATES}
    SELECT DISTINCT doc FROM trigrams WHERE term >= ?3 AND term < ?4 UNION ALL {_IN_A_STATE}
"""
_BY_PAIRS = f"""{_STATES},
    pairs (state, status) AS (
        SELECT each, (SELECT min(status) FROM sessions WHERE {{owned}} AND state = each)
        FROM states WHERE each IS NOT NULL
        UNION ALL
        SELECT state, (
            SELECT min(status) FROM sessions WHERE {{owned}} AND state = pairs.state AND status > pairs.status
        )
        FROM pairs WHERE status IS NOT NULL
    ),
    chosen (its_state, its_status) AS (SELECT state, status FROM pairs WHERE status IS NOT NULL AND {{chosen}})
    {_SELECT_SUMMARY} chosen CROSS JOIN json_each((
        SELECT json_group_array(number) FROM (
            SELECT number FROM sessions WHERE {{owned}} AND state = its_state AND status = its_status AND {{searched}}
            ORDER BY updated DESC, name LIMIT ?
        )
    )) AS found CROSS JOIN sessions ON number = found.value
    ORDER BY updated DESC, name LIMIT ? OFFSET ?
"""
RECORDS = f"SELECT {_SUMMARY}, seq, head, snapshot FROM sessions"
RECORD = f"{RECORDS} WHERE name = ?"
COUNT = "SELECT count(*), min(created) FROM sessions"
OVER = """
    SELECT name, status, updated, octet_length(snapshot)
        + (SELECT coalesce(sum(octet_length(body)), 0) FROM entries WHERE session = name)
    FROM sessions WHERE updated < ? AND status IN ('done', 'cancelled', 'failed')
        AND (SELECT kind FROM entries WHERE session = name AND entries.seq = sessions.seq) <> 'forgotten'
    ORDER BY updated, name
"""
_LATEST = "ORDER BY updated DESC, name LIMIT ? OFFSET ?"
_LIVE = "status <> 'done' AND status <> 'cancelled' AND status <> 'failed'"
_SEARCH = "(instr(name, ?) > 0 OR instr(state, ?) > 0 OR instr(lower(about), lower(?)) > 0)"
_STATE = "(state = ? OR substr(state, 1, length(?) + 1) = ? || '.')"
_STATUS = "status = ?"
_OWNER = "owner = ?"
DEFINITION = "SELECT content FROM definitions WHERE key = ?"
KEEP_DEFINITION = "INSERT INTO definitions VALUES (?, ?) ON CONFLICT DO NOTHING"
DEFINITIONS = "SELECT content FROM definitions WHERE key > ? AND key < ? ORDER BY key"
ANY_INTENT = "SELECT 1 FROM entries WHERE kind = 'intent' LIMIT 1"
INTENTS = "SELECT session, seq, hash, time, body FROM entries WHERE kind = 'intent' ORDER BY time, session, seq"
INTENTS_OF = "SELECT seq, hash FROM entries WHERE session = ? AND kind = 'intent'"
MISSING = "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT name FROM sessions) ORDER BY value"
LAST_LINK = "SELECT number, hash FROM links ORDER BY number DESC LIMIT 1"
INSERT_LINK = "INSERT INTO links VALUES (?, ?, ?, ?)"
LINKS = """
    SELECT number, links.session, links.seq, links.hash, entries.hash
    FROM links LEFT JOIN entries ON entries.session = links.session AND entries.seq = links.seq ORDER BY number
"""
ENDS = """
    SELECT name, sessions.seq, head, max(entries.seq), count(entries.seq)
    FROM sessions LEFT JOIN entries ON session = name GROUP BY name ORDER BY name
"""
ORPHANS = "PRAGMA foreign_key_check(entries)"
OCCASION = "SELECT 1 FROM occasions WHERE profile = ? AND occasion = ?"
KEEP_OCCASION = "INSERT INTO occasions VALUES (?, ?) ON CONFLICT DO NOTHING"
_FAULTS = "SELECT session, seq, state, time, kind, trace FROM faults"
FAULTS = f"{_FAULTS} WHERE session = ? ORDER BY number"
ALL_FAULTS = f"{_FAULTS} ORDER BY number"
KEEP_FAULT = "INSERT INTO faults (session, seq, state, time, kind, trace) VALUES (?, ?, ?, ?, ?, ?)"
DROP_FAULTS = """
    DELETE FROM faults WHERE session = ? AND number NOT IN (
        SELECT number FROM faults WHERE session = ? ORDER BY number DESC LIMIT ?
    )
"""
PAUSES = "SELECT scope, name, since, who, why FROM pauses ORDER BY scope, name"
PAUSE = "INSERT INTO pauses VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
UNPAUSE = "DELETE FROM pauses WHERE scope = ? AND name = ?"
_LIKE = "workflow = ?1 AND action = ?2 AND sandbox = ?3"
USES = f"""
    SELECT wall, boot, boot_id FROM uses WHERE {_LIKE}
        AND (boot_id = ?6 AND boot > ?5 - ?7 OR boot_id <> ?6 AND wall > ?4 - ?7)
"""
RESTART_USES = f"UPDATE uses SET wall = ?4, boot = ?5, boot_id = ?6 WHERE {_LIKE} AND boot_id <> ?6 AND wall > ?4"
ADD_USE = "INSERT INTO uses VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
DROP_USE = f"DELETE FROM uses WHERE {_LIKE} AND session = ?4 AND seq = ?5"
ERASE_FAULTS = "DELETE FROM faults WHERE session = ?"
