"""The JSON Schema of the reply; its enumerations are those of the code, so that they cannot drift."""

from __future__ import annotations

from typing import Any, get_args

from workflow.model.evidence import STRENGTHS
from workflow.model.reply import EXIT_CODES, VERSION, Status

Schema = dict[str, Any]


def reply_schema() -> Schema:
    """What every turn answers, exactly: nothing else is ever in it, and what is empty or usual is left out."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Reply",
        "description": "What a turn answers: what to say to the user, and what may come next.",
        **_object(
            {
                "v": {"const": VERSION, "description": "Version of this form."},
                "ok": _said({"type": "boolean"}, "Whether the turn did what it was to do; false if there is an error."),
                "session": _said(_TEXT, "The name of the session; missing where there is none."),
                "revision": _said(_COUNT, "Counts accepted turns; quoted as `expect_revision`."),
                "phase": _said(_TEXT, "The number and title of the phase, for people; its name is in `state`."),
                "state": _said(_TEXT, "The full name, `phase.state`."),
                "status": _said({"enum": [*get_args(Status)]}, "What the session is doing, or waits for."),
                "sandbox": _said(_TRUE, "The session runs against the offline twin."),
                "say": _said(_list(_said_message()), "Text for the user, in this order, and nothing else."),
                "next": _said(_list(_option()), "What may be sent next."),
                "watch": _said(_watch(), "The service is at work: how to wait for it outside the conversation."),
                "brief": _said(
                    _TRUE,
                    "The turn named a reply of the same state: `next` has names only. "
                    "`workflow status` gives all of it again.",
                ),
                "notices": _said(_list(_TEXT), "For the agent, never for the user."),
                "receipt": _said(
                    {"type": "string", "pattern": "^[1-9][0-9]*:[0-9a-f]{24}$"}, "The head of the journal."
                ),
                "seen": _said(
                    {"type": "string", "pattern": "^[1-9][0-9]*-[0-9a-f]{8}$"},
                    "The token of this reply; whoever passes on the person's answer to it sends it as `seen`.",
                ),
                "error": _said(_error(), "Why not, and the next step."),
                "replayed": _said(_TRUE, "This is the recorded reply to a repeated turn."),
            },
            2,
        ),
        "if": {"properties": {"ok": {"const": True}}},
        "then": {"not": {"required": ["error"]}},
        "else": {"required": ["error"]},
    }


def _said_message() -> Schema:
    part = _object(
        {
            "at": _said(
                {"type": "array", "items": _COUNT, "minItems": 2, "maxItems": 2},
                "Where the piece of `text` begins and ends, in characters.",
            ),
            "by": _said({"enum": ["service", "user", "agent"]}, "Whose words these are, byte for byte."),
            "language": _said({"const": "und"}, "Nobody knows which language it is in."),
        },
        2,
    )
    told = {
        "id": _said(_TEXT, "The name of the message."),
        "text": _said(_TEXT, "Ready for the user."),
        "language": _TEXT,
    }
    marks = {
        "translate_to": _said(_TEXT, "The user's language, where a translation is to stand beside the text."),
        "parts": _said(_list(part, 1), "The pieces of the text that are not of the bundle itself."),
        "repeat": _said(_TRUE, "It was said before, and is shown again."),
        "maybe_said": _said(_TRUE, "It may have been said already: somebody died in between."),
        "unsaid": _said(_TRUE, "It was not said yet: the next turn says it."),
        "withheld": _said(_TRUE, "The message held what must not be said; this is its plain variant."),
    }
    return _object({**told, **marks}, len(told))


def _option() -> Schema:
    strength = {"enum": list(STRENGTHS)}
    gate = _object(
        {
            "name": _TEXT,
            "needs": _said(strength, "The least that an answer must be worth."),
            "have": _said(
                strength, "The evidence that is held for the question as it stands; missing if there is none."
            ),
            "until": _said(_TIME, "When the question must be answered by, in UTC; missing where no term runs."),
        },
        2,
    )
    return _object(
        {
            "event": _TEXT,
            "who": _said({"const": "person"}, "Only the person decides it; missing where the agent does."),
            "gate": _said(gate, "The question whose answer it carries."),
            "input": _said(
                {"type": "object", "additionalProperties": _TEXT},
                "Name → type; a last `?` marks what may be left out; missing where it takes none.",
            ),
            "how": _said(_TEXT, "What `gate` and `input` do not say, in words."),
            "when": _said(_TEXT, "When to send it: what it means."),
            "ready": _said({"const": False}, "More is missing than the person's answer."),
        },
        1,
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
            "until": _said(_TIME, "When the time is over, in UTC."),
            "ways": _said(
                _list({"oneOf": [background, subagent]}, 1),
                "How this host can run it, best first; missing if it cannot.",
            ),
            "watched": _said(_TRUE, "A watch was asked for already: start no other."),
        },
        1,
    )


def _error() -> Schema:
    told = {
        "type": _said({"enum": list(EXIT_CODES)}, "Decides the exit code."),
        "message": _TEXT,
        "hint": _said(_TEXT, "The next step."),
    }
    return _object({**told, "class": _said(_TEXT, "Of a failed call: its class, as the bundle names it.")}, len(told))


_TEXT: Schema = {"type": "string"}
_TRUE: Schema = {"const": True}
_TIME: Schema = {"type": "string", "format": "date-time"}
_COUNT: Schema = {"type": "integer", "minimum": 0}


def _object(properties: Schema, required: int | None = None) -> Schema:
    """A table with these keys and no others; the first ``required`` of them are always there (None = all)."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties)[:required],
        "additionalProperties": False,
    }


def _list(items: Schema, least: int = 0) -> Schema:
    return {"type": "array", "items": items, **({"minItems": least} if least else {})}


def _said(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}
