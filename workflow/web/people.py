"""Whoever looks at the page: an approver, an auditor, or the one user of a page on loopback."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from workflow.local.browsers import ANSWERS, Browser
from workflow.model.frozen import Noun

People = Callable[[], Mapping[str, Sequence[str]]]
"""Reads the approvers, each with the roles that they hold."""


class Person(Noun):
    """Who is signed in on a browser: ``name`` is an approver's, or empty where nobody in particular is.

    ``roles`` are what they hold now. ``browser`` is the id of the browser, which answers name.
    """

    name: str
    scope: str
    browser: str
    roles: tuple[str, ...] = ()
    strength: str = "asked"
    """The most that an answer of theirs can be worth here."""

    @property
    def may_answer(self) -> bool:
        """Whether an answer of theirs can count; an auditor only looks."""
        return self.scope == ANSWERS

    @property
    def sees_all(self) -> bool:
        """Whether every session is theirs to see: an auditor's, and the one user's on loopback."""
        return not self.may_answer or not self.name

    @property
    def owner(self) -> str:
        """Whose room for connections and requests they take; no token has an owner of this form."""
        return f"page: {self.scope} {self.name}"


def signed_in(browser: Browser, approvers: Mapping[str, Sequence[str]], *, alone: bool) -> Person | None:
    """The person of a browser as they are now; None for an approver who is none any more.

    Nobody in particular is let in only where one user is ``alone`` with their page.
    """
    if browser.scope != ANSWERS:
        return Person(browser.person, browser.scope, browser.id)
    if not browser.person:
        return Person("", ANSWERS, browser.id) if alone else None
    if browser.person not in approvers:
        return None
    return Person(browser.person, ANSWERS, browser.id, tuple(approvers.get(browser.person, ())))
