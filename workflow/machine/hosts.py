"""Hosts: how the program that an agent runs in can watch a run, best way first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflow.machine.definition import Watch
from workflow.model.errors import UsageError
from workflow.model.surface import SHELL

BRIEFED = ("session", "command", "language", "minutes", "limit_minutes", "store")
"""What a brief may be filled with, beside the public data."""
ANNOUNCE_SKIP = "ANNOUNCE_SKIP"
"""The last line of a watcher that speaks for itself: the host announces nothing more."""

PATIENCE = 60.0
"""Seconds in which a watch that was asked for must have been seen; after that nobody watches."""

_WAYS: Mapping[str, tuple[str, ...]] = {
    "generic": (),
    "claude-code": ("background",),
    "openclaw": ("background", "subagent"),
    "openclaw-subagent": ("subagent",),
    "codex": (),
    "gemini-cli": (),
    "vscode": (),
    "cursor": (),
}


HOSTS = tuple(_WAYS)
"""The hosts that are known."""


def check_host(host: str) -> str:
    """The host, if it is one we know; raises :class:`UsageError`."""
    if host not in _WAYS:
        raise UsageError(f"unknown host {host[:40]!r}", f"Known: {', '.join(_WAYS)}.")
    return host


def can_watch(host: str) -> bool:
    """Whether the host can run a monitor beside the conversation."""
    return bool(_WAYS.get(host))


def command(session: str, *, announce: bool = False) -> str:
    """What a monitor runs."""
    return f"workflow watch {session}" + (" --announce-skip" if announce else "")


def ways(host: str, session: str, watch: Watch, brief: str) -> list[dict[str, Any]]:
    """How this host runs the watch, which is a command; the time limit asked for is a quarter more than the wait."""
    known: dict[str, dict[str, Any]] = {
        "background": {
            "how": "background",
            "run": command(session),
            "time_limit": watch.time_limit,
            "then": f"When it ends, {SHELL.go_on.format(session)}.",
        },
        "subagent": {
            "how": "subagent",
            "tool": "sessions_spawn",
            "arguments": {"task": brief, "runTimeoutSeconds": watch.time_limit},
            "then": f"Do not wait for it; ignore its {ANNOUNCE_SKIP}.",
        },
    }
    return [known[way] for way in _WAYS.get(host, ())]
