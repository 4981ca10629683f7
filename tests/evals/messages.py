"""The table of ``evals/messages.csv``: what a good agent sends for a message of the user, by state.

``python -m tests.evals.messages --prompt 12`` prints what a model gets to read for a line of the table, and
``--score FILE`` compares answers with it: one a line, in the order of the table.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.evals.replies import ROOT, Given, replies, tried
from workflow.author.skill import write_skill

FILE = ROOT / "evals" / "messages.csv"
NO_EVENT = ("none", "ask")
"""The agent answers by itself, or asks the user what they mean."""
_TASK = """\
You are the agent that this skill is for. The last reply was:

{reply}

The user writes:

{message}

Which event do you send? Answer with one word: an event of `next`, `none` if you send nothing and just answer them,
or `ask` if you have to ask them what they mean first."""


@dataclass(frozen=True)
class Line:
    """One message; ``given`` is `trouble` after a failed call, or the setting that is switched on."""

    state: str
    given: str
    language: str
    message: str
    event: str
    why: str

    def fits(self, given: Given) -> bool:
        """Whether this reply is one after which the user could write this."""
        settings = ",".join(name for name, value in given.settings.items() if value is True)
        here = "trouble" if "retry" in given.offered else settings
        return given.reply.state == self.state and here == self.given

    def places(self) -> list[Given]:
        """The replies of the reference bundle's scenarios after which the user could write this."""
        return [given for given in replies(".") if self.fits(given)]


def table() -> list[Line]:
    """All lines, in the order of the file."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return [Line(**row) for row in csv.DictReader(file)]


def prompt(line: Line) -> str:
    """What a model gets to read: the skill, a reply, and the message."""
    bundle, places = tried(".").bundle, line.places()
    place = next((given for given in places if line.event in given.offered), places[0])
    reply = json.dumps(place.reply.as_json(), ensure_ascii=False)
    return (
        f"{write_skill(bundle.definition, bundle.digest, 'generic')}\n{_TASK.format(reply=reply, message=line.message)}"
    )


def wrong(lines: Sequence[Line], answers: Sequence[str]) -> Iterator[str]:
    """Each answer that is another one than the table's, with the reason where the table gives one."""
    for number, (line, answer) in enumerate(zip(lines, answers, strict=True), 1):
        given = answer.strip().strip("`'\".")
        if given.lower() != line.event:
            yield f"{number}: {line.state}: {line.message!r} is {line.event}, not {given!r}. {line.why}".strip()


def main(arguments: Sequence[str]) -> int:
    """Print a prompt, or the score of a file of answers; 1 if an answer was wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--prompt", type=int, metavar="LINE", help="print the prompt for this line of the table")
    what.add_argument("--score", type=Path, metavar="FILE", help="compare answers, one a line, with the table")
    given, lines = parser.parse_args(arguments), table()
    if given.prompt is not None:
        if not 1 <= given.prompt <= len(lines):
            parser.error(f"the table has the lines 1 to {len(lines)}")
        print(prompt(lines[given.prompt - 1]))
        return 0
    answers = given.score.read_text(encoding="utf-8").splitlines()
    if len(answers) != len(lines):
        parser.error(f"there are {len(answers)} answers, and the table has {len(lines)} lines")
    found = list(wrong(lines, answers))
    print("\n".join([*found, f"{len(lines) - len(found)} of {len(lines)} are right"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
