"""The tools: each is one call of the engine, and answers with the object that the command of its name prints."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from inspect import getdoc
from typing import Annotated, Any, TypeVar

import anyio.lowlevel
import anyio.to_thread
from mcp.server.mcpserver import ElicitationResult, Resolve
from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult, TextContent, ToolAnnotations
from pydantic import Field

from workflow.engine import Engine, Look, View
from workflow.engine.question import STRENGTH, note_unanswered
from workflow.engine.sandboxes import sandboxes
from workflow.engine.waiting import standing
from workflow.history import audit
from workflow.machine import gates
from workflow.machine.definition import Event
from workflow.mcp_server.alive import SIGN, Calling, alive, began
from workflow.mcp_server.caller import WATCHING, Caller, caller_of
from workflow.mcp_server.calls import Desk
from workflow.mcp_server.elicitation import CHANNEL, Unasked, ask, client, read, surface
from workflow.mcp_server.forms import Filled, Form
from workflow.model.errors import SessionBusy
from workflow.model.frozen import as_dict, replace
from workflow.model.reply import VERSION, Failure, Reply, Status, of_error
from workflow.model.session import Turn
from workflow.model.strict_json import printed_json

WAIT = 10.0
"""Seconds to wait for another turn, or a look, that holds the session."""
MOST = 1000
"""Sessions in one list."""
_SURFACE = "mcp"
Made = TypeVar("Made")

Session = Annotated[str, Field(description="The session's name, such as amber-fox.")]
Input = Annotated[
    dict[str, Any] | None,
    Field(description="The event's data by name, as `next[].input` described them."),
]
Revision = Annotated[int | None, Field(description="The `revision` of the reply that this turn answers.")]
Seen = Annotated[str | None, Field(description="The `seen` of the reply that this turn answers, such as 6-b3993f09.")]
TurnId = Annotated[str | None, Field(description="An id of your own: a repeat with the same one is done once.")]
Translation = Annotated[
    str | None,
    Field(description="Your translation of the gate's question, as you told it, where `say` had `translate_to`."),
]
Quote = Annotated[
    str | None,
    Field(description="The person's answer, word for word, where no form asks them; else ignored."),
]
Items = Annotated[
    list[str] | None, Field(description="With `quote`: the files agreed to, by the names that the question shows.")
]
Language = Annotated[str | None, Field(description="The user's language, such as en or zh-CN.")]


async def workflow_start(
    context: Calling,
    input: Annotated[
        dict[str, Any], Field(description='The user\'s first words: {"words": "…"}, and what else it takes.')
    ],
    language: Language = None,
    turn_id: TurnId = None,
) -> CallToolResult:
    """Begin a session with the user's first words, as they said them."""
    desk = _desk(context)
    turn = Turn("start", input, turn_id=turn_id, channel=_SURFACE, client=client(context))

    caller = _caller(context)

    def begin() -> Reply:
        begun = dict(desk.beginning()) | ({"language": language} if language else {})
        with desk.received(input, caller) as given:
            owner = caller.owner if caller else None
            reply = _engine(context).start(replace(turn, input=given), **begun, owner=owner)
        return replace(reply, notices=(*reply.notices, desk.told("This session"))) if reply.session else reply

    return await _turn(context, begin)


async def workflow_advance(
    context: Calling,
    session: Session,
    answer: Annotated[ElicitationResult[Filled], Resolve(ask)],
    event: Annotated[str | None, Field(description="One of `next`, or `note`.")] = None,
    input: Input = None,
    seen: Seen = None,
    expect_revision: Revision = None,
    turn_id: TurnId = None,
    language: Language = None,
    translation: Translation = None,
    quote: Quote = None,
    items: Items = None,
) -> CallToolResult:
    """Take one step of a session; without an event, go on and say what is new.

    What only the user can answer, a form asks them, where the client shows forms. It shows what they agree to, and no
    `quote` counts. Without an answer every other event stays possible; the same call shows the form again once they
    ask for it. Where there are no forms, pass their answer on as `quote`.

    Of `say`, `repeat` was said before: unless they ask for it, say that nothing is new. `maybe_said` perhaps was;
    `unsaid` was not, and a call without an event says it. What an event of `next` means and takes is told once;
    workflow_status gives all of it again.

    Two things come on top of one event a message. Where the user speaks of the result before `say` told that it is
    ready, send `check` first; what the reply to it asks comes before their message, which `note` keeps. And `note`
    keeps a wish: {"words": their wish, "for": the event that it waits for}. Once `say` asks about it, a yes is the
    event whose `how` names the wish, with these words; a no is `note` with the same and "drop": true. Where they
    choose a part, send that part, and keep first what else they still want.
    """
    desk, caller = _desk(context), _caller(context)
    turn = Turn(event, input or {}, None, None, turn_id, expect_revision, seen, _SURFACE, client=client(context))
    turn = replace(turn, translation=translation, remote=True)
    relayed = {"quote": quote, "items": None if items is None else tuple(items)}

    def advance() -> Reply:
        with desk.received(input, caller) as given:
            return _advance(
                _engine(context), desk.secret, session, replace(turn, input=given), relayed, answer, language
            )

    return await _turn(context, advance)


