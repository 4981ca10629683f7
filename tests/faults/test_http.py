"""Listeners on loopback that misbehave in every way a service, a proxy or a thief between could."""

from __future__ import annotations

import errno
import gzip
import os
import shutil
import socket
import socketserver
import ssl
import struct
import subprocess
import sys
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from workflow.model.errors import (
    ActionError,
    BadResponse,
    CredentialsError,
    HostNotAllowed,
    NoAnswer,
    Unreachable,
    UsageError,
)
from workflow.model.ports import Response, Upload
from workflow.service import http
from workflow.service.http import Http

KEY = "sk-ag-0123456789abcdefghij"
Script = Callable[[socket.socket], None]
Serve = Callable[..., "Listener"]


class Listener:
    """Accepts on loopback, records each request, and answers with a script that owns the socket."""

    def __init__(self, script: Script, *, reads: bool = True, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        listener = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                listener.connections += 1
                try:
                    line = tls.wrap_socket(self.request, server_side=True) if tls else self.request
                    if reads:
                        listener.requests.append(_read_request(line))
                    script(line)
                    if tls:
                        line.close()
                except OSError:
                    pass  # the client hung up: it may

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.port: int = self._server.server_address[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _read_request(line: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        if not (chunk := line.recv(65536)):
            return received
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    for row in head.split(b"\r\n"):
        if row.lower().startswith(b"content-length:"):
            while len(body) < int(row.split(b":")[1]) and (chunk := line.recv(65536)):
                body += chunk
    return head + b"\r\n\r\n" + body


def headers_of(request: bytes) -> dict[str, str]:
    """The headers of a recorded request, each of which must have come once."""
    rows = request.split(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    pairs = [(name.lower(), value.strip()) for name, _, value in (row.partition(":") for row in rows)]
    assert len(dict(pairs)) == len(pairs), "a header was sent twice"
    return dict(pairs)


def answer(status: int = 200, body: bytes = b"{}", *headers: str) -> Script:
    """An ordinary answer with a length."""
    head = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers]
    return raw("\r\n".join(head).encode() + b"\r\n\r\n" + body)


def raw(data: bytes) -> Script:
    """Exactly these bytes, then the end."""
    return lambda line: line.sendall(data)


@pytest.fixture
def over() -> Iterator[threading.Event]:
    """Set when the test is over, so that no script outlives it."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def serve(over: threading.Event) -> Iterator[Serve]:
    """Starts listeners, and stops them after the test."""
    listeners: list[Listener] = []

    def start(script: Script, **options: Any) -> Listener:
        listeners.append(Listener(script, **options))
        return listeners[-1]

    yield start
    over.set()
    for listener in listeners:
        listener.close()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxies of whoever runs the tests play no part in them."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def client(url: str, key: str = KEY, **options: Any) -> Http:
    """A client with a key at hand."""
    return Http(url, lambda: key, **options)


def failing(kind: type[ActionError], act: Callable[[], object], key: str = KEY) -> ActionError:
    """The error of ``act``: it shows no key, and drags along no exception that knows the request (R11)."""
    with pytest.raises(kind) as caught:
        act()
    error = caught.value
    assert type(error) is kind
    assert error.__cause__ is None and error.__context__ is None
    shown = f"{error} {error!r} {error.args} {vars(error)}"
    assert key not in shown and key[:10] not in shown
    return error


def get(url: str, timeout: float = 5, **options: Any) -> Response:
    """One call, as ordinary as can be."""
    return client(url, **options).call("GET", "/v1/x", timeout=timeout)


# --- what is sent ---------------------------------------------------------------------------------


@pytest.mark.rule("R10")
def test_the_key_travels_in_the_header_and_nowhere_else(serve: Serve) -> None:
    """A key in a body or in a query ends up in logs: it is in one header, on every kind of call."""
    listener = serve(answer())
    http_client = client(listener.url, key=f" {KEY}\n")  # a pasted line end is no part of it
    http_client.call("GET", "/v1/x", query={"limit": 5, "cursor": "a&b"}, timeout=5)
    http_client.call("POST", "/v1/x", json={"words": "日本 & co"}, timeout=5)
    http_client.call("POST", "/v1/x", upload=Upload("file", "a.png", b"\x00\xff", {"filename": "a"}), timeout=5)
    assert len(listener.requests) == 3
    for request in listener.requests:
        assert headers_of(request)["authorization"] == f"Bearer {KEY}"
        assert request.count(KEY.encode()) == 1
        assert b"auth_token" not in request
    assert listener.requests[0].startswith(b"GET /v1/x?limit=5&cursor=a%26b HTTP/1.1\r\n")
    assert listener.requests[1].endswith('\r\n\r\n{"words":"日本 & co"}'.encode())
    assert headers_of(listener.requests[1])["content-type"] == "application/json"


def test_plain_headers(serve: Serve) -> None:
    """No compression is asked for, the connection is not kept, and nothing else is told about us."""
    listener = serve(answer())
    get(listener.url)
    sent = headers_of(listener.requests[0])
    assert sent.pop("authorization") and sent.pop("host")
    assert sent == {
        "accept": "application/json",
        "accept-encoding": "identity",
        "connection": "close",
        "user-agent": "phasegate",
    }


def test_an_upload_is_one_file_part_whatever_its_name(serve: Serve) -> None:
    """A file name with quotes and line breaks must not add headers or parts of its own."""
    listener = serve(answer())
    upload = Upload("file", 'a"\r\nX-Evil: 1\r\n\r\n.png', b"\x89PNG\r\n\x00", {"filename": "ä.png"})
    client(listener.url).call("POST", "/v1/files", upload=upload, timeout=5)
    request = listener.requests[0]
    boundary = headers_of(request)["content-type"].split("boundary=")[1].encode()
    body = request.split(b"\r\n\r\n", 1)[1]
    assert body.count(b"--" + boundary) == 3
    assert b'name="filename"\r\n\r\n' + "ä.png".encode() in body
    assert b"\r\n\r\n\x89PNG\r\n\x00\r\n" in body
    assert b"\r\nX-Evil" not in body


def test_each_call_has_its_own_connection(serve: Serve) -> None:
    """A kept connection that died meanwhile would leave a paid call in doubt for nothing."""
    listener = serve(answer())
    http_client = client(listener.url)
    for _ in range(3):
        http_client.call("GET", "/v1/x", timeout=5)
    assert listener.connections == 3


@pytest.mark.rule("R4")
def test_the_key_is_asked_for_at_each_call(serve: Serve) -> None:
    """A key that the person sets meanwhile counts from the next call on."""
    listener = serve(answer())
    keys = iter(["sk-one", "sk-two"])
    http_client = Http(listener.url, lambda: next(keys))
    for _ in range(2):
        http_client.call("GET", "/v1/x", timeout=5)
    assert [headers_of(r)["authorization"] for r in listener.requests] == ["Bearer sk-one", "Bearer sk-two"]


@pytest.mark.parametrize("key", [f"{KEY}\r\nX-Evil: 1", f"{KEY}\n{KEY}", f"{KEY} x", f"{KEY}\x00", f"{KEY}é", KEY * 30])
def test_a_malformed_key_is_never_sent_or_shown(serve: Serve, key: str) -> None:
    """A library that finds a newline in a header prints the header, key and all, in its exception."""
    listener = serve(answer())
    error = failing(CredentialsError, lambda: get(listener.url, key=key))
    assert error.kind == "credentials" and error.definite
    assert listener.connections == 0


@pytest.mark.parametrize("key", ["", " \n"])
def test_without_a_key_nothing_leaves(serve: Serve, key: str) -> None:
    """An empty key is no key, and not an empty header."""
    listener = serve(answer())
    with pytest.raises(CredentialsError) as caught:
        get(listener.url, key=key)
    assert caught.value.kind == "no_key"
    assert listener.connections == 0


def test_the_error_of_the_key_source_comes_through(serve: Serve) -> None:
    """The source knows best why there is no key."""
    listener = serve(answer())

    def no_key() -> str:
        raise CredentialsError("none", "no_key")

    with pytest.raises(CredentialsError, match="none"):
        Http(listener.url, no_key).call("GET", "/", timeout=5)
    assert listener.connections == 0


def test_what_cannot_be_written_is_not_sent(serve: Serve) -> None:
    """NaN or half a surrogate pair would be another text on the other side."""
    listener = serve(answer())
    with pytest.raises(UsageError):
        client(listener.url).call("POST", "/v1/x", json={"a": float("nan")}, timeout=5)
    assert listener.connections == 0


# --- to whom --------------------------------------------------------------------------------------


@pytest.mark.rule("R7")
@pytest.mark.rule("R4")
def test_the_environment_changes_neither_key_nor_route(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A poisoned .netrc replaces our header in naive clients, and proxy variables send it elsewhere."""
    listener, thief = serve(answer()), serve(answer())
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login thief password stolen\ndefault login a password b\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, thief.url)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    assert get(listener.url).status == 200
    assert headers_of(listener.requests[0])["authorization"] == f"Bearer {KEY}"
    assert thief.connections == 0


@pytest.mark.rule("R8")
@pytest.mark.rule("R7")
@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308, 399])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_redirect_is_followed(serve: Serve, status: int, method: str) -> None:
    """With 307 and 308 naive clients send the body, and with some the key, to the other host."""
    thief = serve(answer())
    listener = serve(answer(status, b"", f"Location: {thief.url}/v1/x", "x-request-id: r-1"))
    body = {"prompt": "p"} if method == "POST" else None
    error = failing(BadResponse, lambda: client(listener.url).call(method, "/v1/x", json=body, timeout=5))
    assert error.kind == "upstream" and error.request_id == "r-1" and not error.definite
    assert str(thief.port) not in str(error)
    assert len(listener.requests) == 1
    assert thief.connections == 0


