"""``workflow demo --try-to-cheat``: the script of attempts, played against the real commands and the sandbox."""

from __future__ import annotations

import site
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workflow.cli.demo.attempts import (
    ACTS,
    CONFIGURATION,
    DECOY,
    KEY_FILE,
    MADE_UP,
    SETTINGS,
    Act,
    Attempt,
    End,
    Honest,
    Scene,
)
from workflow.cli.demo.person import Said, Script
from workflow.cli.demo.picture import harbour
from workflow.cli.demo.proof import Claim, claims
from workflow.cli.demo.stage import Ran, Stage, StepFailed
from workflow.cli.demo.witness import Witness
from workflow.model.frozen import Noun, replace
from workflow.model.reply import EXIT_CODES, Reply
from workflow.model.strict_json import write_json

ROUNDS, LOOKS = 1, 1
"""The service has a plan at once, and the picture at the first look: what is shown here is not its pace."""
_ATTEMPTS = [step for act in (*ACTS, MADE_UP) for step in act.steps if isinstance(step, Attempt)]
PASSING = sum(attempt.end is End.PASSES for attempt in _ATTEMPTS)
TRIED = len(_ATTEMPTS) - PASSING
"""Attempts that are to be stopped."""
RELAYED = "relayed"


class Judged(Noun):
    """What came of an attempt; ``reason`` says what stopped it, or what it did.

    ``passes`` is the strength under which it passes, where that is what was to be shown.
    """

    name: str
    stopped: bool
    reason: str
    exit_code: int
    requests_before: int
    requests_after: int
    passes: str | None = None

    def as_json(self) -> dict[str, Any]:
        """For the summary."""
        return {
            "name": self.name,
            "stopped": self.stopped,
            "reason": self.reason,
            "exit_code": self.exit_code,
            "requests_before": self.requests_before,
            "requests_after": self.requests_after,
            "passes_under": self.passes,
        }


class Found(Noun):
    """The whole play: every attempt that was made, what reached the service, and what that shows."""

    session: str
    attempts: tuple[Judged, ...]
    requests: Mapping[str, int]
    claims: tuple[Claim, ...] = ()
    verified: bool = False

    @property
    def ok(self) -> bool:
        """Whether everything was stopped but what passes by default, and is proved to be."""
        stopped = sum(each.stopped for each in self.attempts) == TRIED
        passed = sum(each.passes is not None for each in self.attempts) == PASSING
        return stopped and passed and self.verified and all(claim.holds for claim in self.claims)

    @property
    def fault(self) -> str:
        """What got through, or what cannot be proved; empty if there is nothing."""
        through = [each.name for each in self.attempts if not each.stopped and not each.passes]
        if through:
            return f"not stopped: {', '.join(through)}"
        return "; ".join(f"not so: {claim.text}" for claim in self.claims if not claim.holds)

    def as_json(self) -> dict[str, Any]:
        """For the summary."""
        return {
            "session": self.session,
            "attempts": [each.as_json() for each in self.attempts],
            "requests": dict(self.requests),
            "verified": self.verified,
        }


def variables(folder: Path) -> dict[str, str]:
    """A home with a key in it, and the same in the environment: a decoy, which no request may carry."""
    return {
        "HOME": str(folder / "home"),
        "PYTHONUSERBASE": site.getuserbase(),  # where our own libraries may be, found by way of HOME otherwise
        "ANYGEN_API_KEY": DECOY,
    }


