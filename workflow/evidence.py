"""Evidence: what a person answered, and to exactly what (DESIGN §5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflow.noun import Noun, as_dict

STRENGTHS = ("relayed", "asked", "proven")
"""Weakest first: the agent reports it, this program asked, it carries what the agent does not hold."""


def at_least(strength: str, needed: str) -> bool:
    """Whether evidence of ``strength`` is enough where ``needed`` is the least."""
    return STRENGTHS.index(strength) >= STRENGTHS.index(needed)


class Evidence(Noun):
    """One answer to one gate, bound to ``subject``, the digest of what it was an answer to.

    ``client`` is the program that put the question, by its own name and version.
    """

    gate: str
    subject: str
    quote: str
    channel: str
    strength: str
    at: str
    item: str | None = None
    client: str | None = None

    def as_json(self) -> dict[str, Any]:
        """For the journal and the snapshot."""
        return as_dict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Evidence:
        """The inverse of :meth:`as_json`."""
        return cls(**value)
