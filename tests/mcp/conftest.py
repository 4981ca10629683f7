"""The reference bundle behind a server, against its sandbox, with a store that outlives servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.server.mcpserver import MCPServer

from phases.anygen.sandbox import Sandbox
from tests.mcp.host import ERAS, Host, Person, agree, connected
from tests.playing import HandClock, Player, settings_in
from workflow.compose import beginning, open_engine, surroundings
from workflow.engine import Engine
from workflow.local.settings import Settings
from workflow.mcp_server import Desk, make_server
from workflow.mcp_server.uploads import Spool
from workflow.store.sqlite import SqliteStore

REFERENCE = Path(__file__).parents[2]
SECRET = b"a secret of thirty-two bytes, ok"


@dataclass
class Place:
    """A folder, a store in it and a sandbox: any number of servers can be made there, one after another."""

    folder: Path
    sandbox: Sandbox
    clock: HandClock = field(default_factory=HandClock)
    policy: dict[str, str] = field(default_factory=dict)
    secret: bytes = SECRET

    def __post_init__(self) -> None:
        self.store = SqliteStore(self.folder / "state")

    def settings(self) -> Settings:
        """As they are at this moment."""
        return settings_in(self.folder, sandbox=self.sandbox.url, bundle=str(REFERENCE), gates=self.policy)

    def engine(self) -> Engine:
        """As a call opens it."""
        return open_engine(
            store=self.store,
            clock=self.clock,
            environ={"HOME": str(self.folder)},
            base=self.folder,
            settings=self.settings(),
        )

    def told(self, subject: str) -> str:
        """As `workflow mcp` tells it."""
        service = self.engine().world.open_bundle(str(REFERENCE)).definition.service
        return surroundings(service, self.settings(), {"HOME": str(self.folder)}).told(subject)

    def desk(self, spool: Spool | None = None, engine: Callable[[], Engine] | None = None) -> Desk:
        """What the calls of a server have in common; its engine is opened by ``engine``, if given."""
        return Desk(engine or self.engine, lambda: beginning(self.settings()), self.told, self.secret, spool)

    def server(self) -> MCPServer[Desk]:
        """A server that has just been started."""
        return make_server(self.desk, "Images")

    def player(self, name: str) -> Player:
        """The session, for looking at it and for turns beside the server."""
        engine = self.engine()
        return Player(engine, str(REFERENCE), self.sandbox.url, name, engine.status(name))

    def journal(self, name: str, kind: str) -> list[dict[str, Any]]:
        """What the entries of a kind say."""
        return [dict(entry.body or {}) for entry in self.store.entries(name) if entry.kind == kind]

    def created(self) -> int:
        """How often an image was paid for."""
        return sum(each.method == "POST" and each.path == "/v1/openapi/tasks" for each in self.sandbox.requests)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """The service is ready at the second prepare, done at the second look."""
    (tmp_path / "ref.png").write_bytes(b"a picture of brass")
    with Sandbox(rounds=2, looks=2) as sandbox:
        made = Place(tmp_path, sandbox)
        yield made
        made.store.close()


@pytest.fixture
def quick(place: Place) -> Place:
    """The plan is there at once."""
    place.sandbox.settings(rounds=1)
    return place


@pytest.fixture(params=sorted(ERAS))
def era(request: pytest.FixtureRequest) -> str:
    """Both protocol eras."""
    version: str = request.param
    return version


def talk(place: Place, era: str, play: Callable[[Host], Any], person: Person | None = None) -> Person:
    """Connect a client to a new server, play, and end the connection; the person agrees unless told otherwise."""
    known = person or Person(agree)

    async def run() -> None:
        async with connected(place.server(), era, known) as host:
            await play(host)

    anyio.run(run)
    return known
