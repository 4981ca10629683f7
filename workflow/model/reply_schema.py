"""The JSON Schema of the reply; its enumerations are those of the code, so that they cannot drift."""

from __future__ import annotations

from typing import Any, get_args

from workflow.model.evidence import STRENGTHS
from workflow.model.reply import EXIT_CODES, VERSION, Status

Schema = dict[str, Any]


def reply_schema() -> Schema:
    """What every turn answers, exactly: nothing else is ever in it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Reply",
        "description": "What a turn answers: what to say to the user, and what may come next.",
        **_object(
            {
                "v": {"const": VERSION, "description": "Version of this form."},
                "ok": _said({"type": "boolean"}, "Whether the turn did what it was to do; false if there is an error."),
                "session": _said(_maybe(_TEXT), "The name of the session; null where there is none."),
                "revision": _said(_maybe(_COUNT), "Counts accepted turns; quoted as `expect_revision`."),
                "phase": _said(_maybe(_TEXT), "The number and title of the phase, for people; its name is in `state`."),
                "state": _said(_maybe(_TEXT), "The full name, `phase.state`."),
                "status": _said({"enum": [*get_args(Status), None]}, "What the run is doing, or waits for."),
                "sandbox": _said({"type": "boolean"}, "Whether the session runs against the offline twin."),
                "say": _said(_list(_said_message()), "Text for the user, in this order, and nothing else."),
                "next": _said(_list(_option()), "What may come next, and who may send it."),
                "watch": _said(_maybe(_watch()), "How to wait for the service outside the conversation."),
                "notices": _said(_list(_TEXT), "For the agent, never for the user."),
                "receipt": _said(
                    _maybe({"type": "string", "pattern": "^[1-9][0-9]*:[0-9a-f]{24}$"}), "The head of the journal."
                ),
                "seen": _said(
                    _maybe({"type": "string", "pattern": "^[1-9][0-9]*-[0-9a-f]{8}$"}),
                    "The token of this reply; whoever passes on the person's answer to it sends it as `seen`.",
                ),
                "error": _said(_maybe(_error()), "Why not, and the next step."),
                "replayed": _said({"type": "boolean"}, "Whether this is the recorded reply to a repeated turn."),
            }
        ),
        "if": {"properties": {"ok": {"const": True}}},
        "then": {"properties": {"error": {"type": "null"}}},
        "else": {"properties": {"error": {"type": "object"}}},
    }


def _said_message() -> Schema:
    by = _said({"enum": ["service", "user", "agent"]}, "Whose words these are, byte for byte; ours have no mark.")
    language = _said({"const": "und"}, "Nobody knows which language it is in.")
    part = _object({"text": _TEXT, "by": by, "language": language}, 1)
    marks = {
        "repeat": _said({"const": True}, "It was said before, and is shown again."),
        "maybe_said": _said({"const": True}, "It may have been said already: somebody died in between."),
        "unsaid": _said({"const": True}, "It was not said yet: the next turn says it."),
        "withheld": _said({"const": True}, "The message held what must not be said; this is its plain variant."),
    }
    told = {
        "id": _said(_TEXT, "The name of the message."),
        "text": _said(_TEXT, "Ready for the user: the parts, joined."),
        "language": _TEXT,
        "translate_to": _said(_maybe(_TEXT), "The user's language, where a translation is to stand beside the text."),
        "parts": _list(part),
    }
    return _object({**told, **marks}, len(told))


def _option() -> Schema:
    strength = {"enum": list(STRENGTHS)}
    gate = _object(
        {
            "name": _TEXT,
            "needs": _said(strength, "The least that an answer must be worth."),
            "have": _said({"enum": [*STRENGTHS, None]}, "The evidence that is held for the question as it stands."),
            "until": _said(
                _maybe({"type": "string", "format": "date-time"}),
                "When the question must be answered by, in UTC; null where no term runs.",
            ),
        }
    )
    return _object(
        {
            "event": _TEXT,
            "who": _said({"enum": ["agent", "person", "service"]}, "Who may send it."),
            "gate": _said(_maybe(gate), "The question whose answer it carries."),
            "ready": _said({"type": "boolean"}, "Nothing is missing but, for a person's event, the person's answer."),
            "input": _said(
                {"type": "object", "additionalProperties": _TEXT}, "Name → type; a last `?` marks what may be left out."
            ),
            "how": _said(_TEXT, "How to send it, in words."),
            "when": _said(_TEXT, "When to send it: what it means."),
        },
        6,
    )


def _watch() -> Schema:
    background = _object({"how": {"const": "background"}, "run": _TEXT, "time_limit": _COUNT, "then": _TEXT})
    subagent = _object(
        {
            "how": {"const": "subagent"},
            "tool": _TEXT,
            "arguments": _object({"task": _TEXT, "runTimeoutSeconds": _COUNT}),
            "then": _TEXT,
        }
    )
    return _object(
        {
            "every": _said({"type": "number", "exclusiveMinimum": 0}, "Seconds between two looks."),
            "within": _said({"type": "number", "exclusiveMinimum": 0}, "Seconds to wait at most."),
            "until": _said({"type": "string", "format": "date-time"}, "When the time is over, in UTC."),
            "ways": _said(_list({"oneOf": [background, subagent]}), "How this host can run it, best first."),
            "command": _TEXT,
            "watched": _said({"const": True}, "A watch was asked for already: start no other."),
        },
        4,
    )


def _error() -> Schema:
    told = {
        "type": _said({"enum": list(EXIT_CODES)}, "Decides the exit code."),
        "message": _TEXT,
        "hint": _said(_TEXT, "The next step."),
    }
    return _object({**told, "class": _said(_TEXT, "Of a failed call: its class, as the bundle names it.")}, len(told))


_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}


def _object(properties: Schema, required: int | None = None) -> Schema:
    """A table with these keys and no others; the first ``required`` of them are always there (None = all)."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties)[:required],
        "additionalProperties": False,
    }


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _maybe(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _said(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}
