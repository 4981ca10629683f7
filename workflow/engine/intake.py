"""What a turn may hold: JSON of a bounded size, no key, and no internal data in what the person read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from workflow.engine import speak
from workflow.engine.run import Run
from workflow.machine import leaks
from workflow.machine.definition import NOTE
from workflow.machine.key_place import where_to_set
from workflow.machine.messages import Part
from workflow.machine.seen import LONGEST, parse
from workflow.model.errors import UsageError
from workflow.model.evidence import STRENGTHS
from workflow.model.session import Turn
from workflow.service.key import holds_a_key, redact

LARGEST_TURN = 256 * 1024
"""Bytes of a turn, written as JSON."""


def checked(turn: Turn) -> Turn:
    """The turn, if it can be written down: JSON values, and text that is text; raises :class:`UsageError`."""
    try:
        size = len(turn.text.encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError("the turn holds something that cannot be written as JSON", "Send JSON values only.") from error
    if turn.event is None and turn.translation is not None:
        raise UsageError("a translation belongs to an answer, and the turn has no event", "Send it with one.")
    if turn.seen and len(turn.seen) > LONGEST:
        raise UsageError("`seen` is longer than the token of a reply", "Copy it whole, such as 6-b3993f09.")
    if turn.strength not in STRENGTHS:
        raise UsageError(f"unknown strength {turn.strength[:40]!r}", f"Evidence is one of {', '.join(STRENGTHS)}.")
    if size > LARGEST_TURN:
        raise UsageError(f"the turn is larger than {LARGEST_TURN // 1024} KiB", "Files are named, not sent along.")
    return turn


def check_content(run: Run, turn: Turn, language: str = "") -> None:
    """Raise :class:`UsageError` for a turn or a language that is neither recorded nor shown to anybody as it is."""
    keep_key_out(run, turn, language)
    if turn.translation is None:
        return
    found = leaks.find((Part(turn.translation, "text"),), speak.secrets(run))
    if found:
        hint = "Send the translation of what `say` said, and nothing else."
        raise UsageError(f"{run.world.surface.translation} holds {', '.join(found)}, which the question does not", hint)


def keep_key_out(run: Run, turn: Turn, language: str) -> None:
    """Nobody's words are worth a key in the log: a turn that holds one, or what looks like one, is not recorded."""
    definition = run.program.definition
    event = "" if turn.event in definition.events else turn.event
    odd = None if turn.seen and parse(turn.seen) else turn.seen  # a token holds no key
    named = [turn.items, turn.turn_id, odd, turn.client, language]
    everything = "\n".join(_texts([event, turn.input, turn.quote, turn.translation, *named]))
    if not everything.strip():
        return  # such as a cancellation, which no check can stop
    kinds = {} if turn.event == NOTE else definition.data  # whose input has names of its own
    loose = [_loose(each, kinds.get(name)) for name, each in turn.input.items()]
    service, words = definition.service, "\n".join(_texts([event, loose, turn.quote, turn.translation]))
    known, shape = run.known_key(), service.sandbox_key
    if redact(everything, known) != everything:
        fault = "the turn holds the service's key, or a code in which it could be hidden"
    elif holds_a_key(everything, shape, strict=False) or holds_a_key(words, shape, strict=True):
        fault = "the turn holds something that looks like a key"
    else:
        return
    command = service.key_command if run.world.surface.types else None
    where = where_to_set(service.key_env, service.key_file, command)
    raise UsageError(fault, f"Send it without the key. A key is set on the machine, not in this chat. {where}".strip())


def _loose(value: Any, kind: str | None) -> Any:
    """What of an input is words: a link and the path of a file may look like a key, what is said of a file may not."""
    if kind == "files" and isinstance(value, (list, tuple)):
        return [each.get("description") for each in value if isinstance(each, Mapping)]
    return None if kind == "url" else value


def _texts(value: Any) -> Iterator[str]:
    """All texts within what a caller sent."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (text for pair in value.items() for each in pair for text in _texts(each))
    elif isinstance(value, (list, tuple)):
        yield from (text for each in value for text in _texts(each))
