"""What a bundle is listed by: the name and the description of its skill."""

from __future__ import annotations

import re

from workflow.machine.definition import Definition

LONGEST_NAME = 64
LONGEST_DESCRIPTION = 1024
"""Characters, by the Agent Skills specification."""


def skill_name(definition: Definition) -> str:
    """The bundle's name as the specification has it, for the skill and its folder: letters, digits, single hyphens."""
    return re.sub("[_-]+", "-", definition.workflow).strip("-")


def description_of(definition: Definition) -> str:
    """What the skill does, and when to take it up: all that an agent sees before it chooses."""
    told = one_line(definition.description or definition.title).rstrip(".") + "."
    return f"{told} Use when {_either(definition.triggers)}." if definition.triggers else told


def one_line(text: str) -> str:
    """Fold every run of white space into one space."""
    return " ".join(text.split())


def _either(choices: tuple[str, ...]) -> str:
    told = [one_line(each).rstrip(".") for each in choices]
    return "; or when ".join((*filter(None, ("; when ".join(told[:-1]),)), told[-1]))
