"""What the demo prints: each turn as what the person says, what the agent sends, what the engine answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from workflow.cli import console
from workflow.cli.audit.audit import show_verified
from workflow.cli.demo.stage import Ran, Stage, written
from workflow.model.journal import Entry
from workflow.model.reply import Option, Reply
from workflow.show.story import Line, tell


class Narrator:
    """Tells the conversation to a person; a quiet one says nothing, for a program that reads."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.turns = 0

    def opening(self, stage: Stage, picture: Path, width: int, height: int) -> None:
        """Who takes part, and where."""
        if self.quiet:
            return
        console.say("A guided image, end to end, against the sandbox", "bold")
        console.say("Everything below is real: each turn is a process of its own, the requests are")
        console.say("HTTP, the store is on disk. Only the person's words were written beforehand;")
        console.say("what is sent follows from the reply before.")
        console.say("")
        console.labelled("sandbox", f"{stage.url}: offline, nothing costs money")
        console.labelled("file", f"{picture.name}, drawn just now: {width} × {height}, {picture.stat().st_size} bytes")
        console.labelled("folder", str(stage.folder))

    def turn(self, phase: str) -> None:
        """A new turn begins."""
        self.turns += 1
        if not self.quiet:
            console.say("")
            console.rule(f"Turn {self.turns} · {phase}")

    def person(self, words: str) -> None:
        """What the person says."""
        if not self.quiet:
            console.labelled("person", words, "bold")

    def agent(self, line: str, turn: Mapping[str, Any] | None = None) -> None:
        """The command that the agent runs, and the JSON on its stdin."""
        if self.quiet:
            return
        console.labelled("agent", line, "cyan")
        if turn is not None:
            console.labelled("", written(turn), "cyan")

    def note(self, text: str) -> None:
        """What the reader should know of the next lines."""
        if not self.quiet:
            console.labelled("", text, "dim")

    def engine(self, reply: Reply) -> None:
        """What the engine answers: where the run stands, what to say, what may come next."""
        if self.quiet:
            return
        status = (reply.status or "").replace("_", " ")
        console.labelled(
            "engine",
            f"{reply.session} · {reply.state} · {status} · revision {reply.revision}",
            console.COLOURS.get(reply.status or "", ""),
        )
        for said in reply.say:
            console.show_message(console.console(), said)
        possible = [_shown(option) for option in reply.next]
        if possible:
            console.labelled("next", " · ".join(possible))

    def refused(self, ran: Ran, reply: Reply) -> None:
        """A step that the engine did not take, and why."""
        assert reply.error is not None
        if self.quiet:
            return
        reason = reply.error.message.removeprefix(f"'{ran.arguments[2]}' is refused: ")
        console.labelled("engine", f"refused, exit code {ran.code}: {reason}", "red")
        console.labelled("", f"→ {reply.error.hint}")

    def counts(self, requests: Mapping[str, int]) -> None:
        """What the service saw."""
        if self.quiet:
            return
        console.say("")
        console.rule("What the service saw")
        console.show_table(("requests", "to"), [(str(count), name) for name, count in requests.items()])
        console.say("One picture was ordered, and one was asked for.", "green")

    def log(self, title: str, line: str) -> None:
        """A heading for the log, and the command that shows it."""
        if self.quiet:
            return
        console.say("")
        console.rule(title)
        console.labelled("auditor", line, "cyan")

    def entries(self, entries: Sequence[Entry]) -> None:
        """The log in short, for a pipe: the command itself gives JSON there."""
        if not self.quiet:
            console.show_table(
                ("#", "entry", "what happened"), [row for entry in entries for row in _rows(tell(entry))]
            )

    def phases(self, passed: Sequence[str]) -> None:
        """Which phases the run went through, in order."""
        if not self.quiet:
            console.labelled("phases", " → ".join(passed))

    def verdict(self, found: Mapping[str, Any]) -> None:
        """What the check of the log found, as the command tells it on a terminal."""
        if not self.quiet:
            show_verified(found["session"], found["receipt"], found["claim"], sandbox=found["sandbox"])

    def closing(self, session: str, link: str, stage: Stage, *, kept: bool) -> None:
        """The link, and what to try next."""
        if self.quiet:
            return
        console.say("")
        console.rule("The end")
        console.labelled("link", link, "bold green")
        console.labelled("", "The page was served by the sandbox, and is there only while one runs.", "dim")
        if kept:
            console.labelled("kept", f"the store, in {stage.folder}. To look at it:")
            console.labelled("", f"export PHASEGATE_STATE={stage.folder / 'state'}", "cyan")
            console.labelled("", f"workflow audit log {session}", "cyan")
        else:
            console.labelled("removed", "the store and the picture; `workflow demo --keep FOLDER` keeps them")
        console.labelled("next", "workflow demo --language zh-CN", "cyan")
        console.labelled("", "workflow sandbox", "cyan")
        console.labelled("", "workflow start --input -     (first set what the sandbox prints)", "cyan")
        console.labelled("", "workflow --help", "cyan")


def _shown(option: Option) -> str:
    """An event, and the gate that only the person's words open."""
    return f"{option.event} (the person's: {option.gate.name})" if option.gate else option.event


def _rows(line: Line) -> Iterator[tuple[str, str, str]]:
    """What happened, and below it on whose word, or why not: the notes that matter most."""
    yield str(line.seq), line.kind, line.what
    for label, text in line.notes:
        if label == "evidence" or (label == "because" and line.kind in ("refusal", "failure", "doubt")):
            yield "", "", text
