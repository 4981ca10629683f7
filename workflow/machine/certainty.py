"""What an answer of a service means: the one place that decides whether a call was certainly not done."""

from __future__ import annotations

from typing import Literal

from workflow.machine.definition import Effect

Form = Literal["result", "refusal", "foreign"]
"""Whose words a body is: the service's own form of a result, its own form of a refusal, or anything else."""
Known = Literal["no", "busy"]
"""What a code or phrase in the service's declared table of refusals says: not done, or not done for now."""
Judgement = Literal["done", "no", "passing", "doubt"]
"""Done; certainly not done; worth asking again soon; or nobody knows."""

PASSING = frozenset({408, 425, 429, 502, 503, 504, 520, 521, 522, 523, 524})
"""HTTP statuses after which the same call may succeed a little later."""
UNCERTAIN = frozenset({408, 409, 425, 429})
"""HTTP statuses of 4xx that do not say that nothing was done."""


def judge_answer(effect: Effect, status: int | None, form: Form, known: Known | None = None) -> Judgement:
    """What it means for a call of this effect that an answer came with this status, in this form.

    ``status`` is None where no answer came. A call that never left the machine has no answer to judge: the
    error says so by itself (``Unreachable``).
    """
    if form == "result" and _succeeded(status):
        return "done"
    if form == "refusal" and _certain(effect, status, known):
        return "no" if effect == "once" or (known != "busy" and status != 429) else "passing"
    if effect == "read" or (effect == "repeatable" and (status is None or status in PASSING)):
        return "passing"
    return "doubt"


def _succeeded(status: int | None) -> bool:
    return status is not None and 200 <= status < 300


def _certain(effect: Effect, status: int | None, known: Known | None) -> bool:
    """Whether a refusal in the service's own form says that nothing was done."""
    if status is None:
        return False
    if 400 <= status < 500 and status not in UNCERTAIN:
        return True
    if known is None:
        return False
    return _succeeded(status) or status == 429 or (status == 409 and effect != "once")
