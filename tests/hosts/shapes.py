"""The documented form of entries whose hosts have no command line in npm: VS Code and Cursor."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

import jsonschema

from workflow.cli.agent.host_config import HOSTS, NAME, SHELL, Launch

_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
_STDIO = {
    "type": {"const": "stdio"},
    "command": {"type": "string"},
    "args": {"type": "array", "items": {"type": "string"}},
    "env": _TEXTS,
}
_HTTP = {"type": {"const": "http"}, "url": {"type": "string", "pattern": "^https?://.+"}, "headers": _TEXTS}


def _one_of(*required: str, **more: Any) -> dict[str, Any]:
    """Starting or calling, with nothing that the form does not know; ``more`` stands in both."""
    return {
        "oneOf": [
            {
                "type": "object",
                "additionalProperties": False,
                "required": [*required, needed],
                "properties": {**properties, **more},
            }
            for properties, needed in ((_STDIO, "command"), (_HTTP, "url"))
        ]
    }


SHAPES: Mapping[str, Mapping[str, Any]] = {
    # https://code.visualstudio.com/docs/copilot/reference/mcp-configuration; `code --add-mcp` takes one, with its name
    "vscode": _one_of("name", "type", name={"const": NAME}),
    # https://cursor.com/docs/mcp
    "cursor": {
        "type": "object",
        "additionalProperties": False,
        "required": ["mcpServers"],
        "properties": {"mcpServers": {"type": "object", "additionalProperties": _one_of("type")}},
    },
}


def misshapen(host: str) -> str:
    """What is wrong with the entries of this host; empty where both have the form."""
    known = HOSTS[host]
    launch = Launch(("/usr/bin/workflow", "mcp"), {"PHASEGATE_STATE": "/srv/state"})
    for text in (known.launch(launch), known.launch(Launch(launch.command)), known.call("http://127.0.0.1:8760/mcp")):
        try:
            jsonschema.validate(json.loads(shlex.split(text)[-1] if known.place == SHELL else text), SHAPES[host])
        except (ValueError, jsonschema.ValidationError) as error:
            return f"{text[:200]}: {error}"
    return ""
