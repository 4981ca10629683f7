"""The proof of a session: each paid call and each upload by an answer that fits, each message clean.

Nothing is believed of what the entries say of themselves: every subject is digested again, from the session as
it was when the call left, by the bundle's own gates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from workflow.bundle import Bundle
from workflow.engine.view import View
from workflow.history import audit
from workflow.history.signatures import Signatures
from workflow.machine import approvals, gates, leaks, terms
from workflow.machine.approvals import Approvals
from workflow.machine.definition import Definition
from workflow.machine.foreign import name
from workflow.machine.leaks import secrets_of
from workflow.machine.messages import OURS, Part, file_line
from workflow.machine.standing import NOT_ENTERED
from workflow.model.digest import digest
from workflow.model.errors import SessionNotFound
from workflow.model.evidence import BY_THEMSELVES, DISPLAYED, SIGNED, STRENGTHS, WORTH, Evidence
from workflow.model.frozen import Noun, replace
from workflow.model.instant import Instant
from workflow.model.journal import Entry, replay
from workflow.model.reply import pieces
from workflow.model.session import Session
from workflow.model.signature import Passkeys

NOTHING, NOBODY = "nothing", "nobody"
"""What a paid call rests on without an answer: none that fits is in the log, or its bundle asks nobody."""
_RESTS = {
    NOTHING: "without an approval that the log shows",
    NOBODY: "for which the bundle asks nobody",
    "relayed": "on the agent's word alone",
    "asked": "on an answer that Phasegate asked the person for",
    "proven": "on an answer with an approver's passphrase",
    "signed": "on an answer that an approver's passkey signed",
}
"""What paid calls rest on, the weakest first, and how that is told."""
NOTHING_LEFT = ("void", "no_key", "credentials", "set_back", "ledger", "paused", "limited")
"""Classes of failed calls that may have been found out before anything left; then no answer was needed."""


class Answer(Noun):
    """An answer that carries a call: the entry that holds it, its gate, how it was given, and the words.

    ``strength``, ``person`` (None where nobody proved who they are), ``role`` (None where the gate asks for none) and
    the passkey that signed (``device``, the ``fingerprint`` of its key, and the ``origin`` of the page; None where none
    did) are also in ``how``. ``given`` and ``until`` are its term, ISO 8601 in UTC. ``text`` is the question as it was
    handed over, or None where the words say all. ``translation`` is what the agent says that the person read.
    ``unread`` is the language that the question was to be translated to, where no translation came back.
    """

    entry: int
    gate: str
    how: tuple[str, ...]
    quote: str
    strength: str
    person: str | None
    role: str | None
    given: str
    until: str
    text: str | None = None
    translation: str | None = None
    unread: str | None = None
    device: str | None = None
    fingerprint: str | None = None
    origin: str | None = None

    @property
    def source(self) -> str:
        """Everything but the words."""
        return f"entry {self.entry}: {self.gate} ({', '.join(self.how)})"

    @property
    def missing(self) -> str:
        """What the log does not show of this answer; empty where it shows all."""
        if self.unread is None:
            return ""
        asked = f"the question was to be translated to {self.unread}, and no translation came back"
        return f"what the person read is not on record: {asked}"


class Claim(Noun):
    """Something that is to be true of an entry, whether it is, by which entries, and why not.

    It is about a call; ``message`` where it is about one of the messages, which are only named where they fail. ``on``
    is what a paid call rests on: the strength of its weakest answer, :data:`NOBODY` or :data:`NOTHING`.
    """

    seq: int
    text: str
    holds: bool
    by: tuple[Answer, ...] = ()
    why: str = ""
    message: bool = False
    on: str | None = None


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

    @property
    def calls(self) -> dict[str, int]:
        """How many paid calls rest on what, the weakest first."""
        found = Counter(claim.on for claim in self.claims if claim.on)
        return {on: found[on] for on in _RESTS if found[on]}

    @property
    def limits(self) -> tuple[str, ...]:
        """What its strongest answers do not show, in sentences; none where all are asked for or relayed."""
        found = {answer.strength for claim in self.claims for answer in claim.by}
        return (*((DISPLAYED,) if SIGNED in found else ()), *((WORTH,) if found.intersection(BY_THEMSELVES) else ()))

    @property
    def summary(self) -> str:
        """The paid calls in one line, by the strength of their approvals."""
        calls = self.calls
        total = sum(calls.values())
        named = f"{total or 'no'} {'sandbox' if self.sandbox else 'paid'} call{'' if total == 1 else 's'}"
        if len(calls) < 2:
            return ", ".join((named, *(_RESTS[on] for on in calls)))
        return f"{named}: {', '.join(f'{count} {_RESTS[on]}' for on, count in calls.items())}"


def prove(view: View, session: str, expect_head: str | None = None, bundles: Sequence[Bundle] = ()) -> Proof:
    """What the log of a session shows, after the log itself was verified.

    The definitions that it is judged by are those of ``bundles`` where any are given, such as an independent checkout,
    else those that the store has kept and the journal names by their digests. Raises what
    :func:`~workflow.history.audit.verify` raises, and ``SessionNotFound`` where all was erased.
    """
    verified = audit.verify(view, session, expect_head)
    if verified.forgotten:
        raise SessionNotFound(
            f"what {session} held was erased at {verified.forgotten}, and nothing is left to prove it by",
            f"`workflow audit verify {session}` still checks the chain.",
        )
    entries = audit.read(view, session).entries
    given = {each.digest: each.definition for each in bundles}
    find = given.get if given else lambda bundle: audit.definition_of(view, bundle, entries)
    walk = _Walk(find, bool(given), view.world.passkeys)
    found = [claim for entry, after in replay(entries) for claim in walk.step(entry, after)]
    claims = tuple(claim for claim in found if claim.seq not in walk.kept_back)
    return Proof(verified.receipt, verified.sandbox, claims, walk.messages, walk.withheld)


def try_prove(view: View, session: str) -> Proof | None:
    """The proof of a log that holds; None where nothing is left to prove."""
    try:
        return prove(view, session)
    except SessionNotFound:
        return None


class _Walk:
    """Goes through a journal, and knows at each entry how the session stood before it."""

    def __init__(self, find: Callable[[str], Definition | None], given: bool, passkeys: Passkeys) -> None:
        self._find = find
        self._signatures = Signatures(passkeys)
        self._missing = "is not among the bundles that were given" if given else "is not in the store"
        self._definitions: dict[str, Definition | None] = {}
        self._before: Session | None = None
        self._given: dict[Evidence, int] = {}
        self._said: dict[str, str] = {}
        self._to: dict[Evidence, str | None] = {}
        self._told_to: dict[str, str | None] = {}
        self._agreed: dict[Evidence, str] = {}
        self._unanswered: dict[str, str] = {}
        self._late = ""
        self.kept_back: set[int] = set()
        """Intents whose call never left, since the ledger could not be written."""
        self.messages = 0
        self.withheld = 0

    def step(self, entry: Entry, after: Session | None) -> Iterator[Claim]:
        """What is claimed of this entry."""
        before, self._before = self._before, after
        body = entry.body or {}
        self._signatures.step(entry, before, self._definition(before.bundle) if before else None)
        if entry.kind in ("event", "started"):
            self._answers(entry, body, before or after)
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

    def _told(self, body: Mapping[str, Any]) -> None:
        """What the people of a role were told, as the entry of their answer has it: no reply says it."""
        for said in body.get("told", ()):
            self._said.setdefault(digest(said["text"]), said["text"])
            self._told_to[digest(said["text"])] = said.get("translate_to")

    def _answers(self, entry: Entry, body: Mapping[str, Any], asked: Session | None) -> None:
        """Where each answer was given, and which language its question was to be translated to."""
        self._told(body)
        definition = self._definition(asked.bundle) if asked else None
        for each in map(Evidence.from_json, body.get("evidence", ())):
            self._given[each] = entry.seq if entry.kind == "event" else 0
            gate = definition.gates.get(each.gate) if definition else None
            if asked and definition and gate and not gates.of_own_words(definition, gate):
                known = gates.to_translate(definition, gate, asked)
                self._to[each] = self._told_to.get(asked.shown.get(each.gate, ""), known)
            elif asked and body.get("wish"):
                self._agreed[each] = _wish_shown(asked, body)

    def _effect(self, entry: Entry, body: Mapping[str, Any], before: Session) -> Iterator[Claim]:
        """A paid call is judged by its intent; what is not paid for, by its outcome."""
        if entry.kind == "failure" and before.intent and body.get("kind") == NOT_ENTERED:
            self.kept_back.add(before.intent.seq)  # the ledger could not be written, so that nothing left
        if entry.kind != "intent" and (before.intent or body.get("kind") in NOTHING_LEFT):
            return
        action = body["action"]
        text = _called(action, before.sandbox, paid=entry.kind == "intent")
        definition = self._definition(before.bundle)
        if definition is None:
            if entry.kind == "intent" or body.get("item"):
                why = f"what the bundle {before.bundle[:12]} says {self._missing}"
                yield Claim(entry.seq, text, False, why=why, on=NOTHING if entry.kind == "intent" else None)
            return
        if not definition.needs(action):
            if entry.kind == "intent":
                yield Claim(entry.seq, f"{text}; its bundle asks nobody before it", True, on=NOBODY)
            return
        if entry.kind == "failure" and "now" not in body:  # it was stopped before anything left
            return
        if body.get("item"):
            before, text = _only(before, body["item"]), f"{text} with the file {body['item'][:12]}"
        found, why = self._carrying(definition, before, action, body, failed=entry.kind == "failure")
        on = NOTHING if why else min((each.strength for each in found), key=STRENGTHS.index)
        cited = tuple(self._cited(definition, before, each) for each in found)
        yield Claim(entry.seq, text, not why, cited, why, on=on if entry.kind == "intent" else None)

    def _carrying(
        self, definition: Definition, before: Session, action: str, body: Mapping[str, Any], *, failed: bool
    ) -> tuple[tuple[Evidence, ...], str]:
        """The answers by which a call left, and why they do not carry it; empty if they do."""
        if "now" not in body:
            return (), "no answer in the log fits what was sent"
        item = {"sha256": body["item"]} if body.get("item") else None
        owed = approvals.spending(definition, before, action, item)
        unspent = (
            ()
            if failed
            else [gate for how in ("spends", "uses") for gate in owed.get(how, ()) if gate not in body.get(how, ())]
        )
        judged = [
            (each.answers, self._why_not(definition, before, each, unspent))
            for each in approvals.alternatives(
                definition, before, action, {}, Instant(*body["now"]), people=body.get("people", {})
            )
        ]
        return next((each for each in judged if not each[1]), judged[0])

    def _why_not(self, definition: Definition, before: Session, found: Approvals, unspent: Sequence[str]) -> str:
        """Why the answers of an alternative do not carry the call; empty if they do.

        ``unspent`` are the gates whose answers it should have spent or used, and did not.
        """
        if not found.answers:
            return "no answer in the log fits what was sent"
        if not found.complete:
            return "; ".join(each.lacks for each in found.lacking)
        for each in found.answers:
            gate = definition.gates[each.gate]
            if not each.quote.strip():
                return f"the answer to {each.gate} is without words"
            if unsigned := self._signatures.why_not(each):
                return f"the answer to {each.gate} {unsigned}"
            if each.gate in unspent:
                return f"the answer to {each.gate} was not spent by it"
            shown = before.shown.get(each.gate)
            if not gate.each and not gates.of_own_words(definition, gate) and shown not in self._said:
                return f"the question of {each.gate} is not in the log as it was answered"
            if self._neither(definition, before, each):
                return f"what was sent is neither in the answer to {each.gate} nor in a question that it agrees to"
        return ""

    def _neither(self, definition: Definition, before: Session, evidence: Evidence) -> bool:
        """Whether words were sent that the person neither said in this answer nor was asked about as a kept wish."""
        gate = definition.gates[evidence.gate]
        if evidence.strength != "relayed" or not gates.of_own_words(definition, gate):
            return False
        said = not gates.not_quoted(gate, before.data, evidence.quote)
        return not said and self._agreed.get(replace(evidence, used=0)) not in self._said

    def _cited(self, definition: Definition, before: Session, evidence: Evidence) -> Answer:
        """An answer as it is quoted in a proof."""
        gate, given = definition.gates[evidence.gate], replace(evidence, used=0)
        how = tuple(name(each) for each in (evidence.strength, evidence.channel, evidence.approver) if each)
        how += (f"as {name(evidence.role)}",) if evidence.role else ()
        signed = evidence.signature
        how += (f"with the passkey {signed.fingerprint}",) if signed else ()
        where = (f"for {evidence.service}",) if evidence.service else ()
        series = (f"call {evidence.used + 1} of {gate.lasts}",) if gate.lasts > 1 else ()
        relayed = evidence.strength == "relayed" and evidence.translation is None
        shown = None if gates.of_own_words(definition, gate) else before.shown.get(gate.name)
        return Answer(
            self._given.get(given, 0),
            evidence.gate,
            (*how, *where, *series),
            evidence.quote,
            evidence.strength,
            evidence.approver,
            evidence.role,
            evidence.at,
            terms.moment(evidence.taken, evidence.taken, gate.valid),
            self._said.get(shown or ""),
            evidence.translation,
            self._to.get(given) if relayed else None,
            signed.device if signed else None,
            signed.fingerprint if signed else None,
            signed.origin if signed else None,
        )

    def _reply(self, entry: Entry, body: Mapping[str, Any], before: Session) -> Iterator[Claim]:
        definition = self._definition(before.bundle)
        for said in body["reply"]["say"]:
            self.messages += 1
            self.withheld += bool(said.get("withheld"))
            self._said.setdefault(digest(said["text"]), said["text"])
            self._told_to[digest(said["text"])] = said.get("translate_to")
            text = f"the message '{said['id']}' was said"
            if definition is None:
                why = f"what the bundle {before.bundle[:12]} says {self._missing}"
                yield Claim(entry.seq, text, False, why=why, message=True)
                continue
            found = _leaking(definition, before, said)
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


def _wish_shown(asked: Session, body: Mapping[str, Any]) -> str:
    """The wording in which the wish that an event fulfils was put; empty where its words are not what was set."""
    wish = next((each for each in asked.wishes if each.id == body["wish"]), None)
    if wish is None or wish.words not in body["set"].values():
        return ""
    return str({**asked.shown, **body.get("asked", {})}.get(wish.key, ""))


def _leaking(definition: Definition, session: Session, said: Mapping[str, Any]) -> list[str]:
    """What a message holds that must not be said; what a person wrote may hold any word, as when it was said."""
    data = session.data
    words = [wish.words for wish in session.wishes]
    words += [str(data[datum]) for datum in definition.of_type("text") if data.get(datum)]
    words += [file_line(each) for datum in definition.of_type("files") for each in data.get(datum) or []]
    secrets = secrets_of(definition, data, "")
    theirs = sorted((each for each in words if leaks.find((Part(each),), secrets)), key=len, reverse=True)
    parts = []
    for part in pieces(said):
        text = part["text"]
        for each in () if part.get("by") == "service" else theirs:
            text = text.replace(each, "\ufffc")
        parts.append(Part(text, "verbatim" if part.get("by") == "service" else OURS))
    return leaks.find(parts, secrets)
