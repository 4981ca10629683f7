"""The user's settings: ``PHASEGATE_*`` variables before ``config.toml``; flags come before both."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from workflow.local.paths import home_folder, path_of_file, path_of_variable
from workflow.local.private import read_trusted
from workflow.model.brakes import LONGEST, SHORTEST, Limit
from workflow.model.database_address import Address
from workflow.model.duration import seconds
from workflow.model.errors import UsageError
from workflow.model.evidence import STRENGTHS
from workflow.model.frozen import Noun
from workflow.model.plain_text import NotPlain, plain
from workflow.model.surface import Machine

_TEXTS = ("bundle", "language", "host", "profile", "proxy", "ca_file", "ledger", "store")
_TABLES = ("settings", "gates", "limits")
_PATHS = ("bundle", "ca_file", "ledger")
_PLACES = ("PHASEGATE_CONFIG", "PHASEGATE_STATE")
_FOLDERS = ("XDG_CONFIG_HOME", "XDG_STATE_HOME")
PLACEHOLDER = "${"
"""What a value holds that a host was to fill in from a variable of its own, and did not."""


class Settings(Noun, hide=("store",)):
    """What the user's configuration says, and where; empty text means that it says nothing.

    ``file`` and ``state`` are None where no variable names them and the user has no home. ``store`` is the address of a
    database, which may hold a password; empty for the file in ``state``.
    """

    file: Path | None
    state: Path | None
    bundle: str = ""
    language: str = ""
    host: str = "generic"
    profile: str = "default"
    proxy: str = ""
    ca_file: str = ""
    ledger: str = ""
    store: str = ""
    sandbox: str = ""
    settings: Mapping[str, Any] = {}
    gates: Mapping[str, str] = {}
    limits: Mapping[str, Limit] = {}
    sources: Mapping[str, str] = {}

    @property
    def state_folder(self) -> Path:
        """The folder of the store; raises :class:`UsageError` where there is none."""
        return self.state or _missing("place for sessions", "PHASEGATE_STATE", "a folder")

    @property
    def own_folder(self) -> Path:
        """The folder of the configuration, approvers and tokens; raises :class:`UsageError` where there is none."""
        return (self.file or _missing("place for a configuration", "PHASEGATE_CONFIG", "a file in a folder")).parent


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Environment over file over defaults.

    Raises :class:`UsageError` for a file that cannot be understood, that others could have written, or that
    ``PHASEGATE_CONFIG`` names and that does not exist; and for a variable whose path is relative. The default file may
    be absent.
    """
    _check_filled_in(environ)
    home = home_folder(environ)
    file = _file(environ, home)
    said = _read(file, named=bool(environ.get("PHASEGATE_CONFIG"))) if file else {}
    values: dict[str, Any] = {name: said[name] for name in (*_TEXTS, *_TABLES) if name in said}
    values |= {name: str(path_of_file(file, name, said[name], home)) for name in _PATHS if file and said.get(name)}
    sources = {name: str(file) for name in values}
    for name, variable, value in _variables(environ):
        values[name], sources[name] = _value(name, variable, value, home), variable
    return Settings(file=file, state=_state(environ, home), sources=sources, **values)


def without_file(environ: Mapping[str, str]) -> Settings:
    """The settings where some cannot be used, for a report on everything else; its gates and limits are not known."""
    home = home_folder(environ)
    file, state, values, sources = None, None, dict[str, Any](), dict[str, str]()
    with suppress(UsageError):
        file = _file(environ, home)
    with suppress(UsageError):
        state = _state(environ, home)
    for name, variable, value in _variables(environ):
        with suppress(UsageError):
            values[name], sources[name] = _value(name, variable, value, home), variable
    return Settings(file=file, state=state, sources=sources, **values)


