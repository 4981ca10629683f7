"""The only place where real parts meet: store, clock, bundles and the service become an engine."""

from __future__ import annotations

import ipaddress
import os
import shlex
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from workflow.bundle import Bundle, open_bundle, packaged
from workflow.bundle.shelf import Shelf
from workflow.engine import Engine, View, World
from workflow.local.clock import SystemClock
from workflow.local.paths import home_folder, typed_path
from workflow.local.readable import check_code
from workflow.local.settings import Settings, read_settings
from workflow.machine import definition
from workflow.model.database_address import Address
from workflow.model.errors import CredentialsError, UsageError
from workflow.model.frozen import Noun, replace
from workflow.model.ports import Clock, Connection, Service, Store
from workflow.model.session import Session
from workflow.model.signature import Assertion, Signature
from workflow.model.surface import Machine
from workflow.service.key import Key, read_key
from workflow.store.read_only import ReadOnlyStore
from workflow.store.reader import SqliteReader
from workflow.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from workflow.store.postgres.queries import PostgresReader

SANDBOX_PORT = 8765
"""Where `workflow sandbox` serves unless it is told otherwise."""


class Surroundings(Noun):
    """Where sessions that begin now belong: ``service`` or ``sandbox`` is an address, ``key`` and ``store`` sentences.

    A host may have kept from this process what its user set, so that a session would be real without their knowledge.
    """

    service: str
    sandbox: str | None
    key: str
    store: str

    def told(self, subject: str) -> str:
        """All of it, for an agent; never a part of the key."""
        if self.sandbox:
            return f"{subject} runs in the sandbox at {self.sandbox}: nothing in it is real. {self.store}"
        return f"{subject} is real: its calls reach {self.service} and may cost money. {self.key} {self.store}"


def open_engine(
    *,
    state: Path | None = None,
    store: Store | None = None,
    clock: Clock | None = None,
    environ: Mapping[str, str] | None = None,
    base: Path | None = None,
    settings: Settings | None = None,
    verifies: bool = False,
) -> Engine:
    """An engine on the user's own store, configuration and key; every part can be given instead.

    ``state`` is the folder of the store, ``base`` what relative names of files start from (default: the
    working directory). An engine that ``verifies`` checks each whole journal when it first loads it. Raises
    :class:`WorkflowError` if a part cannot be had.
    """
    environ = os.environ if environ is None else environ
    settings = settings or read_settings(environ)
    folder = state or settings.state
    kept = store or open_store(settings, verifies=verifies, folder=folder)
    world = _world(kept, clock or SystemClock(), _opener(kept), settings, environ, folder)
    return Engine(replace(world, base=base or world.base, folder=None if store else folder))


def open_view(
    *,
    reader: SqliteReader | PostgresReader | None = None,
    environ: Mapping[str, str] | None = None,
    settings: Settings | None = None,
) -> View:
    """What can be seen of the sessions of the user's store, or of ``reader``'s; nothing is created or changed.

    It may lie where nothing can be written, or be another user's: then none of that user's code is run. Raises
    :class:`WorkflowError` for a store that cannot be read, or that a third user could have written.
    """
    environ = os.environ if environ is None else environ
    settings = settings or read_settings(environ)
    read = reader or open_reader(settings)
    kept = cast(Store, ReadOnlyStore(read))
    opener = _opener(kept, read.owner)
    world = _world(kept, SystemClock(), opener, settings, environ, settings.state)
    return View(replace(world, notices=_whose(read)))


def open_store(settings: Settings, *, verifies: bool = False, folder: Path | None = None) -> Store:
    """The user's store, to take turns in: the database that the settings name, or else the file in ``folder``.

    On a database, ``folder`` is where this host's ledger lies. By default it is the folder of the settings.
    """
    folder = folder or settings.state_folder
    if not settings.store:
        return SqliteStore(folder, verifies=verifies, ledger=ledger_of(settings))
    with _driver():
        from workflow.store.postgres.store import PostgresStore  # only a store on a database loads its driver
    return PostgresStore(settings.store, folder, verifies=verifies, ledger=ledger_of(settings))


def open_reader(settings: Settings, *, verifies: bool = False) -> SqliteReader | PostgresReader:
    """The same, to look at: nothing is created or changed."""
    if not settings.store:
        return SqliteReader(settings.state_folder, verifies=verifies, ledger=ledger_of(settings))
    with _driver():
        from workflow.store.postgres.queries import PostgresReader
    return PostgresReader(settings.store, settings.state_folder, verifies=verifies, ledger=ledger_of(settings))


