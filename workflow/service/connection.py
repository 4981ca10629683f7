"""The socket under one call, and its deadline: total, whatever the other side drips."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import queue
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def now() -> float:
    """Seconds of a clock that nobody can set, and that counts while the machine sleeps where the system has such."""
    return time.clock_gettime(_CLOCK)


class Wire:
    """One call's socket and deadline, shared with the watchdog.

    The watchdog works on a duplicate of the descriptor: it stays valid when TLS takes the socket over, and
    a shutdown of the connection wakes whoever reads from it or writes to it, the handshake included.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.expired = False
        self.connected = False
        self.ends = now() + seconds
        self._lock = threading.Lock()
        self._line: socket.socket | None = None

    def left(self) -> float:
        """Seconds until the deadline; raises ``TimeoutError`` when there are none."""
        left = self.ends - now()
        if left <= 0 or self.expired:
            raise TimeoutError
        return left

    def open(self, host: str, port: int) -> socket.socket:
        """Connect to the first address that answers, the time being shared out among them."""
        addresses = _resolve(host.strip("[]"), port, self.left())
        failure: OSError = OSError("no address")
        for tried, (family, kind, protocol, _, address) in enumerate(addresses):
            line = socket.socket(family, kind, protocol)
            try:
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                line.settimeout(self.left() / (len(addresses) - tried))
                line.connect(address)
                line.settimeout(self.left())
                self._watch(line)
                return line
            except BaseException as error:  # an interrupt, too, leaves no open socket behind
                line.close()
                if not isinstance(error, OSError):
                    raise
                failure = error
        raise failure

    def mark_connected(self) -> None:
        """From here on something may have left."""
        self.left()
        self.connected = True

    def expire(self) -> None:
        """Called by the watchdog, from its own thread."""
        with self._lock:
            self.expired = True
            if self._line is not None:
                with contextlib.suppress(OSError):  # the other side was faster
                    self._line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the socket; idempotent."""
        with self._lock:
            if self._line is not None:
                self._line.close()
                self._line = None

    def _watch(self, line: socket.socket) -> None:
        with self._lock:
            self.left()
            self._line = line.dup()


class Watchdog:
    """Lets wires expire when their time is over, from one thread that lives as long as there are any.

    A thread for each would cost a call as much as its connection does.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._wires: set[Wire] = set()
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def over(self, wire: Wire) -> Iterator[None]:
        """After that call nothing touches this connection; after the last one the thread ends."""
        self._add(wire)
        try:
            yield
        finally:
            last = self._remove(wire)
            if last is not None:
                last.join()

    def _add(self, wire: Wire) -> None:
        with self._changed:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="phasegate-watchdog", daemon=True)
                thread.start()
                self._thread = thread
            if all(wire.ends < each.ends for each in self._wires):  # else it is waited for already
                self._changed.notify_all()
            self._wires.add(wire)

    def _remove(self, wire: Wire) -> threading.Thread | None:
        """The thread that has nothing to do any more, if this was the last wire."""
        with self._changed:
            self._wires.discard(wire)
            if self._wires:
                return None
            last, self._thread = self._thread, None
            self._changed.notify_all()
            return last

    def _run(self) -> None:
        with self._changed:
            while self._thread is threading.current_thread():
                moment = now()
                for wire in self._wires:
                    if wire.ends <= moment and not wire.expired:
                        wire.expire()
                coming = [wire.ends - moment for wire in self._wires if not wire.expired]
                self._changed.wait(min(coming, default=None))


WATCHDOG = Watchdog()
os.register_at_fork(after_in_child=WATCHDOG.__init__)  # type: ignore[misc]  # its thread is not there, nor are its calls


def _resolve(host: str, port: int, seconds: float) -> list[Any]:
    """Look up in a thread of its own: the system's resolver knows no limit and cannot be interrupted.

    An address in numbers needs neither.
    """
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(host)
        return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST))
    found: queue.SimpleQueue[list[Any] | Exception] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            found.put(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except Exception as error:
            found.put(error)

    threading.Thread(target=look_up, name="phasegate-resolver", daemon=True).start()
    try:
        addresses = found.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(addresses, Exception):
        raise addresses
    return addresses
