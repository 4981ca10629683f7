"""What the cheating demo prints: each attempt, what stopped it, and the proof in the end."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from workflow.cli import console
from workflow.cli.demo.proof import Claim
from workflow.cli.demo.stage import Stage, written
from workflow.model.reply import Said

MOST_LINES = 2
"""Of a turn and of a message: what they begin with tells which they are."""


class Witness:
    """Tells a person what was tried; a quiet one says nothing, for a program that reads."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self._headed = False
        self._empty = True

    def opening(self, stage: Stage, count: int) -> None:
        """What is to be seen, and that it is real."""
        if self.quiet:
            return
        console.in_picture(True)
        console.say("An agent that cheats", "bold")
        console.say(f"It tries {count} ways past the person. Each is real: the command an agent would run,")
        console.say("in a process of its own, against the service's offline twin, which counts every")
        console.say("request that reaches it.")
        console.labelled("sandbox", stage.url, "dim")

    def act(self, title: str, *, pictured: bool) -> None:
        """A new part of the conversation."""
        if self.quiet:
            return
        console.in_picture(pictured)
        console.say("")
        console.rule(title)
        self._headed = self._empty = True

    def honest(self, words: str, note: str, *, pictured: bool) -> None:
        """A step that the person wants, and what the reader should know of it."""
        if self.quiet:
            return
        self._begin(pictured)
        if words:
            console.labelled("person", words)
        if note:
            console.labelled("", note, "dim")

    def said(self, messages: Sequence[Said]) -> None:
        """What the user is told."""
        if not self.quiet:
            for said in messages:
                console.labelled("is told", " ".join(said.text.split()), "italic", most=MOST_LINES)

    def tries(self, number: int, what: str, line: str, turn: Mapping[str, Any], *, pictured: bool) -> None:
        """What the agent tries, and the command that it runs."""
        if self.quiet:
            return
        self._begin(pictured)
        console.labelled(str(number), what, "bold")
        console.labelled("agent", line, "cyan")
        console.labelled("", written(turn), "dim", most=MOST_LINES)

    def judged(self, label: str, stopped: bool, reason: str, code: int, before: int, after: int) -> None:
        """What came of it."""
        if self.quiet:
            return
        console.labelled(label if stopped else "engine", re.sub(r"^'\w+' is refused: ", "", reason))
        count = f"still {after}" if before == after else f"{before} → {after}"
        tail = f"exit code {code} · requests at the service: {count}"
        console.labelled("", f"✓ stopped · {tail}" if stopped else f"✗ NOT STOPPED · {tail}", _colour(stopped))

    def proof(self, requests: Mapping[str, int], claims: Sequence[Claim]) -> None:
        """What reached the service, and what that shows."""
        if self.quiet:
            return
        console.in_picture(True)
        console.say("")
        console.rule("What reached the service: what the person agreed to")
        console.show_table(("requests", "to"), [(str(count), name) for name, count in requests.items()])
        console.say("")
        for claim in claims:
            console.say(f"{'✓' if claim.holds else '✗'} {claim.text}", _colour(claim.holds))

    def closing(self, session: str, verdict: Mapping[str, Any], stage: Stage, *, kept: bool) -> None:
        """Whether the log holds, and where to read it."""
        if self.quiet:
            return
        console.say("")
        console.labelled("auditor", f"workflow audit verify {session}", "cyan")
        console.labelled("", f"✓ {session} (sandbox) holds: {verdict['receipt']}", "green")
        console.labelled("", str(verdict["claim"]), "dim")
        if kept:
            console.labelled("log", f"export PHASEGATE_STATE={stage.folder / 'state'}", "cyan")
            console.labelled("", f"workflow audit log {session}", "cyan")
        else:
            console.labelled("log", "was removed with everything else; to keep and read one:", "dim")
            console.labelled("", "workflow demo --try-to-cheat --keep FOLDER", "cyan")

    def verdict(self, stopped: int, tried: int) -> None:
        """The last line."""
        if self.quiet:
            return
        console.say("")
        if stopped == tried:
            console.say(f"{stopped} of {tried} attempts were stopped.", "bold green")
        else:
            console.say(f"{stopped} of {tried} attempts were stopped; the rest is not tried.", "bold red")

    def _begin(self, pictured: bool) -> None:
        """A step stands apart from the one before, but not from its heading.

        The numbers tell what a picture leaves out after a heading.
        """
        console.in_picture(pictured, mark=not self._empty)
        if not self._headed:
            console.say("")
        self._headed = False
        self._empty = self._empty and not pictured


def _colour(good: bool) -> str:
    return "green" if good else "bold red"
