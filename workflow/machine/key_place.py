"""Where a service's key is set, in one sentence for whoever sets it: on the machine, never in the conversation."""

from __future__ import annotations

FIELD = "api_key"
"""The field of a key's JSON file."""


def where_to_set(env: str | None, file: str | None, command: str | None = None) -> str:
    """How a person sets the key, as a sentence; empty where the bundle names no place.

    A ``command`` writes the file by itself, so that nobody has to know its form.
    """
    ways = [f"run `{command}`"] if command else []
    ways += [f"set the environment variable {env}"] if env else []
    if file and not command:
        ways.append(f'put {{"{FIELD}": "..."}} into {file} (mode 600)')
    return f"Please {', or '.join(ways)}." if ways else ""
