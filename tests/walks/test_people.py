"""Generated attacks on gates of roles: nothing is paid that the right people did not agree to, in time and in role.

For all combinations over up to three gates. A model that knows nothing of the engine says what may be paid: by whom, to
what, when, and who holds the role as the call leaves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import settings

from tests.roles import People
from tests.signing import GATES, Signing, document
from tests.walks.test_approvals import ALL, TERM
from workflow.history.fork import fork
from workflow.history.proof import prove
from workflow.machine.definition import Names
from workflow.model.session import Turn

EVERYBODY = ("ada", "bob", "cleo", "dan")
ROLES = {"ann": ("ada", "bob"), "ben": ("bob", "cleo"), "cho": ("cleo", "ada", "bob")}
"""Gate → who holds its role; Dan holds none, and the others hold two."""
OTHERS = {"ben": ("ann",), "cho": ("ann", "ben")}
"""Gate → gates whose answerers cannot answer it."""
ATTACKS = (
    "honest",
    "dropped",
    "doubled",
    "reordered",
    "changed between",
    "too old",
    "swapped",
    "no role",
    "role taken away",
    "role taken and given back",
    "one person under two gates",
    "by the agent",
    "an old question",
    "sent again",
    "forked",
    "clock set back",
)
ROUNDS = max(1, settings().max_examples // 100)
"""How often each attack is played on each combination."""


@dataclass
class Model:
    """Who has agreed to what: gate → person, amount and time of the answer that is held; and who answered each last."""

    alternatives: tuple[Names, ...]
    amount: int
    now: float = 0.0
    held: dict[str, tuple[str, int, float]] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)

    def may_sign(self, gate: str, person: str, holders: dict[str, tuple[str, ...]]) -> bool:
        """Whether this person can answer the gate now."""
        others = {self.last[other] for other in OTHERS.get(gate, ()) if other in self.last}
        return person in holders[gate] and person not in others

    def sign(self, gate: str, person: str) -> None:
        """A new answer is all that counts of the gate."""
        self.held[gate], self.last[gate] = (person, self.amount, self.now), person

    def may_pay(self, holders: dict[str, tuple[str, ...]]) -> bool:
        """Whether all of one alternative agreed to this amount, hold their roles now, and are as many people."""

        def good(gate: str) -> bool:
            if gate not in self.held:
                return False
            person, amount, at = self.held[gate]
            others = {self.last.get(other) for other in OTHERS.get(gate, ())}
            return (
                amount == self.amount
                and 0 <= self.now - at <= TERM
                and person in holders[gate]
                and person not in others
            )

        return any(all(map(good, names)) for names in self.alternatives)


class Attack:
    """One attack on one session."""

    def __init__(self, desk: Signing, alternatives: tuple[Names, ...], random: Random) -> None:
        self.desk, self.random = desk, random
        self.model = Model(alternatives, 5)
        self.paid: list[int] = []
        desk.play.start({"amount": 5})
        self.people = People(desk.play, {gate: ROLES[gate] for gate in GATES if self._uses(gate)})
        self.sent: list[Turn] = []

    def _uses(self, gate: str) -> bool:
        return any(gate in names for names in self.model.alternatives)

    def play(self, attack: str) -> None:
        """Sign one alternative by people who are allowed to, with this attack in the middle, and call."""
        gates = list(self.random.choice(self.model.alternatives))
        if attack in ("reordered", "one person under two gates"):
            self.random.shuffle(gates)
        drop = self.random.choice(gates) if attack == "dropped" else None
        at = self.random.randrange(len(gates))
        for number, gate in enumerate(gates):
            if gate == drop:
                continue
            if attack == "one person under two gates":
                self.sign(gate, "bob")
            else:
                self.sign(gate, self._somebody(gate))
            if number == at:
                self._meanwhile(attack, gate)
        self.pay()
        self.pay()  # what was spent pays nothing more

    def _somebody(self, gate: str) -> str:
        able = [each for each in ROLES[gate] if self.model.may_sign(gate, each, self.people.people)]
        return self.random.choice(able or EVERYBODY)

    def _meanwhile(self, attack: str, gate: str) -> None:
        holders, clock = self.people.people, self.desk.clock
        person = self.model.held.get(gate, ("dan", 0, 0.0))[0]
        if attack == "doubled":
            self.sign(gate, person)
        elif attack == "changed between":
            self.change(90_000)
        elif attack == "too old":
            self.wait(TERM + 1)
        elif attack == "swapped":
            self.sign(gate, self.random.choice(EVERYBODY))
        elif attack == "no role":
            self.sign(gate, "dan")
        elif attack in ("role taken away", "role taken and given back"):
            self.people.people = {**holders, gate: tuple(each for each in holders[gate] if each != person)}
            self.pay()
            if attack.endswith("back"):
                self.people.people = holders
        elif attack == "by the agent":
            for strength in ("relayed", "asked", "proven"):
                self.desk.play.reply = self.desk.play.engine.status(self.desk.play.name)
                assert self.desk.play.send(f"sign_{gate}", quote="yes", strength=strength).error
        elif attack == "an old question":
            asked = self.people.question()
            self.change(1100)
            assert not self.people.answer(person, f"sign_{gate}", asked).ok
        elif attack == "sent again":
            for turn in self.sent:
                self.desk.play.engine.advance(self.desk.play.name, turn)
        elif attack == "forked":
            play = self.desk.play
            play.reply = fork(play.engine, play.name)
            play.name, self.model.held = play.reply.session or "", {}
        elif attack == "clock set back":
            clock.wall, clock.boot, clock.boot_id = clock.wall - 400 * 86_400, 5.0, "boot-2"
            self.model.now -= 400 * 86_400

    def sign(self, gate: str, person: str) -> None:
        """A person's own answer to what is asked now; it counts exactly where the model says so."""
        allowed = self.model.may_sign(gate, person, self.people.people)
        reply = self.people.answer(person, f"sign_{gate}")
        assert reply.ok is allowed, (gate, person, reply.error)
        if allowed:
            self.model.sign(gate, person)

    def change(self, amount: int) -> None:
        """Another amount."""
        self.desk.play.reply = self.desk.play.engine.status(self.desk.play.name)
        assert self.desk.play.send("change", {"amount": amount}).ok
        self.model.amount = amount

    def wait(self, seconds: float) -> None:
        """Answers grow old."""
        self.desk.clock.pass_(seconds)
        self.model.now += seconds

    def pay(self) -> None:
        """The call leaves exactly where the model says so, and spends what it needed."""
        play, before = self.desk.play, list(self.desk.paid)
        play.reply = play.engine.status(play.name)
        if not any(option.event == "pay" for option in play.reply.next):
            return
        turn = Turn("pay", seen=play.reply.seen, turn_id=f"pay-{len(self.sent)}")
        self.sent.append(turn)
        play.reply = play.engine.advance(play.name, turn)
        allowed = self.model.may_pay(self.people.people)
        assert (self.desk.paid != before) is allowed, (self.model, play.reply.error)
        if allowed:
            self.paid.append(self.model.amount)
            self.model.held = {}
        assert self.desk.paid == self.paid


