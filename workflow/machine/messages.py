"""Messages: a template and the session's data become parts, each with its origin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from string import Template
from typing import Any

from workflow.model.characters import unseen
from workflow.model.frozen import Noun

OURS = "ours"
"""The origin of what our own template says; the other origins are the types of data."""


_WHOSE = {"verbatim": "service", "text": "user", "files": "agent", "described": "agent"}
"""Origin → whose words; files are named by the agent, and described by it."""
PIECES = {"service": "verbatim", "user": "text", "agent": "described"}
"""Whose words a piece of `texts` has → its origin."""
BETWEEN = "\n\n"
"""What stands between the pieces of `texts`."""
UNKNOWN = "und"
"""The tag of a language that nobody has determined (BCP 47)."""
DIGITS = 8
"""Of a file's digest, as people see it: fewer than any run of a secret that is looked for."""
_QUOTES = str.maketrans({"“": "\\u{201c}", "”": "\\u{201d}"})


class Part(Noun):
    """A stretch of a message; ``origin`` is ``ours`` or the type of the datum that was filled in."""

    text: str
    origin: str = OURS

    @property
    def by(self) -> str | None:
        """Whose words these are: of the ``service`` byte for byte, the ``user`` or the ``agent``; None for ours."""
        return _WHOSE.get(self.origin)

    @property
    def marks(self) -> dict[str, str]:
        """What a reply says of it: whose it is, and of words whose language nobody knows, that it is unknown."""
        if self.by is None:
            return {}
        return {"by": self.by} | ({} if self.origin == "files" else {"language": UNKNOWN})


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
        part
        for piece in _pieces(template)
        for part in ((piece,) if isinstance(piece, Part) else _values(types[piece], data.get(piece)))
    )
    return tuple(part for part in filled if part.text)


def _values(kind: str, value: Any) -> Iterator[Part]:
    """A datum as parts: one, or of `texts` each by whoever wrote it."""
    if kind != "texts":
        yield Part(shown(kind, value), kind)
        return
    for number, each in enumerate(value or ()):
        yield Part(BETWEEN if number else "")
        yield Part(each["text"], PIECES[each["by"]])


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
    """A datum as a person sees it: each file on a line, flags as yes or no."""
    if value is None:
        return ""
    if kind == "files":
        return "\n".join(map(file_line, value))
    return joined(value) if kind == "texts" else str(value)


def joined(texts: Iterable[Mapping[str, str]]) -> str:
    """The pieces of `texts` as one text, as a message shows them."""
    return BETWEEN.join(each["text"] for each in texts)


def file_line(item: Mapping[str, Any]) -> str:
    """A file as a person tells it from every other: its name and folder, which are quoted, its size and its digest."""
    folder = [quoted(item["folder"])] if item.get("folder") else []
    return f"- {quoted(item['name'])} ({', '.join([*folder, _amount(item['size']), item['sha256'][:DIGITS]])})"


def quoted(text: str) -> str:
    """The text on one line, in quotation marks that it cannot close."""
    return f"“{visible(text).translate(_QUOTES)}”"


def _amount(size: int) -> str:
    for unit, bytes_ in (("MB", 1_000_000), ("KB", 1_000)):
        if size >= bytes_:
            return f"{size / bytes_:.1f} {unit}"
    return f"{size} B"


def visible(text: str, keep: str = "") -> str:
    """The text with every character that nobody sees written out, except those in ``keep``.

    What a terminal would obey, what hides or turns around its neighbours, and what has no glyph becomes ``\\u{202e}``.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(f"\\u{{{ord(char):x}}}" if char not in keep and unseen(char) else char for char in text)
