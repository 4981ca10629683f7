"""The door of the page: its own names, known browsers, their forms and their pace; the policy on every answer."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import parse_qs

import anyio.to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workflow.mcp_server.admission import whole
from workflow.mcp_server.rate_limit import Pace
from workflow.mcp_server.sockets import SOCKET, Sockets
from workflow.web import answers
from workflow.web.page import COOKIE, SECURE_COOKIE, Ask, Page, static
from workflow.web.people import Person, signed_in
from workflow.web.words import words_for

POLICY = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""On every answer. A policy of no referrer would let browsers send forms with the origin ``null``."""
LARGEST = 256 * 1024
"""Bytes of a form."""
_FIELDS = 200
_PUBLIC = "/static/"


class Front:
    """The page as an application; what is not its own goes to ``beside``, such as the broker's tools.

    ``hosts`` are the names that it may be called by, with their port (DNS rebinding).
    """

    def __init__(
        self,
        page: Page,
        hosts: Sequence[str],
        *,
        sockets: Sockets | None = None,
        pace: Pace | None = None,
        beside: ASGIApp | None = None,
        others: Sequence[str] = (),
    ) -> None:
        self._page, self._hosts = page, frozenset(hosts)
        self._pace, self.sockets = pace or Pace(), sockets or Sockets()
        self._beside, self._others = beside, frozenset(others)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; every answer of the page's own carries the policy."""
        if self._beside is not None and (scope["type"] != "http" or scope["path"] in self._others):
            await self._beside(scope, receive, send)
        elif scope["type"] == "http":
            response = await self._respond(scope, receive)
            await response(scope, receive, _with_policy(send))
        elif scope["type"] == "lifespan":
            await _lifespan(receive, send)

    async def _respond(self, scope: Scope, receive: Receive) -> Response:
        headers = Headers(scope=scope)
        ask = self._ask(scope, headers)
        fault = self._fault(ask, headers)
        if fault:
            return fault
        if ask.path.startswith(_PUBLIC):
            return static(ask.path.removeprefix(_PUBLIC)) or self._page.stranger(ask, HTTPStatus.NOT_FOUND)
        try:
            ask.cookie, ask.origin, ask.person = await anyio.to_thread.run_sync(self._who, headers)
        except Exception as error:  # a check that raises is part of what it guards
            print(f"page: who asks cannot be told: {type(error).__name__}", file=sys.stderr)
            return self._page.message(ask, HTTPStatus.SERVICE_UNAVAILABLE, "failed")
        if ask.person is None:
            return await self._of_stranger(ask, scope, receive, headers)
        return await self._of_person(ask, ask.person, scope, receive)

    async def _of_stranger(self, ask: Ask, scope: Scope, receive: Receive, headers: Headers) -> Response:
        socket = scope.get(SOCKET)
        if socket is not None:
            self.sockets.stranger(socket)
        if ask.path != "/pair" and ask.method == "GET" and headers.get("sec-fetch-site") == "cross-site":
            return self._page.stranger(ask, HTTPStatus.OK, again=True)
        if ask.method == "POST":
            return await self._posted(ask, receive) or await self._made(ask)
        return await self._made(ask)

    async def _of_person(self, ask: Ask, person: Person, scope: Scope, receive: Receive) -> Response:
        """In the person's own room: what takes too much of it is turned away."""
        socket = scope.get(SOCKET)
        if socket is not None and not self.sockets.belongs(socket, person.owner):
            return self._too_many(ask, 1)
        seconds = self._pace.enter(person.owner)
        if seconds:
            return self._too_many(ask, seconds)
        try:
            if ask.method == "POST":
                fault = await self._posted(ask, receive)
                if fault:
                    return fault
                if not self._page.seals.is_form(ask.cookie, answers.field(ask.form, "form")):
                    return self._page.message(ask, HTTPStatus.FORBIDDEN, "stale_form")
            return await self._made(ask)
        finally:
            self._pace.leave(person.owner)

    async def _made(self, ask: Ask) -> Response:
        return await anyio.to_thread.run_sync(self._page.answer, ask)

    async def _posted(self, ask: Ask, receive: Receive) -> Response | None:
        """Read the form; an answer where there is none to be read."""
        again = await whole(receive, LARGEST)
        if again is None:
            return self._page.message(ask, HTTPStatus.REQUEST_TIMEOUT, "too_slow")
        content, more = b"", True
        while more and len(content) <= LARGEST:
            message: Message = await again()
            content += message.get("body", b"")
            more = message["type"] == "http.request" and message.get("more_body", False)
        if len(content) > LARGEST:
            return self._page.message(ask, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large")
        try:
            ask.form = parse_qs(content.decode("ascii"), True, max_num_fields=_FIELDS, errors="strict")
        except ValueError:
            return self._page.message(ask, HTTPStatus.BAD_REQUEST, "stale_form")
        return None

    def _ask(self, scope: Scope, headers: Headers) -> Ask:
        try:
            query = parse_qs(scope["query_string"].decode("ascii"), True, max_num_fields=_FIELDS, errors="strict")
        except ValueError:
            query = {}
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        words, agent = words_for(headers.get("accept-language", "")), headers.get("user-agent", "")
        secure = headers.get("origin", "").startswith("https://")
        return Ask(method, scope["path"], query, {}, words, agent=agent, secure=secure)

    def _fault(self, ask: Ask, headers: Headers) -> Response | None:
        """Why a request is turned away before anybody looks who sent it."""
        if headers.get("host", "") not in self._hosts:
            return self._page.message(ask, HTTPStatus.MISDIRECTED_REQUEST, "wrong_host")
        if ask.method not in ("GET", "POST"):
            response = self._page.message(ask, HTTPStatus.METHOD_NOT_ALLOWED, "missing")
            response.headers["allow"] = "GET, HEAD, POST"
            return response
        if ask.method == "POST" and headers.get("origin") not in self._origins(headers["host"]):
            return self._page.message(ask, HTTPStatus.FORBIDDEN, "stale_form")
        return None

    @staticmethod
    def _origins(host: str) -> tuple[str, str]:
        return f"http://{host}", f"https://{host}"

    def _who(self, headers: Headers) -> tuple[str, str, Person | None]:
        """The cookie, the origin, and the person whose browser this is, as the files of the machine have them now.

        Only over TLS has the cookie its secure name.
        """
        cookies = cookie_parser(headers.get("cookie", ""))
        for name in (SECURE_COOKIE, COOKIE):
            browser = self._page.browsers.find(cookies[name]) if cookies.get(name) else None
            if browser:
                known = self._page.approvers() if browser.person else {}
                origin = f"{'https' if name == SECURE_COOKIE else 'http'}://{headers['host']}"
                person = signed_in(browser, known, alone=self._page.alone)
                return cookies[name], origin, self._page.known(person, origin) if person else None
        return "", "", None

    def _too_many(self, ask: Ask, seconds: int) -> Response:
        response = self._page.message(ask, HTTPStatus.TOO_MANY_REQUESTS, "too_many", seconds)
        response.headers["retry-after"] = str(seconds)
        return response


def _with_policy(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in POLICY.items():
                headers[name] = value
        await send(message)

    return sent


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
