"""The page's answers to requests: each is made in a thread, and only a POST can change anything."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any

from starlette.background import BackgroundTask
from starlette.responses import JSONResponse, Response

from workflow.engine import Engine
from workflow.engine.question import Question
from workflow.history import audit
from workflow.local.approvers import Approvers
from workflow.local.browsers import AUDITOR, Browser, Browsers
from workflow.local.clock import SystemClock
from workflow.machine import foreign
from workflow.model.errors import SessionBusy, SessionNotFound, UsageError
from workflow.model.frozen import replace
from workflow.model.instant import iso
from workflow.model.reply import place_of
from workflow.model.session import Turn
from workflow.model.strict_json import JsonError, read_json
from workflow.show.graph import draw, walk
from workflow.show.svg import STYLE, picture
from workflow.show.times import minute
from workflow.web import answers, passkey, render
from workflow.web.decided import answered_at, decided, last_answer
from workflow.web.inbox import PAGE, asked_of, inbox, waiting
from workflow.web.people import People, Person
from workflow.web.question_view import asked_view, label, lines, told
from workflow.web.seals import Seals

COMMAND = "workflow-admin page --approver NAME"
"""What makes a link for a page that serves several people."""
Words = Mapping[str, str]


@dataclass
class Ask:
    """One request: who asks, for what, in which words. ``person`` is None for a stranger."""

    method: str
    path: str
    query: answers.Form
    form: answers.Form
    words: Words
    person: Person | None = None
    cookie: str = field(default="", repr=False)
    agent: str = ""
    secure: bool = False
    origin: str = ""


@dataclass
class Page:
    """What all requests have in common. ``open_engine`` is called for each, so that a gate that is raised counts
    immediately; ``approvers`` reads who they are, with their roles; ``link`` is the command that makes a link.
    """

    open_engine: Callable[[], Engine]
    seals: Seals
    browsers: Browsers
    approvers: People
    link: str = COMMAND
    alone: bool = False
    keys: Approvers | None = None

    def answer(self, ask: Ask) -> Response:
        """The answer to one request. What is not there, and what is not theirs, is answered alike."""
        try:
            return self._answer(ask)
        except SessionNotFound:
            return self._missing(ask)
        except Exception as error:  # the last resort: a reason for whoever runs it, which names no session
            print(f"page: {type(error).__name__} ({place_of(error)})", file=sys.stderr)
            return self.message(ask, HTTPStatus.INTERNAL_SERVER_ERROR, "failed")

    def known(self, person: Person, origin: str) -> Person:
        """The person with what an answer of theirs can be worth on the page at this origin."""
        if self.keys is None or not (person.name and person.may_answer):
            return person
        return replace(person, strength=passkey.strength(self.keys, origin, person.name))

    def message(self, ask: Ask, status: HTTPStatus, key: str, *about: object) -> Response:
        """A page that only says something, such as why not; ``key`` names its title and, with ``_how``, its text."""
        how = ask.words[f"{key}_how"].format(*about)
        return self._page(ask, "message", status=status, title=ask.words[key], how=how)

    def stranger(self, ask: Ask, status: HTTPStatus, *, again: bool = False) -> Response:
        """The page for whoever is not signed in: the same for every address.

        ``again`` lets the browser ask once more: a link from elsewhere comes without the cookie of a strict site.
        """
        values: dict[str, Any] = {"title": ask.words["sign_in"], "how": ask.words["sign_in_how"], "command": self.link}
        return self._page(ask, "message", status=status, again=again, **values)

    def _answer(self, ask: Ask) -> Response:
        parts = ask.path.strip("/").split("/")
        if parts[0] == "pair" and len(parts) == 1:
            return self._pair(ask)
        if ask.person is None:
            return self.stranger(ask, HTTPStatus.OK if ask.path == "/" else HTTPStatus.FORBIDDEN)
        match ask.method, parts:
            case "GET", [""]:
                return self._inbox(ask, ask.person)
            case "GET", ["sessions"] if ask.person.sees_all:
                return self._sessions(ask)
            case "GET", ["browsers"]:
                return self._browsers(ask, ask.person)
            case "POST", ["browsers", "revoke"]:
                return self._revoke(ask, ask.person)
            case "POST", ["passkeys", *rest] if self.keys and ask.person.name and ask.person.may_answer:
                return self._make_passkey(ask, ask.person, self.keys, rest)
            case "POST", ["sign-out"]:
                return self._sign_out(ask, ask.person)
            case _, ["s", address, *rest] if name := self.seals.session(address):
                return self._of_session(ask, ask.person, name, rest)
        return self._missing(ask)

    def _of_session(self, ask: Ask, person: Person, name: str, rest: list[str]) -> Response:
        engine = self.open_engine()
        match ask.method, rest:
            case "GET", []:
                return self._session(ask, person, engine, name)
            case "GET", ["machine"]:
                return self._machine(ask, person, engine, name)
            case "GET", ["question"]:
                return self._question(ask, person, engine, name)
            case "POST", ["answer"] if person.may_answer:
                return self._take(ask, person, engine, name)
            case "POST", ["sign"] if person.may_answer and self.keys:
                return self._to_sign(ask, person, self.keys, engine, name)
        return self._missing(ask)

    # --- signing in and out ------------------------------------------------------------------------

    def _pair(self, ask: Ask) -> Response:
        """A GET shows a button and changes nothing, so that previews and scanners pair nothing."""
        secret = answers.field(ask.form if ask.method == "POST" else ask.query, "link")
        if ask.method == "POST":
            paired = self.browsers.pair(secret, ask.agent)
            if paired:
                return self._signed_in(paired[0], secure=ask.secure)
        link = self.browsers.link(secret) if ask.method == "GET" else None
        if link is None or (not link.person and link.scope != AUDITOR and not self.alone):
            return self.message(ask, HTTPStatus.GONE, "pair_over")
        how = ask.words["pair_auditor" if link.scope == AUDITOR else "pair_as" if link.person else "pair_anybody"]
        return self._page(ask, "pair", title=ask.words["pair"], how=how.format(link.person), link=secret)

    def _signed_in(self, cookie: str, *, secure: bool) -> Response:
        response = _redirect("/")
        name = SECURE_COOKIE if secure else COOKIE
        response.set_cookie(name, cookie, max_age=30 * 86400, httponly=True, samesite="strict", secure=secure)
        return response

    def _sign_out(self, ask: Ask, person: Person) -> Response:
        self.browsers.revoke(person.browser)
        response = self.message(Ask(**{**vars(ask), "person": None}), HTTPStatus.OK, "signed_out")
        for name, secure in ((COOKIE, False), (SECURE_COOKIE, True)):
            response.delete_cookie(name, httponly=True, samesite="strict", secure=secure)
        return response

    def _browsers(self, ask: Ask, person: Person) -> Response:
        rows = [
            {
                "id": each.id,
                "agent": foreign.inline(each.agent),
                "since": minute(each.since),
                "here": each.id == person.browser,
            }
            for each in self._theirs(person)
        ]
        title, passkeys = ask.words["browsers"], self._passkeys(ask, person)
        return self._page(ask, "browsers", title=title, here="browsers", browsers=rows, passkeys=passkeys)

    def _passkeys(self, ask: Ask, person: Person) -> list[dict[str, Any]] | None:
        """The person's passkeys on this page; None where they can have none here."""
        if self.keys is None or not (person.name and person.may_answer):
            return None
        try:
            passkey.creation_options(self.keys, ask.origin, person.name, b"")
        except UsageError:
            return None
        devices = [each for each in self.keys.find(person.name).devices if each.origin == ask.origin]
        return [{"name": each.name, "fingerprint": each.fingerprint, "confirmed": each.confirmed} for each in devices]

    def _make_passkey(self, ask: Ask, person: Person, keys: Approvers, rest: list[str]) -> Response:
        """What a browser makes a passkey of, and the passkey that it has made."""
        challenge = self.seals.challenge(ask.cookie)
        try:
            if rest == ["options"]:
                return JSONResponse(passkey.creation_options(keys, ask.origin, person.name, challenge))
            given: Any = read_json(answers.field(ask.form, "passkey"))
            name, now = answers.field(ask.form, "name"), iso(SystemClock().now())
            if not rest and isinstance(given, dict):
                passkey.pair(keys, ask.origin, person.name, challenge, given, name=name, since=now)
                return _redirect("/browsers")
        except (UsageError, JsonError):
            return self.message(ask, HTTPStatus.UNPROCESSABLE_ENTITY, "no_passkey")
        return self._missing(ask)

    def _to_sign(self, ask: Ask, person: Person, keys: Approvers, engine: Engine, name: str) -> Response:
        """What a passkey of this person has to sign for the answer of a form; null where none can or need."""
        try:
            turn = answers.turn_of(engine, self.seals, name, person, ask.form)[2]
            options = passkey.request_options(keys, ask.origin, engine, name, turn) if turn else None
        except (answers.Missing, answers.Changed, UsageError):
            options = None
        return JSONResponse(options)

    def _signed(self, ask: Ask, engine: Engine, name: str, turn: Turn, signature: str) -> Turn:
        """The turn with the signature that the browser sent."""
        try:
            given: Any = read_json(signature)
        except JsonError:
            given = None
        if self.keys is None or not isinstance(given, dict):
            raise UsageError("what the browser sent is not a signature", "Answer once more.")
        return passkey.answered(self.keys, ask.origin, engine, name, turn, given)

    def _revoke(self, ask: Ask, person: Person) -> Response:
        wanted = answers.field(ask.form, "browser")
        if wanted not in {each.id for each in self._theirs(person)}:
            return self._missing(ask)
        if wanted == person.browser:
            return self._sign_out(ask, person)
        with suppress(UsageError):  # somebody else has signed it out meanwhile
            self.browsers.revoke(wanted)
        return _redirect("/browsers")

    def _theirs(self, person: Person) -> Sequence[Browser]:
        own = (person.name, person.scope)
        return [each for each in self.browsers.listed() if (each.person, each.scope) == own]

    # --- looking -----------------------------------------------------------------------------------

    def _inbox(self, ask: Ask, person: Person) -> Response:
        found = inbox(self.open_engine(), person)
        rows = [
            {
                "name": row.session,
                "address": f"{self._place(row.session)}/question",
                "title": row.title,
                "about": foreign.inline(row.about) if row.about else "",
                "events": [label(event) for event in row.events],
                "whose": row.whose,
                "since": minute(row.since),
                "until": minute(row.until) if row.until else "",
                "sandbox": row.sandbox,
                "doubt": row.doubt,
                "fault": row.fault,
            }
            for row in found.rows
        ]
        return self._page(ask, "inbox", title=ask.words["inbox"], here="inbox", rows=rows, more=found.more)

    def _sessions(self, ask: Ask) -> Response:
        given = answers.field(ask.query, "from")
        start = int(given) if given.isascii() and given.isdecimal() and len(given) < 8 else 0
        found = self.open_engine().sessions(limit=PAGE + 1, offset=start)
        rows = [
            {
                "name": each.name,
                "address": self._place(each.name),
                "about": foreign.inline(each.about) if each.about else "",
                "status": each.status,
                "state": each.state,
                "updated": minute(each.updated),
                "sandbox": bool(each.sandbox),
            }
            for each in found[:PAGE]
        ]
        older = start + PAGE if len(found) > PAGE else None
        newer = max(0, start - PAGE) if start else None
        title = ask.words["sessions"]
        return self._page(ask, "sessions", title=title, here="sessions", rows=rows, older=older, newer=newer)

    def _session(self, ask: Ask, person: Person, engine: Engine, name: str) -> Response:
        asked, entries = asked_of(engine, name, person), list(audit.entries(engine, name))
        if not self._may_see(person, asked, entries):
            return self._missing(ask)
        reply, last = asked.reply, last_answer(entries)
        shows = person.sees_all or not asked.definition.roles  # other people's texts are theirs
        view = {
            "title": asked.definition.title,
            "status": reply.status,
            "sandbox": reply.sandbox,
            "phase": reply.phase or "",
            "state": reply.state,
            "about": foreign.inline(asked.session.about) if asked.session.about else "",
            "trouble": foreign.inline(asked.session.cause) if asked.session.trouble and asked.session.cause else "",
            "said": [lines(each) for each in reply.say] if shows else [],
            "last": told(last, person, ask.words) if last else "",
            "asks": any(waiting(asked, person)),
            "steps": [{"what": label(step.event), "to": step.target} for step in walk(entries).steps],
        }
        note = ask.words.get({"1": "taken", "2": "partial"}.get(answers.field(ask.query, "noted"), ""), "")
        place = self._place(name)
        values: dict[str, Any] = {
            "s": view,
            "name": name,
            "session": place,
            "question": f"{place}/question",
            "note": note,
        }
        return self._page(ask, "session", title=ask.words["session"], **values)

    def _machine(self, ask: Ask, person: Person, engine: Engine, name: str) -> Response:
        asked, entries = asked_of(engine, name, person), list(audit.entries(engine, name))
        if not self._may_see(person, asked, entries):
            return self._missing(ask)
        registry = engine.world.open_bundle(asked.session.path).registry
        effects = {each: action.effect for each, action in registry.actions.items()}
        drawing = picture(draw(asked.definition, effects, walk(entries)), styled=False)
        values: dict[str, Any] = {"picture": render.drawn(drawing.markup), "name": name, "session": self._place(name)}
        return self._page(ask, "machine", title=ask.words["way"], **values)

    def _question(
        self,
        ask: Ask,
        person: Person,
        engine: Engine,
        name: str,
        problem: tuple[str, Sequence[str]] | None = None,
        status: HTTPStatus = HTTPStatus.OK,
    ) -> Response:
        asked = asked_of(engine, name, person)
        if not asked.options:
            return self._nothing_asked(ask, person, engine, name, asked, problem, status)
        note = ask.words["no_recorded"] if answers.field(ask.query, "noted") else ""
        place = self._place(name)
        values = {
            "q": asked_view(engine, self.seals, asked, person, ask.words, ask.form if problem else {}),
            "name": name,
            "session": place,
            "post": f"{place}/answer",
            "sign": f"{place}/sign" if self._passkeys(ask, person) else "",
            "problem": {"title": problem[0], "texts": problem[1]} if problem else None,
            "note": note,
        }
        return self._page(ask, "question", status=status, title=ask.words["question"], **values)

    def _nothing_asked(
        self,
        ask: Ask,
        person: Person,
        engine: Engine,
        name: str,
        asked: Question,
        problem: tuple[str, Sequence[str]] | None,
        status: HTTPStatus,
    ) -> Response:
        """Nothing is asked of this person: whoever may see the session is told who decided, and when."""
        entries = list(audit.entries(engine, name))
        if not (answers.was_shown(self.seals, name, person, ask.form) or self._may_see(person, asked, entries)):
            return self._missing(ask)
        last = last_answer(entries)
        title, texts = problem or (ask.words["nothing_asked"], [told(last, person, ask.words)] if last else [])
        place = self._place(name)
        return self._page(ask, "nothing", status=status, title=title, texts=texts, name=name, session=place)

    # --- answering ---------------------------------------------------------------------------------

    def _take(self, ask: Ask, person: Person, engine: Engine, name: str) -> Response:
        """Take an answer: once it is kept, the browser goes to the session, and the turn goes on to its end."""
        under_way = answers.Underway(
            lambda kept: answers.take(engine, self.seals, name, person, ask.form, kept, partial(self._signed, ask))
        )
        try:
            taken = under_way.outcome()
        except answers.Missing as missing:
            why = ask.words[missing.key].format(label(missing.about))
            return self._again(ask, person, engine, name, why, HTTPStatus.UNPROCESSABLE_ENTITY)
        except answers.Changed:
            return self._too_late(ask, person, engine, name)
        except SessionBusy:
            return self._again(ask, person, engine, name, ask.words["busy"], HTTPStatus.CONFLICT)
        if taken.key == "no_recorded":
            return _redirect(f"{self._place(name)}/question?noted=1")
        if not taken.counts:
            return self._too_late(ask, person, engine, name, taken.why)
        number = {"taken": 1, "partial": 2}[taken.key]
        return _redirect(f"{self._place(name)}?noted={number}", BackgroundTask(under_way.end))

    def _again(self, ask: Ask, person: Person, engine: Engine, name: str, why: str, status: HTTPStatus) -> Response:
        return self._question(ask, person, engine, name, (ask.words["not_taken"], [why]), status)

    def _too_late(self, ask: Ask, person: Person, engine: Engine, name: str, why: str = "") -> Response:
        """The question of the form is not asked any more, or not like that: say by whom it was decided, and when."""
        found = self._decided(ask, engine, name)
        if found and found.who == person.name and person.name and found.event == answers.field(ask.form, "event"):
            return _redirect(f"{self._place(name)}?noted=1")  # their own answer, sent twice
        key = "elsewhere" if found and found.channel else "changed"
        texts = [*([told(found, person, ask.words)] if found else []), ask.words[f"{key}_how"], *([why] if why else [])]
        return self._question(ask, person, engine, name, (ask.words[key], texts), HTTPStatus.CONFLICT)

    def _decided(self, ask: Ask, engine: Engine, name: str) -> Any:
        given, event = answers.field(ask.form, "opened"), answers.field(ask.form, "event")
        known = engine.load(name).program.definition.events.get(event)
        if known is None or known.gate is None or not (given.isascii() and given.isdecimal() and len(given) < 10):
            return None
        return decided(audit.entries(engine, name), known.gate, int(given))

    # --- what pages have in common -----------------------------------------------------------------

    def _may_see(self, person: Person, asked: Question, entries: Sequence[Any]) -> bool:
        """Whether a session is this person's to see: it asks them something, or a gate that they may answer was
        answered in it, by them or by somebody else.
        """
        if person.sees_all or any(waiting(asked, person)):
            return True
        gates = asked.definition.gates
        mine = {name for name, gate in gates.items() if gate.by is None or gate.by in person.roles}
        return any(gate in mine or who == person.name for gate, who in answered_at(entries))

    def _place(self, session: str) -> str:
        return f"/s/{self.seals.address(session)}"

    def _missing(self, ask: Ask) -> Response:
        return self.message(ask, HTTPStatus.NOT_FOUND, "missing")

    def _page(self, ask: Ask, template: str, /, *, status: int = HTTPStatus.OK, **values: Any) -> Response:
        known = {"here": "", "again": False, **values, "person": ask.person, "form": ""}
        if ask.person:
            known["form"] = self.seals.form(ask.cookie)
        return Response(render.page(template, ask.words, **known), status, media_type="text/html")


COOKIE, SECURE_COOKIE = "phasegate", "__Host-phasegate"
"""The cookie of a signed-in browser; over TLS it has the name that a browser takes from no other host."""


def static(name: str) -> Response | None:
    """A file that every page loads; None for anything else."""
    if name not in render.STATIC:
        return None
    content = STYLE if name == "machine.css" else (render.FOLDER / "static" / name).read_text(encoding="utf-8")
    return Response(content, media_type=render.STATIC[name])


def _redirect(place: str, background: BackgroundTask | None = None) -> Response:
    return Response(status_code=HTTPStatus.SEE_OTHER, headers={"location": place}, background=background)
