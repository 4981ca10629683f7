-- Everything is in one schema of its own, and names it: which schemas are searched is a setting of a connection.
-- Texts are compared byte by byte, as SQLite does; times are ISO 8601 in UTC and sort as text.
CREATE SCHEMA phasegate;

-- One row per session: its place in the list, the head of its journal, and the snapshot.
CREATE TABLE phasegate.sessions (
    name     text COLLATE "C" PRIMARY KEY,
    workflow text COLLATE "C" NOT NULL,
    state    text COLLATE "C" NOT NULL,
    status   text COLLATE "C" NOT NULL,
    revision bigint NOT NULL,
    seq      bigint NOT NULL,
    head     text COLLATE "C" NOT NULL,
    created  text COLLATE "C" NOT NULL,
    updated  text COLLATE "C" NOT NULL,
    snapshot text,                          -- JSON; NULL once erased
    owner    text COLLATE "C",              -- whose token began it; NULL for one begun on the command line
    sandbox  text,                          -- the address of the sandbox that it began with; NULL where its calls are real
    about    text COLLATE "C" NOT NULL      -- the first words that it began with; empty once erased
);

CREATE INDEX sessions_by_update ON phasegate.sessions (updated DESC, name);
CREATE INDEX sessions_by_state ON phasegate.sessions (state, status, updated DESC, name);
CREATE INDEX sessions_by_owner ON phasegate.sessions (owner, updated DESC, name);

-- The journals. The previous hash of an entry is the hash of the row before it, so it is not stored again.
CREATE TABLE phasegate.entries (
    session text COLLATE "C" NOT NULL REFERENCES phasegate.sessions (name),
    seq     bigint NOT NULL,
    kind    text COLLATE "C" NOT NULL,
    time    text COLLATE "C" NOT NULL,
    digest  bytea NOT NULL,
    hash    bytea NOT NULL,
    turn    text COLLATE "C",               -- the identity of the turn that the entry accepted
    body    text,                           -- canonical JSON; NULL once erased
    PRIMARY KEY (session, seq)
);

CREATE UNIQUE INDEX entries_turn ON phasegate.entries (session, turn) WHERE turn IS NOT NULL;
CREATE UNIQUE INDEX entries_start ON phasegate.entries (turn) WHERE kind = 'started';
CREATE INDEX entries_by_time ON phasegate.entries (time, session, seq, kind);
CREATE INDEX entries_of_intents ON phasegate.entries (time, session, seq) WHERE kind = 'intent';

-- The chain of the store: one link per append, over the session's new head. It shows when whole sessions are deleted.
CREATE TABLE phasegate.links (
    number  bigint PRIMARY KEY,
    session text COLLATE "C" NOT NULL,
    seq     bigint NOT NULL,
    hash    bytea NOT NULL
);

-- The one row by which writers take turns, since link numbers have no gaps: the last link.
CREATE TABLE phasegate.head (
    one    integer PRIMARY KEY CHECK (one = 1),
    number bigint NOT NULL,
    hash   bytea NOT NULL
);
INSERT INTO phasegate.head VALUES (1, 0, '');

-- When something happens by itself in a live session if nobody answers: a row per timer, by the wall and by the clock
-- since boot of then. A copy of what the session says, so that what is due is found without reading any session.
CREATE TABLE phasegate.timers (
    session text COLLATE "C" NOT NULL REFERENCES phasegate.sessions (name),
    name    text COLLATE "C" NOT NULL,
    wall    double precision NOT NULL,
    boot    double precision NOT NULL,
    boot_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (session, name)
);

CREATE INDEX timers_by_boot ON phasegate.timers (boot_id, boot);
CREATE INDEX timers_by_wall ON phasegate.timers (wall, boot_id);

-- Compiled definitions, by bundle digest and engine version.
CREATE TABLE phasegate.definitions (
    key     text COLLATE "C" PRIMARY KEY,
    content text NOT NULL
);

-- What happened once to a user profile.
CREATE TABLE phasegate.occasions (
    profile  text COLLATE "C" NOT NULL,
    occasion text COLLATE "C" NOT NULL,
    PRIMARY KEY (profile, occasion)
);

-- Which store this is, and in which database: the one row tells a restored dump from the store that it was made of.
CREATE TABLE phasegate.identity (
    one   integer PRIMARY KEY CHECK (one = 1),
    id    text COLLATE "C" NOT NULL,        -- goes into the names of paid calls; another one after each adoption
    place text COLLATE "C" NOT NULL         -- cluster, database and timeline in which it was made or adopted
);

-- What the store was called before each adoption: a ledger on another host may know it by these.
CREATE TABLE phasegate.former (
    id text COLLATE "C" PRIMARY KEY
);

-- Which hosts have a ledger of this store: where one of them is gone, it was lost.
CREATE TABLE phasegate.ledgers (
    host  text COLLATE "C" NOT NULL,
    path  text COLLATE "C" NOT NULL,
    begun text COLLATE "C" NOT NULL,
    PRIMARY KEY (host, path)
);

-- Faults in the code of bundles, for their authors: no part of any journal, and gone with the session's content.
CREATE TABLE phasegate.faults (
    number  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session text COLLATE "C" NOT NULL,      -- empty for one that did not begin
    seq     bigint NOT NULL,
    state   text NOT NULL,
    time    text NOT NULL,
    kind    text NOT NULL,                  -- guard, action or check
    trace   text NOT NULL
);

CREATE INDEX faults_by_session ON phasegate.faults (session, number);

-- What people paused (scope: session, bundle or all; the name is empty for all), until somebody unpauses it.
CREATE TABLE phasegate.pauses (
    scope text COLLATE "C" NOT NULL,
    name  text COLLATE "C" NOT NULL,
    since text NOT NULL,
    who   text NOT NULL,
    why   text NOT NULL,
    PRIMARY KEY (scope, name)
);

-- When paid calls left, for limits: a row per intent (seq), except where the service certainly did not do it.
CREATE TABLE phasegate.uses (
    workflow text COLLATE "C" NOT NULL,
    action   text COLLATE "C" NOT NULL,
    sandbox  boolean NOT NULL,
    session  text COLLATE "C" NOT NULL,
    seq      bigint NOT NULL,
    wall     double precision NOT NULL,
    boot     double precision NOT NULL,
    boot_id  text COLLATE "C" NOT NULL,
    PRIMARY KEY (workflow, action, sandbox, session, seq)
);

-- Who holds a session, or a part of it, and until when by this server's clock. A name is held before its session exists.
-- The fence is never given twice: an append is refused unless the row has the one that its holder got.
CREATE TABLE phasegate.holds (
    name    text COLLATE "C" NOT NULL,
    part    text COLLATE "C" NOT NULL,
    fence   bigint NOT NULL,
    until   timestamptz NOT NULL,
    host    text NOT NULL,
    place   text NOT NULL,                  -- the boot and the namespace in which the process has its number
    process text NOT NULL,                  -- its number, its start, since when, its command without arguments
    PRIMARY KEY (name, part)
);
CREATE SEQUENCE phasegate.fences;

-- Last, so that whoever finds it finds all of the above.
CREATE TABLE phasegate.version (
    one    integer PRIMARY KEY CHECK (one = 1),
    schema integer NOT NULL
);
INSERT INTO phasegate.version VALUES (1, 1);
