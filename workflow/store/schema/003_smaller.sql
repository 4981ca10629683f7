-- Hashes as bytes, and each once: the one before is the hash of the entry before.
CREATE TABLE smaller (
    session TEXT NOT NULL REFERENCES sessions (name),
    seq     INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    time    TEXT NOT NULL,
    digest  BLOB NOT NULL,
    hash    BLOB NOT NULL,
    turn    TEXT,            -- the identity of the turn that the entry accepted
    body    TEXT,            -- canonical JSON; NULL once erased
    PRIMARY KEY (session, seq)
) STRICT;
INSERT INTO smaller
    SELECT session, seq, kind, time, unhex(digest), unhex(hash), turn, body FROM entries ORDER BY rowid;
DROP TABLE entries;
ALTER TABLE smaller RENAME TO entries;

-- The first reply behind an entry is a row or two behind it: an index of its own cost more than it saved.
CREATE UNIQUE INDEX entries_turn ON entries (session, turn) WHERE turn IS NOT NULL;
CREATE UNIQUE INDEX entries_start ON entries (turn) WHERE kind = 'started';
CREATE INDEX entries_by_time ON entries (time, session, seq, kind);

-- NOT IN builds a table for each row that changes; the same in plain comparisons costs nothing.
DROP INDEX sessions_live;
CREATE INDEX sessions_live ON sessions (updated DESC, name)
    WHERE status <> 'done' AND status <> 'cancelled' AND status <> 'failed';
