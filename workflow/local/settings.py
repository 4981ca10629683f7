"""The user's settings: ``PHASEGATE_*`` variables before ``config.toml``; flags come before both."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workflow.local.private import read_trusted
from workflow.model.errors import UsageError
from workflow.model.evidence import STRENGTHS
from workflow.model.frozen import Noun

_TEXTS = ("bundle", "language", "host", "profile", "proxy", "ca_file", "ledger")
_TABLES = ("settings", "gates")


class Settings(Noun):
    """What the user's configuration says, and where; empty text means that it says nothing."""

    file: Path
    state: Path
    bundle: str = ""
    language: str = ""
    host: str = "generic"
    profile: str = "default"
    proxy: str = ""
    ca_file: str = ""
    ledger: str = ""
    sandbox: str = ""
    settings: Mapping[str, Any] = {}
    gates: Mapping[str, str] = {}
    sources: Mapping[str, str] = {}


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Environment over file over defaults.

    Raises :class:`UsageError` for a file that cannot be understood, that others could have written, or that
    ``PHASEGATE_CONFIG`` names and that does not exist. The default file may be absent.
    """
    named = environ.get("PHASEGATE_CONFIG", "")
    file = Path(named) if named else _default_file(environ)
    return _settings(environ, file, _read(file, named=bool(named)))


def without_file(environ: Mapping[str, str]) -> Settings:
    """The settings where the file cannot be used, for a report on everything else; its gates are not known."""
    return _settings(environ, Path(environ.get("PHASEGATE_CONFIG") or _default_file(environ)), {})


def _settings(environ: Mapping[str, str], file: Path, said: Mapping[str, Any]) -> Settings:
    state = Path(environ.get("PHASEGATE_STATE") or _folder(environ, "XDG_STATE_HOME", ".local/state"))
    values: dict[str, Any] = {name: said[name] for name in (*_TEXTS, *_TABLES) if name in said}
    sources = {name: str(file) for name in values}
    for name in (*_TEXTS, "sandbox"):
        variable = f"PHASEGATE_{name.upper()}"
        if environ.get(variable):
            values[name], sources[name] = environ[variable], variable
    if not values.get("ledger", "/").startswith("/"):
        hint = "Write the whole path, from / on: a relative one would be another ledger in each folder."
        raise UsageError(f"{sources['ledger']}: the ledger {values['ledger']!r} is not an absolute path", hint)
    return Settings(file=file, state=state, sources=sources, **values)


def _default_file(environ: Mapping[str, str]) -> Path:
    return _folder(environ, "XDG_CONFIG_HOME", ".config") / "config.toml"


def _folder(environ: Mapping[str, str], variable: str, default: str) -> Path:
    """Ours, by the XDG base directory specification on every system; a relative path is ignored, as it says."""
    named = environ.get(variable, "")
    return (Path(named) if named.startswith("/") else Path.home() / default) / "phasegate"


def _read(file: Path, *, named: bool) -> dict[str, Any]:
    content, _ = read_trusted(file, UsageError, named=named, root=True)
    if content is None:
        return {}
    import tomllib  # a turn without a configuration does not pay for it

    try:
        said = tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}", "Fix the file, or move it away.") from error
    for name, value in said.items():
        if name not in (*_TEXTS, *_TABLES):
            raise UsageError(f"{file}: unknown key '{name}'", f"Known: {', '.join((*_TEXTS, *_TABLES))}.")
        if not isinstance(value, dict if name in _TABLES else str):
            raise UsageError(f"{file}: '{name}' must be {'a table' if name in _TABLES else 'text'}")
    for gate, strength in said.get("gates", {}).items():
        if strength not in STRENGTHS:
            raise UsageError(f"{file}: gate '{gate}' has the strength {strength!r}", f"Known: {', '.join(STRENGTHS)}.")
    return said
