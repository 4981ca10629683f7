"""What was told, and what was owed: by what clients have read, not by what the server believes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from workflow.model.ports import Store

ONCE, OFFERED, LOST, TWICE = "said once", "offered again", "lost", "twice"
COUNTS = (ONCE, OFFERED, LOST, TWICE)


def told(read: Sequence[Mapping[str, Any]]) -> dict[str, list[bool]]:
    """Each message that clients have read as a thing to say, and for each reading whether it was marked.

    A message marked ``repeat`` or ``unsaid`` is shown, not said: an agent does not tell the user what it believes they
    know, nor what a turn has yet to say. One that no turn says is lost.
    """
    found: dict[str, list[bool]] = {}
    for answer in read:
        for said in answer.get("say") or ():
            if not (said.get("repeat") or said.get("unsaid")):
                assert said["text"].strip(), f"the text of {said['id']} is gone"
                marked = bool(said.get("maybe_said") or answer.get("replayed"))
                found.setdefault(said["id"], []).append(marked)
    return found


def owed(store: Store) -> set[str]:
    """Each message that the engine has said to the conversation, or still has to say."""
    found = set[str]()
    for summary in store.sessions():
        session = store.load(summary.name)
        assert session is not None
        found |= {each.message for each in session.owed}
        for entry in store.entries(summary.name):
            if entry.kind == "reply" and entry.body:
                found |= {each["message"] for each in entry.body["messages"]}
    return found


def judge(read: Sequence[Mapping[str, Any]], due: set[str], paid: int, wanted: int) -> tuple[Counter[str], list[str]]:
    """The four counts of a cell, and what is behind the last two."""
    readings = told(read)
    counts = Counter(dict.fromkeys(COUNTS, 0))
    counts[ONCE] = sum(len(each) == 1 for each in readings.values())
    counts[OFFERED] = sum(any(each[1:]) for each in readings.values())
    missing = due - set(readings)
    again = {name: sum(not marked for marked in each[1:]) for name, each in readings.items()}
    counts[LOST] = len(missing)
    counts[TWICE] = sum(again.values()) + max(0, paid - wanted)
    why = [f"lost: {name}" for name in sorted(missing)] + [f"twice: {name}" for name, times in again.items() if times]
    return counts, [*why, *([f"paid {paid} times"] if paid > wanted else [])]
