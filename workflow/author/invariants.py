"""What holds after every turn of every run, whoever sent what: looked at from outside, by the log and the sandbox."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from workflow.author.stand import Stand, asked
from workflow.history import audit
from workflow.history.proof import prove
from workflow.machine.definition import Definition, State, successors
from workflow.machine.standing import status_of
from workflow.model.errors import WorkflowError
from workflow.model.journal import Entry
from workflow.model.reply import ENDED, Reply

_LONG = 8
"""Characters of a key that can be told from a word."""


class Witness:
    """Looks at one stand after each turn."""

    def __init__(self, stand: Stand) -> None:
        self._stand = stand
        self._definition = stand.bundle.definition

    def entries(self, name: str) -> Sequence[Entry]:
        """The log of a session."""
        return audit.entries(self._stand.engine, name)

    def broken(self, name: str, reply: Reply) -> list[str]:
        """Everything that does not hold now, in sentences."""
        try:
            entries = self.entries(name)
            return [*self._unproved(name), *self._overpaid(entries), *self._astray(entries), *self._stuck(name, reply)]
        except WorkflowError as error:
            return [f"the log does not hold: {error.message}"]

    def _unproved(self, name: str) -> Iterator[str]:
        """The chain, the snapshot, evidence for each call that needs some, and clean messages."""
        for claim in prove(self._stand.engine, name).claims:
            if not claim.holds:
                yield f"entry {claim.seq}: {claim.text}, but {claim.why}"

    def _overpaid(self, entries: Sequence[Entry]) -> Iterator[str]:
        """Paid requests as the service got them, beside the answers that allow one each."""
        definition, registry = self._definition, self._stand.bundle.registry
        paid = {name for name, action in registry.actions.items() if action.once}
        lasts = {gate: definition.gates[gate].lasts for name in paid for gate in definition.needs(name)}
        intents = sum(entry.kind == "intent" for entry in entries)
        allowed = sum(
            lasts.get(each["gate"], 0)
            for entry in entries
            if entry.kind == "event"
            for each in {(each["gate"], each["item"]): each for each in (entry.body or {}).get("evidence", ())}.values()
        )
        calls = asked(self._stand.sandbox.requests)
        got = sum(any(fnmatchcase(call, pattern) for pattern in self._stand.sandbox.PAID) for call in calls)
        if got > intents:
            yield f"the service got {got} paid requests, and the log has {intents} intents"
        if all(definition.needs(name) for name in paid) and intents > allowed:
            yield f"the log has {intents} intents, and {allowed} answers that allow one each"

    def _astray(self, entries: Sequence[Entry]) -> Iterator[str]:
        """Moves that the definition does not have."""
        state = ""
        for entry in entries:
            body = entry.body or {}
            before, state = state, body.get("to") or body.get("state") or state
            if before and state != before and state not in onward(self._definition, self._definition.states[before]):
                yield f"entry {entry.seq} leads from {before} to {state}, where no way leads"

    def _stuck(self, name: str, reply: Reply) -> Iterator[str]:
        """The status fits the state, a run that has not ended can go on, and no reply holds the key."""
        session = self._stand.engine.stored(name)
        status = status_of(self._definition, session)
        said = self._stand.engine.status(name)
        if said.status != status:
            yield f"the status is told as {said.status}, and is {status}"
        end = self._definition.states[session.state].end
        if (status in ENDED) != (end is not None):
            yield f"the status {status} does not fit the state {session.state}"
        if not end and status != "watching" and not said.due and not any(option.ready for option in said.next):
            yield f"nothing can be sent in {session.state}, which is not an end"
        key = self._definition.service.sandbox_key
        if len(key) >= _LONG and key in json.dumps(reply.as_json(), ensure_ascii=False):
            yield "the reply holds the key"


def onward(definition: Definition, state: State) -> set[str]:
    """Where one move can lead from a state; after a failed call what holds everywhere moves it too."""
    deadline = {definition.deadline[1]} if definition.deadline and not state.end else set()
    return {target for _, target in successors(state)} | set(definition.moves(state).values()) | deadline
