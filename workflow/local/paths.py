"""Paths from outside: as people, models, hosts and configurations write them. One rule decides what each means."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from workflow.model.errors import UsageError

_SET_HOME = "Set HOME to a folder of this user's own, or write the whole path, from / on."


def home_folder(environ: Mapping[str, str]) -> Path | None:
    """The user's home: ``HOME``, else what the system has for them; None where neither names a folder.

    A container's random user id has no entry in the system's list of users, and often no ``HOME`` either.
    """
    named = environ.get("HOME", "")
    if not named.startswith("/"):
        named = _home_of(os.geteuid())
    return Path(named) if named else None


def at_home(path: str, home: Path | None) -> str:
    """The path with ``home`` in place of a leading ``~``, and a user's own home in place of ``~user``.

    Raises :class:`UsageError` where there is none: nothing is ever looked for, or made, in a folder called ``~``.
    """
    if not path.startswith("~"):
        return path
    user, slash, rest = path[1:].partition("/")
    folder = _home_of(user) if user else str(home or "")
    if not folder:
        what, hint = "this user has no home folder", _SET_HOME
        if user:
            what, hint = f"there is no user {user[:40]!r} on this machine", f"For a name that begins so: ./{path}"
        raise UsageError(f"{path[:200]!r} leads nowhere: {what}", hint)
    return f"{folder.rstrip('/')}{slash}{rest}" or "/"


def typed_path(path: str) -> str:
    """A path as a person types it, with home folders in place of ``~``; raises what :func:`at_home` raises."""
    if "\0" in path:
        raise UsageError("the path cannot be one", "Name a file or a folder.")
    return at_home(path, home_folder(os.environ) if path.startswith("~") else None)


def path_of_variable(variable: str, path: str, home: Path | None) -> Path:
    """A path in an environment variable; a relative one raises :class:`UsageError`.

    A host hands a variable on as it was written, so ``~`` counts. Nobody knows from which folder the host starts us.
    """
    whole = _with_home(path, home, variable)
    if not whole.startswith("/"):
        hint = "Write the whole path, from / on: a relative one would be another place in each folder."
        raise UsageError(f"{variable} is the relative path {path[:200]!r}", hint)
    return Path(whole)


def path_of_file(file: Path, name: str, path: str, home: Path | None) -> Path:
    """A path under ``name`` in a configuration; a relative one starts from the folder of that file."""
    if "\0" in path:
        raise UsageError(f"{file}: {name!r} cannot be a path", "Write the whole path, from / on.")
    return file.parent / _with_home(path, home, f"{file}: {name!r}")


def _with_home(path: str, home: Path | None, source: str) -> str:
    try:
        return at_home(path, home)
    except UsageError as error:
        raise UsageError(f"{source}: {error.message}", error.hint) from None


def _home_of(user: str | int) -> str:
    """The home folder that the system has for a user; empty if it has none."""
    import pwd  # a turn with HOME does not pay for it

    try:
        found = pwd.getpwnam(user) if isinstance(user, str) else pwd.getpwuid(user)
    except (KeyError, ValueError):
        return ""
    return found.pw_dir if found.pw_dir.startswith("/") else ""
