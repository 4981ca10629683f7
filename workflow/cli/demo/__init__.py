"""``workflow demo``: a whole conversation against the sandbox, every step of it by the real commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from workflow.cli import console
from workflow.cli.answer import json_option, print_json
from workflow.cli.demo import cheat, page
from workflow.cli.demo.narrator import Narrator
from workflow.cli.demo.person import SCRIPTS, Person
from workflow.cli.demo.picture import HEIGHT, WIDTH, harbour
from workflow.cli.demo.proof import CREATE
from workflow.cli.demo.screenshot import screenshot
from workflow.cli.demo.stage import Ran, Stage, StepFailed, set_stage
from workflow.cli.demo.witness import Witness
from workflow.cli.paths import TypedPath
from workflow.machine.denials import denies
from workflow.model.errors import UsageError
from workflow.model.journal import Entry
from workflow.model.reply import ENDED, VERSION, Failure, Reply

ROUNDS, LOOKS = 3, 2
"""How often the sandbox is asked before it has a plan, and looked at before it is done."""
MOST_TURNS = 100
"""More turns than this is a conversation that goes round in circles."""
PICTURE = "harbour.png"
ORDER = f"POST {CREATE}"
_LINK = re.compile(r"https?://[^\s<>)\]]+")


@click.command(short_help="Play a whole conversation: no key, no network.")
@click.option("--yes", is_flag=True, help="Do not ask at the approval; the person of the script answers.")
@click.option("--language", type=click.Choice(sorted(SCRIPTS)), default="en", help="The language of the person.")
@click.option("--keep", type=TypedPath(path_type=Path), help="Keep the store and the picture in this new folder.")
@click.option("--page", "in_browser", is_flag=True, help="Serve two sessions that wait for you, in a browser.")
@click.option("--try-to-cheat", is_flag=True, help="Play an agent that tries to get past the person instead.")
@click.option(
    "--picture", type=TypedPath(path_type=Path), help="Draw an excerpt, 88 columns wide, as an SVG in this file."
)
@json_option
def demo(
    yes: bool,
    language: str,
    keep: Path | None,
    in_browser: bool,
    try_to_cheat: bool,
    picture: Path | None,
    as_json: bool,
) -> int:
    """Play a whole conversation against the sandbox: no key, no network, under a minute.

    It stops where the plan is to be approved, and asks you; --yes lets it go on by itself, and so does --picture.

    \b
    Examples:
      workflow demo
      workflow demo --page
      workflow demo --try-to-cheat
      workflow demo --language zh-CN --yes
    """
    if picture and as_json:
        raise UsageError("--picture and --json exclude each other", "With --json nothing is printed to be drawn.")
    if in_browser and (yes or keep or try_to_cheat or picture or as_json):
        raise UsageError("--page goes with --language alone", "Leave the other options out.")
    play = _cheat if try_to_cheat else _converse
    ask = None if yes or as_json or picture or not console.interactive() else _ask
    title = "workflow demo --try-to-cheat" if try_to_cheat else "workflow demo"
    try:
        if in_browser:
            return page.serve(language)
        with screenshot(picture, title):
            return play(language, keep, ask, as_json)
    except StepFailed as error:
        return _stopped(Failure("internal", error.message, error.hint), 1, as_json)
    except (KeyboardInterrupt, click.Abort):
        return _stopped(Failure("interrupted", "interrupted", "Nothing was left running."), 130, as_json)


def _converse(language: str, keep: Path | None, ask: Callable[[], str] | None, as_json: bool) -> int:
    """The honest conversation."""
    narrator = Narrator(quiet=as_json)
    with set_stage(keep, rounds=ROUNDS, looks=LOOKS) as stage:
        found = Play(stage, Person(SCRIPTS[language], ask), narrator, language, kept=keep is not None).run()
    if as_json:
        print_json({"v": VERSION, "ok": True, **found})
    return 0


def _cheat(language: str, keep: Path | None, ask: Callable[[], str] | None, as_json: bool) -> int:
    """The agent that cheats; nobody is asked, since every answer but the person's own is part of the script."""
    witness = Witness(quiet=as_json)
    with set_stage(keep, rounds=cheat.ROUNDS, looks=cheat.LOOKS, variables=cheat.variables) as stage:
        found = cheat.Cheat(stage, SCRIPTS[language], witness, language, kept=keep is not None).run()
    failure = Failure("internal", found.fault or "the log does not hold", "Please report this.")
    if as_json:
        error = {} if found.ok else {"error": failure.as_json()}
        print_json({"v": VERSION, "ok": found.ok, **found.as_json(), **error})
        return 0 if found.ok else 1
    return 0 if found.ok else _stopped(failure, 1, as_json)


