"""``workflow doctor``: whether everything is there that a run needs, and what to do about what is not."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import socket
import stat
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from workflow.bundle import find_problems, open_bundle
from workflow.cli import console
from workflow.cli.agent.mcp import SECRET as FORM_SECRET
from workflow.cli.answer import asked_json, json_option, print_json
from workflow.cli.author.skill import examine as examine_skill
from workflow.cli.author.skill import exported
from workflow.compose import bundle_folder, check_sandbox, open_engine
from workflow.engine import Engine
from workflow.history import audit
from workflow.history.adopt import survey
from workflow.history.clients import KINDS, seen
from workflow.local.approvers import Approvers
from workflow.local.clock import SystemClock
from workflow.local.private import check_folder
from workflow.local.secret import secret
from workflow.local.settings import Settings, read_settings, without_file
from workflow.local.tokens import Tokens
from workflow.machine import gates
from workflow.machine.definition import Definition
from workflow.machine.hosts import can_watch, check_host
from workflow.model.errors import BundleError, CredentialsError, StoreError, Unreachable, UsageError
from workflow.model.evidence import STRENGTHS
from workflow.model.frozen import Noun, as_dict
from workflow.model.reply import VERSION as REPLY_VERSION
from workflow.model.reply import in_one_line
from workflow.model.version import VERSION
from workflow.service.http import tls_context
from workflow.service.key import read_key
from workflow.show.times import minute
from workflow.store.connection import LIBRARY

OLDEST = (3, 11)
LITTLE, TOO_LITTLE = 256 * 1024**2, 8 * 1024**2
"""Bytes free on the disk of the store: to be warned about, and not to begin with."""
OLDEST_SQLITE = (3, 51, 3)
"""Before it a checkpoint that met a commit of another connection could corrupt the file (sqlite.org/wal.html)."""
PATIENCE = 3.0
"""Seconds until a sandbox that does not answer is given up."""
MOST_FAULTS = 5
"""Sessions that cannot go on, and are named."""
LATEST = 1000
"""Entries in which MCP clients are looked for."""
MOST, LONGEST = 1000, 5.0
"""Sessions whose journals are verified at most, and the seconds after which no other one is begun."""
OURS = "phasegate"
PACKAGE = Path(__file__).resolve().parents[2]

GOOD, WARNING, BAD = "ok", "warning", "bad"
MARKS: Mapping[str, tuple[str, str]] = {GOOD: ("✓", "green"), WARNING: ("!", "yellow"), BAD: ("✗", "red")}


class Check(Noun):
    """One thing that was looked at: ``state`` is ok, warning or bad; ``hint`` is the next step."""

    name: str
    state: str
    what: str
    hint: str = ""


@click.command(short_help="Check that all is there that a run needs.")
@json_option
def doctor(as_json: bool) -> int:
    """Check what a run needs: Python, disk, SQLite, store, configuration, bundle, key, gates, sandbox, host,
    MCP clients, exported skills, terminal.

    Nothing is created or changed, except that a key's file, tokens and a store that others could read are closed
    to them, as by any run. A file or folder that others could write is ✗ and stays as it is. Exit code 1 if
    anything is ✗; what is only marked ! can be lived with.

    \b
    Examples:
      workflow doctor
      workflow doctor --json
    """
    checks = list(examine(os.environ))
    sound = all(check.state != BAD for check in checks)
    if asked_json(as_json):
        print_json({"v": REPLY_VERSION, "ok": sound, "checks": [as_dict(check) for check in checks]})
        return 0 if sound else 1
    for check in checks:
        mark, style = MARKS[check.state]
        console.labelled(check.name, f"{mark} {check.what}", style)
        if check.hint:
            console.labelled("", f"→ {check.hint}")
    return 0 if sound else 1


def examine(environ: Mapping[str, str]) -> Iterator[Check]:
    """Each check in turn; one that raises is a line of its own, and none hides those behind it."""
    yield from _each("python", _python)
    yield Check("version", GOOD, f"Phasegate {VERSION}, in {PACKAGE}")
    yield from _each("package", _foreign)
    settings, check = _config(environ)
    yield check
    if settings.ca_file:
        yield from _each("ca_file", lambda: _ca_file(settings.ca_file))
    yield from _each("disk", lambda: _disk(settings))
    yield from _each("sqlite", _sqlite)
    yield from _each("store", lambda: examine_store(settings))
    yield from _each("secret", lambda: _secrets(settings))
    yield from _each("bundle", lambda: _bundle(settings, environ, known=check.state != BAD))
    if settings.sandbox:
        yield from _each("sandbox", lambda: _sandbox(settings))
    yield from _each("host", lambda: _host(settings))
    yield from _each("clients", lambda: _clients(settings))
    yield from _each("skill", lambda: _skills(settings))
    yield from _each("terminal", _terminal)


def _each(name: str, look: Callable[[], Check | Iterator[Check]]) -> Iterator[Check]:
    """What one check finds, up to where it raises."""
    try:
        found = look()
        yield from (found,) if isinstance(found, Check) else found
    except Exception as error:
        yield Check(name, BAD, f"this cannot be checked: {in_one_line(error)}", "Please report it.")


def _python() -> Check:
    running = f"{sys.version.split()[0]}, {sys.executable}"
    if sys.version_info < OLDEST:
        return Check("python", BAD, running, f"Python {'.'.join(map(str, OLDEST))} or later is needed.")
    return Check("python", GOOD, running)


def _foreign() -> Iterator[Check]:
    """Another distribution's package called ``workflow``: in our own folder, or elsewhere on the path."""
    others = sorted({each for each in importlib.metadata.packages_distributions().get("workflow", ()) if each != OURS})
    for name in others:
        place = Path(str(importlib.metadata.distribution(name).locate_file("workflow"))).resolve()
        hint = f"Install Phasegate with pipx or in a venv of its own, or remove {name}."
        if place == PACKAGE:
            yield Check("package", BAD, f"{name} writes into the same folder, {PACKAGE}", hint)
        else:
            yield Check("package", WARNING, f"{name} also has a package 'workflow', in {place}", hint)
    strange = [place for place in _elsewhere() if not others]
    for place in strange:
        hint = "It is not used here; a Python that starts there imports it instead. Rename it, or use a venv."
        yield Check("package", WARNING, f"another package 'workflow' is on the path: {place}", hint)
    if not others and not strange:
        yield Check("package", GOOD, "no other package is called 'workflow'")


