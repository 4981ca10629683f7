"""The world as the engine needs it: every port and setting that a turn depends on, in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from workflow.bundle import Bundle
from workflow.model.brakes import Limit
from workflow.model.fault import Fault
from workflow.model.frozen import Noun
from workflow.model.ports import Clock, Connection, Store
from workflow.model.session import Session
from workflow.model.signature import NO_PASSKEYS, Passkeys
from workflow.model.surface import SHELL, Surface


def ignore(fault: Fault) -> None:
    """Nobody reads it: what a user and a journal get of a fault is its kind."""


class World(Noun):
    """Real or injected: the store, the clock, bundles by path, the service of a session, the user's policy.

    ``forbidden`` are folders no file is read from, ``base`` is what relative names of files start from,
    ``home`` what ``~`` means, if the user has one, ``folder`` where the store lies, to name it. ``policy`` raises the
    strength of gates, ``settings`` are the user's values for the bundle's options, ``limits`` the user's own limits by
    action. ``report`` gets each fault in a bundle's own code, which only its author is shown. ``surface`` is where
    turns come from, and replies are shown.
    ``people`` reads who holds which role and which confirmed passkey, and raises :class:`CredentialsError` where nobody
    can tell. ``passkeys`` says whose passkey has signed an answer.
    ``notices`` are told to whoever looks, of the whole store: such as whose it is.
    ``listens`` says in a moment why nothing answers at the address of a sandbox; empty where something does.
    """

    store: Store
    clock: Clock
    open_bundle: Callable[[str], Bundle]
    connect: Callable[[Bundle, Session], Connection]
    nonce: Callable[[], str]
    choose: Callable[[Sequence[str]], str]
    base: Path
    home: Path | None
    folder: Path | None = None
    forbidden: tuple[Path, ...] = ()
    policy: Mapping[str, str] = {}
    settings: Mapping[str, Any] = {}
    limits: Mapping[str, Limit] = {}
    report: Callable[[Fault], None] = ignore
    surface: Surface = SHELL
    listens: Callable[[str], str] = lambda address: "nobody has asked"
    notices: tuple[str, ...] = ()
    people: Callable[[], Mapping[str, Sequence[str]]] = dict
    passkeys: Passkeys = NO_PASSKEYS
