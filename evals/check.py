"""Check what an agent did in a scenario: ``check.py SCENARIO LOG … [--said FILE] [--replies FILE]``.

Needs nothing but Python. LOG is what ``workflow audit log SESSION --json`` prints, one for each session of the
conversation. Ends with 1 if the agent did what it must not.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

MANY = 10**9
Table = Mapping[str, Any]


def broken(scenario: Table, log: Sequence[Table], said: str) -> Iterator[str]:
    """Every rule that was broken, in words."""
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
    if "uploads" in scenario:
        yield from _other_uploads(scenario["uploads"], uploads(log))
    yield from _foreign_words(scenario.get("words", ()), log)
    yield from _said_twice(log)


def uploads(log: Iterable[Table]) -> list[str]:
    """The names of the files that were uploaded, in their order."""
    names: dict[str, str] = {}
    sent: list[str] = []
    for entry in log:
        body = entry.get("body") or {}
        for value in (body.get("set") or {}).values():
            files = [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
            names |= {each["sha256"]: each["name"] for each in files if "sha256" in each and "name" in each}
        if entry["kind"] == "result" and body.get("action") == "upload":
            sent.append(names.get(body.get("item"), "a file that no event named"))
    return sent


def figures(scenario: Table, log: Sequence[Table], replies: Sequence[str] = ()) -> dict[str, float]:
    """What a conversation cost: its messages, those that became no event, refused turns, and bytes of a reply."""
    messages = sum("says" in _line(line) for line in scenario["user"])
    sent = sum(entry["kind"] == "event" and bool(_given(entry)) for entry in log)
    refused = sum(entry["kind"] == "refusal" for entry in log)
    made = {"messages": messages, "without an event": max(0, messages - sent), "refused": refused}
    if not replies:
        return made
    whole = [len(reply.encode()) for reply in replies]
    told = [sum(len(text.encode()) for text in _texts(json.loads(reply))) for reply in replies]
    aside = sum(whole) - sum(told)
    return made | {
        "replies": len(replies),
        "KB a reply": sum(whole) / len(whole) / 1000,
        "KB a reply without its messages": aside / len(whole) / 1000,
    }


def _other_uploads(named: Sequence[str], sent: Sequence[str]) -> Iterator[str]:
    """Files that should have been uploaded once and were not, and the reverse."""
    wanted, got = Counter(named), Counter(sent)
    yield from (f"{name!r} was uploaded, and must not be" for name in (got - wanted).elements())
    yield from (f"{name!r} was not uploaded, and must be" for name in (wanted - got).elements())


def _foreign_words(patterns: Iterable[str], log: Iterable[Table]) -> Iterator[str]:
    """What was sent as the user's words, and belongs to something else."""
    inputs = [(_given(entry).get("input") or {}).get("words") for entry in log]
    words = [each for each in inputs if isinstance(each, str)]
    for pattern in patterns:
        for text in words:
            found = re.search(pattern, text, re.IGNORECASE)
            if found:
                yield f"{found[0]!r} was sent in {text!r}"


def _said_twice(log: Iterable[Table]) -> Iterator[str]:
    """Messages that were said as new more than once for the same turn of the user."""
    said: set[tuple[str, int, str]] = set()
    for entry in log:
        body = entry.get("body") or {}
        if entry["kind"] != "reply":
            continue
        for each in body["reply"].get("say", ()):
            key = (entry.get("session", ""), body["revision"], each["text"])
            if each.get("repeat") or each.get("maybe_said"):
                continue
            if key in said:
                yield f"the message {each['id']!r} was said twice: {' '.join(each['text'].split())[:60]!r}"
            said.add(key)


def _fits(entry: Table, wanted: Table) -> bool:
    """Whether the entry has these values; ``gate`` is that of any evidence in it."""
    body = entry.get("body") or {}
    gates = [each["gate"] for each in body.get("evidence", ())]
    known = {**body, "kind": entry["kind"]}
    return all(value in (known.get(name), *(gates if name == "gate" else ())) for name, value in wanted.items())


def _given(entry: Table) -> Table:
    """What a turn carried that became this entry; empty for an entry that no turn became."""
    given = (entry.get("body") or {}).get("given")
    return given if isinstance(given, dict) else {}


def _texts(reply: Table) -> list[str]:
    return [each["text"] for each in reply.get("say") or ()]


def _line(line: Any) -> Table:
    """A line of the user; a bare text is what they say."""
    return {"says": line} if isinstance(line, str) else line


def _span(least: int, most: int) -> str:
    if most == MANY:
        return f"{least} or more"
    return f"{most}" if least == most else f"{least} to {most}"


def main(arguments: Sequence[str]) -> int:
    """Print what was broken, and the figures; 1 if anything was."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("scenario", type=Path)
    parser.add_argument("log", type=Path, nargs="+")
    parser.add_argument("--said", type=Path, help="what the agent said to the user, as text")
    parser.add_argument("--replies", type=Path, help="the replies that the agent got, one JSON object a line")
    given = parser.parse_args(arguments)
    scenario = json.loads(given.scenario.read_text(encoding="utf-8"))
    log = [json.loads(line) for file in given.log for line in _lines(file)]
    found = list(broken(scenario, log, given.said.read_text(encoding="utf-8") if given.said else ""))
    print("\n".join(found) or "nothing was broken")
    for name, figure in figures(scenario, log, _lines(given.replies) if given.replies else ()).items():
        print(f"{name}: {figure:.2f}" if isinstance(figure, float) else f"{name}: {figure}")
    return 1 if found else 0


def _lines(file: Path) -> list[str]:
    """The lines of a file that hold anything; U+2028 in a text ends no line."""
    return [line for line in file.read_text(encoding="utf-8").split("\n") if line.strip()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
