"""A page that is served over real sockets, its people, and their browsers."""

from __future__ import annotations

import html
import re
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests import signing
from tests.playing import HandClock, settings_in
from tests.roles import REPORT, YAML, write
from workflow.bundle import open_bundle
from workflow.compose import open_engine
from workflow.engine import Engine
from workflow.local.browsers import ANSWERS, Browsers
from workflow.mcp_server.broker import Broker
from workflow.mcp_server.rate_limit import Pace
from workflow.mcp_server.sockets import Sockets
from workflow.model.frozen import replace
from workflow.model.journal import Entry
from workflow.model.reply import Reply
from workflow.model.session import Turn
from workflow.service.sandbox.table import Answers
from workflow.store.sqlite import SqliteStore
from workflow.web.front import Front
from workflow.web.page import Page
from workflow.web.seals import Seals

SECRET = b"a secret of thirty-two bytes, ok"
PATIENCE = 60.0
PEOPLE = {
    "erin": ("employee",),
    "max": ("employee", "manager"),
    "mona": ("manager",),
    "ada": ("board",),
    "bob": ("board",),
}
"""Approver → roles."""
FIELD = re.compile(r'<input type="hidden" name="([\w.]+)" value="([^"]*)">')


class Waits:
    """Nothing waits but what a test ends."""

    def stop(self) -> None:
        """Nothing to end."""


@dataclass
class Site:
    """A store with a bundle of roles, and a page over it. ``people`` may be changed while it is served."""

    folder: Path
    bundle: Path
    sandbox: Answers
    url: str = ""
    clock: HandClock = field(default_factory=HandClock)
    people: dict[str, Sequence[str]] = field(default_factory=lambda: dict(PEOPLE))
    policy: dict[str, str] = field(default_factory=dict)
    clients: list[httpx2.Client] = field(default_factory=list)
    page: Page = field(init=False)

    def __post_init__(self) -> None:
        self.store = SqliteStore(self.folder / "state")
        browsers = Browsers(self.folder / "config", self.clock)
        self.page = Page(self.engine, Seals(SECRET), browsers, lambda: self.people)

    @property
    def port(self) -> int:
        """Where it is served."""
        return int(self.url.rpartition(":")[2])

    def engine(self) -> Engine:
        """As each request opens it."""
        made = open_engine(
            store=self.store,
            clock=self.clock,
            environ={"HOME": str(self.folder)},
            base=self.folder,
            settings=settings_in(self.folder, gates=self.policy),
        )
        if self.page.keys:  # then the people are those of the file of approvers, with their devices
            return made
        roles = {role for held in self.people.values() for role in held}
        table = {role: tuple(name for name, held in self.people.items() if role in held) for role in roles}
        return Engine(replace(made.world, people=lambda: table))

    def begin(self, *, big: bool = False, **given: Any) -> Reply:
        """A report that waits for the employee."""
        turn = Turn("start", {**REPORT, **given, "big": big})
        return self.engine().start(turn, bundle=str(self.bundle), sandbox=self.sandbox.url, host="openclaw")

    def start(self, **given: Any) -> Reply:
        """A session of whatever bundle this is."""
        return self.engine().start(Turn("start", given), bundle=str(self.bundle), sandbox=self.sandbox.url)

    def settled(self, name: str) -> Reply:
        """Where the session stands once no turn is at work on it."""
        with self.store.hold(name, PATIENCE):
            pass
        return self.engine().status(name)

    def journal(self, name: str, *kinds: str) -> list[Entry]:
        """The entries of these kinds, or all."""
        return [each for each in self.store.entries(name) if not kinds or each.kind in kinds]

    def place(self, name: str, rest: str = "") -> str:
        """Where a session is on the page."""
        return f"/s/{self.page.seals.address(name)}{rest}"

    def stranger(self, **headers: str) -> Browser:
        """A browser that is not signed in."""
        client = httpx2.Client(base_url=self.url, trust_env=False, headers=headers, timeout=PATIENCE)
        self.clients.append(client)
        return Browser(self, client)

    def browser(self, person: str, scope: str = ANSWERS, **headers: str) -> Browser:
        """A browser that this person has paired, as a person does: link, button."""
        made = self.stranger(**headers)
        link = self.page.browsers.invite(person, scope)
        made.get(f"/pair?link={link}")
        assert made.post("/pair", {"link": link}).status_code == 303
        return made


@dataclass
class Browser:
    """A client that keeps cookies and follows nothing by itself."""

    site: Site
    client: httpx2.Client

    def get(self, path: str, **headers: str) -> httpx2.Response:
        """One page."""
        return self.client.get(path, headers=headers)

    def post(self, path: str, data: Mapping[str, Any], **headers: str) -> httpx2.Response:
        """One form, as a browser sends it."""
        return self.client.post(path, data=data, headers={"origin": self.site.url, **headers})

    def asked(self, name: str) -> list[dict[str, str]]:
        """The forms of a session's question: the hidden fields of each."""
        return forms(self.get(self.site.place(name, "/question")).text, "/answer")

    def answer(self, name: str, event: str, **given: Any) -> httpx2.Response:
        """Look at a session's question, and answer it."""
        (form,) = [each for each in self.asked(name) if each["event"] == event]
        return self.send(name, form, **given)

    def send(self, name: str, form: Mapping[str, str], **given: Any) -> httpx2.Response:
        """Send a form as it was shown, with what the person filled in; a yes unless told otherwise."""
        return self.post(self.site.place(name, "/answer"), {**form, "answer": "yes", **given})


def forms(page: str, action: str) -> list[dict[str, str]]:
    """The hidden fields of each form of a page whose address ends so."""
    found = re.findall(rf'<form method="post" action="[^"]*{re.escape(action)}".*?</form>', page, re.DOTALL)
    return [{name: html.unescape(value) for name, value in FIELD.findall(each)} for each in found]


@contextmanager
def served(site: Site, *, pace: Pace | None = None, sockets: Sockets | None = None) -> Iterator[Site]:
    """The site on a port of loopback, in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    hosts = [f"{name}:{port}" for name in ("127.0.0.1", "localhost")]
    broker = Broker(Front(site.page, hosts, sockets=sockets, pace=pace or Pace(burst=10_000)), Waits())
    thread = threading.Thread(target=broker.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    site.url = f"http://127.0.0.1:{port}"
    try:
        yield site
    finally:
        for client in site.clients:
            client.close()
        broker.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()


@contextmanager
def opened(folder: Path, bundle: Path | None = None, **given: Any) -> Iterator[Site]:
    """A site that is served, with its sandbox and store, which are closed at the end."""
    bundle = bundle or write(folder / "bundle", YAML)
    with Answers(open_bundle(bundle).definition) as sandbox:
        site = Site(folder, bundle, sandbox, **given)
        with served(site):
            yield site
        site.store.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """The bundle in which people of roles sign."""
    with opened(tmp_path) as found:
        yield found


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[Site]:
    """A bundle whose gate anybody may answer: the user in the conversation, or somebody on the page."""
    with opened(tmp_path, signing.write(tmp_path / "signing", signing.document([("ann",)]))) as found:
        yield found