def _elsewhere() -> list[Path]:
    folders = [Path(each or ".").resolve() for each in sys.path]
    found = [folder / name for folder in folders for name in ("workflow/__init__.py", "workflow.py")]
    return list(dict.fromkeys(each for each in found if each.is_file() and each.parent != PACKAGE))


def _config(environ: Mapping[str, str]) -> tuple[Settings, Check]:
    """The settings, or where the file cannot be used those without it."""
    try:
        settings = read_settings(environ)
    except UsageError as error:
        hint = error.hint or "Fix the file, or move it away."
        return without_file(environ), Check("config", BAD, error.message, hint)
    there = settings.file.is_file()
    return settings, Check("config", GOOD, f"{settings.file}" if there else f"none ({settings.file}); defaults apply")


def _ca_file(file: str) -> Check:
    """Whether the certificates that a connection would rely on can be relied on."""
    try:
        tls_context(file)
    except Unreachable as error:
        return Check("ca_file", BAD, error.message, error.hint)
    return _good("ca_file", file)


def _disk(settings: Settings) -> Check:
    folder = _nearest(settings.state)
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Check("disk", BAD, f"{folder}: {error.strerror}", "Choose another folder with PHASEGATE_STATE.")
    told = f"{free / 1024**3:.1f} GiB free in {folder}"
    if free < TOO_LITTLE:
        return Check("disk", BAD, told, "Free some space: nothing can be saved like this.")
    return Check("disk", WARNING, told, "Free some space before it runs out.") if free < LITTLE else _good("disk", told)


