"""``workflow doctor``: whether everything is there that a run needs, and what to do about what is not."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from workflow.bundle import find_problems, open_bundle
from workflow.cli import console
from workflow.cli.agent.check import BAD, GOOD, WARNING, Check, good, mode_of, nearest
from workflow.cli.agent.role_holders import examine_roles
from workflow.cli.agent.store_health import examine_secrets, examine_size, examine_store
from workflow.cli.answer import json_option, print_json
from workflow.cli.author.skill import examine as examine_skill
from workflow.cli.author.skill import exported
from workflow.compose import bundle_folder, check_sandbox, open_view, sandbox_command
from workflow.engine.limits import left
from workflow.engine.sandboxes import sandboxes
from workflow.history.clients import KINDS, seen
from workflow.local.approvers import Approvers
from workflow.local.clock import SystemClock
from workflow.local.network import ignored
from workflow.local.paths import at_home, home_folder
from workflow.local.settings import Settings, read_settings, without_file
from workflow.machine import gates
from workflow.machine.brakes import misfits, told
from workflow.machine.definition import Definition, Service
from workflow.machine.hosts import can_watch, check_host
from workflow.model.errors import BundleError, CredentialsError, StoreError, Unreachable, UsageError
from workflow.model.evidence import BY_THEMSELVES, SIGNED, STRENGTHS, WORTH
from workflow.model.frozen import as_dict
from workflow.model.reply import VERSION as REPLY_VERSION
from workflow.model.reply import in_one_line
from workflow.model.version import VERSION
from workflow.service.http import tls_context
from workflow.service.key import read_key
from workflow.service.probe import listens
from workflow.show.times import minute
from workflow.store.connection import LIBRARY

OLDEST = (3, 11)
LITTLE, TOO_LITTLE = 256 * 1024**2, 8 * 1024**2
"""Bytes free on the disk of the store: to be warned about, and not to begin with."""
OLDEST_SQLITE = (3, 51, 3)
"""Before it a checkpoint that met a commit of another connection could corrupt the file (sqlite.org/wal.html)."""
LATEST = 1000
"""Entries in which MCP clients are looked for."""
LATEST_LIVE = 100
"""Live sessions whose sandboxes are asked for."""
OURS = "phasegate"
PACKAGE = Path(__file__).resolve().parents[2]

MARKS: Mapping[str, tuple[str, str]] = {GOOD: ("✓", "green"), WARNING: ("!", "yellow"), BAD: ("✗", "red")}


@click.command(short_help="Check that all is there that a session needs.")
@json_option
def doctor(as_json: bool) -> int:
    """Check what a run needs: Python, disk, SQLite, store and its size, configuration, bundle, key, gates, roles,
    pauses and limits, network, sandbox, host, MCP clients, exported skills, terminal.

    Nothing is created or changed, except that a key's file and tokens that others could read are closed to them, as
    by any turn. A file or folder that others could write is ✗ and stays as it is. Exit code 1 if
    anything is ✗; what is only marked ! can be lived with.

    \b
    Examples:
      workflow doctor
      workflow doctor --json
    """
    checks = list(examine(os.environ))
    sound = all(check.state != BAD for check in checks)
    if as_json:
        print_json({"v": REPLY_VERSION, "ok": sound, "checks": [as_dict(check) for check in checks]})
        return 0 if sound else 1
    for check in checks:
        mark, style = MARKS[check.state]
        console.labelled(check.name, f"{mark} {check.what}", style)
        if check.hint:
            console.labelled("", f"→ {check.hint}")
    return 0 if sound else 1


def examine(environ: Mapping[str, str]) -> Iterator[Check]:
    """Each check in turn; one that raises is a line of its own, and none hides those after it."""
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
    yield from _each("size", lambda: examine_size(settings))
    yield from _each("secret", lambda: examine_secrets(settings))
    yield from _each("bundle", lambda: _bundle(settings, environ, known=check.state != BAD))
    yield from _each("roles", lambda: examine_roles(settings))
    yield from _each("brakes", lambda: _brakes(settings))
    yield from _each("network", lambda: _network(settings, environ))
    yield from _each("sandbox", lambda: _sandboxes(settings))
    yield from _each("host", lambda: _host(settings))
    yield from _each("clients", lambda: _clients(settings))
    yield from _each("skill", lambda: _skills(settings))
    yield from _each("terminal", _terminal)


def _each(name: str, look: Callable[[], Check | Iterator[Check]]) -> Iterator[Check]:
    """What one check finds, up to where it raises."""
    try:
        found = look()
        yield from (found,) if isinstance(found, Check) else found
    except UsageError as error:
        yield Check(name, BAD, error.message, error.hint)
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
    if settings.file is None:
        hint = "Set PHASEGATE_CONFIG to the whole path of a file, in a folder that belongs to this user."
        return settings, Check("config", WARNING, "none: this user has no home folder; defaults apply", hint)
    there = settings.file.is_file()
    return settings, Check("config", GOOD, f"{settings.file}" if there else f"none ({settings.file}); defaults apply")


def _ca_file(file: str) -> Check:
    """Whether the certificates that a connection would rely on can be relied on."""
    try:
        tls_context(file)
    except Unreachable as error:
        return Check("ca_file", BAD, error.message, error.hint)
    return good("ca_file", file)


def _disk(settings: Settings) -> Check:
    folder = nearest(settings.state_folder)
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Check("disk", BAD, f"{folder}: {error.strerror}", "Choose another folder with PHASEGATE_STATE.")
    told = f"{free / 1024**3:.1f} GiB free in {folder}"
    if free < TOO_LITTLE:
        return Check("disk", BAD, told, "Free some space: nothing can be saved like this.")
    return Check("disk", WARNING, told, "Free some space before it runs out.") if free < LITTLE else good("disk", told)


def _sqlite() -> Check:
    """The library that keeps the store; older ones than this have lost data in a write-ahead log."""
    if tuple(map(int, LIBRARY.split("."))) < OLDEST_SQLITE:
        wanted = ".".join(map(str, OLDEST_SQLITE))
        return Check("sqlite", WARNING, LIBRARY, f"Upgrade apsw: SQLite {wanted} fixes a fault in write-ahead logs.")
    return good("sqlite", LIBRARY)


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
    yield good("bundle", f"{definition.workflow}, {len(definition.states)} states, no problems, in {folder}")
    service = definition.service
    yield _key(service, environ, sandbox=bool(settings.sandbox))
    if known:
        yield _gates(definition, settings)
    else:
        yield Check("gates", BAD, "not known: the configuration cannot be used", "Fix the configuration first.")


def _key(service: Service, environ: Mapping[str, str], *, sandbox: bool) -> Check:
    """Whether there is a key and where, and who may read its file; never a part of it."""
    if service.keyless:
        return good("key", "the bundle names none: requests to its service carry no key")
    home, env, file = home_folder(environ), service.key_env, service.key_file
    mode = mode_of(Path(at_home(file, home))) if file and (home or not file.startswith("~")) else ""
    try:
        key = read_key(env, file, environ, home, command=service.key_command)
    except CredentialsError as error:
        missing = error.kind == "no_key"
        needless = " PHASEGATE_SANDBOX is set: sandbox sessions need none." if sandbox and missing else ""
        return Check("key", WARNING if missing else BAD, error.message, f"{error.hint}{needless}".strip())
    told = f"present, from {key.source}" + (f" (mode {mode})" if key.source != env and mode else "")
    if key.notices:
        return Check("key", WARNING, told, " ".join(key.notices))
    return good("key", told)


def _gates(definition: Definition, settings: Settings) -> Check:
    """What the user's policy asks of the gates, and whether anybody can give it."""
    wrong = gates.misfits(definition, settings.gates)
    if wrong:
        return Check("gates", WARNING, " ".join(wrong), f"Correct [gates] in {settings.file}.")
    raised = {name: gates.needed(gate, settings.gates) for name, gate in definition.gates.items()}
    told = ", ".join(f"{name} takes '{needs}'" for name, needs in raised.items() if needs != STRENGTHS[0])
    known = Approvers(settings.own_folder, SystemClock())
    try:
        names = ", ".join(each.name for each in known.known())
    except CredentialsError as error:
        return Check("gates", BAD, error.message, error.hint)
    if not names and any(each in raised.values() for each in BY_THEMSELVES):
        return Check("gates", WARNING, f"{told}; there is no approver", "`workflow-admin approver add` makes one.")
    if SIGNED in raised.values() and not any(each.confirmed for one in known.known() for each in one.devices):
        hint = "An approver pairs a device on the page; `workflow-admin device list` shows which wait to be confirmed."
        return Check("gates", WARNING, f"{told}; no approver has a confirmed device", hint)
    told = (told or "all take what an agent relays") + (f"; approvers: {names}. {WORTH}" if names else "")
    if known.notices:
        return Check("gates", WARNING, told, " ".join(known.notices))
    return good("gates", told)


