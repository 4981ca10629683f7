"""What two validators by different people say of the published schemas and of what commands print."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from tests.node import javascript
from tests.schemas.forms import ALWAYS, FORMS, check
from tests.schemas.reach import OF_BUNDLES, Place, places, reached
from tests.schemas.recorder import Output
from workflow.author.published import names, published
from workflow.model.frozen import Noun

AJV = (Path(__file__).parent / "ajv.js").read_text(encoding="utf-8")
STRAY = "strayKey"


class Verdict(Noun):
    """A validator, and what is wrong by it: with schemas, outputs, and outputs with a key too many."""

    validator: str
    faults: tuple[str, ...]


def of_jsonschema(outputs: Sequence[Output]) -> Verdict:
    """Python's jsonschema: each schema by the meta-schema of its draft; `test_published` looks for unknown keywords."""
    faults = []
    for name in names():
        try:
            Draft202012Validator.check_schema(published(name))
        except SchemaError as error:
            faults.append(f"{name}: {error.message}")
    accepted = [[form for form in _forms(each) if check(form).is_valid(value)] for each, value in _tried(outputs)]
    faults += _misjudged(outputs, accepted)
    return Verdict(f"jsonschema {importlib.metadata.version('jsonschema')}", tuple(faults))


def of_ajv(outputs: Sequence[Output]) -> Verdict:
    """Node's ajv in strict mode."""
    schemas = {name: published(name) for name in names()}
    tried = [[_forms(each), value] for each, value in _tried(outputs)]
    told = json.loads(javascript(AJV, "make schemas", json.dumps({"schemas": schemas, "outputs": tried})))
    faults = [f"{name}: {message}" for name, message in told["faults"].items()]
    return Verdict(f"ajv {told['version']}, strict", (*faults, *_misjudged(outputs, told["accepted"])))


def unreached(outputs: Sequence[Output]) -> set[Place]:
    """Places of the published schemas that no output reaches."""
    every = {place for name in names() if name not in OF_BUNDLES for place in places(name)}
    for each in outputs:
        for form in _forms(each):
            if check(form).is_valid(each.value):
                every -= reached(form, each.value)
    return every


def _forms(output: Output) -> list[str]:
    return list(dict.fromkeys((*FORMS.get(output.command, ()), *ALWAYS)))


def _tried(outputs: Sequence[Output]) -> Iterator[tuple[Output, Any]]:
    """Each output as it is, and with a key too many."""
    for each in outputs:
        yield each, each.value
        yield each, {**each.value, STRAY: True}


def _misjudged(outputs: Sequence[Output], accepted: Sequence[Sequence[str]]) -> Iterator[str]:
    for output, good, bad in zip(outputs, accepted[::2], accepted[1::2], strict=True):
        called = f"{output.command} {' '.join(output.arguments)}"
        if not good:
            yield f"{called}: of none of its forms: {json.dumps(output.value)[:400]}"
        if bad:
            yield f"{called}: with a key too many it is a {bad[0]}"
