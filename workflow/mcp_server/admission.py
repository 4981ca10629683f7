"""The door of the broker: a known token, at a bearable pace; everything else is turned away with a reason."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

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
from workflow.mcp_server.rate_limit import Pace

HEALTH = "/health"
_REFUSED = -32001
"""JSON-RPC's code for what the server itself refuses; the reason is in the message."""
_SESSION = "mcp-session-id"


class Admission:
    """Stands before the server's application; ``healthy`` raises where the broker could not take a turn."""

    def __init__(
        self, app: ASGIApp, tokens: Tokens, desk: Desk, pace: Pace, healthy: Callable[[], object], largest: int
    ) -> None:
        """``largest`` is in bytes of a request."""
        self._app, self._plain = AuthContextMiddleware(app), app
        self._tokens, self._desk, self._pace, self._healthy, self._largest = tokens, desk, pace, healthy, largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, from an unknown caller to its answer."""
        if scope["type"] != "http":
            await self._plain(scope, receive, send)
        elif scope["path"] == HEALTH:
            await (await self._health())(scope, receive, send)
        else:
            answer = await self._answer(scope, receive, send)
            if answer is not None:
                await answer(scope, receive, send)

    async def _health(self) -> JSONResponse:
        """Whether turns can be taken, and nothing more: anybody may ask."""
        try:
            await anyio.to_thread.run_sync(self._healthy)
        except Exception:  # whatever it is: turns cannot be taken
            return JSONResponse({"ok": False}, HTTPStatus.SERVICE_UNAVAILABLE)
        return JSONResponse({"ok": True})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> JSONResponse | None:
        """Why the request is turned away; None if it was let in, and is answered."""
        headers = Headers(scope=scope)
        presented = headers.get("authorization", "")
        kind, _, secret = presented.partition(" ")
        try:
            token = self._tokens.find(secret.strip()) if kind.lower() == "bearer" else None
        except Exception:  # a check that raises is part of what it guards
            return _refusal(HTTPStatus.SERVICE_UNAVAILABLE, "the broker cannot read its tokens; look at its log there")
        if token is None:
            return _unknown(bool(presented))
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._largest:
            most = f"{self._largest // 1024**2} MB"
            return _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the request is larger than {most}; nothing was done")
        seconds = self._pace.enter(token.sha256)
        if seconds:
            message = f"too many requests with the token {token.name}; try again in {seconds} s. Nothing was done"
            return _refusal(HTTPStatus.TOO_MANY_REQUESTS, message, {"retry-after": str(seconds)})
        try:
            await self._let_in(token, headers.get(_SESSION, ""), scope, receive, send)
        finally:
            self._pace.leave(token.sha256)
        return None

    async def _let_in(self, token: Token, session: str, scope: Scope, receive: Receive, send: Send) -> None:
        caller = Caller(token.name, (token.sha256, session), reads_only=token.scope != "agent")
        known = AccessToken(token="", client_id=token.name, scopes=[token.scope], subject=token.sha256)
        scope = {**scope, SCOPE_KEY: caller, "user": AuthenticatedUser(known)}
        answering = _Answering(caller, receive, send, lambda: self._still(token))
        if scope["method"] == "GET":
            with self._desk.wait():  # a stream for whatever may come: it has no end of its own
                await self._app(scope, answering.receive, answering.send)
        else:
            await self._app(scope, answering.receive, answering.send)
        await answering.end(scope)

    def _still(self, token: Token) -> bool:
        try:
            return token in self._tokens.listed()
        except Exception:
            return False


class _Answering:
    """An answer on its way: what leaves while the client is there, and for as long as its token is good."""

    def __init__(self, caller: Caller, receive: Receive, send: Send, good: Callable[[], bool]) -> None:
        self._caller, self._receive, self._send, self._good = caller, receive, send, good
        self._gone = self._begun = self._ended = False

    async def receive(self) -> Message:
        """From the client; whether it is still there is noted on the way."""
        message = await self._receive()
        self._gone = self._gone or message["type"] == "http.disconnect"
        return message

    async def send(self, message: Message) -> None:
        """To the client; one whose token was revoked meanwhile gets nothing more, so that nothing was said to it."""
        if not self._good():
            return
        self._begun = True
        self._ended = message["type"] == "http.response.body" and not message.get("more_body", False)
        await self._send(message)
        body = message.get("body", b"")
        if body and not body.startswith(b":") and not self._gone:  # a comment only keeps the connection open
            self._caller.written += 1

    async def end(self, scope: Scope) -> None:
        """What was kept back or cut short comes to a proper end."""
        if not self._begun:
            stopping = _refusal(HTTPStatus.SERVICE_UNAVAILABLE, "the broker is stopping")
            await (stopping if self._good() else _unknown(True))(scope, self._receive, self._send)
        elif not self._ended:
            await self._send({"type": "http.response.body", "body": b""})


def _unknown(presented: bool) -> JSONResponse:
    why = "this token is not known here, or was revoked" if presented else "a token is needed"
    message = f"{why}: `workflow-admin token new NAME`, on the broker's side, makes one. Nothing was done"
    error = ' error="invalid_token"' if presented else ""
    return _refusal(HTTPStatus.UNAUTHORIZED, message, {"www-authenticate": f"Bearer{error}"})


def _refusal(status: HTTPStatus, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """In the form that a client of the protocol shows as it is."""
    error = {"code": _REFUSED, "message": message}
    return JSONResponse({"jsonrpc": "2.0", "id": None, "error": error}, status, headers)
