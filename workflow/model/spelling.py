"""What was probably meant, where a name is unknown."""

from __future__ import annotations

from collections.abc import Iterable

_SLIP = 0.85
"""How alike (0 to 1) two names of one phase are, at least, where one is a slip for the other."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'then'?``, or nothing if nothing that is known looks like ``name``."""
    alike = near(name, known)
    return f"; did you mean '{alike}'?" if alike else ""


def near(name: str, known: Iterable[str]) -> str:
    """The known name that looks most like ``name``, empty if none does.

    A state may be named without its phase, or with another: after a slip within its phase, those of its own name are
    likeliest, and quickly told, where a phase was renamed and a thousand names are wrong at once.
    """
    from difflib import get_close_matches  # a turn without a slip does not pay for it

    names = list(dict.fromkeys(known))
    own, phase = _last(name), name.rpartition(".")[0]
    namesakes = [each for each in names if _last(each) == own]
    beside = [each for each in names if phase and each.rpartition(".")[0] == phase]
    slip = get_close_matches(name[:64], beside, n=1, cutoff=_SLIP)
    alike = slip or get_close_matches(name[:64], namesakes or names, n=1) or namesakes[:1]
    return alike[0] if alike else ""


def _last(name: str) -> str:
    """Of a state its own name, of anything else the whole."""
    return name.rpartition(".")[2]
