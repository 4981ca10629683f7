"""Observing: what a decision needs from the world, read once and recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflow.engine import speak
from workflow.engine.run import Run
from workflow.local import files
from workflow.machine.decide import MOST_FILES, Observed, possible_events
from workflow.model.evidence import copyable
from workflow.model.session import Turn


def observe(run: Run, turn: Turn) -> Observed:
    """The time, and the files that the turn names, each read once for its digest."""
    given = dict(turn.input)
    event = run.program.definition.events.get(turn.event or "")
    begins = turn.event == "start" and run.session.revision == 0
    if event is None or not (begins or event.name in possible_events(run.program, run.session)):
        return Observed(given, run.time(), run.facts(), run.world.policy)
    for name in {*event.input, *event.optional} & set(run.program.definition.of_type("files")):
        if isinstance(given.get(name), list) and len(given[name]) <= MOST_FILES:
            given[name] = [_offer(run, each) for each in given[name]]
    return Observed(given, run.time(), run.facts(), run.world.policy, heard(run, turn))


def heard(run: Run, turn: Turn) -> tuple[str, ...] | None:
    """What the person was told, by the service and by the open question; None where that cannot be told.

    Nothing where no quote can be a copy of it, or none is asked for: what leaves never depends on a text.
    """
    event = run.program.definition.events.get(turn.event or "")
    if event is None or event.gate is None or turn.strength != "relayed" or not copyable(turn.quote or ""):
        return ()
    verbatim = (run.session.data.get(name) for name in run.program.definition.of_type("verbatim"))
    try:
        return (speak.wording(run), *(str(each) for each in verbatim if each))
    except Exception:  # then nobody knows what the quote must not be
        return None


def _offer(run: Run, item: Any) -> Any:
    """A file as it is offered: its name, folder, digest and size, or what is wrong with it."""
    if not isinstance(item, Mapping) or not isinstance(item.get("path"), str):
        return item
    offered = files.offer(item["path"], base=run.world.base, forbidden=run.forbidden())
    described = {"path": item["path"], "description": item.get("description", "")}
    if isinstance(offered, str):
        return {**described, "problem": offered}
    known = {name: getattr(offered, name) for name in ("path", "name", "sha256", "size")}
    return {**described, **known, "folder": files.named_folder(item["path"])}
