"""The picture: an SVG drawn from the prompt alone, so that the same prompt always gives the same picture."""

from __future__ import annotations

import hashlib
import math
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from .speech import affirmed
from .words import (
    Colour,
    Kind,
    colours_of,
    corner_of,
    effects_of,
    is_chinese,
    kind_of,
    shortened,
    subject_of,
)

_FONT = "'Avenir Next','Segoe UI','PingFang SC','Noto Sans CJK SC','Microsoft YaHei',Helvetica,Arial,sans-serif"
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
Attributes = dict[str, str | float]

_CAPTION = 26  # height of a line that lists a change


@dataclass(frozen=True)
class Scene:
    """Everything that decides how the picture looks; lengths in units of the drawing."""

    kind: Kind
    title: str
    eyebrow: str
    chinese: bool
    hues: tuple[tuple[int, int, int], ...]
    effects: frozenset[str]
    corner: tuple[str, str]
    seed: int

    @property
    def dark(self) -> bool:
        """Whether the ground is dark, and what stands on it light."""
        return "darker" in self.effects or (self.hues[0][2] < 62 and "lighter" not in self.effects)


def plain(text: str) -> str:
    """Escaped for XML and HTML, without the characters that XML forbids."""
    return escape(_NOT_IN_XML.sub("\ufffd", text), quote=True)


def title_of(prompt: str) -> str:
    """The title that the plan gives itself, else the words that name the subject."""
    first = prompt.strip().splitlines()[0] if prompt.strip() else ""
    named = re.match(r"#\s*[^:：]{1,24}[:：]\s*(.+)", first)
    title = shortened(named.group(1) if named else subject_of(prompt), 48)
    return title[:1].upper() + title[1:]


def scene_of(prompt: str, changes: Sequence[str]) -> Scene:
    """Read a prompt and the changes made since; a later change wins over an earlier one."""
    seed = int.from_bytes(hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).digest()[:8], "big")
    kind = kind_of(prompt)
    later = next((found for text in reversed(changes) if (found := colours_of(text))), None)
    settled = re.search(r"^## (?:Colour and mood|色彩与氛围)\n(.+)", prompt, re.MULTILINE)
    mood = settled.group(1) if settled else affirmed(prompt)
    wanted = later or colours_of(mood)
    names = {effect.name for text in changes for effect in effects_of(text)}
    for text in changes:
        now = {effect.name for effect in effects_of(text)}
        names -= {"lighter"} if "darker" in now else {"darker"} if "lighter" in now else set()
    if re.search(r"\bdark\b|深沉|暗", mood) and "lighter" not in names:
        names.add("darker")
    logo = next((text for text in reversed(changes) if "logo" in {effect.name for effect in effects_of(text)}), "")
    chinese = is_chinese(prompt)
    return Scene(
        kind,
        title_of(prompt),
        kind.chinese if chinese else kind.name.upper(),
        chinese,
        _hues(wanted, seed),
        frozenset(names),
        corner_of(logo),
        seed,
    )


def draw(prompt: str, changes: Sequence[str] = ()) -> str:
    """The whole SVG document, with the changes listed under the picture."""
    scene = scene_of(prompt, changes)
    width, height = scene.kind.width, scene.kind.height
    shown = list(changes)[-5:]
    total = height + (34 + _CAPTION * len(shown) if shown else 0)
    layers = [*_ground(scene), *_shapes(scene), *_lettering(scene), *_marks(scene), *_caption(scene, shown)]
    named = _tag("title", plain(scene.title)) + _tag("desc", plain(shortened(prompt, 300)))
    return _tag(
        "svg",
        named + "".join(layers),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {total}",
        width=width,
        height=total,
        role="img",
        font_family=_FONT,
    )


def _tag(name: str, content: str = "", /, **attributes: str | float) -> str:
    """An element; ``content`` is markup already, attributes are escaped here."""
    written = "".join(f' {key.replace("_", "-")}="{plain(_number(value))}"' for key, value in attributes.items())
    return f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>"


def _number(value: str | float) -> str:
    return value if isinstance(value, str) else f"{round(value, 2):g}"


def _hues(wanted: Sequence[Colour], seed: int) -> tuple[tuple[int, int, int], ...]:
    """Three colours: those that were named, the rest derived from the first."""
    named = [(colour.hue, colour.saturation, colour.lightness) for colour in wanted[:3]]
    if not named:
        named = [(seed % 360, 58, 44)]
    hue, saturation, lightness = named[0]
    spare = [((hue + 38) % 360, max(30, saturation), 60), ((hue + 168) % 360, max(44, saturation), 66)]
    spare = [(hue, 20, 60), (hue, 24, 40)] if lightness > 88 else spare
    if len(named) == 2:
        return (named[0], spare[0], named[1])  # the second colour that was named is the one that glows
    return (named[0], *(named[1:] or spare))


def _paint(colour: tuple[int, int, int], shift: int = 0) -> str:
    hue, saturation, lightness = colour
    return f"hsl({hue} {saturation}% {min(97, max(4, lightness + shift))}%)"


