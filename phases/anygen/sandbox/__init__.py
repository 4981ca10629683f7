"""The service's offline twin: the same calls, pages and pictures on this machine, and faults on request."""

from .faults import FAULTS, UnknownFault
from .serve import serve
from .server import Sandbox
from .service import SANDBOX_KEY
from .wire import FilePart, Request

__all__ = ["FAULTS", "SANDBOX_KEY", "FilePart", "Request", "Sandbox", "UnknownFault", "serve"]
