"""What is asked of the database; no text of a person is ever part of a statement.

Every name has its schema: which schemas are searched is a setting of a connection, and those are not relied on.
"""

from __future__ import annotations

_PRINTABLE = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
_LOWER = f"translate({{}}, '{_PRINTABLE[0]}', '{_PRINTABLE[1]}')"
_SUMMARY = "name, workflow, state, status, revision, created, updated, owner, sandbox, about"
_ENTRY = "SELECT session, seq, kind, time, digest, hash, body"
_BEFORE = """(
    SELECT hash FROM phasegate.entries b WHERE b.session = entries.session AND b.seq = entries.seq - 1
)"""
_ENTRY_LINKED = f"{_ENTRY}, {_BEFORE} FROM phasegate.entries"

# --- sessions ----------------------------------------------------------------------------------

SNAPSHOT = """
    SELECT snapshot, s.seq, head, e.seq, e.kind, e.time, e.digest, e.hash, e.body,
        (SELECT hash FROM phasegate.entries b WHERE b.session = s.name AND b.seq = e.seq - 1)
    FROM phasegate.sessions s LEFT JOIN phasegate.entries e ON e.session = s.name
    WHERE s.name = %s ORDER BY e.seq DESC NULLS LAST LIMIT 1
"""
ORPHAN = "SELECT 1 FROM phasegate.entries WHERE session = %s LIMIT 1"
STORED = """
    SELECT seq, head, (SELECT max(seq) FROM phasegate.entries WHERE session = name)
    FROM phasegate.sessions WHERE name = %s
"""
INSERT_SESSION = """
    INSERT INTO phasegate.sessions (workflow, state, status, revision, seq, head, updated, snapshot, about, name,
        created, owner, sandbox)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
UPDATE_SESSION = """
    UPDATE phasegate.sessions SET workflow = %s, state = %s, status = %s, revision = %s, seq = %s, head = %s,
        updated = %s, snapshot = %s, about = %s
    WHERE name = %s
"""
LISTED = f"""
    SELECT {_SUMMARY}, (SELECT min(wall) FROM phasegate.timers t WHERE t.session = s.name) FROM phasegate.sessions s
    WHERE (NOT %(live)s OR status NOT IN ('done', 'cancelled', 'failed'))
        AND (%(state)s = '' OR state = %(state)s OR starts_with(state, %(state)s || '.'))
        AND (%(status)s = '' OR status = %(status)s)
        AND (%(owner)s = '' OR owner = %(owner)s)
        AND (%(search)s = '' OR strpos(name, %(search)s) > 0 OR strpos(state, %(search)s) > 0
            OR strpos({_LOWER.format("about")}, {_LOWER.format("%(search)s::text")}) > 0)
    ORDER BY updated DESC, name LIMIT %(limit)s OFFSET %(offset)s
"""
RECORDS = f"SELECT {_SUMMARY}, seq, head, snapshot FROM phasegate.sessions"
RECORD = f"{RECORDS} WHERE name = %s"
COUNT = "SELECT count(*), min(created) FROM phasegate.sessions"
OVER = """
    SELECT name, status, updated, octet_length(snapshot)
        + (SELECT coalesce(sum(octet_length(body)), 0)::bigint FROM phasegate.entries WHERE session = name)
    FROM phasegate.sessions s WHERE updated < %s AND status IN ('done', 'cancelled', 'failed')
        AND (SELECT kind FROM phasegate.entries e WHERE e.session = s.name AND e.seq = s.seq) <> 'forgotten'
    ORDER BY updated, name
"""
TIMERS = "SELECT name, wall, boot, boot_id FROM phasegate.timers WHERE session = %s ORDER BY name"
DROP_TIMERS = "DELETE FROM phasegate.timers WHERE session = %s"
KEEP_TIMER = "INSERT INTO phasegate.timers VALUES (%s, %s, %s, %s, %s)"
DUE = """
    SELECT name, seq FROM phasegate.sessions JOIN (
        SELECT session FROM phasegate.timers WHERE boot_id = %(boot_id)s AND boot <= %(boot)s
        UNION SELECT session FROM phasegate.timers WHERE wall <= %(wall)s AND boot_id <> %(boot_id)s
    ) AS found ON session = name ORDER BY name
