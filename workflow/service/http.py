"""One request, one connection, one host, one deadline."""

from __future__ import annotations

import ipaddress
import re
import socket
import zlib
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from workflow.local.private import read_trusted
from workflow.model.errors import ActionError, BadResponse, HostNotAllowed, Unreachable, UsageError
from workflow.model.ports import Response, Upload
from workflow.model.strict_json import JsonError, write_json
from workflow.service.connection import WATCHDOG, Wire
from workflow.service.failures import Way, failure
from workflow.service.key import checked_key, redact
from workflow.service.safe_target import free_header, harmless, header_value

if TYPE_CHECKING:
    import ssl

    import requests

MAX_BODY = 1024 * 1024  # bytes, decoded
_LARGEST_CA_FILE = 16 * 1024 * 1024  # bytes

_URL = re.compile(r"(https?)://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?((?:/.*)?)")
_METHOD = re.compile(r"[A-Z]+")
_REQUEST_ID_HEADERS = ("x-request-id", "x-tt-logid")
_MAX_REQUEST_ID = 128
_ESCAPED = re.compile(r"(?<!\\)((?:\\\\)*)\\u00([0-7][0-9A-Fa-f])")


class Http:
    """A client of one host; ``key`` is asked at each call, so that a key set meanwhile counts.

    A service that takes no key has None: its requests carry none.
    """

    def __init__(
        self,
        base_url: str,
        key: Callable[[], str] | None,
        *,
        key_header: str = "Authorization",
        key_scheme: str = "Bearer",
        proxy: str | None = None,
        ca_file: str | None = None,
        place: str = "",
        advice: Callable[[str], str] = lambda obstacle: "",
    ) -> None:
        """Raises ``HostNotAllowed`` for a base that may not get a key, ``UsageError`` for a bad ``proxy``.

        The key is sent in ``key_header``, after the word ``key_scheme`` if there is one. ``place`` is what errors call
        the address, and ``advice`` the next step where it cannot be reached, by the obstacle.
        """
        self._origin = _parse_base(base_url)
        self._base = base_url.rstrip("/")
        self._key = key
        self._key_place = (key_header, f"{key_scheme} " if key_scheme else "")
        self._proxy = _checked_proxy(proxy)
        self._way = Way(self._origin.host, place or self._base, self._proxy, advice)
        self._ca_file = ca_file
        self._tls: ssl.SSLContext | None = None

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        json: object = None,
        upload: Upload | None = None,
        timeout: float,
    ) -> Response:
        """Send once and never again; ``timeout`` is seconds for everything together.

        Raises ``Unreachable`` if nothing can have left, ``NoAnswer`` or ``BadResponse`` if it may have.
        """
        _check_target(method, path)
        sent: dict[str, Any] = {"method": method, "url": self._base + path, "params": query}
        content, type_ = _content(json, upload)
        sent |= {**content, "headers": {**_checked_headers(headers or {}, self._key_place[0]), **type_}}
        key = checked_key(self._key()) if self._key else None
        result = self._exchange(sent, key, Wire(timeout))
        if isinstance(result, ActionError):
            raise result  # here, outside every handler: no exception that knows the request hangs on to it
        return result

    def _exchange(self, sent: dict[str, Any], key: str | None, wire: Wire) -> Response | ActionError:
        try:
            with WATCHDOG.over(wire), self._session(wire) as session:
                auth = _WithKey(*self._key_place, key) if key else None
                sent |= {"auth": auth, "allow_redirects": False, "stream": True}
                with session.request(**sent, timeout=wire.left()) as answer:
                    return _receive(answer, key, wire)
        except ActionError as error:
            return error
        except Exception as error:  # whatever a hostile answer brings about is an error of the call
            return failure(error, wire, self._way)
        finally:
            wire.close()

    def _session(self, wire: Wire) -> requests.Session:
        if self._origin.scheme == "https" and self._tls is None:
            self._tls = tls_context(self._ca_file)
        session = _new_session(self._origin, wire, self._tls)
        session.headers.clear()
        session.headers.update(
            {
                "User-Agent": "phasegate",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "Connection": "close",
            }
        )
        # Plain HTTP is for this machine only, and would show the key to a proxy.
        session.proxies = {"https": self._proxy} if self._proxy else {}
        return session


class _Origin(NamedTuple):
    scheme: str
    host: str
    port: int


class _WithKey:
    """Adds the key at the last moment; its ``repr`` shows nothing."""

    __slots__ = ("_header", "_key", "_scheme")

    def __init__(self, header: str, scheme: str, key: str) -> None:
        self._header, self._scheme, self._key = header, scheme, key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers[self._header] = f"{self._scheme}{self._key}"
        return request


