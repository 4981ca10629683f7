"""Limits: of paid calls that some state makes, within a window that can be counted."""

from __future__ import annotations

from collections.abc import Iterator

from workflow.bundle.lint.subject import Check, Named, Subject
from workflow.model.brakes import LONGEST, SHORTEST
from workflow.model.duration import span
from workflow.model.errors import DefinitionError


def _limited(subject: Subject) -> Iterator[DefinitionError]:
    for name, place in _actions(subject) if subject.registry else ():
        yield from subject.unknown("action", name, subject.performed, place)
        if subject.effects.get(name, "once") != "once":
            told = f"'{name}' is {subject.effects[name]}: only calls whose effect is once can have a limit"
            yield subject.at(told, place)


def _actions(subject: Subject) -> Iterator[Named]:
    """Every action that a limit counts, and where it is named."""
    for name, limit in subject.definition.limits.items():
        if limit.of:
            yield from ((each, subject.source.value_at("limits", name, "of", n)) for n, each in enumerate(limit.of))
        else:
            yield name, subject.source.at("limits", name)


def _together(subject: Subject) -> Iterator[DefinitionError]:
    """What several count together is named by a limit, not by an action, so that a user can lower either."""
    for name, written in (subject.source.document.get("limits") or {}).items():
        of = written.get("of")
        if of is None:
            continue
        if name in subject.effects:
            told = f"'{name}' is an action: a limit with `of` needs a name of its own, such as {name}_together"
            yield subject.at_key(told, "limits", name)
        if len(of) < 2:
            told = "`of` counts two or more actions together; write a limit of one action below the action's name"
            yield subject.at_value(told, "limits", name, "of")
        for number, each in enumerate(of):
            if each in of[:number]:
                yield subject.at_value(f"'{each}' is there twice", "limits", name, "of", number)


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
    if subject.definition.limits and "limited" not in subject.definition.classes:
        yield subject.at_key("a bundle with `limits` says so where one is full: give `limited` a message", "trouble")


CHECKS: tuple[Check, ...] = (_limited, _together, _windows, _words)
"""What lint says of limits."""
