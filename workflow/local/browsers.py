"""Who may open the page: one-time links that pair a browser, and the browsers that were paired (decision 211).

Both are kept as digests, in a file beside ``config.toml`` that only its owner can read. Looking changes nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from workflow.local.records import RecordFile
from workflow.model.errors import UsageError
from workflow.model.frozen import Noun, as_dict
from workflow.model.instant import Instant, iso
from workflow.model.ports import Clock
from workflow.model.surface import Machine

FILE = "page.json"
ANSWERS, AUDITOR = "approver", "auditor"
SCOPES = (ANSWERS, AUDITOR)
"""An approver answers what their roles may answer; an auditor sees every session and answers nothing."""
LINK_SECONDS = 600.0
"""For which a link can pair a browser, once."""
BROWSER_SECONDS = 30 * 86400.0
"""For which a paired browser stays signed in."""
MOST_LINKS = 20
"""Links that wait; the oldest makes room."""
MOST_BROWSERS = 20
"""Browsers of one person; the one that was paired first is signed out for a new one."""
LONGEST_AGENT = 120
"""Characters that are kept of what a browser calls itself."""
_BYTES = 32
Known = TypeVar("Known", "Link", "Browser")
_REMEDY = "Remove the file, and pair all browsers again."


class Link(Noun, hide=("sha256",)):
    """A link that waits to pair a browser; ``person`` is an approver, or empty for nobody in particular."""

    sha256: str
    person: str
    scope: str
    made: Instant


class Browser(Noun, hide=("sha256",)):
    """A browser that is signed in; ``agent`` is what it calls itself, ``id`` what people call it."""

    id: str
    sha256: str
    person: str
    scope: str
    paired: Instant
    agent: str = ""

    @property
    def since(self) -> str:
        """When it was paired, ISO 8601 in UTC."""
        return iso(self.paired)


class Browsers:
    """The links and browsers of one folder. Each look reads the file again, so that a revoked browser is a stranger
    immediately.

    Raises :class:`StoreError` where the file cannot be relied on.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._file = RecordFile(folder, FILE, what="links and browsers", secret="link", remedy=_REMEDY)
        self.path, self._clock = self._file.path, clock

    def invite(self, person: str, scope: str = ANSWERS) -> str:
        """The secret of a new one-time link, to be shown this once."""
        secret = os.urandom(_BYTES).hex()
        made = Link(_digest(secret), person, scope, self._clock.now())
        self._change(lambda links, browsers: ([*links, made][-MOST_LINKS:], browsers))
        return secret

    def link(self, secret: str) -> Link | None:
        """The link of this secret, if it can still pair a browser."""
        return _find(secret, self._read(self._file.read())[0])

    def pair(self, secret: str, agent: str) -> tuple[str, Browser] | None:
        """Use a link up: the secret of the browser's cookie, and the browser; None if the link does not work now."""
        cookie = os.urandom(_BYTES).hex()
        paired: list[Browser] = []

        def exchange(links: list[Link], browsers: list[Browser]) -> tuple[list[Link], list[Browser]]:
            link = _find(secret, links)
            if link is None:
                return links, browsers
            own, name = (link.person, link.scope), os.urandom(4).hex()
            made = Browser(name, _digest(cookie), *own, self._clock.now(), agent[:LONGEST_AGENT])
            paired.append(made)
            theirs = [each for each in browsers if (each.person, each.scope) == own]
            out = theirs[: max(0, len(theirs) + 1 - MOST_BROWSERS)]
            kept = [each for each in browsers if each not in out]
            return [each for each in links if each != link], [*kept, made]

        self._change(exchange)
        return (cookie, paired[0]) if paired else None

    def find(self, cookie: str) -> Browser | None:
        """The browser whose cookie this is, if it is signed in."""
        return _find(cookie, self._read(self._file.read())[1])

    def listed(self) -> tuple[Browser, ...]:
        """All that are signed in, the one that was paired first comes first."""
        return tuple(self._read(self._file.read())[1])

    def revoke(self, name: str) -> Browser:
        """Sign a browser out; raises :class:`UsageError` if none of this id is signed in."""
        gone: list[Browser] = []

        def remove(links: list[Link], browsers: list[Browser]) -> tuple[list[Link], list[Browser]]:
            gone.extend(each for each in browsers if each.id == name)
            if not gone:
                shown = Machine("`workflow-admin browser list` shows them.")
                raise UsageError(f"no browser {name[:40]!r} is signed in", shown)
            return links, [each for each in browsers if each.id != name]

        self._change(remove)
        return gone[0]

    def _read(self, found: dict[str, Any] | None) -> tuple[list[Link], list[Browser]]:
        """What counts now: a term is over by either clock, and does not count after one was set back."""
        if found is None:
            return [], []
        try:
            links = [Link(**{**each, "made": Instant(*each["made"])}) for each in found["links"]]
            browsers = [Browser(**{**each, "paired": Instant(*each["paired"])}) for each in found["browsers"]]
            texts = (
                value for each in (*links, *browsers) for value in as_dict(each).values() if type(value) is not dict
            )
            times = [each.made for each in links] + [each.paired for each in browsers]
            if not all(isinstance(text, str) for text in texts) or not all(map(_is_time, times)):
                raise TypeError
        except (KeyError, TypeError):
            raise self._file.unreadable() from None
        now = self._clock.now()
        return (
            [each for each in links if _runs(each.made, now, LINK_SECONDS)],
            [each for each in browsers if _runs(each.paired, now, BROWSER_SECONDS)],
        )

    def _change(self, change: Callable[[list[Link], list[Browser]], tuple[list[Link], list[Browser]]]) -> None:
        def changed(found: dict[str, Any] | None) -> dict[str, Any]:
            links, browsers = change(*self._read(found))
            return {
                "v": 1,
                "links": [{**as_dict(each), "made": each.made.as_json()} for each in links],
                "browsers": [{**as_dict(each), "paired": each.paired.as_json()} for each in browsers],
            }

        self._file.change(changed)


def _find(secret: str, known: Iterable[Known]) -> Known | None:
    digest = _digest(secret)
    return next((each for each in known if hmac.compare_digest(each.sha256, digest)), None)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _is_time(moment: Instant) -> bool:
    return all(type(each) in (int, float) for each in (moment.wall, moment.boot)) and isinstance(moment.boot_id, str)


def _runs(since: Instant, now: Instant, seconds: float) -> bool:
    wall = now.wall - since.wall
    boot = now.boot - since.boot if now.boot_id == since.boot_id else wall
    return min(wall, boot) >= 0 and max(wall, boot) <= seconds
