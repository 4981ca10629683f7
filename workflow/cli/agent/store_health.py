"""Whether the store is whole, whether its sessions can go on, and whether its files are closed to others."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from workflow.cli.agent.check import BAD, WARNING, Check, good, mode_of, nearest
from workflow.cli.agent.mcp import SECRET as FORM_SECRET
from workflow.compose import open_reader, open_view
from workflow.engine import View
from workflow.history import audit
from workflow.history.adopt import survey
from workflow.local.private import check_folder
from workflow.local.secret import secret
from workflow.local.settings import Settings
from workflow.local.tokens import Tokens
from workflow.model.errors import StoreError
from workflow.model.frozen import Noun
from workflow.model.reply import in_one_line
from workflow.show.times import age, size
from workflow.store.connection import DATABASE
from workflow.store.ledger import BESIDE

if TYPE_CHECKING:
    from workflow.store.postgres.queries import PostgresReader

OLD = "90d"
"""The age from which on sessions that have ended are worth to be named."""
MOST_FAULTS = 5
"""Sessions that cannot go on, and are named."""
MOST, LONGEST = 1000, 5.0
"""Sessions whose journals are verified at most, and the seconds after which no other one is begun."""


def examine_store(settings: Settings) -> Check:
    """The store that is there; one that is not yet, is not made."""
    if settings.store:
        return _examine_database(settings)
    file = settings.state_folder / "phasegate.db"
    hint = "Choose a folder that you may write to with PHASEGATE_STATE."
    open_to = _open_to_others(settings.state_folder)
    try:
        view = open_view(settings=settings)
        if not file.exists():
            return _none_yet(settings.state_folder, file, hint)
        wrong = view.store.check()
        found = None if wrong else _look_through(view)
        behind = () if wrong else survey(view).reasons
        view.store.close()
    except StoreError as error:
        return Check("store", BAD, error.message, error.hint or hint)
    if found is None:
        again = "Keep the file and those beside it, and restore the store from a backup."
        return Check("store", BAD, f"{file} is damaged: {'; '.join(wrong)}", again)
    what = f"{file}: {found.told}"
    if found.broken:
        hint = "Restore the store from a backup, or compare with a receipt that was quoted elsewhere."
        return Check("store", BAD, f"{what}; not whole: {_first(found.broken)}", hint)
    unwritable = _unwritable(settings.state_folder)
    if unwritable:
        told = f"{what}; it can be read, and no turn can be saved: {unwritable.message}"
        return Check("store", BAD, told, unwritable.hint or hint)
    if behind:
        adopt = "No paid call leaves it until a person has run `workflow-admin adopt`. Everything can be read."
        return Check("store", BAD, f"{what}; {'; '.join(behind)}", adopt)
    if found.stuck:
        hint = "`workflow status SESSION` says more of each; the others go on."
        return Check("store", WARNING, f"{what}, of which cannot go on: {_first(found.stuck)}", hint)
    if open_to:
        now = "The next turn closes it to them; whoever could read it may know what the sessions hold."
        return Check("store", WARNING, f"{what}; others can read {open_to}", now)
    return good("store", what)


def examine_size(settings: Settings) -> Iterator[Check]:
    """How large the store and its ledgers are, how many sessions it has and since when, and what could be erased."""
    folder = settings.state_folder
    if not (folder / DATABASE).exists():
        return
    files = {"database": folder / DATABASE, "log": folder / f"{DATABASE}-wal", "ledger": folder / BESIDE}
    files |= {"second ledger": Path(settings.ledger)} if settings.ledger else {}
    sizes = ", ".join(f"{name} {size(each.stat().st_size)}" for name, each in files.items() if each.exists())
    view = open_view(settings=settings)
    with closing(view.store) as store:
        count, oldest = store.count()
        over = store.over(age(OLD, view.world.clock.now().wall))
    since = f", the oldest of {oldest[:10]}" if oldest else ""
    told = f"{sizes}; {_sessions(count)}{since}"
    if over:
        erases = f"`workflow-admin prune --older-than {OLD}` would erase {size(sum(each.size for each in over))}"
        told += f"; {erases} of {_sessions(len(over))}"
    yield good("size", told)


def _examine_database(settings: Settings) -> Check:
    """The database that holds the store, and whether turns can be taken and paid calls can leave from this host."""
    try:
        with closing(cast("PostgresReader", open_reader(settings))) as reader:
            view = open_view(reader=reader, settings=settings)
            what = f"{reader.shown}: {reader.described()}"
            wrong = reader.check()
            found = None if wrong else _look_through(view)
            behind = () if wrong else survey(view).reasons
    except StoreError as error:
        return Check("store", BAD, error.message, error.hint)
    if found is None:
        hint = "Set the server right, or restore the database from a backup: docs/postgres.md says which."
        return Check("store", BAD, f"{what}; {'; '.join(wrong)}", hint)
    what = f"{what}; {found.told}"
    if found.broken:
        hint = "Restore the database from a backup, or compare with a receipt that was quoted elsewhere."
        return Check("store", BAD, f"{what}; not whole: {_first(found.broken)}", hint)
    if behind:
        adopt = (
            "No paid call leaves this host until a person has run `workflow-admin adopt` here. Everything can be read."
        )
        return Check("store", BAD, f"{what}; {'; '.join(behind)}", adopt)
    if found.stuck:
        hint = "`workflow status SESSION` says more of each; the others go on."
        return Check("store", WARNING, f"{what}, of which cannot go on: {_first(found.stuck)}", hint)
    return good("store", what)


def _none_yet(folder: Path, file: Path, hint: str) -> Check:
    check_folder(folder)
    above = nearest(folder)
    if not os.access(above, os.W_OK | os.X_OK):
        return Check("store", BAD, f"{file} cannot be made: {above} cannot be written", hint)
    return good("store", f"none yet; the first start makes {file}")


def _unwritable(folder: Path) -> StoreError | None:
    """Why no turn could be saved, as far as can be told without writing."""
    try:
        check_folder(folder)
    except StoreError as error:
        return error
    for path in (folder, *folder.glob("phasegate.db*"), folder / "holds", folder / "writers.lock"):
        if path.exists() and not os.access(path, os.W_OK):
            why = "is on a file system that is read-only" if _is_read_only(path) else "cannot be written by you"
            return StoreError(f"{path} {why}", "Make it writable, or choose another folder with PHASEGATE_STATE.")
    return None


def _is_read_only(path: Path) -> bool:
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def _first(faults: Sequence[str]) -> str:
    more = f"; and {len(faults) - MOST_FAULTS} more" * (len(faults) > MOST_FAULTS)
    return "; ".join(faults[:MOST_FAULTS]) + more


class _Found(Noun):
    """What one pass over the sessions found: each that is not whole, and each that cannot go on, with its reason."""

    told: str
    broken: tuple[str, ...]
    stuck: tuple[str, ...]


def _look_through(view: View) -> _Found:
    """Verify the store's chain and the journals, those of live sessions first, and load each live session.

    Raises :class:`JournalTampered` for a fault of the chain.
    """
    began, store = time.monotonic(), view.store
    chain = store.verify()
    live = dict.fromkeys(each.name for each in store.sessions(live=True, limit=MOST))
    verified, broken, stuck = 0, list[str](), list[str]()
    for name in dict.fromkeys([*live, *(each.name for each in store.sessions(limit=MOST))]):
        in_time = time.monotonic() - began <= LONGEST
        if not in_time and name not in live:
            break
        if in_time:
            verified += 1
            broken += _fault(audit.verify, view, name)
        if name in live:
            stuck += _fault(View.load, view, name)
    took = f"{verified} of {_sessions(chain.sessions)} verified in {time.monotonic() - began:.1f} s, {len(live)} live"
    rest = "" if verified == chain.sessions else "; `workflow audit verify --store` verifies all"
    return _Found(f"whole at {chain.receipt}, {took}{rest}", tuple(broken), tuple(stuck))


def _fault(look: Callable[[View, str], object], view: View, name: str) -> list[str]:
    """The session's name with what the look raised; empty if it raised nothing."""
    try:
        look(view, name)
    except Exception as error:
        return [f"{name}: {in_one_line(error)}"]
    return []