@pytest.mark.rule("R8")
def test_the_body_of_a_redirect_is_not_read(serve: Serve) -> None:
    """The library reads a redirect's body even when told not to follow; this one has no end."""

    def endless(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 302 X\r\nLocation: /\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            line.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")

    listener = serve(endless)
    begun = time.monotonic()
    failing(BadResponse, lambda: get(listener.url, timeout=20))
    assert time.monotonic() - begun < 10


@pytest.mark.rule("R7")
@pytest.mark.parametrize(
    "path",
    [
        "",
        "v1",
        "//127.0.0.1:{port}/v1",
        "@127.0.0.1:{port}/v1",
        "/a@127.0.0.1:{port}/",
        "http://127.0.0.1:{port}/v1",
        ".evil.example/v1",
        ":80/v1",
        "\\\\127.0.0.1:{port}/",
        "/\\127.0.0.1",
        "/v1/../admin",
        "/v1/tasks/..",
        "/v1/./x",
        "/v1/%2e%2e/admin",
        "/v1/..%2fadmin",
        "/v1/%5c..%5cadmin",
        "/v1/x%0d%0aX-Evil:1",
        "/v1/x\r\nX-Evil: 1",
        "/v1/x y",
        "/v1/x\x00",
        "/v1/é",
        "/v1/x?a=b",
        "/v1/x#a",
    ],
)
def test_a_path_cannot_name_another_place(serve: Serve, path: str) -> None:
    """A task id of the service is part of a path: it must not lead to another host or another call."""
    listener, thief = serve(answer()), serve(answer())
    named = path.format(port=thief.port)
    error = failing(HostNotAllowed, lambda: client(listener.url).call("GET", named, timeout=5))
    assert error.definite
    assert listener.connections == thief.connections == 0


@pytest.mark.rule("R7")
def test_the_adapter_stops_what_the_path_check_let_through(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last door compares scheme, host and port of what is about to leave, whoever built it."""
    listener, thief = serve(answer()), serve(answer())
    http_client = client(listener.url)
    monkeypatch.setattr(http, "harmless", lambda path: True)
    failing(HostNotAllowed, lambda: http_client.call("GET", f"@127.0.0.1:{thief.port}/v1", timeout=5))
    assert listener.connections == thief.connections == 0


@pytest.mark.parametrize("method", ["get", "GET /x HTTP/1.1\r\n", "", "G T"])
def test_a_method_is_one_word(serve: Serve, method: str) -> None:
    """A method with a line break would be a second request."""
    listener = serve(answer())
    with pytest.raises(UsageError):
        client(listener.url).call(method, "/v1/x", timeout=5)
    assert listener.connections == 0


@pytest.mark.rule("R7")
@pytest.mark.parametrize(
    "base",
    [
        "http://www.anygen.io",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "https://user:secret@www.anygen.io",
        "https://www.anygen.io@evil.example",
        "https://www.anygen.io?x=1",
        "https://www.anygen.io#x",
        "https://www.anygen.io\\@evil.example",
        "https://www.anygen.io/../x",
        "https://www.anygen.io\n",
        " https://www.anygen.io",
        "https://ánygen.io",
        "ftp://www.anygen.io",
        "www.anygen.io",
        "",
    ],
)
def test_a_base_that_may_not_get_the_key(base: str) -> None:
    """Plain http beyond this machine, a user name, or anything two parsers could read differently."""
    with pytest.raises(HostNotAllowed) as caught:
        client(base)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "base", ["https://www.anygen.io", "http://localhost:1/", "http://[::1]:80", "http://127.9.9.9"]
)
def test_a_base_that_may(base: str) -> None:
    """HTTPS anywhere, plain http on loopback."""
    client(base)


def test_a_base_with_a_path_keeps_it(serve: Serve) -> None:
    """Another author's service may live below a path."""
    listener = serve(answer())
    get(listener.url + "/api/")
    assert listener.requests[0].startswith(b"GET /api/v1/x HTTP/1.1\r\n")


# --- the deadline ---------------------------------------------------------------------------------


def drip(first: bytes, drop: bytes, over: threading.Event) -> Script:
    """``first`` at once, then ``drop`` fifty times a second for ten seconds, after which the line is closed."""

    def script(line: socket.socket) -> None:
        line.sendall(first)
        for _ in range(500):
            if over.wait(0.02):
                return
            line.sendall(drop)

    return script


SLOW = {
    "silence": (b"", b""),
    "a status line": (b"HTTP/1.1 200", b" "),
    "headers": (b"HTTP/1.1 200 OK\r\nX-A: ", b"a"),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a body with a length": (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x"),
    "a body without a length": (b"HTTP/1.1 200 OK\r\n\r\n{}", b" "),
    "a chunked body": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "the size of a chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
    "trailers": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", b"A: b\r\n"),
}


@pytest.mark.parametrize("slow", SLOW)
def test_the_deadline_holds_against_drops(serve: Serve, over: threading.Event, slow: str) -> None:
    """Each drop restarts an ordinary read timeout, and a session would be held for ever."""
    listener = serve(drip(*SLOW[slow], over))
    begun = time.monotonic()
    error = failing(NoAnswer, lambda: get(listener.url, timeout=0.3))
    assert 0.25 < time.monotonic() - begun < 2
    assert error.kind == "upstream" and error.transient and not error.definite
    assert "0.3 s" in str(error)


def test_the_deadline_holds_while_sending(serve: Serve, over: threading.Event) -> None:
    """A service that does not read blocks the sender of a large file."""
    listener = serve(lambda line: over.wait(10) and None, reads=False)
    upload = Upload("file", "a", b"x" * 30_000_000, {})
    begun = time.monotonic()
    failing(NoAnswer, lambda: client(listener.url).call("POST", "/v1/x", upload=upload, timeout=0.5))
    assert time.monotonic() - begun < 3


def test_the_deadline_holds_in_the_handshake(serve: Serve, over: threading.Event) -> None:
    """Before TLS is agreed on nothing has left, so that a retry is harmless."""
    listener = serve(drip(b"\x16\x03\x03\x40\x00", b"\x02", over), reads=False)
    begun = time.monotonic()
    error = failing(Unreachable, lambda: get(listener.url.replace("http:", "https:"), timeout=0.3))
    assert time.monotonic() - begun < 2
    assert error.definite and error.transient


def test_the_deadline_holds_in_the_resolver(monkeypatch: pytest.MonkeyPatch, over: threading.Event) -> None:
    """The system's resolver takes half a minute to give up on a dead name server."""

    def stuck(*args: object, **kwargs: object) -> list[object]:
        over.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", stuck)
    begun = time.monotonic()
    error = failing(Unreachable, lambda: get("https://www.anygen.io", timeout=0.3))
    assert time.monotonic() - begun < 2
    assert "within 0.3 s" in str(error)


@pytest.mark.parametrize("timeout", [0, -1])
def test_no_time_left_means_no_connection(serve: Serve, timeout: float) -> None:
    """A deadline that has passed already is an error of its own kind, not of the program."""
    listener = serve(answer())
    failing(Unreachable, lambda: get(listener.url, timeout=timeout))
    assert listener.requests == []


def test_no_thread_and_no_descriptor_stays(serve: Serve, over: threading.Event) -> None:
    """A watcher makes hundreds of calls: none may leave a timer or a socket behind."""
    good, slow = serve(answer()), serve(drip(b"", b"", over))
    get(good.url)
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for _ in range(20):
        get(good.url)
    for _ in range(2):
        failing(NoAnswer, lambda: get(slow.url, timeout=0.1))
    ours = [t for t in threading.enumerate() if isinstance(t, threading.Timer) or "phasegate" in t.name]
    assert ours == []
    over.set()
    good.close()
    slow.close()
    if before:
        assert len(os.listdir("/proc/self/fd")) <= before


# --- no answer, or none that is one ---------------------------------------------------------------


def test_a_refused_connection_has_sent_nothing() -> None:
    """Nothing listens: definite, so that a paid call is not in doubt."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        error = failing(Unreachable, lambda: get(f"http://127.0.0.1:{held.getsockname()[1]}"))
    assert error.kind == "upstream" and error.definite and error.transient
    assert "refused" in str(error)


def test_an_unknown_name_has_sent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """No address, no connection."""

    def unknown(*args: object, **kwargs: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = failing(Unreachable, lambda: get("https://www.anygen.io"))
    assert "name was not found" in str(error) and error.definite


def unreachable(url: str, **options: Any) -> Unreachable:
    """The error of a call that nothing left for; its hint is what is advised for its obstacle."""
    found = failing(Unreachable, lambda: get(url, advice=lambda obstacle: f"about the {obstacle}", **options))
    assert isinstance(found, Unreachable) and found.definite and found.hint == f"about the {found.obstacle}"
    return found


def test_what_stands_in_the_way_is_named(
    serve: Serve, certificate: Path, server_tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address, the proxy without its password, and the cause: one sentence for each."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        found = unreachable(f"http://127.0.0.1:{port}", place="the sandbox at home")
        assert (str(found), found.obstacle) == ("Cannot reach the sandbox at home: connection refused.", "connection")
        found = unreachable("https://www.anygen.io/v1", proxy=f"http://me:secret@127.0.0.1:{port}")
        told = f"Cannot reach https://www.anygen.io/v1 through the proxy at 127.0.0.1:{port}: connection refused."
        assert str(found) == told
    listener = serve(answer(407, b"", "Proxy-Authenticate: Basic"))
    found = unreachable("https://www.anygen.io", proxy=listener.url)
    assert str(found).endswith(f"the proxy at {listener.url[7:]}: the proxy refused with HTTP 407.")
    listener = serve(answer(), tls=server_tls)
    found = unreachable(listener.url)
    assert found.obstacle == "certificate" and "its certificate is not trusted (self" in str(found)
    found = unreachable(listener.url.replace("127.0.0.1", "localhost"), ca_file=str(certificate))
    assert str(found).endswith("its certificate is not trusted (it is for another name).")
    found = unreachable(serve(raw(b"HTTP/1.1 400 X\r\n\r\n"), reads=False).url.replace("http:", "https:"))
    assert str(found).endswith("no secure connection could be agreed on.")

    def fails(*args: object) -> None:
        raise OSError(errno.ENETUNREACH, "whatever it says\x1b[2J")

    monkeypatch.setattr(socket.socket, "connect", fails)
    assert str(unreachable("https://127.0.0.1:1")).endswith(": network is unreachable.")


def test_the_next_address_is_tried(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name may have a dead address first."""
    listener = serve(answer())
    with socket.socket() as dead:
        dead.bind(("127.0.0.1", 0))
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", dead.getsockname()),
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", listener.port)),
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: found)
        assert get("http://localhost:1").status == 200