async def workflow_status(context: Calling, session: Session) -> CallToolResult:
    """Show where a session stands, what it waits for and what may come next; changes nothing.

    `due` says what happens by itself if nobody answers, and needs nothing of you.
    """
    return await _shown(context, lambda: standing(_view(context), session).told)


async def workflow_sessions(
    context: Calling,
    live: Annotated[bool, Field(description="Leave out those that have ended.")] = False,
    search: Annotated[str, Field(description="Only those with this in name, state or first words.")] = "",
    state: Annotated[str, Field(description="Only those in this state, or in this phase.")] = "",
    status: Annotated[Status | None, Field(description="Only those with this status.")] = None,
    limit: Annotated[int, Field(ge=1, le=MOST, description="The most that are listed.")] = 50,
    offset: Annotated[int, Field(ge=0, le=2**31, description="How many of the latest are left out.")] = 0,
) -> CallToolResult:
    """List the saved sessions, the latest first."""

    def listed() -> dict[str, Any]:
        wanted = {"search": search, "state": state, "status": status or ""}
        view = _view(context)
        found = view.sessions(live=live, **wanted, limit=limit + 1, offset=offset)
        told = {
            "sessions": [as_dict(each) for each in found[:limit]],
            "next_offset": offset + limit if len(found) > limit else None,
            "sandboxes": sandboxes(view, found[:limit]),
            "paused": [as_dict(each) for each in view.store.pauses()],
        }
        return {"v": VERSION, "ok": True, **told}

    return await _told(context, listed)


async def workflow_audit(
    context: Calling,
    session: Session,
    expect_head: Annotated[str | None, Field(description="A receipt of an earlier reply, still to be there.")] = None,
) -> CallToolResult:
    """Check the log of a session: its chain of hashes, and that the saved session is what it adds up to."""

    def verified() -> dict[str, Any]:
        found = audit.verify(_view(context), session, expect_head)
        claim = found.claim(expect_head)
        return {"v": VERSION, "ok": True, "session": session, **as_dict(found), "claim": claim}

    return await _told(context, verified)


async def workflow_watch(
    context: Calling,
    session: Session,
    seconds: Annotated[int, Field(ge=1, le=3600, description="How long to watch at most; then call again.")] = 50,
) -> CallToolResult:
    """Wait until the service is done, or the time is over, for a host that runs this beside the conversation."""
    began()  # what is reported after the last look counts on from here
    try:
        engine = _engine(context, tool=WATCHING)
        with _desk(context).wait():
            await _wait_for_news(context, engine, session, seconds)
    except Exception as error:  # as a reply that can be read, like every other end
        return _failed(context, error)
    return await _shown(context, lambda: standing(engine, session).told)


def tools() -> list[Tool]:
    """Every tool, with what a host may show. None declares a schema of its answer: hosts would read it each time."""
    reads = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
    begins = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=True)
    pays = begins.model_copy(update={"destructive_hint": True})
    looks = begins.model_copy(update={"idempotent_hint": True})
    return [
        _tool(workflow_start, "Begin a session", begins),
        _tool(workflow_advance, "Take one step", pays),
        _tool(workflow_status, "Show where a session stands", reads),
        _tool(workflow_sessions, "List the sessions", reads),
        _tool(workflow_audit, "Check a session's log", reads),
        _tool(workflow_watch, "Wait for the service", looks),
    ]


def result(answer: dict[str, Any]) -> CallToolResult:
    """An answer as the client gets it: its JSON as text, which every host reads, and once."""
    text = TextContent(type="text", text=printed_json(answer))
    return CallToolResult(content=[text], is_error=not answer["ok"])


def _advance(
    engine: Engine,
    secret: bytes,
    name: str,
    turn: Turn,
    relayed: Mapping[str, Any],
    answer: ElicitationResult[Any],
    language: str | None,
) -> Reply:
    """The turn, with the person's answer if it was asked for and given; what an agent relays counts without forms."""
    if not engine.world.surface.asks:
        return engine.advance(name, replace(turn, **relayed), wait=WAIT, language=language)
    found = read(engine, secret, name, turn, answer)
    if isinstance(found, Unasked):
        if found.why:
            return _unanswered(engine, name, turn, found)
        return engine.advance(name, turn, wait=WAIT, language=language)
    form, answered = found
    asked = replace(turn, quote=answered.quote, items=answered.items, about=form.put.about)
    if answered.declines:
        asked = _no(asked, form, answered.declines)
    asked = replace(asked, channel=CHANNEL, strength=STRENGTH, asked_at=form.shown_at)
    return engine.advance(name, asked, wait=WAIT, language=language)


