"""The machine: a definition compiled to a flat state machine, asked where an event or an outcome leads.

The library keeps the transitions and refuses what is not declared; its conditions look up verdicts that
were reached before. Nothing here reads a clock, a file or a store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from transitions import Machine as Transitions
from transitions import MachineError

from workflow.machine.definition import Choice, Definition, State
from workflow.machine.reach import doubt_only, leaving, spending
from workflow.machine.registry import Registry
from workflow.model.frozen import Noun

Holds = Mapping[str, bool]
_INTERNAL = ("then", "failed", "doubt", "look", "late")


class _Cursor:
    """Where one session stands; the library moves it."""

    __slots__ = ("state", "trigger")

    def __init__(self, state: str) -> None:
        self.state = state


class Program(Noun):
    """A definition, its code, and the compiled machine; one per definition, for any number of sessions."""

    definition: Definition
    registry: Registry
    transitions: Transitions
    spending: frozenset[str]
    leaving: frozenset[str]
    doubtful: frozenset[str]

    def state(self, name: str) -> State:
        """The state of this full name; raises ``KeyError``."""
        return self.definition.states[name]

    def on_event(self, state: str, event: str) -> str | None:
        """Where ``event`` leads from ``state``; None if it leads nowhere."""
        known = self._moves
        if (state, event) not in known:
            known[state, event] = self._go(state, f"on {event}", {})
        return known[state, event]

    def after(self, state: str, how: str, holds: Holds) -> str | None:
        """Where an outcome leads; ``how`` is then, failed, doubt, look or late; None: the run stays."""
        return self._go(state, how, holds)

    def may_spend(self, state: str) -> bool:
        """Whether the run, going on by itself from ``state``, can reach a paid call."""
        return state in self.spending

    def may_leave(self, state: str) -> bool:
        """Whether the run, going on by itself from ``state``, can reach a call that is paid for or needs an answer."""
        return state in self.leaving

    def settles(self, state: str, to: str | None) -> bool:
        """Whether a move from a state of doubt to ``to`` ends the doubt; an end of the run does not."""
        if to is None or state not in self.doubtful or to in self.doubtful:
            return False
        return self.state(to).end is None

    def setters(self) -> Mapping[str, tuple[str, ...]]:
        """Datum → what gives it a value: events by their input, actions by what they set."""
        events, actions = self.definition.events.values(), self.registry.actions.values()
        return {
            name: (
                *(f"the input of `{event.name}`" for event in events if name in (*event.input, *event.optional)),
                *(f"the action `{action.name}`" for action in actions if name in action.sets),
            )
            for name in self.definition.data
        }

    @cached_property
    def _moves(self) -> dict[tuple[str, str], str | None]:
        """Where events lead, once the library was asked: that depends on nothing else."""
        return {}

    def _go(self, state: str, trigger: str, holds: Holds) -> str | None:
        event = self.transitions.events.get(trigger)
        if event is None:
            return None
        cursor = _Cursor(state)
        try:
            moved = event.trigger(cursor, holds)
        except MachineError:
            return None
        return cursor.state if moved else None


def compile_program(definition: Definition, registry: Registry) -> Program:
    """The program of a definition that lint has accepted."""
    machine = Transitions(
        model=None, states=list(definition.states), initial=definition.start, auto_transitions=False, send_event=False
    )
    for state in definition.states.values():
        for event, target in definition.moves(state).items():
            machine.add_transition(f"on {event}", state.name, target)
        for how in _INTERNAL:
            _add(machine, state.name, how, _choice(state, how))
    effects = {name: action.effect for name, action in registry.actions.items()}
    return Program(
        definition,
        registry,
        machine,
        spending(definition, effects),
        leaving(definition, effects),
        doubt_only(definition),
    )


def _choice(state: State, how: str) -> Choice | None:
    if how == "doubt":
        return Choice((), state.doubt) if state.doubt else None
    if how in ("look", "late"):
        if not state.watch:
            return None
        return state.watch.then if how == "look" else Choice((), state.watch.late)
    return state.then if how == "then" else state.failed


def _add(machine: Transitions, source: str, how: str, choice: Choice | None) -> None:
    if choice is None:
        return
    for name, target in choice.cases:
        machine.add_transition(how, source, target, conditions=[_holding(name)])
    if choice.otherwise:
        machine.add_transition(how, source, choice.otherwise)


def _holding(name: str) -> Callable[[Any], bool]:
    def condition(holds: Holds) -> bool:
        return bool(holds.get(name))

    return condition