def _brakes(settings: Settings) -> Iterator[Check]:
    """What holds paid calls back, or soon will: pauses of any session, and the limits of the bundle that is used."""
    if settings.state is None or not (settings.state / "phasegate.db").exists():
        return
    view = open_view(settings=settings)
    with closing(view.store) as store:
        for pause in store.pauses():
            hint = "A person ends it with `workflow-admin unpause`; then `retry` makes a call that was held back."
            yield Check("pause", WARNING, told(pause), hint)
        try:
            bundle = open_bundle(bundle_folder(None, settings))
        except BundleError:  # the check of the bundle says why
            return
        for wrong in misfits(bundle.definition, bundle.registry, settings.limits):
            yield Check("limits", WARNING, wrong, f"Correct [limits] in {settings.file}.")
        for each in left(store, bundle.definition, settings.limits, view.world.clock.now()):
            full = Check(
                "limits", WARNING, each.sentence, "Approvals are kept within their term; `retry` goes on then."
            )
            yield full if each.until else good("limits", each.sentence)


def _network(settings: Settings, environ: Mapping[str, str]) -> Iterator[Check]:
    """Variables of other programs that are set and not used here."""
    for each in ignored(environ, settings):
        yield Check("network", WARNING, each.what, each.remedy)


def _sandboxes(settings: Settings) -> Iterator[Check]:
    """Whether a sandbox answers, at the address that new sessions use and at those of the latest live sessions."""
    addresses = [settings.sandbox] if settings.sandbox else []
    try:
        if settings.sandbox:
            addresses = [check_sandbox(settings.sandbox)]
    except UsageError as error:
        yield Check("sandbox", BAD, error.message, error.hint)
        addresses = []
    for address in addresses:
        why = listens(address)
        hint = f"Start it with `{sandbox_command(address)}`, or unset PHASEGATE_SANDBOX."
        fault = Check("sandbox", BAD, f"{address} does not answer: {why}", hint)
        yield fault if why else good("sandbox", f"{address} answers")
    for each in _of_live_sessions(settings):
        address, number = each["address"], len(each["sessions"])
        told = f"{address} of {number} live {'session' if number == 1 else 'sessions'}"
        hint = f"Start it with `{sandbox_command(address)}`."
        fault = Check("sandbox", WARNING, f"{told} does not answer", hint)
        if address not in addresses:
            yield good("sandbox", f"{told} answers") if each["answers"] else fault


