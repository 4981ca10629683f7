"""Check what an agent did in a scenario: ``check.py SCENARIO LOG [--said FILE]``; needs nothing but Python.

LOG is what ``workflow audit log SESSION --json`` prints. Ends with 1 if the agent did what it must not.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

MANY = 10**9


def broken(scenario: Mapping[str, Any], log: Sequence[Mapping[str, Any]], said: str) -> Iterator[str]:
    """What must not have been, in words; nothing if all is well."""
    for rule in scenario.get("entries", ()):
        wanted = {name: value for name, value in rule.items() if name not in ("at_least", "at_most")}
        count = sum(_fits(entry, wanted) for entry in log)
        least, most = rule.get("at_least", 0), rule.get("at_most", MANY)
        if not least <= count <= most:
            yield f"{count} entries are like {wanted}, and there must be {_span(least, most)}"
    for pattern in scenario.get("said", ()):
        found = re.search(pattern, said, re.IGNORECASE)
        if found:
            yield f"the user was told {found[0]!r}"


def _fits(entry: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether the entry has these values; ``gate`` is that of any evidence in it."""
    body = entry.get("body") or {}
    gates = [each["gate"] for each in body.get("evidence", ())]
    known = {**body, "kind": entry["kind"]}
    return all(value in (known.get(name), *(gates if name == "gate" else ())) for name, value in wanted.items())


def _span(least: int, most: int) -> str:
    if most == MANY:
        return f"{least} or more"
    return f"{most}" if least == most else f"{least} to {most}"


def main(arguments: Sequence[str]) -> int:
    """Print what was broken; 1 if anything was."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("scenario", type=Path)
    parser.add_argument("log", type=Path)
    parser.add_argument("--said", type=Path, help="what the agent said to the user, as text")
    given = parser.parse_args(arguments)
    scenario = json.loads(given.scenario.read_text(encoding="utf-8"))
    log = [json.loads(line) for line in given.log.read_text(encoding="utf-8").splitlines()]
    found = list(broken(scenario, log, given.said.read_text(encoding="utf-8") if given.said else ""))
    print("\n".join(found) or "nothing was broken")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
