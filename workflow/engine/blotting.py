"""What is shown of a session to the author of its bundle: without ids and tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

ID = "(an id)"
"""What stands for an id or a token where one is shown."""


def blotted(shown: Any, ids: Sequence[str]) -> Any:
    """Texts, tables and lists of them, with each of ``ids`` blotted out, the longest first."""
    if isinstance(shown, str):
        for each in sorted(ids, key=len, reverse=True):
            shown = shown.replace(each, ID)
        return shown
    if isinstance(shown, Mapping):
        return {blotted(key, ids): blotted(each, ids) for key, each in shown.items()}
    return [blotted(each, ids) for each in shown] if isinstance(shown, list) else shown
