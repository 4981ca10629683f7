"""What the cheating demo prints: each attempt, what stopped it, and the proof in the end."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from workflow.cli import console
from workflow.cli.demo.attempts import RAISED
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

    def opening(self, stage: Stage, stopped: int, passing: int) -> None:
        """What is to be seen, and that it is real."""
        if self.quiet:
            return
        console.in_picture(True)
        console.say("An agent that cheats", "bold")
        console.say(f"It tries {stopped + passing} ways past the person; {passing} of them works by default. Each is")
        console.say("real: the command an agent would run, in a process of its own, against the")
        console.say("service's offline twin, which counts every request that reaches it.")
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

    def judged(
        self, label: str, stopped: bool, reason: str, code: int, before: int, after: int, passes: str | None
    ) -> None:
        """What came of it; ``passes`` is the strength under which it passes, where that is to be shown."""
        if self.quiet:
            return
        console.labelled(label if stopped or passes else "engine", re.sub(r"^'\w+' is refused: ", "", reason))
        count = f"still {after}" if before == after else f"{before} → {after}"
        tail = f"exit code {code} · requests at the service: {count}"
        if passes:
            console.labelled("", f"✗ passes under {passes} · {tail}", "bold yellow")
            return
        console.labelled("", f"✓ stopped · {tail}" if stopped else f"✗ NOT STOPPED · {tail}", _colour(stopped))

    def counted(self, session: str, summary: str) -> None:
        """What a proof says of the session in its last line."""
        if self.quiet:
            return
        console.labelled("auditor", f"workflow audit prove {session}", "cyan")
        console.labelled("", f"{summary[0].upper()}{summary[1:]}.")

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

    def verdict(self, stopped: int, tried: int, passing: int = 0) -> None:
        """The last lines: what was stopped, what passes by default, and which line stops that too."""
        if self.quiet:
            return
        console.in_picture(True)
        console.say("")
        if stopped != tried:
            console.say(f"{stopped} of {tried} attempts were stopped; the rest is not tried.", "bold red")
            return
        console.say(f"{stopped} of {tried} attempts were stopped; {passing} passes under `relayed`:", "bold green")
        console.say("an approval that the agent makes up. One line in the configuration stops it,", "bold yellow")
        console.say(f"below [gates]: {RAISED}", "bold yellow")

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
