"""JSON, read strictly: what two parsers could understand differently is refused."""

from __future__ import annotations

import json
import math
import re
from typing import NoReturn

from workflow.model.plain_text import NotPlain, plain

MAX_LEVELS = 64
_MAX_INTEGER_LENGTH = 20  # "-9223372036854775808"; longer ones are never converted, which is quadratic

# A string (closed or not, so that nothing is scanned twice) or one bracket.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)


class JsonError(ValueError):
    """Not the JSON that is accepted here; the one-line reason repeats nothing of the text."""


def read_json(text: str | bytes, *, what: str = "JSON") -> object:
    """Raise ``JsonError``, and nothing else, for whatever is not strict JSON; ``what`` begins its message."""
    result = _read(text)
    if isinstance(result, _Fault):  # raised here, where no parser's exception can hang on to the text
        raise JsonError(f"{what} {result.reason}")
    return result


def write_json(value: object) -> str:
    """Write compactly; raise ``JsonError`` for a value that `read_json` would not take back as text."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        text.encode()
    except UnicodeEncodeError:
        reason = "a lone surrogate"
    except (ValueError, RecursionError):
        reason = "NaN, an infinity, a cycle or too many levels"
    else:
        return text
    raise JsonError(f"JSON cannot hold {reason}")


def printed_json(value: object, *, indent: int | None = None) -> str:
    """Write for a terminal, a pipe or a log: what no screen shows as it is becomes ``\\u009b``; the value is the same.

    Raises ``JsonError`` as `write_json` does. ``indent`` writes it on several lines.
    """
    text = write_json(value) if indent is None else json.dumps(value, ensure_ascii=False, indent=indent)
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(character: str) -> str:
    if character.isprintable() or character == "\n":
        return character
    return json.dumps(character)[1:-1] if character != "\x7f" else "\\u007f"


class _Fault(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _read(text: str | bytes) -> object:
    """Return the value, or the fault as a value."""
    try:
        read = plain(text) if isinstance(text, bytes) else text
        read.encode()
        _check_levels(read)
        value = json.loads(
            read,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_number,
            parse_constant=_constant,
        )
        write_json(value)  # an escape can still smuggle half a surrogate pair into a key or a string
    except _Fault as fault:
        return fault
    except NotPlain as error:
        return _Fault(f"is {error}")
    except json.JSONDecodeError as error:
        return _Fault(f"is not valid at line {error.lineno}, column {error.colno}")
    except UnicodeError:
        return _Fault("is not UTF-8")
    except JsonError:
        return _Fault("holds a lone surrogate")
    return value


def _check_levels(text: str) -> None:
    """Count before parsing: the parser recurses, and would die of too many."""
    level = 0
    for token in _TOKEN.finditer(text):
        mark = text[token.start()]
        if mark in "[{":
            level += 1
            if level > MAX_LEVELS:
                raise _Fault(f"nests deeper than {MAX_LEVELS} levels")
        elif mark != '"':
            level -= 1


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _Fault("repeats a key")
    return value


def _integer(digits: str) -> int:
    if len(digits) <= _MAX_INTEGER_LENGTH:
        value = int(digits)
        if -(2**63) <= value < 2**63:
            return value
    raise _Fault("holds an integer beyond 64 bits")


def _number(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise _Fault("holds a number that is too large")
    return value


def _constant(_name: str) -> NoReturn:
    raise _Fault("holds NaN or an infinity")
