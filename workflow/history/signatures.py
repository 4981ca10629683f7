"""The signatures in a journal: each is checked again, by the key that stands beside it, where it was given.

That a key is a person's own is not in the journal: they compare its fingerprint with their device's. Nor does a
signature show what the browser displayed, which is the word of the server that asked for it.
"""

from __future__ import annotations

from workflow.machine import gates
from workflow.machine.definition import Definition, Gate
from workflow.model.evidence import SIGNED, Evidence
from workflow.model.frozen import replace
from workflow.model.journal import Entry
from workflow.model.session import Session
from workflow.model.signature import Passkeys, challenge


class Signatures:
    """Goes through a journal, and knows of each answer that is said to be signed why it is not."""

    def __init__(self, passkeys: Passkeys) -> None:
        self._passkeys = passkeys
        self._hashes: dict[int, str] = {}
        self._faults: dict[Evidence, str] = {}

    def step(self, entry: Entry, before: Session | None, definition: Definition | None) -> None:
        """One entry, with the session before it and the bundle by which it was decided."""
        self._hashes[entry.seq] = entry.hash
        if before is None or entry.body is None or entry.kind not in ("event", "partial"):
            return
        for each in map(Evidence.from_json, entry.body["evidence"]):
            gate = definition.gates.get(each.gate) if definition else None
            if (
                each.strength == SIGNED and each not in self._faults
            ):  # the answers of others came with their own entries
                self._faults[each] = self._fault(before, gate, entry.body["event"], each) if gate else _NO_GATE

    def why_not(self, answer: Evidence) -> str:
        """Why the answer, if it is said to be signed, is not; empty for every other."""
        return self._faults.get(replace(answer, used=0), _NONE) if answer.strength == SIGNED else ""

    def _fault(self, asked: Session, gate: Gate, event: str, answer: Evidence) -> str:
        signature = answer.signature
        if signature is None:
            return _NONE
        subjects = signature.subjects if gate.each else (answer.subject,)
        opened = self._hashes.get(asked.opened.get(gate.name, 1), "")
        code = gates.code(asked, gate, event, answer.approver, opened)
        if answer.subject not in subjects or (signature.subjects, signature.code) != (subjects, code):
            return _OTHER
        if signature.challenge != challenge(asked.name, gate.name, code, subjects):
            return _OTHER
        why = self._passkeys.why_not(signature)
        return f"has a signature that does not hold: {why}" if why else ""


_NONE = "carries no signature"
_OTHER = "is not what its passkey signed"
_NO_GATE = "carries a signature that cannot be compared, since its bundle is not known"
