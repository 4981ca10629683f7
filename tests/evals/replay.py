"""The scenarios of a bundle, played by an agent on a surface: each text that it reads there is kept."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import anyio

from tests.evals.replies import ROOT, tried
from tests.evals.surfaces import Home, Json, Mcp, Shell, Surface, client, shell
from tests.mcp.host import Person, agree, decline
from workflow.author.people import Roles, by_themselves
from workflow.author.scenario_file import Script, find, read
from workflow.author.scenario_grammar import FileTable, StepTable
from workflow.author.stand import make_sandbox
from workflow.compose import open_engine
from workflow.local.approvers import Approvers
from workflow.model.duration import seconds
from workflow.model.session import Turn
from workflow.service.sandbox.protocol import Sandbox

_MOST_LOOKS = 100
_PASSPHRASE = "four plain words here"
OPENED: Mapping[str, Callable[[Home], AbstractAsyncContextManager[Shell | Mcp]]] = {
    "shell": shell,
    "mcp": client,
    "forms": lambda home: client(home, Person(agree)),
    "declined forms": lambda home: client(home, Person(decline)),
}
"""The ways in which an agent can have the procedure."""


@dataclass
class Replay:
    """One scenario: its turns go through the surface, what happens around them does not."""

    script: Script
    home: Home
    sandbox: Sandbox
    surface: Surface
    reply: Json = field(default_factory=dict)
    tokens: dict[str, Any] = field(default_factory=dict)
    name: str = ""

    async def play(self) -> None:
        """Every step; what its ``then`` expects is the business of `workflow test`."""
        for name, content in self.script.document.given.files.items():
            self._save(name, content)
        for fault in self.script.document.given.faults:
            self.sandbox.fault(fault.fault, on=fault.on, times=fault.times, **fault.options)
        self._hold(self.script.document.given.people)
        for step in self.script.document.when:
            await self._step(step)

    async def _step(self, step: StepTable) -> None:
        if step.send is not None:
            await self._send(step)
        elif step.listen:
            self._heard(await self.surface.advance(self.name, None, {}))
        elif step.look is not None:
            self._look(step.look)
            self._heard(await self.surface.advance(self.name, None, {}))
        elif step.pass_ is not None:
            self.home.clock.pass_(seconds(step.pass_))
        elif step.break_ is not None:
            fault = step.break_
            self.sandbox.fault(fault.fault, on=fault.on, times=fault.times, **fault.options)
        elif step.mend:
            self.sandbox.clear()
        self._hold(step.people or {})
        for name, content in (step.save or {}).items():
            self._save(name, content)

    async def _send(self, step: StepTable) -> None:
        given = self._filled(step.input)
        language = step.language or self.script.document.given.language or "en"
        if not self.name:
            self._heard(await self.surface.start(given, language))
            return
        if step.by:
            self._answer(step, given)
            self._heard(await self.surface.advance(self.name, None, {}))
            return
        turn = {"input": given, "quote": step.quote, "items": step.items, "seen": self.tokens.get(step.seen)}
        self._heard(await self.surface.advance(self.name, step.send, turn))

    def _heard(self, reply: Json) -> None:
        self.reply = reply
        self.name = self.name or reply.get("session") or ""
        if reply.get("seen"):
            self.tokens = {"old": self.tokens.get("last"), "last": reply["seen"]}

    def _answer(self, step: StepTable, given: Any) -> None:
        """A person does, by themselves: the agent reads afterwards where the session stands."""
        engine = open_engine()
        turn = Turn(step.send, given, quote=step.quote, items=None if step.items is None else tuple(step.items))
        engine.advance(self.name, by_themselves(engine, self.name, turn, step.by or ""), language=step.language)

    def _hold(self, people: Roles) -> None:
        """These people hold these roles from now on, and no others."""
        known = Approvers(self.home.folder / "config", self.home.clock)
        for name, roles in people.items():
            if any(each.name == name for each in known.known()):
                known.remove(name, _PASSPHRASE)
            known.add(name, _PASSPHRASE, "2026-11-30T09:00:00.000Z", tuple(roles))

    def _look(self, most: int) -> None:
        engine = open_engine()
        for _ in range(min(most, _MOST_LOOKS)):
            found = engine.look(self.name)
            if found.moved:
                return
            self.home.clock.sleep(found.every)

    def _save(self, name: str, content: str | FileTable) -> None:
        with (self.home.folder / name).open("wb") as file:
            if isinstance(content, FileTable):
                file.truncate(content.size)
            else:
                file.write(content.encode())

    def _filled(self, value: Any) -> Any:
        if isinstance(value, str):
            found = self.sandbox.found[-1] if self.sandbox.found else ""
            return value.replace("${sandbox}", self.sandbox.url).replace("${found}", found)
        if isinstance(value, Mapping):
            return {name: self._filled(each) for name, each in value.items()}
        return [self._filled(each) for each in value] if isinstance(value, list) else value


@cache
def printed(name: str, surface: str) -> tuple[tuple[str, str], ...]:
    """What an agent reads in all scenarios of a bundle: the scenario, and a line."""
    return tuple((file.stem, line) for file in find(ROOT / name) for line in _lines(name, file, surface))


def _lines(name: str, file: Path, surface: str) -> Iterator[str]:
    script, bundle = read(file), tried(name).bundle
    given = script.document.given
    sandbox = make_sandbox(bundle, given.sandbox)
    with tempfile.TemporaryDirectory(prefix="phasegate-evals-") as folder:
        sandbox.start()
        try:
            home = Home(
                Path(folder).resolve(), sandbox.url, bundle=str(bundle.path), settings=given.settings, gates=given.gates
            )

            async def play() -> list[str]:
                async with OPENED[surface](home) as on:
                    await Replay(script, home, sandbox, on).play()
                    return on.printed

            yield from anyio.run(play)
        finally:
            sandbox.stop()
