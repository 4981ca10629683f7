"""A service that takes no key: its bundle runs for real, and no request carries one."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.guarded import write
from tests.playing import Player, player
from workflow.bundle import open_bundle
from workflow.engine.preview import KEY as SHOWN
from workflow.engine.preview import preview
from workflow.history.proof import prove
from workflow.model.errors import BundleError
from workflow.model.session import Turn

KEY = "sk-some-key-for-now-0001"
KEYS = {"": None, ", key: {env: ORDERS_KEY}": f"Bearer {KEY}", ", key: {env: ORDERS_KEY, scheme: ''}": KEY}
"""What a bundle says of its key → the header that its requests carry."""


class _Orders(ThreadingHTTPServer):
    """A service that takes anything, and keeps the headers of each request."""

    def __init__(self) -> None:
        self.headers: list[dict[str, str]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.headers.append({name.lower(): value for name, value in self.headers.items()})
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                content = json.dumps({"id": "a1b2c3d4e5", "state": "new"}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET

            def log_message(self, *args: object) -> None:
                """Nothing is printed."""

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.fixture
def orders() -> Iterator[_Orders]:
    """The service, on loopback."""
    with _Orders() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def bundle(folder: Path, orders: _Orders, key: str) -> Path:
    """A bundle whose own service is this one, with declared calls and one in Python."""
    write(folder, "then", 'return because("no")')
    yaml = (folder / "workflow.yaml").read_text()
    service = f"base_url: http://127.0.0.1:{orders.server_port}"
    (folder / "workflow.yaml").write_text(
        yaml.replace("base_url: http://127.0.0.1:9", service + key.replace(", ", "\n  ", 1))
    )
    return folder


def played(tmp_path: Path, folder: Path) -> Player:
    """A real session: no sandbox, the key in the environment."""
    return player(tmp_path, folder, None, environ={"ORDERS_KEY": KEY})


@pytest.mark.parametrize("key", KEYS)
def test_a_bundle_runs_for_real_with_and_without_a_key(tmp_path: Path, orders: _Orders, key: str) -> None:
    """A paid call and a look: each request carries the key that the bundle names, or no `Authorization` at all."""
    play = played(tmp_path, bundle(tmp_path / "guarded", orders, key))
    play.start({"words": "a poster"})
    shown = preview(play.engine, play.name, Turn("approve", quote="yes, please", seen=play.reply.seen))
    assert shown.trouble is None and shown.request is not None
    assert (SHOWN in str(shown.request["headers"])) == bool(key)
    play.send("approve", quote="yes, please")
    play.engine.look(play.name)
    assert (play.reply.state, play.reply.error) == ("a.waiting", None)
    assert [each.get("authorization") for each in orders.headers] == [KEYS[key]] * 2
    assert all(claim.holds for claim in prove(play.engine, play.name).claims)
    assert KEY not in str([entry.body for entry in play.journal()])


@pytest.mark.parametrize("key", ["{}", "{header: Private-Token}", "{scheme: ''}", "{set_with: orders login}"])
def test_a_key_without_a_place_is_refused(tmp_path: Path, orders: _Orders, key: str) -> None:
    """A table that says how a key is sent, and not where it is: nobody can tell what is meant."""
    folder = bundle(tmp_path / "guarded", orders, f", key: {key}")
    with pytest.raises(BundleError, match="`key` names no place: write `env` or `file`, or leave `key` out"):
        open_bundle(folder)
