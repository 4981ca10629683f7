"""What every system's file shares: how a turn is asked for, what it answers, and the two calls of the shop.

A turn is a process of its own, as it is where an agent runs a command: a verb in, one line of JSON out.
"""

from __future__ import annotations

import argparse
import json
import os
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

SESSION = "the-order"
"""The name of the saved run, wherever the caller chooses it."""


@dataclass(frozen=True)
class Asked:
    """``start WISH``, ``revise WISH``, ``approve SHOWN``, ``placed SHOWN``, ``resume``, ``look`` or ``serve``.

    ``shown`` is what ``Stands.shown`` was when the person saw the plan. ``variant`` names other settings of a system.
    """

    verb: str
    folder: Path
    wish: str = ""
    shown: str = ""
    variant: str = ""


@dataclass(frozen=True)
class Stands:
    """Where the run stands after a turn.

    ``waiting`` for an answer to ``plan``; ``done``; ``in doubt`` about the order; ``refused``; ``stopped`` with an
    error; ``idle``: not waiting, not done, and nothing said about it.
    """

    status: str
    plan: str = ""
    shown: str = ""
    why: str = ""


def main(take: Callable[[Asked], Stands]) -> None:
    """Read one turn from the command line, take it, print where the run stands."""
    parser = argparse.ArgumentParser()
    parser.add_argument("verb")
    parser.add_argument("--folder", type=Path, required=True)
    for name in ("--wish", "--shown", "--variant"):
        parser.add_argument(name, default="")
    print(json.dumps(asdict(take(Asked(**vars(parser.parse_args()))))), flush=True)


def propose_plan(wish: str) -> str:
    """The free call."""
    return _post("/plans", {"wish": wish})["plan"]


def place_order(plan: str) -> str:
    """The call that costs money."""
    return _post("/orders", {"plan": plan})["receipt"]


def _post(path: str, body: dict[str, str]) -> dict[str, str]:
    request = urllib.request.Request(os.environ["COMPARE_SHOP"] + path, json.dumps(body).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=60) as response:
        answer: dict[str, str] = json.load(response)
    return answer
