"""Entries for hosts: how each one is told to start this server, or to call a broker. One table.

It drives what ``--print-config`` prints, what the pages show, and what ``make hosts`` executes.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from workflow.cli import console
from workflow.compose import surroundings
from workflow.local.settings import carried, read_settings
from workflow.machine.definition import Service
from workflow.model.errors import UsageError
from workflow.model.frozen import Noun, replace

NAME = "phasegate"
"""What the server is called in a host."""
TOKEN = "PHASEGATE_TOKEN"
"""The variable that holds a broker's token, where the host runs."""
SHELL = "a shell"
ALL, NO_KEYS, LITTLE, UNTRIED = "everything", "everything but keys", "`HOME` and `PATH`", "not tried"
"""What a host hands on to a server of its own surroundings, without an entry that says so."""
GENERIC = "generic"


class Launch(Noun):
    """How a host starts the server: the whole command, and the variables that it must hand on."""

    command: tuple[str, ...]
    env: Mapping[str, str] = {}


class HostConfig(Noun):
    """A host: where its entry goes, and how one is written that starts the server or calls a broker.

    ``hands_on`` is what its servers get anyway of the host's own surroundings. ``refers`` is how a value of its entry
    names a variable there; empty where it cannot, or need not. ``by_hand`` is how a variable is passed where the entry
    that is printed cannot say it.
    """

    title: str
    place: str
    launch: Callable[[Launch], str]
    call: Callable[[str], str]
    hands_on: str
    refers: str = ""
    by_hand: str = ""


def _line(*words: str) -> str:
    return shlex.join(words)


def _flat(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)


def _file(entry: Mapping[str, Any]) -> str:
    return json.dumps({"mcpServers": {NAME: entry}}, ensure_ascii=False, indent=2)


def _started(launch: Launch) -> dict[str, Any]:
    command, *arguments = launch.command
    entry = {"type": "stdio", "command": command, "args": arguments}
    return entry | ({"env": dict(launch.env)} if launch.env else {})


def _called(url: str, refers: str) -> dict[str, Any]:
    """Hosts take an address without its type for another transport, or refuse it."""
    return {"type": "http", "url": url, "headers": {"Authorization": f"Bearer {refers.format(TOKEN)}"}}


def _pairs(option: str, env: Mapping[str, str]) -> list[str]:
    return [word for name, value in env.items() for word in (option, f"{name}={value}")]


_BRACES, _COLON = "${{{}}}", "${{env:{}}}"

HOSTS: Mapping[str, HostConfig] = {
    "claude-code": HostConfig(
        "Claude Code",
        SHELL,
        lambda launch: _line("claude", "mcp", "add-json", "--scope", "user", NAME, _flat(_started(launch))),
        lambda url: _line("claude", "mcp", "add-json", "--scope", "user", NAME, _flat(_called(url, _BRACES))),
        ALL,
    ),
    "openclaw": HostConfig(
        "OpenClaw",
        SHELL,
        lambda launch: _line("openclaw", "mcp", "set", NAME, _flat(_started(launch))),
        lambda url: _line("openclaw", "mcp", "set", NAME, _flat(_called(url, _BRACES))),
        LITTLE,
        refers=_BRACES,
    ),
    "codex": HostConfig(
        "Codex",
        SHELL,
        lambda launch: _line("codex", "mcp", "add", NAME, *_pairs("--env", launch.env), "--", *launch.command),
        lambda url: _line("codex", "mcp", "add", NAME, "--url", url, "--bearer-token-env-var", TOKEN),
        LITTLE,
        by_hand='env_vars = ["{}"] below [mcp_servers.phasegate] in ~/.codex/config.toml',
    ),
    "gemini-cli": HostConfig(
        "Gemini CLI",
        SHELL,
        lambda launch: _line(
            "gemini", "mcp", "add", "--scope", "user", *_pairs("--env", launch.env), NAME, *launch.command
        ),
        lambda url: _line(
            *("gemini", "mcp", "add", "--scope", "user", "--transport", "http"),
            *("--header", f"Authorization: Bearer {_BRACES.format(TOKEN)}", NAME, url),
        ),
        NO_KEYS,
        refers=_BRACES,
    ),
    "vscode": HostConfig(
        "VS Code",
        SHELL,
        lambda launch: _line("code", "--add-mcp", _flat({"name": NAME} | _started(launch))),
        lambda url: _line("code", "--add-mcp", _flat({"name": NAME} | _called(url, _COLON))),
        UNTRIED,
        refers=_COLON,
    ),
    "cursor": HostConfig(
        "Cursor",
        "~/.cursor/mcp.json",
        lambda launch: _file(_started(launch)),
        lambda url: _file(_called(url, _COLON)),
        UNTRIED,
        refers=_COLON,
    ),
    GENERIC: HostConfig(
        "Another host",
        "the JSON file that it reads",
        lambda launch: _file(_started(launch)),
        lambda url: _file(_called(url, _BRACES)),
        LITTLE,
    ),
}