def test_an_interrupt_while_it_connects_leaves_no_open_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ends the attempt, the socket is closed."""
    lines: list[socket.socket] = []

    def interrupted(line: socket.socket, address: object) -> None:
        lines.append(line)
        raise KeyboardInterrupt

    monkeypatch.setattr(socket.socket, "connect", interrupted)
    with pytest.raises(KeyboardInterrupt):
        get("https://127.0.0.1:1")
    assert [line.fileno() for line in lines] == [-1]


def reset(first: bytes) -> Script:
    """These bytes, then the connection is torn down."""

    def script(line: socket.socket) -> None:
        line.sendall(first)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line.close()

    return script


@pytest.mark.parametrize(
    "script",
    [
        raw(b""),
        reset(b""),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
        reset(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"),
    ],
)
def test_a_broken_connection_leaves_doubt(serve: Serve, script: Script) -> None:
    """The task may have been created before the line broke: not definite, and never sent a second time."""
    listener = serve(script)
    call = client(listener.url).call
    error = failing(NoAnswer, lambda: call("POST", "/v1/tasks", json={"prompt": "p"}, timeout=5))
    assert error.kind == "upstream" and error.transient and not error.definite
    assert listener.connections == 1


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"\x00" * 100 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n{}",
        b"HTTP/1.1 200 OK\r\nA: " + b"x" * 100_000 + b"\r\n\r\n{}",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n",
    ],
)
def test_what_is_not_http_is_no_answer(serve: Serve, data: bytes) -> None:
    """Another protocol, or more headers than anybody sends: an error of the call, not a traceback."""
    error = failing(BadResponse, lambda: get(serve(raw(data)).url))
    assert not error.definite


@pytest.mark.parametrize("status", [200, 201, 400, 401, 403, 404, 429, 500, 502])
def test_any_other_status_is_an_answer(serve: Serve, status: int) -> None:
    """What a status means is for the bundle's client to say."""
    response = get(serve(answer(status, b"<html>", "Retry-After: 7")).url)
    assert (response.status, response.body, response.headers["retry-after"]) == (status, b"<html>", "7")


