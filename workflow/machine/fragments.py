"""Fragments of secrets: any ten characters in a row of one, found in a text however they are written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from workflow.machine.lookalikes import by_place, coded, folded, plain, readings, squeezed

RUN = 10
"""Characters of a secret that are a secret; a shorter secret counts as a whole."""
SHORTEST_CODED = 8
"""Shorter ones are not looked for in codes or taken apart: a few characters match by chance."""

_LONGEST = 64
"""Characters of a value that is looked for as a whole; of a longer one, its beginning."""
_LONGEST_WORD = 15
_MOST_CODED = 4096
_DIGIT = re.compile("[0-9]")
_JOINED = re.compile("[A-Za-z][^A-Za-z]+[A-Za-z]")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ][\d:.]+(Z|[+-][\d:]+)?)?")
_HOST = re.compile(r"[a-z]+://[^/?#\s]*")


class Runs:
    """Runs of characters to look for. Looking takes one pass over a text, however many they are."""

    def __init__(self) -> None:
        self._sizes: dict[int, set[str]] = {}
        self._texts: list[str] = []
        self._halves: set[str] | None = None

    def __bool__(self) -> bool:
        return bool(self._sizes)

    def add(self, text: str, runs: Iterable[str]) -> None:
        """Look for these runs of the text as well."""
        found = list(runs)
        if found:
            self._texts.append(text)
            self._halves = None
        for run in found:
            self._sizes.setdefault(len(run), set()).add(run)

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        """Where one of them stands: beginning and end of each."""
        if not self._sizes:
            return
        shortest = min(self._sizes)
        half = max(1, shortest // 2)
        if self._halves is None:
            self._halves = {each[at : at + half] for each in self._texts for at in range(len(each) - half + 1)}
        halves, step = self._halves, shortest - half + 1  # so that of each run, one half is looked at
        for at in [at for at in range(0, len(text) - half + 1, step) if text[at : at + half] in halves]:
            for size, runs in self._sizes.items():
                begins = range(max(0, at - size + half), at + 1)
                yield from ((begin, begin + size) for begin in begins if text[begin : begin + size] in runs)


class Forms:
    """A text as secrets are looked for in it: as it is read, and squeezed; worked out once for all of them."""

    def __init__(self, text: str) -> None:
        self.readings = readings(text)
        self.straight = tuple(dict.fromkeys(form for each in self.readings for form in folded(each)))
        self.apart = tuple(dict.fromkeys(map(squeezed, self.straight)))


class Fragments:
    """What is looked for of these values: in one piece, taken apart, backwards, in hex and in base64."""

    def __init__(self, values: Sequence[str], *, words: bool) -> None:
        self._words = words
        self._straight, self._apart, self._wide = Runs(), Runs(), Runs()
        for value in values:
            self._add(value)

    def stand_in(self, forms: Forms) -> bool:
        """Whether any of them stands in the text, in any of its forms."""
        return (
            any(_any(self._straight, form) for form in forms.straight)
            or any(_any(self._apart, form) for form in forms.apart)
            or (bool(self._wide) and any(_any(self._wide, plain(each)) for each in forms.readings))
        )

    def blotted(self, text: str, mark: str) -> str:
        """The text with ``mark`` for each stretch that is written without a disguise."""
        placed = by_place(text)
        out, end = list[str](), 0
        for begin, stop in _merged([*self._straight.places(placed), *self._apart.places(placed)]):
            if _tells(placed[begin:stop]):
                out += [text[end:begin], mark]
                end = stop
        return "".join([*out, text[end:]]) if out else text

    def _add(self, value: str) -> None:
        if not value.isascii():
            text = plain(value)
            self._wide.add(text, _runs(text, RUN))
            return
        pieces = _pieces(value) if self._words else [value]
        told = [self._add_piece(piece) for piece in pieces if len(piece) >= RUN]
        if pieces != [value] or not any(told):
            whole = by_place(value[:_LONGEST])
            self._straight.add(whole, [whole])
        if len(value) >= SHORTEST_CODED:
            self._add_codes(value[:_MOST_CODED])

    def _add_piece(self, piece: str) -> bool:
        """Look for the runs of a piece that tell it; whether there are any."""
        wordy = self._words and _is_made_of_words(piece)
        text = by_place(piece)
        places = [at for at in range(len(piece) - RUN + 1) if not wordy or _JOINED.search(piece, at, at + RUN)]
        runs = [text[at : at + RUN] for at in places]
        self._straight.add(text, runs)
        self._straight.add(text[::-1], [run[::-1] for run in runs])
        # Letters alone are not looked for taken apart: «ask, and boxes» is no key that begins with «sk-andbox».
        cores = [squeezed(text[at : at + RUN]) for at in places if _DIGIT.search(piece, at, at + RUN)]
        self._add_apart(squeezed(text), [core for core in cores if len(set(core)) > 2])
        return bool(runs)

    def _add_codes(self, value: str) -> None:
        _, hexed, *packed = coded(value)
        hexed = by_place(hexed)
        self._apart.add(hexed, _runs(hexed, 2 * RUN))
        for each in packed:
            text = squeezed(by_place(each))
            self._apart.add(text, (run for run in _runs(text, RUN) if len(run) >= SHORTEST_CODED))
        if len(value) < RUN:
            core = squeezed(by_place(value))
            self._add_apart(core, [core] if _DIGIT.search(value) else [])

    def _add_apart(self, text: str, cores: Sequence[str]) -> None:
        cores = [core for core in cores if len(core) >= SHORTEST_CODED]
        self._apart.add(text, cores)
        self._apart.add(text[::-1], [core[::-1] for core in cores])


@lru_cache(maxsize=64)
def fragments(values: tuple[str, ...], *, words: bool = True) -> Fragments:
    """What is looked for of these values; the same ones are worked out once. ``words`` says that they may hold some."""
    return Fragments(values, words=words)


def _pieces(value: str) -> list[str]:
    """The parts of a value that are as secret as the whole: not a moment, nor the host of a link."""
    return [] if _MOMENT.fullmatch(value) else _HOST.sub("", value).split()


def _is_made_of_words(piece: str) -> bool:
    """Whether one word of it tells nothing: «processing» may be said where a status is «processing_refund»."""
    words = re.findall("[A-Za-z0-9]+", piece)
    return all(each.isalpha() and len(each) <= _LONGEST_WORD and _is_cased(each) for each in words)


def _is_cased(word: str) -> bool:
    return word in (word.lower(), word.upper(), word.title())


def _runs(text: str, size: int) -> Iterator[str]:
    """All runs of that length; the whole text if it is shorter."""
    return (text[at : at + size] for at in range(max(1, len(text) - size + 1)) if text)


def _any(runs: Runs, text: str) -> bool:
    return any(_tells(text[begin:end]) for begin, end in runs.places(text))


def _tells(run: str) -> bool:
    """Whether it is more than one character again and again: ten zeros are nobody's."""
    return len(run) < RUN or run.count(run[0]) < len(run)


def _merged(places: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Stretches that touch or overlap as one, in order."""
    held: tuple[int, int] | None = None
    for begin, end in sorted(places):
        if held and begin <= held[1]:
            held = (held[0], max(held[1], end))
            continue
        if held:
            yield held
        held = (begin, end)
    if held:
        yield held
