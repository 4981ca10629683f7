"""A fault in a bundle's own code: its author gets the traceback, and nobody and nothing else gets a word of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.guarded import CANNOT_TELL, PLACES, Guarded, write
from tests.playing import HandClock, Player, player
from workflow.bundle import open_bundle
from workflow.history import audit
from workflow.history.forget import forget
from workflow.model.errors import StoreError
from workflow.model.fault import Fault
from workflow.service.sandbox.table import Answers
from workflow.store.memory import MemoryStore

KEY = "sk-some-key-for-now-0001"
ACTIONS = {
    "reads an unset datum": 'call.data["price"]',
    "reads no datum at all": 'call.data[str("pri") + "ces"]',
    "raises what it was told": "raise ValueError(call.data['words'])",
    "raises the key": f'raise ValueError("{KEY}")',
    "exits": "raise SystemExit(1)",
    "never ends": "return work(call)",
    "returns nothing": "return None",
    "sets what it does not declare": 'return Done({str("wor") + "ds": "other"})',
    "gives what no journal holds": 'return Done({"price": object()})',
    "fails after a failure": (
        "try:\n        [].pop()\n    except IndexError as error:\n        raise KeyError('x') from error"
    ),
}
"""Every way in which the code of an action can fail, as the statement in its body."""
SAYS = {
    "reads an unset datum": "the action 'work' reads 'price', which has no value yet: the action `work` sets it",
    "reads no datum at all": "the action 'work' reads 'prices', which is not a datum; did you mean 'price'?",
    "raises what it was told": "ValueError: a poster",
    "raises the key": "ValueError: [key]",
    "exits": "SystemExit: 1",
    "never ends": "RecursionError: ",
    "returns nothing": "it returned NoneType, where an action returns Done",
    "sets what it does not declare": "it gave words, which it does not declare to set",
    "gives what no journal holds": "TypeError: ",
    "fails after a failure": "IndexError: pop from empty list",
}
_YAML = """
format: 1
workflow: working
languages: [en]
service: {base_url: 'http://127.0.0.1:9', sandbox_key: SANDBOX_KEY, sandbox: {POST /orders: {body: {id: a1b2c3d4e5}}}}
data: {words: text, price: verbatim}
gates: {agreed: {subject: [words]}, told: {}}
EFFECT
events:
  start: {when: At first., input: [words]}
  approve: {when: Agreed., gate: agreed}
  lost: {when: Gone., gate: told}
  cancel: {when: No more.}
trouble: {else: failed}
start: a.asking
on: {cancel: over.cancelled}
phases:
  a:
    title: A
    asking: {say: ask, on: {approve: a.working}}
    working: {do: work, then: over.doneDOUBT}
    unsure: {say: unsure, on: {lost: a.asking}}
  over:
    done: {say: done, end: done}
    cancelled: {say: cancelled, end: cancelled}
"""
_PYTHON = """
from workflow import Call, Done, action


@action(effect="{effect}", sets=["price"])
def work(call: Call) -> Done:
    {body}
"""


def working(folder: Path, how: str, effect: str = "read") -> Path:
    """A bundle whose one action fails in this way."""
    (folder / "phases").mkdir(parents=True)
    (folder / "prompts" / "en").mkdir(parents=True)
    once = effect == "once"
    yaml = _YAML.replace("SANDBOX_KEY", KEY)
    yaml = yaml.replace("EFFECT", "never_without: {work: [agreed]}" if once else "")
    yaml = yaml.replace("DOUBT", ", failed: a.asking, doubt: a.unsure" if once else "")
    if not once:
        yaml = yaml.replace("    unsure: {say: unsure, on: {lost: a.asking}}\n", "")
        yaml = yaml.replace("  lost: {when: Gone., gate: told}\n", "").replace(", told: {}", "")
    (folder / "workflow.yaml").write_text(yaml)
    (folder / "phases" / "odd.py").write_text(_PYTHON.format(effect=effect, body=ACTIONS[how]))
    for name in ("ask", "failed", "done", "cancelled", *(["unsure"] if once else [])):
        text = "Shall it be $words?" if name == "ask" else f"It is {name}."
        (folder / "prompts" / "en" / f"{name}.md").write_text(text)
    (folder / "prompts" / "en" / "ask.plain.md").write_text("Shall it be that?")
    return folder


@pytest.fixture
def go(tmp_path: Path) -> Any:
    """Plays the bundle of :func:`working` to its fault."""
    started: list[Answers] = []

    def go(how: str, effect: str = "read") -> Player:
        folder = working(tmp_path / "working", how, effect)
        sandbox = Answers(open_bundle(folder).definition)
        sandbox.start()
        started.append(sandbox)
        play = player(tmp_path, folder, sandbox.url, clock=HandClock())
        play.start({"words": "a poster"})
        play.send("approve", quote="yes, please")
        return play

    yield go
    for sandbox in started:
        sandbox.stop()


def everything_told(play: Player) -> str:
    """All that a user, an agent or an auditor gets of a session."""
    entries = [[entry.kind, entry.body] for entry in play.journal()]
    status = play.engine.status(play.name)
    return json.dumps([play.reply.as_json(), status.as_json(), entries, audit.read(play.engine, play.name).snapshot])


@pytest.mark.parametrize("effect", ["read", "repeatable", "once"])
@pytest.mark.parametrize("how", ACTIONS)
def test_an_actions_fault_is_kept_for_its_author_alone(go: Any, how: str, effect: str) -> None:
    """The bundle's own line and what was raised, without the key; the reply and the journal name its class."""
    play = go(how, effect)
    (found,) = play.engine.world.store.faults(play.name)
    assert (found.kind, found.state, found.session) == ("action", "a.working", play.name)
    assert SAYS[how] in found.trace and "the action 'work'" in found.trace
    assert KEY not in found.trace
    if how not in ("returns nothing", "sets what it does not declare", "gives what no journal holds"):
        assert "phases/odd.py" in found.trace and "work.py" not in found.trace
    told = everything_told(play)
    assert "odd.py" not in told and "Traceback" not in told and KEY not in told
    if how == "raises what it was told":
        assert "ValueError: a poster" not in told
    if effect != "once":
        assert play.reply.error is not None and play.reply.error.kind == "internal"
        assert f"workflow-admin log {play.name}" in play.reply.error.hint
        assert play.send("cancel").status == "cancelled"


