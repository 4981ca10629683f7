"""What is wrong with a bundle beyond its grammar: everything at once, before anything runs."""

from __future__ import annotations

from collections.abc import Mapping

from workflow.bundle.lint import calls, choices, messages, names, questions, reads, routes, shapes
from workflow.bundle.lint import invariants as proofs
from workflow.bundle.lint import sandbox as answers
from workflow.bundle.lint.subject import Subject
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
    subject = Subject(definition, source, registry, prompts, briefs, code or {})
    found = {str(problem): problem for check in _CHECKS for problem in check(subject)}
    return sorted(found.values(), key=lambda each: (each.path != source.path, each.path, *place_of(each)))
