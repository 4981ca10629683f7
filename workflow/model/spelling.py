"""What was probably meant, where a name is unknown."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'then'?``, or nothing if nothing that is known looks like ``name``."""
    alike = near(name, known)
    return f"; did you mean '{alike}'?" if alike else ""


def near(name: str, known: Iterable[str]) -> str:
    """The known name that looks most like ``name``, empty if none does.

    A state may be named without its phase, or with another: those of its own name are likeliest, and quickly told,
    where a phase was renamed and a thousand names are wrong at once.
    """
    from difflib import get_close_matches  # a turn without a slip does not pay for it

    names = list(dict.fromkeys(known))
    own = _last(name)
    namesakes = [each for each in names if _last(each) == own]
    alike = get_close_matches(name[:64], namesakes or names, n=1) or namesakes[:1]
    return alike[0] if alike else ""


def _last(name: str) -> str:
    """Of a state its own name, of anything else the whole."""
    return name.rpartition(".")[2]