"""
"""Within one boot by the clock that nobody can set; of other boots, and of other hosts, only the wall can tell."""
MISSING = """
    SELECT name FROM unnest(%s::text[]) AS name
    WHERE name NOT IN (SELECT name FROM phasegate.sessions) ORDER BY name
"""

# --- journals ----------------------------------------------------------------------------------

INSERT_ENTRY = """
    INSERT INTO phasegate.entries (session, seq, kind, time, digest, hash, turn, body)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
ENTRIES = f"{_ENTRY} FROM phasegate.entries WHERE session = %s AND seq > %s ORDER BY seq LIMIT %s"
HASH = "SELECT hash FROM phasegate.entries WHERE session = %s AND seq = %s"
TURN = f"{_ENTRY_LINKED} WHERE session = %s AND turn = %s"
START = f"{_ENTRY_LINKED} WHERE kind = 'started' AND turn = %s"
REPLY = f"{_ENTRY_LINKED} WHERE kind = 'reply' AND session = %s AND seq > %s ORDER BY seq LIMIT 1"
TURNS = "SELECT seq, turn FROM phasegate.entries WHERE session = %s AND turn IS NOT NULL"
_NEWEST = "ORDER BY time DESC, session DESC, seq DESC LIMIT %(limit)s"
LOG = f"{_ENTRY_LINKED} WHERE time >= %(since)s {_NEWEST}"
LOG_OF = f"{_ENTRY_LINKED} WHERE time >= %(since)s AND kind = ANY(%(kinds)s) {_NEWEST}"
ERASE = "UPDATE phasegate.entries SET body = NULL, turn = NULL WHERE session = %s AND seq < %s"
ERASE_FAULTS = "DELETE FROM phasegate.faults WHERE session = %s"
INTENTS = "SELECT session, seq, hash, time, body FROM phasegate.entries WHERE kind = 'intent' ORDER BY 4, 1, 2"
INTENTS_OF = "SELECT seq, hash FROM phasegate.entries WHERE session = %s AND kind = 'intent'"

# --- the chain of the store --------------------------------------------------------------------

HEAD = "SELECT number, hash FROM phasegate.head FOR UPDATE"
MOVE_HEAD = "UPDATE phasegate.head SET number = %s, hash = %s"
INSERT_LINK = "INSERT INTO phasegate.links VALUES (%s, %s, %s, %s)"
LINKS = """
    SELECT number, l.session, l.seq, l.hash, e.hash
    FROM phasegate.links l LEFT JOIN phasegate.entries e ON e.session = l.session AND e.seq = l.seq ORDER BY number
"""
LAST = "SELECT number, hash FROM phasegate.head"
ENDS = """
    SELECT name, s.seq, head, max(e.seq), count(e.seq)
    FROM phasegate.sessions s LEFT JOIN phasegate.entries e ON e.session = name GROUP BY name ORDER BY name
"""
ORPHANS = """
    SELECT session FROM phasegate.entries e
    WHERE NOT EXISTS (SELECT 1 FROM phasegate.sessions WHERE name = e.session) LIMIT 1
"""

# --- what stands beside the journals -----------------------------------------------------------

