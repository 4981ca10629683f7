"""Names: each is well formed, and each that is used is defined."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from workflow.bundle.lint.subject import WORDLESS, Check, Subject, about, actions, guards, keys_of, messages, targets
from workflow.bundle.listing import LONGEST_DESCRIPTION, LONGEST_NAME, description_of, skill_name
from workflow.bundle.loader import Keys
from workflow.machine.definition import ABOUT, AGAIN, OURS, TITLE, State
from workflow.machine.language import well_formed
from workflow.model.errors import DefinitionError, UsageError
from workflow.model.spelling import did_you_mean

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_WORKFLOW = re.compile(r"[a-z][a-z0-9_-]*")
_SANDBOX = re.compile(r"phases(?:\.[A-Za-z_]\w*)+", re.ASCII)
_RULE = re.compile(r"R[0-9]+")
_COVERING = "guard, action, message, brief or datum"
_GIVEN = ("text", "url", "number", "flag", "files")
"""The types that an event's input may have: what is of the service is set by actions."""


def _spelling(subject: Subject) -> Iterator[DefinitionError]:
    document = subject.source.document
    if not _WORKFLOW.fullmatch(subject.definition.workflow):
        yield subject.at_value("a workflow's name is made of a-z, 0-9, _ and -", "workflow")
    for table in ("settings", "data", "roles", "gates", "actions", "guards", "events", "phases"):
        for name in document.get(table) or {}:
            yield from _well_spelt(subject, name, (table, name))
    for name, limit in (document.get("limits") or {}).items():
        if limit.get("of") is not None:
            yield from _well_spelt(subject, name, ("limits", name))
    if ABOUT in subject.definition.data:
        message = f"'{ABOUT}' is taken: in messages it is the first words that a session began with"
        yield subject.at_key(f"{message}; choose another name", "data", ABOUT)
    for phase, states in document["phases"].items():
        for name in states:
            if name != TITLE:
                yield from _well_spelt(subject, name, ("phases", phase, name))


def _well_spelt(subject: Subject, name: str, keys: Keys) -> Iterator[DefinitionError]:
    if not _NAME.fullmatch(name):
        yield subject.at_key(f"'{name}' is not a name: write a-z, 0-9 and _, beginning with a letter", *keys)


def _languages(subject: Subject) -> Iterator[DefinitionError]:
    languages = subject.definition.languages
    if not languages:
        yield subject.at_value("at least one language must be declared", "languages")
    for number, tag in enumerate(languages):
        try:
            usual = well_formed(tag)
        except UsageError as error:
            yield subject.at_value(error.message, "languages", number)
            continue
        if usual != tag:
            yield subject.at_value(f"write the language '{tag}' as '{usual}'", "languages", number)
        if tag in languages[:number]:
            yield subject.at_value(f"the language '{tag}' is there twice", "languages", number)


def _service(subject: Subject) -> Iterator[DefinitionError]:
    service = subject.definition.service
    fault = _address_fault(service.base_url)
    if fault:
        yield subject.at_value(f"'base_url' {fault}", "service", "base_url")
    if not service.answers and not _SANDBOX.fullmatch(service.sandbox):
        yield subject.at_value("'sandbox' must be a module of the bundle, such as phases.sandbox", "service", "sandbox")


def _address_fault(address: str) -> str:
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "is not an address"
    if parts.scheme not in ("https", "http") or not host:
        return "must be https://host"
    if parts.scheme == "http" and not _is_loopback(host):
        return "must be https, or http on loopback"
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc or not address.isascii():
        return "must be scheme and host alone"
    return ""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _states(subject: Subject) -> Iterator[DefinitionError]:
    known = subject.definition.states
    for name, place in targets(subject):
        yield from subject.unknown("state", name, known, place)


def _events(subject: Subject) -> Iterator[DefinitionError]:
    definition = subject.definition
    if "start" not in definition.events:
        yield subject.at_key("the event 'start' is missing: every session begins with it", "events")
    outcomes = {name for state in definition.states.values() if state.watch for name in state.watch.then.names}
    for name in subject.source.document["events"]:
        if name in OURS:
            yield subject.at_key(f"the event '{name}' is there already: every workflow has it", "events", name)
        if name in outcomes or name == "late":
            yield subject.at_key(f"only the service may say '{name}': a watch waits for it", "events", name)
    yield from _moved_by(subject, definition.on, ("on",))
    for state in definition.states.values():
        yield from _moved_by(subject, state.on, (*keys_of(state), "on"))
        yield from _acknowledged(subject, state)


def _acknowledged(subject: Subject, state: State) -> Iterator[DefinitionError]:
    """What is said on an event that leads on is said nowhere else."""
    moves = subject.definition.moves(state)
    for name in state.acknowledge:
        if name not in moves:
            message = f"'{name}' does not lead on from {state.name}{did_you_mean(name, moves)}: nothing is said on it"
            yield subject.at_key(message, *keys_of(state), "acknowledge", name)


def _moved_by(subject: Subject, names: Iterable[str], keys: Keys) -> Iterator[DefinitionError]:
    events = subject.definition.events
    for name in names:
        if name in OURS and name != AGAIN:
            yield subject.at_key(f"'{name}' can be sent wherever it has a meaning, and leads nowhere", *keys, name)
            continue
        if name == AGAIN and keys == ("on",):
            yield subject.at_key(f"'{AGAIN}' leads on from single states: write it in their `on`", *keys, name)
            continue
        yield from subject.unknown("event", name, events, subject.source.at(*keys, name))
        if name == "start":
            yield subject.at_key("'start' begins a session and moves none", *keys, name)
        if name in events and events[name].say:
            yield subject.at_key(f"the event '{name}' only says '{events[name].say}': it moves nothing", *keys, name)


