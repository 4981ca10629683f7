"""Recording what was refused: each refusal with its reason, and never more of them than a journal can bear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workflow.engine.observe import proven
from workflow.engine.run import Run
from workflow.machine.decide import Observed, Refused
from workflow.model.digest import sha256
from workflow.model.evidence import SIGNED
from workflow.model.session import Turn

MOST_KEPT = 4096
"""Bytes of a refused turn that are kept whole; of a longer one, its digest and a prefix."""
PREFIX = 256
"""Characters of a longer one that are kept."""
MOST_AN_HOUR = 100
"""Refusals that a session records in one hour of the clock. The last of them says that more are not recorded."""
_LONGEST_REASON = 1000


def note(run: Run, turn: Turn, decision: Refused, observed: Observed, handed: Sequence[str] = ()) -> None:
    """One entry for a refused turn, unless this hour has its share: a journal grows by what it takes, not by noise.

    ``handed`` are the gates whose questions are said again with it, and whose terms begin so.
    """
    room = left(run)
    if room <= 0 and not handed:  # a term begins in any case, once
        return
    kept = given(turn)
    body = {
        "given": kept,
        "reasons": [each[:_LONGEST_REASON] for each in decision.reasons],
        "type": decision.type,
        "expects": turn.expect_revision,
        "names": observed.seen,
        **proven(turn, observed.seen, observed.wordings),
        "named": turn.turn_id is not None,
        "channel": turn.channel,
        "strength": turn.strength,
        "now": observed.now.as_json(),
    }
    if handed:
        body["handed"] = list(handed)
    if turn.declines:
        body["declines"] = turn.declines
    if turn.approver:
        body |= {"approver": turn.approver, "people": dict(observed.people)}
    if turn.strength == SIGNED:
        body["signed"] = observed.signed if isinstance(observed.signed, str) else observed.signed.as_json()
    if turn.asked_at:
        body["asked_at"] = turn.asked_at.as_json()
    if "sha256" not in kept:
        body["observed"] = {k: value for k, value in observed.input.items() if value != turn.input.get(k)}
    if decision.denied:
        body["denied"] = True
    if room == 1:
        body["last"] = True
    run.note("refusal", body | run.conditions())


def left(run: Run) -> int:
    """How many more refusals this session records within this hour."""
    hour, count = run.session.refused or ("", 0)
    return MOST_AN_HOUR - (count if hour == run.time()[:13] else 0)


def given(turn: Turn) -> dict[str, Any]:
    """What was sent, for the journal: as it is, or for a long one its event, digest, size and a prefix."""
    size = len(turn.text.encode())
    if size <= MOST_KEPT:
        return turn.given
    event = turn.event if turn.event is None else turn.event[:PREFIX]
    return {"event": event, "sha256": sha256(turn.text.encode()), "bytes": size, "prefix": turn.text[:PREFIX]}
