"""What a host can read and insert: sessions, their logs and drawings as resources."""

from __future__ import annotations

from collections.abc import Callable

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp.types import Annotations

from workflow.engine import View
from workflow.history import audit
from workflow.mcp_server.alive import Calling
from workflow.mcp_server.caller import caller_of
from workflow.mcp_server.calls import Desk
from workflow.model.errors import SessionNotFound, WorkflowError
from workflow.model.frozen import as_dict
from workflow.model.journal import Entry
from workflow.model.reply import in_one_line
from workflow.model.strict_json import printed_json
from workflow.model.surface import RELAY
from workflow.show.formats import as_text
from workflow.show.graph import Walk, draw, walk

JSON, LINES, MERMAID = "application/json", "application/jsonl", "text/vnd.mermaid"
_FOR_AGENTS = Annotations(audience=["assistant"])


def add_resources(server: MCPServer[Desk], desk: Desk) -> None:
    """Read only, all of them; an unknown session is told as one that is not found."""
    place = "workflow://sessions/{name}"

    @server.resource("workflow://diagram", title="The procedure, drawn", mime_type=MERMAID)
    def diagram() -> str:
        """The machine of the bundle that new sessions are begun with."""
        bundle = str(desk.beginning()["bundle"])
        return _told(lambda: _drawn(desk.open_view() if desk.open_view else desk.open_engine(), bundle, None))

    @server.resource(place, title="A session", mime_type=JSON, annotations=_FOR_AGENTS)
    def session(name: str, context: Calling) -> str:
        """Where a session stands, as workflow_status shows it."""
        return _read(desk, context, lambda view: printed_json(view.status(name).as_json()))

    @server.resource(f"{place}/audit", title="A session's log", mime_type=LINES, annotations=_FOR_AGENTS)
    def log(name: str, context: Calling) -> str:
        """The log of a session, one entry a line."""
        return _read(desk, context, lambda view: "".join(_line(entry) for entry in audit.entries(view, name)))

    @server.resource(f"{place}/diagram", title="The way of a session", mime_type=MERMAID)
    def way(name: str, context: Calling) -> str:
        """The machine of a session's bundle, with the way that the session took."""
        return _read(desk, context, lambda view: _way(view, name))


def _read(desk: Desk, context: Calling, make: Callable[[View], str]) -> str:
    """What can be read of a session, if it is one of the caller's."""
    return _told(lambda: make(desk.view(caller_of(context.request_context.request))))


def _told(make: Callable[[], str]) -> str:
    try:
        return make()
    except SessionNotFound as error:
        raise ResourceNotFoundError(f"{error.message}. {error.hint}") from error
    except WorkflowError as error:
        raise ResourceError(f"{error.message}. {RELAY.told(error.hint)}") from error
    except Exception as error:  # of this one resource; the server goes on
        raise ResourceError(in_one_line(error)) from error


def _line(entry: Entry) -> str:
    return printed_json(as_dict(entry)) + "\n"


def _way(view: View, name: str) -> str:
    taken = walk(audit.entries(view, name))
    known = view.store.load(name)
    assert known is not None  # its entries were just read
    return _drawn(view, known.path, taken)


def _drawn(view: View, folder: str, taken: Walk | None) -> str:
    bundle = view.world.open_bundle(folder)
    effects = {name: action.effect for name, action in bundle.registry.actions.items()}
    return as_text(draw(bundle.definition.configured(view.world.settings), effects, taken), "mermaid")
