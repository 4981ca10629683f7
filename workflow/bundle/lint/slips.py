"""One misspelt name is one problem: what only follows from it is left out, and its places are told together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from workflow.machine.registry import Registry
from workflow.model.errors import DefinitionError
from workflow.model.frozen import Noun, replace

Text = Mapping[str, Mapping[str, str]]
_WALKED = frozenset({"reads", "routes", "questions", "choices", "invariants", "messages"})
"""Checks that follow names from state to state: with an unknown name among them, they find what may not be wrong."""


class Slip(Noun):
    """A name that nothing defines: its kind, and what was probably meant (empty where nothing looks like it)."""

    kind: str
    name: str
    meant: str

    @property
    def cause(self) -> tuple[str, str]:
        """What is one mistake: the name, or for states that differ in their phase alone, the phase."""
        (phase, _, own), (right, _, meant) = self.name.rpartition("."), self.meant.rpartition(".")
        return ("phase", phase) if phase and right and phase != right and own == meant else (self.kind, self.name)


def settled(found: Sequence[DefinitionError], again: Iterable[DefinitionError] | None) -> list[DefinitionError]:
    """Each unknown name once, and of the other problems those that do not follow from one.

    ``again`` is what is found where the names are put right; None where that cannot be tried.
    """
    kept = None if again is None else {str(each) for each in again}
    whole = kept is not None and all(each.slip.meant for each in found if each.slip)
    told: dict[tuple[str, str], DefinitionError] = {}
    rest = []
    for each in found:
        if each.slip:
            first = told.setdefault(each.slip.cause, each)
            if first is not each:
                first.also = (*first.also, (each.path, each.line, each.column))
        elif (kept is None or str(each) in kept) and (whole or each.code not in _WALKED):
            rest.append(each)
    return [*told.values(), *rest]


def repaired(text: str, path: str, found: Iterable[DefinitionError]) -> str:
    """The document with what was meant in the place of each unknown name."""
    lines = text.split("\n")
    slips = [each for each in found if each.slip and each.slip.meant and each.path == path]
    for each in sorted(slips, key=lambda each: (each.line, each.column), reverse=True):
        assert each.slip
        line, at = lines[each.line - 1], each.column - 1
        lines[each.line - 1] = line[:at] + line[at:].replace(each.slip.name, each.slip.meant, 1)
    return "\n".join(lines)


def meant(found: Iterable[DefinitionError]) -> dict[str, str]:
    """The data that are misspelt, each with what was meant."""
    return {each.slip.name: each.slip.meant for each in found if each.slip and each.slip.kind == "datum"}


def in_registry(registry: Registry, data: Mapping[str, str]) -> Registry:
    """The registry with these data under the names that were meant."""

    def put(names: Iterable[str]) -> frozenset[str]:
        return frozenset(data.get(each) or each for each in names)

    actions = {name: replace(each, sets=put(each.sets)) for name, each in registry.actions.items()}
    guards = {name: replace(each, reads=put(each.reads)) for name, each in registry.guards.items()}
    return replace(registry, actions=actions, guards=guards)


def in_texts(texts: Text, data: Mapping[str, str]) -> Text:
    """Messages that show these data under the names that were meant."""
    known = [name for name, right in data.items() if right]
    if not known:
        return texts
    pattern = re.compile(r"(\$\{?)(" + "|".join(map(re.escape, known)) + r")\b")
    return {
        language: {name: pattern.sub(lambda mark: mark[1] + data[mark[2]], text) for name, text in each.items()}
        for language, each in texts.items()
    }
