-- Whose token began a session, so that lists of one owner read no others; NULL for one begun on the command line.
ALTER TABLE sessions ADD COLUMN owner TEXT;
CREATE INDEX sessions_by_owner ON sessions (owner, updated DESC, name);
