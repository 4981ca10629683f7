"""Bearer tokens of the broker: shown once, kept as digests in a file that only its owner can read (decision 095)."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workflow.local.records import RecordFile
from workflow.model.errors import UsageError
from workflow.model.frozen import Noun, as_dict
from workflow.model.spelling import did_you_mean
from workflow.model.surface import Machine

FILE = "tokens.json"
AGENT, AUDITOR, WATCH, ALL = "agent", "auditor", "watch", "all"
SCOPES = (AGENT, AUDITOR, WATCH, ALL)
"""An agent takes turns in its owner's sessions; an auditor reads every session and changes nothing.

``watch`` reads its owner's sessions and watches those of every owner; ``all`` takes turns in every session, those of
the command line included.
"""
BYTES = 32
_PREFIX = "phasegate_"
"""So that whoever finds one, a secret scanner for instance, knows what it is."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_NAMES = "At most 64 small letters, digits, dots, hyphens and underscores; no sign at the front."
_REMEDY = "Remove the file, and make new tokens; all are void."


class Token(Noun):
    """A token that was given out: what is known of it, which it cannot be made from."""

    name: str
    scope: str
    sha256: str
    created: str
    owner: str


class Tokens:
    """The tokens beside ``config.toml``. Each look reads the file again: a revoked token is worthless immediately."""

    def __init__(self, folder: Path) -> None:
        self._file = RecordFile(folder, FILE, what="tokens", secret="token", remedy=_REMEDY)
        self.path = self._file.path

    def new(self, name: str, scope: str, created: str, owner: str = "") -> str:
        """A new token under a new name, to be shown this once; ``created`` is ISO 8601.

        ``owner`` has the sessions that are begun with it, and with the owner's other tokens; default: its name.

        32 random bytes: their digest needs no salt and no stretching. Raises :class:`UsageError` for a name that
        is none, or that another token has.
        """
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name[:64]!r} cannot be the name of a token",
                _NAMES,
            )
        if owner and not _NAME.fullmatch(owner):
            raise UsageError(f"{owner[:64]!r} cannot be the owner of a token", _NAMES)
        if scope not in SCOPES:
            raise UsageError(f"{scope[:64]!r} is not a scope of a token", f"Known: {', '.join(SCOPES)}.")
        secret = _PREFIX + os.urandom(BYTES).hex()

        def add(known: tuple[Token, ...]) -> tuple[Token, ...]:
            if any(each.name == name for each in known):
                raise UsageError(
                    f"there is a token {name!r} already; it cannot be shown again",
                    Machine(f"Choose another name, or `workflow-admin token revoke {name}` first."),
                )
            return (*known, Token(name, scope, _digest(secret), created, owner or name))

        self._change(add)
        return secret

    def revoke(self, name: str) -> Token:
        """Make it worthless from now on; raises :class:`UsageError` if there is none of this name."""
        gone: list[Token] = []

        def remove(known: tuple[Token, ...]) -> tuple[Token, ...]:
            gone.extend(each for each in known if each.name == name)
            if not gone:
                near = did_you_mean(name, [each.name for each in known])
                shown = Machine("`workflow-admin token list` shows them.")
                raise UsageError(f"there is no token {name[:64]!r}{near}", shown)
            return tuple(each for each in known if each.name != name)

        self._change(remove)
        return gone[0]

    def listed(self) -> tuple[Token, ...]:
        """All that are good now, the oldest first; raises :class:`StoreError` if the file cannot be read."""
        return self._read(self._file.read())

    def find(self, presented: str) -> Token | None:
        """The token that was presented; None for one that never was, or is revoked."""
        digest = _digest(presented)
        return next((each for each in self.listed() if hmac.compare_digest(each.sha256, digest)), None)

    def _read(self, found: dict[str, Any] | None) -> tuple[Token, ...]:
        if found is None:
            return ()
        try:
            known = tuple(Token(**each) for each in found["tokens"])
            if all(isinstance(value, str) for each in known for value in as_dict(each).values()):
                return known
        except (KeyError, TypeError):
            pass
        raise self._file.unreadable()

    def _change(self, change: Callable[[tuple[Token, ...]], tuple[Token, ...]]) -> None:
        self._file.change(lambda found: {"v": 1, "tokens": [as_dict(each) for each in change(self._read(found))]})


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
