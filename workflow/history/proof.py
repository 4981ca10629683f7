"""The proof of a session: each paid call and each upload by an answer that fits, each message clean.

Nothing is believed of what the entries say of themselves: every subject is digested anew, from the session as
it was when the call left, by the bundle's own gates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from workflow.bundle import Bundle
from workflow.engine.speak import secrets_of
from workflow.engine.turns import Engine
from workflow.history import audit
from workflow.machine import gates, leaks
from workflow.machine.definition import Definition
from workflow.machine.foreign import name
from workflow.machine.messages import OURS, Part, file_line
from workflow.model.digest import digest
from workflow.model.errors import SessionNotFound
from workflow.model.evidence import Evidence
from workflow.model.frozen import Noun, replace
from workflow.model.journal import Entry, replay
from workflow.model.session import Session

NOTHING_LEFT = ("void", "no_key", "credentials", "set_back", "ledger")
"""Classes of failed calls that may have been found out before anything left; then no answer was needed."""


class Answer(Noun):
    """An answer that carries a call: the entry that holds it, its gate, how it was given, and the words."""

    entry: int
    gate: str
    how: tuple[str, ...]
    quote: str

    @property
    def source(self) -> str:
        """Everything but the words."""
        return f"entry {self.entry}: {self.gate} ({', '.join(self.how)})"


class Claim(Noun):
    """Something that is to be true of an entry, whether it is, by which entries, and why not.

    It is about a call; ``message`` where it is about one of the messages, which are only named where they fail.
    """

    seq: int
    text: str
    holds: bool
    by: tuple[Answer, ...] = ()
    why: str = ""
    message: bool = False


class Proof(Noun):
    """All claims in the order of the log; ``messages`` is how many were looked through, ``withheld`` how many.

    In the proof of a ``sandbox`` session no claim is about money: nothing left for the real service.
    """

    receipt: str
    sandbox: bool
    claims: tuple[Claim, ...]
    messages: int
    withheld: int

    @property
    def holds(self) -> bool:
        """Whether every claim does."""
        return all(claim.holds for claim in self.claims)

    @property
    def clean(self) -> bool:
        """Whether every message held nothing that must not be said."""
        return not any(claim.message for claim in self.claims)


def prove(engine: Engine, session: str, expect_head: str | None = None, bundles: Sequence[Bundle] = ()) -> Proof:
    """What the log of a session shows, after the log itself was verified.

    The definitions that it is judged by are those of ``bundles`` where any are given, such as an independent checkout,
    else those that the store has kept and the journal names by their digests. Raises what
    :func:`~workflow.history.audit.verify` raises, and ``SessionNotFound`` where all was erased.
    """
    verified = audit.verify(engine, session, expect_head)
    if verified.forgotten:
        raise SessionNotFound(
            f"what {session} held was erased at {verified.forgotten}, and nothing is left to prove it by",
            f"`workflow audit verify {session}` still checks the chain.",
        )
    entries = audit.read(engine, session).entries
    given = {each.digest: each.definition for each in bundles}
    walk = _Walk(
        lambda bundle: given.get(bundle) if given else audit.definition_of(engine, bundle, entries), bool(given)
    )
    claims = [claim for entry, after in replay(entries) for claim in walk.step(entry, after)]
    return Proof(verified.receipt, verified.sandbox, tuple(claims), walk.messages, walk.withheld)


def try_prove(engine: Engine, session: str) -> Proof | None:
    """The proof of a log that holds; None where nothing is left to prove."""
    try:
        return prove(engine, session)
    except SessionNotFound:
        return None


class _Walk:
    """Goes through a journal, and knows at each entry how the session stood before it."""

    def __init__(self, find: Callable[[str], Definition | None], given: bool) -> None:
        self._find = find
        self._missing = "is not among the bundles that were given" if given else "is not in the store"
        self._definitions: dict[str, Definition | None] = {}
        self._before: Session | None = None
        self._given: dict[Evidence, int] = {}
        self._said: dict[str, int] = {}
        self._unanswered: dict[str, str] = {}
        self._late = ""
        self.messages = 0
        self.withheld = 0

    def step(self, entry: Entry, after: Session | None) -> Iterator[Claim]:
        """What is claimed of this entry."""
        before, self._before = self._before, after
        body = entry.body or {}
        if entry.kind == "event":
            self._given |= {Evidence.from_json(each): entry.seq for each in body["evidence"]}
        if before is None:
            return
        if entry.kind == "intent":
            self._unanswered[entry.hash] = body["action"]
        if before.intent and entry.kind in ("result", "failure"):
            self._unanswered.clear()
        if entry.kind == "move":
            self._late = self._unanswered.pop(str(body.get("call")), "")
        elif entry.kind in ("result", "failure") and body["action"] == self._late:
            self._late = ""  # the outcome of a call that was judged by its intent
            return
        if entry.kind in ("intent", "result", "failure"):
            yield from self._effect(entry, body, before)
        elif entry.kind == "reply":
            yield from self._reply(entry, body, before)

    def _effect(self, entry: Entry, body: Mapping[str, Any], before: Session) -> Iterator[Claim]:
        """A paid call is judged by its intent; what is not paid for, by its outcome."""
        if entry.kind != "intent" and (before.intent or body.get("kind") in NOTHING_LEFT):
            return
        action = body["action"]
        text = _called(action, before.sandbox, paid=entry.kind == "intent")
        definition = self._definition(before.bundle)
        if definition is None:
            if entry.kind == "intent" or body.get("item"):
                why = f"what the bundle {before.bundle[:12]} says {self._missing}"
                yield Claim(entry.seq, text, False, why=why)
            return
        if not definition.needs(action):
            if entry.kind == "intent":
                yield Claim(entry.seq, f"{text}; its bundle asks nobody before it", True)
            return
        if body.get("item"):
            before, text = _only(before, body["item"]), f"{text} with the file {body['item'][:12]}"
        found = gates.matching(definition, before, action, {})
        why = self._why_not(definition, before, found, body)
        yield Claim(entry.seq, text, not why, tuple(map(self._cited, found)), why)

    def _why_not(self, definition: Definition, before: Session, found: list[Evidence], body: Mapping[str, Any]) -> str:
        """Why the answers do not carry the call; empty if they do."""
        if not found:
            return "no answer in the log fits what was sent"
        for each in found:
            gate = definition.gates[each.gate]
            if not each.quote.strip():
                return f"the answer to {each.gate} is without words"
            if "spends" in body and each.gate not in body["spends"]:
                return f"the answer to {each.gate} was not spent by it"
            shown = before.shown.get(each.gate)
            if not gate.each and not gates.of_own_words(definition, gate) and shown not in self._said:
                return f"the question of {each.gate} is not in the log as it was answered"
        return ""

    def _cited(self, evidence: Evidence) -> Answer:
        """An answer as it is quoted in a proof."""
        how = tuple(name(each) for each in (evidence.strength, evidence.channel, evidence.approver) if each)
        where = (f"for {evidence.service}",) if evidence.service else ()
        return Answer(self._given.get(evidence, 0), evidence.gate, (*how, *where), evidence.quote)

    def _reply(self, entry: Entry, body: Mapping[str, Any], before: Session) -> Iterator[Claim]:
        definition = self._definition(before.bundle)
        for said in body["reply"]["say"]:
            self.messages += 1
            self.withheld += bool(said.get("withheld"))
            self._said.setdefault(digest(said["text"]), entry.seq)
            text = f"the message '{said['id']}' was said"
            if definition is None:
                why = f"what the bundle {before.bundle[:12]} says {self._missing}"
                yield Claim(entry.seq, text, False, why=why, message=True)
                continue
            found = _leaking(definition, before.data, said)
            if found:
                yield Claim(entry.seq, text, False, why=f"it holds {', '.join(found)}", message=True)

    def _definition(self, bundle: str) -> Definition | None:
        if bundle not in self._definitions:
            self._definitions[bundle] = self._find(bundle)
        return self._definitions[bundle]


def _called(action: str, sandbox: str | None, *, paid: bool) -> str:
    """That an action was called, and where: of a sandbox, nothing is said that only the real service does."""
    if sandbox:
        return f"'{action}' was called in the sandbox"
    return f"'{action}', which is paid for, was called" if paid else f"'{action}' was called"


def _only(session: Session, item: str) -> Session:
    """The session as if this file were the only one: its own consent has to be there."""
    data = {
        datum: [each for each in value if each["sha256"] == item] if _files(value) else value
        for datum, value in session.data.items()
    }
    return replace(session, data=data)


def _files(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, Mapping) and "sha256" in each for each in value)


def _leaking(definition: Definition, data: Mapping[str, Any], said: Mapping[str, Any]) -> list[str]:
    """What a message holds that must not be said; what a person wrote may hold any word, as when it was said."""
    words = [str(data[datum]) for datum in definition.of_type("text") if data.get(datum)]
    words += [file_line(each) for datum in definition.of_type("files") for each in data.get(datum) or []]
    secrets = secrets_of(definition, data, "")
    theirs = sorted((each for each in words if leaks.find((Part(each),), secrets)), key=len, reverse=True)
    parts = []
    for part in said["parts"]:
        text = part["text"]
        for each in () if part.get("verbatim") else theirs:
            text = text.replace(each, "\ufffc")
        parts.append(Part(text, "verbatim" if part.get("verbatim") else OURS))
    return leaks.find(parts, secrets)
