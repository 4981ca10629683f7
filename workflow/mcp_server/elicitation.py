"""Asking the person through the client: what may be asked, how in each protocol era, and what came of it."""

from __future__ import annotations

from typing import Any

import anyio
import anyio.to_thread
from mcp.server.mcpserver import AcceptedElicitation, Elicit, ElicitationResult
from mcp.shared.exceptions import MCPError
from mcp.types.version import is_version_at_least

from workflow.engine import Engine
from workflow.engine.question import put
from workflow.machine.foreign import inline
from workflow.machine.messages import visible
from workflow.mcp_server.alive import Calling, alive
from workflow.mcp_server.caller import Caller, caller_of
from workflow.mcp_server.calls import Desk
from workflow.mcp_server.forms import Answered, Filled, Form
from workflow.model.errors import WorkflowError
from workflow.model.frozen import Noun, replace
from workflow.model.session import Turn
from workflow.model.surface import FORMS, RELAY, Surface

CHANNEL = "elicitation"
PATIENCE = 1800.0
"""Seconds in which a person may answer."""
_ROUNDS = 3
"""How often a question is put again because it changed while the person was answering."""
_REPEATED_CALLS = "2026-07-28"
"""The first protocol version in which the client calls again with the answer, instead of being asked meanwhile."""
_LONGEST_NAME = 100
UNVERIFIED = "unverified"
"""Stands before the name of a client that showed no token."""


class Unasked(Noun):
    """Nobody was asked, or nobody answered; ``why`` is empty where nobody has to.

    ``again`` says whether the same call puts the question again.
    """

    why: str = ""
    again: bool = True


Outcome = Filled | Unasked


async def ask(
    context: Calling,
    session: str,
    event: str | None,
    input: dict[str, Any] | None,
    seen: str | None,
    expect_revision: int | None,
    turn_id: str | None,
    translation: str | None,
) -> Elicit[Filled] | Outcome:
    """The person's part of a turn, if it has one. Writes nothing: it may run again for each call of the client."""
    desk = context.request_context.lifespan_context
    turn = Turn(
        event, input or {}, seen=seen, expect_revision=expect_revision, turn_id=turn_id, translation=translation
    )
    caller = caller_of(context.request_context.request)
    if not surface(context).asks:
        return Unasked()
    form = await anyio.to_thread.run_sync(_posed, desk, caller, session, turn)
    if isinstance(form, Unasked):
        return form
    if is_version_at_least(context.protocol_version or "", _REPEATED_CALLS):
        form = _as_it_was(context, form)
        return Elicit(form.text(), form.model())
    for _ in range(_ROUNDS):
        outcome = await _asked(context, form)
        now = await anyio.to_thread.run_sync(_posed, desk, caller, session, turn)
        if isinstance(outcome, Unasked) or isinstance(now, Unasked) or now.put.mark == form.put.mark:
            return outcome
        form = now
    return Unasked("what is asked kept changing while the person was answering")


def pose(engine: Engine, secret: bytes, session: str, turn: Turn) -> Form | Unasked:
    """The form for the question that this turn needs answered; where it needs none, the engine says the rest."""
    try:
        found = put(engine, session, turn)
    except WorkflowError:
        return Unasked()
    if found is None or isinstance(found, str):
        return Unasked(found or "", again=False)
    return Form.now(found, secret)


def read(
    engine: Engine, secret: bytes, session: str, turn: Turn, answer: ElicitationResult[Any]
) -> tuple[Form, Answered] | Unasked:
    """The answer to the question as it is asked now; anything else is none."""
    if not isinstance(answer, AcceptedElicitation):
        return Unasked(f"the person has {'declined' if answer.action == 'decline' else 'left'} the question")
    if isinstance(answer.data, Unasked):
        return answer.data
    form = pose(engine, secret, session, turn)
    if isinstance(form, Unasked):
        return Unasked(form.why or "what was asked is not open any more")
    form = form.as_answered(answer.data.answer)
    found = form.read(answer.data)
    return Unasked(found) if isinstance(found, str) else (form, found)


def client(context: Calling) -> str | None:
    """The client's name and version as it gives them, after the name of its token or the word ``unverified``.

    A token was shown; nothing proves what follows it. No client can name itself so that it reads like a token.
    """
    known, caller = context.session.client_params, caller_of(context.request_context.request)
    given = f"{known.client_info.name} {known.client_info.version}".strip() if known else ""
    named = f"{f'token {caller.name}' if caller else UNVERIFIED}: {given}"
    return visible(named)[:_LONGEST_NAME] if known or caller else None


def surface(context: Calling) -> Surface:
    """Whether the client said that it shows forms; in the first versions of that, it said no more than so."""
    known = context.client_capabilities
    elicitation = known.elicitation if known else None
    shown = elicitation is not None and (elicitation.form is not None or elicitation.url is None)
    return FORMS if shown else RELAY


def _posed(desk: Desk, caller: Caller | None, session: str, turn: Turn) -> Form | Unasked:
    """The form for a turn as it came; files by content are spooled for as long as they are looked at."""
    try:
        with desk.received(turn.input, caller) as given:
            return pose(desk.engine(caller, FORMS), desk.secret, session, replace(turn, input=given))
    except WorkflowError:
        return Unasked()


def _as_it_was(context: Calling, form: Form) -> Form:
    """The form that an answer in this call belongs to: the library takes no answer to one that reads otherwise."""
    responses = context.input_responses or {}
    contents = (getattr(each, "content", None) for each in responses.values())
    shown = (form.as_answered(content.get("answer")) for content in contents if isinstance(content, dict))
    return next((each for each in shown if each != form), form)


async def _asked(context: Calling, form: Form) -> Outcome:
    """One question while the call waits, as the versions before 2026-07-28 have it.

    From that version on no call waits for a form, so that none needs to be kept alive.
    """
    outcome: Outcome = Unasked("the server was stopped while the person was answering")
    async with alive(context, "waiting for the person's answer"):
        with context.request_context.lifespan_context.wait():
            with anyio.move_on_after(PATIENCE) as time:
                outcome = await _elicited(context, form)
            if time.cancelled_caught:
                outcome = Unasked(f"the person has not answered within {PATIENCE / 60:.0f} minutes")
    return outcome


async def _elicited(context: Calling, form: Form) -> Outcome:
    try:
        found = await context.elicit(form.text(), form.model())
        if isinstance(found, AcceptedElicitation):
            return found.data
        return Unasked(f"the person has {'declined' if found.action == 'decline' else 'left'} the question")
    except ValueError:
        return Unasked("the form came back in a way that cannot be read")
    except MCPError as error:
        return Unasked(f"the client could not put the question: {inline(error.message, 200)}")
    except Exception as error:
        return Unasked(f"the client could not put the question: {type(error).__name__}")
