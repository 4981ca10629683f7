"""Messages whose place a later one takes: they are not offered beside it.

A message tells of the place where the run stood. Once an answer or an outcome has led on, it is out of date: "still
being generated" beside "ready" is wrong, and an old plan beside the new one is worse.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from workflow.machine.definition import Choice, Definition, State
from workflow.machine.own_messages import SAME_AGAIN
from workflow.model.session import Owed, Session

_CHECK = "check"


def on_arrival(definition: Definition, session: Session, to: str, *, by_time: bool = False) -> list[str]:
    """The ids of the messages that are out of date once the run arrives in ``to``.

    What may have been said of the place that is left is not offered again, unless only time has led on: nobody has
    answered it. Where the run rests after a wait, no message of that wait is said any more, not even a first time.
    """
    due = list(_due(session))
    if not due:
        return []
    over = of_waits(definition) if _ends_a_wait(definition, to) else frozenset()
    left = frozenset() if by_time else of_places(definition)
    return [each.id for each, unsure in due if each.message in over or (unsure and each.message in left)]


def by_answer(definition: Definition, session: Session, owed: Iterable[str]) -> list[str]:
    """The ids of the messages that are out of date once a look says these: what an earlier look may have said."""
    answers, now = _answers(definition.states[session.state], definition), set(owed)
    if not now:
        return []
    return [each.id for each, unsure in _due(session) if unsure and each.message in {*answers, *now}]


def of_places(definition: Definition) -> frozenset[str]:
    """The messages that tell where a run stands: of states, of ways to them, of looks without news, and of trouble.

    Asides and the answers that move nothing tell of something else, and so does what is said of kept wishes.
    """
    states = definition.states.values()
    told = {target for state in states for choice in _of_place(state) for target in choice.targets}
    return frozenset({*told, *definition.trouble.targets, SAME_AGAIN})


def of_waits(definition: Definition) -> frozenset[str]:
    """The messages of waits for the service, which have no place beside an outcome; none that an outcome uses, too."""
    waits = waiting(definition)
    others = {target for name, each in definition.states.items() if name not in waits for target in _told(each)}
    return frozenset({target for name in waits for target in _told(definition.states[name])} - others)


def waiting(definition: Definition) -> frozenset[str]:
    """The states of waits: those that watch, and those where a `check` makes the same look for the same outcomes."""
    found = set[str]()
    for watching in definition.states.values():
        watch = watching.watch
        if watch is None:
            continue
        outcomes = set(watch.then.targets)
        found.add(watching.name)
        for state in definition.states.values():
            look = definition.states.get(state.on.get(_CHECK, ""))
            again = look is not None and look.do == watch.do and look.then and outcomes & set(look.then.targets)
            if again and not state.end and state.name not in outcomes:
                found.add(state.name)
    return frozenset(found)


def _ends_a_wait(definition: Definition, to: str) -> bool:
    return not definition.states[to].works and to not in waiting(definition)


def _due(session: Session) -> Iterator[tuple[Owed, bool]]:
    """What may still be said, and whether a reply may have said it before."""
    yield from ((each, True) for each in session.unheard)
    yield from ((each, each.claimed is not None) for each in session.owed)


def _told(state: State) -> tuple[str, ...]:
    return tuple(target for choice in (state.say, state.answers) if choice for target in choice.targets)


def _of_place(state: State) -> Iterator[Choice]:
    yield from (choice for choice in (state.say, state.answers, *state.acknowledge.values()) if choice)


def _answers(state: State, definition: Definition) -> set[str]:
    return {*(state.answers.targets if state.answers else ()), *definition.trouble.targets}
