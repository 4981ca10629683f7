"""What a client starts as its server: it passes stdin and stdout on to the socket of the relay that it is given."""

import os
import socket
import sys
import threading


def pump(source: int, target: int) -> None:
    """Copy until the end, or until nobody takes any more."""
    try:
        while piece := os.read(source, 65536):
            while piece:
                piece = piece[os.write(target, piece) :]
    except OSError:
        pass


def send(relay: socket.socket) -> None:
    """Pass stdin on, and its end."""
    pump(0, relay.fileno())
    relay.shutdown(socket.SHUT_WR)


with socket.socket(socket.AF_UNIX) as relay:
    relay.connect(sys.argv[1])
    threading.Thread(target=send, args=(relay,), daemon=True).start()
    pump(relay.fileno(), 1)
