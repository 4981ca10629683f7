"""Machines of more and more states: reading, checking, opening and compiling them, and one decision in each."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from transitions import Machine
from transitions.extensions import HierarchicalMachine

from benchmarks.machines import write_bundle
from benchmarks.measure import Effort, Entrant, race
from benchmarks.report import Growth
from workflow.bundle import find_problems, open_bundle
from workflow.bundle.loader import read
from workflow.machine.decide import Accepted, Observed, decide
from workflow.machine.definition import Definition
from workflow.machine.program import compile_program
from workflow.machine.registry import Facts
from workflow.model.instant import Instant
from workflow.model.session import Session, Turn

TITLE = "Machines of many states"
NOTE = (
    "The floor is PyYAML's `safe_load` of the same `workflow.yaml`. `lint` reads the bundle from its folder, checks it "
    "and proves what it declares over every way of a run; afterwards it is opened from what the store has kept. The "
    "machines of `transitions` get the same states and moves; the flat one without its automatic moves from "
    "everywhere to everywhere, the hierarchical one with its defaults, which have them."
)
SIZES = (15, 200, 1_000)
ROWS = (
    ("PyYAML, safe_load (the floor)", "opened_yaml"),
    ("Phasegate, read", "opened_read"),
    ("Phasegate, lint", "opened_lint"),
    ("Phasegate, opened as it was kept", "opened_kept"),
    ("Phasegate, machine made", "opened_machine"),
    ("Phasegate, a hundred decisions", "opened_decisions"),
)
PEERS = (
    ("transitions, flat machine made", "opened_flat"),
    ("transitions, hierarchical machine made", "opened_hierarchical"),
)


def measure(effort: Effort, peers: bool = True) -> Growth:
    """Every size in the same rounds."""
    sizes = effort.sizes(*SIZES)
    with tempfile.TemporaryDirectory() as folder:
        bundles = {size: str(write_bundle(Path(folder) / str(size), size)) for size in sizes}
        entrants = [
            Entrant(title, f"{__name__}:{function}", bundles[size], size)
            for title, function in (*ROWS, *(PEERS if peers else ()))
            for size in sizes
        ]
        return Growth(race(entrants, effort.slow()), "states")


class Repeated:
    """The same thing each time; what it gives is there."""

    def __init__(self, do: Callable[[], object]) -> None:
        self._do = do

    def turn(self, number: int) -> str:
        """Once."""
        return type(self._do()).__name__

    def close(self) -> None:
        """Nothing is open."""


def opened_yaml(folder: Path, variant: str) -> Repeated:
    """``variant`` is the folder of the bundle, as in all of these."""
    text = _text(variant)
    return Repeated(lambda: yaml.safe_load(text))


def opened_read(folder: Path, variant: str) -> Repeated:
    """The strict reading, with the place of every key."""
    text = _text(variant)
    return Repeated(lambda: Definition.from_document(read(text, "workflow.yaml").document))


def opened_lint(folder: Path, variant: str) -> Repeated:
    """As ``workflow lint`` does."""
    return Repeated(lambda: _sound(Path(variant)))


def opened_kept(folder: Path, variant: str) -> Repeated:
    """As the first turn of a process does."""
    kept: dict[str, str] = {}
    open_bundle(Path(variant), keep=kept.__setitem__)
    return Repeated(lambda: open_bundle(Path(variant), kept=kept.get))


def opened_machine(folder: Path, variant: str) -> Repeated:
    """Once for each bundle that a process has open."""
    bundle = open_bundle(Path(variant))
    return Repeated(lambda: compile_program(bundle.definition, bundle.registry))


def opened_decisions(folder: Path, variant: str) -> Repeated:
    """An answer, with its guard, in the first state that takes one."""
    bundle = open_bundle(Path(variant))
    program = compile_program(bundle.definition, bundle.registry)
    state = next(each.name for each in bundle.definition.states.values() if "answer" in each.on)
    workflow = bundle.definition.workflow
    session = Session("amber-fox", workflow, bundle.digest, variant, "en", state, revision=1)
    facts = Facts(data={}, input={}, settings={}, watched=True, in_doubt=False)
    given = {"words": "Make it blue and gold."}
    turn, observed = (
        Turn("answer", given, expect_revision=1),
        Observed(given, Instant(1_800_000_000.0, 1_000.0, "boot"), facts),
    )
    if not isinstance(decide(program, session, turn, observed), Accepted):
        raise RuntimeError("the turn was refused")
    return Repeated(lambda: [decide(program, session, turn, observed) for _ in range(100)])


def opened_flat(folder: Path, variant: str) -> Repeated:
    """Without the automatic moves."""
    states, moves = _moves(variant)
    return Repeated(lambda: _made(Machine(model=None, states=states, initial=states[0], auto_transitions=False), moves))


def opened_hierarchical(folder: Path, variant: str) -> Repeated:
    """With the library's defaults; phases hold their states."""
    states, moves = _moves(variant)
    phases: dict[str, list[str]] = {}
    for state in states:
        phase, _, name = state.partition("_")
        phases.setdefault(phase, []).append(name)
    nested = [{"name": phase, "children": names} for phase, names in phases.items()]
    return Repeated(lambda: _made(HierarchicalMachine(states=nested, initial=states[0]), moves))


def _text(bundle: str) -> str:
    return (Path(bundle) / "workflow.yaml").read_text(encoding="utf-8")


def _sound(bundle: Path) -> object:
    problems = find_problems(bundle)
    if problems:
        raise RuntimeError(f"a problem in the bundle: {problems[0]}")
    return problems


def _moves(bundle: str) -> tuple[list[str], list[tuple[str, str, str]]]:
    """States and (event, source, target), with names as the library's hierarchical machine wants them."""
    definition = open_bundle(Path(bundle)).definition
    states = definition.states.values()
    moves = [
        (event, each.name, to) for each in states if not each.works for event, to in definition.moves(each).items()
    ]
    flat = [(event, source.replace(".", "_"), to.replace(".", "_")) for event, source, to in moves]
    return [each.name.replace(".", "_") for each in states], flat


def _made(machine: Any, moves: list[tuple[str, str, str]]) -> object:
    for event, source, target in moves:
        machine.add_transition(event, source, target)
    return machine
