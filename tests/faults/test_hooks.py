"""Each hook of requests and urllib3 that the HTTP layer overrides: the library calls it, and it is still needed."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection

from tests.faults.test_http import (  # noqa: F401  # fixtures are found by their names
    Listener,
    Serve,
    answer,
    certificate,
    clean_environment,
    client,
    over,
    serve,
    server_tls,
    tunnel,
)
from workflow.model.errors import ActionError, HostNotAllowed, NoAnswer, Unreachable
from workflow.service import http
from workflow.service.connection import Wire

LARGE = 64 * 1024 * 1024
"""Bytes of a body that no buffer between two sockets holds."""
Holds = Callable[["Calls"], bool]


class Calls:
    """A service with TLS, one without, and a proxy; and what a call to them can be seen to do."""

    def __init__(self, serve: Serve, tls: ssl.SSLContext, authority: Path) -> None:  # noqa: F811
        self._serve, self._tls, self._authority = serve, tls, authority

    def plain(self, script: Any = None) -> None:
        """A call without TLS."""
        client(self._serve(script or answer()).url).call("GET", "/v1/x", timeout=5)

    def secure(self) -> tuple[http.Http, int]:
        """A call with TLS through a proxy; the client, and how many authorities it trusted before."""
        service = self._serve(answer(), tls=self._tls)
        proxy: Listener = self._serve(lambda line: tunnel(line, proxy.requests[-1]))
        made = client(service.url, ca_file=str(self._authority), proxy=proxy.url)
        trusted = len(http.tls_context(str(self._authority)).get_ca_certs())
        made.call("GET", "/v1/x", timeout=5)
        return made, trusted

    def stops_at_the_last_door(self) -> bool:
        """Whether a request for another host is stopped by the adapter itself."""
        service, thief, wire = self._serve(answer()), self._serve(answer()), Wire(5)
        made = http._client()[1](http._parse_base(service.url), wire, None)
        try:
            made.send(requests.Request("GET", thief.url).prepare(), timeout=5).close()
        except HostNotAllowed:
            return not thief.connections
        finally:
            made.close()
            wire.close()
        return False

    def body_of_a_redirect(self) -> int:
        """Bytes of a redirect's body that the client takes before it hangs up."""
        taken = [0]

        def large(line: socket.socket) -> None:
            line.sendall(f"HTTP/1.1 302 X\r\nLocation: /\r\nContent-Length: {LARGE}\r\n\r\n".encode())
            while taken[0] < LARGE:
                line.sendall(b"x" * 65536)
                taken[0] += 65536

        with suppress(ActionError):
            self.plain(large)
        return taken[0]

    def cut_short(self) -> ActionError:
        """The error of a call whose connection ends before the answer."""
        try:
            self.plain(lambda line: None)
        except ActionError as error:
            return error
        raise AssertionError("an empty answer was taken for one")


@pytest.fixture
def calls(serve: Serve, server_tls: ssl.SSLContext, certificate: Path) -> Calls:  # noqa: F811
    """A place to call."""
    return Calls(serve, server_tls, certificate)


def _over_the_wire(act: Callable[[], object]) -> bool:
    """Whether every connection of a call was opened by its wire, which has the deadline."""
    opened = []
    real = Wire.open

    def seen(wire: Wire, host: str, port: int) -> socket.socket:
        opened.append(port)
        return real(wire, host, port)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Wire, "open", seen)
        with suppress(ActionError):
            act()
    return bool(opened)


def _trusts_the_named_authority(calls: Calls) -> bool:
    try:
        calls.secure()
    except Unreachable:
        return False
    return True


def _trusts_no_other(calls: Calls) -> bool:
    made, before = calls.secure()
    assert made._tls is not None
    return len(made._tls.get_ca_certs()) == before


NEEDED: dict[str, Holds] = {
    "Session.get_redirect_target": lambda calls: calls.body_of_a_redirect() < LARGE,
    "Adapter.init_poolmanager": lambda calls: _over_the_wire(calls.plain),
    "Adapter.proxy_manager_for": lambda calls: _over_the_wire(calls.secure),
    "Adapter.build_connection_pool_key_attributes": _trusts_the_named_authority,
    "Adapter.cert_verify": _trusts_no_other,
    "Adapter.send": lambda calls: calls.stops_at_the_last_door(),
    "Wired._new_conn": lambda calls: _over_the_wire(calls.plain),
    "Wired.connect": lambda calls: isinstance(calls.cut_short(), NoAnswer),
}
"""Hook → what is true with it, and false where the library's own method stands in its place."""


def _ours() -> Iterator[tuple[type, type]]:
    """Our classes that stand on one of the library's, each with the class that it stands in front of."""
    http._client()
    bases: tuple[type, ...] = (requests.Session, HTTPAdapter, HTTPConnection)
    for base in bases:
        for made in _below(base):
            for each in made.__mro__:
                if each.__module__ == http.__name__:
                    yield each, base


def _below(base: type) -> Iterator[type]:
    found: list[type] = base.__subclasses__()
    for each in found:
        yield each
        yield from _below(each)


def hooks() -> dict[str, tuple[type, type]]:
    """Every method of the library that a class of ours replaces."""
    return {
        f"{ours.__name__}.{name}": (ours, base)
        for ours, base in _ours()
        for name, value in vars(ours).items()
        if callable(value) and name != "__init__" and hasattr(base, name)
    }


def test_every_hook_has_a_test() -> None:
    """What is overridden is listed above; a hook that the library no longer has would be missing here."""
    assert set(hooks()) == set(NEEDED)


@pytest.mark.parametrize("hook", NEEDED)
def test_the_library_calls_the_hook(hook: str, calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ordinary call, with and without TLS and a proxy, goes through each of them."""
    ours, _ = hooks()[hook]
    name = hook.partition(".")[2]
    real, seen = vars(ours)[name], []

    def spy(*args: Any, **kwargs: Any) -> Any:
        seen.append(name)
        return real(*args, **kwargs)

    monkeypatch.setattr(ours, name, spy)
    calls.plain()
    calls.secure()
    assert seen


@pytest.mark.parametrize("hook", NEEDED)
def test_without_the_hook_something_is_lost(hook: str, calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    """So no hook stays behind when the library does by itself what it was for."""
    assert NEEDED[hook](calls)
    ours, _ = hooks()[hook]
    monkeypatch.delattr(ours, hook.partition(".")[2])
    assert not NEEDED[hook](calls)
