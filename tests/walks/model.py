"""A small reference model of the reference bundle: where a run must rest after a turn, told without an engine."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from phases.anygen.sandbox import Sandbox
from tests.walks.line import DOWN, LOST, NO, OK, PASSING, UNHEARD, tasks

WITHIN = {"deliver.generating": 1200.0, "revise.applying": 480.0}
"""State that watches → seconds until it is over."""

POSSIBLE = {
    "understand.unopened": ("open", "answer"),
    "understand.unfinished": ("open", "answer"),
    "understand.failed": ("open", "answer"),
    "understand.consenting": ("consent", "decline"),
    "understand.asking": ("answer", "create_now", "open"),
    "understand.rewording": ("answer", "open"),
    "confirm.presenting": ("approve", "adjust", "open"),
    "create.unsure": ("found", "did_not_happen"),
    "deliver.generating": (),
    "deliver.late": ("finish",),
    "deliver.waiting": ("finish",),
    "deliver.ready": ("modify", "finish"),
    "deliver.no_image": ("again", "adjust", "finish"),
    "revise.consenting": ("consent", "decline"),
    "revise.unsure": ("happened", "did_not_happen"),
    "revise.applying": (),
    "revise.late": ("finish",),
    "revise.waiting": ("finish",),
    "revise.changed": ("modify", "finish"),
    "revise.unchanged": ("repeat", "modify", "finish"),
    "over.cancelled": (),
    "over.without": (),
    "over.image_unsure": ("found", "did_not_happen"),
    "over.image_running": (),
    "over.finished": ("modify",),
    "over.stopped": ("modify",),
    "over.change_unsure": ("happened", "did_not_happen"),
    "over.change_running": (),
}
"""State → the events that move the run. `check` is answered in each, `cancel` moves it where it is not over, and
`retry` behind a failed call."""

GENERATING = ("deliver.generating", "deliver.late", "deliver.waiting", "over.image_running")
APPLYING = ("revise.applying", "revise.late", "revise.waiting", "over.change_running")
SEARCHED = ("revise.unsure", "over.change_unsure")


@dataclass
class Model:
    """What a run knows, what it was allowed, and where it stands; each method is one event.

    ``script`` says how the next calls end; how far the service is with its work is asked of the service.
    """

    sandbox: Sandbox
    disk: dict[str, str]
    script: deque[str] = field(default_factory=deque)
    at: str = ""
    trouble: bool = False
    said: int = 0
    words: str = ""
    offered: dict[str, str] = field(default_factory=dict)
    agreed: set[str] = field(default_factory=set)
    ever_agreed: set[str] = field(default_factory=set)
    uploads: set[str] = field(default_factory=set)
    task: str = ""
    orders: int = 0
    changes: int = 0
    sent: dict[str, int] = field(default_factory=dict)
    """Words of changes → how often the service is known to have got them."""

    @property
    def over(self) -> bool:
        """Whether the run has ended for good, or not begun."""
        return not self.at or self.at in ("over.cancelled", "over.without")

    @property
    def ended(self) -> bool:
        """Whether the run has ended, or not begun; it may go on."""
        return not self.at or self.at.startswith("over.")

    @property
    def pending(self) -> dict[str, str]:
        """The files of this round that are not at the service: name → what was offered."""
        return {name: sha for name, sha in self.offered.items() if sha not in self.uploads}

    @property
    def possible(self) -> tuple[str, ...]:
        """The events that can be accepted here."""
        if not self.at:
            return ()
        if self.trouble and self.at not in WITHIN:
            return "retry", "cancel"
        here = (*POSSIBLE[self.at], "check")
        if self.at.endswith("consenting") and not self.pending:
            here = ("decline", "check")
        return here if self.ended else (*here, "cancel", *(("retry",) if self.trouble else ()))

    def say(self, words: str, files: list[str]) -> None:
        """`start`, `answer` and `adjust`: the person's words, and files of theirs."""
        self._offer(words, files)
        self._receive("understand")

    def modify(self, words: str, files: list[str]) -> None:
        """A change, ordered in these words."""
        self.changes += 1
        self._offer(words, files)
        self._receive("revise")

    def repeat(self) -> None:
        """The failed change once more, as it was."""
        self.changes += 1
        self.trouble = False
        self._receive("revise")

    def consent(self, files: list[str]) -> None:
        """The person agrees to these files, as they were offered."""
        self.trouble = False
        self.agreed = {self.offered[name] for name in files}
        self.offered = {name: sha for name, sha in self.offered.items() if sha in self.agreed | self.uploads}
        self.ever_agreed |= self.agreed
        self._upload(self.at.partition(".")[0])

    def decline(self) -> None:
        """Without the files."""
        self._go_on(self.at.partition(".")[0])

    def order(self) -> None:
        """`approve` and `create_now`: the image is ordered."""
        self.orders += 1
        outcome = self._call(1)
        if outcome == OK:
            self.task = next(reversed(tasks(self.sandbox)), "")
            self.at = "deliver.generating"
        elif outcome in (LOST, UNHEARD):
            self.at = "create.unsure"
        else:
            self._refused()

    def again(self) -> None:
        """The same once more: it is asked for again."""
        self._refused()

    def found(self) -> None:
        """The person found the image, or says so."""
        self._take("create.adopting", "create.unsure")

    def open(self) -> None:
        """The person has the link of an image that is there already."""
        self._take("understand.opening", "understand.unopened")

    def _take(self, reading: str, otherwise: str) -> None:
        """An image is read by its link, and its messages; both calls are made again where one may go better later."""
        self.at, self.trouble = reading, False
        found = [task for task in tasks(self.sandbox) if task != self.task]
        for _ in range(3):
            outcome = self._call(1)
            outcome = self._call(1) if outcome == OK and found else outcome
            if outcome not in PASSING:
                break
        if outcome == NO or (outcome == OK and not found):
            self.at = otherwise
        elif outcome == OK:
            self.task = found[-1]
            self.at = self._image("deliver.generating" if reading == "create.adopting" else "understand.unfinished")
        else:
            self.trouble = True

    def did_not_happen(self) -> None:
        """The person looked, and it is not there."""
        if self.at in SEARCHED:
            self.at = "revise.unchanged"
        else:
            self._refused()

    def happened(self) -> None:
        """The person says that the change arrived: it is looked for again."""
        self._search()

    def check(self) -> None:
        """A look, now, or another one after the time was over; where there is nothing to look at, nothing moves."""
        self.trouble = False
        if self.at in WITHIN:
            self.look()
        elif self.at == "understand.unfinished":
            self.at = self._image(self.at) if self._call(3) == OK else self.at
        elif self.at in GENERATING:
            self.at = self._image("deliver.waiting") if self._call(3) == OK else "deliver.late"
        elif self.at in APPLYING:
            self.at = self._change("revise.waiting") if self._call(3) == OK else "revise.late"
        elif self.at in SEARCHED:
            self._search()

    def look(self) -> None:
        """One look where the run watches; what passes is no news, what lasts is trouble."""
        outcome = self._call(1)
        if outcome in (NO, DOWN):
            self.trouble = True
        elif outcome == OK:
            self.trouble = False
            self.at = (self._image if self.at == "deliver.generating" else self._change)(self.at)

    def retry(self) -> None:
        """The call that failed, once more."""
        phase, _, name = self.at.partition(".")
        if self.at in WITHIN:
            self.look()
            return
        self.trouble = False
        if name == "preparing":
            self._prepare()
        elif name == "uploading":
            self._upload(phase)
        elif name == "opening":
            self.open()
        else:
            self.found()

    def wait(self, seconds: float) -> None:
        """So much time has passed since the run began to watch: when it is over there is one more look."""
        before = self.at
        if self.at in WITHIN and seconds >= WITHIN[self.at]:
            self.look()
            if self.at == before:
                self.at, self.trouble = before.partition(".")[0] + ".late", False

    def end(self, event: str) -> None:
        """`finish` and `cancel`: what is there, runs or is in doubt decides where."""
        phase, self.trouble = self.at.partition(".")[0], False
        if self.at in GENERATING:
            self.at = "over.image_running"
        elif self.at in APPLYING:
            self.at = "over.change_running"
        elif self.at in ("create.unsure", "create.adopting"):
            self.at = "over.image_unsure"
        elif self.at == "revise.unsure":
            self.at = "over.change_unsure"
        elif phase == "revise" or self.at == "deliver.ready":
            self.at = "over.finished" if event == "finish" else "over.stopped"
        else:
            self.at = "over.without" if event == "finish" else "over.cancelled"

    def _offer(self, words: str, files: list[str]) -> None:
        self.words, self.trouble = words, False
        self.offered = {name: self.disk[name] for name in files}

    def _receive(self, phase: str) -> None:
        if self.pending:
            self.at = f"{phase}.consenting"
        else:
            self._go_on(phase)

    def _go_on(self, phase: str) -> None:
        if phase == "revise":
            self._send()
        else:
            self._prepare()

    def _upload(self, phase: str) -> None:
        for name, sha in self.pending.items():
            if sha not in self.agreed:
                continue
            if self.disk[name] != sha:
                self.offered[name], self.at = self.disk[name], f"{phase}.consenting"
                return
            outcome = self._call(3)
            if outcome == NO:
                self.at = f"{phase}.consenting"
                return
            if outcome != OK:
                self.at, self.trouble = f"{phase}.uploading", True
                return
            self.uploads.add(sha)
        self._receive(phase)

    def _prepare(self) -> None:
        outcome = self._call(3)
        if outcome == OK:
            self.said += 1
            self._refused()
        elif outcome == NO:
            self.at = "understand.rewording"
        else:
            self.at, self.trouble = "understand.preparing", True

    def _refused(self) -> None:
        """Back to the plan, if there is one."""
        self.at = "confirm.presenting" if self.said >= 2 else "understand.asking"

    def _send(self) -> None:
        outcome = self._call(1)
        if outcome == OK:
            self.at = "revise.applying"
            self.sent[self.words] = self.sent.get(self.words, 0) + 1
        elif outcome in (LOST, UNHEARD):
            self._search()
        else:
            self.at = "revise.unchanged"

    def _search(self) -> None:
        count = sum(each.content == self.words for each in tasks(self.sandbox)[self.task].messages)
        arrived = count > self.sent.get(self.words, 0)
        self.at = "revise.applying" if self._call(3) == OK and arrived else "revise.unsure"
        if self.at == "revise.applying":
            self.sent[self.words] = count

    def _image(self, otherwise: str) -> str:
        status = tasks(self.sandbox)[self.task].status
        failed = "understand.failed" if otherwise == "understand.unfinished" else "deliver.no_image"
        return {"completed": "deliver.ready", "failed": failed}.get(status, otherwise)

    def _change(self, otherwise: str) -> str:
        messages = tasks(self.sandbox)[self.task].messages
        answer = next(each for each in reversed(messages) if each.answers == self.words)
        if answer.status == "completed":
            self._call(1)  # the link is asked for anew; whatever comes of it, the change is there
        return {"completed": "revise.changed", "failed": "revise.unchanged"}.get(answer.status, otherwise)

    def _call(self, attempts: int) -> str:
        """How a call ends that is made so many times, as long as it may go better a little later."""
        for count in range(1, attempts + 1):
            outcome = self.script.popleft() if self.script else OK
            if outcome not in PASSING or count == attempts:
                return outcome
        raise AssertionError("unreachable")
