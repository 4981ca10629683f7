"""What the service's refusals mean: codes, texts and HTTP statuses to our classes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from workflow import ActionError, BadResponse, Effect, Known, Response, error_of, judge_answer, visible

_CODES = {
    4101: "credentials",  # a sibling gateway, with HTTP 200
    100004006: "rate_limited",
    100004012: "rate_limited",
    100006029: "credits",
}
_NOT_FOUND = frozenset({100004002})
_FORBIDDEN = frozenset({100004003, 100004004})
_REFUSING = 100004
"""The family of codes that are errors of the caller: nothing was done. Those of the server leave that open."""
_PHRASES = (  # the service's own words, which say more than "forbidden" or "bad parameter"
    ("not_allowed", "operation not allowed"),
    ("too_large", r"(?:the )?file size exceeds(?: (?:the )?(?:limit|[0-9]+ ?[KMG]?B))?"),
    ("credentials", "invalid api key|login required|please log ?in|authentication failed"),
    ("credits", "insufficient credits?|credits? insufficient"),
    ("rate_limited", "rate limit(?:ed)?(?: exceeded)?|too many requests"),
    ("invalid", "prompt is required"),
)
_WORDS = (
    ("credentials", r"api key|auth(?!ors?\b)|login|forbidden"),
    ("credits", "insufficient credits?|credits? insufficient"),
    ("rate_limited", "rate limit|too many requests"),
    ("invalid", "required|invalid|not found|missing|must"),
)
_STATUSES = {401: "credentials", 402: "credits", 413: "too_large", 429: "rate_limited"}
"""Statuses that leave a text nothing to add."""
_OPEN = frozenset({408, 409, 425})
"""Statuses of 4xx that are about the moment, not about what was sent."""
_SOLUTIONS = {  # what a person does about it, where the class says so
    "credentials": "Check that the key is whole (sk-…); `workflow-admin api config set` sets another one.",
    "not_allowed": "Ask the administrator of your AnyGen account for the permission.",
    "credits": "Add credits to your AnyGen account, then try again.",
    "too_large": "Reduce the file size: the service takes up to 50 MB.",
    "rate_limited": "Wait a moment, then try again.",
    "gone": "Check the id; the service does not have it, or not any more.",
    "upstream": "The service has a problem of its own: try again later.",
}
_SOLUTIONS_OF_TEXTS = (  # the same by the text, which says more
    ("Give the plan with --prompt.", "prompt is required"),
    ("Say what to change with --message.", "content is required"),
    ("Upload the file again: the service does not know this token.", "file token"),
    ("Wait until the image is ready: only a finished one can be changed.", "not completed"),
    (_SOLUTIONS["gone"], "not found"),
)
_SHOWN = 200  # characters of the service's own text, for the log


def check_answer(effect: Effect, response: Response, absent: str = "invalid") -> dict[str, Any]:
    """The JSON object of a result; raises the error that any other answer is.

    ``absent`` is the class of what the service does not have.
    """
    try:
        body, fault = response.json(), "it is no result"
    except BadResponse as error:
        body, fault = {}, error.message
    code, text = _code(body), _text(body)
    if _refuses(body, code):
        kind = _kind(code, text, response.status, absent)
        shown = visible(text[:_SHOWN])[:_SHOWN] or f"HTTP {response.status}"
        meaning = judge_answer(effect, response.status, "refusal", _known(code, text))
        raise error_of(meaning, response, f"The service declined ({kind}): {shown}", kind, hint=_hint(kind, text))
    if not body or not 200 <= response.status < 300:
        raise strange(effect, response, fault, _page(effect, response.status))
    return body


def strange(effect: Effect, response: Response, fault: str, kind: str = "upstream") -> ActionError:
    """The error of an answer that is neither a result nor a refusal in the service's own form."""
    meaning = judge_answer(effect, response.status, "foreign")
    return error_of(
        meaning,
        response,
        f"The answer cannot be used: {fault.rstrip('.')} (HTTP {response.status}).",
        kind,
        hint=_SOLUTIONS.get(kind, ""),
    )


def _refuses(body: Mapping[str, Any], code: int | None) -> bool:
    """Whether it is the service's error envelope: ``success: false``, or a code of its table without ``success``."""
    success = body.get("success")
    return success is False if success is not None else _is_listed(code)


def _is_listed(code: int | None) -> bool:
    return code is not None and (code in _CODES or code // 1000 == _REFUSING)


def _known(code: int | None, text: str) -> Known | None:
    """What the service's table of refusals says: by code, else by a phrase that is all there is before a stop."""
    whole = (kind for kind, phrase in _PHRASES if re.match(rf"\s*(?:{phrase})\s*(?:$|[.:;!,(])", text, re.IGNORECASE))
    kind = _CODES.get(code or 0) or next(whole, None)
    if kind is None and not _is_listed(code):
        return None
    return "busy" if kind == "rate_limited" else "no"


def _kind(code: int | None, text: str, status: int, absent: str) -> str:
    """By status and code; a text is read only where these leave it open, for the service's own phrases first."""
    if status >= 500 or status in _OPEN:
        return "upstream"
    if code in _CODES:
        return _CODES[code]
    if status in _STATUSES:
        return _STATUSES[status]
    if status == 404 or code in _NOT_FOUND:
        return absent
    phrase = _first(_PHRASES, text)
    if phrase:
        return phrase
    if status == 403 or code in _FORBIDDEN:
        return "credentials"
    if _is_listed(code):
        return "invalid"
    return _first(_WORDS, text) or ("invalid" if status >= 400 else "upstream")


def _page(effect: Effect, status: int) -> str:
    """The class of a page of any layer between: almost every status of it may come from a firewall."""
    if status == 413 and effect != "read":
        return "too_large"
    return "rate_limited" if status == 429 else "upstream"


def _hint(kind: str, text: str) -> str:
    """What to do about a refusal; for one that nobody has met before, where to look what was sent."""
    return _first(_SOLUTIONS_OF_TEXTS, text) or _SOLUTIONS.get(kind) or "Check what was sent: `--help` explains it."


def _first(table: tuple[tuple[str, str], ...], text: str) -> str | None:
    return next((kind for kind, pattern in table if re.search(pattern, text, re.IGNORECASE)), None)


def _code(body: Mapping[str, Any]) -> int | None:
    """The error code, a number or its digits; 0 and 200 are what some gateways call success."""
    code = body.get("code")
    if isinstance(code, str) and re.fullmatch("[0-9]{1,12}", code):
        code = int(code)
    return code if isinstance(code, int) and not isinstance(code, bool) and code not in (0, 200) else None


def _text(body: Mapping[str, Any]) -> str:
    texts = (body.get(name) for name in ("error", "message"))
    return next((text for text in texts if isinstance(text, str) and text.strip()), "")
