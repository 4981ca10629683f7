"""Every mutant of a ``workflow.yaml``: the document without one of its keys or items, whichever it is."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import yaml

from workflow.bundle.loader import Keys
from workflow.model.frozen import Noun

_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""In C where there is one: a tenth of the time."""


class Mutant(Noun):
    """A document from which one thing was removed; ``name`` says which, as the keys that lead there."""

    name: str
    document: dict[str, Any]

    @property
    def text(self) -> str:
        """As YAML, with nothing left to guess for our reader."""
        told = yaml.dump(self.document, Dumper=_DUMPER, sort_keys=False, allow_unicode=True, width=1_000)
        return str(told)


TOLD = ("covers", "description", "set_with", "triggers", "when")
"""Keys that, like comments, say something of the machine and change nothing about it."""


def mutants(document: dict[str, Any]) -> Iterator[Mutant]:
    """One for each key of a table and each item of a list, in the order of the file."""
    for keys in _places(document, ()):
        changed = deepcopy(document)
        holder: Any = changed
        for key in keys[:-1]:
            holder = holder[key]
        name = _name(keys, holder)
        del holder[keys[-1]]
        yield Mutant(name, changed)


def _places(value: Any, keys: Keys) -> Iterator[Keys]:
    """Where something can be taken away; keys before what they lead to; what only tells is left."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        if key in TOLD:
            continue
        yield (*keys, key)
        yield from _places(inner, (*keys, key))


def _name(keys: Keys, holder: Any) -> str:
    """``gates.user_approved.subject[reply]``: an item by what it is."""
    above, last = ".".join(map(str, keys[:-1])), keys[-1]
    if isinstance(last, int):
        return f"{above}[{holder[last]}]"
    return f"{above}.{last}" if above else last