class Play:
    """The agent in miniature: it sends what the reply allows, in the person's words, and knows nothing else."""

    def __init__(self, stage: Stage, person: Person, narrator: Narrator, language: str, *, kept: bool) -> None:
        self._stage = stage
        self._person = person
        self._narrator = narrator
        self._language = language
        self._kept = kept
        self._link = ""
        self._told: Reply | None = None
        self._refused = False
        self._ordered = False

    def run(self) -> dict[str, Any]:
        """From the first words to the log; raises :class:`StepFailed` where something is not as it should be."""
        picture = self._stage.folder / PICTURE
        picture.write_bytes(harbour())
        self._narrator.opening(self._stage, picture, WIDTH, HEIGHT)
        reply = self._start()
        while reply.status not in ENDED:
            if self._narrator.turns >= MOST_TURNS:
                raise StepFailed(f"the conversation has not ended after {MOST_TURNS} turns")
            reply = self._watch(reply) if reply.status == "watching" else self._respond(reply)
        return self._end(_name(reply))

    def _start(self) -> Reply:
        script = self._person.script
        self._narrator.turn("the first words")
        self._narrator.person(script.start)
        reference = {"path": PICTURE, "description": script.description}
        turn = {"input": {"words": script.start, "references": [reference]}}
        return self._send("start", "--host", "openclaw", "--language", self._language, turn=turn)

    def _respond(self, reply: Reply) -> Reply:
        """One turn: the person's answer to what was said, as the event that the reply offers for it."""
        options = {option.event: option for option in reply.next}
        console.in_picture("approve" in options)
        self._narrator.turn(reply.phase or "")
        if "approve" in options and not self._refused:
            self._overreach(reply)
        said = self._person.respond(reply)
        if said is None:
            raise StepFailed(f"nobody has an answer in {reply.state} (possible: {', '.join(options)})")
        console.in_picture(said.event == "approve")
        self._narrator.person(said.words)
        self._ordered = said.event == "approve"
        turn = said.as_turn(options[said.event], reply.seen)
        return self._send("advance", _name(reply), said.event, turn=turn)

    def _overreach(self, reply: Reply) -> None:
        """What the engine is for: an agent that says yes in the person's place gets nowhere."""
        self._refused = True
        turn = {"seen": reply.seen}
        arguments = ("advance", _name(reply), "approve", "--input", "-")
        self._narrator.note("First the agent approves it by itself, without the person's words:")
        ran = self._stage.run(*arguments, turn=turn)
        self._narrator.agent(ran.line, turn)
        answer = ran.reply()
        if ran.code != 3 or answer.error is None:
            raise StepFailed(f"an approval without the person's words was not refused (exit code {ran.code})")
        self._narrator.refused(ran, answer)
        self._narrator.note("The plan still waits for the person, and the attempt is in the log.")

    def _watch(self, reply: Reply) -> Reply:
        """The background process that the reply asks for, and when it has ended, what is new."""
        way = next((way for way in (reply.watch or {}).get("ways", ()) if way["how"] == "background"), None)
        if way is None:
            raise StepFailed(f"the reply in {reply.state} names no way to watch in the background")
        console.in_picture(self._ordered)
        self._ordered = False
        self._narrator.turn(f"{reply.phase}, watching")
        arguments = tuple(shlex.split(way["run"])[1:])
        self._narrator.agent(f"{way['run']} &")
        self._narrator.note("It waits for the service by itself; the agent is free until it ends.")
        visible = console.interactive() and not self._narrator.quiet
        watching = self._stage.background(*arguments, progress=visible)
        _check(self._stage.wait(watching, *arguments))
        self._narrator.note("It has ended; the agent asks what is new.")
        return self._send("advance", _name(reply))

    def _send(self, *arguments: str, turn: dict[str, Any] | None = None) -> Reply:
        arguments = (*arguments, "--input", "-") if turn is not None else arguments
        ran = self._stage.run(*arguments, turn=turn)
        self._narrator.agent(ran.line, turn)
        reply = self._told = ran.reply().completed(self._told)
        self._narrator.engine(reply)
        _check(ran)
        for said in reply.say:
            found = _LINK.findall(said.text)
            self._link = found[-1] if found else self._link
        return reply

    def _end(self, name: str) -> dict[str, Any]:
        requests = self._stage.requests()
        if requests.get(ORDER) != 1:
            raise StepFailed(f"one picture was ordered, and the service was asked for {requests.get(ORDER, 0)}")
        console.in_picture(True)
        self._narrator.counts(requests)
        console.in_picture(False)
        self._log(name)
        console.in_picture(True)
        self._verify(name)
        console.in_picture(False)
        self._narrator.closing(name, self._link, self._stage, kept=self._kept)
        return {
            "session": name,
            "turns": self._narrator.turns,
            "requests": requests,
            "link": self._link,
            "verified": True,
        }

    def _log(self, name: str) -> None:
        self._narrator.log("The log", f"workflow audit log {name}")
        ran = self._stage.run("audit", "log", name, "--json")
        _check(ran)
        entries = ran.entries()
        if not self._terminal:
            self._narrator.entries(entries)
        elif code := self._stage.show("audit", "log", name):
            raise StepFailed(f"`{ran.line}` ended with {code}")
        self._narrator.phases(_phases(entries))

    def _verify(self, name: str) -> None:
        self._narrator.log("Can it be believed?", f"workflow audit verify {name}")
        if self._terminal:
            if code := self._stage.show("audit", "verify", name):
                raise StepFailed(f"`workflow audit verify` ended with {code}")
            return
        ran = self._stage.run("audit", "verify", name, "--json")
        _check(ran)
        self._narrator.verdict(ran.json())

    @property
    def _terminal(self) -> bool:
        """Whether the log is shown to a person by the command itself."""
        return console.interactive() and not self._narrator.quiet and not console.recorded()


