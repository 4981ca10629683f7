"""Wordings: what a bundle says of its events and phases is there, and there in every language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from workflow.bundle.lint.reads import marked_in
from workflow.bundle.lint.subject import Check, Subject
from workflow.bundle.loader import Keys
from workflow.machine.definition import TITLE
from workflow.machine.wording import Wording
from workflow.model.errors import DefinitionError
from workflow.model.spelling import did_you_mean


def _complete(subject: Subject) -> Iterator[DefinitionError]:
    """A table by language has a text in each language of the bundle, and in no other."""
    languages = subject.definition.languages
    for keys, wording in _wordings(subject):
        for language, text in wording.items():
            place = (*keys, language) if language else keys
            if language and language not in languages:
                hint = did_you_mean(language, languages)
                is_state = "; a state cannot be called `title`" if keys[-1] == TITLE else ""
                message = f"'{language}' is not a language of the bundle{hint}{is_state}"
                yield subject.at_key(message, *place)
            elif not text.strip():
                yield subject.at_value(f"`{keys[-1]}` says nothing", *place)
            elif "\n" in text:
                yield subject.at_value(f"`{keys[-1]}` must be one line", *place)
        missing = [language for language in languages if "" not in wording and language not in wording]
        if missing:
            yield subject.at_key(f"`{keys[-1]}` has no text in {', '.join(missing)}", *keys)


def _meant(subject: Subject) -> Iterator[DefinitionError]:
    """An event says when to send it; `start` needs no word, since `triggers` say when a session begins."""
    for event in subject.definition.events.values():
        if event.name != "start" and not event.when:
            message = f"the event '{event.name}' does not say when to send it"
            hint = "Add `when` with one sentence: agents read it in replies and in the skill."
            yield _advice(subject, message, hint, "events", event.name)


def _switched(subject: Subject) -> Iterator[DefinitionError]:
    """What a setting switches off appears nowhere only where the guard is declared: Python is not looked into."""
    settings_only = {
        marked.name
        for source in subject.code.values()
        for marked in marked_in(source)
        if marked.kind == "guard" and marked.reads and all(read.where == "settings" for read in marked.reads)
    }
    for event in subject.definition.events.values():
        if event.guard in settings_only and event.name != "start":
            message = (
                f"the guard '{event.guard}' reads only settings: while it refuses, '{event.name}' is still offered"
            )
            hint = f"Declare it under `guards`: {event.guard}: {{setting: …, is: …}}."
            yield _advice(subject, message, hint, "events", event.name, "if")


def _wordings(subject: Subject) -> Iterator[tuple[Keys, Wording]]:
    definition = subject.definition
    found: Mapping[tuple[str, str, str], Wording] = {
        **{("events", event.name, "when"): event.when for event in definition.events.values()},
        **{("phases", phase.name, TITLE): phase.title for phase in definition.phases.values()},
    }
    document = subject.source.document
    for keys, wording in found.items():
        if (document[keys[0]].get(keys[1]) or {}).get(keys[2]) is not None:
            yield keys, wording


def _advice(subject: Subject, message: str, hint: str, *keys: str) -> DefinitionError:
    return DefinitionError(message, subject.source.path, *subject.source.at(*keys), hint)


CHECKS: tuple[Check, ...] = (_complete,)
ADVICE: tuple[Check, ...] = (_meant, _switched)
"""Checks whose findings are warnings: such a bundle runs."""
