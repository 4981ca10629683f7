"""A journal to hand on: every entry with its hashes, without what is nobody's business, and it says so.

What was redacted, left out or erased cannot be compared with its digest any more; the chain of all entries can.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from workflow.engine.view import View
from workflow.history import audit
from workflow.history.audit import Filter
from workflow.machine.fragments import fragments
from workflow.machine.leaks import SHORTEST, own_id
from workflow.model.errors import JournalTampered, WorkflowError
from workflow.model.frozen import Noun
from workflow.model.journal import Entry, replay
from workflow.model.session import Session
from workflow.service.key import redact

MASK = "[redacted]"


Without = Literal["erased", "left out"]


class Line(Noun):
    """An entry as it is handed on: ``redacted`` are places in its body, ``left_out`` that nobody asked for it."""

    entry: Entry
    redacted: tuple[str, ...] = ()
    left_out: bool = False

    @property
    def without(self) -> Without | None:
        """Why there is no body: ``erased`` or ``left out``; None where there is one."""
        if self.entry.body is None:
            return "left out" if self.left_out else "erased"
        return None

    def as_json(self) -> dict[str, Any]:
        """One line of an export."""
        entry = self.entry
        return {
            "session": entry.session,
            "seq": entry.seq,
            "kind": entry.kind,
            "time": entry.time,
            "previous": entry.previous,
            "digest": entry.digest,
            "hash": entry.hash,
            "body": None if entry.body is None else dict(entry.body),
            "without": self.without,
            "redacted": list(self.redacted),
        }


class Export(Noun):
    """A session's lines, as it stands; ``fault`` is why its log does not hold, if it does not.

    ``covered`` makes of a text of the journal what the lines hold of it.
    """

    session: Session
    status: str
    lines: tuple[Line, ...]
    fault: str | None
    covered: Callable[[str], str]


def export(view: View, name: str, wanted: Filter, *, internal: bool = False) -> Export:
    """All entries of ``name``, with the bodies of those that are asked for; ``internal`` data only if so.

    The service's key is in no journal; it is looked for all the same. A log that does not hold is exported too.
    """
    record = audit.read(view, name)
    fault = audit.fault(view, name)
    mask = _Mask(view, record.session, record.entries, internal)
    lines = tuple(_line(each, wanted, mask) for each in record.entries)
    return Export(record.session, record.summary.status, lines, fault, mask.text)


def _line(entry: Entry, wanted: Filter, mask: _Mask) -> Line:
    if entry.body is None:
        return Line(entry)
    if not wanted.matches(entry) and entry.kind != "forgotten":  # the chain needs what says that the rest is gone
        return Line(_with_body(entry, None), left_out=True)
    redacted: list[str] = []
    body = mask.cover(entry.body, redacted)
    return Line(_with_body(entry, body), tuple(redacted))


def _with_body(entry: Entry, body: Mapping[str, Any] | None) -> Entry:
    return Entry(entry.session, entry.seq, entry.kind, entry.time, entry.previous, entry.digest, entry.hash, body)


class _Mask:
    """What must not be seen: data by name where an entry sets them, their values and the key wherever they stand."""

    def __init__(self, view: View, session: Session, entries: Sequence[Entry], internal: bool) -> None:
        self._key = _key(view, session)
        self._names: set[str] = set()
        self._known = True
        values: set[str] = set()
        urls: set[str] = set()
        for each in () if internal else _sessions(entries):
            definition = audit.definition_of(view, each.bundle, entries) if each.bundle else None
            if definition is None:
                self._known = False  # then nobody can say which data are internal: all that were set are covered
                continue
            self._names |= set(definition.of_type("internal"))
            values |= {text for name in self._names for text in _leaves(each.data.get(name))}
            urls |= {str(each.data[name]) for name in definition.of_type("url") if each.data.get(name)}
        self._values = tuple(sorted(each for each in values if len(each) >= SHORTEST))
        self._urls = re.compile("|".join(map(re.escape, sorted(urls, key=len, reverse=True)))) if urls else None

    def cover(self, body: Mapping[str, Any], redacted: list[str]) -> dict[str, Any]:
        """The body without it; each place is noted, as a JSON pointer."""
        return {
            key: self._set(value, redacted)
            if key == "set" and isinstance(value, Mapping)
            else self._covered(value, f"/{_step(key)}", redacted)
            for key, value in body.items()
        }

    def _set(self, data: Mapping[str, Any], redacted: list[str]) -> dict[str, Any]:
        out = {}
        for name, value in data.items():
            place = f"/set/{_step(name)}"
            if value and (name in self._names or not self._known):
                redacted.append(place)
                out[name] = MASK
            else:
                out[name] = self._covered(value, place, redacted)
        return out

    def _covered(self, value: Any, place: str, redacted: list[str]) -> Any:
        if isinstance(value, Mapping):
            named = {key: self.text(key) for key in value}
            redacted += [f"{place}/{_step(covered)}" for key, covered in named.items() if covered != key]
            return {
                named[key]: self._covered(each, f"{place}/{_step(named[key])}", redacted) for key, each in value.items()
            }
        if isinstance(value, list):
            return [self._covered(each, f"{place}/{number}", redacted) for number, each in enumerate(value)]
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            return value
        text = str(value)
        covered = self.text(text)
        if covered == text:
            return value
        redacted.append(place)
        return covered

    def text(self, text: str) -> str:
        """Without the key, and without internal values, except its own id within each link that was shown."""
        text = redact(text, self._key)
        known = fragments(self._values)
        links = self._urls.findall(text) if self._urls else []
        pieces = self._urls.split(text) if self._urls else [text]
        pieces = [known.blotted(piece, MASK) for piece in pieces]
        return "".join(piece + self._link(link) for piece, link in zip(pieces, [*links, ""], strict=True))

    def _link(self, link: str) -> str:
        own = own_id(link, self._values)
        return own.join(fragments(self._values).blotted(each, MASK) for each in (link.split(own) if own else [link]))


def _sessions(entries: Sequence[Entry]) -> Iterator[Session]:
    """The session after every entry, as far as the log holds."""
    try:
        for _, session in replay(entries):
            if session is not None:
                yield session
    except JournalTampered:
        return


def _leaves(value: Any) -> Iterator[str]:
    """All texts and numbers within a datum; not the names, which are digests of files."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from _leaves(each)
    elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
        yield str(value)


def _key(view: View, session: Session) -> str:
    """The key that the session uses; empty where it or the bundle cannot be had."""
    try:
        return view.world.connect(view.world.open_bundle(session.path), session).key()
    except WorkflowError:
        return ""


def _step(name: str) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
