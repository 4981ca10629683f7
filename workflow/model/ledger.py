"""The ledger of paid calls: what a line says, and how lines are read. It holds no content, so nothing of it is erased.

A line is one JSON object with a checksum of its own. A last line that is cut short was never finished, so its call
never left: it does not count, and the next line is written in its place. Any other damaged line makes the ledger
unusable.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from workflow.model.digest import canonical, sealed, unsealed
from workflow.model.frozen import Noun

FORMAT = 1


class Payment(Noun):
    """One paid call: the store, the name of the call, and the entry of its intent as a receipt quotes it."""

    store: str
    call: str
    session: str
    action: str
    entry: str
    time: str

    def as_json(self) -> dict[str, Any]:
        """For a line."""
        return {"call": self.call, "session": self.session, "action": self.action, "entry": self.entry} | {
            "store": self.store,
            "time": self.time,
        }


class Ledger(Noun):
    """What a ledger says: its payments in order, the stores that it keeps, and the bytes of an unfinished last line.

    ``after`` pairs a store with the one that it was before a person adopted it.
    """

    payments: tuple[Payment, ...] = ()
    stores: frozenset[str] = frozenset()
    after: tuple[tuple[str, str], ...] = ()
    torn: int = 0

    def later(self, store: str) -> frozenset[str]:
        """Every store that this one has become since: where there is one, ``store`` is an older copy."""
        found: set[str] = set()
        more = {store}
        while more:
            more = {new for new, old in self.after if old in more} - found
            found |= more
        return frozenset(found)

    def of(self, store: str) -> tuple[Payment, ...]:
        """The payments of one store, and of what it has become since."""
        stores = {store} | self.later(store)
        return tuple(each for each in self.payments if each.store in stores)


class LedgerDamaged(ValueError):
    """Line ``number`` of a ledger is not as it was written."""

    def __init__(self, number: int) -> None:
        super().__init__(f"line {number} is not as it was written")
        self.number = number


def opening(store: str, time: str, after: str | None = None) -> dict[str, Any]:
    """The content of the line that begins the ledger of a store: without one, the ledger of a store was lost.

    ``after`` is the store's id before it was adopted.
    """
    return {"store": store, "time": time} | ({"after": after} if after else {})


def is_whole(line: bytes) -> bool:
    """Whether every byte of a line is there, whether its line break is or not."""
    return _body(line) is not None


def written(content: Mapping[str, Any]) -> bytes:
    """A line with its line break."""
    return sealed(canonical({**content, "v": FORMAT}).decode()).encode() + b"\n"


def read(content: bytes, *, salvage: bool = False) -> Ledger:
    """Everything that a ledger says; raises :class:`LedgerDamaged`, or with ``salvage`` leaves out damaged lines."""
    *lines, rest = content.split(b"\n")
    if is_whole(rest):  # an editor took the last line break away
        lines, rest = [*lines, rest], b""
    payments: list[Payment] = []
    stores: set[str] = set()
    after: list[tuple[str, str]] = []
    for number, line in enumerate(lines, 1):
        body = _body(line)
        if body is None:
            if salvage:
                continue
            raise LedgerDamaged(number)
        stores.add(body["store"])
        if "after" in body:
            after.append((body["store"], body["after"]))
        if "call" in body:
            payments.append(Payment(*(body[name] for name in _FIELDS)))
    return Ledger(tuple(payments), frozenset(stores), tuple(after), len(rest))


_FIELDS = ("store", "call", "session", "action", "entry", "time")


def _body(line: bytes) -> dict[str, Any] | None:
    """What a line says; None unless every byte of it is as it was written."""
    try:
        body = json.loads(unsealed(line.decode()))
        names = {*_FIELDS} if "call" in body else {"store", "time"} | ({"after"} & body.keys())
        sound = body.keys() == names | {"v"} and body["v"] == FORMAT
        return body if sound and all(isinstance(body[name], str) for name in names) else None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
