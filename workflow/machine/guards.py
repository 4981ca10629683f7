"""Running guards: all that matter to one decision, once, into a table of verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from workflow.machine.registry import PASSES, Facts, Guard, Registry, Verdict, because
from workflow.model.frozen import replace


def _watched(facts: Facts) -> Verdict:
    return PASSES if facts.watched else because("nobody watches this run")


def _in_doubt(facts: Facts) -> Verdict:
    return PASSES if facts.in_doubt else because("nothing is in doubt")


BUILT_IN = (
    Guard("watched", frozenset(), _watched),
    Guard("in_doubt", frozenset(), _in_doubt),
)
"""Guards over what only the engine knows: whether a monitor is registered, whether a paid call is in doubt."""


def judge(registry: Registry, names: Iterable[str], facts: Facts) -> dict[str, Verdict]:
    """The verdict of each guard; a guard sees only the data that it declared to read.

    A guard that raises does not pass, and says so: a fault in a bundle never opens a gate.
    """
    return {name: _ask(registry.guards[name], facts) for name in dict.fromkeys(names)}


def holding(verdicts: Mapping[str, Verdict]) -> dict[str, bool]:
    """Name → whether it passes, as a choice wants it."""
    return {name: verdict.passes for name, verdict in verdicts.items()}


def recorded(verdicts: Mapping[str, Verdict]) -> dict[str, Any]:
    """For the journal: true, or the reason why not."""
    return {name: True if verdict.passes else verdict.reason for name, verdict in verdicts.items()}


def _ask(guard: Guard, facts: Facts) -> Verdict:
    try:
        verdict = guard.judge(replace(facts, data=_shown(guard, facts.data), input=_shown(guard, facts.input)))
    except (Exception, SystemExit) as error:  # a bundle's own code: whatever it raises, the gate stays shut
        return because(f"the guard '{guard.name}' failed: {type(error).__name__}")
    return verdict if isinstance(verdict, Verdict) else because(f"the guard '{guard.name}' gave no verdict")


def _shown(guard: Guard, data: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of what the guard declared to read; text needs none."""
    read = {name: data[name] for name in guard.reads if name in data}
    return {name: value if isinstance(value, str) else deepcopy(value) for name, value in read.items()}