def _ground(scene: Scene) -> Iterator[str]:
    width, height = scene.kind.width, scene.kind.height
    shift = (-24 if "darker" in scene.effects else 0) + (26 if "lighter" in scene.effects else 0)
    spread = 22 if "contrast" in scene.effects else 10
    first, second, third = scene.hues
    slope = _tag(
        "linearGradient",
        _tag("stop", offset=0, stop_color=_paint(first, shift - spread))
        + _tag("stop", offset=0.62, stop_color=_paint(first, shift + spread // 2))
        + _tag("stop", offset=1, stop_color=_paint(second, shift + spread - 10)),
        id="g",
        gradientTransform=f"rotate({55 + scene.seed % 50} .5 .5)",
    )
    glow = _tag(
        "radialGradient",
        _tag("stop", offset=0, stop_color=_paint(third, 18), stop_opacity=0.95)
        + _tag("stop", offset=0.55, stop_color=_paint(third), stop_opacity=0.8)
        + _tag("stop", offset=1, stop_color=_paint(third), stop_opacity=0),
        id="s",
    )
    frame = _tag("clipPath", _tag("rect", width=width, height=height), id="c")
    yield _tag("defs", slope + glow + frame)
    yield _tag("rect", width=width, height=height, fill="url(#g)")


def _shapes(scene: Scene) -> Iterator[str]:
    """A glow, one motif chosen by the prompt, hills at the bottom and a little dust."""
    dice = random.Random(scene.seed)
    width, height = scene.kind.width, scene.kind.height
    low, bare = min(width, height), "plain" in scene.effects
    x, y = width * (0.3 + 0.4 * dice.random()), height * (0.26 + 0.16 * dice.random())
    shapes = [_tag("circle", cx=x, cy=y, r=low * 0.44, fill="url(#s)")]
    motif = (_rays, _rings, _tiles, _ribbons)[dice.randrange(4)]
    shapes += [] if bare else motif(scene, dice, x, y)
    shapes += [_hill(scene, dice, layer) for layer in range(3)]
    for _ in range(0 if bare else 42):
        size, shade = 0.6 + 2.6 * dice.random() ** 3, 0.25 + dice.random() / 2
        at_x, at_y = dice.random() * width, dice.random() * height * 0.8
        shapes.append(_tag("circle", cx=at_x, cy=at_y, r=size, fill=_paint(scene.hues[2], 26), opacity=shade))
    yield _tag("g", "".join(shapes), clip_path="url(#c)")


def _rays(scene: Scene, dice: random.Random, x: float, y: float) -> Iterator[str]:
    reach, count = 1.3 * max(scene.kind.width, scene.kind.height), dice.randrange(14, 22)
    for number in range(count):
        at, half = 2 * math.pi * number / count, math.pi / count / 2.4
        ends = [(x + reach * math.cos(at + side), y + reach * math.sin(at + side)) for side in (-half, half)]
        points = " ".join(f"{left:.0f},{top:.0f}" for left, top in [(x, y), *ends])
        yield _tag("polygon", points=points, fill=_paint(scene.hues[2], 10), opacity=0.13)


def _rings(scene: Scene, dice: random.Random, x: float, y: float) -> Iterator[str]:
    low = min(scene.kind.width, scene.kind.height)
    for number in range(7):
        line: Attributes = {
            "stroke": _paint(scene.hues[1 + number % 2], 12),
            "stroke_width": 2 + 9 * dice.random(),
        }
        yield _tag("circle", cx=x, cy=y, r=low * (0.12 + 0.085 * number), fill="none", opacity=0.42, **line)


def _tiles(scene: Scene, dice: random.Random, x: float, y: float) -> Iterator[str]:
    low = min(scene.kind.width, scene.kind.height)
    for number in range(9):
        side = low * (0.08 + 0.2 * dice.random())
        left, top = x + low * (dice.random() - 0.6), y + low * (dice.random() - 0.55)
        turn = f"rotate({dice.randrange(90)} {left:.0f} {top:.0f})"
        fill = _paint(scene.hues[number % 3], 12)
        box: Attributes = {"x": left, "y": top, "width": side, "height": side, "rx": side * 0.14}
        yield _tag("rect", **box, opacity=0.34, fill=fill, transform=turn)


def _ribbons(scene: Scene, dice: random.Random, x: float, y: float) -> Iterator[str]:
    width = scene.kind.width
    for number in range(6):
        top, bend = y + (number - 2.5) * 44, 60 + 120 * dice.random()
        curve = [-20, top + bend, width * 0.3, top - bend, x, top + bend, width + 20, top - bend / 2]
        path = "M{:.0f} {:.0f} C{:.0f} {:.0f} {:.0f} {:.0f} {:.0f} {:.0f}".format(*curve)
        line: Attributes = {
            "stroke": _paint(scene.hues[1 + number % 2], 10),
            "stroke_width": 6 + 20 * dice.random(),
        }
        yield _tag("path", d=path, fill="none", opacity=0.3, **line)


def _hill(scene: Scene, dice: random.Random, layer: int) -> str:
    width, height = scene.kind.width, scene.kind.height
    top, swing = height * (0.74 + 0.075 * layer), height * (0.03 + 0.05 * dice.random())
    middle = width * (0.3 + 0.4 * dice.random())
    shift = -16 - 7 * layer - (10 if "darker" in scene.effects else 0)
    fill = _paint(scene.hues[0], shift if scene.hues[0][2] > 20 else -4 * layer)
    crest = [middle * 0.5, top - swing, middle * 0.8, top - swing, middle, top]
    fall = [width * 0.85, top + swing, width, top - swing]
    path = f"M0 {top + swing:.0f} C{_points(crest)} S{_points(fall)} V{height} H0 Z"
    return _tag("path", d=path, fill=fill, opacity=0.82)


def _points(numbers: Sequence[float]) -> str:
    return " ".join(f"{number:.0f}" for number in numbers)


def _lettering(scene: Scene) -> Iterator[str]:
    if "bare" in scene.effects:
        return
    width, height = scene.kind.width, scene.kind.height
    lines = _lines(scene.title, 7 if scene.chinese else 14)
    longest = max(_measure(line) for line in lines)
    size = min(width * 0.84 / longest, height * 0.3 / len(lines), min(width, height) * 0.15)
    size *= 1.22 if "larger" in scene.effects else 1.0
    step = size * 1.08
    base = height * 0.58 - step * (len(lines) - 1) / 2
    ink = _paint((scene.hues[2][0], 40, 96 if scene.dark else 12))
    look: Attributes = {"x": "50%", "text_anchor": "middle", "fill": ink}
    small: Attributes = {"font_size": max(13, size * 0.2), "letter_spacing": ".32em", "opacity": 0.85}
    yield _tag("text", plain(scene.eyebrow), **look, **small, y=base - size * 1.12)
    look |= {"font_size": size, "font_weight": 900 if "bold" in scene.effects else 600}
    if scene.effects & {"contrast", "bold"}:
        look |= {"stroke": _paint(scene.hues[0], -34), "stroke_width": size * 0.05, "paint_order": "stroke"}
    for number, line in enumerate(lines):
        yield _tag("text", plain(line), **look, y=base + number * step)
    rule: Attributes = {
        "x": width * 0.44,
        "y": base + (len(lines) - 1) * step + size * 0.42,
        "width": width * 0.12,
    }
    yield _tag("rect", **rule, height=4, rx=2, fill=_paint(scene.hues[2], 8))


def _lines(title: str, most: int) -> list[str]:
    """Break a title into at most four lines, at its spaces where it has any."""
    lines: list[str] = []
    for word in title.split() if " " in title else [title[at : at + most] for at in range(0, len(title), most)]:
        if lines and " " in title and len(lines[-1]) + len(word) < most:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return [*lines[:3], shortened(" ".join(lines[3:]), most)] if len(lines) > 4 else lines


def _measure(line: str) -> float:
    """The width of a line in units of its font size, roughly."""
    return sum(1.0 if ord(character) > 0x2E7F else 0.6 for character in line) or 1.0


def _marks(scene: Scene) -> Iterator[str]:
    width, height = scene.kind.width, scene.kind.height
    light = _paint((scene.hues[2][0], 30, 94))
    stroke, shade = (10, 1.0) if "border" in scene.effects else (2, 0.35)
    if "border" in scene.effects or "plain" not in scene.effects:
        box: Attributes = {"x": 22, "y": 22, "width": width - 44, "height": height - 44, "opacity": shade}
        yield _tag("rect", **box, fill="none", stroke=light, stroke_width=stroke)
    if "logo" in scene.effects:
        radius = min(width, height) * 0.06
        x = width - 50 - radius if scene.corner[1] == "right" else 50 + radius
        y = height - 50 - radius if scene.corner[0] == "bottom" else 50 + radius
        corners = [
            x,
            y - radius * 0.55,
            x + radius * 0.5,
            y + radius * 0.4,
            x - radius * 0.5,
            y + radius * 0.4,
        ]
        sign = _tag("polygon", points=_points(corners), fill=_paint(scene.hues[0], -10))
        yield _tag("g", _tag("circle", cx=x, cy=y, r=radius, fill=light) + sign, id="logo")


def _caption(scene: Scene, changes: Sequence[str]) -> Iterator[str]:
    if not changes:
        return
    width, height = scene.kind.width, scene.kind.height
    band = 34 + _CAPTION * len(changes)
    yield _tag("rect", y=height, width=width, height=band, fill="hsl(220 16% 12%)")
    for number, change in enumerate(changes):
        line = f"{number + 1}. {shortened(change, width // (19 if is_chinese(change) else 10))}"
        place: Attributes = {"x": 28, "y": height + 36 + number * _CAPTION, "font_size": 17}
        yield _tag("text", plain(line), **place, fill="hsl(40 30% 92%)")
