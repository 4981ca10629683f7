"""Messages: a template and the session's data become parts, each with its origin."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from string import Template
from typing import Any

from workflow.model.frozen import Noun

OURS = "ours"
"""The origin of what our own template says; the other origins are the types of data."""


class Part(Noun):
    """A stretch of a message; ``origin`` is ``ours`` or the type of the datum that was filled in."""

    text: str
    origin: str = OURS

    @property
    def verbatim(self) -> bool:
        """Whether it was copied from the service, byte for byte."""
        return self.origin == "verbatim"


def placeholders(template: str) -> Iterator[str]:
    """The names that a template wants filled in; raises ``ValueError`` for a stray ``$``."""
    for match in Template.pattern.finditer(template):
        name = match["named"] or match["braced"]
        if name:
            yield name
        elif match["escaped"] is None:
            line = template.count("\n", 0, match.start()) + 1
            raise ValueError(f"stray '$' in line {line}; write $$ for a dollar sign")


def fill(template: str, types: Mapping[str, str], data: Mapping[str, Any]) -> tuple[Part, ...]:
    """The parts of a message; values are copied, never read as templates. Unknown names raise ``KeyError``."""
    filled = (
        piece if isinstance(piece, Part) else Part(shown(types[piece], data.get(piece)), types[piece])
        for piece in _pieces(template)
    )
    return tuple(part for part in filled if part.text)


@lru_cache(maxsize=256)
def _pieces(template: str) -> tuple[Part | str, ...]:
    """What our own template says, and the names of what is filled in."""
    pieces, end = list[Part | str](), 0
    for match in Template.pattern.finditer(template):
        name = match["named"] or match["braced"]
        pieces += [Part(template[end : match.start()]), name or Part("$")]
        end = match.end()
    return (*pieces, Part(template[end:]))


def shown(kind: str, value: Any) -> str:
    """A datum as a person sees it: files as a list of base names, flags as yes or no."""
    if value is None:
        return ""
    if kind == "files":
        return "\n".join(f"- {visible(each['name'])}" for each in value)
    return str(value)


def visible(text: str, keep: str = "") -> str:
    """The text with control, format, surrogate and private characters written out, all but those in ``keep``.

    What a terminal would obey, and what hides or turns around what stands beside it, becomes ``\\u{202e}``.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        f"\\u{{{ord(char):x}}}" if char not in keep and unicodedata.category(char) in _UNSEEN else char for char in text
    )


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
