"""Playing a scenario: step by step, what was done, what was seen, and what was expected instead."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from workflow.author.compare import Seen, differences
from workflow.author.people import as_sent
from workflow.author.scenario_file import Script, read
from workflow.author.scenario_grammar import FOLDER, BreakTable, FileTable, StepTable, ThenTable
from workflow.author.stand import PROFILE, Candidate, Stand, asked, set_up
from workflow.engine.question import question
from workflow.history import audit
from workflow.history.proof import prove
from workflow.model.duration import seconds
from workflow.model.errors import BundleFaults, DefinitionError, WorkflowError
from workflow.model.fault import Fault
from workflow.model.frozen import Noun, replace
from workflow.model.journal import Entry
from workflow.model.reply import Failure, Reply
from workflow.model.session import Turn

_MOST_LOOKS = 1_000


class Mismatch(Noun):
    """Where something else was seen than was expected; ``place`` is ``file:line:column``."""

    place: str
    what: str
    expected: str
    got: str


class Shown(Noun):
    """One step of a transcript: what was done, what came of it, and what was to come."""

    done: str
    came: tuple[str, ...]
    mismatches: tuple[Mismatch, ...]
    faults: tuple[Fault, ...] = ()


class Played(Noun):
    """A scenario that was played; it stops at the first step that does not come as it should.

    One that is not ``playable`` had no first step: its file, or what it is given, cannot be used.
    """

    name: str
    title: str
    file: str
    steps: tuple[Shown, ...]
    playable: bool = True

    @property
    def mismatches(self) -> tuple[Mismatch, ...]:
        """Everything that was not as expected."""
        return tuple(each for step in self.steps for each in step.mismatches)

    @property
    def passed(self) -> bool:
        """Whether all was seen that should be."""
        return not self.mismatches

    def transcript(self) -> list[str]:
        """The run as it is read by a person, one line each."""
        return [f"{self.name}: {self.title}", *lines(self.steps)]


def lines(steps: Sequence[Shown]) -> Iterator[str]:
    """Steps as a person reads them; what went wrong stands under its step."""
    for number, step in enumerate(steps, 1):
        yield f"{number:3}. {step.done}"
        yield from (f"       {line}" for line in step.came)
        yield from (f"       {line}" for fault in step.faults for line in fault.trace.splitlines())
        for each in step.mismatches:
            yield f"     ✗ {each.place}: {each.what}"
            yield f"         expected {each.expected}"
            yield f"         got      {each.got}"


def play_file(file: Path, tried: Candidate) -> Played:
    """Read and play the scenario in this file; what is wrong with the file itself is a mismatch too."""
    name = f"{FOLDER}/{file.name}"
    try:
        return play(read(file), tried)
    except BundleFaults as faults:
        wrong = [Mismatch(*_parted(each), "a scenario", "a fault") for each in faults.problems]
    except WorkflowError as error:
        wrong = [Mismatch(f"{name}:1:1", error.message, "a run", error.hint or "none")]
    steps = (Shown("before the first step", (), tuple(wrong)),)
    return Played(file.stem, "cannot be played", name, steps, playable=False)


def play(script: Script, tried: Candidate) -> Played:
    """Play a scenario to its end, or to the first step that does not come as it should."""
    given = script.document.given
    with set_up(tried, options=given.sandbox, settings=given.settings, gates=given.gates, people=given.people) as stand:
        return Player(script, stand).play()


class Player:
    """One scenario on one stand; ``reply`` is the last answer."""

    def __init__(self, script: Script, stand: Stand) -> None:
        self._script = script
        self._stand = stand
        self._reply = Reply()
        self.replies: list[Reply] = []
        """The answers of the turns, in order."""
        self._tokens: dict[str, str] = {}
        self._name = ""

    def play(self) -> Played:
        """All steps, then what is to be seen at the end, then what every run must keep."""
        document, given = self._script.document, self._script.document.given
        for name, content in given.files.items():
            self._save(name, content)
        for fault in given.faults:
            self._break(fault)
        shown: list[Shown] = []
        for number, step in enumerate(document.when):
            shown.append(self._step(number, step))
            if shown[-1].mismatches:
                break
        else:
            shown += self._end()
        return Played(self._script.name, document.scenario, self._script.source.path, tuple(shown))

    def _step(self, number: int, step: StepTable) -> Shown:
        requests, entries = len(self._stand.sandbox.requests), len(self._entries())
        self._reply = self._turn(step)
        if self._reply.seen:
            self._tokens = {"old": self._tokens.get("last", ""), "last": self._reply.seen}
        seen = self._seen(requests, entries)
        then = step.then or ThenTable()
        wrong = list(self._wrong(("when", number, "then"), then, seen))
        if not step.then or not wrong:
            wrong += self._unexpected(number, then)
        faults = self._stand.faults()
        wrong += self._cannot_tell(number, then, faults)
        return Shown(told(step), tuple(came(self._reply, seen.requests)), tuple(wrong), faults)

    def _turn(self, step: StepTable) -> Reply:
        """What a step does; what the caller did wrong is an answer too."""
        try:
            return self._act(step)
        except WorkflowError as error:
            return replace(self._reply, say=(), error=Failure(error.type, error.message, error.hint))

    def _act(self, step: StepTable) -> Reply:
        stand, quiet = self._stand, replace(self._reply, say=(), error=None)
        if step.send is not None or step.listen:
            return self._heard(self._send(step))
        if step.look is not None:
            return self._heard(self._look(step.look))
        if step.pass_ is not None:
            stand.clock.sleep(seconds(step.pass_))
        elif step.break_ is not None:
            self._break(step.break_)
        elif step.mend:
            stand.sandbox.clear()
        stand.people |= {name: tuple(roles) for name, roles in (step.people or {}).items()}
        for name, content in (step.save or {}).items():
            self._save(name, content)
        return quiet

    def _send(self, step: StepTable) -> Reply:
        given, stand = self._script.document.given, self._stand
        turn = Turn(
            step.send,
            stand.filled(step.input),
            quote=step.quote,
            items=None if step.items is None else tuple(step.items),
            turn_id=step.turn_id,
            expect_revision=self._reply.revision if step.revision is None and step.send else step.revision,
            seen=self._tokens.get(step.seen) if step.send else None,
            strength=step.strength,
        )
        if self._name:
            turn = as_sent(stand.engine, self._name, turn, step.by)
            return stand.engine.advance(self._name, turn, language=step.language)
        language = step.language or given.language
        path, url = str(stand.bundle.path), stand.sandbox.url
        reply = stand.engine.start(turn, bundle=path, language=language, host=given.host, profile=PROFILE, sandbox=url)
        self._name = reply.session or ""
        return reply

    def _look(self, most: int) -> Reply:
        for _ in range(min(most, _MOST_LOOKS)):
            found = self._stand.engine.look(self._name)
            if found.moved:
                break
            self._stand.clock.sleep(found.every)
        return self._stand.engine.advance(self._name, Turn())

    def _heard(self, reply: Reply) -> Reply:
        """What was said was heard, as the command confirms it."""
        self._stand.engine.confirm(reply)
        self.replies.append(reply)
        return reply

    def _save(self, name: str, content: str | FileTable) -> None:
        self._stand.save(name, content.size if isinstance(content, FileTable) else content)

    def _break(self, fault: BreakTable) -> None:
        try:
            self._stand.sandbox.fault(fault.fault, on=fault.on, times=fault.times, **fault.options)
        except (KeyError, ValueError, TypeError) as error:
            raise WorkflowError(str(error)) from error

    def _entries(self) -> Sequence[Entry]:
        return audit.entries(self._stand.engine, self._name) if self._name else []

    def _seen(self, requests: int, entries: int) -> Seen:
        asked = tuple(self._stand.sandbox.requests[requests:])
        return Seen(self._reply, asked, tuple(self._entries()[entries:]), self._told())

    def _told(self) -> dict[str, str]:
        """Role → the message that its people are shown now."""
        if not (self._name and self._stand.bundle.definition.roles):
            return {}
        asked = question(self._stand.engine, self._name)
        return {asked.definition.gates[gate].by or "": said.id for gate, said in asked.told.items()}

    def _wrong(self, keys: tuple[str | int, ...], then: ThenTable, seen: Seen) -> Iterator[Mismatch]:
        fill = self._stand.filled
        then = dataclasses.replace(then, text=fill(then.text), no_text=fill(then.no_text), sent=fill(then.sent))
        for key, expected, got in differences(then, seen):
            yield Mismatch(self._place(*keys, key), key, expected, got)

    def _unexpected(self, number: int, then: ThenTable) -> Iterator[Mismatch]:
        """A refusal or a failed call that nobody expected."""
        error = self._reply.error
        if error and then.refused is None and then.trouble is None:
            what = "trouble" if error.kind else "refused"
            got = f"{error.kind}: {error.message}" if error.kind else f"{error.type}: {error.message}"
            yield Mismatch(self._place("when", number), what, "no error", got)

    def _cannot_tell(self, number: int, then: ThenTable, faults: Sequence[Fault]) -> Iterator[Mismatch]:
        """A guard that raised, or gave no verdict, where nobody expects that the run stops for it."""
        for fault in faults:
            if fault.kind == "guard" and then.trouble != "internal":
                yield Mismatch(self._place("when", number), "guard", "a verdict", fault.last)

    def _end(self) -> Iterator[Shown]:
        """What is to be seen of the whole run; and whatever it does, its log proves itself."""
        if not self._name:
            return
        then, seen = self._script.document.then, self._seen(0, 0)
        wrong = list(self._wrong(("then",), then, seen)) if then else []
        try:
            claims = prove(self._stand.engine, self._name).claims
            failed = [f"entry {each.seq}: {each.text}, but {each.why}" for each in claims if not each.holds]
        except WorkflowError as error:
            failed = [error.message]
        wrong += [Mismatch(self._place("when"), "proof", "a log that proves itself", each) for each in failed]
        if wrong:
            yield Shown("at the end", (), tuple(wrong))

    def _place(self, *keys: str | int) -> str:
        source = self._script.source
        line, column = source.value_at(*keys) if isinstance(keys[-1], int) else source.at(*keys)
        return f"{source.path}:{line}:{column}"


def told(step: StepTable) -> str:
    """What a step does, in words."""
    if step.send is not None:
        return (f"{step.by} answers by themselves: " if step.by else "") + sent(step.send, step.input, step.quote)
    if step.look is not None:
        return f"a monitor looks, {step.look} times at most"
    if step.pass_ is not None:
        return f"{step.pass_} go by"
    if step.break_ is not None:
        return f"the service will fail: {step.break_.fault} on {step.break_.on}"
    if step.people is not None:
        held = (f"{name}: {', '.join(roles) or 'none'}" for name, roles in step.people.items())
        return f"from now on: {'; '.join(held)}"
    if step.save is not None:
        return f"files are saved: {', '.join(step.save)}"
    return "the service is well again" if step.mend else "a turn without an event"


def sent(event: str, given: Mapping[str, Any], quote: str | None) -> str:
    """A turn in words: the event, its input, and what the person said."""
    said = ", ".join(f"{name}: {_short(value)}" for name, value in given.items())
    return f"{event}{f' {{{said}}}' if said else ''}{f' “{quote}”' if quote else ''}"


def came(reply: Reply, requests: Sequence[Any]) -> Iterator[str]:
    """What came of a turn, one line each."""
    if reply.error:
        yield f"{reply.error.kind or reply.error.type}: {reply.error.message}"
    if reply.state:
        yield f"→ {reply.state} ({reply.status})"
    yield from (f"says {said.id}: {_short(said.text)}" for said in reply.say)
    yield from (f"asked {each}" for each in asked(requests))


def _parted(fault: DefinitionError) -> tuple[str, str]:
    place = f"{fault.path}:{fault.line}:{fault.column}"
    return place, fault.message.removeprefix(f"{place}: ")


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 72 else f"{text[:71]}…"
