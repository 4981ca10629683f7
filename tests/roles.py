"""A bundle in which people of roles sign: an employee submits, a manager or two of the board approve, one call pays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.playing import HandClock, Player, player
from workflow.bundle import open_bundle
from workflow.engine import Engine
from workflow.engine.question import Question, question
from workflow.machine import gates
from workflow.model.frozen import replace
from workflow.model.reply import Reply
from workflow.model.session import Turn
from workflow.service.sandbox.table import Answers

YAML = Path(__file__).with_name("roles.yaml").read_text(encoding="utf-8")
_ABOUT = "The report $report over $amount"
PROMPTS = {
    "listing": f"{_ABOUT} is listed.",
    "for_employee": f"{_ABOUT}: do you submit it as it is?",
    "waiting": f"{_ABOUT} waits for a signature.",
    "for_manager": f"{_ABOUT} of your employee: do you approve it?",
    "for_board": f"{_ABOUT}, which is large: do you sign it?",
    "rejected": "It was rejected: $reason",
    "void": "An approval does not count any more.",
    "failed": "It failed.",
    "unsure": "Nobody knows.",
    "done": "It is paid.",
    "cancelled": "It is cancelled.",
}
PLAIN = {
    "listing": "It is listed.",
    "for_employee": "Do you submit it?",
    "waiting": "It waits for a signature.",
    "for_manager": "Do you approve it?",
    "for_board": "Do you sign it?",
    "rejected": "It was rejected.",
}
PEOPLE = {"employee": ("erin", "max"), "manager": ("max", "mona"), "board": ("ada", "bob", "cleo", "erin")}
"""Two of them hold two roles."""
REPORT = {"report": "Trip to Bonn", "amount": 420}


def write(folder: Path, yaml: str = YAML, prompts: Mapping[str, str] = PROMPTS) -> Path:
    """The bundle in ``folder``; its messages are the same in both languages but for a mark."""
    (folder / "phases").mkdir(parents=True, exist_ok=True)
    (folder / "workflow.yaml").write_text(yaml)
    for language, mark in (("en", ""), ("de", "(de) ")):
        texts = folder / "prompts" / language
        texts.mkdir(parents=True, exist_ok=True)
        for name, text in prompts.items():
            (texts / f"{name}.md").write_text(f"{mark}{text}")
        for name, text in PLAIN.items():
            if name in prompts:
                (texts / f"{name}.plain.md").write_text(f"{mark}{text}")
    return folder


class People:
    """A session of a bundle, and people who answer it: ``people`` says who holds which role, and may be changed."""

    def __init__(self, play: Player, people: Mapping[str, tuple[str, ...]]) -> None:
        self.play, self.people = play, dict(people)
        play.engine = Engine(replace(play.engine.world, people=lambda: self.people))

    def question(self) -> Question:
        """What is asked now."""
        return question(self.play.engine, self.play.name)

    def told(self, event: str) -> str:
        """What whoever may send the event was told."""
        asked = self.question()
        (option,) = [each for each in asked.options if each.event == event]
        return "\n".join(said.text for said in asked.says(option))

    def answer(self, person: str, event: str, asked: Question | None = None) -> Reply:
        """A person's yes to what they were shown, as a terminal takes it, with their passphrase."""
        asked = asked or self.question()
        gate = asked.definition.gates[asked.definition.events[event].gate or ""]
        about = gates.question(asked.definition, gate, asked.session)
        return self._send(Turn(event, quote=f"yes, says {person}", about=about), person, asked)

    def decline(self, person: str, gate: str, reason: str = "The hotel is missing") -> Reply:
        """A person's no, with their reason."""
        asked = self.question()
        known = asked.definition.gates[gate]
        about = gates.question(asked.definition, known, asked.session)
        (field,) = asked.definition.events[known.decline or ""].input
        turn = Turn(known.decline, {field: reason}, quote=reason, about=about, declines=gate)
        return self._send(turn, person, asked)

    def _send(self, turn: Turn, person: str, asked: Question) -> Reply:
        turn = replace(turn, strength="proven", approver=person, channel="terminal", asked_at=asked.at)
        reply = self.play.engine.advance(self.play.name, turn)
        self.play.reply = reply
        self.play.engine.confirm(reply)
        return reply


class Signing(People):
    """The bundle of this module at work."""

    def __init__(self, folder: Path, yaml: str = YAML) -> None:
        self.folder = write(folder / "bundle", yaml)
        self.clock = HandClock()
        self.sandbox = Answers(open_bundle(self.folder).definition)
        self.people = dict(PEOPLE)

    def __enter__(self) -> Signing:
        self.sandbox.start()
        play = player(self.folder.parent, self.folder, self.sandbox.url, clock=self.clock)
        super().__init__(play, self.people)
        return self

    def __exit__(self, *error: object) -> None:
        self.sandbox.stop()

    @property
    def paid(self) -> int:
        """How often the service was asked to pay."""
        return len(self.sandbox.requests)

    def begin(self, *, big: bool = False, **given: Any) -> Reply:
        """A report that is listed."""
        return self.play.start({**REPORT, **given, "big": big})

    def submitted(self, *, big: bool = False, by: str = "erin") -> Signing:
        """A report that waits for whoever approves it."""
        self.begin(big=big)
        self.answer(by, "submit")
        return self
