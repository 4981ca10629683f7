"""Digests: SHA-256 over canonical JSON, so that equal values have equal digests on every machine."""

from __future__ import annotations

import hashlib
import json
from typing import Any

_SEAL = ',"~sha256":"'
"""``~`` sorts after every name, so that a canonical text stays one."""
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def canonical(value: Any) -> bytes:
    """The one way to write a JSON value: sorted keys, no blanks, UTF-8; lone surrogates raise ``ValueError``."""
    return _ENCODER.encode(value).encode("utf-8")


def sha256(content: bytes) -> str:
    """64 hex digits."""
    return hashlib.sha256(content).hexdigest()


def digest(value: Any) -> str:
    """The SHA-256 of a JSON value, 64 hex digits."""
    return sha256(canonical(value))


def sealed(text: str) -> str:
    """The text of a JSON object, with its own digest as a last field: one flipped bit is damage (decision 36)."""
    return f'{text[:-1]}{_SEAL}{sha256(text.encode())}"}}'


def unsealed(text: str) -> str:
    """The inverse of :func:`sealed`; raises ``ValueError`` for a text that is not exactly what was sealed."""
    content, seal, rest = text.rpartition(_SEAL)
    if not seal or rest != sha256(f"{content}}}".encode()) + '"}':
        raise ValueError("not as it was sealed")
    return content + "}"
