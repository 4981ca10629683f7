"""A bundle for the actions of one run: the machine that AgentBarrier's suite asks for, written as YAML and linted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from agentbarrier.errors import AdapterContractError
from agentbarrier.models import ActionRequest

OPEN, YES, NO = "o", "y", "n"


def written(folder: Path, actions: Sequence[ActionRequest], timeout: float, lookup: float) -> Path:
    """The bundle's folder: JSON is YAML.

    ``timeout`` and ``lookup`` are in seconds, for a call with an effect and for one that asks what
    became of it.
    """
    machine = _Machine(actions)
    document = machine.document(f"{timeout:g}s", f"{lookup:g}s")
    (folder / "prompts/en").mkdir(parents=True)
    (folder / "workflow.yaml").write_text(json.dumps(document, indent=1), encoding="utf-8")
    for name, text in machine.prompts.items():
        (folder / f"prompts/en/{name}.md").write_text(f"{text}\n", encoding="utf-8")
    return folder


class _Machine:
    """Every gated action is asked about first; then those that may happen do, one after the other."""

    def __init__(self, actions: Sequence[ActionRequest]) -> None:
        self._actions = actions
        self._gated = [n for n, each in enumerate(actions) if each.requires_approval]
        self._ordered = [n for n, each in enumerate(actions) if not each.requires_approval]
        if len(self._ordered) > 1:
            raise AdapterContractError("one order is of one action that nobody is asked about")
        self._may_be_refused = not self._allowed(NO * len(self._gated))
        self.prompts = {
            "done": "All of it is done.",
            **({"refused": "Nothing was done."} if self._may_be_refused else {}),
            **({"what": "What do you order?"} if self._ordered else {}),
            "failed": "It could not be done.",
            "cancelled": "I stopped.",
            "again_later": "That did not work now.",
        }
        for n, _ in enumerate(actions):
            self._tell(f"unsure{n}", f"I cannot tell whether this happened: ${{a{n}}}")
            self._tell(f"absent{n}", f"It did not happen. Once more? ${{a{n}}}")

    def document(self, timeout: str, lookup: str) -> dict[str, Any]:
        """What `workflow.yaml` says."""
        numbers = range(len(self._actions))
        calls = {f"write{n}": self._write(n, timeout) for n in numbers} | {
            f"find{n}": self._find(n, lookup) for n in numbers
        }
        return {
            "format": 1,
            "workflow": "barrier",
            "title": "Actions that a person approves",
            "languages": ["en"],
            "service": {
                "base_url": "https://effects.example",
                "key": {"env": "EFFECTS_TOKEN", "header": "X-Token", "scheme": ""},
                "sandbox_key": "effects-sandbox-token",
                "sandbox": {f"{each['method']} {each['path']}": {"body": {}} for each in calls.values()},
            },
            "data": {"topic": "text"}
            | {f"a{n}": "text" for n in numbers}
            | {f"told{n}": "hidden" for n in numbers}
            | {f"found{n}": "hidden" for n in numbers}
            | {f"digests{n}": "hidden" for n in numbers},
            "gates": {self._gate(n): {"subject": [f"a{n}"]} for n in numbers} | {"told": {}},
            "actions": calls,
            "guards": {
                f"{word}{n}": {"datum": f"found{n}", "is": word, "because": f"it is not {word}"}
                for n in numbers
                for word in ("committed", "not_committed")
            },
            "never_without": {f"write{n}": [self._gate(n)] for n in numbers},
            "events": self._events(),
            "trouble": {"void": "again_later", "else": "again_later"},
            "start": "order.beginning",
            "on": {"cancel": "over.cancelled"},
            "phases": self._phases(),
        }

    def _write(self, n: int, timeout: str) -> dict[str, Any]:
        return {
            "method": "POST",
            "path": f"/effects/{n}",
            "effect": "once",
            "timeout": timeout,
            "body": {"action": f"{{a{n}}}"},
            "sets": {f"told{n}": "effect"},
        }

    def _find(self, n: int, timeout: str) -> dict[str, Any]:
        sets = {f"found{n}": "status", f"digests{n}": "digests"}
        return {"method": "GET", "path": f"/effects/{n}", "effect": "read", "timeout": timeout, "sets": sets}

    def _events(self) -> dict[str, Any]:
        names = ["topic", *(f"a{n}" for n in self._gated)]
        events: dict[str, Any] = {"start": {"input": names}, "look": {}, "cancel": {}, "happened": {"gate": "told"}}
        for n in self._ordered:
            events[f"order{n}"] = {"input": [f"a{n}"], "gate": "ordered"}
        for n in self._gated:
            events |= {f"approve{n}": {"gate": f"ok{n}"}, f"reject{n}": {}, f"change{n}": {"input": [f"a{n}"]}}
        return events

    def _phases(self) -> dict[str, Any]:
        phases: dict[str, Any] = {"order": {}, "ask": {}, "run": {}, "doubt": {}, "find": {}, "absent": {}}
        phases["order"]["beginning"] = {"then": "order.waiting" if self._ordered else self._first()}
        for n in self._ordered:
            phases["order"]["waiting"] = {"say": "what", "on": {f"order{n}": self._first()}}
        for name in self._asking():
            phases["ask"][name.partition(".")[2]] = self._asked(name.partition(".")[2])
        for mask in ("".join(each) for each in product(YES + NO, repeat=len(self._gated))):
            for n in self._allowed(mask):
                self._add_call(phases, mask, n)
        phases["over"] = {
            "done": {"say": "done", "end": "done"},
            **({"refused": {"say": "refused", "end": "cancelled"}} if self._may_be_refused else {}),
            "failed": {"say": "failed", "end": "failed"},
            "cancelled": {"say": "cancelled", "end": "cancelled"},
        }
        return {name: states for name, states in phases.items() if states}

    def _asked(self, mask: str) -> dict[str, Any]:
        open_ = [(place, self._gated[place]) for place, answer in enumerate(mask) if answer == OPEN]
        self._tell(f"ask_{mask}", "May this happen?\n" + "\n".join(f"${{a{n}}}" for _, n in open_))
        on: dict[str, str] = {}
        for place, n in open_:
            on[f"approve{n}"] = self._answered(mask, place, YES)
            on[f"reject{n}"] = self._answered(mask, place, NO)
            on[f"change{n}"] = f"ask.{mask}"
        return {"say": f"ask_{mask}", "on": on}

    def _add_call(self, phases: dict[str, Any], mask: str, n: int) -> None:
        here, then = f"w{mask}{n}", self._after(mask, n)
        failed = {"void": f"absent.{here}", "else": "over.failed"}
        phases["run"][here] = {"do": f"write{n}", "then": then, "failed": failed, "doubt": f"doubt.{here}"}
        phases["doubt"][here] = {"say": f"unsure{n}", "on": {"look": f"find.{here}", "happened": then}}
        leads = {f"committed{n}": then, f"not_committed{n}": f"absent.{here}", "else": f"doubt.{here}"}
        phases["find"][here] = {"do": f"find{n}", "then": leads, "failed": f"doubt.{here}"}
        phases["absent"][here] = {"say": f"absent{n}", "on": {self.again(n): f"run.{here}"}}

    def _asking(self) -> Iterator[str]:
        """The states in which something is still to be answered, the one with everything open first."""
        masks = ("".join(each) for each in product(OPEN + YES + NO, repeat=len(self._gated)))
        return (f"ask.{mask}" for mask in masks if OPEN in mask)

    def _answered(self, mask: str, place: int, answer: str) -> str:
        now = mask[:place] + answer + mask[place + 1 :]
        return f"ask.{now}" if OPEN in now else self._after(now, -1)

    def _after(self, mask: str, n: int) -> str:
        """What comes after the action of this number: the next that may happen, or the end."""
        allowed = self._allowed(mask)
        following = [each for each in allowed if each > n]
        return f"run.w{mask}{following[0]}" if following else "over.done" if allowed else "over.refused"

    def _allowed(self, mask: str) -> list[int]:
        """Those that were not rejected, nor any action that delegated them."""
        rejected = {self._actions[n].action_id for place, n in enumerate(self._gated) if mask[place] == NO}
        parents = {each.action_id: each.parent_action_id for each in self._actions}

        def passes(name: str | None) -> bool:
            return name is None or (name not in rejected and passes(parents[name]))

        return [n for n, each in enumerate(self._actions) if passes(each.action_id)]

    def again(self, n: int) -> str:
        """The event that orders an action once more, after it is known that it did not happen."""
        return f"approve{n}" if n in self._gated else f"order{n}"

    def _gate(self, n: int) -> str:
        """What an action is never done without; one that nobody is asked about is ordered in the person's own words."""
        return f"ok{n}" if n in self._gated else "ordered"

    def _tell(self, name: str, text: str) -> None:
        self.prompts |= {name: text, f"{name}.plain": "I cannot show what it is about."}

    def _first(self) -> str:
        """Where the run goes once it is known what is wanted."""
        return next(iter(self._asking()), None) or self._after("", -1)
