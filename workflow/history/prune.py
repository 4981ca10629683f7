"""Pruning: the content of sessions that ended long ago is erased, with all that forgetting one of them promises."""

from __future__ import annotations

from workflow.engine.turns import Engine
from workflow.history import audit
from workflow.history.forget import forget
from workflow.model.errors import WorkflowError
from workflow.model.frozen import Noun
from workflow.model.ports import Record
from workflow.model.reply import ENDED, Failure, in_one_line


class Pruned(Noun):
    """The sessions whose content was erased, how many bytes of content that was, and each that was left with why."""

    forgotten: tuple[str, ...]
    size: int
    left: tuple[tuple[str, str], ...]


def prune(engine: Engine, before: str) -> Pruned:
    """Erase what sessions hold that ended, and did not change, before this time (as in the entries).

    Left as they are: a session that takes a turn meanwhile or took one, one with a call whose outcome is unknown, and
    one whose log does not hold, for a person to look at. Raises :class:`StoreError` where another program keeps the
    erased bytes in the store's files; the same call again removes them.
    """
    done: list[str] = []
    left: list[tuple[str, str]] = []
    size = 0
    for each in engine.store.over(before):
        try:
            found = forget(engine, each.name, unless=lambda record: _stays(engine, record, before), sweep=False)
        except WorkflowError as error:  # such as one that a turn holds
            left.append((each.name, in_one_line(error)))
            continue
        if isinstance(found, Failure):
            left.append((each.name, found.message))
        else:
            done.append(each.name)
            size += each.size
    engine.world.store.sweep()
    return Pruned(tuple(done), size, tuple(left))


def _stays(engine: Engine, record: Record, before: str) -> str:
    """Why this session is not erased now that nobody else can change it; empty if it is."""
    if record.summary.status not in ENDED or record.summary.updated >= before:
        return "it has gone on meanwhile"
    if record.session.doubt or record.session.intent:
        return "whether a call of it happened is not known"
    fault = audit.fault(engine, record.summary.name)
    return f"its log does not hold: {fault}" if fault else ""
