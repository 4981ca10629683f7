"""A gate's question, put to a person on a terminal; nothing here can be scripted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from workflow.cli import console
from workflow.engine.question import STRENGTH, Question
from workflow.machine import gates
from workflow.machine.decide import LONGEST_TEXT
from workflow.machine.foreign import inline
from workflow.machine.messages import file_line, visible
from workflow.model.errors import UsageError
from workflow.model.reply import Option
from workflow.model.session import Turn
from workflow.show.times import here

CHANNEL = "terminal"


def need_terminal() -> None:
    """Raises :class:`UsageError` unless both ends are a terminal."""
    if not console.interactive():
        raise UsageError(
            "a person answers here, so stdin and stdout must be a terminal",
            "Run it in a terminal of your own; no answer can be piped into it.",
        )


def ask(question: Question) -> Turn | None:
    """Show the question in full and take the answer; None if the person gives none."""
    show(question)
    options = [each for each in question.options if not question.why_not(each)]
    option, yes = _agree(options[0]) if len(options) == 1 else (_choose(options), "")
    if option is None:
        return None
    items = _choose_items(question.items(option))
    needed = {name: kind for name, kind in option.input.items() if not kind.endswith("?")}
    kept = question.kept(option)
    given = {name: _value(name, kind, kept.get(name, "")) for name, kind in needed.items()}
    said = [given[name] for name in given if option.input[name] == "text"]
    quote = said[0] if len(said) == 1 else _words("Your answer, in your own words", yes)
    gate = question.gate(option) if option.gate else None
    about = gates.question(question.definition, gate, question.session, given) if gate else None
    return Turn(
        event=option.event,
        input=given,
        quote=quote,
        items=items,
        expect_revision=question.reply.revision,
        channel=CHANNEL,
        strength=STRENGTH,
        about=about,
        asked_at=question.at,
    )


def show(question: Question) -> None:
    """Where the run stands, what was said last, and what cannot be answered now."""
    reply = question.reply
    console.rule(f"{reply.session} · {reply.state}" + (" · sandbox" if reply.sandbox else ""))
    for said in reply.say:
        console.show_message(console.console(), said)
    for option in question.options:
        reason, until = question.why_not(option), question.until(option)
        if until and not reason:
            console.say(f"  '{option.event}' can be answered until {here(until)}.", "dim")
        if reason:
            console.say(f"  '{option.event}' {reason}.", "dim")


def _agree(option: Option) -> tuple[Option | None, str]:
    """The only answer there is, and the yes as it was typed; nothing but an explicit yes takes it."""
    while True:
        typed = _typed(f"{_named(option)}? (y; n or Enter: no answer)")
        if typed.lower() in ("y", "yes"):
            return option, typed
        if typed.lower() in ("", "n", "no"):
            return None, ""
        click.echo("Type y or n; your own words are asked for next.")


def _choose(options: Sequence[Option]) -> Option | None:
    for number, option in enumerate(options, 1):
        click.echo(visible(f"  {number}  {_named(option)}"))
    while options:
        typed = _typed("Which of these? (its number; Enter: no answer)")
        if not typed:
            return None
        if typed.isascii() and typed.isdigit() and 1 <= int(typed) <= len(options):
            return options[int(typed) - 1]
        click.echo(f"Type a number from 1 to {len(options)}, or nothing.")
    return None


def _named(option: Option) -> str:
    gate = f" (answers the gate {option.gate.name})" if option.gate else ""
    return f"{option.event.replace('_', ' ')}{gate}"


def _choose_items(items: Sequence[Mapping[str, Any]]) -> tuple[str, ...] | None:
    """The names of the files that the answer is for; None, without a question, if there is only one."""
    if len(items) < 2:
        return None
    names = gates.item_names(items)
    rows = [
        (str(n), file_line(each).removeprefix("- "), inline(str(each.get("description", ""))))
        for n, each in enumerate(items, 1)
    ]
    console.show_table(("", "file", "described by the agent as"), rows)
    while True:
        typed = _typed("For which files? (numbers with commas; Enter: all)")
        if not typed:
            return tuple(names)
        numbers = [part.strip() for part in typed.split(",")]
        if all(n.isascii() and n.isdigit() and 1 <= int(n) <= len(items) for n in numbers):
            return tuple(dict.fromkeys(names[int(n) - 1] for n in numbers))
        click.echo(f"Type numbers from 1 to {len(items)}, such as 1,2.")


def _value(name: str, kind: str, kept: str) -> Any:
    """One datum that comes with the answer; Enter stands for the words of the wish that was ``kept``."""
    label = name.replace("_", " ")
    if kind == "text":
        return _words(f"{label}, in your own words", kept)
    while True:
        typed = _words({"url": f"{label} (the full link)", "flag": f"{label} (yes or no)"}.get(kind, label))
        if kind == "flag" and typed.lower() in ("y", "yes", "n", "no"):
            return typed.lower().startswith("y")
        if kind == "number":
            try:
                return float(typed) if "." in typed else int(typed)
            except ValueError:
                pass
        elif kind != "flag":
            return typed
        click.echo("That cannot be read.")


def _words(label: str, otherwise: str = "") -> str:
    """What a person typed, never empty; Enter stands for ``otherwise``, which they typed before."""
    while True:
        typed = _typed(f"{label} (Enter: “{otherwise}”)" if otherwise else label) or otherwise
        if typed:
            return typed
        click.echo("It must not be empty; Ctrl-C leaves without an answer.")


def _typed(label: str) -> str:
    while True:
        typed = str(click.prompt(visible(label), default="", show_default=False)).strip()
        if len(typed) > LONGEST_TEXT:
            click.echo(f"That is longer than {LONGEST_TEXT} characters.")
        elif any(ord(char) < 32 or 0xD800 <= ord(char) <= 0xDFFF for char in typed):
            click.echo("That holds characters that no text may hold.")
        else:
            return typed
