"""The form that a person fills in: the question in full, and fields that only this one question has."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, JsonValue, WithJsonSchema, create_model

from workflow.engine.question import Put
from workflow.machine import foreign, terms
from workflow.machine.decide import LONGEST_TEXT
from workflow.machine.definition import Event
from workflow.machine.gates import item_names
from workflow.machine.messages import file_line, quoted
from workflow.mcp_server.form_words import NO_ANSWERS, FormWords, form_words
from workflow.model.frozen import Noun, replace
from workflow.model.instant import Instant
from workflow.show.times import minute

MOST = 1_000
"""Characters of a description."""
EIGHTHS = 8
"""Steps of a term: a form is valid for at least seven eighths of it, and the whole at most."""
WIDTH = 76
"""Columns of a foreign line: a client that folds it would lose the margin."""


class Filled(BaseModel):
    """A form as it came back: anything at all, for it is read here and not believed."""

    answer: Any = None
    words: Any = None


class Answered(Noun):
    """The person's answer: their words, and the files that it is for (None = there was no choice of files).

    ``declines`` is the event that it sends instead, where it is a no; its words are the reason.
    """

    quote: str
    items: tuple[str, ...] | None
    declines: Event | None = None


class Form(Noun):
    """How ``put`` is asked. ``secret`` keeps the code from being known before the form is seen.

    ``wall`` and ``boot`` count the eighths of the gate's term before it was shown, by either clock: within one, the
    same form is asked for each call of the client, by any process. With another ``boot_id`` it is another form.
    """

    put: Put
    secret: bytes
    wall: int = 0
    boot: int = 0
    boot_id: str = ""

    @classmethod
    def now(cls, put: Put, secret: bytes) -> Form:
        """The form as it is shown now."""
        form, at = cls(put, secret), put.question.at
        if not form._has_term:
            return form
        wall, boot = int(at.wall // form._eighth), int(at.boot // form._eighth)
        return replace(form, wall=wall, boot=boot, boot_id=at.boot_id)

    @cached_property
    def code(self) -> str:
        """Of this one question, shown at this step: another question, or the same after any answer, has another."""
        shown = f"question:{self.wall}:{self.boot}:{self.boot_id}:".encode()
        made = base64.b32encode(hmac.digest(self.secret, shown + self.put.mark, "sha256")).decode()
        return f"{made[:4]}-{made[4:8]}"

    @property
    def shown_at(self) -> Instant:
        """When its term begins: the later clock is believed, so that one that is set back makes no form younger."""
        if not self._has_term:
            return self.put.question.at
        return Instant(self.wall * self._eighth, self.boot * self._eighth, self.boot_id)

    def as_answered(self, answer: Any) -> Form:
        """The form as it was when this answer was chosen; itself where it is no answer to this question.

        Between two moments both clocks count as many steps, or one more: a form from before either was set is none.
        """
        if not self._has_term:
            return self
        ages = ((age, age + more) for age in range(2 * EIGHTHS) for more in (0, -1, 1))
        earlier = (replace(self, wall=self.wall - wall, boot=self.boot - boot) for wall, boot in ages)
        return next((form for form in earlier if answer in (form.yes, form.nay)), self)

    @property
    def yes(self) -> str:
        """The choice that is the answer."""
        return f"{self.put.option.event.replace('_', ' ')} {self.code}"

    @cached_property
    def declining(self) -> Event | None:
        """The event that a no sends, if the gate names one."""
        return self.put.question.no(self.put.option)

    @property
    def nay(self) -> str | None:
        """The choice that is a no; None where the gate names no event for it."""
        return f"{self.declining.name.replace('_', ' ')} {self.code}" if self.declining else None

    @cached_property
    def words(self) -> FormWords:
        """What it says of its own."""
        question = self.put.question
        return form_words(question.session.language, question.definition.languages)

    @cached_property
    def items(self) -> list[Mapping[str, Any]]:
        """The files that are asked about."""
        return self.put.question.items(self.put.option)

    def text(self) -> str:
        """What the answer is about, in full; what is foreign stands behind a margin, a file's description limited.

        Where the person's own words are all that it is about, these are all that it shows.
        """
        return "\n".join(self._lines())

    def model(self) -> type[Filled]:
        """The fields, for the library that sends them; what comes back is read by :meth:`read`."""
        words = self.words
        # A host that takes the first choice by itself agrees to nothing.
        told = [words.choose.format(self.yes), *([words.declines.format(self.nay)] if self.nay else [])]
        answers = [words.no, self.yes, *([self.nay] if self.nay else [])]
        choices = {"description": " ".join(told), "enum": answers}
        answer = {"type": "string", "title": words.answer, **choices}
        own = {"type": "string", "title": words.own_words, "maxLength": LONGEST_TEXT}
        fields: dict[str, Any] = {"answer": (_field(answer), None)}
        for field, _, alike in self._choices():
            title = words.may_be_sent.format(" = ".join(_named(each) for each in alike))
            fields[field] = (_field({"type": "boolean", "title": title}), None)
        required: list[JsonValue] = list(fields)
        fields["words"] = (_field(own), None)
        made: type[Filled] = create_model("Answer", __base__=Filled, **fields)
        made.model_config = ConfigDict(json_schema_extra={"required": required})
        made.model_rebuild(force=True)
        return made

    def read(self, filled: Filled) -> Answered | str:
        """The answer; or why it is none."""
        if filled.answer in NO_ANSWERS:
            return "the person gave no answer"
        said = filled.words.strip() if isinstance(filled.words, str) else ""
        if self.declining and filled.answer == self.nay:
            return self._declined(self.declining, said)
        if filled.answer != self.yes:
            return "the form came back without an answer to this question"
        items = None
        if chosen := self._choices():
            given = [getattr(filled, field, None) for field, _, _ in chosen]
            if not all(isinstance(each, bool) for each in given):
                return "the form came back without saying which files"
            items = tuple(name for (_, name, _), each in zip(chosen, given, strict=True) if each)
            if not items:
                return "the person agreed to none of the files"
        return Answered(said or self.yes, items)

    def _declined(self, event: Event, reason: str) -> Answered | str:
        """The person's no, with the reason that its event asks for."""
        if event.input and not reason:
            return "the person said no without a reason, and the reason is what is told"
        return Answered(reason or str(self.nay), None, event)

    def _choices(self) -> list[tuple[str, str, list[Mapping[str, Any]]]]:
        """A field for each file, where there is more than one: its name, and the files of the same bytes."""
        files: dict[str, list[Mapping[str, Any]]] = {}
        names = dict[str, str]()
        for item, name in zip(self.items, item_names(self.items), strict=True):
            files.setdefault(item["sha256"], []).append(item)
            names.setdefault(item["sha256"], name)
        if len(files) < 2:
            return []
        return [(f"file_{number}", names[each], files[each]) for number, each in enumerate(files, 1)]

    @property
    def _has_term(self) -> bool:
        """Whether something is shown, for which a term runs."""
        return self.put.question.until(self.put.option) is not None

    @property
    def _eighth(self) -> float:
        return self.put.question.gate(self.put.option).valid / EIGHTHS

    def _lines(self) -> Iterator[str]:
        reply, words = self.put.question.reply, self.words
        yield words.asks_in_sandbox if reply.sandbox else words.asks
        until = terms.end(self.shown_at, self.shown_at, self.put.question.gate(self.put.option).valid)
        if until and self._has_term:
            yield words.answer_by.format(minute(until))
        for said in reply.say if self._has_term else ():
            yield f"\n{foreign.message(said.parts, WIDTH)}".rstrip()
        if self.put.translation is not None:
            yield f"\n{words.translated}"
            yield from foreign.block(self.put.translation, WIDTH)
        given = {name: value for name, value in self.put.given.items() if value not in (None, "", [])}
        if given:
            yield f"\n{words.would_send}"
            for name, value in given.items():
                yield from foreign.labelled(name, _shown(value), WIDTH)
        described = [each for each in self.items if str(each.get("description") or "").strip()]
        if described:
            yield f"\n{words.described}"
        for each in described:
            yield from foreign.labelled(file_line(each), str(each["description"]), WIDTH, MOST)


def _named(file: Mapping[str, Any]) -> str:
    """A file as the person chose it: by its name, and its folder where it has one."""
    folder = f" ({quoted(file['folder'])})" if file.get("folder") else ""
    return f"{quoted(file['name'])}{folder}"


def _field(schema: Mapping[str, Any]) -> Any:
    return Annotated[Any, WithJsonSchema(dict(schema))]


def _shown(value: Any) -> str:
    """A datum; of files, where they are."""
    return ", ".join(str(each["path"]) for each in value) if isinstance(value, list) else str(value)
