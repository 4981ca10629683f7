"""Languages: which of the declared ones a session in another is told in."""

from __future__ import annotations

import re
from collections.abc import Sequence

from workflow.model.errors import UsageError

_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|\d{3}))?(?:-(?:[A-Za-z\d]{5,8}|\d[A-Za-z\d]{3}))*")
_LOCALE = re.compile(r"([A-Za-z\d_-]+)(?:\.[\w-]+)?(?:@(\w+))?")
_SCRIPTS = {"latin": "Latn", "cyrillic": "Cyrl", "devanagari": "Deva"}
"""Modifiers of locales that say how the language is written."""


def well_formed(tag: str) -> str:
    """The tag in its usual case, ``zh-hant-tw`` → ``zh-Hant-TW`` (RFC 5646), or :class:`UsageError` if it is none."""
    if not _TAG.fullmatch(tag):
        raise UsageError(f"{tag[:40]!r} is not a language tag", "Give one like en, zh-CN or pt-BR.")
    first, *rest = tag.split("-")
    cases = {2: str.upper, 4: str.title}
    return "-".join([first.lower(), *(cases.get(len(part), str.lower)(part) for part in rest)])


def of_locale(name: str) -> str:
    """The tag of a language that may be named as systems and phones do it: ``zh_CN.UTF-8``, ``sr_RS@latin``, ``C``.

    Raises :class:`UsageError` for what names no language.
    """
    found = _LOCALE.fullmatch(name)
    if not found:
        return well_formed(name)
    base, modifier = found.groups()
    if base in ("C", "POSIX"):
        return "en"
    parts = base.replace("_", "-").split("-")
    parts[1:1] = [_SCRIPTS[modifier]] if modifier in _SCRIPTS else []
    try:
        return well_formed("-".join(parts))
    except UsageError as error:
        raise UsageError(f"{name[:40]!r} is not a language tag", error.hint) from None


def nearest(tag: str, declared: Sequence[str]) -> tuple[str, str | None]:
    """The declared language to use, and the one to translate to if that is another."""
    parts = tag.split("-")
    for length in range(len(parts), 0, -1):
        if "-".join(parts[:length]) in declared:
            return "-".join(parts[:length]), None
    related = [language for language in declared if language.split("-")[0] == parts[0]]
    if related:
        return related[0], None if len(parts) == 1 else tag
    return declared[0], tag
