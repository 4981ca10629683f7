"""Files that are read as somebody's word, whoever's: nothing is created, and no mode is changed.

Whoever writes needs files of their own (:mod:`workflow.local.private`). To read another user's is safe as long as that
user alone could have written them: then it is known whose word they are.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from workflow.local.private import Untrusted, check_file, check_one_name, look_along, others_can_write, quoted
from workflow.model.errors import StoreError
from workflow.model.surface import Machine


def check_readable(folder: Path, names: Sequence[str]) -> int | None:
    """Return whose files of these names are in ``folder``, to be read as that user's word; None without a folder.

    They may be another user's. Raises :class:`StoreError` for what a third user could have written, exchanged or led
    elsewhere, and for a file with a second name.
    """
    path = folder
    try:
        found = os.stat(folder)
        if not stat.S_ISDIR(found.st_mode):
            raise Untrusted("is not a folder", _FOLDER)
        look_along(folder, found.st_uid)
        if found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX:
            raise Untrusted(others_can_write(found), f"Check what is in it, then run `chmod go-w {quoted(folder)}`.")
        for path in (folder / name for name in names):
            if os.path.lexists(path):
                _check(os.lstat(path), path, found.st_uid)
    except FileNotFoundError:
        look_along(folder)
        return None
    except Untrusted as fault:
        raise StoreError(f"{path} {fault.why}", fault.hint) from None
    except OSError as error:
        raise _unreadable(path, error) from error
    return found.st_uid


def check_code(folder: Path) -> None:
    """Raise :class:`StoreError` for a bundle that anybody but this user and root could have written.

    A store names the bundles of its sessions: whoever reads another user's store runs none of that user's code.
    """
    path = folder
    try:
        for path in (folder, *sorted(folder.rglob("*"))):
            found = os.lstat(path)
            if found.st_uid not in (0, os.geteuid()):
                raise Untrusted(f"belongs to another user (uid {found.st_uid}), as does the store: it is not run")
            if found.st_mode & 0o022 and not stat.S_ISLNK(found.st_mode):
                raise Untrusted(others_can_write(found))
        look_along(folder)
    except Untrusted as fault:
        raise StoreError(f"{path} {fault.why}", _LOG_ALONE) from None
    except OSError as error:
        raise _unreadable(path, error) from error


def _check(found: os.stat_result, path: Path, owner: int) -> None:
    check_file(found, path, root=True, remedy="", owner=owner)
    check_one_name(found)


def _unreadable(path: Path, error: OSError) -> StoreError:
    hint = Machine("Ask its owner for a copy that `workflow backup` made, or for the right to read the folder.")
    return StoreError(f"{path} cannot be read: {error.strerror or error}", hint)


_FOLDER = "Choose the folder of a store with PHASEGATE_STATE."
_LOG_ALONE = Machine("`workflow audit log SESSION` and `workflow audit verify SESSION` need no bundle.")
