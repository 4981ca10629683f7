"""What is wrong with a bundle beyond its grammar: everything at once, before anything runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workflow.bundle.lint import calls, choices, messages, names, questions, reads, routes, shapes, wordings
from workflow.bundle.lint import invariants as proofs
from workflow.bundle.lint import sandbox as answers
from workflow.bundle.lint.subject import Check, Subject
from workflow.bundle.loader import Source, place_of
from workflow.machine.definition import Definition
from workflow.machine.registry import Registry
from workflow.model.errors import DefinitionError

_CHECKS = (
    *names.CHECKS,
    *shapes.CHECKS,
    *reads.CHECKS,
    *routes.CHECKS,
    *questions.CHECKS,
    *calls.CHECKS,
    *choices.CHECKS,
    *answers.CHECKS,
    *proofs.CHECKS,
    *messages.CHECKS,
    *wordings.CHECKS,
)


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
    return _found(_CHECKS, Subject(definition, source, registry, prompts, briefs, code or {}))


def advise(definition: Definition, source: Source, code: Mapping[str, str]) -> list[DefinitionError]:
    """What makes a bundle worse and stops nothing, by line; ``code`` as for :func:`lint`."""
    return _found(wordings.ADVICE, Subject(definition, source, None, {}, {}, code))


def _found(checks: Sequence[Check], subject: Subject) -> list[DefinitionError]:
    found = {str(problem): problem for check in checks for problem in check(subject)}
    return sorted(found.values(), key=lambda each: (each.path != subject.source.path, each.path, *place_of(each)))
