"""Phasegate under AgentBarrier's suite: every turn is a command of ours, every effect a call over HTTP.

Nothing is answered from memory: what is pending, how a run ended and every receipt are read from the stored session and
its journal. A person's answers are sent as an agent relays them.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from agentbarrier.adapter import AgentAdapter, RunHandle, validate_actions, validate_timeout
from agentbarrier.errors import AdapterContractError
from agentbarrier.models import (
    ActionRequest,
    AuditEvent,
    AuditReceipt,
    Capability,
    ReconciliationEvidence,
    ReconciliationStatus,
    RunOutcome,
    RunStatus,
    action_digest,
)
from agentbarrier.probe import EffectProbe

from tests.agentbarrier.bundle import written
from tests.agentbarrier.effects import Effects
from workflow.compose import open_engine
from workflow.history import audit
from workflow.local.settings import Settings
from workflow.model.journal import Entry, replay
from workflow.model.reply import Reply
from workflow.model.session import Session
from workflow.store.sqlite import SqliteStore

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 30.0
"""Seconds for a call of a run that sets no limit of its own."""
_LATE = "did not answer within"
"""How the journal says that a call ran out of time."""
_ENDS = {"done": AuditEvent.RUN_COMPLETED, "refused": AuditEvent.RUN_CANCELLED, "cancelled": AuditEvent.RUN_CANCELLED}
_FOUND = {
    "committed": AuditEvent.RECONCILIATION_COMMITTED,
    "not_committed": AuditEvent.RECONCILIATION_NOT_COMMITTED,
    "conflict": AuditEvent.RECONCILIATION_CONFLICT,
    "unavailable": AuditEvent.RECONCILIATION_UNAVAILABLE,
}


class Phasegate(AgentAdapter):
    """A run is a session of a bundle that is written for its actions, in a store of its own below ``folder``.

    ``lookup`` is in seconds: how long a bundle lets the service take when it is asked what became of a call.
    """

    name = "phasegate"
    capabilities = frozenset(Capability)

    def __init__(self, folder: Path, lookup: float) -> None:
        self._folder, self._lookup, self._runs = folder, lookup, 0

    async def begin(
        self,
        *,
        run_id: str,
        actions: Sequence[ActionRequest],
        effect: EffectProbe,
        timeout_seconds: float | None = None,
    ) -> RunHandle:
        """The session begins in a process of its own."""
        self._runs += 1
        folder = self._folder / str(self._runs)
        folder.mkdir()
        seconds = validate_timeout(timeout_seconds) or LONGEST
        run = Run(run_id, folder, validate_actions(actions), await Effects.serve(effect), timeout_seconds is not None)
        written(folder / "bundle", run.actions, seconds, self._lookup)
        run.begin()
        return run


class Run(RunHandle):
    """One session, and the commands that are sent to it."""

    def __init__(
        self, run_id: str, folder: Path, actions: tuple[ActionRequest, ...], effects: Effects, limited: bool
    ) -> None:
        self.run_id, self.folder, self.actions, self.effects, self.limited = run_id, folder, actions, effects, limited
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._store = SqliteStore(folder / "state")

    def begin(self, *, again: bool = False) -> None:
        """Send the first turns; sent ``again``, they are the same turns."""
        self._task = asyncio.create_task(self._first_turns(again))

    async def wait_for_pending(self, timeout_seconds: float) -> tuple[ActionRequest, ...]:
        """What a person can answer now, as the session says."""
        assert self._task is not None
        await asyncio.wait_for(asyncio.shield(self._task), timeout_seconds)
        offered = {option.event for option in self._status().next if option.who == "person"}
        return tuple(self._action(n) for n, _ in enumerate(self.actions) if f"approve{n}" in offered)

    async def approve(self, action_id: str, replacement: ActionRequest | None = None) -> None:
        """The person's yes, to what was shown last; a replacement is shown first."""
        n = self._number(action_id)
        if replacement is not None:
            await self._turn(f"change{n}", {f"a{n}": _text(replacement)})
        await self._turn(f"approve{n}", quote="yes, do that")

    async def reject(self, action_id: str, reason: str | None = None) -> None:
        """The person's no."""
        await self._turn(f"reject{self._number(action_id)}")

    async def cancel(self) -> None:
        """Kill whatever is at work, as somebody who closes the terminal does, and call the run off."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
        if self._task is not None:
            await self._task
        if any(option.event == "cancel" for option in self._status().next):
            await self._turn("cancel")

    async def wait(self, timeout_seconds: float) -> RunOutcome:
        """How the session stands once no turn is at work."""
        assert self._task is not None
        try:
            await asyncio.wait_for(asyncio.shield(self._task), timeout_seconds)
        except TimeoutError:
            return RunOutcome(RunStatus.FAILED, "a turn is still at work")
        reply = self._status()
        ends = {"done": RunStatus.COMPLETED, "cancelled": RunStatus.CANCELLED, "failed": RunStatus.FAILED}
        if reply.status in ends:
            return RunOutcome(ends[reply.status], reply.state)
        reasons = [str((entry.body or {})["reason"]) for entry, _ in self._journal() if entry.kind == "doubt"]
        if not reasons:
            return RunOutcome(RunStatus.FAILED, f"{reply.state}: {reply.status}")
        late = self.limited and _LATE in reasons[-1]
        return RunOutcome(RunStatus.TIMED_OUT if late else RunStatus.UNKNOWN, reasons[-1])

    async def reconcile(self, action_id: str, timeout_seconds: float) -> ReconciliationEvidence:
        """Have the session look the call up at the service; the time for that stands in the bundle."""
        n = self._number(action_id)
        expected = action_digest(self._action(n))
        await self._turn("look")
        found = [entry for entry, _ in self._journal() if (entry.body or {}).get("action") == f"find{n}"]
        if not found:
            raise AdapterContractError(f"there is nothing to look up: {self._status().state}")
        entry = found[-1]
        body = entry.body or {}
        if entry.kind != "result":
            late = f"the lookup timed out: {body['message']}" if _LATE in body["message"] else body["message"]
            return ReconciliationEvidence(action_id, ReconciliationStatus.UNAVAILABLE, expected, (), late)
        status = ReconciliationStatus(body["set"][f"found{n}"])
        return ReconciliationEvidence(action_id, status, expected, tuple(body["set"][f"digests{n}"]))

    async def replay(self) -> RunHandle:
        """The same turns again; and what was looked up and not found is ordered once more, by the person's answer."""
        again = Run(self.run_id, self.folder, self.actions, self.effects, self.limited)
        again.begin(again=True)
        return again

    async def audit_receipts(self) -> tuple[AuditReceipt, ...]:
        """The journal, in the words of the suite."""
        return tuple(
            AuditReceipt(number, self.run_id, event, _nanoseconds(entry), *self._named(n, session), detail)
            for number, (entry, session, event, n, detail) in enumerate(self._events(), 1)
        )

    async def close(self) -> None:
        """End what is still at work."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
        if self._task is not None:
            await self._task
        self._store.close()
        await self.effects.close()

    async def _first_turns(self, again: bool) -> None:
        gated = {f"a{n}": _text(each) for n, each in enumerate(self.actions) if each.requires_approval}
        await self._command("start", turn={"input": {"topic": "an errand", **gated}, "turn_id": "start"})
        for n, each in enumerate(self.actions):
            if not each.requires_approval and self._engine().sessions():
                await self._order(n, "order")
                if again and any(option.event == f"order{n}" for option in self._status().next):
                    await self._order(n, "once more")

    async def _order(self, n: int, turn_id: str) -> None:
        words = _text(self.actions[n])
        await self._turn(f"order{n}", {f"a{n}": words}, words, turn_id)

    async def _turn(
        self, event: str, input: dict[str, str] | None = None, quote: str | None = None, turn_id: str | None = None
    ) -> None:
        turn: dict[str, Any] = {"seen": self._status().seen}
        turn |= {"input": input} if input else {}
        turn |= {"evidence": {"quote": quote}} if quote else {}
        turn |= {"turn_id": turn_id} if turn_id else {}
        await self._command("advance", self._name(), event, turn=turn)

    async def _command(self, *arguments: str, turn: dict[str, Any]) -> None:
        """One turn in a process of its own, as an agent sends it."""
        bundle = ["--bundle", str(self.folder / "bundle")] if arguments[0] == "start" else []
        known = {**os.environ, "HOME": str(self.folder), "PHASEGATE_STATE": str(self.folder / "state")}
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "workflow", *arguments, *bundle, "--input", "-"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=ROOT,
            env={**known, "PHASEGATE_SANDBOX": self.effects.url},
        )
        out, _ = await self._process.communicate(json.dumps(turn).encode())
        answered: dict[str, Any] = json.loads(out) if out.strip() else {}
        failure = answered.get("error") or {}
        if failure.get("type") in ("usage", "internal", "store"):
            raise AdapterContractError(f"{arguments}: {failure['message']}")

    def _engine(self) -> Any:
        settings = Settings(file=self.folder / "config" / "config.toml", state=self.folder / "state")
        return open_engine(store=self._store, settings=settings, environ={"HOME": str(self.folder)})

    def _name(self) -> str:
        (only,) = self._engine().sessions()
        return str(only.name)

    def _status(self) -> Reply:
        reply: Reply = self._engine().status(self._name())
        return reply

    def _journal(self) -> list[tuple[Entry, Session]]:
        entries = audit.entries(self._engine(), self._name())
        return [(entry, session) for entry, session in replay(entries) if session is not None]

    def _number(self, action_id: str) -> int:
        return next(n for n, each in enumerate(self.actions) if each.action_id == action_id)

    def _action(self, n: int, session: Session | None = None) -> ActionRequest:
        """The action as the session holds it."""
        known = session or self._journal()[-1][1]
        return ActionRequest(**json.loads(known.data[f"a{n}"]))

    def _named(self, n: int | None, session: Session) -> tuple[str | None, str | None]:
        if n is None:
            return None, None
        action = self._action(n, session)
        return action.action_id, action_digest(action)

    def _events(self) -> Iterator[tuple[Entry, Session, AuditEvent, int | None, str | None]]:
        """What of the journal the suite asks for: the entry, the session then, the event, the number of its action."""
        shown: dict[str, str] = {}
        for entry, session in self._journal():
            body = entry.body or {}
            if entry.kind == "started":
                yield entry, session, AuditEvent.RUN_STARTED, None, None
            elif entry.kind == "reply":
                for gate in (name for name in body["asked"] if name.startswith("ok")):
                    n = int(gate.removeprefix("ok"))
                    if shown.get(gate) != session.data[f"a{n}"]:
                        yield entry, session, AuditEvent.APPROVAL_REQUESTED, n, None
                    shown[gate] = session.data[f"a{n}"]
            elif entry.kind == "event":
                name, n = body["event"].rstrip("0123456789"), body["event"].lstrip("abcdefghijklmnopqrstuvwxyz_")
                if name in ("approve", "reject"):
                    yield (
                        entry,
                        session,
                        AuditEvent.APPROVED if name == "approve" else AuditEvent.REJECTED,
                        int(n),
                        None,
                    )
                elif name == "look":
                    yield entry, session, AuditEvent.RECONCILIATION_STARTED, int(session.state[-1]), None
            elif entry.kind in ("result", "failure") and body["action"].startswith("find"):
                n = int(body["action"].removeprefix("find"))
                if entry.kind == "result":
                    yield entry, session, _FOUND[body["set"][f"found{n}"]], n, None
                else:
                    late = _LATE in body["message"]
                    event = AuditEvent.RECONCILIATION_TIMED_OUT if late else AuditEvent.RECONCILIATION_UNAVAILABLE
                    yield entry, session, event, n, body["message"]
            elif entry.kind == "doubt":
                late = self.limited and _LATE in body["reason"]
                yield entry, session, AuditEvent.RUN_TIMED_OUT if late else AuditEvent.RUN_UNKNOWN, None, body["reason"]
            if str(body.get("to") or "").startswith("over."):
                yield entry, session, _ENDS.get(body["to"].removeprefix("over."), AuditEvent.RUN_FAILED), None, None


def _text(action: ActionRequest) -> str:
    """An action as the words that a session keeps and shows."""
    known = {"action_id": action.action_id, "tool_name": action.tool_name, "arguments": dict(action.arguments)}
    return json.dumps(
        known | {"requires_approval": action.requires_approval, "parent_action_id": action.parent_action_id}
    )


def _nanoseconds(entry: Entry) -> int:
    return int(datetime.fromisoformat(entry.time).timestamp() * 1_000_000_000)