def migrate_store(settings: Settings, role: str = "") -> str:
    """Make the tables of the database that the settings name, and let ``role`` use them; returns what was done."""
    if not settings.store:
        hint = "Set PHASEGATE_STORE to the address of one, with a role that may create a schema in it."
        raise UsageError("there is no database to migrate", hint)
    with _driver():
        from workflow.store.postgres.schema import migrate
    return migrate(settings.store, role)


def shown_store(settings: Settings) -> str:
    """Where the store is: a database without its password, or the folder of the file."""
    if not settings.store:
        return str(settings.state_folder)
    return Address(settings.store).shown


@contextmanager
def _driver() -> Iterator[None]:
    """Imports within need the extra `postgres`; raises :class:`UsageError` where it is not installed."""
    try:
        yield
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("psycopg", "psycopg_binary") and "libpq" not in str(error):
            raise
        hint = "Install psycopg[binary], version 3.3 or later, into the same Python: the extra 'postgres'."
        raise UsageError(
            "PHASEGATE_STORE names a PostgreSQL database, and its driver is not installed", hint
        ) from error


def _world(
    store: Store,
    clock: Clock,
    open_bundle: Callable[[str], Bundle],
    settings: Settings,
    environ: Mapping[str, str],
    folder: Path | None,
) -> World:
    return World(
        store=store,
        clock=clock,
        open_bundle=open_bundle,
        connect=_Connector(settings, environ),
        nonce=lambda: os.urandom(12).hex(),
        choose=_choose,
        base=_here(),
        home=home_folder(environ),
        folder=folder,
        forbidden=tuple(each for each in (folder, settings.file and settings.file.parent) if each),
        policy=settings.gates,
        settings=settings.settings,
        limits=settings.limits,
        report=store.note_fault,
        listens=_listens,
        people=lambda: _people(settings),
        passkeys=_Passkeys(settings),
    )


def _people(settings: Settings) -> Mapping[str, Sequence[str]]:
    """Who holds which role and which passkey, as it stands in the file of approvers now."""
    from workflow.local.approvers import Approvers  # only a bundle with roles, or a signed answer, asks for it

    return Approvers(settings.own_folder, SystemClock()).people()


class _Passkeys:
    """Those of the file of approvers as it stands; only an answer that one has signed loads what checks them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def signed(self, approver: str | None, assertion: Assertion | None) -> Signature | str:
        """The signature of one of the approver's confirmed passkeys, or why it is none."""
        from workflow.local.approvers import Approvers
        from workflow.local.passkeys import signed

        return signed(Approvers(self._settings.own_folder, SystemClock()), approver, assertion)

    def why_not(self, signature: Signature) -> str:
        """Why its key has not signed what it says; empty if it has."""
        from workflow.local.passkeys import why_not

        return why_not(signature)


def _whose(reader: SqliteReader | PostgresReader) -> tuple[str, ...]:
    """A notice for whoever reads the store of another user."""
    if reader.owner in (None, os.geteuid()):
        return ()
    return (f"This store belongs to another user (uid {reader.owner}): what it says is that user's word.",)


def ledger_of(settings: Settings) -> Path | None:
    """The second ledger of paid calls, if the configuration names one."""
    return Path(settings.ledger) if settings.ledger else None


def beginning(
    settings: Settings, *, bundle: str | None = None, language: str | None = None, host: str | None = None
) -> dict[str, Any]:
    """What a new session starts with, beside its turn: what is given, before what the user has set."""
    folder = bundle or settings.bundle
    return {
        "bundle": str(bundle_folder(folder, settings)) if folder else "",
        "language": language or settings.language or None,
        "host": host or settings.host,
        "profile": settings.profile,
        "sandbox": check_sandbox(settings.sandbox) if settings.sandbox else None,
    }


def surroundings(service: definition.Service, settings: Settings, environ: Mapping[str, str]) -> Surroundings:
    """Where a session of this service belongs that begins with these settings, as :func:`beginning` has them."""
    key = "" if settings.sandbox else _place_of_key(service, environ)
    return Surroundings(service.base_url, settings.sandbox or None, key, f"The store is {shown_store(settings)}.")


def _place_of_key(service: definition.Service, environ: Mapping[str, str]) -> str:
    if service.keyless:
        return "It takes no key."
    env, file, home = service.key_env, service.key_file, home_folder(environ)
    try:
        return f"The key is read from {read_key(env, file, environ, home, command=service.key_command).source}."
    except CredentialsError as error:
        return error.message


@lru_cache(maxsize=8)
def check_sandbox(url: str) -> str:
    """The address of a sandbox: http on loopback, nothing else; raises :class:`UsageError`."""
    parts = urllib.parse.urlsplit(url)
    try:
        loopback = parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname or "").is_loopback
        port = parts.port
    except ValueError:
        loopback, port = False, None
    if parts.scheme != "http" or not loopback or not port or parts.path not in ("", "/") or parts.query or "@" in url:
        raise UsageError(
            f"PHASEGATE_SANDBOX is {url[:80]!r}, which is no sandbox",
            Machine("It must be the address that `workflow sandbox` prints, such as http://127.0.0.1:8765."),
        )
    return url.rstrip("/")


