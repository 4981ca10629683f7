"""How long replies are: every turn of the reference bundle's scenarios, without the text of its messages.

``python -m tests.trial.replies`` prints the mean, and what it is made of.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workflow.author.play import Player
from workflow.author.scenario_file import read
from workflow.author.stand import candidate, set_up
from workflow.model.reply import Reply
from workflow.model.strict_json import printed_json

ROOT = Path(__file__).parents[2]


def played(bundle: Path = ROOT) -> Iterator[Reply]:
    """The replies to all turns of a bundle's scenarios; raises if one of them does not pass."""
    tried = candidate(bundle)
    for file in sorted((bundle / "scenarios").glob("*.yaml")):
        script = read(file)
        given = script.document.given
        with set_up(tried, options=given.sandbox, settings=given.settings, gates=given.gates) as stand:
            player = Player(script, stand)
            if not player.play().passed:
                raise ValueError(f"{file.name} does not pass")
            yield from player.replies


def size(value: Any) -> int:
    """Bytes, as they are printed."""
    return len(printed_json(value).encode())


def bare(reply: Reply) -> dict[str, Any]:
    """The reply as it is printed, with the text of its messages taken out."""
    told = reply.as_json()
    if reply.say:
        told["say"] = [{**said, "text": ""} for said in told["say"]]
    return told


def main() -> None:
    """Print the mean, then each field's part of it, the largest first."""
    told = [bare(reply) for reply in played()]
    fields = {name for each in told for name in each}
    part = {name: sum(size({name: each[name]}) - 1 for each in told if name in each) for name in fields}
    print(f"{len(told)} replies, on average {sum(map(size, told)) / len(told):.0f} bytes without the text of messages")
    for name in sorted(fields, key=lambda name: -part[name]):
        print(f"{part[name] / len(told):6.0f}  {name}")


if __name__ == "__main__":
    main()