def examine_store(settings: Settings) -> Check:
    """The store that is there; one that is not yet, is not made."""
    file = settings.state / "phasegate.db"
    hint = "Choose a folder that you may write to with PHASEGATE_STATE."
    open_to = _open_to_others(settings.state)
    try:
        check_folder(settings.state)
    except StoreError as error:
        return Check("store", BAD, error.message, error.hint or hint)
    if not file.exists():
        folder = _nearest(settings.state)
        if not os.access(folder, os.W_OK | os.X_OK):
            return Check("store", BAD, f"{file} cannot be made: {folder} cannot be written", hint)
        return _good("store", f"none yet; the first start makes {file}")
    try:
        engine = open_engine(settings=settings)
        wrong = engine.world.store.check()
        told, broken = ("", []) if wrong else _verified(engine)
        live = engine.sessions(live=True, limit=MOST)
        faults = [f"{each.name}: {fault}" for each in live if (fault := _fault_of(engine, each.name))]
        behind = () if wrong else survey(engine).reasons
        engine.world.store.close()
    except StoreError as error:
        return Check("store", BAD, error.message, error.hint or hint)
    if wrong:
        again = "Keep the file and those beside it, and restore the store from a backup."
        return Check("store", BAD, f"{file} is damaged: {'; '.join(wrong)}", again)
    what = f"{file}: {told}"
    if broken:
        hint = "Restore the store from a backup, or compare with a receipt that was quoted elsewhere."
        return Check("store", BAD, f"{what}; not whole: {_first(broken)}", hint)
    if behind:
        adopt = "No paid call leaves it until a person has run `workflow-admin adopt`. Everything can be read."
        return Check("store", BAD, f"{what}; {'; '.join(behind)}", adopt)
    still = _open_to_others(settings.state)
    if still:
        return Check("store", BAD, f"{what}; others can read {still}, and that cannot be changed here", _MODES)
    if faults:
        hint = "`workflow status SESSION` says more of each; the others go on."
        return Check("store", WARNING, f"{what}, of which cannot go on: {_first(faults)}", hint)
    if open_to:
        now = "It is closed to them now; whoever could read it may know what the sessions hold."
        return Check("store", WARNING, f"{what}; others could read {open_to}", now)
    return _good("store", what)


def _fault_of(engine: Engine, name: str) -> str:
    """Why a session cannot go on; empty if it can."""
    try:
        engine.load(name)
    except Exception as error:
        return in_one_line(error)
    return ""


def _first(faults: Sequence[str]) -> str:
    more = f"; and {len(faults) - MOST_FAULTS} more" * (len(faults) > MOST_FAULTS)
    return "; ".join(faults[:MOST_FAULTS]) + more


def _verified(engine: Engine) -> tuple[str, list[str]]:
    """What the store's chain and its journals show, those of live sessions first, and each session that is not whole.

    Raises :class:`JournalTampered` for a fault of the chain.
    """
    began = time.monotonic()
    store = engine.world.store
    chain = store.verify()
    live = [each.name for each in store.sessions(live=True, limit=MOST)]
    names = dict.fromkeys([*live, *(each.name for each in store.sessions(limit=MOST))])
    done, broken = 0, []
    for name in names:
        if time.monotonic() - began > LONGEST:
            break
        done += 1
        try:
            audit.verify(engine, name)
        except Exception as error:
            broken.append(f"{name}: {in_one_line(error)}")
    took = f"{done} of {_sessions(chain.sessions)} verified in {time.monotonic() - began:.1f} s, {len(live)} live"
    rest = "" if done == chain.sessions else "; `workflow audit verify --store` verifies all"
    return f"whole at {chain.receipt}, {took}{rest}", broken


def _sessions(number: int) -> str:
    return f"{number} session{'' if number == 1 else 's'}"


