"""What it means that a call ended with an exception: which error it is, why, and what to do about it."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import urlsplit

from workflow.model.errors import ActionError, BadResponse, NoAnswer, Unreachable
from workflow.model.frozen import Noun
from workflow.service.connection import Wire

CONNECTION, CERTIFICATE = "connection", "certificate"
"""Obstacles: no connection at all, or one to a host whose certificate is not trusted."""
_TUNNEL = re.compile(r"Tunnel connection failed: ([1-5][0-9]{2})\b")


class Way(Noun, hide=("proxy", "advice")):
    """How a service is reached: its ``host``, what errors call its address (``place``), and the proxy, if any.

    ``advice`` gives the next step where it cannot be reached, by the obstacle.
    """

    host: str
    place: str
    proxy: str | None
    advice: Callable[[str], str]

    def told(self) -> str:
        """The address and the proxy, whose user name and password are not told."""
        if not self.proxy:
            return self.place
        parts = urlsplit(self.proxy)
        return f"{self.place} through the proxy at {parts.hostname}:{parts.port or 80}"


def failure(error: Exception, wire: Wire, way: Way) -> ActionError:
    """What it means that ``error`` ended the call; its own text is not used, for it may quote anything."""
    causes = list(_causes(error))
    late = wire.expired or any(isinstance(cause, TimeoutError) for cause in causes)
    if not wire.connected:
        obstacle, why = (CONNECTION, f"no connection within {wire.seconds:g} s") if late else _in_the_way(causes)
        found = Unreachable(f"Cannot reach {way.told()}: {why}.", transient=True, hint=way.advice(obstacle))
        found.obstacle = obstacle
        return found
    if late:
        return NoAnswer(f"{way.host} did not answer within {wire.seconds:g} s.", transient=True)
    if _is_garbled(causes):
        return BadResponse(f"What {way.host} answered is not HTTP.")
    return NoAnswer(f"The connection to {way.host} broke before the answer was complete.", transient=True)


def _in_the_way(causes: Sequence[BaseException]) -> tuple[str, str]:
    """The obstacle, and what is known of it in words of ours or of the system's."""
    import ssl

    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return CERTIFICATE, f"its certificate is not trusted ({_reason(cause.verify_message)})"
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return CONNECTION, "no secure connection could be agreed on"
        if isinstance(cause, socket.gaierror):
            return CONNECTION, "its name was not found"
        if tunnel := _TUNNEL.search(str(cause)):
            return CONNECTION, f"the proxy refused with HTTP {tunnel[1]}"
    numbers = [cause.errno for cause in causes if isinstance(cause, OSError) and cause.errno]
    return CONNECTION, os.strerror(numbers[-1]).lower() if numbers else "the connection failed"


def _reason(text: str) -> str:
    """What OpenSSL says of a certificate; where it quotes a name, only that the name differs."""
    return "it is for another name" if "mismatch" in text or "'" in text else text


def _is_garbled(causes: Sequence[BaseException]) -> bool:
    """Whether bytes came that make no sense, rather than none or too few."""
    from http.client import HTTPException, IncompleteRead, RemoteDisconnected

    protocol = [cause for cause in causes if isinstance(cause, HTTPException)]
    if protocol:
        return not any(isinstance(cause, (IncompleteRead, RemoteDisconnected)) for cause in protocol)
    return not any(isinstance(cause, OSError) for cause in causes)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