def _new_session(origin: _Origin, wire: Wire, tls: ssl.SSLContext | None) -> requests.Session:
    """A session for one call, over this wire and to this origin alone."""
    session_class, adapter_class = _client()
    session: requests.Session = session_class()
    session.trust_env = False  # a .netrc entry would replace our header
    session.adapters.clear()
    session.mount(f"{origin.scheme}://", adapter_class(origin, wire, tls))
    return session


@cache
def _client() -> tuple[Any, Any]:
    """The library's classes, made ours; the only place that imports requests, which costs 100 ms."""
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

    class Wired:
        """A connection that opens the wire it was given."""

        def __init__(self, wire: Wire, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._wire = wire

        def _new_conn(self: Any) -> socket.socket:
            line: socket.socket = self._wire.open(self._dns_host, self.port)
            return line

        def connect(self) -> None:
            super().connect()  # type: ignore[misc]
            self._wire.mark_connected()

    class Plain(Wired, HTTPConnection):
        """To this machine."""

    class Secure(Wired, HTTPSConnection):
        """To anywhere."""

    class Adapter(HTTPAdapter):
        def __init__(self, origin: _Origin, wire: Wire, tls: ssl.SSLContext | None) -> None:
            self._origin, self._tls = origin, tls
            kinds = {"http": (HTTPConnectionPool, Plain), "https": (HTTPSConnectionPool, Secure)}
            self._pools = {scheme: _pool(*classes, wire) for scheme, classes in kinds.items()}
            super().__init__()

        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, **kwargs)
            self.poolmanager.pool_classes_by_scheme = self._pools

        def proxy_manager_for(self, proxy: Any, **kwargs: Any) -> Any:
            manager = super().proxy_manager_for(proxy, **kwargs)
            manager.pool_classes_by_scheme = self._pools
            return manager

        def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
            where, _ = super().build_connection_pool_key_attributes(request, True, None)
            return where, {"ssl_context": self._tls, "cert_reqs": "CERT_REQUIRED"}

        def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
            """Nothing to add: the context verifies, and nothing of the environment may change that."""

        def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
            _check_origin(request.url or "", self._origin)  # the last door before the wire
            return super().send(request, *args, **kwargs)

    class Session(requests.Session):
        def get_redirect_target(self, resp: Any) -> None:
            """None: else the library reads a redirect's body, without limit, even if told not to follow."""

    return Session, Adapter


def _pool(pool_class: Any, connection_class: Any, wire: Wire) -> Callable[..., Any]:
    """What a pool manager makes a pool by: one whose connections open this wire."""

    def make(*args: Any, **kwargs: Any) -> Any:
        pool = pool_class(*args, **kwargs)
        pool.ConnectionCls = partial(connection_class, wire)
        return pool

    return make


def tls_context(ca_file: str | None) -> ssl.SSLContext:
    """Verifies host and certificate; made by hand: the defaults heed SSL_CERT_FILE and SSLKEYLOGFILE.

    Raises :class:`Unreachable` for a ``ca_file`` that cannot be relied on; nothing has left then.
    """
    import ssl

    import certifi

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not ca_file:
        context.load_verify_locations(certifi.where())
        return context
    source = f"The file of certificates {ca_file}"
    content, _ = read_trusted(
        Path(ca_file), _no_authorities, source=source, named=True, root=True, most=_LARGEST_CA_FILE
    )
    letters = (content or b"").decode("ascii", "ignore")  # comments may hold others
    try:
        context.load_verify_locations(cadata=letters)
    except (OSError, ValueError):
        fault = _no_authorities(f"{source} holds none", "Name a PEM file of certificate authorities.")
    else:
        return context
    raise fault


def _no_authorities(what: str, hint: str) -> Unreachable:
    return Unreachable(f"{what}.", hint=hint)


def _parse_base(base_url: str) -> _Origin:
    match = _URL.fullmatch(base_url)
    if match is None:
        raise HostNotAllowed("The service's address must be https://host, without user name or query.", "invalid")
    scheme, host, port, prefix = match.groups()
    host = host.lower().strip("[]")
    if prefix and not harmless(prefix):
        raise HostNotAllowed("The path in the service's address cannot be used.", "invalid")
    if scheme == "http" and not _is_loopback(host):
        raise HostNotAllowed("Plain http is for this machine only; use https.", "invalid")
    return _Origin(scheme, host, int(port or (443 if scheme == "https" else 80)))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _checked_proxy(proxy: str | None) -> str | None:
    """A plain HTTP proxy, used by CONNECT only: TLS goes to the service, and the proxy sees no key."""
    if not proxy:
        return None
    try:
        parts = urlsplit(proxy)
        usable = parts.scheme == "http" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(not "!" <= character <= "~" for character in proxy):
        raise UsageError("The proxy cannot be used.", "Write it as http://host:port.")
    return proxy