def carried(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that these settings come from, for a process that inherits none of them; paths are whole.

    The host is left out, since its own entry names it. Raises :class:`UsageError` for a proxy with a login, which must
    not stand in another program's file.
    """
    home = home_folder(environ)
    found = {name: environ[name] for name in _FOLDERS if environ.get(name, "").startswith("/")}
    found |= {name: str(place) for name in _PLACES if (place := _place(environ, name, home))}
    found |= {variable: _value(name, variable, value, home) for name, variable, value in _variables(environ)}
    found.pop("PHASEGATE_HOST", None)
    if "@" in found.get("PHASEGATE_PROXY", ""):
        hint = "Write it as `proxy` into config.toml, which only you can read, and unset the variable."
        raise UsageError("PHASEGATE_PROXY holds a login, which would stand in the host's own file", hint)
    if found.get("PHASEGATE_STORE") and Address(found["PHASEGATE_STORE"]).has_password:
        hint = "Write it as `store` into config.toml, which only you can read, and unset the variable."
        raise UsageError("PHASEGATE_STORE holds a password, which would stand in the host's own file", hint)
    return found


def _check_filled_in(environ: Mapping[str, str]) -> None:
    """A host that knows no such variable hands ``${NAME}`` on as it is: that is no folder and no address."""
    given = {name: environ.get(name, "") for name in _PLACES} | {name: value for _, name, value in _variables(environ)}
    for name, value in given.items():
        if PLACEHOLDER in value:
            shown = "not an address" if name == "PHASEGATE_STORE" else repr(value[:80])
            raise UsageError(
                f"{name} is {shown}, which the program that started this did not fill in",
                "Write the value itself into that program's entry.",
            )


def _variables(environ: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Each setting that a variable gives: its name, the variable, and the value as it stands there."""
    for name in (*_TEXTS, "sandbox"):
        variable = f"PHASEGATE_{name.upper()}"
        if environ.get(variable):
            yield name, variable, environ[variable]


def _value(name: str, variable: str, value: str, home: Path | None) -> str:
    return str(path_of_variable(variable, value, home)) if name in _PATHS else value


def _file(environ: Mapping[str, str], home: Path | None) -> Path | None:
    folder = _folder(environ, "XDG_CONFIG_HOME", home, ".config")
    return _place(environ, "PHASEGATE_CONFIG", home) or (folder and folder / "config.toml")


def _state(environ: Mapping[str, str], home: Path | None) -> Path | None:
    return _place(environ, "PHASEGATE_STATE", home) or _folder(environ, "XDG_STATE_HOME", home, ".local/state")


def _place(environ: Mapping[str, str], variable: str, home: Path | None) -> Path | None:
    named = environ.get(variable, "")
    return path_of_variable(variable, named, home) if named else None


def _folder(environ: Mapping[str, str], variable: str, home: Path | None, default: str) -> Path | None:
    """Ours, by the XDG base directory specification on every system; a relative path is ignored, as it says."""
    named = environ.get(variable, "")
    above = Path(named) if named.startswith("/") else home and home / default
    return above and above / "phasegate"


def _missing(what: str, variable: str, kind: str) -> NoReturn:
    hint = f"Set {variable} to the whole path of {kind} that belongs to this user; without a home there is no default."
    raise UsageError(f"there is no {what}: {variable} names none (uid {os.geteuid()})", Machine(hint))


def _read(file: Path, *, named: bool) -> dict[str, Any]:
    content, _ = read_trusted(file, UsageError, named=named, root=True)
    if content is None:
        return {}
    import tomllib  # a turn without a configuration does not pay for it

    try:
        said = tomllib.loads(plain(content))
    except (NotPlain, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}", "Fix the file, or move it away.") from error
    for name, value in said.items():
        if name not in (*_TEXTS, *_TABLES):
            raise UsageError(f"{file}: unknown key '{name}'", f"Known: {', '.join((*_TEXTS, *_TABLES))}.")
        if not isinstance(value, dict if name in _TABLES else str):
            raise UsageError(f"{file}: '{name}' must be {'a table' if name in _TABLES else 'text'}")
    for gate, strength in said.get("gates", {}).items():
        if strength not in STRENGTHS:
            raise UsageError(f"{file}: gate '{gate}' has the strength {strength!r}", f"Known: {', '.join(STRENGTHS)}.")
    if "limits" in said:
        said["limits"] = {action: _limit(file, action, value) for action, value in said["limits"].items()}
    return said


def _limit(file: Path, action: str, value: Any) -> Limit:
    """A limit of the user's own: ``{per = "24h", most = 20}``."""
    try:
        known = value.keys() == {"per", "most"} and type(value["most"]) is int and value["most"] >= 1
        per = seconds(value["per"]) if known else 0.0
    except (AttributeError, ValueError):
        per = 0.0
    if not SHORTEST <= per <= LONGEST:
        hint = f'Write {action} = {{per = "24h", most = 20}}: a window of 1m to 365d, and at least 1.'
        raise UsageError(f"{file}: the limit of '{action}' cannot be understood", hint)
    return Limit(per, value["most"])
