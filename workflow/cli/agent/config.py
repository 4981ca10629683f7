"""``workflow config``: what holds, and where it comes from."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from workflow.bundle import open_bundle
from workflow.cli import console
from workflow.cli.answer import json_option, print_json
from workflow.compose import bundle_folder, shown_store
from workflow.local.paths import home_folder
from workflow.local.settings import Settings, read_settings
from workflow.machine import brakes, gates
from workflow.machine.definition import Definition
from workflow.model.errors import BundleError, CredentialsError
from workflow.model.frozen import Noun, as_dict
from workflow.model.reply import VERSION
from workflow.model.strict_json import write_json
from workflow.service.key import read_key


class Setting(Noun):
    """One value that holds; ``source`` is ``default``, ``bundle``, a variable's name or a file."""

    name: str
    value: Any
    source: str


class Overview(Noun):
    """Everything that is shown; of the key never a part, only whether there is one and where."""

    settings: tuple[Setting, ...]
    options: tuple[Setting, ...] = ()
    gates: tuple[Setting, ...] = ()
    limits: tuple[Setting, ...] = ()
    key: Mapping[str, Any] = {"present": False, "source": None, "problem": None}
    notices: tuple[str, ...] = ()


@click.command(short_help="Show what holds, and where it comes from.")
@json_option
def config(as_json: bool) -> int:
    """Show the settings that hold, where each comes from, and whether there is a key.

    \b
    Examples:
      workflow config
      workflow config --json
    """
    overview = look_up(read_settings(os.environ), os.environ)
    if as_json:
        print_json({"v": VERSION, "ok": True, **as_dict(overview)})
    else:
        _show(overview)
    return 0


def look_up(settings: Settings, environ: Mapping[str, str]) -> Overview:
    """What holds; a bundle that cannot be opened is a notice, since this is where one looks for the cause."""
    folder = bundle_folder(None, settings)
    try:
        bundle = open_bundle(folder)
    except BundleError as error:
        told = f"The bundle cannot be used: {error.message}"
        return Overview(tuple(_settings(settings, environ, folder, None)), notices=(told,))
    definition = bundle.definition
    key, notices = _key(definition, environ)
    unknown = [f"gate '{name}'" for name in settings.gates if name not in definition.gates]
    unknown += [f"setting '{name}'" for name in settings.settings if name not in definition.settings]
    notices += tuple(f"{settings.file} names the {what}, which this bundle does not have." for what in unknown)
    lowered = {name: strength for name, strength in settings.gates.items() if name in definition.gates}
    notices += tuple(gates.misfits(definition, lowered))
    notices += tuple(brakes.misfits(definition, bundle.registry, settings.limits))
    return Overview(
        tuple(_settings(settings, environ, folder, definition)),
        tuple(_options(settings, definition)),
        tuple(_gates(settings, definition)),
        tuple(_limits(settings, definition)),
        key,
        notices,
    )


def _settings(
    settings: Settings, environ: Mapping[str, str], folder: Path, definition: Definition | None
) -> list[Setting]:
    def place(name: str, path: Path | None) -> Setting:
        variable = f"PHASEGATE_{name.upper()}"
        default = "default" if path else "no home folder"
        return Setting(name, str(path or ""), variable if environ.get(variable) else default)

    def said(name: str, value: str = "", source: str = "default") -> Setting:
        known = str(getattr(settings, name))
        return Setting(name, known or value, settings.sources.get(name, source))

    found = [
        place("config", settings.file),
        place("state", settings.state),
        Setting("bundle", str(folder), settings.sources.get("bundle", "default")),
        said("language", definition.languages[0], "bundle") if definition else said("language"),
        said("host"),
        said("profile"),
        Setting("proxy", _without_login(settings.proxy), settings.sources.get("proxy", "default")),
        said("ca_file"),
        said("ledger"),
        Setting("store", shown_store(settings) if settings.store else "", settings.sources.get("store", "default")),
        said("sandbox"),
    ]
    if definition:
        found += [
            Setting("workflow", definition.workflow, "bundle"),
            Setting("service", definition.service.base_url, "bundle"),
        ]
    return found


def _options(settings: Settings, definition: Definition) -> list[Setting]:
    """The bundle's own options."""
    return [
        Setting(name, settings.settings.get(name, value), str(settings.file if name in settings.settings else "bundle"))
        for name, value in definition.settings.items()
    ]


def _gates(settings: Settings, definition: Definition) -> list[Setting]:
    """The least strength that each gate takes; the user's configuration can only raise it."""
    found = []
    for gate in definition.gates.values():
        needed = gates.needed(gate, settings.gates)
        found.append(Setting(gate.name, needed, "bundle" if needed == gates.needed(gate, {}) else str(settings.file)))
    return found


def _limits(settings: Settings, definition: Definition) -> list[Setting]:
    """Each limit that a call has to keep; where the user's configuration names one too, both."""
    own = definition.limits.items()
    return [
        Setting(name, brakes.words(limit), "bundle" if (name, limit) in own else str(settings.file))
        for name, limit in brakes.named(definition, settings.limits)
    ]


def _key(definition: Definition, environ: Mapping[str, str]) -> tuple[dict[str, Any], tuple[str, ...]]:
    service = definition.service
    if service.keyless:
        return {"present": False, "source": None, "problem": None}, ()
    try:
        key = read_key(service.key_env, service.key_file, environ, home_folder(environ), command=service.key_command)
    except CredentialsError as error:
        return {"present": False, "source": None, "problem": f"{error.message} {error.hint}".strip()}, ()
    return {"present": True, "source": key.source, "problem": None}, key.notices


def _without_login(proxy: str) -> str:
    """A proxy's address without the name and password that may be in it."""
    return re.sub(r"^([a-z0-9+.-]*://)?[^/]*@", r"\1…@", proxy, flags=re.IGNORECASE)


def _show(overview: Overview) -> None:
    key = overview.key
    rows = [_row(each) for each in overview.settings]
    there = "present" if key["present"] else "none" if key["problem"] else "not needed"
    rows.append(("key", there, str(key["source"] or "")))
    console.show_table(("setting", "value", "from"), rows)
    for title, found in (
        ("option of the bundle", overview.options),
        ("gate takes at least", overview.gates),
        ("most calls of", overview.limits),
    ):
        if found:
            console.say("")
            console.show_table((title, "value", "from"), [_row(each) for each in found])
    if key["problem"]:
        console.say(str(key["problem"]), "yellow", error=True)
    for notice in overview.notices:
        console.say(notice, "yellow", error=True)


def _row(setting: Setting) -> tuple[str, str, str]:
    value = setting.value if isinstance(setting.value, str) else write_json(setting.value)
    return setting.name, value or "-", setting.source
