"""The bundle of :mod:`tests.roles` with the real file of approvers: people who sign with devices of their own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.passkeys import ORIGIN, Authenticator
from tests.playing import settings_in
from tests.roles import PEOPLE, Signing
from workflow.compose import open_engine
from workflow.engine.question import Question
from workflow.local.approvers import Approvers, Device
from workflow.machine import gates
from workflow.model.ports import Store
from workflow.model.reply import Reply
from workflow.model.session import Turn
from workflow.store.memory import MemoryStore
from workflow.store.sqlite import SqliteStore
from workflow.web import passkey

PASSPHRASE = "harbour lamp on water"
SINCE = "2027-01-15T08:00:00.000Z"
CHALLENGE = b"this browser's own, for pairing!"


class SignedBy(Signing):
    """Everybody of ``PEOPLE`` is an approver, with a confirmed device. ``policy`` raises gates."""

    def __init__(self, folder: Path, policy: Mapping[str, str] | None = None, *, on_disk: bool = False) -> None:
        super().__init__(folder)
        self.store: Store = SqliteStore(folder / "state") if on_disk else MemoryStore()
        self.approvers = Approvers(folder / "config", self.clock)
        self.devices: dict[str, Authenticator] = {}
        self.policy = dict(policy or {})

    def __enter__(self) -> SignedBy:
        super().__enter__()
        base = self.folder.parent
        settings = settings_in(base, gates=self.policy)
        environ = {"HOME": str(base)}
        self.play.engine = open_engine(
            store=self.store, clock=self.clock, environ=environ, base=base, settings=settings
        )
        names = dict.fromkeys(name for names in PEOPLE.values() for name in names)
        for name in names:
            self.approvers.add(name, PASSPHRASE, SINCE, [role for role, held in PEOPLE.items() if name in held])
        return self

    def paired(self, person: str, *, confirmed: bool = True, device: Authenticator | None = None) -> Device:
        """A device of this person; it replaces the one that they answer with."""
        made = device or Authenticator()
        options = passkey.creation_options(self.approvers, ORIGIN, person, CHALLENGE)
        response = made.create(options)
        found = passkey.pair(self.approvers, ORIGIN, person, CHALLENGE, response, name=f"{person}'s phone", since=SINCE)
        self.devices[person] = made
        if confirmed:
            assert self.approvers.confirm(person, PASSPHRASE, found.fingerprint, SINCE).proven
        return found

    def turn(self, person: str, event: str, asked: Question | None = None, declines: str | None = None) -> Turn:
        """A person's yes, or their no to a gate, as the page makes it of its form."""
        asked = asked or self.question()
        gate = asked.definition.gates[declines or asked.definition.events[event].gate or ""]
        given = {"reason": "the hotel is missing"} if declines else {}
        return Turn(
            event,
            given,
            quote=f"yes, says {person}",
            about=gates.question(asked.definition, gate, asked.session),
            expect_revision=asked.session.revision,
            channel="page",
            strength="asked",
            approver=person,
            asked_at=asked.at,
            declines=declines,
        )

    def options(self, turn: Turn) -> Mapping[str, Any]:
        """What the browser is asked to have signed."""
        found = passkey.request_options(self.approvers, ORIGIN, self.play.engine, self.play.name, turn)
        assert found is not None, "there is nothing to sign"
        return found

    def touched(self, turn: Turn, person: str = "", **bent: Any) -> dict[str, Any]:
        """What the device of the turn's approver, or another ``person``'s, signs for it."""
        return self.devices[person or turn.approver or ""].get(self.options(turn), **bent)

    def send(self, turn: Turn, response: Mapping[str, Any]) -> Reply:
        """The turn with what a browser sent, as the page takes it."""
        ready = passkey.answered(self.approvers, ORIGIN, self.play.engine, self.play.name, turn, response)
        return self.take(ready)

    def take(self, turn: Turn) -> Reply:
        """The turn as it is."""
        self.play.reply = self.play.engine.advance(self.play.name, turn)
        self.play.engine.confirm(self.play.reply)
        return self.play.reply

    def sign(self, person: str, event: str, declines: str | None = None) -> Reply:
        """Look, touch and send."""
        turn = self.turn(person, event, declines=declines)
        return self.send(turn, self.touched(turn))
