#!/usr/bin/env python3
"""Check an exported journal: python3 verify.py [journal.jsonl] [--expect-head RECEIPT]

Needs nothing but Python's standard library (3.9 or later). Exit code 0: the chain holds; 1: it does not; 2: it could
not be read. An entry's hash is the SHA-256 of the canonical JSON of
[1, session, sequence, kind, time, previous hash, digest], its digest that of its body.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

FORMAT = 1
START = "0" * 64
FIELDS = {"session", "seq", "kind", "time", "previous", "digest", "hash", "body", "without", "redacted"}
RECEIPT = re.compile(r"[1-9][0-9]{0,9}:[0-9a-f]{24}")

Entry = dict[str, Any]


class Broken(Exception):
    """The journal does not hold."""


def main(arguments: list[str] | None = None) -> int:
    """Check one file, and say what was shown by it and what was not."""
    parser = argparse.ArgumentParser(description="Check an exported journal; needs the standard library alone.")
    parser.add_argument("file", nargs="?", default=str(Path(__file__).resolve().parent / "journal.jsonl"))
    parser.add_argument("--expect-head", metavar="RECEIPT", help="a receipt that was quoted elsewhere, 12:ab12…")
    given = parser.parse_args(arguments)
    if given.expect_head is not None and not RECEIPT.fullmatch(given.expect_head):
        print(f"{given.expect_head!a} is not a receipt, which looks like 12:ab12cd34ef56ab12cd34ef56", file=sys.stderr)
        return 2
    try:
        lines = Path(given.file).read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError) as error:
        print(f"{given.file!a} cannot be read: {error}", file=sys.stderr)
        return 2
    try:
        entries = list(check((read(line, number) for number, line in enumerate(lines, 1) if line), given.expect_head))
    except Broken as broken:
        print(f"DOES NOT HOLD: {broken}")
        return 1
    tell(entries, given.expect_head)
    return 0


def check(entries: Iterable[Entry], expect_head: str | None = None) -> Iterator[Entry]:
    """The same entries, each checked against the one before; raises Broken at the first that does not hold."""
    previous, seq, session, seen = START, 0, None, expect_head is None
    erased: list[int] = []
    for entry in entries:
        seq += 1
        session = session or entry["session"]
        if entry["seq"] != seq or entry["previous"] != previous or entry["session"] != session:
            raise Broken(f"entry {seq} is missing or out of place")
        named = [FORMAT, session, seq, entry["kind"], entry["time"], previous, entry["digest"]]
        if digest(named) != entry["hash"]:
            raise Broken(f"entry {seq} does not match its own hash")
        if entry["body"] is not None and not entry["redacted"] and digest(entry["body"]) != entry["digest"]:
            raise Broken(f"the content of entry {seq} was changed")
        if entry["without"] == "erased":
            erased.append(seq)
        elif entry["kind"] == "forgotten":
            if len(erased) != seq - 1:
                raise Broken(f"entry {seq} says that all before it was erased, and some of it is there")
            erased = []
        for _ in signatures(entry):
            pass
        previous = entry["hash"]
        seen = seen or f"{seq}:{previous[:24]}" == expect_head
        yield entry
    if not seq:
        raise Broken("there is not an entry")
    if erased:
        raise Broken(f"the content of entry {erased[0]} is gone, and no entry says that it was erased")
    if not seen:
        raise Broken(f"the journal does not hold the head {expect_head}: it was cut or rewritten")


def tell(entries: list[Entry], expect_head: str | None) -> None:
    """What holds, what was not compared, and what no chain can show."""
    last = entries[-1]
    whole = [each for each in entries if each["body"] is not None and not each["redacted"]]
    head = f"{last['seq']}:{last['hash'][:24]}"
    print(f"HOLDS: {plain(last['session'])}{where(entries)}, {len(entries)} entries, head {head}")
    print(f"  {len(whole)} entries compared with their digests, content and all")
    covered = [each for each in entries if each["body"] is not None and each["redacted"]]
    if covered:
        print(f"  {len(covered)} redacted, so that what is left of their content is not shown to be theirs:")
        for each in covered:
            print(f"    entry {each['seq']}: {', '.join(each['redacted'])[:400]!a}")
    for reason in ("left out", "erased"):
        without = [str(each["seq"]) for each in entries if each["without"] == reason]
        if without:
            print(f"  {len(without)} without content, {reason}: entries {', '.join(without)}")
    for line in approved(entries):
        print(line)
    signed = [pair for entry in entries for pair in signatures(entry)]
    if signed:
        print(
            f"  {len(signed)} answers carry a signature by a passkey; what it was asked to sign is this session, gate,"
        )
        print("  question and subject. Not checked here: the mathematics of the signature, which needs a library, and")
        print("  whose key it is. That the browser displayed the text is the word of the server.")
        for seq, key in signed:
            print(f"    entry {seq}: key {key}")
    read = sum(translated(each["body"]) for each in entries)
    if read:
        print(f"  in {read}, what the person read is the agent's translation, which nobody has checked")
    if expect_head:
        print(f"  up to {expect_head} these are the entries that were there then; of later ones this is not shown")
    else:
        print("  that nobody cut off the end or rewrote all of it, only a receipt can show (--expect-head)")


def approved(entries: list[Entry]) -> Iterator[str]:
    """Each call that spends answers, and which they are, as the entries say; hidden content is said to be so."""
    held: list[tuple[int, Any]] = []
    for entry in entries:
        body = entry["body"] if isinstance(entry["body"], dict) else {}
        given = [each for each in listed(body, "evidence") if isinstance(each, dict)]
        given = [] if entry["kind"] == "partial" else given  # one of several answers lets nothing leave by itself
        answered = given + [each for each in listed(body, "declined") if isinstance(each, dict)]
        if answered:
            fresh = [each.get("gate") for each in answered]
            held = [each for each in held if each[1].get("gate") not in fresh]
            held += [(entry["seq"], each) for each in given]
        gates = listed(body, "spends") + listed(body, "uses")
        if entry["kind"] not in ("intent", "result") or not gates:
            continue
        action = plain(str(body.get("action")))
        yield f"  entry {entry['seq']}: {action} was called on these answers, as the entries say"
        item = body.get("item")
        for seq, each in held:
            if each.get("gate") in gates and (item is None or each.get("item") in (None, item)):
                yield f"    entry {seq}: {told(each)}"
    if held:
        yield "  whether an answer fits what was sent, and its term, only `workflow audit prove SESSION` compares"


def signatures(entry: Entry) -> Iterator[tuple[int, str]]:
    """Each answer of an entry that a passkey signed, with the fingerprint of its key.

    Raises Broken where what was signed is not this answer; content that was redacted cannot be compared.
    """
    body = entry["body"] if isinstance(entry["body"], dict) and not entry["redacted"] else {}
    for answer in listed(body, "evidence") + listed(body, "declined"):
        signature = answer.get("signature") if isinstance(answer, dict) else None
        if signature is None:
            continue
        try:
            subjects = signature["subjects"]
            about = subjects[0] if len(subjects) == 1 else digest(subjects)
            asked = "|".join(["phasegate-approval/1", entry["session"], answer["gate"], signature["code"], about])
            said = json.loads(decoded(signature["client_data"]), object_pairs_hook=unique)["challenge"]
            fits = answer["subject"] in subjects and decoded(said) == hashlib.sha256(asked.encode()).digest()
            key = hashlib.sha256(decoded(signature["key"])).hexdigest()
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError):
            fits, key = False, ""
        if not fits:
            raise Broken(f"what was signed is not the answer in entry {entry['seq']}")
        yield entry["seq"], "-".join(key[start : start + 4] for start in range(0, 20, 4))


def decoded(text: str) -> bytes:
    """The bytes of a text in base64url."""
    return base64.b64decode(text.encode() + b"=" * (-len(text) % 4), b"-_", validate=True)


def listed(body: Entry, name: str) -> list[Any]:
    """A list of a body; nothing where there is none."""
    found = body.get(name)
    return found if isinstance(found, list) else []


def told(answer: Entry) -> str:
    """Gate, strength, person, time and words of an answer."""
    who = f", {plain(str(answer['approver']))}" if answer.get("approver") else ""
    who += f" as {plain(str(answer['role']))}" if answer.get("role") else ""
    gate, strength = plain(str(answer.get("gate"))), plain(str(answer.get("strength")))
    return f"{gate} ({strength}{who}, given {str(answer.get('at'))[:16]!a}): {str(answer.get('quote'))[:400]!a}"


def where(entries: list[Entry]) -> str:
    """Whether it was a sandbox that the session called, by its first entry, or by what was kept when it was erased."""
    bodies = {each["kind"]: each["body"] for each in entries if each["kind"] in ("started", "forgotten")}
    known = bodies.get("started") or (bodies.get("forgotten") or {}).get("left")
    if not isinstance(known, dict) or "sandbox" not in known:
        return " (where it ran is not shown: its first entry has no content here)"
    return "" if known["sandbox"] is None else " (sandbox: nothing went to the real service)"


def translated(body: Any) -> bool:
    """Whether an entry holds an answer to a question that the agent had translated."""
    answers = body.get("evidence") if isinstance(body, dict) else None
    return isinstance(answers, list) and any(isinstance(each, dict) and each.get("translation") for each in answers)


def plain(text: str) -> str:
    """A name as it is; any other text written out, so that it can be no line of ours."""
    return text if re.fullmatch(r"[a-z0-9_-]{1,64}", text) else ascii(text[:64])


def read(line: str, number: int) -> Entry:
    """One line, strictly: what two readers could read differently is refused."""
    try:
        value = json.loads(line, object_pairs_hook=unique, parse_constant=refuse)
        digest(value)
    except (ValueError, RecursionError) as error:
        raise Broken(f"line {number} is not an entry: {str(error)!a}") from None
    texts = ("session", "kind", "time", "previous", "digest", "hash")
    if not isinstance(value, dict) or set(value) != FIELDS or not all(isinstance(value[name], str) for name in texts):
        raise Broken(f"line {number} is not an entry")
    body, without = value["body"], value["without"]
    places = value["redacted"]
    if (
        type(value["seq"]) is not int
        or not isinstance(places, list)
        or not all(isinstance(each, str) for each in places)
    ):
        raise Broken(f"line {number} is not an entry")
    if (body is None) != (without in ("erased", "left out")) or (body is not None and not isinstance(body, dict)):
        raise Broken(f"line {number} is not an entry")
    return value


def digest(value: Any) -> str:
    """The SHA-256 of canonical JSON: sorted keys, no blanks, UTF-8."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def unique(pairs: list[tuple[str, Any]]) -> Entry:
    """An object without repeated keys."""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key is repeated")
    return value


def refuse(name: str) -> NoReturn:
    """NaN and the infinities are not JSON."""
    raise ValueError(f"{name} is not JSON")


if __name__ == "__main__":
    sys.exit(main())
