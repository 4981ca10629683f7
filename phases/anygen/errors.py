"""What the service's refusals mean: codes, texts and HTTP statuses to our classes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from workflow import ActionError, ApiError, BadResponse, Response, visible

PASSING = frozenset({502, 503, 504})
"""Statuses of a gateway: the same call may succeed a little later."""

_CODES = {
    4101: "credentials",  # a sibling gateway, with HTTP 200
    100004006: "rate_limited",
    100004012: "rate_limited",
    100006029: "credits",
}
_PHRASES = (  # the service's own words, which say more than "forbidden" or "bad parameter"
    ("not_allowed", re.compile("operation not allowed", re.IGNORECASE)),
    ("too_large", re.compile("file size exceeds", re.IGNORECASE)),
    ("credentials", re.compile("invalid api key", re.IGNORECASE)),
)
_FORBIDDEN = frozenset({100004003, 100004004})
_FAMILIES = {100004: "invalid", 100005: "upstream", 100006: "upstream", 100007: "upstream"}
_WORDS = (
    ("credentials", re.compile(r"api key|auth(?!ors?\b)|login|forbidden", re.IGNORECASE)),
    ("credits", re.compile(r"insufficient credits?|credits? insufficient", re.IGNORECASE)),
    ("rate_limited", re.compile("rate limit|too many requests", re.IGNORECASE)),
    ("invalid", re.compile(r"required|invalid|not found|missing|must", re.IGNORECASE)),
)
_STATUSES = {
    401: "credentials",
    402: "credits",
    403: "credentials",
    404: "invalid",
    413: "too_large",
    429: "rate_limited",
}
_PLAIN = frozenset({401, 403, 404, 413, 429})
"""Statuses that say it all, even where the body is a proxy's web page."""
_SHOWN = 200  # characters of the service's own text, for the log


def refusal(response: Response, body: Mapping[str, Any]) -> ActionError | None:
    """The error that an answer is, or None where it is none; ``body`` is empty if it was no JSON object.

    ``ApiError`` says that the service certainly did not do it; ``BadResponse`` leaves that open.
    """
    if _declines(body, response.status):
        return _declined(response, _code(body), _text(body))
    if response.status < 400:
        return None
    if response.status in _PLAIN and body.get("success") is not True:
        return _declined(response, None, "")
    return BadResponse(
        f"The answer cannot be understood (HTTP {response.status}).",
        transient=response.status in PASSING,
        request_id=response.request_id,
    )


def _declines(body: Mapping[str, Any], status: int) -> bool:
    """Whether it is the error envelope: ``success: false``, or without ``success`` a code of the service's.

    A text alone makes none below 400: a task that failed has an ``error``, too. Nor does it from 500 on: a
    gateway that gave up waiting does not know what was done.
    """
    success = body.get("success")
    if success is not None:
        return success is False
    code = _code(body)
    known = code is not None and (code in _CODES or code // 1000 in _FAMILIES)
    return known or (400 <= status < 500 and bool(code or _text(body)))


def _declined(response: Response, code: int | None, text: str) -> ApiError:
    kind = _kind(code, text, response.status)
    shown = visible(text[:_SHOWN])[:_SHOWN] or f"HTTP {response.status}"
    return ApiError(
        f"The service declined ({kind}): {shown}",
        kind,
        transient=kind == "rate_limited" or (kind == "upstream" and response.status in PASSING),
        retry_after=_retry_after(response.headers),
        request_id=response.request_id,
    )


def _kind(code: int | None, text: str, status: int) -> str:
    """By code, then text, then HTTP status; but the service's own phrases say more than a general code."""
    if code in _CODES:
        return _CODES[code]
    phrase = _first(_PHRASES, text)
    if phrase:
        return phrase
    if code in _FORBIDDEN:
        return "credentials"
    if status == 429:
        return "rate_limited"
    family = _FAMILIES.get(code // 1000) if code is not None else None
    return family or _first(_WORDS, text) or _STATUSES.get(status) or ("invalid" if 400 <= status < 500 else "upstream")


def _first(table: tuple[tuple[str, re.Pattern[str]], ...], text: str) -> str | None:
    return next((kind for kind, pattern in table if pattern.search(text)), None)


def _code(body: Mapping[str, Any]) -> int | None:
    """The error code, a number or its digits; 0 and 200 are what some gateways call success."""
    code = body.get("code")
    if isinstance(code, str) and re.fullmatch("[0-9]{1,12}", code):
        code = int(code)
    return code if isinstance(code, int) and not isinstance(code, bool) and code not in (0, 200) else None


def _text(body: Mapping[str, Any]) -> str:
    texts = (body.get(name) for name in ("error", "message"))
    return next((text for text in texts if isinstance(text, str) and text.strip()), "")


def _retry_after(headers: Mapping[str, str]) -> float | None:
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
