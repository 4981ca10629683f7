"""Whoever speaks first, and whoever dies: nothing is said twice, nothing never, outside of one window (R77)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.walks.saying import BROKEN, Round, count
from workflow.engine import speak
from workflow.model.reply import Reply


@pytest.mark.parametrize("first", range(0, 240, 80))
@pytest.mark.rule("R77")
def test_nothing_is_said_twice_and_nothing_never(first: int) -> None:
    """Eighty sessions, some forty steps each, among monitors, sub-agents, turns, deaths and restarts."""
    sums = count(range(first, first + 80))
    assert {name: sums[name] for name in BROKEN} == dict.fromkeys(BROKEN, 0)
    assert sums["deaths"] > 100 and sums["told by a monitor"] > 10  # what is counted does happen
    assert sums["told before and offered as maybe said"] > 10  # the window is met, and is the only exception


@pytest.mark.rule("R77")
def test_a_second_telling_without_its_mark_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same walks notice an engine that offers what was claimed as if it were new."""
    message = speak.message
    monkeypatch.setattr(speak, "message", lambda run, name, **how: message(run, name, **how | {"maybe_said": False}))
    assert count(range(20))["twice"] > 0


@pytest.mark.rule("R77")
def test_a_telling_that_is_lost_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same walks notice an engine that takes for said what was only claimed."""
    record = speak.record

    def careless(*given: Any, **how: Any) -> Reply:
        return record(*given, **how | {"outside": ()})

    monkeypatch.setattr(speak, "record", careless)
    assert count(range(40))["never"] > 0


def test_a_seed_gives_the_same_round() -> None:
    """What was found can be looked at again."""
    first, second = Round(7), Round(7)
    first.play()
    second.play()
    assert (first.heard, first.deaths) == (second.heard, second.deaths)