def _sessions(number: int) -> str:
    return f"{number} session{'' if number == 1 else 's'}"


def examine_secrets(settings: Settings) -> Iterator[Check]:
    """The tokens and the store's secret, where they exist; a file that others could have written is never used."""
    tokens, kept = Tokens(settings.own_folder), settings.state_folder / FORM_SECRET
    looks: tuple[tuple[str, Path, Callable[[], Any]], ...] = (
        ("tokens", tokens.path, tokens.listed),
        ("secret", kept, lambda: secret(settings.state_folder, FORM_SECRET)),
    )
    for name, file, look in looks:
        if os.path.lexists(file):
            yield _private(name, file, look)


def _private(name: str, file: Path, look: Callable[[], Any]) -> Check:
    """What came of reading a file that only its owner may read; to look closes it to others."""
    before = mode_of(file)
    try:
        look()
    except StoreError as error:
        return Check(name, BAD, error.message, error.hint)
    if not mode_of(file).endswith("00"):
        return Check(name, BAD, f"others can read {file}, and that cannot be changed here", _MODES)
    if not before.endswith("00"):
        return Check(name, WARNING, f"{file}: others could read it (mode {before})", "It is closed to them now.")
    return good(name, str(file))


_MODES = "Move its folder to a file system that keeps modes, and name that with PHASEGATE_STATE or PHASEGATE_CONFIG."


def _open_to_others(folder: Path) -> str:
    """What of the store has a wider mode than its owner's, until a turn repairs that; empty if nothing has."""
    names = ("", "phasegate.db", "phasegate.db-wal", "phasegate.db-shm")
    found = {name or str(folder): mode_of(folder / name) for name in names}
    return ", ".join(f"{name} (mode {mode})" for name, mode in found.items() if mode and not mode.endswith("00"))
