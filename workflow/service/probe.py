"""Whether something listens on this machine: asked in a moment, and without saying anything."""

from __future__ import annotations

import os
import socket
from urllib.parse import urlsplit

MOMENT = 0.25
"""Seconds until an address of this machine that does not answer is given up."""


def listens(address: str) -> str:
    """Why nothing can be reached at ``address``, http on loopback; empty where something listens.

    It connects and hangs up: no request is sent.
    """
    parts = urlsplit(address)
    try:
        with socket.create_connection((str(parts.hostname), int(parts.port or 80)), timeout=MOMENT) as line:
            itself = line.getsockname() == line.getpeername()  # TCP may meet itself at a free port
            return "connection refused" if itself else ""
    except TimeoutError:
        return f"no connection within {MOMENT:g} s"
    except OSError as error:
        return os.strerror(error.errno).lower() if error.errno and error.errno > 0 else "the connection failed"