DEFINITION = "SELECT content FROM phasegate.definitions WHERE key = %s"
KEEP_DEFINITION = "INSERT INTO phasegate.definitions VALUES (%s, %s) ON CONFLICT DO NOTHING"
DEFINITIONS = "SELECT content FROM phasegate.definitions WHERE starts_with(key, %s) ORDER BY key"
ALL_DEFINITIONS = "SELECT key, content FROM phasegate.definitions ORDER BY key"
OCCASION = "SELECT 1 FROM phasegate.occasions WHERE profile = %s AND occasion = %s"
KEEP_OCCASION = "INSERT INTO phasegate.occasions VALUES (%s, %s) ON CONFLICT DO NOTHING"
_FAULTS = "SELECT session, seq, state, time, kind, trace FROM phasegate.faults"
FAULTS = f"{_FAULTS} WHERE session = %s ORDER BY number"
ALL_FAULTS = f"{_FAULTS} ORDER BY number"
KEEP_FAULT = """
    INSERT INTO phasegate.faults (session, seq, state, time, kind, trace) VALUES (%s, %s, %s, %s, %s, %s)
"""
DROP_FAULTS = """
    DELETE FROM phasegate.faults WHERE session = %s AND number NOT IN (
        SELECT number FROM phasegate.faults WHERE session = %s ORDER BY number DESC LIMIT %s
    )
"""
PAUSES = "SELECT scope, name, since, who, why FROM phasegate.pauses ORDER BY scope, name"
PAUSE = "INSERT INTO phasegate.pauses VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
UNPAUSE = "DELETE FROM phasegate.pauses WHERE scope = %s AND name = %s"
_LIKE = "workflow = %(workflow)s AND action = %(action)s AND sandbox = %(sandbox)s"
USES = f"""
    SELECT wall, boot, boot_id FROM phasegate.uses WHERE {_LIKE}
        AND (boot_id = %(boot_id)s AND boot > %(boot)s - %(per)s
            OR boot_id <> %(boot_id)s AND wall > %(wall)s - %(per)s)
"""
RESTART_USES = f"""
    UPDATE phasegate.uses SET wall = %(wall)s, boot = %(boot)s, boot_id = %(boot_id)s
    WHERE {_LIKE} AND boot_id <> %(boot_id)s AND wall > %(wall)s
"""
ADD_USE = """
    INSERT INTO phasegate.uses VALUES (%(workflow)s, %(action)s, %(sandbox)s, %(session)s, %(seq)s, %(wall)s, %(boot)s,
        %(boot_id)s)
"""
DROP_USE = f"DELETE FROM phasegate.uses WHERE {_LIKE} AND session = %(session)s AND seq = %(seq)s"

# --- which store it is -------------------------------------------------------------------------

PLACE = """
    SELECT system_identifier::text || '/' || (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
        || '/' || CASE WHEN pg_is_in_recovery() THEN 'standby'
            ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END
    FROM pg_control_system()
"""
"""The cluster, the database, and the timeline, which each promotion and each restore to an earlier time changes."""
IDENTITY = "SELECT id, place FROM phasegate.identity"
KEEP_IDENTITY = "INSERT INTO phasegate.identity VALUES (1, %s, %s)"
ADOPT = "UPDATE phasegate.identity SET id = %s, place = %s"
KEEP_FORMER = "INSERT INTO phasegate.former VALUES (%s)"
FORMER = "SELECT id FROM phasegate.former"
LEDGER = "SELECT 1 FROM phasegate.ledgers WHERE host = %s AND path = %s"
KEEP_LEDGER = "INSERT INTO phasegate.ledgers VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
SERVER = """
    SELECT current_setting('server_version'), (SELECT count(*) FROM pg_stat_replication),
        current_setting('synchronous_standby_names') <> ''
"""
DURABLE = """
    SELECT current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit')
"""

# --- holds -------------------------------------------------------------------------------------

_LEASE = "clock_timestamp() + make_interval(secs => %(lease)s)"
TAKE = f"""
    INSERT INTO phasegate.holds AS h
    VALUES (%(name)s, %(part)s, nextval('phasegate.fences'), {_LEASE}, %(host)s, %(place)s, %(process)s)
    ON CONFLICT (name, part) DO UPDATE SET fence = EXCLUDED.fence, until = EXCLUDED.until, host = EXCLUDED.host,
        place = EXCLUDED.place, process = EXCLUDED.process
    WHERE h.until < clock_timestamp() OR h.fence = %(dead)s
    RETURNING fence
"""
"""Another's row is replaced only after its time, or if it has the fence ``dead``, whose holder is known to be gone."""
RENEW = f"""
    UPDATE phasegate.holds SET until = greatest(until, {_LEASE})
    WHERE name = %(name)s AND part = %(part)s AND fence = %(fence)s
"""
KEEP = f"""
    UPDATE phasegate.holds SET until = {_LEASE} WHERE name = %(name)s AND part = %(part)s AND fence = %(fence)s
"""
"""With each append: that nobody took over is found out, and stays so until the commit."""
RELEASE = "DELETE FROM phasegate.holds WHERE name = %(name)s AND part = %(part)s AND fence = %(fence)s"
HOLDER = """
    SELECT host, place, process, fence FROM phasegate.holds
    WHERE name = %s AND part = %s AND until >= clock_timestamp()
"""
