"""Proofs: what the bundle declares holds on every way of a run, and no way leads into a trap."""

from __future__ import annotations

from collections.abc import Iterator, Set

from workflow.bundle.lint.rules import (
    VOID,
    AskedAgain,
    Invariant,
    NeverWithout,
    OnlyAfter,
    added_up,
    invariants,
    performs,
)
from workflow.bundle.lint.subject import Check, Named, Subject, keys_of
from workflow.bundle.lint.ways import Way
from workflow.bundle.loader import Position
from workflow.machine.definition import AGAIN, After, State, either
from workflow.machine.reach import doubt_only, reachable
from workflow.model.errors import DefinitionError


def _named(subject: Subject) -> Iterator[DefinitionError]:
    """An invariant about what never happens would hold for nothing."""
    for rule in invariants(subject.definition):
        place = subject.source.at(rule.rule, rule.subject)
        yield from _happening(subject, rule.subject, place)
        if isinstance(rule, NeverWithout):
            continue
        if not rule.names:
            yield subject.at(f"`{rule.rule}` of '{rule.subject}' names nothing", place)
        for name, at in _events_of(subject, rule):
            yield from _happening(subject, name, at)


def _events_of(subject: Subject, rule: Invariant) -> Iterator[Named]:
    """What a rule names, and where."""
    keys = (rule.rule, rule.subject)
    listed = subject.source.document[rule.rule][rule.subject]
    if isinstance(listed, list):
        yield from ((name, subject.source.value_at(*keys, number)) for number, name in enumerate(listed))
    elif isinstance(rule, OnlyAfter):
        for each in rule.after_one:
            yield each.name, subject.source.at(*keys, each.name)
            for number, name in enumerate(each.since):
                yield name, subject.source.value_at(*keys, each.name, "since", number)


def _voided(subject: Subject) -> Iterator[DefinitionError]:
    """What voids itself never counts."""
    for name, after in subject.definition.only_after.items():
        for each in after:
            if each.name in each.since:
                yield subject.at_key(
                    f"'{each.name}' voids itself: name in `since` what comes before it", "only_after", name, each.name
                )


def _happening(subject: Subject, name: str, place: Position) -> Iterator[DefinitionError]:
    """A problem if this is neither a state nor an action that some state performs."""
    performed, registry = subject.performed, subject.registry
    if "." in name:
        yield from subject.unknown("state", name, subject.definition.states, place)
    elif registry and name not in registry.actions:
        yield from subject.unknown("action", name, registry.actions, place)
    elif name not in performed and (registry is None or performed <= registry.actions.keys()):
        yield subject.at(f"no state performs '{name}'", place)


def _proved(subject: Subject) -> Iterator[DefinitionError]:
    """What is declared holds on every way; where it does not, a shortest run that breaks it is told turn by turn."""
    definition = subject.definition
    for rule in invariants(definition, subject.effects):
        if not rule.names or (isinstance(rule, NeverWithout) and not _sound(subject, rule.subject)):
            continue
        way = subject.ways.counterexample(rule)
        if way is not None:
            last = definition.states[way[-1].target if way else definition.start]
            place = subject.source.at(*keys_of(last))
            yield subject.at(_broken(subject, rule, way), place, transcript(subject, way))


def _sound(subject: Subject, action: str) -> bool:
    """Whether what an action needs can be looked at; the rest is told elsewhere, and would only follow from it."""
    definition = subject.definition
    return all(definition.alternatives(action)) and set(definition.needs(action)) <= set(definition.gates)


def _asked_again(subject: Subject) -> Iterator[DefinitionError]:
    """An approval that no longer counts is asked for again: no `retry` would ever help."""
    definition = subject.definition
    asked = {gate for state in definition.states.values() for gate in definition.asks(state)}
    for action, alternatives in definition.never_without.items():
        if not _sound(subject, action) or not any(asked.issuperset(names) for names in alternatives):
            continue  # that is said elsewhere, and this would only follow from it
        rule = AskedAgain(action, definition)
        way = subject.ways.counterexample(rule)
        if way is not None:
            last = next(edge for edge in reversed(way) if edge.how == VOID)
            missing = rule.missing(added_up(rule, definition, way))
            gates = either(alternatives if missing is None else [missing])
            told = f"'{action}' does not lead back to {gates} when its approval no longer counts: route `failed: void`"
            yield subject.at(told, subject.source.at(*last.keys), transcript(subject, way))


