"""A turn that was stopped between its intent and its call: the time of a paid call counts from before the intent."""

from __future__ import annotations

from pathlib import Path

import pytest

from phases.anygen.sandbox import Sandbox
from tests.playing import HandClock, player
from tests.promises.conftest import REFERENCE
from tests.promises.journeys import creates, to_plan
from workflow.model.ledger import Payment
from workflow.model.ports import LONGEST_CALL
from workflow.store.memory import MemoryStore


class Stopped(MemoryStore):
    """The process stops after its intent, for as many seconds."""

    def __init__(self, clock: HandClock, seconds: float) -> None:
        super().__init__()
        self._clock, self._seconds = clock, seconds

    def enter(self, payment: Payment) -> None:
        """Keep it, and let time pass."""
        super().enter(payment)
        self._clock.pass_(self._seconds)


@pytest.mark.parametrize(("seconds", "calls"), [(LONGEST_CALL - 60.0, 1), (LONGEST_CALL, 0), (3 * LONGEST_CALL, 0)])
def test_a_call_leaves_within_its_time_or_not_at_all(
    tmp_path: Path, sandbox: Sandbox, clock: HandClock, seconds: float, calls: int
) -> None:
    """Others may have the session by then: too late, nothing leaves, which is a certain no and not a doubt."""
    play = player(tmp_path, REFERENCE, sandbox.url, store=Stopped(clock, seconds), clock=clock)
    to_plan(play)
    play.send("approve", quote="Yes, go ahead")
    assert len(creates(sandbox)) == calls
    assert len(play.journal("intent")) == 1 and len(play.journal("doubt")) == 0
    assert len(play.journal("failure")) == 1 - calls
