"""A whole database at one instant: verified, copied, and one session of it with all that is stored of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from workflow.local.private import new_file, unusable
from workflow.model.errors import JournalTampered, StoreError
from workflow.model.ports import Chain, Record, Summary
from workflow.model.surface import Machine
from workflow.store import read_snapshot, statements
from workflow.store.chain import check_chain
from workflow.store.connection import RESTORE, Connection, check_schema, fetch_all, open_file, translated
from workflow.store.identity import mark_copy
from workflow.store.verification import check_record


def copy(connection: Connection, path: Path) -> Chain:
    """Make a new file, mark it as a copy, and verify it with every session in it.

    It gets its name at the end, so that whoever finds it finds all of it and its mark.
    """
    if os.path.lexists(path):
        raise StoreError(f"{path} is there already", "Name a file that is not; nothing was changed.")
    partial = path.with_name(f".{path.name}.{os.urandom(4).hex()}.partial")
    new_file(partial)
    try:
        chain = _fill(connection, partial)
        os.rename(partial, path)
        return chain
    except OSError as error:
        raise unusable(path, error) from error
    finally:
        partial.unlink(missing_ok=True)


def _fill(connection: Connection, path: Path) -> Chain:
    with translated(path):
        copy = open_file(path)
        try:
            with copy.backup("main", connection, "main") as progress:
                progress.step()
            found = [str(row[0]) for row in fetch_all(copy, "PRAGMA integrity_check(20)")]
            if found != ["ok"]:
                hint = Machine("Run `workflow doctor`; the copy was removed.")
                raise StoreError(f"the copy of the store is damaged: {'; '.join(found)}", hint)
            chain = verified(copy, path)
            for row in fetch_all(copy, statements.RECORDS):
                check_record(record_of(copy, row))
            mark_copy(copy)
            return chain
        finally:
            copy.close()


def verified(connection: Connection, path: Path, expect_head: str | None = None) -> Chain:
    """The chain of a store, compared with everything that it names."""
    check_schema(connection, path)
    if fetch_all(connection, statements.ORPHANS):
        raise JournalTampered("the store holds entries of a session that was deleted", 0, RESTORE)
    found = fetch_all(connection, statements.LINKS)
    links = ((number, name, seq, link.hex(), head and head.hex()) for number, name, seq, link, head in found)
    return check_chain(links, fetch_all(connection, statements.ENDS), expect_head)


def record_of(connection: Connection, row: Any) -> Record:
    """All that is stored of the session in this row of ``statements.RECORD``, within the caller's transaction."""
    name = row[0]
    *summary, seq, head, snapshot = row
    entries = tuple(statements.following(fetch_all(connection, statements.ENTRIES, name, 0, -1)))
    turns = dict(fetch_all(connection, statements.TURNS, name))
    session = read_snapshot(name, snapshot, trusted=False)
    definitions = definitions_of(connection, session.bundle)
    timers = tuple(fetch_all(connection, statements.TIMERS, name))
    return Record(Summary(*summary), seq, head, session, snapshot, entries, turns, definitions, timers)


def definitions_of(connection: Connection, bundle: str) -> tuple[str, ...]:
    """The compiled definitions of a bundle, one per engine that compiled it."""
    first, end = f"{bundle}:", f"{bundle};"  # which follows the colon in ASCII
    return tuple(str(row[0]) for row in fetch_all(connection, statements.DEFINITIONS, first, end))
