"""A bundle of up to three gates, whose ways know which of them were answered and nothing of what changed since."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import yaml

from tests.playing import HandClock, Player, player
from workflow.bundle import open_bundle
from workflow.machine.definition import Names
from workflow.service.sandbox.table import Answers

GATES = ("ann", "ben", "cho")
Alternatives = Sequence[Names]


def written(alternatives: Alternatives) -> list[Any]:
    """The alternatives as `never_without` writes them."""
    return [names[0] if len(names) == 1 else {"all": list(names)} for names in alternatives]


def document(alternatives: Alternatives, gates: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, Any]:
    """The machine: a state for each set of gates that were answered; `pay` is possible where an alternative is whole.

    ``gates`` adds keys to gates. `change` sets other words and leaves the set as it is, so that only the check at the
    call tells an answer of before.
    """
    used = [name for name in GATES if any(name in names for names in alternatives)]
    sets = [frozenset(some) for some in chain.from_iterable(combinations(used, n) for n in range(len(used) + 1))]
    states: dict[str, Any] = {}
    for held in sets:
        on = {f"sign_{name}": f"desk.{_name(held | {name})}" for name in used}
        pays = {"pay": f"desk.paying_{_name(held)}"} if any(held.issuperset(names) for names in alternatives) else {}
        states[_name(held)] = {"say": "ask", "on": {**on, "change": f"desk.{_name(held)}", **pays}}
        if pays:
            states[f"paying_{_name(held)}"] = {
                "do": "pay",
                "then": "desk.paid",
                "failed": {"void": f"desk.{_name(frozenset())}", "else": f"desk.{_name(frozenset())}"},
                "doubt": "desk.unsure",
            }
    states["paid"] = {"say": "paid", "on": {"change": f"desk.{_name(frozenset())}"}}
    states["unsure"] = {"say": "unsure", "on": {"told": f"desk.{_name(frozenset())}"}}
    return {
        "format": 1,
        "workflow": "signing",
        "languages": ["en"],
        "service": {"base_url": "http://127.0.0.1:9", "sandbox": {"POST /payments": {"body": {"id": "a1b2c3d4e5"}}}},
        "data": {"amount": "number", "payment": "internal"},
        "gates": {name: {"subject": ["amount"], **(gates or {}).get(name, {})} for name in used} | {"outcome": {}},
        "actions": {
            "pay": {
                "method": "POST",
                "path": "/payments",
                "effect": "once",
                "body": {"amount": "{amount}"},
                "sets": {"payment": "id"},
                "fails": {"refused": 422},
            }
        },
        "never_without": {"pay": written(alternatives)},
        "events": {
            "start": {"when": "An amount is to be paid.", "input": ["amount"]},
            **{f"sign_{name}": {"when": f"{name} agrees.", "gate": name} for name in used},
            "change": {"when": "Another amount.", "input": ["amount"]},
            "pay": {"when": "It is to be paid now."},
            "told": {"when": "The person has looked.", "gate": "outcome"},
            "cancel": {"when": "Nothing is to be paid."},
        },
        "trouble": {"void": "again", "refused": "failed", "else": "failed"},
        "start": f"desk.{_name(frozenset())}",
        "on": {"cancel": "over.cancelled"},
        "phases": {
            "desk": {"title": "Sign", **states},
            "over": {"cancelled": {"say": "bye", "end": "cancelled"}},
        },
    }


def _name(held: frozenset[str]) -> str:
    return "_".join(["signed", *sorted(held)])


def write(folder: Path, content: Mapping[str, Any]) -> Path:
    """The bundle with this machine."""
    texts = {"ask": "Pay $amount?", "again": "Once more.", "failed": "It failed.", "paid": "Done.", "unsure": "Unsure."}
    plain = json.dumps(content)  # which shares no table with another, as an anchor would
    files = {f"en/{name}.md": text for name, text in {**texts, "bye": "Bye."}.items() if f': "{name}"' in plain}
    files |= {"briefs/watching.md": "Run $command."} if '"watching"' in plain else {}
    for name, text in files.items():
        file = folder / "prompts" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (folder / "phases").mkdir(exist_ok=True)
    (folder / "workflow.yaml").write_text(yaml.safe_dump(json.loads(plain), sort_keys=False), encoding="utf-8")
    return folder


class Signing:
    """A session of such a bundle against its sandbox, which is stopped at the end of the ``with`` block."""

    def __init__(self, tmp_path: Path, content: Mapping[str, Any]) -> None:
        self.folder = write(tmp_path / "signing", content)
        self.clock = HandClock()
        self.sandbox = Answers(open_bundle(self.folder).definition)
        self._tmp_path = tmp_path
        self.play: Player

    def __enter__(self) -> Signing:
        self.sandbox.start()
        self.play = player(self._tmp_path, self.folder, self.sandbox.url, clock=self.clock)
        return self

    def __exit__(self, *ended: object) -> None:
        self.sandbox.stop()

    @property
    def paid(self) -> list[float]:
        """The amounts that were paid, in order."""
        return [(each.json or {})["amount"] for each in self.sandbox.requests if each.method == "POST"]

    def sign(self, *gates: str) -> None:
        """Answer these gates, one by one."""
        for gate in gates:
            self.play.send(f"sign_{gate}", quote="yes, please")
