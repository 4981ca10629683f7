"""Replaying a session offline: every turn of its journal decided again, and what would differ (decision 031)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workflow.bundle import Bundle
from workflow.engine.redecide import DECIDED, Difference, Redecider, steps
from workflow.engine.view import View
from workflow.history import audit
from workflow.model import journal
from workflow.model.frozen import Noun
from workflow.model.journal import Entry


class Replayed(Noun):
    """What a replay found. ``pinned`` and ``used`` are digests of bundles: the session's, and the one to replay with.

    ``redecided`` counts the entries from ``first`` on in which something was decided, ``turns`` the events and
    refusals among them.
    """

    session: str
    pinned: str
    used: str
    first: int
    entries: int
    redecided: int
    turns: int
    differences: tuple[Difference, ...]


def replay(view: View, name: str, bundle: Path | None = None) -> Replayed:
    """Decide the session's journal again, with the bundle of its path or the one in this folder.

    Names are those of a bundle, so what was decided before an upgrade is left out, unless the bundle is one that
    the session followed then. Raises :class:`JournalTampered` if the chain does not hold, and
    :class:`SessionNotFound` where the content was erased.
    """
    entries = list(journal.verify(audit.entries(view, name)))
    session = view.stored(name)
    used = view.world.open_bundle(str(bundle) if bundle else session.path)
    first, last = _part(entries, used)
    redecider = Redecider(view.world, used)
    decided, found = list[str](), list[Difference]()
    for before, entry, _ in steps(entries[:last]):
        if entry.seq >= first and entry.kind in DECIDED:
            decided.append(entry.kind)
            found += redecider.differences(before, entry)
    return Replayed(
        session=name,
        pinned=session.bundle,
        used=used.digest,
        first=first,
        entries=len(entries),
        redecided=len(decided),
        turns=sum(kind in ("event", "refusal") for kind in decided),
        differences=tuple(found),
    )


def _part(entries: Sequence[Entry], used: Bundle) -> tuple[int, int]:
    """The first part between two upgrades in which the session followed this bundle, else the last part."""
    first, followed = 1, set[str]()
    for entry in entries:
        if entry.kind == "upgrade":
            if used.digest in followed:
                return first, entry.seq - 1
            first, followed = entry.seq, set()
        if entry.kind in ("started", "bundle", "upgrade"):
            followed.add(str((entry.body or {}).get("bundle")))
    return first, len(entries)