def _secrets(settings: Settings) -> Iterator[Check]:
    """The tokens and the secret beside the store, where they are; what others could have written is never used."""
    tokens, kept = Tokens(settings.state), settings.state / FORM_SECRET
    looks: tuple[tuple[str, Path, Callable[[], Any]], ...] = (
        ("tokens", tokens.path, tokens.listed),
        ("secret", kept, lambda: secret(settings.state, FORM_SECRET)),
    )
    for name, file, look in looks:
        if os.path.lexists(file):
            yield _private(name, file, look)


def _private(name: str, file: Path, look: Callable[[], Any]) -> Check:
    """What came of reading a file that only its owner may read; to look closes it to others."""
    before = _mode(file)
    try:
        look()
    except StoreError as error:
        return Check(name, BAD, error.message, error.hint)
    if not _mode(file).endswith("00"):
        return Check(name, BAD, f"others can read {file}, and that cannot be changed here", _MODES)
    if not before.endswith("00"):
        return Check(name, WARNING, f"{file}: others could read it (mode {before})", "It is closed to them now.")
    return _good(name, str(file))


_MODES = "Choose a state folder on a file system that keeps modes."


def _open_to_others(folder: Path) -> str:
    """What of the store has a wider mode than its owner's, before opening it repairs that; empty if nothing has."""
    names = ("", "phasegate.db", "phasegate.db-wal", "phasegate.db-shm")
    found = {name or str(folder): _mode(folder / name) for name in names}
    return ", ".join(f"{name} (mode {mode})" for name, mode in found.items() if mode and not mode.endswith("00"))


def _sqlite() -> Check:
    """The library that keeps the store; older ones than this have lost data in a write-ahead log."""
    if tuple(map(int, LIBRARY.split("."))) < OLDEST_SQLITE:
        wanted = ".".join(map(str, OLDEST_SQLITE))
        return Check("sqlite", WARNING, LIBRARY, f"Upgrade apsw: SQLite {wanted} mends a fault in write-ahead logs.")
    return _good("sqlite", LIBRARY)


def _bundle(settings: Settings, environ: Mapping[str, str], *, known: bool) -> Iterator[Check]:
    """The bundle that a start would use, and the key of its service; gates only if the configuration is ``known``."""
    folder = bundle_folder(None, settings)
    problems = find_problems(folder)
    if problems:
        more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
        yield Check("bundle", BAD, f"{problems[0].message}{more}", "`workflow lint` shows all that is wrong with it.")
        return
    try:
        definition = open_bundle(folder).definition
    except BundleError as error:
        yield Check("bundle", BAD, error.message, error.hint)
        return
    yield _good("bundle", f"{definition.workflow}, {len(definition.states)} states, no problems, in {folder}")
    service = definition.service
    yield _key(service.key_env, service.key_file, environ, sandbox=bool(settings.sandbox))
    if known:
        yield _gates(definition, settings)
    else:
        yield Check("gates", BAD, "not known: the configuration cannot be used", "Fix the configuration first.")


def _key(env: str | None, file: str | None, environ: Mapping[str, str], *, sandbox: bool) -> Check:
    """Whether there is a key and where, and who may read its file; never a part of it."""
    home = Path(environ.get("HOME") or Path.home())
    mode = _mode(home / file[2:] if file and file.startswith("~/") else Path(file or ""))
    try:
        key = read_key(env, file, environ, home)
    except CredentialsError as error:
        missing = error.kind == "no_key"
        needless = " PHASEGATE_SANDBOX is set: sandbox sessions need none." if sandbox and missing else ""
        return Check("key", WARNING if missing else BAD, error.message, f"{error.hint}{needless}".strip())
    told = f"present, from {key.source}" + (f" (mode {mode})" if key.source != env and mode else "")
    if key.notices:
        return Check("key", WARNING, told, " ".join(key.notices))
    return _good("key", told)