def _check_target(method: str, path: str) -> None:
    if not _METHOD.fullmatch(method):
        raise UsageError("The method of a request is a word in capitals.")
    if not harmless(path):
        raise HostNotAllowed("The path of a request must begin with one '/' and stay below it.", "invalid")


def _check_origin(url: str, origin: _Origin) -> None:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if (parts.scheme, parts.hostname, port) != origin or parts.username is not None:
        raise HostNotAllowed(f"A request for another place than {origin.host} was stopped.", "invalid")


def _checked_headers(headers: Mapping[str, str], key_header: str) -> dict[str, str]:
    for name, value in headers.items():
        if not free_header(name) or name.lower() == key_header.lower():
            raise HostNotAllowed(f"The header {name[:64]!r} is not a bundle's to set.", "invalid")
        if not header_value(value):
            raise HostNotAllowed(f"The value of the header {name} is not a line of plain text.", "invalid")
    return dict(headers)


def _content(json: object, upload: Upload | None) -> tuple[dict[str, Any], dict[str, str]]:
    """What is sent, and the header that says what it is, where the library does not add it by itself."""
    if upload is not None:
        files = {upload.field: (upload.name, upload.content, "application/octet-stream")}
        return {"data": dict(upload.fields), "files": files}, {}
    if json is None:
        return {}, {}
    try:
        text = write_json(json)
    except JsonError as error:
        fault = str(error)
    else:
        return {"data": text.encode()}, {"Content-Type": "application/json"}
    raise UsageError(f"What was to be sent cannot be written: {fault}.")


def _receive(answer: requests.Response, key: str | None, wire: Wire) -> Response:
    headers = {name.lower(): redact(value, key) for name, value in answer.headers.items()}
    request_id = _request_id(headers)
    status = answer.status_code
    if status < 200 or 300 <= status < 400:  # a redirect is never followed
        raise BadResponse(f"The service sent us elsewhere (HTTP {status}).", request_id=request_id, status=status)
    body = _read(answer, wire)
    if wire.expired:  # the watchdog's shutdown looks like the end of a body
        raise TimeoutError
    decoded = _decode(body, headers.get("content-encoding", ""))
    if decoded is None or len(decoded) > MAX_BODY:
        fault = "cannot be decoded" if decoded is None else "is larger than 1 MiB"
        raise BadResponse(f"The answer {fault} (HTTP {status}).", request_id=request_id, status=status)
    text = _ESCAPED.sub(_unescaped, decoded.decode("utf-8", "surrogateescape"))
    shown = redact(text, key)  # other bytes stay as they are
    return Response(status, headers, shown.encode("utf-8", "surrogateescape"), request_id)


def _unescaped(escape: re.Match[str]) -> str:
    """An escape for a plain character as that character: a key that is spelt in escapes is a key."""
    char = chr(int(escape[2], 16))
    return escape[1] + char if char.isalnum() or char in "-_." else escape[0]


def _request_id(headers: Mapping[str, str]) -> str | None:
    """The service's own name for the request, reduced to what is safe to print."""
    for name in _REQUEST_ID_HEADERS:
        safe = re.sub(r"[^A-Za-z0-9._:/+=-]", "", headers.get(name, ""))[:_MAX_REQUEST_ID]
        if safe:
            return safe
    return None


def _read(answer: requests.Response, wire: Wire) -> bytes:
    """At most one byte more than is accepted, undecoded."""
    body = b""
    while len(body) <= MAX_BODY and not wire.expired:
        chunk = answer.raw.read(MAX_BODY + 1 - len(body), decode_content=False)
        if not chunk:
            break
        body += chunk
    return body


def _decode(body: bytes, encoding: str) -> bytes | None:
    """Undo gzip, which some servers send unasked, to one byte over the limit; None if it cannot be done."""
    if encoding.strip().lower() in ("", "identity"):
        return body
    if encoding.strip().lower() not in ("gzip", "x-gzip"):
        return None
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(body, MAX_BODY + 1)
    except zlib.error:
        return None
    return plain if len(plain) > MAX_BODY or (unpacker.eof and not unpacker.unused_data) else None
