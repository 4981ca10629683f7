"""``python -m benchmarks.one_turn SYSTEM FOLDER NUMBER``: one durable turn of a peer as a whole process.

It opens the store, takes the turn of this number and ends at once, so that no system pays for closing down in good
order; number 0 makes the run that the others go on with.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

from benchmarks.work import Contender, Opened

SYSTEMS = {"burr": "loaded", "langgraph": "tuned", "dbos": ""}
"""The variant of each that is opened: what is quickest and durable before the process ends."""


def main(system: str, folder: str, number: int) -> None:
    """Says what the turn says."""
    opened: Opened = importlib.import_module(f"benchmarks.{system}_").opened
    contender: Contender = opened(Path(folder), str(number) if system == "dbos" else SYSTEMS[system])
    print(contender.turn(number), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