def _check(ran: Ran) -> None:
    """Every command of the demo but one has to succeed."""
    if ran.code != 0:
        raise ran.failure()


def _phases(entries: Sequence[Entry]) -> list[str]:
    """The phases that the run went through, in order, each once."""
    states = [str((entry.body or {}).get("to") or "") for entry in entries]
    return list(dict.fromkeys(state.partition(".")[0] for state in states if state))


def _name(reply: Reply) -> str:
    if reply.session is None:
        raise StepFailed("the reply names no session")
    return reply.session


def _ask() -> str:
    """The approval, asked of whoever sits at the terminal; their words as they typed them. A no asks what to change."""
    console.say("")
    while True:
        typed: str = click.prompt("go ahead? (y = yes / type what to change)", prompt_suffix=" ")
        if not (denies(typed) or typed.strip().lower() == "n"):
            return typed.encode("utf-8", "replace").decode()
        console.say("Nothing is created. Type what should be different, or press Ctrl-C to end the demo.")


def _stopped(failure: Failure, code: int, as_json: bool) -> int:
    if as_json:
        print_json({"v": VERSION, "ok": False, "error": failure.as_json()})
    else:
        console.say("")
        console.labelled("stopped", failure.message, "red")
        if failure.hint:
            console.labelled("", failure.hint)
    return code