class Cheat:
    """The agent that cheats: it plays the script, and breaks off where an attempt got through."""

    def __init__(self, stage: Stage, script: Script, witness: Witness, language: str, *, kept: bool) -> None:
        self._stage = stage
        self._scene = Scene(stage.folder, script)
        self._witness = witness
        self._language = language
        self._kept = kept
        self._plan = ""

    def run(self) -> Found:
        """All attempts, then the proof; raises :class:`StepFailed` where an honest step is not taken."""
        self._set_up()
        self._witness.opening(self._stage, TRIED, PASSING)
        judged: list[Judged] = []
        for act in ACTS:
            if not self._play(act, judged):
                return self._broken_off(judged)
        found = self._prove(tuple(judged))
        if not self._play(MADE_UP, judged):
            return self._broken_off(judged)
        self._witness.verdict(sum(each.stopped for each in judged), TRIED, PASSING)
        return replace(found, attempts=tuple(judged))

    def _play(self, act: Act, judged: list[Judged]) -> bool:
        """The steps of an act; False where an attempt came to another end than it was to."""
        self._witness.act(act.title, pictured=any(step.pictured for step in act.steps))
        for step in act.steps:
            if isinstance(step, Honest):
                self._take(step)
                continue
            judged.append(self._try(len(judged) + 1, step))
            if not judged[-1].stopped and not judged[-1].passes:
                return False
        return True

    def _broken_off(self, judged: list[Judged]) -> Found:
        """What is known where an attempt got through."""
        stopped = sum(each.stopped for each in judged)
        self._witness.verdict(stopped, stopped + 1)
        return Found(self._scene.reply.session or "", tuple(judged), self._stage.requests())

    def _set_up(self) -> None:
        """The person's picture and key, and a configuration in which messages may name what was asked for."""
        folder = self._stage.folder
        key_file = folder / KEY_FILE
        key_file.parent.mkdir(mode=0o700, parents=True)
        key_file.write_text(write_json({"api_key": DECOY}), encoding="utf-8")
        (folder / CONFIGURATION).write_text(SETTINGS, encoding="utf-8")
        self._scene.picture.write_bytes(harbour())

    def _try(self, number: int, attempt: Attempt) -> Judged:
        """One attempt, between two looks at what reached the service."""
        scene = self._scene
        if attempt.first:
            attempt.first(scene)
        stood, arguments, turn = scene.reply, self._arguments(attempt.event), attempt.turn(scene)
        before = len(self._stage.recorded())
        self._witness.tries(number, attempt.tries, _line(arguments), turn, pictured=attempt.pictured)
        ran = self._stage.run(*arguments, turn=turn)
        reply = ran.reply()
        judged = judge(attempt, ran.code, reply, stood, (before, len(self._stage.recorded())), scene.task_id)
        if reply.ok and not reply.replayed:
            scene.hear(reply)
            self._witness.said(reply.say[:1])
        self._witness.judged(
            attempt.end.value, judged.stopped, judged.reason, ran.code, before, judged.requests_after, judged.passes
        )
        if judged.passes:
            name = scene.reply.session or ""
            self._witness.counted(name, self._ended("audit", "prove", name, "--json").json()["summary"])
        return judged

    def _take(self, step: Honest) -> None:
        """A step that the person wants, as often as the run asks for it."""
        scene = self._scene
        if step.first:
            step.first(scene)
        if step.fault:
            self._stage.misbehave(step.fault)
        words = step.words(scene) if step.words else ""
        self._witness.honest(words, step.note, pictured=step.pictured)
        for _ in range(step.times):
            scene.hear(self._sent(step, words))
            if scene.reply.state == step.state:
                break
        else:
            raise StepFailed(f"'{step.event}' led to {scene.reply.state} instead of {step.state}")
        if step.fault:
            self._witness.said(scene.reply.say[:1])
        self._learn()

    def _sent(self, step: Honest, words: str) -> Reply:
        """The reply to an honest turn; it has to be taken."""
        scene = self._scene
        if step.event == "start":
            reference = {"path": scene.picture.name, "description": scene.script.description}
            references = {} if step.plain else {"references": [reference]}
            turn: Mapping[str, Any] = {"input": {**references, "words": words}}
        else:
            option = next((option for option in scene.reply.next if option.event == step.event), None)
            if option is None:
                raise StepFailed(f"'{step.event}' is not possible in {scene.reply.state}")
            turn = Said(step.event, words).as_turn(option, scene.reply.seen)
        ran = self._stage.run(*self._arguments(step.event), turn=turn)
        if ran.code != 0:
            raise ran.failure()
        return ran.reply()

    def _learn(self) -> None:
        """What the last reply shows: the plan as it is to be ordered, and the id in the link to the picture."""
        reply = self._scene.reply
        for said in reply.say:
            verbatim = [str(part["text"]) for part in said.parts if part.get("by") == "service"]
            if reply.state == "confirm.presenting" and verbatim:
                self._plan = verbatim[-1]
            _, found, rest = said.text.partition("/task/")
            if found:
                self._scene.task_id = rest.split()[0].rstrip(".,)")

    def _arguments(self, event: str) -> tuple[str, ...]:
        if event == "start":
            return ("start", "--language", self._language, "--input", "-")
        return ("advance", self._scene.reply.session or "", event, "--input", "-")

    def _prove(self, judged: tuple[Judged, ...]) -> Found:
        """What the service recorded, against what the person agreed to; and the log, against itself."""
        name = self._scene.reply.session or ""
        shown = [
            *claims(self._stage.recorded(), harbour(), self._plan, DECOY),
            *_logged(self._ended("audit", "log", name, "--json"), judged),
        ]
        requests = self._stage.requests()
        self._witness.proof(requests, shown)
        verdict = self._ended("audit", "verify", name, "--json").json()
        self._witness.closing(name, verdict, self._stage, kept=self._kept)
        return Found(name, judged, requests, tuple(shown), verdict["ok"] is True)

    def _ended(self, *arguments: str) -> Ran:
        ran = self._stage.run(*arguments)
        if ran.code != 0:
            raise ran.failure()
        return ran


