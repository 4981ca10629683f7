"""From reply to reply: what is said, what may happen, and the turn that the person chooses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from workflow.cli import console
from workflow.cli.agent.watch import wait_for_news
from workflow.cli.answer import interrupted_with
from workflow.cli.audit.audit import tell_story
from workflow.cli.people import dialog
from workflow.cli.play.inputs import ask_inputs, words_of
from workflow.cli.prompts import ask_line
from workflow.engine import Engine
from workflow.engine.question import question
from workflow.history import audit
from workflow.machine.definition import Definition
from workflow.machine.denials import denies
from workflow.model.errors import WorkflowError
from workflow.model.reply import Option, Reply
from workflow.model.session import Turn

WAIT = 10.0
"""Seconds to wait for another process that holds the session."""
ENDS = ("done", "cancelled", "failed")
BARE = frozenset({"y", "yes", "ok", "okay", "n", "no"})
"""Words that answer a question: they are nothing to hand on as somebody's wish."""


class _Again(Exception):
    """Nothing was chosen, and why: the same question comes once more."""


class Player:
    """One session, played by one person who takes the user's part and the agent's."""

    def __init__(self, engine: Engine, definition: Definition) -> None:
        self._engine = engine
        self._definition = definition
        self._name = ""

    def begin(self, begun: Mapping[str, Any]) -> int:
        """Begin a session with the user's first words, and play it to its end."""
        service = f"the sandbox at {begun['sandbox']}" if begun["sandbox"] else self._definition.service.base_url
        console.rule(f"{self._definition.title or self._definition.workflow} · {service}")
        event = self._definition.events["start"]
        types = {name: self._definition.data[name] for name in event.input}
        types |= {name: f"{self._definition.data[name]}?" for name in event.optional}
        with interrupted_with("No session was begun."):
            while True:
                given = ask_inputs(types)
                reply = self._engine.start(Turn("start", given), **begun)
                self._show(reply)
                if reply.session:
                    break
        return self._play(reply)

    def resume(self, name: str) -> int:
        """Go on with a session, and play it to its end."""
        reply = self._engine.resume(name, wait=WAIT)
        self._show(reply)
        return self._play(reply)

    def _play(self, reply: Reply) -> int:
        self._name = reply.session or ""
        with interrupted_with(f"Nothing is lost; `workflow play --session {self._name}` continues."):
            while True:
                stands = self._caught_up(reply)
                turn = self._choose(stands)
                if turn is None:
                    break
                reply = self._engine.advance(self._name, turn, wait=WAIT)
                self._show(reply)
        tell_story(self._engine, self._name, audit.entries(self._engine, self._name))
        if stands.status not in ENDS:
            console.remark(f"It has not ended: `workflow play --session {self._name}` continues.")
        return 0

    def _caught_up(self, reply: Reply) -> Reply:
        """Where the session stands once nothing is under way; Ctrl-C ends the wait for the service, not the play."""
        while reply.status in ("working", "watching") and not reply.error:
            if reply.status == "watching":
                console.remark("The service is at work. Ctrl-C ends the wait, and you choose what happens.")
                try:
                    wait_for_news(self._engine, self._name)
                except KeyboardInterrupt:
                    click.echo()
                    break
            reply = self._engine.resume(self._name, wait=WAIT)
            self._show(reply)
        return self._engine.status(self._name)

    def _show(self, reply: Reply) -> None:
        """What is said, and what went wrong; then it counts as said."""
        for said in reply.say:
            console.show_message(console.console(), said)
        if reply.error:
            console.show_error(reply)
        for notice in reply.notices:
            console.remark(notice)
        if reply.session:
            try:
                self._engine.confirm(reply)
            except WorkflowError:
                return  # it has been said: what cannot be noted now is offered again

    def _choose(self, reply: Reply) -> Turn | None:
        """The turn that the person chooses; None to end the play."""
        ended = reply.status in ENDS
        while True:
            self._list(reply)
            try:
                return self._turn(reply, self._typed(reply, ended), ended)
            except _Again as again:
                console.say(str(again), "yellow")

    def _list(self, reply: Reply) -> None:
        state = f"{reply.session} · {reply.state} · {(reply.status or '').replace('_', ' ')}"
        console.rule(state)
        rows = [(str(number), each.event, _when(each)) for number, each in enumerate(reply.next, 1)]
        if rows:
            console.show_table(("", "what may happen", "when"), rows)

    def _typed(self, reply: Reply, ended: bool) -> str:
        wordy = _wordy(reply.next)
        ways = [f"1–{len(reply.next)}"] if len(reply.next) > 1 else ["1"] if reply.next else []
        if wordy:
            ways.append(f"or just words: '{wordy.event}'")
        ways.append("Enter: the end" if ended else "Enter: look again, q: leave")
        console.say(", ".join(ways), "dim")
        return ask_line("What happens?")

    def _turn(self, reply: Reply, typed: str, ended: bool) -> Turn | None:
        """What was typed as a turn; None to end the play. Raises :class:`_Again` where it is neither."""
        options, wordy = reply.next, _wordy(reply.next)
        if not typed:
            return None if ended else Turn(None)
        if typed.lower() in ("q", "quit", "exit"):
            return None
        named = next((each for each in options if each.event == typed), None)
        if typed.isascii() and typed.isdigit() and 1 <= int(typed) <= len(options):
            named = options[int(typed) - 1]
        if named:
            return self._with(reply, named, {})
        if typed.isascii() and typed.isdigit():
            raise _Again(f"There is no number {typed}.")
        if wordy and len(typed.split()) > 0 and not (typed.lower().rstrip(".!") in BARE or denies(typed)):
            return self._with(reply, wordy, {words_of(wordy.input): typed})
        raise _Again("A number chooses what happens." if options else "Nothing can happen any more.")

    def _with(self, reply: Reply, option: Option, known: Mapping[str, Any]) -> Turn:
        """The event with all that comes with it; a gate's answer is taken as on any terminal."""
        if option.gate is None:
            given = ask_inputs({name: kind for name, kind in option.input.items() if not _left(kind, known)}, known)
            return Turn(option.event, given, seen=reply.seen)
        asked = question(self._engine, self._name)
        put = next((each for each in asked.options if each.event == option.event), None)
        why = asked.why_not(put) if put else "can no longer be answered"
        if put is None or why:
            raise _Again(f"'{option.event}' {why}. `workflow-admin approve {self._name}` says more.")
        return dialog.answer(asked, put)


def _left(kind: str, known: Mapping[str, Any]) -> bool:
    """Whether an input is not asked for: what may be left out, where words were all that was typed."""
    return bool(known) and kind.endswith("?")


def _wordy(options: Sequence[Option]) -> Option | None:
    """The one event that words alone are enough for, if there is just one."""
    found = [each for each in options if each.gate is None and words_of(each.input)]
    return found[0] if len(found) == 1 else None


def _when(option: Option) -> str:
    """When it is sent, and whose answer it is."""
    gate = f" (your answer: {option.gate.name})" if option.gate else ""
    return f"{option.when or option.how}{gate}"