LIMIT = 1024 * 1024


def framed(body: bytes, how: str, *headers: str) -> Script:
    """A body whose end is told in one of the three ways of HTTP."""
    head = "".join(f"{header}\r\n" for header in headers).encode()
    if how == "length":
        return raw(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s" % (len(body), head, body))
    if how == "chunked":
        chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        return raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n%s\r\n%s" % (head, chunk))
    return raw(b"HTTP/1.1 200 OK\r\n%s\r\n%s" % (head, body))


@pytest.mark.parametrize("how", ["length", "chunked", "until closed"])
def test_one_mebibyte_and_no_more(serve: Serve, how: str) -> None:
    """The limit is on the bytes, however they are framed."""
    assert len(get(serve(framed(b"x" * LIMIT, how)).url).body) == LIMIT
    error = failing(BadResponse, lambda: get(serve(framed(b"x" * (LIMIT + 1), how)).url))
    assert "1 MiB" in str(error)


def test_an_announced_terabyte_is_not_awaited(serve: Serve) -> None:
    """An endless body ends at the limit, not at the deadline."""

    def endless(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1099511627776\r\n\r\n")
        while True:
            line.sendall(b"x" * 65536)

    begun = time.monotonic()
    failing(BadResponse, lambda: get(serve(endless).url, timeout=20))
    assert time.monotonic() - begun < 10


def test_a_gzip_bomb_is_not_unpacked(serve: Serve) -> None:
    """Half a megabyte that decodes to 500 must cost the memory of the limit, not of the bomb."""
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(b"\0" * LIMIT) for _ in range(500)) + packer.flush()
    assert len(bomb) < LIMIT
    listener = serve(framed(bomb, "length", "Content-Encoding: gzip"))
    get_once = client(listener.url)
    tracemalloc.start()
    try:
        failing(BadResponse, lambda: get_once.call("GET", "/v1/x", timeout=10))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40 * LIMIT


def test_gzip_that_nobody_asked_for_is_understood(serve: Serve) -> None:
    """Some servers compress whatever one says."""
    packed = gzip.compress(b'{"success": true}')
    assert get(serve(framed(packed, "length", "Content-Encoding: GZIP")).url).json() == {"success": True}


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(b"{}")[:-4], "gzip"),
        (gzip.compress(b"{}") + b"more", "gzip"),
        (b"{}", "gzip"),
        (b"{}", "br"),
        (gzip.compress(gzip.compress(b"{}")), "gzip, gzip"),
    ],
    ids=["cut off", "followed by more", "not gzip", "not asked for", "twice"],
)
def test_what_cannot_be_decoded_is_no_answer(serve: Serve, body: bytes, encoding: str) -> None:
    """Cut off, followed by something, mislabelled or of a kind we did not ask for."""
    listener = serve(framed(body, "length", f"Content-Encoding: {encoding}"))
    assert "decoded" in str(failing(BadResponse, lambda: get(listener.url)))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>private-words</html>",
        b'["private-words"]',
        b'"private-words"',
        b"null",
        b'{"private-words": 1, "private-words": 2}',
        b'{"a": NaN, "b": "private-words"}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": "\\ud800 private-words"}',
        b'{"a": "\xff private-words"}',
        b'{"a":' * 100_000,
        b'{"a": "private-words"',
    ],
)
def test_an_answer_is_a_json_object_or_no_answer(serve: Serve, body: bytes) -> None:
    """Whatever the body is, the call ends in one kind of error, which repeats nothing of it."""
    response = get(serve(answer(200, body, "x-request-id: r-2")).url)
    error = failing(BadResponse, response.json)
    assert error.request_id == "r-2" and error.kind == "upstream"
    assert "private" not in str(error) and error.__context__ is None
    assert "private" not in repr(response)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (("X-Request-Id: r-1", "X-Tt-Logid: t-1"), "r-1"),
        (("x-tt-logid: 20240607-AB.c:d",), "20240607-AB.c:d"),
        (("x-request-id: \x1b[31m<b>r</b>\x07",), "31mbr/b"),
        (("x-request-id: \x1b\x07", "x-tt-logid: t"), "t"),
        (("x-request-id: " + "r" * 5000,), "r" * 128),
        ((f"x-request-id: {KEY}",), "key"),
        ((), None),
    ],
)
def test_the_request_id_is_safe_to_log(serve: Serve, headers: tuple[str, ...], expected: str | None) -> None:
    """It goes into logs and onto terminals: no escape sequences, no kilobytes, not the key."""
    assert get(serve(answer(200, b"{}", *headers)).url).request_id == expected