@pytest.mark.parametrize("how", CANNOT_TELL)
@pytest.mark.parametrize("place", PLACES)
def test_a_guards_fault_is_kept_for_its_author_alone(tmp_path: Path, place: str, how: str) -> None:
    """Wherever it is asked; looking at the session afterwards keeps nothing more."""
    with Guarded(tmp_path, place, CANNOT_TELL[how]) as guarded:
        guarded.reach()
        play = guarded.play
        found = play.engine.world.store.faults(play.name)
        assert found and {fault.kind for fault in found} == {"guard"}
        assert all("the guard 'mine'" in fault.trace for fault in found)
        if not how.startswith("gives"):
            assert all("phases/odd.py" in fault.trace for fault in found)
        told = everything_told(play)
        assert "odd.py" not in told and "Traceback" not in told
        assert play.engine.world.store.faults(play.name) == found


def test_the_fault_of_a_refused_start_is_kept_without_a_session(tmp_path: Path) -> None:
    """No session began; the author still sees where the guard of `start` failed."""
    folder = write(tmp_path / "guarded", "if", CANNOT_TELL["misses a key"])
    yaml = folder / "workflow.yaml"
    yaml.write_text(yaml.read_text().replace("start: {input: [words]}", "start: {input: [words], if: mine}"))
    play = player(tmp_path, folder, None)
    assert play.start({"words": "a poster"}).error is not None
    (found,) = play.engine.world.store.faults()
    assert found.session == "" and "KeyError: 'amount'" in found.trace
    assert play.engine.world.store.faults("") == [found]


def test_a_guard_that_reads_an_unset_datum_is_told_what_sets_it(tmp_path: Path) -> None:
    """The datum, the guard, and what would have set it."""
    with Guarded(tmp_path, "then", 'return PASSES if facts.data[str("sta") + "te"] else because("no")') as guarded:
        code = guarded.folder / "phases" / "odd.py"
        code.write_text(code.read_text().replace("@guard()", '@guard(reads=["state"])'))
        guarded.reach()
        (found,) = guarded.play.engine.world.store.faults()
        assert "the guard 'mine' reads 'state', which has no value yet: the action `look` sets it" in found.last


def test_forgetting_erases_the_faults(go: Any) -> None:
    """They may quote what a person said."""
    play = go("raises what it was told")
    play.send("cancel")
    forget(play.engine, play.name)
    assert play.engine.world.store.faults() == []


class _Full(MemoryStore):
    """A store that can keep no fault."""

    def note_fault(self, fault: Fault) -> None:
        raise StoreError("the disk is full")


def test_a_fault_that_cannot_be_kept_changes_no_turn(tmp_path: Path) -> None:
    """A paid call whose code failed is in doubt, whether its traceback could be kept or not."""
    folder = working(tmp_path / "working", "raises what it was told", "once")
    sandbox = Answers(open_bundle(folder).definition)
    sandbox.start()
    try:
        play = player(tmp_path, folder, sandbox.url, store=_Full())
        play.start({"words": "a poster"})
        assert play.send("approve", quote="yes, please").state == "a.unsure"
    finally:
        sandbox.stop()
