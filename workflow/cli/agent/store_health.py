"""Whether the store is whole, whether its sessions can go on, and whether its files are closed to others."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from workflow.cli.agent.check import BAD, WARNING, Check, good, mode_of, nearest
from workflow.cli.agent.mcp import SECRET as FORM_SECRET
from workflow.compose import open_engine
from workflow.engine import Engine
from workflow.history import audit
from workflow.history.adopt import survey
from workflow.local.private import check_folder
from workflow.local.secret import secret
from workflow.local.settings import Settings
from workflow.local.tokens import Tokens
from workflow.model.errors import StoreError
from workflow.model.frozen import Noun
from workflow.model.ports import Store
from workflow.model.reply import in_one_line

MOST_FAULTS = 5
"""Sessions that cannot go on, and are named."""
MOST, LONGEST = 1000, 5.0
"""Sessions whose journals are verified at most, and the seconds after which no other one is begun."""


def examine_store(settings: Settings) -> Check:
    """The store that is there; one that is not yet, is not made."""
    file = settings.state_folder / "phasegate.db"
    hint = "Choose a folder that you may write to with PHASEGATE_STATE."
    open_to = _open_to_others(settings.state_folder)
    try:
        check_folder(settings.state_folder)
    except StoreError as error:
        return Check("store", BAD, error.message, error.hint or hint)
    if not file.exists():
        folder = nearest(settings.state_folder)
        if not os.access(folder, os.W_OK | os.X_OK):
            return Check("store", BAD, f"{file} cannot be made: {folder} cannot be written", hint)
        return good("store", f"none yet; the first start makes {file}")
    try:
        engine = open_engine(settings=settings)
        store = engine.world.store
        wrong = store.check()
        found = None if wrong else _look_through(store, engine)
        behind = () if wrong else survey(engine).reasons
        store.close()
    except StoreError as error:
        return Check("store", BAD, error.message, error.hint or hint)
    if found is None:
        again = "Keep the file and those beside it, and restore the store from a backup."
        return Check("store", BAD, f"{file} is damaged: {'; '.join(wrong)}", again)
    what = f"{file}: {found.told}"
    if found.broken:
        hint = "Restore the store from a backup, or compare with a receipt that was quoted elsewhere."
        return Check("store", BAD, f"{what}; not whole: {_first(found.broken)}", hint)
    if behind:
        adopt = "No paid call leaves it until a person has run `workflow-admin adopt`. Everything can be read."
        return Check("store", BAD, f"{what}; {'; '.join(behind)}", adopt)
    still = _open_to_others(settings.state_folder)
    if still:
        return Check("store", BAD, f"{what}; others can read {still}, and that cannot be changed here", _MODES)
    if found.stuck:
        hint = "`workflow status SESSION` says more of each; the others go on."
        return Check("store", WARNING, f"{what}, of which cannot go on: {_first(found.stuck)}", hint)
    if open_to:
        now = "It is closed to them now; whoever could read it may know what the sessions hold."
        return Check("store", WARNING, f"{what}; others could read {open_to}", now)
    return good("store", what)


def _first(faults: Sequence[str]) -> str:
    more = f"; and {len(faults) - MOST_FAULTS} more" * (len(faults) > MOST_FAULTS)
    return "; ".join(faults[:MOST_FAULTS]) + more


class _Found(Noun):
    """What one pass over the sessions found: each that is not whole, and each that cannot go on, with its reason."""

    told: str
    broken: tuple[str, ...]
    stuck: tuple[str, ...]


def _look_through(store: Store, engine: Engine) -> _Found:
    """Verify the store's chain and the journals, those of live sessions first, and load each live session.

    Raises :class:`JournalTampered` for a fault of the chain.
    """
    began = time.monotonic()
    chain = store.verify()
    live = dict.fromkeys(each.name for each in store.sessions(live=True, limit=MOST))
    verified, broken, stuck = 0, list[str](), list[str]()
    for name in dict.fromkeys([*live, *(each.name for each in store.sessions(limit=MOST))]):
        in_time = time.monotonic() - began <= LONGEST
        if not in_time and name not in live:
            break
        if in_time:
            verified += 1
            broken += _fault(audit.verify, engine, name)
        if name in live:
            stuck += _fault(Engine.load, engine, name)
    took = f"{verified} of {_sessions(chain.sessions)} verified in {time.monotonic() - began:.1f} s, {len(live)} live"
    rest = "" if verified == chain.sessions else "; `workflow audit verify --store` verifies all"
    return _Found(f"whole at {chain.receipt}, {took}{rest}", tuple(broken), tuple(stuck))


def _fault(look: Callable[[Engine, str], object], engine: Engine, name: str) -> list[str]:
    """The session's name with what the look raised; empty if it raised nothing."""
    try:
        look(engine, name)
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
    """What of the store has a wider mode than its owner's, before opening it repairs that; empty if nothing has."""
    names = ("", "phasegate.db", "phasegate.db-wal", "phasegate.db-shm")
    found = {name or str(folder): mode_of(folder / name) for name in names}
    return ", ".join(f"{name} (mode {mode})" for name, mode in found.items() if mode and not mode.endswith("00"))