def _inputs(subject: Subject) -> Iterator[DefinitionError]:
    data = subject.definition.data
    for event in subject.definition.events.values():
        seen: set[str] = set()
        for key, given in (("input", event.input), ("optional", event.optional)):
            for number, name in enumerate(given):
                keys = ("events", event.name, key, number)
                yield from subject.unknown("datum", name, data, subject.source.value_at(*keys))
                if name in data and data[name] not in _GIVEN:
                    yield subject.at_value(f"'{name}' is {data[name]}: no caller can give it", *keys)
                if name in seen:
                    yield subject.at_value(f"'{name}' is asked for twice", *keys)
                seen.add(name)


def _code(subject: Subject) -> Iterator[DefinitionError]:
    if subject.registry is None:
        return
    for name, place in actions(subject):
        yield from subject.unknown("action", name, subject.registry.actions, place)
    for name, place in guards(subject):
        yield from subject.unknown("guard", name, [*subject.registry.guards, "else"], place)


def _touched(subject: Subject) -> Iterator[DefinitionError]:
    """What actions set and guards read is data; told where the action or guard is first used."""
    if subject.registry is None:
        return
    own = {*subject.definition.actions, *subject.definition.guards}  # told where they are declared
    sets = {action.name: action.sets for action in subject.registry.actions.values() if action.name not in own}
    reads = {guard.name: guard.reads for guard in subject.registry.guards.values() if guard.name not in own}
    for kind, verb, used, touched in (
        ("action", "sets", actions(subject), sets),
        ("guard", "reads", guards(subject), reads),
    ):
        for name, place in used:
            for datum in sorted(touched.pop(name, frozenset()) - set(subject.definition.data)):
                problem = subject.at(f"the {kind} '{name}' {verb} '{datum}', which is not a datum", place)
                yield about(problem, "datum", datum, subject.definition.data)


def _classes(subject: Subject) -> Iterator[DefinitionError]:
    """Error classes are declared by `trouble`: each of them has words there."""
    known = subject.definition.classes
    for state in subject.definition.states.values():
        for name in state.failed.names if state.failed else ():
            keys = (*keys_of(state), "failed", name)
            if name == "no_key":
                yield subject.at_key("'no_key' cannot be routed: nothing has left, and `retry` goes on", *keys)
            else:
                yield from subject.unknown("error class", name, known, subject.source.at(*keys), WORDLESS)


def _told(subject: Subject) -> Iterator[DefinitionError]:
    """`trouble` is read from the left: a class that stands after an action is passed over where that action fails."""
    trouble, classes = subject.definition.trouble.names, subject.definition.classes
    first = next((name for name in trouble if name not in classes), None)
    for name in trouble[trouble.index(first) :] if first else ():
        if name in classes:
            message = f"the class '{name}' stands after the action '{first}': name all classes first"
            yield subject.at_key(message, "trouble", name)


def _covered(subject: Subject) -> Iterator[DefinitionError]:
    definition = subject.definition
    places: list[tuple[Iterable[str], Keys]] = [
        *((gate.covers, ("gates", gate.name)) for gate in definition.gates.values()),
        *((event.covers, ("events", event.name)) for event in definition.events.values()),
        *((state.covers, keys_of(state)) for state in definition.states.values()),
    ]
    listed: list[tuple[Iterable[str], Keys]] = [(covers, (*keys, "covers")) for covers, keys in places]
    listed += [(rules, ("covers", name)) for name, rules in definition.covers.items()]
    for rules, keys in listed:
        for number, rule in enumerate(rules):
            if not _RULE.fullmatch(rule):
                yield subject.at_value(f"'{rule}' is not a rule number: the letter R and digits", *keys, number)


def _covering(subject: Subject) -> Iterator[DefinitionError]:
    """What covers rules beside states, events and gates: a name of the bundle that has no table of its own."""
    used = (*guards(subject), *actions(subject))
    texts = {name for language in subject.prompts.values() for name in language}
    known = {*(name for name, _ in used), *messages(subject), *texts, *subject.briefs, *subject.definition.data}
    for name in subject.definition.covers:
        yield from subject.unknown(_COVERING, name, sorted(known), subject.source.at("covers", name))


def _described(subject: Subject) -> Iterator[DefinitionError]:
    """What an agent reads before it takes the skill up, within the limits of the Agent Skills specification."""
    told, name = description_of(subject.definition), skill_name(subject.definition)
    if len(name) > LONGEST_NAME:
        yield subject.at_value(f"a skill's name has at most {LONGEST_NAME} characters", "workflow")
    if len(told) > LONGEST_DESCRIPTION:
        message = f"with the triggers {len(told)} characters; a skill's description has at most {LONGEST_DESCRIPTION}"
        yield subject.at_value(message, "description")
    if re.search("[<>]|---", told):
        yield subject.at_value("a skill's description holds no <, > or ---", "description")
    for number, trigger in enumerate(subject.definition.triggers):
        if not trigger.strip():
            yield subject.at_value("an empty trigger says nothing", "triggers", number)


def _words(subject: Subject) -> Iterator[DefinitionError]:
    definition = subject.definition
    for key, words in (("never_say", definition.never_say), ("avoid", definition.avoid)):
        for number, word in enumerate(words):
            if not word.rstrip("*").strip():
                yield subject.at_value("an empty word would be found everywhere", key, number)


CHECKS: tuple[Check, ...] = (
    _spelling,
    _languages,
    _service,
    _states,
    _events,
    _inputs,
    _code,
    _touched,
    _classes,
    _told,
    _covered,
    _covering,
    _described,
    _words,
)
