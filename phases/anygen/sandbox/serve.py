"""The sandbox on the command line: it tells what to set, then serves until it is interrupted."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType

from .faults import CALLS
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
    """What to set comes last, where it is seen; all of it fits a terminal of 24 lines and 80 columns."""
    return [
        f"AnyGen sandbox at {url}: offline, nothing costs anything.",
        "Ctrl-C ends it.",
        "",
        "What was asked so far, and what the service can be asked:",
        f"  curl {url}/__sandbox__/requests",
        f"  curl {url}/v1/openapi/document",
        "A fault at a call to come (`workflow sandbox --faults` lists them), and its end:",
        f"  curl {url}/__sandbox__/faults \\",
        """    -d '{"name": "rate-limited", "on": "create", "times": 1}'""",
        f"  curl -X DELETE {url}/__sandbox__/faults",
        f"  on: {', '.join(sorted(CALLS))} or *",
        "  times: 0 = until its end",
        "",
        "For clients of the service itself:",
        f"  export ANYGEN_BASE_URL={url}",
        f"  export ANYGEN_API_KEY={SANDBOX_KEY}",
        "For Phasegate, in another terminal:",
        f"  export PHASEGATE_SANDBOX={url}",
    ]