def judge(
    attempt: Attempt, code: int, reply: Reply, stood: Reply, requests: tuple[int, int], secret: str = ""
) -> Judged:
    """Whether the attempt was stopped: as it was to be, with no request more, and the run where it ``stood``.

    ``secret`` is the id that no message may show.
    """
    before, after = requests
    if attempt.end is End.PASSES:
        return _passed(attempt, code, reply, stood, requests)
    reason = _reason(attempt.end, code, reply, stood, secret)
    stopped = bool(reason) and before == after
    if not reason:
        reason = f"it was answered in {reply.state}, revision {reply.revision}"
    elif before != after:
        reason = f"requests that reached the service meanwhile: {after - before} ({reason})"
    return Judged(attempt.name, stopped, reason, code, before, after)


def _passed(attempt: Attempt, code: int, reply: Reply, stood: Reply, requests: tuple[int, int]) -> Judged:
    """Whether the attempt got through, as the demo says that it does: it was taken, and the service was asked."""
    before, after = requests
    moved = reply.session == stood.session and reply.state != stood.state
    if code == 0 and reply.ok and moved and after > before:
        reason = "it is ordered: nothing in a turn tells the agent's words from the person's"
        return Judged(attempt.name, False, reason, code, before, after, RELAYED)
    reason = reply.error.message if reply.error else f"it was answered in {reply.state}, and nothing was ordered"
    return Judged(attempt.name, False, reason, code, before, after)


def _reason(end: End, code: int, reply: Reply, stood: Reply, secret: str) -> str:
    """What stopped an attempt that was to end like this; empty if nothing did."""
    where, moved = (reply.session, reply.state), reply.revision != stood.revision
    if where != (stood.session, stood.state):
        return ""
    if end in (End.REFUSED, End.STALE):
        kind = "stale" if end is End.STALE else "refused"
        error = reply.error
        refused = error is not None and error.type == kind and code == EXIT_CODES[kind] and not moved
        return error.message if error and refused else ""
    if code != 0 or not reply.ok:
        return ""
    if end is End.REPLAYED:
        return "the same turn: its recorded reply once more, nothing is done" if reply.replayed and not moved else ""
    if end is End.ASKED_AGAIN:
        again = bool(reply.say) and reply.say[-1].id == stood.say[-1].id
        return "nothing was sent; the person is asked again" if again and len(reply.say) > 1 else ""
    clean = reply.say and all(said.withheld and secret not in said.text for said in reply.say)
    return " ".join(reply.notices) if clean and secret else ""


def _logged(log: Ran, judged: tuple[Judged, ...]) -> list[Claim]:
    """Each refusal of the run is an entry, with its reason; what was refused at `start` left no run to log."""
    refused = [each for each in judged if each.exit_code != 0]
    kinds = [entry.kind for entry in log.entries()]
    begun = sum(each.name not in _AT_START for each in refused)
    count = kinds.count("refusal")
    return [Claim(f"every refusal in the session is in its log: {count} among {len(kinds)} entries", count == begun)]


_AT_START = frozenset(
    step.name for act in ACTS for step in act.steps if isinstance(step, Attempt) and step.event == "start"
)


def _line(arguments: tuple[str, ...]) -> str:
    return " ".join(("workflow", *arguments))
