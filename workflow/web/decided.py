"""What became of a question elsewhere, and how the one that is asked now differs from the last one: read from the
journal, with nothing written.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from workflow.model.digest import digest
from workflow.model.frozen import Noun
from workflow.model.journal import Entry

ANSWERS = ("event", "partial")
"""Kinds of entries that hold an answer."""


class Decided(Noun):
    """An entry that decided a question: the ``event``, when, and whose answer it was.

    ``who`` is an approver's name, ``channel`` how the answer came, and ``client`` the program that passed it on; all
    empty where no answer did it but time, or the service. ``no`` says that it was a no.
    """

    event: str
    time: str
    who: str = ""
    channel: str = ""
    client: str = ""
    no: bool = False
    partial: bool = False


class Piece(Noun):
    """A line of a difference: ``how`` is ``kept``, ``new`` or ``gone``."""

    how: str
    text: str


class Difference(Noun):
    """How what is asked now differs from what was approved, or refused, last."""

    approved: bool
    time: str
    pieces: tuple[Piece, ...]

    @property
    def same(self) -> bool:
        """Whether it is the same text."""
        return all(piece.how == "kept" for piece in self.pieces)


def decided(entries: Iterable[Entry], gate: str, opened: int) -> Decided | None:
    """What decided the question that entry ``opened`` had asked; None while it is open."""
    for entry in entries:
        body = entry.body or {}
        if entry.seq <= opened or entry.kind not in ("event", "move", "due", "failure", "adopted", "upgrade"):
            continue
        answers = [each for each in (*_list(body, "evidence"), *_list(body, "declined")) if each.get("gate") == gate]
        if entry.kind == "event" and answers:
            return _by(entry, answers[-1])
        if body.get("to"):
            evidence = next(iter((*_list(body, "evidence"), *_list(body, "declined"))), None)
            return _by(entry, evidence) if evidence else Decided(str(body.get("event") or ""), entry.time)
    return None


def last_answer(entries: Iterable[Entry]) -> Decided | None:
    """The last answer of a person in the journal, partial ones included."""
    found = None
    for entry in entries:
        answers = (*_list(entry.body or {}, "evidence"), *_list(entry.body or {}, "declined"))
        if entry.kind in ANSWERS and answers:
            found = _by(entry, answers[-1])
    return found


def answered_at(entries: Iterable[Entry]) -> Iterator[tuple[str, str]]:
    """Each answer in the journal: its gate, and the approver who gave it, if it names one."""
    for entry in entries:
        for each in (*_list(entry.body or {}, "evidence"), *_list(entry.body or {}, "declined")):
            yield str(each.get("gate") or ""), str(each.get("approver") or "")


def difference(entries: Iterable[Entry], gate: str, opened: int, now: str) -> Difference | None:
    """How the text that is asked ``now`` differs from the one that was decided last, before entry ``opened``.

    None where nothing was decided at this gate before, or its text was erased.
    """
    texts: dict[str, str] = {}
    shown, last = "", None
    for entry in entries:
        if entry.seq > opened > 0:
            break
        body = entry.body or {}
        for said in (*_list(body.get("reply") or {}, "say"), *_list(body, "told")):
            text = str(said.get("text") or _joined(said))
            texts[digest(text)] = text
        asked = body.get("asked") or {}
        shown = asked.get(gate) or shown
        if entry.kind == "event" and shown in texts:
            yes = any(each.get("gate") == gate for each in _list(body, "evidence"))
            if yes or body.get("to"):
                last, shown = (yes, entry.time, texts[shown]), ""
    if last is None:
        return None
    approved, time, before = last
    return Difference(approved, time, tuple(_pieces(before.splitlines(), now.splitlines())))


def _pieces(before: Sequence[str], now: Sequence[str]) -> Iterator[Piece]:
    matcher = difflib.SequenceMatcher(None, before, now, autojunk=False)
    for how, low, high, new_low, new_high in matcher.get_opcodes():
        if how == "equal":
            yield from (Piece("kept", line) for line in now[new_low:new_high])
            continue
        yield from (Piece("gone", line) for line in before[low:high])
        yield from (Piece("new", line) for line in now[new_low:new_high])


def _by(entry: Entry, answer: Mapping[str, Any]) -> Decided:
    body = entry.body or {}
    return Decided(
        str(body.get("event") or ""),
        entry.time,
        str(answer.get("approver") or ""),
        str(answer.get("channel") or ""),
        str(answer.get("client") or ""),
        no=answer in _list(body, "declined"),
        partial=entry.kind == "partial",
    )


def _joined(said: Mapping[str, Any]) -> str:
    return "".join(str(part.get("text") or "") for part in _list(said, "parts"))


def _list(value: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    """The mappings of a list; a body that has another form has none."""
    found = value.get(name)
    return [each for each in found if isinstance(each, dict | Mapping)] if isinstance(found, (list, tuple)) else []
