"""The demo's reference picture: a harbour at night, drawn here, so that a real file can be offered."""

from __future__ import annotations

import math
import struct
import zlib

WIDTH, HEIGHT = 240, 320
HORIZON = 178
LAMPS = (26, 72, 118, 164, 210)
"""Where the lamps of the pier stand, in pixels from the left."""

Colour = tuple[float, float, float]
Rows = list[list[Colour]]

_NIGHT, _DUSK = (14.0, 22.0, 58.0), (66.0, 92.0, 140.0)
_SHALLOW, _DEEP = (34.0, 58.0, 100.0), (7.0, 14.0, 34.0)
_MOON, _LAMP, _SHADE = (246.0, 240.0, 214.0), (255.0, 190.0, 92.0), (9.0, 12.0, 26.0)


def harbour() -> bytes:
    """The picture as a PNG file."""
    rows = [_row(y) for y in range(HEIGHT)]
    _glow(rows, 168, 62, 64, _MOON, 0.5)
    _disc(rows, 168, 62, 21, _MOON)
    _path(rows, 168, _MOON, 0.35)
    _hills(rows)
    _boat(rows, 58, HORIZON + 26)
    _pier(rows)
    return png(rows)


def png(rows: Rows) -> bytes:
    """Rows of colours (0 to 255 each) as a PNG file: 8 bits, three channels, no filter."""
    head = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 2, 0, 0, 0)
    body = b"".join(b"\0" + bytes(_byte(part) for colour in row for part in colour) for row in rows)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(body, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _byte(part: float) -> int:
    return max(0, min(255, round(part)))


def _row(y: int) -> list[Colour]:
    """Sky down to the horizon, then water with a little swell."""
    if y < HORIZON:
        return [_mixed(_NIGHT, _DUSK, (y / HORIZON) ** 2)] * WIDTH
    depth = (y - HORIZON) / (HEIGHT - HORIZON)
    water = _mixed(_SHALLOW, _DEEP, depth)
    return [_mixed(water, _DUSK, 0.12 * max(0.0, _swell(x, y))) for x in range(WIDTH)]


def _swell(x: int, y: int) -> float:
    return math.sin(y * 0.9 + 2 * math.sin(x / 23)) * math.sin(x / 11 + y / 7)


def _mixed(one: Colour, other: Colour, share: float) -> Colour:
    return (
        one[0] + (other[0] - one[0]) * share,
        one[1] + (other[1] - one[1]) * share,
        one[2] + (other[2] - one[2]) * share,
    )


def _blend(rows: Rows, x: int, y: int, colour: Colour, share: float) -> None:
    if 0 <= x < WIDTH and 0 <= y < HEIGHT and share > 0:
        rows[y][x] = _mixed(rows[y][x], colour, min(1.0, share))


def _disc(rows: Rows, cx: int, cy: int, radius: int, colour: Colour) -> None:
    for y in range(cy - radius - 1, cy + radius + 2):
        for x in range(cx - radius - 1, cx + radius + 2):
            _blend(rows, x, y, colour, radius + 0.5 - math.hypot(x - cx, y - cy))


def _glow(rows: Rows, cx: int, cy: int, radius: int, colour: Colour, strength: float) -> None:
    for y in range(cy - radius, cy + radius + 1):
        for x in range(cx - radius, cx + radius + 1):
            _blend(rows, x, y, colour, strength * max(0.0, 1 - math.hypot(x - cx, y - cy) / radius) ** 2)


def _path(rows: Rows, cx: int, colour: Colour, strength: float) -> None:
    """What a light leaves on the water: broken by the swell, wider and weaker towards us."""
    for y in range(HORIZON, HEIGHT):
        depth = (y - HORIZON) / (HEIGHT - HORIZON)
        reach = 3 + 13 * depth
        for x in range(int(cx - reach), int(cx + reach) + 1):
            side = 1 - abs(x - cx) / (reach + 1)
            _blend(rows, x, y, colour, strength * side * (1 - depth) * (0.55 + 0.45 * _swell(x, y)))


def _hills(rows: Rows) -> None:
    for x in range(WIDTH):
        height = 13 + 8 * math.sin(x / 31) + 4 * math.sin(x / 9 + 2)
        for y in range(int(HORIZON - height), HORIZON):
            _blend(rows, x, y, _SHADE, 0.82)


def _boat(rows: Rows, cx: int, waterline: int) -> None:
    for y in range(1, 8):
        for x in range(cx - 22 + y, cx + 23 - y):
            _blend(rows, x, waterline + y, _SHADE, 1.0)
    for y in range(44):
        for x in range(y // 2):
            _blend(rows, cx - 2 - x, waterline - 46 + y, _MOON, 0.72)
            _blend(rows, cx + 2 + x // 2, waterline - 42 + y, _MOON, 0.5)


def _pier(rows: Rows) -> None:
    deck = HORIZON + 58
    for lamp in LAMPS:
        _path(rows, lamp, _LAMP, 0.75)
    for y in range(deck, deck + 7):
        for x in range(WIDTH):
            _blend(rows, x, y, _SHADE, 1.0)
    for lamp in LAMPS:
        for y in range(deck - 40, deck + 32):
            for x in (lamp - 1, lamp, lamp + 1):
                _blend(rows, x, y, _SHADE, 1.0 if abs(x - lamp) < 1 or y > deck else 0.4)
        _glow(rows, lamp, deck - 42, 26, _LAMP, 0.85)
        _disc(rows, lamp, deck - 42, 3, (255.0, 236.0, 190.0))
