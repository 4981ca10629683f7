-- One row per session: its place in the list, the head of its journal, and the snapshot.
CREATE TABLE sessions (
    number   INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    workflow TEXT NOT NULL,
    state    TEXT NOT NULL,
    status   TEXT NOT NULL,
    revision INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    head     TEXT NOT NULL,
    created  TEXT NOT NULL,  -- ISO 8601, UTC: sorts as text
    updated  TEXT NOT NULL,
    snapshot TEXT,           -- JSON; NULL once erased
    owner    TEXT,           -- whose token began it; NULL for one begun on the command line
    sandbox  TEXT,           -- the address of the sandbox that it began with; NULL where its calls are real
    about    TEXT NOT NULL   -- the first words that it began with; empty once erased
) STRICT;

CREATE INDEX sessions_by_update ON sessions (updated DESC, name);
-- The few pairs of state and status that there are, each with its latest sessions first: a filter is a choice of pairs.
CREATE INDEX sessions_by_state ON sessions (state, status, updated DESC, name);
-- The same for one owner, whose lists read no others.
CREATE INDEX sessions_by_owner ON sessions (owner, state, status, updated DESC, name);

-- Which names and first words have which three characters in a row, counting two more at the end of each text.
-- It only says which sessions to compare.
CREATE VIRTUAL TABLE search USING fts5 (
    name, about, content = '', contentless_delete = 1, tokenize = 'trigram', detail = none
);

-- The same index as a list of trigrams in order: those that begin with one or two characters stand together.
CREATE VIRTUAL TABLE trigrams USING fts5vocab (search, instance);

-- The journals. Bodies are long, so an ordinary table with an index beside it is quicker than WITHOUT ROWID.
-- The previous hash of an entry is the hash of the row before it, so it is not stored again.
CREATE TABLE entries (
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

CREATE UNIQUE INDEX entries_turn ON entries (session, turn) WHERE turn IS NOT NULL;
CREATE UNIQUE INDEX entries_start ON entries (turn) WHERE kind = 'started';
-- The log of all sessions in the order of time. The kinds are in it, so SQLite skips the others without reading them.
CREATE INDEX entries_by_time ON entries (time, session, seq, kind);

-- When something happens by itself in a live session if nobody answers: a row per timer, by the wall and by the clock
-- since boot of then. A copy of what the session says, so that what is due is found without reading any session.
CREATE TABLE timers (
    session TEXT NOT NULL REFERENCES sessions (name),
    name    TEXT NOT NULL,
    wall    REAL NOT NULL,
    boot    REAL NOT NULL,
    boot_id TEXT NOT NULL,
    PRIMARY KEY (session, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX timers_by_boot ON timers (boot_id, boot);
CREATE INDEX timers_by_wall ON timers (wall, boot_id);

-- The chain of the store: one link per append, over the session's new head. It shows when whole sessions are deleted.
CREATE TABLE links (
    number  INTEGER PRIMARY KEY,
    session TEXT NOT NULL,
    seq     INTEGER NOT NULL,
    hash    BLOB NOT NULL
) STRICT;

-- Compiled definitions, by bundle digest and engine version.
CREATE TABLE definitions (
    key     TEXT PRIMARY KEY,
    content TEXT NOT NULL
) STRICT;

-- What happened once to a user profile.
CREATE TABLE occasions (
    profile  TEXT NOT NULL,
    occasion TEXT NOT NULL,
    PRIMARY KEY (profile, occasion)
) STRICT, WITHOUT ROWID;

-- Which store this is, and where: the one row tells a copy from the store that it was made of.
CREATE TABLE identity (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    id   TEXT NOT NULL,      -- goes into the names of paid calls; another one after each adoption
    path BLOB NOT NULL       -- the real path at which it was made or adopted; empty in a copy made by `backup`
) STRICT;

-- Faults in the code of bundles, for their authors: no part of any journal, and gone with the session's content.
CREATE TABLE faults (
    number  INTEGER PRIMARY KEY,
    session TEXT NOT NULL,   -- empty for one that did not begin
    seq     INTEGER NOT NULL,
    state   TEXT NOT NULL,
    time    TEXT NOT NULL,
    kind    TEXT NOT NULL,   -- guard, action or check
    trace   TEXT NOT NULL
) STRICT;

CREATE INDEX faults_by_session ON faults (session, number);

-- What people paused (scope: session, bundle or all; the name is empty for all), until somebody unpauses it.
CREATE TABLE pauses (
    scope TEXT NOT NULL,
    name  TEXT NOT NULL,
    since TEXT NOT NULL,
    who   TEXT NOT NULL,
    why   TEXT NOT NULL,
    PRIMARY KEY (scope, name)
) STRICT, WITHOUT ROWID;

-- When paid calls left, for limits: a row per intent (seq), except where the service certainly did not do it. Calls in a
-- sandbox are not real, and count among themselves. `forget` keeps both tables.
CREATE TABLE uses (
    workflow TEXT NOT NULL,
    action   TEXT NOT NULL,
    sandbox  INTEGER NOT NULL,
    session  TEXT NOT NULL,
    seq      INTEGER NOT NULL,
    wall     REAL NOT NULL,
    boot     REAL NOT NULL,
    boot_id  TEXT NOT NULL,
    PRIMARY KEY (workflow, action, sandbox, session, seq)
) STRICT, WITHOUT ROWID;