def _no(turn: Turn, form: Form, event: Event) -> Turn:
    """The turn of a person's no: its event, with their words as the reason; to the agent it is what it sent."""
    asked = form.put.question
    gate, reason = asked.gate(form.put.option), asked.reason(event)
    given = {reason: turn.quote} if reason and turn.quote != form.nay else {}
    about = gates.question(asked.definition, gate, asked.session)
    sent = {"event": turn.event, "input": dict(turn.input)}
    return replace(turn, event=event.name, input=given, about=about, declines=gate.name, instead_of=sent)


def _unanswered(engine: Engine, name: str, turn: Turn, found: Unasked) -> Reply:
    """No evidence: that is recorded, and the question stays open, as does everything else."""
    before = engine.status(name)
    gate = next((each.gate.name for each in before.next if each.event == turn.event and each.gate), None)
    if gate is not None:
        note_unanswered(engine, name, replace(turn, channel=CHANNEL), gate, found.why, wait=WAIT)
    message = f"'{turn.event}' needs the person's own answer, and there is none: {found.why}"
    surface = engine.world.surface
    again = "When they want to answer, make the same call again: the form is shown again. Or they" * found.again
    hint = (
        f"The question stays open, and every other event of `next` is possible. {again or 'Ask the person to'} answer "
        f"{surface.in_person.format(name)}; then {surface.go_on.format(name)}. Do not answer for them."
    )
    return replace(engine.status(name), say=(), error=Failure("refused", message, hint))


async def _wait_for_news(context: Calling, engine: Engine, name: str, seconds: float) -> None:
    """Look, pause, look again; the session is held only while it looks."""
    elapsed = 0.0
    while True:
        found = await anyio.to_thread.run_sync(_look, engine.look, name)
        if found.moved:
            return
        message = name if found.progress is None else f"{name}: {found.progress} %"
        due = elapsed + (found.every or 1.0)
        while elapsed < due:  # where the service asked for a longer pause, the client hears that the call goes on
            await context.report_progress(elapsed, seconds, message)
            pause = min(SIGN, due - elapsed)
            if elapsed + pause > seconds:
                return
            await anyio.to_thread.run_sync(engine.world.clock.sleep, pause, abandon_on_cancel=True)
            elapsed += pause


def _look(look: Callable[..., Look], name: str) -> Look:
    """One look; left out where a turn holds the session for long."""
    try:
        return look(name, wait=WAIT)
    except SessionBusy:
        return Look(False)


async def _shown(context: Calling, show: Callable[[], Reply]) -> CallToolResult:
    """Where a session stands; that says nothing, whoever reads it."""
    return await _told(context, lambda: show().as_json())


async def _turn(context: Calling, turn: Callable[[], Reply]) -> CallToolResult:
    """A turn runs to its end in a thread of its own, whatever becomes of the client meanwhile."""
    done: list[Reply | Exception] = []
    try:
        await _work(context, turn, done)
        await anyio.lowlevel.checkpoint_if_cancelled()
    except anyio.get_cancelled_exc_class():  # what nobody waits for any more is told to nobody
        for reply in done:
            if isinstance(reply, Reply):
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(_desk(context).unsay, reply)
        raise
    (found,) = done
    return _failed(context, found) if isinstance(found, Exception) else result(found.as_json())


async def _told(context: Calling, make: Callable[[], dict[str, Any]]) -> CallToolResult:
    """An answer; whatever goes wrong is a reply that the model can read, like every other end."""
    done: list[dict[str, Any] | Exception] = []
    await _work(context, make, done)
    (found,) = done
    return _failed(context, found) if isinstance(found, Exception) else result(found)


async def _work(context: Calling, work: Callable[[], Made], done: list[Made | Exception]) -> None:
    """Put what the work makes, or why not, into ``done``, also where the client stops waiting for it."""

    def keep() -> None:
        try:
            done.append(work())
        except Exception as error:
            done.append(error)

    async with alive(context, "working"):
        await anyio.to_thread.run_sync(keep)


def _failed(context: Calling, error: Exception) -> CallToolResult:
    return result(of_error(error, surface(context)).as_json())


def _engine(context: Calling, *, tool: str = "") -> Engine:
    """The engine for this caller, whose replies are phrased for this client."""
    return _desk(context).engine(_caller(context), surface(context), tool=tool)


def _view(context: Calling) -> View:
    """What this caller can see, phrased for this client."""
    return _desk(context).view(_caller(context), surface(context))


def _caller(context: Calling) -> Caller | None:
    return caller_of(context.request_context.request)


def _desk(context: Calling) -> Desk:
    desk: Desk = context.request_context.lifespan_context
    return desk


def _tool(function: Callable[..., Awaitable[Any]], title: str, hints: ToolAnnotations) -> Tool:
    return Tool.from_function(function, title=title, description=getdoc(function), annotations=hints)