def _of_live_sessions(settings: Settings) -> list[dict[str, Any]]:
    """The sandboxes that the latest live sessions use."""
    if settings.state is None or not (settings.state / "phasegate.db").exists():
        return []
    try:
        view = open_view(settings=settings)
        found = sandboxes(view, view.sessions(live=True, limit=LATEST_LIVE))
        view.store.close()
    except StoreError:  # the check of the store says why
        return []
    return found


def _host(settings: Settings) -> Check:
    try:
        check_host(settings.host)
    except UsageError as error:
        source = settings.sources.get("host", "")
        return Check("host", BAD, f"{error.message}, from {source}", error.hint)
    if can_watch(settings.host):
        return good("host", f"{settings.host}: it can watch a session in the background")
    return good("host", f"{settings.host}: it watches nothing by itself; sessions are looked at on request")


def _clients(settings: Settings) -> Check:
    """Whether the MCP clients of the latest sessions put questions to the person, as the logs have it."""
    none = good("clients", "no MCP client seen yet")
    if not settings.state or not (settings.state / "phasegate.db").exists():
        return none
    try:
        store = open_view(settings=settings).store
        found = seen(store.log(kinds=KINDS, limit=LATEST))
        store.close()
    except StoreError as error:
        return Check("clients", WARNING, f"not known: {error.message}", error.hint or "See the store above.")
    return (
        good("clients", "; ".join(f"{each.name}: {each.what} ({minute(each.at)} UTC)" for each in found))
        if found
        else none
    )


def _skills(settings: Settings) -> Iterator[Check]:
    """Each skill that was exported and is still there, and whether it is still that of its bundle."""
    for folder in exported(settings):
        try:
            found = examine_skill(folder, settings)
        except (BundleError, UsageError) as error:
            yield Check("skill", WARNING, error.message, error.hint or "Write it again, or remove it.")
            continue
        told = f"{found.folder}: {found.standing}"
        yield good("skill", told) if found.standing == "current" else Check("skill", WARNING, told, found.hint)


def _terminal() -> Check:
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    if not console.on_terminal():
        return good("terminal", "stdout is none: agents' commands answer with JSON")
    told = f"{console.width()} columns, {sys.stdout.encoding}"
    if encoding != "utf8":
        return Check("terminal", WARNING, told, "Set LANG to a UTF-8 locale, such as C.UTF-8: texts may need it.")
    return good("terminal", told)
