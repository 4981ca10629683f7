"""What a bundle says of its events and phases: in every language, or lint says where not; its events all say when."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.test_shipped_bundles import SHIPPED, opened, shipped
from workflow.bundle import find_warnings
from workflow.bundle.lint import advise, lint
from workflow.bundle.loader import read
from workflow.machine.definition import OURS, Definition
from workflow.machine.guards import BUILT_IN
from workflow.machine.language import nearest
from workflow.machine.registry import Registry
from workflow.machine.wording import Phase, worded
from workflow.service.declared_calls import completed

ROOT = Path(__file__).resolve().parents[2]
GOOD = """\
format: 1
workflow: tiny
languages: [en, zh-CN]
service: {base_url: https://api.example, sandbox: {'GET /x': {}}}
settings: {loud: false, most: 3, name: x}
data: {words: text}
guards:
  loud: {setting: loud, is: true}
events:
  start: {input: [words]}
  go: {when: {en: Whenever., zh-CN: 随时。}}
  shout: {when: Only then., if: loud, say: noise}
trouble: {else: sorry}
start: talk.waiting
phases:
  talk:
    title: {en: Talk, zh-CN: 交谈}
    waiting: {say: hello, on: {go: over.gone}}
  over:
    title: Over
    gone: {say: bye, end: done}
"""
TEXTS = dict.fromkeys(("noise", "sorry", "hello", "bye"), "Well.")


def problems(old: str, new: str) -> list[str]:
    """What lint says after one change."""
    assert GOOD.count(old) == 1, old
    source = read(GOOD.replace(old, new), "w")
    definition = Definition.from_document(source.document)
    registry = completed(Registry({}, {guard.name: guard for guard in BUILT_IN}), definition)
    found = lint(definition, source, registry, {"en": TEXTS, "zh-CN": TEXTS}, {})
    return [each.message.partition(": ")[2] for each in found]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("Only then.", "Only then.", []),
        ("{en: Whenever., zh-CN: 随时。}", "{en: Whenever.}", ["`when` has no text in zh-CN"]),
        ("{en: Whenever., zh-CN: 随时。}", "{}", ["`when` has no text in en, zh-CN"]),
        ("{en: Talk, zh-CN: 交谈}", "{zh-CN: 交谈}", ["`title` has no text in en"]),
        ("{en: Talk, zh-CN", "{fr: Parler, en: Talk, zh-CN", ["'fr' is not a language of the bundle; a state"]),
        ("{en: Talk, zh-CN: 交谈}", "{say: hello, end: done}", ["'say' is not a language of the bundle; a state"]),
        ("when: Only then.", "when: '  '", ["`when` says nothing"]),
        ("zh-CN: 随时。", "zh-CN: ''", ["`when` says nothing"]),
        ("when: Only then.", 'when: "Only\\nthen."', ["`when` must be one line"]),
        ("title: Over", "title: ''", ["`title` says nothing"]),
        ("{setting: loud, is: true}", "{setting: luod, is: true}", ["unknown setting 'luod'; did you mean 'loud'?"]),
        ("{setting: loud, is: true}", "{setting: loud, is: 1}", ["'loud' is flag, and never has this value"]),
        ("{setting: loud, is: true}", "{setting: most, in: [3, 4]}", []),
        ("{setting: loud, is: true}", "{setting: name, not: 3}", ["'name' is text, and never has this value"]),
        (
            "{setting: loud, is: true}",
            "{setting: loud, datum: words, set: true}",
            ["the guard 'loud' needs `datum` or"],
        ),
        ("{setting: loud, is: true}", "{set: true}", ["the guard 'loud' needs `datum` or `setting`, and only one"]),
    ],
)
def test_a_wording_is_there_in_every_language(old: str, new: str, expected: list[str]) -> None:
    """A table has all languages of the bundle and no other, and no text is empty; a setting is one of the bundle."""
    found = problems(old, new)
    settled = [each for each in found if any(each.startswith(wanted) for wanted in expected)]
    assert len(settled) == len(expected) and (found == [] or expected), found


def test_an_event_without_meaning_is_a_warning() -> None:
    """It says where, and what to write; `start` needs none. The bundle passes."""
    source = read(GOOD.replace("  go: {when: {en: Whenever., zh-CN: 随时。}}", "  go: {}"), "w")
    (found,) = advise(Definition.from_document(source.document), source, {})
    assert (found.line, found.message) == (11, "w:11:3: the event 'go' does not say when to send it")
    assert "Add `when`" in found.hint
    assert problems("{when: {en: Whenever., zh-CN: 随时。}}", "{}") == []


def test_a_python_guard_over_settings_is_a_warning() -> None:
    """Python is not run to find out what is switched off, so that such a guard hides nothing; one with data is fine."""
    source = read(GOOD.replace("guards:\n  loud: {setting: loud, is: true}\n", ""), "w")
    definition = Definition.from_document(source.document)
    code = "@guard({})\ndef loud(facts):\n    return facts.settings['loud'] and {}\n"
    (found,) = advise(definition, source, {"phases/x.py": code.format("", "PASSES")})
    assert "it reads only settings" in found.message or "reads only settings" in found.message
    assert "{setting: …, is: …}" in found.hint
    both = code.format("reads=['words']", "facts.data['words']")
    assert advise(definition, source, {"phases/x.py": both}) == []


@shipped
def test_every_event_of_a_shipped_bundle_says_when(name: str) -> None:
    """No warning of any kind, and a text in each language."""
    assert find_warnings(ROOT / name) == []
    definition = opened(name).definition
    for event in definition.events.values():
        assert event.name == "start" or all(worded(event.when, each) for each in definition.languages)
    assert all(OURS.values())


@shipped
def test_phases_are_numbered_by_their_place(name: str) -> None:
    """1, 2, 3 … in the order of the file; a phase with nothing but ends has none, and stands with its title."""
    definition = opened(name).definition
    numbers = [phase.number for phase in definition.phases.values() if phase.number is not None]
    assert numbers == list(range(1, len(numbers) + 1))
    for phase in definition.phases.values():
        states = [state for state in definition.states.values() if state.phase == phase.name]
        assert (phase.number is None) == all(state.end for state in states)
    assert {state.phase for state in definition.states.values()} == set(definition.phases)


def test_a_phase_is_shown_in_the_nearest_language() -> None:
    """Number and title; without a title the name; without a number the title alone."""
    phase = Phase("talk", 1, {"en": "Talk", "zh-CN": "交谈"})
    assert [phase.shown(each) for each in ("en", "en-GB", "zh-CN", "zh", "fr")] == [
        *("1 Talk", "1 Talk", "1 交谈", "1 交谈", "1 Talk")
    ]
    assert (Phase("talk", 2).shown("en"), Phase("over", None, {"": "Over"}).shown("fr")) == ("2 talk", "Over")
    assert worded({}, "en") == "" and nearest("fr", ("en", "zh-CN"))[0] == "en"


def test_the_shipped_bundles_have_titles() -> None:
    """Those that people learn from: each phase in each language."""
    for name in SHIPPED[:4]:
        definition = opened(name).definition
        numbered = [phase for phase in definition.phases.values() if phase.number is not None]
        assert numbered and all(worded(phase.title, each) for phase in numbered for each in definition.languages)