@pytest.mark.rule("R11")
def test_a_service_that_echoes_the_key_does_not_get_it_into_ours(serve: Serve) -> None:
    """'invalid API key sk-…' is a usual error text, and would be recorded."""
    body = f'{{"success": false, "error": "invalid API key {KEY}"}}'.encode()
    response = get(serve(answer(401, body, f"WWW-Authenticate: Bearer {KEY}")).url)
    assert response.json()["error"] == "invalid API key [key]"
    assert KEY not in repr(response.headers) and KEY[:10] not in repr(response.headers)


@pytest.mark.rule("R11")
def test_a_key_spelt_in_escapes_is_a_key(serve: Serve) -> None:
    """A hostile service writes the key as \\u0073k-…; other escapes, and escaped backslashes, mean what they meant."""
    spelt = "".join(f"\\u{ord(char):04X}" for char in KEY)
    body = f'{{"error": "{spelt} \\\\u0041 \\u0022 \\u00e9 \\\\\\u0042"}}'.encode()
    response = get(serve(answer(401, body)).url)
    assert response.json()["error"] == '[key] \\u0041 " é \\B'
    assert KEY.encode() not in response.body


# --- TLS and proxies ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate of 127.0.0.1, with its key in the same file."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command")
    folder = tmp_path_factory.mktemp("tls")
    pem = folder / "both.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    command += ["-subj", "/CN=phasegate test", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(command, check=True, capture_output=True)
    pem.write_text((folder / "key.pem").read_text() + (folder / "cert.pem").read_text())
    return pem