def _once_more(subject: Subject) -> Iterator[DefinitionError]:
    """`again` leads to a question: what was paid for is done once more only if a person says so again."""
    definition = subject.definition
    for state in definition.states.values():
        rests = _rests(subject, state.on[AGAIN]) if AGAIN in state.on else ()
        if AGAIN in state.on and not any(definition.guarding.intersection(definition.asks(each)) for each in rests):
            told = f"`{AGAIN}` leads to no question: name a state that asks a gate of `never_without`"
            yield subject.at_value(told, *keys_of(state), "on", AGAIN)


def _rests(subject: Subject, name: str) -> Iterator[State]:
    """Where a run that comes to this state comes to rest, if every call on the way succeeds."""
    todo, seen = [name], set[str]()
    while todo:
        name = todo.pop()
        state = subject.definition.states.get(name)
        if state is None or name in seen:
            continue
        seen.add(name)
        if not state.works:
            yield state
        todo += state.then.targets if state.then else ()


def transcript(subject: Subject, way: Way) -> Iterator[str]:
    """A way as turns, a line for each step: what happens, where it leads, and the place that says so."""
    turn = 1
    steps = [("`start`", subject.definition.start, subject.source.value_at("start"), True)]
    notes = _spending(subject, way)
    steps += [
        (edge.what + note, edge.target, subject.source.at(*edge.keys), edge.how == "on")
        for edge, note in zip(way, notes, strict=True)
    ]
    for number, (what, target, (line, column), asked) in enumerate(steps):
        turn += asked and number > 0
        label = f"turn {turn}" if asked else ""
        yield f"{label:<8} {what:<44} → {target:<26} {subject.source.path}:{line}:{column}".rstrip()


def _spending(subject: Subject, way: Way) -> Iterator[str]:
    """For each step of a way, the answers that it spends, or uses where they last."""
    definition, held = subject.definition, dict[str, int]()
    state = definition.states[definition.start]
    for edge in way:
        needs = definition.needs(state.action or "") if performs(state, edge, subject.effects) else ()
        named = [name for name in needs if held.get(name)]
        held |= {name: held[name] - 1 for name in named}
        told = {how: [name for name in named if bool(held[name]) is (how == "uses")] for how in ("spends", "uses")}
        yield "".join(f" ({how} {', '.join(names)})" for how, names in told.items() if names)
        if edge.gate and edge.gate in definition.gates:
            held[edge.gate] = definition.gates[edge.gate].lasts
        state = definition.states[edge.target]


def _broken(subject: Subject, rule: Invariant, way: Way) -> str:
    """What is wrong at the end of a way, and for what is needed together, which part is there."""
    told = f"'{rule.subject}' is reached"
    if isinstance(rule, NeverWithout):
        missing, held = rule.missing(added_up(rule, subject.definition, way))
        if not held:
            return f"{told} without {either(rule.alternatives)}"
        does = "does" if len(held) == 1 else "do"
        return f"{told} without {' and '.join(missing)}: {' and '.join(held)} alone {does} not do"
    if isinstance(rule, OnlyAfter):
        return f"{told} before {' or '.join(map(_dated, rule.after_one))}"
    return f"{told} after {' or '.join(rule.names)}"


def _dated(after: After) -> str:
    """What must have happened, and what it must have happened after."""
    return f"{after.name} (since {' or '.join(after.since)})" if after.since else after.name


def _paid(subject: Subject) -> Iterator[DefinitionError]:
    """What costs something is done only if a person said so."""
    for state in subject.definition.states.values():
        action = subject.registry.actions.get(state.do or "") if subject.registry else None
        if action and action.once and action.name not in subject.definition.never_without:
            message = f"'{action.name}' is once, and no gate protects it: name one in `never_without`"
            yield subject.at_value(message, *keys_of(state), "do")


