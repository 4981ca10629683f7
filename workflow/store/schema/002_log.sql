-- The log of all sessions, in the order of its times; the kinds are in it, so that others are passed over unread.
CREATE INDEX entries_by_time ON entries (time, session, seq, kind);
