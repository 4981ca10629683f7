"""The sandbox on the command line: it tells what to set, then serves until it is interrupted."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType

from .faults import CALLS, FAULTS
from .server import Sandbox
from .service import SANDBOX_KEY


def serve(port: int, rounds: int, looks: int, announce: Callable[[str], None]) -> None:
    """Run until SIGINT or SIGTERM, from the main thread; every line for people goes to ``announce``."""
    done = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        done.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with Sandbox(port=port, rounds=rounds, looks=looks) as sandbox:
            for line in _banner(sandbox.url):
                announce(line)
            done.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _banner(url: str) -> list[str]:
    width = max(map(len, FAULTS))
    return [
        f"AnyGen sandbox at {url}: offline, nothing costs anything; Ctrl-C ends it.",
        "",
        "For Phasegate:",
        f"  export PHASEGATE_SANDBOX={url}",
        "For clients of the service itself:",
        f"  export ANYGEN_BASE_URL={url}",
        f"  export ANYGEN_API_KEY={SANDBOX_KEY}",
        f"Discovery document: {url}/v1/openapi/document",
        f"What was asked so far: curl {url}/__sandbox__/requests",
        "",
        f"A fault at the next call (on: {', '.join(sorted(CALLS))} or *; times: 0 = until cleared):",
        f"""  curl {url}/__sandbox__/faults -d '{{"name": "rate-limited", "on": "create", "times": 1}}'""",
        f"  curl -X DELETE {url}/__sandbox__/faults",
        *(f"  {name:<{width}}  {description}" for name, description in FAULTS.items()),
    ]
