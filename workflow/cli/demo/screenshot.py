"""A picture of what was printed: an SVG of its own, without scripts, and without anything from elsewhere."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workflow.cli import console
from workflow.model.errors import UsageError

WIDTH = 88
"""Columns, whatever the terminal has."""
COLOURS = (
    (16, 21, 32),
    (211, 218, 230),
    (35, 42, 58),
    (240, 113, 120),
    (134, 207, 140),
    (233, 196, 106),
    (120, 162, 247),
    (199, 146, 234),
    (105, 202, 214),
    (211, 218, 230),
    (92, 103, 125),
    (255, 139, 145),
    (160, 228, 165),
    (250, 215, 130),
    (150, 185, 255),
    (220, 175, 250),
    (135, 225, 236),
    (255, 255, 255),
)
"""Background, foreground, the eight colours of a terminal, and their bright ones; red, green, blue."""
_FONT = "ui-monospace,'SF Mono',Menlo,'DejaVu Sans Mono',Consolas,'Liberation Mono',monospace"
_TEMPLATE = (
    """<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: """
    + _FONT
    + """; font-size: {char_height}px; }}
.{unique_id}-title {{ font-family: """
    + _FONT
    + """; font-size: 16px; opacity: .7; }}
{styles}
</style>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
)
_CLIPPED = re.compile(r' clip-path="url\(#[^"]*\)"')
_BLANK = re.compile(r"<text [^>]*>\s*</text>")
_TEXT = re.compile(r'x="([0-9.]+)" y="([0-9.]+)" textLength="([0-9.]+)">([^<]*)</text>')
_WIDE = re.compile("[\\u1100-\\u115f\\u2e80-\\ua4cf\\uac00-\\ud7a3\\uf900-\\ufaff\\ufe30-\\ufe6f\\uff00-\\uff60]")


@contextmanager
def screenshot(file: Path | None, title: str) -> Iterator[None]:
    """What is printed within is drawn into ``file`` in the end, unless something fails; no file, no picture."""
    if file is None:
        yield
        return
    if not file.parent.is_dir():
        raise UsageError(f"there is no folder {file.parent} for the picture", "Name a file in one that is there.")
    with console.recording(WIDTH) as recording:
        yield
        drawn = tidied(recording.as_svg(title, _TEMPLATE, COLOURS))
    try:
        file.write_text(drawn, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}", "Name another file.") from error


def tidied(svg: str) -> str:
    """Without the clip of each line, and with every text as wide as its columns, whatever the font is."""
    bare = _BLANK.sub("", _CLIPPED.sub("", svg))
    return _TEXT.sub(_fitted, bare).replace("</text><text", "</text>\n<text")


def _fitted(match: re.Match[str]) -> str:
    """A text from its first letter to its last; a wide character takes two columns, blanks before it are a distance."""
    text = html.unescape(match[4])
    column = float(match[3]) / len(text)
    bare = text.strip("\xa0 ")
    left = float(match[1]) + column * (len(text) - len(text.lstrip("\xa0 ")))
    width = column * (len(bare) + len(_WIDE.findall(bare)))
    place = f'x="{left:g}" y="{match[2]}" textLength="{width:g}" lengthAdjust="spacingAndGlyphs"'
    return f"{place}>{html.escape(bare, quote=False)}</text>"
