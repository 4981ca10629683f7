"""Every reply of a bundle's own scenarios, with the state of mind in which it was given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from workflow.author.play import Player
from workflow.author.scenario_file import find, read
from workflow.author.scenario_grammar import StepTable
from workflow.author.stand import Candidate, candidate, set_up
from workflow.model.reply import Reply

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Given:
    """A reply of a scenario, and the settings under which it was given."""

    scenario: str
    settings: Mapping[str, Any]
    reply: Reply

    @property
    def trouble(self) -> str:
        """The class of the failed call after which the session waits; empty where there is none."""
        return (self.reply.error.kind or "") if self.reply.error else ""

    @property
    def offered(self) -> frozenset[str]:
        """The events that an agent can send now, by itself or with the user's words."""
        return frozenset(option.event for option in self.reply.next)


@cache
def tried(name: str) -> Candidate:
    """A bundle, by its folder from the root; checked once."""
    return candidate(ROOT / name)


@cache
def replies(name: str) -> tuple[Given, ...]:
    """What a bundle answers in all of its scenarios."""
    return tuple(given for file in find(ROOT / name) for given in _played(name, file))


def _played(name: str, file: Path) -> Iterator[Given]:
    script, heard = read(file), list[Reply]()

    class Listening(Player):
        """Keeps each reply as the scenario's player got it."""

        def _turn(self, step: StepTable) -> Reply:
            heard.append(super()._turn(step))
            return heard[-1]

    given = script.document.given
    with set_up(
        tried(name), options=given.sandbox, settings=given.settings, gates=given.gates, people=given.people
    ) as stand:
        played = Listening(script, stand).play()
    assert played.passed, "\n".join(played.transcript())
    yield from (Given(file.stem, given.settings, reply) for reply in heard)
