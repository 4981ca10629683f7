"""The table of what an answer means, made from the one function that decides it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from tests.docs.pages import table
from workflow.machine.certainty import Form, Judgement, Known, judge_answer
from workflow.machine.definition import Effect
from workflow.model.errors import Unreachable

EFFECTS: tuple[Effect, ...] = ("read", "repeatable", "once")
STATUSES = tuple(range(200, 600))
LAYERS: dict[str, tuple[Form, Known | None]] = {
    "a result in the service's own form": ("result", None),
    "a refusal in the service's own form, its code or phrase in the table": ("refusal", "no"),
    "the same, where the table calls it `rate_limited`": ("refusal", "busy"),
    "a refusal in the service's own form, code and text unknown: any layer in front can write it": ("refusal", None),
    "a page, another form, no body: anybody's": ("foreign", None),
}
"""Who speaks → the form of the body, and what the table of refusals says."""
REDIRECTS = range(300, 400)


def page() -> str:
    """A row for each run of statuses that mean the same."""
    return table("what came | HTTP status | `read` | `repeatable` | `once`", list(_rows()))


def _rows() -> Iterator[list[str]]:
    for layer, said in LAYERS.items():
        for means, statuses in _by_meaning(*said).items():
            yield [layer, ", ".join(_spans(statuses)), *means]
    yield ["a redirect, which is never followed", "3xx", *map(_of_redirects, EFFECTS)]
    silent = (judge_answer(effect, None, "foreign") for effect in EFFECTS)
    yield ["no answer: late, cut off, or not HTTP", "none", *silent]
    yield ["no connection: nothing left the machine", "none", "passing", "passing", _unsent()]


def _by_meaning(form: Form, known: Known | None) -> dict[tuple[Judgement, ...], list[int]]:
    """What it means for each effect → the statuses; a result with another status than 2xx is as good as a page."""
    found: dict[tuple[Judgement, ...], list[int]] = {}
    for status in STATUSES:
        if status not in REDIRECTS and (form != "result" or status < 300):
            means = tuple(judge_answer(effect, status, form, known) for effect in EFFECTS)
            found.setdefault(means, []).append(status)
    return found


def _of_redirects(effect: Effect) -> Judgement:
    """What every redirect means, whatever its body says."""
    (meaning,) = {judge_answer(effect, status, *said) for status in REDIRECTS for said in LAYERS.values()}
    return meaning


def _unsent() -> Judgement:
    return "no" if Unreachable.definite else "doubt"


def _spans(statuses: list[int]) -> Iterator[str]:
    """The statuses in runs, a whole hundred as `4xx`."""
    for _, run in groupby(enumerate(statuses), lambda each: (each[1] - each[0], each[1] // 100)):
        first, *others = [status for _, status in run]
        last = others[-1] if others else first
        if last - first == 99:
            yield f"{first // 100}xx"
        else:
            yield f"{first}–{last}" if others else str(first)
