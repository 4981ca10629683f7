"""Running guards: all that matter to one decision, once, into a table of verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from workflow.machine.declared import Declared, Options, Setters
from workflow.machine.registry import PASSES, Facts, Guard, Registry, Verdict, because
from workflow.machine.traces import traced
from workflow.model.errors import Undecidable
from workflow.model.frozen import Noun, replace


class Undecided(Noun):
    """What is had of a guard that raised or gave no verdict: it neither passes nor refuses.

    ``reason`` is for agents and journals, and holds nothing that the guard said; ``trace`` is for its author.
    """

    reason: str
    trace: str = ""

    @property
    def passes(self) -> bool:
        """Never: what cannot tell opens nothing."""
        return False


Judged = Mapping[str, Verdict | Undecided]
"""Guard → what it says of the facts."""


def _watched(facts: Facts) -> Verdict:
    return PASSES if facts.watched else because("nobody watches this run")


def _in_doubt(facts: Facts) -> Verdict:
    return PASSES if facts.in_doubt else because("nothing is in doubt")


BUILT_IN = (
    Guard("watched", frozenset(), _watched),
    Guard("in_doubt", frozenset(), _in_doubt),
)
"""Guards over what only the engine knows: whether a monitor is registered, whether a paid call is in doubt."""


def judge(registry: Registry, names: Iterable[str], facts: Facts, setters: Setters = dict) -> Judged:
    """The verdict of each guard; a guard sees only what it declared to read.

    ``setters`` is for the error of a guard that reads a datum without a value.
    """
    return {name: _ask(registry, name, facts, setters) for name in dict.fromkeys(names)}


def holding(verdicts: Judged) -> dict[str, bool]:
    """Name → whether it passes, as a choice wants it.

    A table is read from the left: a guard after the first one that passes decides nothing. One that cannot tell and
    comes before it raises :class:`Undecidable`. It does not count as one that does not pass, so no ``else`` is taken.
    """
    for name, verdict in verdicts.items():
        if isinstance(verdict, Undecided):
            raise Undecidable(name, verdict.reason, recorded(verdicts))
        if verdict.passes:
            break
    return {name: verdict.passes for name, verdict in verdicts.items()}


def recorded(verdicts: Judged) -> dict[str, Any]:
    """For the journal: true, or the reason why not."""
    return {name: True if verdict.passes else verdict.reason for name, verdict in verdicts.items()}


def traces(verdicts: Judged) -> Iterator[str]:
    """Where the guards that cannot tell broke, for whoever writes the bundle."""
    yield from (each.trace or each.reason for each in verdicts.values() if isinstance(each, Undecided))


def _ask(registry: Registry, name: str, facts: Facts, setters: Setters) -> Verdict | Undecided:
    try:
        guard = registry.guards[name]
        data = Declared(name, guard.reads, facts.data, setters)
        given = Declared(name, guard.reads, facts.input, setters)
        settings = Options(facts.settings)
        verdict = guard.judge(replace(facts, data=data, input=given, settings=settings))
        fault = data.fault or given.fault or settings.fault
        if fault:  # the guard caught it, and went on without what it did not get
            raise fault
        if isinstance(verdict, Verdict) and isinstance(verdict.passes, bool) and isinstance(verdict.reason, str):
            verdict.reason.encode()  # as the journal will write it
            return verdict
    except (Exception, SystemExit) as error:  # a bundle's own code may raise anything
        return Undecided(f"the guard '{name}' failed: {type(error).__name__}", traced(f"the guard '{name}'", error))
    return Undecided(f"the guard '{name}' gave no verdict")
