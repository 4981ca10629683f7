"""A bundle that asks the guard ``mine`` in one place, and whose Python says what the guard does there."""

from __future__ import annotations

from pathlib import Path

from tests.playing import HandClock, Player, player
from workflow.bundle import open_bundle
from workflow.service.sandbox.table import Answers

PLACES = ("then", "if", "say", "aside", "look", "end", "news", "watch_news", "acknowledge")
"""Everywhere a guard is asked: the two kinds of `say` are those of a state that waits and of one that ends, and the two
of `no_news` those of a state that waits for a person and of one that watches."""

CANNOT_TELL = {
    "raises": 'raise ValueError("sk-secret")',
    "misses a key": 'return PASSES if {}["amount"] else because("no")',
    "exits": "raise SystemExit(1)",
    "never ends": "return mine(facts)",
    "gives nothing": "return None",
    "gives a bool": "return True",
    "gives half a verdict": 'return Verdict("yes")',
    "reads what it did not declare": 'return PASSES if facts.data.get(str("wor") + "ds") else because("no")',
    "looks for what it did not declare": 'return PASSES if ("wor" + "ds") in facts.data else because("no")',
    "catches what it must not read": "import contextlib\n    with contextlib.suppress(Exception):\n"
    '        facts.data["wor" + "ds"]\n    return PASSES',
    "reads everything": "return PASSES if dict(facts.data) else because('no')",
    "reads an unknown setting": 'return PASSES if facts.settings.get("no" + "ne") else because("no")',
}
"""How a guard can fail to tell."""

_YAML = """
format: 1
workflow: guarded
languages: [en]
service:
  base_url: http://127.0.0.1:9
  sandbox:
    POST /orders: {{body: {{id: a1b2c3d4e5}}}}
    GET /orders: {{body: {{state: new}}}}
data: {{words: text, order: internal, state: hidden}}
gates: {{agreed: {{subject: [words]}}, told: {{}}}}
actions:
  order: {{method: POST, path: /orders, effect: once, body: {{text: '{{words}}'}}, sets: {{order: id}}}}
  look: {{method: GET, path: /orders, effect: read, sets: {{state: state}}}}
guards: {{{guards}}}
never_without: {{order: [agreed]}}
events:
  start: {{input: [words]}}
  approve: {{gate: agreed{if}}}
  lost: {{gate: told}}
  check: {{}}
  cancel: {{}}
trouble: {{internal: cannot_tell, else: failed}}
start: a.receiving
on: {{cancel: over.cancelled}}
phases:
  a:
    receiving: {{then: a.asking}}
    asking:
      say: {{{say}: ask_short, else: ask}}
      aside: {{{aside}: hint}}
      on: {{approve: a.choosing}}
      acknowledge: {{approve: {{{acknowledge}: thanks}}}}
      no_news: {{{news}: nothing, else: nothing}}
    choosing: {{then: {{{then}: a.asking, else: a.ordering}}}}
    ordering: {{do: order, then: a.waiting, failed: a.asking, doubt: a.unsure}}
    unsure: {{say: unsure, on: {{lost: a.asking}}}}
    waiting:
      say: waiting
      watch:
        {{do: look, every: 3s, within: 60s, then: {{{look}: over.done}},
          no_news: {{{watch_news}: nothing, else: nothing}},
          late: over.late, brief: watching}}
  over:
    done: {{say: done, end: done}}
    late: {{say: late, end: failed}}
    cancelled: {{say: {{{end}: gone, else: bye}}, end: cancelled}}
"""
_MESSAGES = (
    "cannot_tell",
    "failed",
    "ask",
    "ask_short",
    "hint",
    "unsure",
    "waiting",
    "nothing",
    "thanks",
    "done",
    "late",
    "gone",
    "bye",
)
_PYTHON = """
from workflow import PASSES, Facts, Verdict, because, guard


@guard()
def mine(facts: Facts) -> Verdict:
    {body}
"""
REFUSES, HOLDS = 'return because("no")', "return PASSES"
_DECLARED = {"new": "{datum: state, is: new}", "unset": "{datum: order, set: false}"}
_OTHERWISE = {"then": "in_doubt", "if": "", "say": "in_doubt", "aside": "unset", "look": "new", "end": "in_doubt"}
_OTHERWISE |= {"news": "in_doubt", "watch_news": "in_doubt", "acknowledge": "in_doubt"}


def write(folder: Path, place: str, body: str) -> Path:
    """The bundle in ``folder``: ``mine`` is asked at ``place`` (one of :data:`PLACES`) and does what ``body`` says."""
    asked = {**_OTHERWISE, place: ", if: mine" if place == "if" else "mine"}
    if place == "watch_news":  # the look must find nothing
        asked["look"] = "unset"
    for name in ("phases", "prompts/en", "prompts/briefs"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    declared = ", ".join(f"{name}: {said}" for name, said in _DECLARED.items() if name in asked.values())
    (folder / "workflow.yaml").write_text(_YAML.format(**asked, guards=declared))
    (folder / "phases" / "odd.py").write_text(_PYTHON.format(body=body))
    for message in _MESSAGES:
        (folder / "prompts" / "en" / f"{message}.md").write_text(f"It is {message.replace('_', ' ')}.")
    for message in ("ask", "ask_short"):
        (folder / "prompts" / "en" / f"{message}.md").write_text("Shall it be $words?")
        (folder / "prompts" / "en" / f"{message}.plain.md").write_text("Shall it be that?")
    (folder / "prompts" / "briefs" / "watching.md").write_text("Run $command.")
    return folder


class Guarded:
    """A session of the bundle against its sandbox, which is stopped at the end of the ``with`` block."""

    def __init__(self, tmp_path: Path, place: str, body: str) -> None:
        self.place = place
        self.folder = write(tmp_path / "guarded", place, body)
        self.clock = HandClock()
        self.sandbox = Answers(open_bundle(self.folder).definition)
        self._tmp_path = tmp_path
        self.play: Player

    def __enter__(self) -> Guarded:
        self.sandbox.start()
        self.play = player(self._tmp_path, self.folder, self.sandbox.url, clock=self.clock)
        return self

    def __exit__(self, *ended: object) -> None:
        self.sandbox.stop()

    @property
    def paid(self) -> int:
        """How many orders arrived."""
        return sum(each.method == "POST" for each in self.sandbox.requests)

    def reach(self) -> None:
        """Go on to where the guard is asked."""
        self.play.start({"words": "a poster"})
        if self.place in ("then", "if", "look", "watch_news", "acknowledge"):
            self.play.send("approve", quote="yes, please")
        if self.place == "look":
            self.play.engine.look(self.play.name)
            self.play.send(None)
        if self.place in ("news", "watch_news"):
            self.play.send("check")
        if self.place == "end":
            self.play.send("cancel")

    def change(self, body: str) -> None:
        """Another guard in the same place."""
        write(self.folder, self.place, body)