def show_start(host: str, options: Sequence[str], service: Service, environ: Mapping[str, str]) -> None:
    """Print the entry with which ``host`` starts the server; for people also where it goes, and what it begins.

    It carries over what decides in ``environ``; the key goes by its variable's name alone. Raises :class:`UsageError`
    for a value that hosts would change.
    """
    known, env, key_env = HOSTS[host], carried(environ), service.key_env or ""
    launch = Launch((*command(), "mcp", *options), env)
    _check(*launch.command, *env.values())
    exported = bool(environ.get(key_env)) and "PHASEGATE_SANDBOX" not in env
    named = {key_env: known.refers.format(key_env)} if exported and known.refers else {}
    click.echo(known.launch(replace(launch, env={**env, **named})))
    handed_on = {**environ, **env}
    if known.hands_on != ALL and not named:
        handed_on.pop(key_env, None)
    _remark(_destination(known))
    _remark(surroundings(service, read_settings(handed_on), handed_on).told("A session that begins there"))
    if exported:
        _remark(key_note(known, key_env, service.key_command))


def show_call(host: str, url: str) -> None:
    """Print the entry with which ``host`` calls the broker at ``url``; it names the token's variable, never a token."""
    known = HOSTS[host]
    click.echo(known.call(url))
    _remark(_destination(known))
    _remark(f"Set {TOKEN} to a token where the host runs: `workflow-admin token new {host}` makes one.")


def key_note(known: HostConfig, key_env: str, key_command: str | None) -> str:
    """What a person has to know whose key is in a variable: hosts do not all hand it on."""
    if known.hands_on == ALL or known.refers:
        return f"{known.title} hands {key_env} on from where it is started, if it is set there."
    keeps = f"`{key_command}` keeps the key in a file instead" if key_command else "Keep the key in its file instead"
    by_hand = f", or add {known.by_hand.format(key_env)}" if known.by_hand else ""
    return f"{known.title} does not hand {key_env} on by itself. {keeps}{by_hand}."


def command() -> tuple[str, ...]:
    """The command ``workflow`` of this installation, by its whole path: a host may know another ``PATH``, or none."""
    started = Path(os.path.abspath(sys.argv[0]))
    if started.name == "workflow" and started.is_file() and os.access(started, os.X_OK):
        return (str(started),)
    return (sys.executable, "-P", "-m", "workflow")


def _check(*values: str) -> None:
    """Raises :class:`UsageError` for a value that hosts would change."""
    for value in values:
        if "$" in value or not value.isprintable():
            raise UsageError(
                f"{value[:80]!r} cannot stand in an entry: hosts take a dollar sign for a variable",
                "Use a value without a dollar sign or control characters.",
            )


def _destination(known: HostConfig) -> str:
    return f"{known.title}: " + ("run this line." if known.place == SHELL else f"merge this into {known.place}.")


def _remark(text: str) -> None:
    console.remark(text, error=True)
