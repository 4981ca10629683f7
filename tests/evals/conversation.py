"""A scenario of ``evals/`` played by its script: each message becomes the event that stands beside it, or none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.evals.surfaces import Surface
from workflow.machine.definition import NOTE

EVALS = Path(__file__).parents[2] / "evals"
REFUSALS = ("refused", "stale", "usage", "not_found")
Json = dict[str, Any]
_UNTOLD: Mapping[str, Any] = {"who": "agent", "input": {}, "how": ""}
"""An event that no reply has to offer: `note` is always possible."""


def scenarios() -> dict[str, Json]:
    """The scenarios that have a script, by name."""
    read = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(EVALS.glob("scenarios/*.json"))}
    return {name: scenario for name, scenario in read.items() if isinstance(scenario["user"][0], dict)}


@dataclass
class Conversation:
    """An agent that knows only the replies: it sends what `next` offers, and answers `seen` of the last reply."""

    surface: Surface
    scenario: Mapping[str, Any]
    reply: Json = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    known: dict[str, Json] = field(default_factory=dict)
    """The options of the last reply that told them whole; a brief one names them."""
    lost: bool = False

    async def play(self) -> None:
        """All lines, from the first to the last."""
        for line in self.scenario["user"]:
            if "stage" in line:
                await getattr(self, "_" + line["stage"].replace(" ", "_"))()
            elif line["event"] == "start":
                language = self.scenario["language"]
                self._heard(await self.surface.start(line.get("input") or {"words": line["says"]}, language), line)
            elif line["event"]:
                await self._send(line)

    async def _send(self, line: Mapping[str, Any]) -> None:
        event = line["event"]
        offered = [option["event"] for option in self.reply["next"]]
        assert event in (*offered, NOTE), (
            f"{line['says']!r}: {event} is not offered in {self.reply['state']}: {offered}"
        )
        option = self.known.get(event, _UNTOLD)
        turn: Json = {"seen": self.reply["seen"], "input": dict(line.get("input") or {})}
        if "words" in option["input"] and not turn["input"]:
            turn["input"] = {"words": line["says"]}
        if option["who"] == "person":
            turn |= {"quote": line.get("quote") or line["says"], "items": line.get("items")}
            if "translation" in option["how"]:
                turn["translation"] = self._translated()
        self._heard(await self.surface.advance(self.names[-1], event, turn), line)

    async def _news(self) -> None:
        """What watches has ended, and the agent says what is new."""
        assert self.reply["status"] == "watching", f"nothing is awaited in {self.reply['state']}"
        await self.surface.watch(self.names[-1])
        self._heard(await self.surface.advance(self.names[-1], None, {"seen": self.reply["seen"]}), {})

    async def _context_lost(self) -> None:
        """The agent begins anew with its skill alone, and finds the session."""
        self.lost = True
        (found,) = await self.surface.sessions()
        self._heard(await self.surface.resume(found["name"]), {})

    def _heard(self, reply: Json, line: Mapping[str, Any]) -> None:
        error = reply.get("error") or {}
        refused = error.get("type") in REFUSALS
        assert not refused, f"{line.get('says')!r}: {error}"
        looks = line.get("event") in ("check", "retry")  # only these may have nothing new to say
        again = [each["id"] for each in reply["say"] if each.get("maybe_said") or (each.get("repeat") and not looks)]
        assert self.lost or not again, f"{line.get('says')!r}: {again} was heard already"
        self.lost = False
        self.said += [each["text"] for each in reply["say"]]
        self.reply = reply
        if not reply["brief"]:
            self.known = {option["event"]: self._whole(option) for option in reply["next"]}
        if reply["session"] not in self.names:
            self.names.append(reply["session"])

    def _whole(self, option: Json) -> Json:
        """An option with the input that a reply before has told."""
        told = option["input"] or self.known.get(option["event"], _UNTOLD)["input"]
        return {**option, "input": told}

    def _translated(self) -> str | None:
        """The last question, as it was told in the user's language; None where it was in that language."""
        asked = [each["text"] for each in self.reply["say"] if each.get("translate_to")]
        return f"({self.scenario['language']}) {asked[-1]}" if asked else None
