"""What a bundle says of its own parts, for agents and people: texts by language, and the titles of its phases."""

from __future__ import annotations

from collections.abc import Mapping

from workflow.machine.language import nearest
from workflow.model.frozen import Noun

Wording = Mapping[str, str]
"""A text of the bundle by language; under the empty name, one for every language."""


def worded(wording: Wording, language: str) -> str:
    """The text in this language, or in the nearest that there is; empty where there is none."""
    if not wording or "" in wording:
        return wording.get("", "")
    return wording[nearest(language, tuple(wording))[0]]


def wording_of(value: str | Mapping[str, str] | None) -> Wording:
    """As the document writes it: a text, or a table language → text."""
    if isinstance(value, str):
        return {"": value}
    return dict(value or {})


class Phase(Noun):
    """A part of the procedure; one that does nothing but end has no ``number``."""

    name: str
    number: int | None = None
    title: Wording = {}

    def shown(self, language: str) -> str:
        """``1 Understand requirements``: its number, and its title or else its name."""
        told = worded(self.title, language) or self.name
        return told if self.number is None else f"{self.number} {told}"