@pytest.fixture
def server_tls(certificate: Path) -> ssl.SSLContext:
    """A service that has the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_tls_with_a_named_authority(serve: Serve, certificate: Path, server_tls: ssl.SSLContext) -> None:
    """The one explicit way to trust another authority, such as a company's."""
    listener = serve(answer(), tls=server_tls)
    http_client = client(listener.url, ca_file=str(certificate))
    for _ in range(2):
        assert http_client.call("GET", "/v1/x", timeout=5).json() == {}


@pytest.mark.rule("R7")
def test_an_unknown_certificate_gets_no_key(
    serve: Serve, certificate: Path, server_tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Someone between us and the service who also controls the environment is still not trusted."""
    listener = serve(answer(), tls=server_tls)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(certificate))
    error = failing(Unreachable, lambda: get(listener.url))
    assert "not trusted" in str(error) and error.definite
    assert listener.requests == []


@pytest.mark.rule("R7")
def test_a_certificate_of_another_host_gets_no_key(serve: Serve, certificate: Path, server_tls: ssl.SSLContext) -> None:
    """A trusted certificate counts only for the host that it names."""
    listener = serve(answer(), tls=server_tls)
    elsewhere = listener.url.replace("127.0.0.1", "localhost")
    failing(Unreachable, lambda: get(elsewhere, ca_file=str(certificate)))
    assert listener.requests == []


def test_no_session_secrets_are_written(
    serve: Serve,
    certificate: Path,
    server_tls: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """SSLKEYLOGFILE makes Python's default TLS settings write down what decrypts the key."""
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "log"))
    get(serve(answer(), tls=server_tls).url, ca_file=str(certificate))
    assert not (tmp_path / "log").exists()


