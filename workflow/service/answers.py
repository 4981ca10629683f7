"""Answers of a service, as errors: what was judged, in which class, and when to ask again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from workflow.machine.certainty import Judgement, judge_answer
from workflow.machine.definition import Effect
from workflow.model.errors import ActionError, ApiError, BadResponse
from workflow.model.ports import Response


def result_of(
    effect: Effect, response: Response, *fields: str, error: str = "error", kind: str = "upstream"
) -> dict[str, Any]:
    """The JSON object of a result, which has these fields; raises what any other answer means for this effect.

    A refusal in the service's own form has the field ``error``, and becomes class ``kind``.
    """
    try:
        body, fault = response.json(), "it lacks what shows that it was done"
    except BadResponse as broken:
        body, fault = {}, broken.message.rstrip(".")
    refused = bool(body.get(error))
    whole = bool(body) and all(name in body for name in fields)
    meaning = judge_answer(effect, response.status, "refusal" if refused else "result" if whole else "foreign")
    if meaning == "done":
        return body
    told = "The service said no" if refused else f"The answer cannot be used: {fault}"
    raise error_of(meaning, response, f"{told} (HTTP {response.status}).", kind if refused else "upstream")


def error_of(
    judgement: Judgement, response: Response, message: str, kind: str = "upstream", hint: str = ""
) -> ActionError:
    """The error that an answer is: ``ApiError`` for a certain no, ``BadResponse`` for everything else."""
    return (ApiError if judgement == "no" else BadResponse)(
        message,
        kind,
        hint=hint,
        transient=judgement == "passing",
        retry_after=retry_after(response.headers),
        request_id=response.request_id,
        status=response.status,
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from ``Retry-After``, a number or a date; a date counts from the answer's own ``Date``."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch("[0-9]{1,9}", value):
        return float(value)
    until = _date(value)
    if until is None:
        return None
    now = _date(headers.get("date", "")) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())


def _date(text: str) -> datetime | None:
    from email.utils import parsedate_to_datetime  # rarely needed, and slow to load

    try:
        found = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
