"""What is wrong with a bundle beyond its grammar: everything at once, before anything runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workflow.bundle.lint import (
    calls,
    choices,
    gaps,
    limits,
    messages,
    names,
    questions,
    reads,
    roles,
    routes,
    shapes,
    timers,
    wordings,
)
from workflow.bundle.lint import invariants as proofs
from workflow.bundle.lint import sandbox as answers
from workflow.bundle.lint.subject import Check, Subject
from workflow.bundle.loader import Source, place_of
from workflow.machine.definition import Definition
from workflow.machine.registry import Registry
from workflow.model.errors import DefinitionError

CHECKS: Mapping[str, Sequence[Check]] = {
    "names": names.CHECKS,
    "shapes": shapes.CHECKS,
    "timers": timers.CHECKS,
    "reads": reads.CHECKS,
    "routes": routes.CHECKS,
    "questions": questions.CHECKS,
    "roles": roles.CHECKS,
    "calls": calls.CHECKS,
    "choices": choices.CHECKS,
    "sandbox": answers.CHECKS,
    "limits": limits.CHECKS,
    "invariants": proofs.CHECKS,
    "messages": messages.CHECKS,
    "wordings": wordings.CHECKS,
}
"""Checks by the code that their problems have."""


def lint(
    definition: Definition,
    source: Source,
    registry: Registry | None,
    prompts: Mapping[str, Mapping[str, str]],
    briefs: Mapping[str, str],
    code: Mapping[str, str] | None = None,
) -> list[DefinitionError]:
    """All problems, by file and line; without a registry, what needs the bundle's Python is not asked.

    ``prompts`` are the messages by language and name, ``briefs`` the instructions by name, ``code`` the modules of
    its phases by path.
    """
    return _found(CHECKS, Subject(definition, source, registry, prompts, briefs, code or {}))


def advise(
    definition: Definition,
    source: Source,
    code: Mapping[str, str],
    registry: Registry | None = None,
    prompts: Mapping[str, Mapping[str, str]] | None = None,
) -> list[DefinitionError]:
    """What makes a bundle worse and stops nothing, by line; the rest as for :func:`lint`."""
    advice = {"wordings": wordings.ADVICE, "gaps": gaps.ADVICE}
    return _found(advice, Subject(definition, source, registry, prompts or {}, {}, code))


def _found(checks: Mapping[str, Sequence[Check]], subject: Subject) -> list[DefinitionError]:
    found: dict[str, DefinitionError] = {}
    for code, check in ((code, each) for code, some in checks.items() for each in some):
        for problem in check(subject):
            problem.code = code
            found.setdefault(str(problem), problem)
    return sorted(found.values(), key=lambda each: (each.path != subject.source.path, each.path, *place_of(each)))
