"""The bundles that a process has open; one is read again when a file of it has changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from workflow.bundle import Bundle, open_bundle
from workflow.bundle.content import Signature, signature, unchanged


class Shelf:
    """Bundles by folder; ``kept`` and ``keep`` as :func:`~workflow.bundle.open_bundle` takes them.

    ``now`` is the wall's time in seconds, by which files that have only just changed are not trusted.
    """

    def __init__(
        self,
        kept: Callable[[str], str | None],
        keep: Callable[[str, str], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._kept = kept
        self._keep = keep
        self._now = now
        self._held: dict[str, tuple[Signature | None, Bundle]] = {}

    def open(self, folder: Path | str) -> Bundle:
        """The bundle in this folder as it is now.

        Its files are looked at from the second time on, before they are read: a process that lives for one
        turn pays nothing for it, and what changes meanwhile is seen the next time.
        """
        path = str(folder)
        held = self._held.get(path)
        if held and held[0] and unchanged(held[0]):
            return held[1]
        seen = signature(Path(path), self._now()) if held else None  # before it is read: what changes meanwhile is seen
        bundle = open_bundle(Path(path), kept=self._kept, keep=self._keep)
        self._held[path] = (seen, bundle)
        return bundle
