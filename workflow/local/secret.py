"""A secret of this store: random bytes, made once, that only its owner can read."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from workflow.local.private import private_folder, read_trusted, unusable
from workflow.model.errors import StoreError

LENGTH = 32
"""Bytes."""
_REMEDY = "Remove the file; a new one is made, and open questions are put again."


def secret(folder: Path, name: str) -> bytes:
    """The secret in the file ``name``; the first to ask makes it, whole or not at all, for everybody after.

    Raises :class:`StoreError` if the file holds something else.
    """
    private_folder(folder)
    path = folder / name
    try:
        if not os.path.lexists(path):
            _make(path)
    except OSError as error:
        raise unusable(path, error) from error
    found, _ = read_trusted(path, StoreError, named=True, links=False, private="secret", remedy=_REMEDY)
    if found is None or len(found) != LENGTH:
        raise StoreError(f"{path} does not hold the {LENGTH} bytes that were written to it", _REMEDY)
    return found


def _make(path: Path) -> None:
    """Write it beside its place, then link it there: of several who do so at once the first one's counts."""
    made, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # 0600 from its first instant
    try:
        with open(made, "wb") as opened:
            opened.write(os.urandom(LENGTH))
            opened.flush()
            os.fsync(opened.fileno())
        with suppress(FileExistsError):
            os.link(beside, path)
    finally:
        os.unlink(beside)
