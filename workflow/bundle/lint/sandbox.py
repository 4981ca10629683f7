"""A sandbox that is written in YAML: it can answer, and it answers what the declared actions ask."""

from __future__ import annotations

import re
from collections.abc import Iterator

from workflow.bundle.lint.subject import Check, Subject
from workflow.machine.definition import Service
from workflow.model.errors import DefinitionError

_CALL = re.compile(r"(?:GET|POST|PUT|PATCH|DELETE) /[^\s?#]*")
_SEGMENT = re.compile(r"\{[^{}/]*\}")


def _answers(subject: Subject) -> Iterator[DefinitionError]:
    answers = subject.definition.service.answers
    for call, given in answers.items():
        keys = ("service", "sandbox", call)
        if not _CALL.fullmatch(call):
            yield subject.at_key(
                f"'{call}' is not a call: write a method and a path, such as GET /orders/{{id}}", *keys
            )
        listed = given if isinstance(given, list) else [given]
        if all(each.get("after") for each in listed):
            yield subject.at_key("one answer at least must be there before any other call was made", *keys)
        for number, answer in enumerate(listed):
            at = (*keys, number) if isinstance(given, list) else keys
            status = answer.get("status", 200)
            if not isinstance(status, int) or not 200 <= status <= 599:
                yield subject.at_value("a status is a number from 200 to 599", *at, "status")
            after = answer.get("after")
            if after:
                yield from subject.unknown("call", after, answers, subject.source.value_at(*at, "after"))


def _answered(subject: Subject) -> Iterator[DefinitionError]:
    """Offline, every declared action is answered."""
    service: Service = subject.definition.service
    if not service.answers:
        return
    known = {_SEGMENT.sub("{}", call) for call in service.answers}
    for action in subject.definition.actions.values():
        call = f"{action.method} {action.path}"
        if _SEGMENT.sub("{}", call) not in known:
            yield subject.at_value(f"the sandbox does not answer '{call}'", "actions", action.name, "path")


CHECKS: tuple[Check, ...] = (_answers, _answered)
