"""A gate's question, put to a person on a terminal; nothing here can be scripted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from workflow.cli import console
from workflow.cli.prompts import ask_line, ask_value, ask_words
from workflow.engine.question import STRENGTH, Effects, Question
from workflow.machine import gates
from workflow.machine.foreign import inline
from workflow.machine.messages import file_line, visible
from workflow.model.errors import UsageError
from workflow.model.frozen import Noun
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


class No(Noun):
    """A person's no that sends no event: to what would happen, with their reason; empty if they gave none."""

    event: str
    gate: str
    reason: str


def ask(question: Question, effects: Mapping[str, Effects]) -> Turn | No | None:
    """Show the question in full and take the answer; None if the person leaves it for later.

    ``effects`` are what each answer lets happen, by event.
    """
    show(question)
    options = [each for each in question.options if not question.why_not(each)]
    for option in options:
        _show_effects(option, effects.get(option.event), len(options) > 1)
    chosen = _agree(options[0]) if len(options) == 1 else _choose(options)
    if isinstance(chosen, Option):
        return decline(question, chosen)
    return answer(question, *chosen) if chosen else None


def decline(question: Question, option: Option) -> Turn | No:
    """A person's no: the event that the gate names for it, with their reason, or else a no that moves nothing."""
    assert option.gate is not None
    event = question.no(option)
    if event and event.input:
        reason = ask_words("Why not? It is told as you type it")
    else:
        reason = ask_line("Why not? (Enter: no reason)")
    if event is None:
        return No(option.event, option.gate.name, reason)
    gate, datum = question.gate(option), question.reason(event)
    return Turn(
        event=event.name,
        input={datum: reason} if datum and reason else {},
        quote=reason or "no",
        expect_revision=question.reply.revision,
        channel=CHANNEL,
        strength=STRENGTH,
        about=gates.question(question.definition, gate, question.session),
        asked_at=question.at,
        declines=gate.name,
    )


def answer(question: Question, option: Option, yes: str = "") -> Turn:
    """The turn that answers with this option, in the person's words; ``yes`` is what they typed already."""
    items = _choose_items(question.items(option))
    needed = {name: kind for name, kind in option.input.items() if not kind.endswith("?")}
    kept = question.kept(option)
    given = {name: ask_value(name, kind, kept.get(name, "")) for name, kind in needed.items()}
    said = [given[name] for name in given if option.input[name] == "text"]
    quote = said[0] if len(said) == 1 else ask_words("Your answer, in your own words", yes)
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
    told = {said.text: said for option in question.options for said in question.says(option)}
    for said in told.values():
        console.show_message(console.console(), said)
    for option in question.options:
        reason, until = question.why_not(option), question.until(option)
        if until and not reason:
            console.say(f"  '{option.event}' can be answered until {here(until)}.", "dim")
        if reason:
            console.say(f"  '{option.event}' {reason}.", "dim")


def _show_effects(option: Option, effects: Effects | None, several: bool) -> None:
    """What an answer lets happen: the call, where it goes, and what it costs."""
    if effects is None:
        return
    after = f"{option.event}: " if several else ""
    for call in effects.calls:
        cost = "it costs something, and is made at most once" if call.once else "it can be made again"
        console.labelled("lets", f"{after}{call.name}: {cost}")
    if effects.request:
        console.labelled("sends", f"{after}{effects.request}")
    if option.gate and option.gate.decline:
        console.labelled("a no", f"{after}sends '{option.gate.decline}', with your reason")
    if effects.calls or effects.request:
        console.labelled("to", effects.host + (" (a sandbox: nothing is paid)" if effects.sandbox else ""))


def _agree(option: Option) -> tuple[Option, str] | Option | None:
    """The only answer there is, and the yes as it was typed, or the option alone for a no; nothing but an explicit yes
    takes it.
    """
    while True:
        said = ask_line(f"{_named(option)}? (y = yes, n = no, Enter = later)")
        if said.lower() in ("y", "yes"):
            return option, said
        if said.lower() in ("n", "no"):
            return option
        if said.lower() in ("", "l", "later"):
            return None
        click.echo("Type y, n or nothing; your own words are asked for next.")


def _choose(options: Sequence[Option]) -> tuple[Option, str] | Option | None:
    for number, option in enumerate(options, 1):
        click.echo(visible(f"  {number}  {_named(option)}"))
    while options:
        said = ask_line("Which of these? (its number, n = none of them, Enter = later)")
        if said.lower() in ("", "l", "later"):
            return None
        if said.lower() in ("n", "no", "none"):
            return _declined(options)
        if said.isascii() and said.isdigit() and 1 <= int(said) <= len(options):
            return options[int(said) - 1], ""
        click.echo(f"Type a number from 1 to {len(options)}, n, or nothing.")
    return None


def _declined(options: Sequence[Option]) -> Option | None:
    """The answer that a no is to, where the gates name different events for it."""
    declining = {each.gate.decline: each for each in options if each.gate and each.gate.decline}
    if len(declining) < 2:
        return next(iter(declining.values()), options[0])
    known = {event.replace("_", " "): option for event, option in declining.items() if event}
    while True:
        said = ask_line(f"Which no? ({', '.join(known)}; Enter = later)")
        if not said or said in known:
            return known.get(said)


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
        said = ask_line("For which files? (numbers with commas; Enter: all)")
        if not said:
            return tuple(names)
        numbers = [part.strip() for part in said.split(",")]
        if all(n.isascii() and n.isdigit() and 1 <= int(n) <= len(items) for n in numbers):
            return tuple(dict.fromkeys(names[int(n) - 1] for n in numbers))
        click.echo(f"Type numbers from 1 to {len(items)}, such as 1,2.")