def bundle_folder(given: str | None, settings: Settings) -> Path:
    """Which bundle: the one that is given, else the user's choice, else the packaged one."""
    folder = given or settings.bundle
    return Path(typed_path(folder)).resolve() if folder else packaged()


def connect(bundle: Bundle, sandbox: str | None, settings: Settings, environ: Mapping[str, str]) -> Connection:
    """The bundle's own service with the user's key, or the sandbox at this address with the sandbox's key.

    A service that takes no key is called without one.
    """
    service = bundle.definition.service
    if sandbox:
        key, address = Key(service.sandbox_key, "the sandbox", ()), check_sandbox(sandbox)
        place = {"place": f"the sandbox at {address}"}
        return _connection(
            service, address, lambda: key, lambda obstacle: _sandbox_advice(address, bundle, settings), place
        )
    home = home_folder(environ)
    ways = {"proxy": settings.proxy or None, "ca_file": settings.ca_file or None}
    file, command = service.key_file, service.key_command
    return _connection(
        service,
        service.base_url,
        None if service.keyless else lambda: read_key(service.key_env, file, environ, home, command=command),
        lambda obstacle: _network_advice(environ, settings, obstacle),
        ways,
    )


def _listens(address: str) -> str:
    """A turn does not load it: only lists and reports ask."""
    from workflow.service.probe import listens

    return listens(check_sandbox(address))


def _sandbox_advice(address: str, bundle: Bundle, settings: Settings) -> Machine:
    """How the sandbox of a session is started, at its address."""
    command = sandbox_command(address, None if bundle.path == bundle_folder(None, settings) else bundle.path)
    return Machine(f"Is `{command}` running? `workflow doctor` checks.")


def sandbox_command(address: str, bundle: Path | None = None) -> str:
    """The command that starts a sandbox at this address, of the user's own bundle unless another is given."""
    port = urllib.parse.urlsplit(address).port
    command = ["workflow", "sandbox", *(["--bundle", str(bundle)] if bundle else [])]
    return shlex.join([*command, *(["--port", str(port)] if port != SANDBOX_PORT else [])])


def _network_advice(environ: Mapping[str, str], settings: Settings, obstacle: str) -> Machine:
    """A turn whose call succeeds does not load it."""
    from workflow.local.network import advice

    return advice(environ, settings, obstacle)


def _opener(store: Store, owner: int | None = None) -> Callable[[str], Bundle]:
    """Bundles by path, the packaged one without; what was checked once is kept in the store.

    A store of another ``owner`` names bundles, and marks of bundles, that are not believed.
    """
    if owner in (None, os.geteuid()):
        shelf = Shelf(store.definition, store.keep_definition)
        return lambda path: shelf.open(path or str(packaged()))

    def open_checked(path: str) -> Bundle:
        if path:
            check_code(Path(path))
        return open_bundle(Path(path) if path else packaged())

    return open_checked


class _Connector:
    """The service of a session, which has its sandbox pinned."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._environ = environ

    def __call__(self, bundle: Bundle, session: Session) -> Connection:
        return connect(bundle, session.sandbox, self._settings, self._environ)


def _here() -> Path:
    """The working directory; where it is gone, relative names of files lead nowhere."""
    try:
        return Path.cwd()
    except OSError:
        return Path("/")


def _choose(words: Sequence[str]) -> str:
    """One of some two hundred words, by chance; `secrets` would cost each turn its import."""
    return words[int.from_bytes(os.urandom(4), "big") % len(words)]


def _connection(
    at: definition.Service,
    base_url: str,
    read: Callable[[], Key] | None,
    advice: Callable[[str], str],
    ways: Mapping[str, str | None],
) -> Connection:
    """``read`` gets the key, None where none is sent.

    ``ways`` is how to get there, and ``advice`` what to do if it fails: for :class:`workflow.service.http.Http`.
    """
    held: list[str] = []
    notices: list[str] = []

    def key() -> str:
        """The key is read once for a turn, so that nothing is sent with one key and checked with another."""
        if read is None:
            return ""
        if not held:
            found = read()
            held.append(found.value)
            notices.extend(found.notices)
        return held[0]

    def make_service() -> Service:
        """The guarded HTTP layer: a turn that calls nothing does not load it."""
        from workflow.service.http import Http

        options: dict[str, Any] = {**ways, "advice": advice}
        return Http(base_url, key if read else None, key_header=at.key_header, key_scheme=at.key_scheme, **options)

    return Connection(base_url, make_service, key, notices, advice)
