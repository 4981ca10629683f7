"""The door of the broker: a known token, at a bearable pace; everything else is turned away with a reason."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

import anyio
import anyio.to_thread
from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workflow.local.tokens import Token, Tokens
from workflow.mcp_server.caller import SCOPE_KEY, Caller
from workflow.mcp_server.calls import Desk
from workflow.mcp_server.connections import HEADER, Connections
from workflow.mcp_server.rate_limit import Pace
from workflow.mcp_server.sockets import SOCKET, Sockets

HEALTH = "/health"
_REFUSED = -32001
"""JSON-RPC's code for what the server itself refuses; the reason is in the message."""
_SESSION = HEADER.decode()
BODY_SECONDS = 60.0
"""For the body of a request, from its headers on."""
HEALTH_SECONDS = 0.5
"""For which a look at the store is good."""
_CLOSE = {"connection": "close"}


class Admission:
    """Stands before the server's application; ``healthy`` raises where the broker could not take a turn."""

    def __init__(
        self, app: ASGIApp, tokens: Tokens, desk: Desk, pace: Pace, healthy: Callable[[], object], largest: int
    ) -> None:
        """``largest`` is in bytes of a request."""
        self._app, self._plain = AuthContextMiddleware(app), app
        self._tokens, self._desk, self._pace, self._largest = tokens, desk, pace, largest
        self._health, self._connections = Health(healthy), Connections(self._app)
        self.sockets = Sockets()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, from an unknown caller to its answer."""
        if scope["type"] != "http":
            await self._plain(scope, receive, send)
        elif scope["path"] == HEALTH:
            await (await self._health.answer())(scope, receive, send)
        else:
            answer = await self._answer(scope, receive, send)
            if answer is not None:
                await answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> JSONResponse | None:
        """Why the request is turned away; None if it was let in, and is answered."""
        headers = Headers(scope=scope)
        presented = headers.get("authorization", "")
        kind, _, secret = presented.partition(" ")
        try:
            token = self._tokens.find(secret.strip()) if kind.lower() == "bearer" else None
        except Exception:  # a check that raises is part of what it guards
            return _refusal(HTTPStatus.SERVICE_UNAVAILABLE, "the broker cannot read its tokens; look at its log there")
        socket = scope.get(SOCKET)
        if token is None:
            if socket is not None:
                self.sockets.stranger(socket)
            return _unknown(bool(presented))
        if socket is not None and not self.sockets.belongs(socket, token.owner):
            message = f"{token.owner} has too many connections open at once; close some. Nothing was done"
            return _refusal(HTTPStatus.TOO_MANY_REQUESTS, message, {"retry-after": "1", **_CLOSE})
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._largest:
            most = f"{self._largest // 1024**2} MB"
            return _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the request is larger than {most}; nothing was done")
        seconds = self._pace.enter(token.owner)
        if seconds:
            message = f"too many requests with tokens of {token.owner}; try again in {seconds} s. Nothing was done"
            return _refusal(HTTPStatus.TOO_MANY_REQUESTS, message, {"retry-after": str(seconds)})
        try:
            body = await whole(receive, self._largest)
            if body is None:
                message = f"the request did not arrive within {BODY_SECONDS:.0f} s; nothing was done"
                return _refusal(HTTPStatus.REQUEST_TIMEOUT, message, _CLOSE)
            await self._let_in(token, headers.get(_SESSION, ""), scope, body, send)
        finally:
            self._pace.leave(token.owner)
        return None

    async def _let_in(self, token: Token, session: str, scope: Scope, receive: Receive, send: Send) -> None:
        caller = Caller(token.name, token.owner, token.scope)
        known = AccessToken(token="", client_id=token.name, scopes=[token.scope], subject=token.sha256)
        scope = {**scope, SCOPE_KEY: caller, "user": AuthenticatedUser(known)}
        answering = _Answering(receive, send, lambda: self._still(token))
        self._connections.begin(session)
        try:
            if scope["method"] == "GET":
                with self._desk.wait():  # a stream for whatever may come: it has no end of its own
                    await self._app(scope, receive, answering.send)
            else:
                await self._app(scope, receive, answering.send)
        finally:
            with anyio.CancelScope(shield=True):
                await self._connections.end(token.owner, session, answering.named, answering.status, scope)
        await answering.end(scope)

    def _still(self, token: Token) -> bool:
        try:
            return token in self._tokens.listed()
        except Exception:
            return False


class Health:
    """Whether turns can be taken, and nothing more: anybody may ask, and however many ask, one look is made at a time.

    The look has a thread of its own, so that no number of turns or strangers keeps an answer from anybody.
    """

    def __init__(self, healthy: Callable[[], object]) -> None:
        self._healthy = healthy
        self._looked, self._good = -HEALTH_SECONDS, False
        self._looking, self._threads = anyio.Lock(), anyio.CapacityLimiter(1)

    async def answer(self) -> JSONResponse:
        """200 if a look at the store went well a moment ago, else 503."""
        async with self._looking:
            if anyio.current_time() - self._looked >= HEALTH_SECONDS:
                await self._look()
        status = HTTPStatus.OK if self._good else HTTPStatus.SERVICE_UNAVAILABLE
        return JSONResponse({"ok": self._good}, status, _CLOSE)

    async def _look(self) -> None:
        self._good = False
        try:
            await anyio.to_thread.run_sync(self._healthy, limiter=self._threads)
            self._good = True
        except Exception:  # whatever it is: turns cannot be taken
            self._good = False
        self._looked = anyio.current_time()


async def whole(receive: Receive, largest: int) -> Receive | None:
    """The request's body, once it is there or is too large anyway; None if that takes too long."""
    come: list[Message] = []
    size, more = 0, True
    with anyio.move_on_after(BODY_SECONDS) as waited:
        while more and size <= largest:
            message = await receive()
            come.append(message)
            size += len(message.get("body", b""))
            more = message["type"] == "http.request" and message.get("more_body", False)
    if waited.cancelled_caught:
        return None
    come.reverse()

    async def again() -> Message:
        return come.pop() if come else await receive()

    return again


