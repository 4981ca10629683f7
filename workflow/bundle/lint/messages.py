"""Messages and briefs: complete in every language, filled with what may be said, and free of what may not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from workflow.bundle.lint.subject import Check, Subject, about, marks, messages, shown_in
from workflow.bundle.loader import Position
from workflow.machine import leaks
from workflow.machine import messages as render
from workflow.machine.definition import PUBLIC
from workflow.machine.hosts import BRIEFED
from workflow.machine.leaks import Secrets
from workflow.model.errors import DefinitionError
from workflow.model.spelling import did_you_mean

_PLAIN = ".plain"
_QUOTED = ("text", "verbatim", "texts")
"""Words of others: a message that holds them may have to be withheld."""
_STRAY = "a stray '$'; write $$ for a dollar sign"
_GAP = "\ufffc"
_LINK = re.compile(r"\[[^\]\n]*\]\([^)\s]*\)")


def _complete(subject: Subject) -> Iterator[DefinitionError]:
    """A missing text is an error, not English by accident."""
    languages = subject.definition.languages
    for name, place in messages(subject).items():
        missing = [language for language in languages if name not in subject.prompts.get(language, {})]
        if languages and len(missing) == len(languages):
            known = (each for _, texts in _declared(subject) for each in texts)
            files = " and ".join(_path(language, name) for language in languages)
            yield from subject.unknown("message", name, known, place, f"Write {files}.")
        else:
            yield from (_missing(subject, name, language, place) for language in missing)


def _withheld(subject: Subject) -> Iterator[DefinitionError]:
    """Where another's words may have to be withheld, something without them can be said instead."""
    data = subject.definition.shown_types
    for name, place in messages(subject).items():
        for language, texts in _declared(subject):
            if not any(data.get(each) in _QUOTED for each in shown_in(texts.get(name, ""))):
                continue
            if name + _PLAIN not in texts:
                yield _missing(subject, name + _PLAIN, language, place)
            for mark in marks(texts.get(name + _PLAIN, "")):
                if data.get(mark.name or "") in _QUOTED:
                    message = f"a plain variant cannot show '{mark.name}', the words of others"
                    yield DefinitionError(message, _path(language, name + _PLAIN), mark.line, mark.column)


def _filled(subject: Subject) -> Iterator[DefinitionError]:
    """Only public data can be filled in."""
    data = subject.definition.shown_types
    public = [name for name, kind in data.items() if kind in PUBLIC]
    for language, name, template in _texts(subject):
        path = _path(language, name)
        if not template.strip():
            yield DefinitionError("the message is empty", path, 1, 1)
        if "\r" in template:
            yield DefinitionError("lines must end with a line feed alone", path, 1, 1)
        for mark in marks(template):
            if mark.name is None:
                yield DefinitionError(_STRAY, path, mark.line, mark.column)
            elif mark.name not in public:
                kind = data.get(mark.name)
                message = f"'{mark.name}' is {kind}: no message may show it" if kind else f"unknown datum '{mark.name}'"
                hint = "" if kind else did_you_mean(mark.name, public)
                problem = DefinitionError(message + hint, path, mark.line, mark.column)
                yield problem if kind else about(problem, "datum", mark.name, public)


def _alike(subject: Subject) -> Iterator[DefinitionError]:
    """In every language a message shows the same data as in the first."""
    (first, model), *others = list(_declared(subject)) or [("", {})]
    for language, texts in others:
        for name in [name for name in texts if name in model]:
            here, there = shown_in(texts[name]), shown_in(model[name])
            for each in [each for each in there if each not in here]:
                message = f"'{each}' is not shown here, but is in {first}"
                yield DefinitionError(message, _path(language, name), 1, 1)
            for mark in marks(texts[name]):
                if mark.name and mark.name not in there:
                    message = f"'{mark.name}' is shown here, but not in {first}"
                    yield DefinitionError(message, _path(language, name), mark.line, mark.column)


def _used(subject: Subject) -> Iterator[DefinitionError]:
    """What nobody names is a mistyped name, or left over."""
    for language in subject.prompts:
        if language not in subject.definition.languages:
            yield DefinitionError(f"the language '{language}' is not declared", f"prompts/{language}", 1, 1)
    named = messages(subject)
    for language, name, _ in _texts(subject):
        if name.removesuffix(_PLAIN) not in named:
            hint = did_you_mean(name, named)
            yield DefinitionError(f"nothing says the message '{name}'{hint}", _path(language, name), 1, 1)


def _clean(subject: Subject) -> Iterator[DefinitionError]:
    """Our own words hold nothing that the leak check would withhold, and none of those to avoid."""
    definition = subject.definition
    fields = tuple(name for name in definition.of_type("internal") if "_" in name)
    secrets = Secrets((), "", (*_sought(definition.never_say), *fields), ())
    avoid = _sought(definition.avoid)
    for language, name, template in _texts(subject):
        path = _path(language, name)
        for number, line in enumerate(template.split("\n"), 1):
            ours = render.fill(line, dict.fromkeys(shown_in(line), "text"), {})
            for found in leaks.find(ours, secrets):
                yield DefinitionError(f"no message may hold {found}", path, number, 1)
            frame = _GAP.join(part.text for part in ours)
            for word in leaks.words_in(_LINK.sub(_GAP, frame), avoid):
                yield DefinitionError(f"our own messages do without the word {word}", path, number, 1)


def _briefs(subject: Subject) -> Iterator[DefinitionError]:
    """A brief is filled with the public data, and with what only the engine knows."""
    public = [*BRIEFED, *subject.definition.of_type(*PUBLIC)]
    named = {state.watch.brief for state in subject.definition.states.values() if state.watch}
    for name, template in subject.briefs.items():
        path = f"prompts/briefs/{name}.md"
        if name not in named:
            yield DefinitionError(f"nothing names the brief '{name}'{did_you_mean(name, named)}", path, 1, 1)
        for mark in marks(template):
            if mark.name is None:
                yield DefinitionError(_STRAY, path, mark.line, mark.column)
            elif mark.name not in public:
                message = f"a brief cannot show '{mark.name}'{did_you_mean(mark.name, public)}"
                yield DefinitionError(message, path, mark.line, mark.column)


def _missing(subject: Subject, name: str, language: str, place: Position) -> DefinitionError:
    message = f"the message '{name}' has no text in {language}: write {_path(language, name)}"
    return subject.at(message, place)


def _path(language: str, name: str) -> str:
    return f"prompts/{language}/{name}.md"


def _declared(subject: Subject) -> Iterator[tuple[str, Mapping[str, str]]]:
    for language in dict.fromkeys(subject.definition.languages):
        if language in subject.prompts:
            yield language, subject.prompts[language]


def _texts(subject: Subject) -> Iterator[tuple[str, str, str]]:
    """(language, name, template) of every message in a declared language."""
    for language, texts in _declared(subject):
        yield from ((language, name, template) for name, template in texts.items())


def _sought(words: tuple[str, ...]) -> tuple[str, ...]:
    """Without empty ones, which are a problem of their own."""
    return tuple(word for word in words if word.rstrip("*").strip())


CHECKS: tuple[Check, ...] = (_complete, _withheld, _filled, _alike, _used, _clean, _briefs)