def _gates(definition: Definition, settings: Settings) -> Check:
    """What the user's policy asks of the gates, and whether anybody can give it."""
    misfits = gates.misfits(definition, settings.gates)
    if misfits:
        return Check("gates", WARNING, " ".join(misfits), f"Correct [gates] in {settings.file}.")
    raised = {name: gates.needed(gate, settings.gates) for name, gate in definition.gates.items()}
    told = ", ".join(f"{name} takes '{needs}'" for name, needs in raised.items() if needs != STRENGTHS[0])
    known = Approvers(settings.file.parent, SystemClock())
    try:
        names = ", ".join(each.name for each in known.known())
    except CredentialsError as error:
        return Check("gates", BAD, error.message, error.hint)
    if not names and "proven" in raised.values():
        return Check(
            "gates", WARNING, f"{told}; nobody has a passphrase", "`workflow-admin passphrase set` chooses one."
        )
    told = (told or "all take what an agent relays") + (f"; with a passphrase: {names}" if names else "")
    if known.notices:
        return Check("gates", WARNING, told, " ".join(known.notices))
    return _good("gates", told)


def _sandbox(settings: Settings) -> Check:
    hint = "Start one with `workflow sandbox`, or unset PHASEGATE_SANDBOX."
    try:
        parts = urllib.parse.urlsplit(check_sandbox(settings.sandbox))
    except UsageError as error:
        return Check("sandbox", BAD, error.message, error.hint)
    try:
        with socket.create_connection((str(parts.hostname), int(parts.port or 80)), timeout=PATIENCE):
            return _good("sandbox", f"{settings.sandbox} answers")
    except OSError as error:
        return Check("sandbox", BAD, f"{settings.sandbox} does not answer: {error.strerror or error}", hint)


def _host(settings: Settings) -> Check:
    try:
        check_host(settings.host)
    except UsageError as error:
        source = settings.sources.get("host", "")
        return Check("host", BAD, f"{error.message}, from {source}", error.hint)
    if can_watch(settings.host):
        return _good("host", f"{settings.host}: it can watch a run in the background")
    return _good("host", f"{settings.host}: it watches nothing by itself; runs are looked at on request")


def _clients(settings: Settings) -> Check:
    """Whether the MCP clients of the latest sessions put questions to the person, as the logs have it."""
    none = _good("clients", "no MCP client seen yet")
    if not (settings.state / "phasegate.db").exists():
        return none
    try:
        engine = open_engine(settings=settings)
        found = seen(engine.world.store.log(kinds=KINDS, limit=LATEST))
        engine.world.store.close()
    except StoreError as error:
        return Check("clients", WARNING, f"not known: {error.message}", error.hint or "See the store above.")
    return (
        _good("clients", "; ".join(f"{each.name}: {each.what} ({minute(each.at)} UTC)" for each in found))
        if found
        else none
    )


def _skills(settings: Settings) -> Iterator[Check]:
    """Each skill that was exported and is still there, and whether it is still that of its bundle."""
    for folder in exported(settings):
        try:
            found = examine_skill(folder, settings)
        except (BundleError, UsageError) as error:
            yield Check("skill", WARNING, error.message, error.hint or "Write it anew, or remove it.")
            continue
        told = f"{found.folder}: {found.standing}"
        yield _good("skill", told) if found.standing == "current" else Check("skill", WARNING, told, found.hint)


def _terminal() -> Check:
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    if not console.on_terminal():
        return _good("terminal", "stdout is none: commands answer with JSON")
    told = f"{console.width()} columns, {sys.stdout.encoding}"
    if encoding != "utf8":
        return Check("terminal", WARNING, told, "Set LANG to a UTF-8 locale, such as C.UTF-8: texts may need it.")
    return _good("terminal", told)


def _good(name: str, what: str) -> Check:
    return Check(name, GOOD, what)


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return next((each for each in (folder, *folder.parents) if each.exists()), Path("/"))


def _mode(file: Path) -> str:
    try:
        return f"{stat.S_IMODE(file.stat().st_mode):03o}"
    except OSError:
        return ""
