"""MCP clients as the logs have them: whether they last put a question to the person when one was due."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from workflow.model.frozen import Noun
from workflow.model.journal import Entry

KINDS = ("event", "unanswered")
"""The kinds of entries that can name one."""


class Client(Noun):
    """One client by its own name and version, and what came of the last question that it was to put."""

    name: str
    at: str
    what: str


def seen(entries: Iterable[Entry]) -> list[Client]:
    """The clients that entries in the order of their times name, the latest first."""
    last = {client.name: client for entry in entries for client in _of(entry)}
    return sorted(last.values(), key=lambda each: each.at, reverse=True)


def _of(entry: Entry) -> Iterator[Client]:
    """The clients that an entry names: of evidence that they asked for, or of a question that stayed open."""
    body = entry.body or {}
    if entry.kind == "event":
        for evidence in body.get("evidence", ()):
            if evidence.get("client") and evidence["channel"] == "elicitation":
                yield Client(evidence["client"], entry.time, "a form was answered")
    elif entry.kind == "unanswered" and body.get("client"):
        yield Client(body["client"], entry.time, f"no answer: {body['why']}")
