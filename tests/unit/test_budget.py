"""What a turn, a look and a paid call may take in all."""

from __future__ import annotations

from typing import Any

import pytest

from tests.playing import HandClock
from workflow.engine.budget import Budget, BudgetedService
from workflow.model.errors import NoAnswer, Unreachable
from workflow.model.ports import Response


class Slow:
    """A service that takes the time it is given, or less; ``asked`` lists the timeouts."""

    def __init__(self, clock: HandClock, seconds: float) -> None:
        self.clock, self.seconds, self.asked = clock, seconds, list[float]()

    def call(self, method: str, path: str, *, timeout: float, **_: Any) -> Response:
        """One request."""
        self.asked.append(timeout)
        self.clock.pass_(min(timeout, self.seconds))
        return Response(200, {}, b"{}", None)


def test_every_request_draws_on_what_is_left() -> None:
    """Each has its own timeout or what is left, whichever is shorter; with nothing left, none leaves."""
    clock = HandClock()
    slow = Slow(clock, 14)
    service = BudgetedService(slow, Budget(clock, 30))
    for _ in range(3):
        service.call("GET", "/", timeout=20)
    assert slow.asked == [20, 16, 2]
    with pytest.raises(NoAnswer) as caught:
        service.call("GET", "/", timeout=20)
    assert caught.value.transient and not caught.value.definite
    assert len(slow.asked) == 3


def test_nothing_left_before_the_first_request_is_certain() -> None:
    """Only where no request of this action has left is it certain that nothing was done."""
    clock = HandClock()
    budget = Budget(clock, 30)
    clock.pass_(31)
    with pytest.raises(Unreachable) as caught:
        BudgetedService(Slow(clock, 1), budget).call("POST", "/", timeout=20)
    assert caught.value.definite


def test_a_part_is_never_more_than_the_whole() -> None:
    """A look within a turn has its own seconds, or what the turn has left; a paid call costs the turn nothing."""
    clock = HandClock()
    turn = Budget(clock, 120)
    clock.pass_(100)
    assert (turn.part(30).left(), turn.part(10).left()) == (20, 10)
    with turn.paused():
        clock.pass_(300)
    assert turn.left() == 20