@pytest.mark.parametrize("slow", ["headers", "a body without a length", "a chunked body"])
def test_the_deadline_holds_under_tls(
    serve: Serve, over: threading.Event, certificate: Path, server_tls: ssl.SSLContext, slow: str
) -> None:
    """The socket that TLS took over is still the one that the watchdog shuts down."""
    listener = serve(drip(*SLOW[slow], over), tls=server_tls)
    begun = time.monotonic()
    failing(NoAnswer, lambda: get(listener.url, timeout=0.4, ca_file=str(certificate)))
    assert time.monotonic() - begun < 2


def test_unreadable_authorities(tmp_path: Path) -> None:
    """A wrong path is said as such, and nothing leaves."""
    error = failing(Unreachable, lambda: get("https://127.0.0.1:1", ca_file=str(tmp_path / "none.pem")))
    assert "certificates" in str(error) and error.hint


def tunnel(line: socket.socket, request: bytes) -> None:
    """What an HTTP proxy does after CONNECT."""
    host, _, port = request.split()[1].decode().partition(":")
    with socket.create_connection((host, int(port))) as far:
        line.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")

        def back() -> None:
            while chunk := far.recv(65536):
                line.sendall(chunk)

        returning = threading.Thread(target=back)
        returning.start()
        while chunk := line.recv(65536):
            far.sendall(chunk)
        far.shutdown(socket.SHUT_WR)
        returning.join()