def _settled(subject: Subject) -> Iterator[DefinitionError]:
    """Whether a paid call happened, a person says or an action finds out; an agent has no word in it.

    Giving up leaves the doubt as it is; an end that is `done` claims to know.
    """
    definition = subject.definition
    doubtful = doubt_only(definition)
    ends = {state.name for state in definition.states.values() if state.end in ("cancelled", "failed")}
    for name in sorted(doubtful):
        for edge in subject.ways.edges[name]:
            if edge.how not in ("on", "after") or edge.gate or edge.target in doubtful | ends:
                continue
            told = "it needs `gate`" if edge.how == "on" else "no time does"
            yield subject.at_key(f"'{edge.keys[-1]}' settles a doubt, which takes a person: {told}", *edge.keys)


def _given_up(subject: Subject) -> Iterator[DefinitionError]:
    """A run that goes on from its end takes no doubt along to where nothing settles it."""
    definition = subject.definition
    doubtful = doubt_only(definition)
    for name in sorted(doubtful):
        for edge in subject.ways.edges[name]:
            end = definition.states[edge.target]
            if end.end and end.on and end.name not in doubtful:
                message = f"{end.name} ends runs in doubt and others, and takes {', '.join(end.on)}"
                yield subject.at_key(f"{message}: lead those in doubt to an end of their own", *edge.keys)


def _deciding(subject: Subject) -> Iterator[DefinitionError]:
    """A guard that is asked can hold: it is not known to fail wherever it is asked."""
    ways = subject.ways
    visited = {name for name, _ in ways.taken}
    for name in visited:
        for edge in ways.edges[name]:
            guard = edge.keys[-1]
            if edge.how in ("then", "look") and guard != "else" and (name, edge) not in ways.taken:
                yield subject.at_key(f"'{guard}' can never hold here: it has just been asked, and did not", *edge.keys)


def _left(subject: Subject) -> Iterator[DefinitionError]:
    """A run that waits can go on, and wherever it is it can come to an end."""
    definition = subject.definition
    ending = subject.ways.ending()
    given_up = {state.name for state in definition.states.values() if state.end in ("cancelled", "failed")}
    for name in sorted(reachable(definition)):
        state = definition.states[name]
        if _stuck(subject, state, given_up):
            message = f"nothing but a cancelled end leads on from {name}: it needs `on` or `watch`"
            yield subject.at_key(message, *keys_of(state))
        elif name not in ending and (state.then or not state.works):
            yield subject.at_key(f"no end can be reached from {name}", *keys_of(state))


def _stuck(subject: Subject, state: State, given_up: Set[str]) -> bool:
    """Whether a waiting state has no way on but to an end where the run is ``given_up``."""
    if state.works or state.end or state.watch:
        return False
    elsewhere = {edge.target for edge in subject.ways.edges[state.name]} - {state.name}
    own = {target for target in (*state.on.values(), *(to for _, to in state.after)) if target != state.name}
    return not own and elsewhere <= given_up


def _filled(subject: Subject) -> Iterator[DefinitionError]:
    """A datum that nothing sets stays empty: reading it gives nothing."""
    definition, performed = subject.definition, subject.performed
    if subject.registry is None or not performed <= subject.registry.actions.keys() or "start" not in definition.events:
        return  # that is said elsewhere, and this would only follow from it
    found = {datum for name in performed for datum in subject.registry.actions[name].sets}
    found |= {datum for event in definition.events.values() for datum in event.given}
    found |= {gate.declined for gate in definition.gates.values() if gate.declined}
    for datum in definition.data:
        if datum not in found:
            yield subject.at_key(f"nothing ever sets '{datum}'", "data", datum)


CHECKS: tuple[Check, ...] = (
    _named,
    _voided,
    _proved,
    _asked_again,
    _once_more,
    _paid,
    _settled,
    _given_up,
    _deciding,
    _left,
    _filled,
)
