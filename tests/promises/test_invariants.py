"""What the reference bundle declares of itself, tried by breaking it: its invariants, and the words it does without."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.promises.conftest import REFERENCE
from workflow.bundle import open_bundle
from workflow.bundle.checks import examine
from workflow.bundle.content import read
from workflow.bundle.lint.rules import invariants
from workflow.bundle.lint.ways import Ways
from workflow.machine import leaks
from workflow.machine.definition import Definition, Event, State
from workflow.machine.gates import subject
from workflow.machine.leaks import Secrets
from workflow.machine.messages import Part
from workflow.machine.reach import doubt_only
from workflow.model.frozen import replace
from workflow.model.session import Session

NEVER = (
    *("task_id", "file_token", "message_id", "task_0123456789", "tk_0123456789", "anygen.py", "conversation.json"),
    *("scripts/", "sessions_spawn", "sub-agent", "subagent", "background process"),
)
AVOIDED = (
    *("API", "OpenAPI", "prepare", "create", "poll", "status", "query", "spawn", "script", "workspace", "JSON"),
    *("接口", "轮询", "子代理", "后台进程", "脚本"),
)
SESSION = Session("amber-fox", "anygen-image", "0" * 64, "", "en", "confirm.presenting")


@pytest.fixture(scope="module")
def definition() -> Definition:
    """The machine as it stands."""
    return open_bundle(REFERENCE).definition


def with_door(definition: Definition, source: str, target: str) -> Definition:
    """The machine with one more event, about which nobody is asked, from ``source`` to ``target``."""
    state = definition.states[source]
    states: Mapping[str, State] = {**definition.states, source: replace(state, on={**state.on, "skip": target})}
    return replace(definition, states=states, events={**definition.events, "skip": Event("skip")})


def broken(definition: Definition) -> set[tuple[str, str]]:
    """(rule, subject) of the invariants that do not hold."""
    ways = Ways(definition)
    return {(each.rule, each.subject) for each in invariants(definition) if ways.counterexample(each) is not None}


@pytest.mark.parametrize(
    ("source", "target", "rule", "subject"),
    [
        ("understand.consenting", "understand.uploading", "never_without", "upload"),
        ("confirm.presenting", "create.creating", "never_without", "create"),
        ("deliver.ready", "revise.sending", "never_without", "send"),
        ("understand.consenting", "confirm.presenting", "only_after", "create"),
        ("understand.asking", "deliver.generating", "only_after", "deliver.ready"),
        ("understand.asking", "revise.unchanged", "only_after", "send"),
        ("revise.changed", "understand.receiving", "never_after", "create"),
    ],
)
def test_a_back_door_breaks_an_invariant(
    definition: Definition, source: str, target: str, rule: str, subject: str
) -> None:
    """One event too many, and the bundle is rejected before it runs; as it stands, everything holds."""
    assert broken(definition) == set()
    assert (rule, subject) in broken(with_door(definition, source, target))


@pytest.mark.rule("R48", "R52", "R53")
@pytest.mark.parametrize(
    ("gate", "datum"),
    [
        *(("user_approved", datum) for datum in ("reply", "prompt", "uploads")),
        *(("ordered_directly", datum) for datum in ("request", "uploads")),
        ("change_ordered", "words"),
        ("change_repeated", "words"),
    ],
)
def test_an_answer_is_bound_to_what_would_be_sent(definition: Definition, gate: str, datum: str) -> None:
    """Whatever of it changes after the answer, the answer is to something else."""
    session = replace(SESSION, data={datum: "before"}, shown={gate: "text"})
    bound = subject(definition, definition.gates[gate], session)
    assert bound != subject(definition, definition.gates[gate], replace(session, data={datum: "after"}))
    assert bound == subject(definition, definition.gates[gate], replace(session, data={datum: "before", "plan": 1}))


def test_what_a_doubt_came_to_is_a_persons_word(definition: Definition) -> None:
    """Where a paid call may have happened, what settles it is an answer to just that question, also after the end."""
    asking = [definition.states[name] for name in doubt_only(definition) if not definition.states[name].works]
    assert {state.name for state in asking} == {
        "create.unsure",
        "revise.unsure",
        "revise.vanished",
        "over.image_unsure",
        "over.change_unsure",
    }
    looking = {"check", "cancel"}  # a search by the service, and an end in the same doubt
    gates = {definition.events[event].gate for state in asking for event in state.on if event not in looking}
    assert gates == {"outcome_told"}


@pytest.mark.rule("R16", "R18", "R21")
@pytest.mark.parametrize("word", NEVER)
def test_no_message_may_hold_what_the_bundle_never_says(definition: Definition, word: str) -> None:
    """Names of fields, ids, scripts and sub-agents are found by what the bundle declares."""
    secrets = Secrets((), "", definition.never_say, ())
    assert list(leaks.find([Part(f"Well, {word} it is.")], secrets))


@pytest.mark.rule("R20", "R21")
def test_our_own_messages_do_without_technical_words() -> None:
    """Lint tells each of the words, in the line where it stands."""
    files = read(REFERENCE)
    name = "prompts/en/goodbye.md"
    text = "".join(f"Well, {word} it is.\n" for word in AVOIDED).encode()
    found = [each for each in examine(replace(files, content={**files.content, name: text}))[1] if each.path == name]
    assert {each.line for each in found} == set(range(1, len(AVOIDED) + 1))
