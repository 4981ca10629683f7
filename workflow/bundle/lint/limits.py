"""Limits: of paid calls that some state makes, within a window that can be counted."""

from __future__ import annotations

from collections.abc import Iterator

from workflow.bundle.lint.subject import Check, Subject
from workflow.model.brakes import LONGEST, SHORTEST
from workflow.model.duration import span
from workflow.model.errors import DefinitionError


def _limited(subject: Subject) -> Iterator[DefinitionError]:
    for name in subject.definition.limits if subject.registry else ():
        yield from subject.unknown("action", name, subject.performed, subject.source.at("limits", name))
        action = subject.registry.actions.get(name) if subject.registry else None
        if action and not action.once:
            told = f"'{name}' is {action.effect}: only calls whose effect is once can have a limit"
            yield subject.at_key(told, "limits", name)


def _windows(subject: Subject) -> Iterator[DefinitionError]:
    for name, limit in subject.definition.limits.items():
        if not SHORTEST <= limit.per <= LONGEST:
            written = subject.source.document["limits"][name]["per"]
            told = f"`per` must be from {span(SHORTEST)} to {span(LONGEST)}, not {written}"
            yield subject.at_value(told, "limits", name, "per")
        if limit.most < 1:
            told = f"`most` must be at least 1, not {limit.most}: an action that is never called needs no state"
            yield subject.at_value(told, "limits", name, "most")


def _words(subject: Subject) -> Iterator[DefinitionError]:
    """The service did not fail where a limit is full, and `else` would say so."""
    if subject.definition.limits and "limited" not in subject.definition.trouble.names:
        yield subject.at_key("a bundle with `limits` says so where one is full: give `limited` a message", "trouble")


CHECKS: tuple[Check, ...] = (_limited, _windows, _words)
