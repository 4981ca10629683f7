"""MCP clients as the logs have them: whether they last put a question to the person when one was due."""

from __future__ import annotations

from collections.abc import Iterator

from workflow.engine.turns import Engine
from workflow.journal import Entry
from workflow.noun import Noun

LATEST = 1000
"""Entries that are looked through."""
_KINDS = ("event", "unanswered")


class Client(Noun):
    """One client by its own name and version, and what came of the last question that it was to put."""

    name: str
    at: str
    what: str


def seen(engine: Engine) -> list[Client]:
    """The clients of the latest entries, the latest first."""
    last = {
        client.name: client for entry in engine.world.store.log(kinds=_KINDS, limit=LATEST) for client in _of(entry)
    }
    return sorted(last.values(), key=lambda each: each.at, reverse=True)


def _of(entry: Entry) -> Iterator[Client]:
    """The clients that an entry names: of evidence that they asked for, or of a question that stayed open."""
    body = entry.body or {}
    if entry.kind == "event":
        for evidence in body["evidence"]:
            if evidence.get("client") and evidence["channel"] == "elicitation":
                yield Client(evidence["client"], entry.time, "a form was answered")
    elif entry.kind == "unanswered" and body.get("client"):
        yield Client(body["client"], entry.time, f"no answer: {body['why']}")
