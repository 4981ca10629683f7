"""Tracebacks of a bundle's own code, for its author."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from traceback import TracebackException

LONGEST_TRACE = 8_000
"""Characters of a traceback that are kept: its beginning and its end."""
_OURS = __file__.rpartition("machine")[0]
_CUT = "\n  […]\n"


def traced(who: str, error: BaseException) -> str:
    """Who failed, then the traceback: the frames of the bundle and of what it calls, without our own."""
    from traceback import TracebackException  # most turns have nothing to trace

    try:
        found = TracebackException.from_exception(error, max_group_width=8, max_group_depth=4)
        _leave_out_ours(found, depth=0)
        told = f"{who}:\n{''.join(found.format())}"
    except Exception as fault:  # an error that cannot even be shown
        told = f"{who}: {type(error).__name__}, which cannot be shown ({type(fault).__name__})"
    told = told.encode("utf-8", "backslashreplace").decode()
    if len(told) <= LONGEST_TRACE:
        return told
    half = (LONGEST_TRACE - len(_CUT)) // 2
    return f"{told[:half]}{_CUT}{told[-half:]}"


def _leave_out_ours(found: TracebackException, depth: int) -> None:
    """Drop the frames of this package from the error and its causes; where there are no others, they stay."""
    theirs = [frame for frame in found.stack if not frame.filename.startswith(_OURS)]
    if theirs:
        found.stack[:] = theirs
    for before in (found.__cause__, found.__context__, *(found.exceptions or ())):
        if before is not None and depth < 16:
            _leave_out_ours(before, depth + 1)
