"""The ledger of paid calls: what a line says, and how lines are read. It holds no content, so nothing of it is erased.

A line is one JSON object with a checksum of its own. A last line without its line break was never finished, so its call
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
    """What a ledger says: its payments in order, the stores that it keeps, and the bytes of an unfinished last line."""

    payments: tuple[Payment, ...] = ()
    stores: frozenset[str] = frozenset()
    torn: int = 0

    def of(self, store: str) -> tuple[Payment, ...]:
        """The payments of one store."""
        return tuple(each for each in self.payments if each.store == store)


class LedgerDamaged(ValueError):
    """Line ``number`` of a ledger is not as it was written."""

    def __init__(self, number: int) -> None:
        super().__init__(f"line {number} is not as it was written")
        self.number = number


def opening(store: str, time: str) -> dict[str, Any]:
    """The content of the line that begins the ledger of a store: without one, the ledger of a store was lost."""
    return {"store": store, "time": time}


def written(content: Mapping[str, Any]) -> bytes:
    """A line with its line break."""
    return sealed(canonical({**content, "v": FORMAT}).decode()).encode() + b"\n"


def read(content: bytes, *, salvage: bool = False) -> Ledger:
    """Everything that a ledger says; raises :class:`LedgerDamaged`, or with ``salvage`` leaves out damaged lines."""
    *lines, rest = content.split(b"\n")
    payments: list[Payment] = []
    stores: set[str] = set()
    for number, line in enumerate(lines, 1):
        body = _body(line)
        if body is None:
            if salvage:
                continue
            raise LedgerDamaged(number)
        stores.add(body["store"])
        if "call" in body:
            payments.append(Payment(*(body[name] for name in _FIELDS)))
    return Ledger(tuple(payments), frozenset(stores), len(rest))


_FIELDS = ("store", "call", "session", "action", "entry", "time")


def _body(line: bytes) -> dict[str, Any] | None:
    """What a line says; None unless every byte of it is as it was written."""
    try:
        body = json.loads(unsealed(line.decode()))
        names = {*_FIELDS} if "call" in body else {"store", "time"}
        sound = body.keys() == names | {"v"} and body["v"] == FORMAT
        return body if sound and all(isinstance(body[name], str) for name in names) else None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
