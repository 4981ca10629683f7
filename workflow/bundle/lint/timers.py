"""Timers: each has a time that can come, somebody who is waited for, and a place that takes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from workflow.bundle.lint.subject import Check, Subject, keys_of
from workflow.bundle.loader import Keys
from workflow.machine.definition import Stage
from workflow.model.duration import span
from workflow.model.errors import DefinitionError

LONGEST = 365 * 86400.0
"""Seconds: nothing waits for longer, so that the arithmetic of times stays finite."""


def _stages(subject: Subject) -> Iterator[DefinitionError]:
    """The times of a state come in order, and only the last one leads elsewhere: after that the others never come."""
    for state in subject.definition.states.values():
        keys = (*keys_of(state), "after")
        written = list((_table(subject, keys) or {}).items())
        yield from _times(subject, written, state.after, keys)
        for number, (time, target) in enumerate(written[:-1]):
            later = written[number + 1][0]
            if state.after[number][0] >= state.after[number + 1][0]:
                yield subject.at_key(
                    f"`{later}` does not come later than `{time}`: write the times in order", *keys, later
                )
            elif target != state.name:
                told = (
                    f"`{later}` never comes: after `{time}` the session is in {target}; write it as `after` of {target}"
                )
                yield subject.at_key(told, *keys, later)
        if (
            state.after
            and all(target == state.name for _, target in state.after)
            and not subject.definition.asks(state)
        ):
            told = f"{state.name} only leads back to itself, and asks nothing: use `remind`, or lead elsewhere"
            yield subject.at_key(told, *keys)


def _deadline(subject: Subject) -> Iterator[DefinitionError]:
    written = list((_table(subject, ("deadline",)) or {}).items())
    stages = [subject.definition.deadline] if subject.definition.deadline else []
    yield from _times(subject, written[:1], stages, ("deadline",))
    for time, _ in written[1:]:
        yield subject.at_key(
            "a session has one `deadline`: put what comes before it under `after` of a state", "deadline", time
        )


def _times(
    subject: Subject, written: Sequence[tuple[str, str]], stages: Sequence[Stage], keys: Keys
) -> Iterator[DefinitionError]:
    for (time, _), (seconds, _) in zip(written, stages, strict=True):
        if seconds <= 0:
            yield subject.at_key(f"`{time}` has passed before anybody can answer: it must be more than 0s", *keys, time)
        elif seconds > LONGEST:
            yield subject.at_key(f"`{time}` is longer than 365d", *keys, time)


def _reminders(subject: Subject) -> Iterator[DefinitionError]:
    for state in subject.definition.states.values():
        remind, keys = state.remind, (*keys_of(state), "remind")
        if remind is None:
            continue
        if remind.every < 60:
            yield subject.at_value("`every` must be at least 1m: a reminder is for a person", *keys, "every")
        elif remind.every > LONGEST:
            yield subject.at_value("`every` is longer than 365d", *keys, "every")
        elif state.after and state.after[-1][1] != state.name and state.after[-1][0] <= remind.every:
            left = span(state.after[-1][0])
            yield subject.at_value(
                f"no reminder ever comes: after {left} the session leaves {state.name}", *keys, "every"
            )
        if remind.at_most is not None and remind.at_most < 1:
            yield subject.at_value("`at_most` must be at least 1; leave `remind` out for none", *keys, "at_most")
        if state.say and not state.watch and not state.end and not state.on:
            yield subject.at_key(
                f"nobody is waited for in {state.name}: it has no `on` that an answer could send", *keys
            )
        yield from _table_of_says(subject, keys)


def _table_of_says(subject: Subject, keys: Keys) -> Iterator[DefinitionError]:
    table = (_table(subject, keys) or {}).get("say")
    if isinstance(table, dict) and "else" not in table:
        yield subject.at_key("`say` needs `else`", *keys, "say")
    elif isinstance(table, dict) and next(reversed(table)) != "else":
        yield subject.at_key("`else` comes last: the table is read from the left", *keys, "say", "else")


def _watched(subject: Subject) -> Iterator[DefinitionError]:
    """A watch has its own end, and nobody to remind."""
    for state in subject.definition.states.values():
        for key in ("after", "remind"):
            if state.watch and _table(subject, (*keys_of(state), key)):
                why = "`within` and `late` say when its wait is over" if key == "after" else "the service is waited for"
                yield subject.at_key(f"`{key}` of {state.name} stands beside `watch`: {why}", *keys_of(state), key)


def _table(subject: Subject, keys: Keys) -> dict[str, str] | None:
    """The table that stands at these keys, if there is one."""
    found: Any = subject.source.document
    for key in keys:
        found = found.get(key) or {}
    return found or None


CHECKS: tuple[Check, ...] = (_stages, _deadline, _reminders, _watched)
