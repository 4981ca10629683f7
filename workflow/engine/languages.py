"""The language of a turn: it takes effect after the turn's event, and repeats nothing that was answered."""

from __future__ import annotations

from typing import Any

from workflow.engine import refusals
from workflow.engine.run import Run
from workflow.machine import wishes
from workflow.machine.language import nearest
from workflow.model.errors import UsageError


def is_new(run: Run, language: str) -> bool:
    """Whether messages read otherwise in it: in another declared language, or for another translation."""
    declared = run.program.definition.languages
    return bool(language) and nearest(language, declared) != nearest(run.session.language, declared)


def speak(run: Run, language: str, *, alone: bool = False) -> None:
    """From here on in this language; an open question is owed once more. Does nothing where messages read the same.

    ``alone`` says that the turn has no event. Such changes have a bound in each hour, as refusals have. Raises
    :class:`UsageError` beyond it.
    """
    if not is_new(run, language):
        return
    if alone and refusals.left(run) <= 0:
        raise UsageError(
            f"the language of session {run.session.name} was changed too often within this hour",
            f"It stays {run.session.language}. Send the language together with the next event.",
        )
    run.note("language", {**changed(run, language), **({"alone": True} if alone else {})})


def changed(run: Run, language: str) -> dict[str, Any]:
    """What an entry says of this change: the questions that are put in it, unless they are owed already."""
    body: dict[str, Any] = {"language": language, "to": None}
    if run.session.trouble:
        return {**body, "owe": [], "asks": []}
    definition, again = run.program.definition, run.asked_again()
    due, kept = {each.message for each in run.session.owed}, wishes.questions(definition, run.session)
    owe = [message for message in (*again["owe"], *kept) if message not in due]
    return {**body, **again, "owe": owe, "asks": [*definition.asks(run.state), *kept]}
