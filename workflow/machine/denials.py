"""Quotes that can only be a "no": a small closed set of words per language, a stumbling block and not a protection.

A person's yes has endless forms, so nothing here looks for one. A quote counts as a refusal only if nothing in it says
anything else: each word is listed, and at least one of them refuses.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from workflow.model.frozen import Noun


class Words(Noun):
    """The words of one language: ``refusing`` ones, and ``filling`` ones that say neither yes nor no.

    ``whole`` are quotes of a language that is written without spaces; they count only if nothing stands beside them.
    """

    refusing: frozenset[str] = frozenset()
    filling: frozenset[str] = frozenset()
    whole: frozenset[str] = frozenset()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BUILT_IN: Mapping[str, Words] = {
    "en": Words(
        refusing=_words("no nope stop cancel wait dont not never"),
        filling=_words("please thanks way do it that ok okay yet now"),
    ),
    "zh": Words(whole=_words("不 不要 不行 不用 别 先别 停 取消 等等 等一下 算了")),
}
"""By the language's first subtag. A bundle adds lists for its own languages."""

_WORD = re.compile(r"[^\W_]+")
_APOSTROPHES = dict.fromkeys(map(ord, "'’‘ʼ＇`´"))


def denies(quote: str, more: Mapping[str, Words] = {}) -> bool:
    """Whether nobody can mean anything but "no" by this quote, in one of the built-in languages or of ``more``."""
    bare = list(_bare(quote))
    return bool(bare) and any(_all_refuse(bare, words) for words in (*BUILT_IN.values(), *more.values()))


def normalized(words: Iterable[str]) -> frozenset[str]:
    """Words as quotes are compared with them: without case, width and apostrophes."""
    return frozenset(part for word in words for part in _bare(word))


def _all_refuse(bare: list[str], words: Words) -> bool:
    if "".join(bare) in words.whole:
        return True
    known = words.refusing | words.filling
    return not words.refusing.isdisjoint(bare) and known.issuperset(bare)


def _bare(quote: str) -> Iterator[str]:
    text = unicodedata.normalize("NFKC", quote.translate(_APOSTROPHES)).casefold()
    return (match[0] for match in _WORD.finditer(text))
