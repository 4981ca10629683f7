"""MCP clients, as entries name them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflow.history.clients import Client, seen
from workflow.model.journal import Entry


def entry(kind: str, minute: int, body: Mapping[str, Any] | None) -> Entry:
    """An entry of which only its kind, time and body matter."""
    return Entry("amber-fox", minute, kind, f"2027-01-15T08:{minute:02}:00.000Z", "", "", "", body)


def test_the_last_question_of_each_client_counts() -> None:
    """Answered by a form or not; who was asked by none, or names none, is left out."""
    answer = {"channel": "elicitation", "client": "older 1.0"}
    entries = [
        entry("event", 1, {"evidence": [answer, {"channel": "terminal"}]}),
        entry("event", 2, {"evidence": [{"channel": "cli", "client": "relaying 1.0"}]}),
        entry("unanswered", 3, {"client": "older 1.0", "why": "the person has declined the question"}),
        entry("unanswered", 4, {"client": None, "why": "nobody knows"}),
        entry("event", 5, {"evidence": [{"channel": "elicitation", "client": "newer 2.0"}]}),
        entry("event", 6, None),
    ]
    assert seen(entries) == [
        Client("newer 2.0", "2027-01-15T08:05:00.000Z", "a form was answered"),
        Client("older 1.0", "2027-01-15T08:03:00.000Z", "no answer: the person has declined the question"),
    ]
