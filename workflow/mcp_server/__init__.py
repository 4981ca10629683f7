"""The MCP server: the turns of ``workflow`` as tools, and gates that are asked by elicitation."""

from workflow.mcp_server.calls import Desk
from workflow.mcp_server.server import make_server

__all__ = ["Desk", "make_server"]