class _Answering:
    """An answer on its way: what leaves for as long as its token is good."""

    def __init__(self, receive: Receive, send: Send, good: Callable[[], bool]) -> None:
        self._receive, self._send, self._good = receive, send, good
        self._begun = self._ended = False
        self.status, self.named = 0, ""

    async def send(self, message: Message) -> None:
        """To the client; one whose token was revoked meanwhile gets nothing more, so that nothing was said to it."""
        if not self._good():
            return
        self._begun = True
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.named = Headers(raw=message.get("headers", [])).get(_SESSION, "")
        self._ended = message["type"] == "http.response.body" and not message.get("more_body", False)
        await self._send(message)

    async def end(self, scope: Scope) -> None:
        """What was kept back or cut short comes to a proper end."""
        if not self._begun:
            stopping = _refusal(HTTPStatus.SERVICE_UNAVAILABLE, "the broker is stopping")
            await (stopping if self._good() else _unknown(True))(scope, self._receive, self._send)
        elif not self._ended:
            await self._send({"type": "http.response.body", "body": b""})


def _unknown(presented: bool) -> JSONResponse:
    why = "this token is not known here, or was revoked" if presented else "a token is needed"
    message = f"{why}: somebody at the broker's machine makes one. Nothing was done"
    error = ' error="invalid_token"' if presented else ""
    return _refusal(HTTPStatus.UNAUTHORIZED, message, {"www-authenticate": f"Bearer{error}", **_CLOSE})


def _refusal(status: HTTPStatus, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """In the form that a client of the protocol shows as it is."""
    error = {"code": _REFUSED, "message": message}
    return JSONResponse({"jsonrpc": "2.0", "id": None, "error": error}, status, headers)