@pytest.mark.rule("R7")
def test_a_named_proxy_sees_no_key(serve: Serve, certificate: Path, server_tls: ssl.SSLContext) -> None:
    """The proxy learns the host and carries TLS: key, path and body are not for it."""
    listener = serve(answer(), tls=server_tls)
    proxy: Listener = serve(lambda line: tunnel(line, proxy.requests[-1]))
    named = f"http://user:pass@127.0.0.1:{proxy.port}"
    assert get(listener.url, proxy=named, ca_file=str(certificate)).json() == {}
    assert proxy.requests[0].startswith(f"CONNECT 127.0.0.1:{listener.port} ".encode())
    assert KEY.encode() not in proxy.requests[0] and b"/v1/x" not in proxy.requests[0]
    assert headers_of(listener.requests[0])["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "script",
    [
        raw(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"),
        raw(b""),
        raw(b"HTTP/1.1 302 X\r\nLocation: /\r\n\r\n"),
    ],
)
def test_a_proxy_that_refuses_has_sent_nothing(serve: Serve, script: Script) -> None:
    """Before the tunnel stands, nothing of the request has left; the proxy's password is not shown either."""
    proxy = serve(script)
    named = f"http://user:hidden@127.0.0.1:{proxy.port}"
    error = failing(Unreachable, lambda: get("https://www.anygen.io", proxy=named))
    assert error.definite and "hidden" not in str(error)


def test_a_dripping_proxy_meets_the_deadline(serve: Serve, over: threading.Event) -> None:
    """The tunnel's own headers count, too."""
    proxy = serve(drip(b"HTTP/1.1 200 OK\r\nA: ", b"a", over))
    begun = time.monotonic()
    failing(Unreachable, lambda: get("https://www.anygen.io", timeout=0.3, proxy=proxy.url))
    assert time.monotonic() - begun < 2


@pytest.mark.rule("R7")
def test_plain_http_never_goes_through_a_proxy(serve: Serve) -> None:
    """A sandbox on this machine is called directly: the proxy would read the header."""
    listener, proxy = serve(answer()), serve(answer())
    assert get(listener.url, proxy=proxy.url).status == 200
    assert (listener.connections, proxy.connections) == (1, 0)


@pytest.mark.parametrize(
    "proxy",
    [
        "socks5://127.0.0.1:1",
        "https://127.0.0.1:1",
        "127.0.0.1:1",
        "http://",
        "http://a:b\n",
        "http://h:99999",
    ],
)
def test_a_proxy_of_another_kind_is_refused(proxy: str) -> None:
    """Said at once, not at the first call."""
    with pytest.raises(UsageError):
        client("https://www.anygen.io", proxy=proxy)


def test_the_library_is_loaded_only_for_a_call() -> None:
    """It costs a tenth of a second, and most turns call nobody."""
    code = "import sys, workflow.service.http; sys.exit('requests' in sys.modules or 'urllib3' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_the_key_goes_where_the_bundle_says(serve: Serve) -> None:
    """Another header, without a word before it; and no header that the bundle sets itself can stand in its place."""
    listener = serve(answer())
    http_client = client(listener.url, key_header="X-Token", key_scheme="")
    http_client.call("GET", "/", timeout=5, headers={"X-One": "1", "Accept": "text/plain"})
    sent = headers_of(listener.requests[0])
    assert (sent["x-token"], sent["x-one"], sent["accept"]) == (KEY, "1", "text/plain")
    assert "authorization" not in sent
    failing(HostNotAllowed, lambda: http_client.call("GET", "/", timeout=5, headers={"x-token": "another"}))
    assert listener.connections == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Authorization", "x"),
        ("host", "elsewhere.example"),
        ("Content-Length", "0"),
        ("Transfer-Encoding", "chunked"),
        ("Proxy-Authorization", "x"),
        ("X-Forwarded-Host", "elsewhere.example"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("Cookie", "a=b"),
        ("X-One\r\nHost", "x"),
        ("", "x"),
        ("X-One", "a\r\nHost: elsewhere.example"),
        ("X-One", "\x00"),
        ("X-One", ""),
        ("X-One", "é"),
    ],
)
def test_no_header_reframes_the_request(serve: Serve, name: str, value: str) -> None:
    """What names the host, frames the message or carries a key is ours; nothing leaves with it."""
    listener = serve(answer())
    error = failing(HostNotAllowed, lambda: client(listener.url).call("POST", "/", timeout=5, headers={name: value}))
    assert (error.kind, listener.connections) == ("invalid", 0)
