"""Generated attacks on what needs several gates: only what was agreed to, by all of an alternative, is ever paid.

Answers are dropped, doubled, put in another order and left to grow old, the amount changes between them, sessions are
forked, and turns that were accepted are sent again. A model that knows nothing of the engine says what may be paid.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from random import Random

import pytest

from tests.signing import GATES, Signing, document
from workflow.history.fork import fork
from workflow.history.proof import prove
from workflow.machine.definition import Names
from workflow.model.session import Turn

TERM = 86400.0
"""Seconds that each answer counts."""
WALKS, TURNS = 3, 24


def whole_sets() -> list[tuple[Names, ...]]:
    """All combinations over up to three gates: lists of alternatives of which none holds another."""
    sets = [names for size in (1, 2, 3) for names in combinations(GATES, size)]
    lists = [some for size in range(1, 4) for some in combinations(sets, size)]
    return [some for some in lists if not any(set(a) < set(b) for a in some for b in some)]


ALL = whole_sets()


def test_every_combination_is_tried() -> None:
    """The monotone functions of three gates but the two that ask nobody, or never pay."""
    assert len(ALL) == 18


@dataclass
class Model:
    """What the person has agreed to: gate → amount and time of the last answer that is not spent."""

    alternatives: tuple[Names, ...]
    lasts: dict[str, int]
    amount: int = 0
    now: float = 0.0
    held: dict[str, tuple[int, float, int]] = field(default_factory=dict)

    def sign(self, gate: str) -> None:
        """A new answer is all that counts of the gate."""
        self.held[gate] = self.amount, self.now, self.lasts[gate]

    def may_pay(self) -> bool:
        """Whether all of one alternative agreed to this amount, not too long ago."""
        good = {gate for gate, (amount, at, _) in self.held.items() if amount == self.amount and self.now - at <= TERM}
        return any(good.issuperset(names) for names in self.alternatives)

    def pay(self) -> None:
        """Every answer of a gate that is named has counted once more."""
        self.held = {gate: (amount, at, left - 1) for gate, (amount, at, left) in self.held.items() if left > 1}


class Attacker:
    """Plays one session by chance, and looks after every turn at what was paid."""

    def __init__(self, desk: Signing, model: Model, random: Random) -> None:
        self.desk, self.model, self.random = desk, model, random
        self.sent: list[Turn] = []
        self.asked = 0
        self.paid: list[int] = []

    def turn(self) -> None:
        """One move; most of them are what an honest caller sends."""
        used = [gate for gate in GATES if any(gate in names for names in self.model.alternatives)]
        moves = [lambda: self.sign(self.random.choice(used)), self.pay, self.change, self.wait, self.again, self.fork]
        self.random.choices((*moves, self.series), (4, 3, 2, 1, 1, 1, 4))[0]()

    def series(self) -> None:
        """An alternative in any order, one of it dropped or another amount between them now and then, and the call."""
        gates = list(self.random.choice(self.model.alternatives))
        self.random.shuffle(gates)
        for gate in gates[self.random.choice((0, 0, 1)) :]:
            self.sign(gate)
            if self.random.random() < 0.2:
                self.random.choice((self.change, self.wait, self.again))()
        self.pay()

    def send(self, event: str, **more: object) -> bool:
        """A turn of its own; whether it was accepted."""
        self.asked += 1
        play = self.desk.play
        turn = Turn(event, seen=play.reply.seen, turn_id=f"t{self.asked}", **more)  # type: ignore[arg-type]
        before = play.engine.stored(play.name).revision
        play.reply = play.engine.advance(play.name, turn)
        accepted = play.engine.stored(play.name).revision > before
        if accepted:
            self.sent.append(turn)
        return accepted

    def sign(self, gate: str) -> None:
        """An answer, now and then twice."""
        for _ in range(self.random.choice((1, 1, 2))):
            if self.send(f"sign_{gate}", quote="yes, please"):
                self.model.sign(gate)

    def change(self) -> None:
        """Another amount, or one of before."""
        amount = self.random.choice((5, 1100, 90_000))
        if self.send("change", input={"amount": amount}):
            self.model.amount = amount

    def wait(self) -> None:
        """Some answers grow too old."""
        seconds = self.random.choice((60.0, TERM / 2, TERM + 1))
        self.desk.clock.pass_(seconds)
        self.model.now += seconds

    def again(self) -> None:
        """A turn that was accepted, as it was sent: it does nothing."""
        if self.sent:
            self.desk.play.engine.advance(self.desk.play.name, self.random.choice(self.sent))
            self.desk.play.reply = self.desk.play.engine.status(self.desk.play.name)

    def fork(self) -> None:
        """The copy knows of no answer."""
        play = self.desk.play
        play.reply = fork(play.engine, play.name)
        assert play.reply.error is None
        play.name, self.sent, self.model.held = play.reply.session or "", [], {}

    def pay(self) -> None:
        """It is paid exactly where the model says so."""
        if not self.send("pay"):
            return
        if self.model.may_pay():
            self.paid.append(self.model.amount)
            self.model.pay()

    def check(self) -> None:
        """Nothing else has left, and the log proves it."""
        assert self.desk.paid == self.paid
        assert prove(self.desk.play.engine, self.desk.play.name).holds


@pytest.mark.parametrize("alternatives", ALL, ids=lambda some: "-or-".join("+".join(names) for names in some))
def test_attacks_open_nothing(tmp_path: Path, alternatives: tuple[Names, ...]) -> None:
    """Whatever is tried, each payment had all of an alternative, for this amount and within the term."""
    paid = 0
    for number in range(WALKS):
        random = Random(f"{alternatives} {number}")
        lasts = {gate: random.choice((1, 1, 2)) for gate in GATES}
        rules = {gate: {"valid": "1d", **({"lasts": count} if count > 1 else {})} for gate, count in lasts.items()}
        with Signing(tmp_path / str(number), document(alternatives, rules)) as desk:
            desk.play.start({"amount": 5})
            attacker = Attacker(desk, Model(alternatives, lasts, amount=5), random)
            for _ in range(TURNS):
                attacker.turn()
                attacker.check()
        paid += len(attacker.paid)
    assert paid > 2  # what is agreed to does leave