def rules(alternatives: tuple[Names, ...]) -> dict[str, Any]:
    """The bundle's machine, with a role for each gate and other people for each but the first."""
    used = [gate for gate in GATES if any(gate in names for names in alternatives)]
    gates: dict[str, dict[str, Any]] = {}
    for gate in used:
        others = [other for other in OTHERS.get(gate, ()) if other in used]
        gates[gate] = {"valid": "1d", "by": gate, **({"other_than": others} if others else {})}
    made = document(alternatives, gates)
    states: dict[str, Any] = made["phases"]["desk"]
    for state in states.values():
        if isinstance(state, dict) and any(event.startswith("sign_") for event in state.get("on", ())):
            state["say"] = {"user": "ask", **dict.fromkeys(used, "ask")}
    return {**made, "roles": {gate: f"who signs as {gate}" for gate in used}}


def cells() -> Iterator[tuple[tuple[Names, ...], str]]:
    """Every attack on every combination."""
    return ((alternatives, attack) for alternatives in ALL for attack in ATTACKS)


def test_every_cell_is_played() -> None:
    """18 combinations by 16 attacks, each of them in ROUNDS rounds."""
    assert len(list(cells())) == 18 * 16 == 288


@pytest.mark.parametrize("alternatives", ALL, ids=lambda some: "-or-".join("+".join(names) for names in some))
def test_attacks_by_people_open_nothing(tmp_path: Path, alternatives: tuple[Names, ...]) -> None:
    """Whatever is tried, each payment had all of an alternative: different people, in role, in time, to this amount."""
    played, paid = Counter[str](), Counter[str]()
    for number in range(ROUNDS):
        for attack in ATTACKS:
            random = Random(f"{alternatives} {attack} {number}")
            with Signing(tmp_path / f"{number}-{attack}", rules(alternatives)) as desk:
                attacker = Attack(desk, alternatives, random)
                attacker.play(attack)
                assert prove(desk.play.engine, desk.play.name).holds
            played[attack] += 1
            paid[attack] += len(attacker.paid)
    assert played == dict.fromkeys(ATTACKS, ROUNDS)
    assert paid["honest"] == ROUNDS, "what is agreed to does leave"
    for attack in ("dropped", "too old", "changed between", "role taken away", "clock set back"):
        assert not paid[attack] or len(alternatives) > 1, attack
