"""``workflow demo --try-to-cheat``: the script of attempts, played against the real commands and the sandbox."""

from __future__ import annotations

import site
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workflow.cli.demo.attempts import ACTS, DECOY, KEY_FILE, Attempt, End, Honest, Scene
from workflow.cli.demo.person import Said, Script
from workflow.cli.demo.picture import harbour
from workflow.cli.demo.proof import Claim, claims
from workflow.cli.demo.stage import Ran, Stage, StepFailed
from workflow.cli.demo.witness import Witness
from workflow.model.frozen import Noun
from workflow.model.reply import EXIT_CODES, Reply
from workflow.model.strict_json import write_json

ROUNDS, LOOKS = 1, 1
"""The service has a plan at once, and the picture at the first look: what is shown here is not its pace."""
TRIED = sum(isinstance(step, Attempt) for act in ACTS for step in act.steps)


class Judged(Noun):
    """What came of an attempt; ``reason`` says what stopped it, or what it did."""

    name: str
    stopped: bool
    reason: str
    exit_code: int
    requests_before: int
    requests_after: int

    def as_json(self) -> dict[str, Any]:
        """For the summary."""
        return {
            "name": self.name,
            "stopped": self.stopped,
            "reason": self.reason,
            "exit_code": self.exit_code,
            "requests_before": self.requests_before,
            "requests_after": self.requests_after,
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
        """Whether everything was stopped, and is proved to be."""
        stopped = len(self.attempts) == TRIED and all(each.stopped for each in self.attempts)
        return stopped and self.verified and all(claim.holds for claim in self.claims)

    @property
    def fault(self) -> str:
        """What got through, or what cannot be proved; empty if there is nothing."""
        through = [each.name for each in self.attempts if not each.stopped]
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
        self._witness.opening(self._stage, TRIED)
        judged: list[Judged] = []
        for act in ACTS:
            self._witness.act(act.title, pictured=any(step.pictured for step in act.steps))
            for step in act.steps:
                if isinstance(step, Honest):
                    self._take(step)
                    continue
                judged.append(self._try(len(judged) + 1, step))
                if not judged[-1].stopped:
                    self._witness.verdict(len(judged) - 1, len(judged))
                    return Found(self._scene.reply.session or "", tuple(judged), self._stage.requests())
        return self._prove(tuple(judged))

    def _set_up(self) -> None:
        """The person's picture and key, and a configuration in which messages may name what was asked for."""
        folder = self._stage.folder
        key_file, configuration = folder / KEY_FILE, folder / "config" / "config.toml"
        key_file.parent.mkdir(mode=0o700, parents=True)
        key_file.write_text(write_json({"api_key": DECOY}), encoding="utf-8")
        configuration.write_text("[settings]\nrecommendations = true\n", encoding="utf-8")
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
            scene.reply = reply
            self._witness.said(reply.say[:1])
        label = attempt.end.value
        self._witness.judged(label, judged.stopped, judged.reason, ran.code, before, judged.requests_after)
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
            scene.reply = self._sent(step, words)
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
            turn: Mapping[str, Any] = {"input": {"references": [reference], "words": words}}
        else:
            option = next((option for option in scene.reply.next if option.event == step.event), None)
            if option is None:
                raise StepFailed(f"'{step.event}' is not possible in {scene.reply.state}")
            turn = Said(step.event, words).as_turn(option, scene.reply.revision)
        ran = self._stage.run(*self._arguments(step.event), turn=turn)
        if ran.code != 0:
            raise ran.failure()
        return ran.reply()

    def _learn(self) -> None:
        """What the last reply shows: the plan as it is to be ordered, and the id in the link to the picture."""
        reply = self._scene.reply
        for said in reply.say:
            verbatim = [str(part["text"]) for part in said.parts if part.get("verbatim")]
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
            *_logged(self._ended("audit", "log", name), judged),
        ]
        requests = self._stage.requests()
        self._witness.proof(requests, shown)
        verdict = self._ended("audit", "verify", name).json()
        self._witness.closing(name, verdict, self._stage, kept=self._kept)
        self._witness.verdict(len(judged), TRIED)
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
    reason = _reason(attempt.end, code, reply, stood, secret)
    stopped = bool(reason) and before == after
    if not reason:
        reason = f"it was answered in {reply.state}, revision {reply.revision}"
    elif before != after:
        reason = f"requests that reached the service meanwhile: {after - before} ({reason})"
    return Judged(attempt.name, stopped, reason, code, before, after)


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
    return [Claim(f"every refusal in the run is in its log: {count} among {len(kinds)} entries", count == begun)]


_AT_START = frozenset(
    step.name for act in ACTS for step in act.steps if isinstance(step, Attempt) and step.event == "start"
)


def _line(arguments: tuple[str, ...]) -> str:
    return " ".join(("workflow", *arguments))
