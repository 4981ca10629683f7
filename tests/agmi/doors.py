"""Which door refuses which of AgMI's edits: what the tests expect, and what docs/reliability.md says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

EDITS: Mapping[str, str] = {
    "T1": "change the content of an entry",
    "T2": "cut off the end of the journal",
    "T3": "delete an entry in the middle",
    "T4": "swap two entries",
    "T5": "append an entry that was never written",
    "T6": "put an entry of another session in the last place",
    "T7": "put an older entry of the session in the last place",
    "T8": "change an entry's time, or the turn that it is found by",
    "T9": "put an older copy of the whole store in its place",
}
LAST: Sequence[str] = ("T2", "T5", "T6", "T7")
"""What shows in the last entry."""
ALL: Sequence[str] = tuple(EDITS)

DOORS: Mapping[str, tuple[str, Sequence[str]]] = {
    "Status": ("`workflow status`", LAST),
    "PlainTurn": ("a turn that neither pays nor sends", LAST),
    "PayingTurn": ("a turn that pays or sends", ALL[:-1]),
    "FirstTouch": ("`serve`, `mcp` and `watch`, when they first load a session", ALL[:-1]),
    "Doctor": ("`workflow doctor`", ALL[:-1]),
    "Backup": ("`workflow backup`", ALL[:-1]),
    "Verify": ("`workflow audit verify SESSION`", ALL[:-1]),
    "Prove": ("`workflow audit prove SESSION`", ALL[:-1]),
    "VerifyStore": ("`workflow audit verify --store`", ALL[:-1]),
    "WithReceipt": ("`workflow audit verify SESSION --expect-head RECEIPT`", ALL),
    "StoreWithReceipt": ("`workflow audit verify --store --expect-head RECEIPT`", ALL),
}
"""Adapter → the door as its users know it, and what it refuses."""
