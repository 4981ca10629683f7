"""Lint of a bundle's Python: words and names on which something hangs are known when the bundle loads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.guarded import write
from workflow.bundle import find_problems
from workflow.machine.registry import Action, Call, Done

HEAD = "from workflow import PASSES, ApiError, Call, Done, Facts, Verdict, action, because, guard\n\n\n"
GUARD = '@guard(reads=["words"])\ndef mine(facts: Facts) -> Verdict:\n    {}\n'
ACTION = '@action(effect="read", sets=["state"])\ndef try_it(call: Call) -> Done:\n    {}\n'


def problems(tmp_path: Path, code: str) -> list[str]:
    """What is wrong with the bundle whose Python is this, beside that nothing performs its action."""
    folder = write(tmp_path / "bundle", "then", "return PASSES")
    mine = "" if "def mine" in code else "@guard()\ndef mine(facts: Facts) -> Verdict:\n    return PASSES\n\n\n"
    (folder / "phases" / "odd.py").write_text(f"{HEAD}{mine}{code}")
    return [str(each) for each in find_problems(folder) if "nothing performs" not in str(each)]


READS = {
    'return facts.data["order"]': "reads 'order', which it does not declare",
    'return facts.data.get("order")': "reads 'order', which it does not declare",
    'return "order" in facts.data': "reads 'order', which it does not declare",
    'return "order" not in facts.input': "reads 'order', which it does not declare",
    'return facts.input.get("order", 1)': "reads 'order', which it does not declare",
    'data = facts.data\n    return data["order"]': "reads 'order', which it does not declare",
    'data, given = facts.data, facts.input\n    return given.get("order")': "reads 'order', which it does not declare",
    'return (data := facts.data) and data["order"]': "reads 'order', which it does not declare",
    'return facts.data["ordre"]': "reads 'ordre', which is not a datum; did you mean 'order'?",
    'return facts.settings.get("fast")': "reads 'fast', which is not a setting",
}


@pytest.mark.parametrize("line", READS)
def test_a_guards_constant_that_it_does_not_declare(tmp_path: Path, line: str) -> None:
    """With file and line, however it is read."""
    found = problems(tmp_path, GUARD.format(line))
    assert len(found) == 1 and found[0].startswith(f"phases/odd.py:{6 + line.count(chr(10))}:"), found
    assert READS[line] in found[0]


@pytest.mark.parametrize(
    "line", ['return facts.data["words"]', "name = 1\n    return facts.data[name]", "return {}['a']"]
)
def test_what_is_declared_or_no_constant_is_no_problem(tmp_path: Path, line: str) -> None:
    """What lint cannot see is checked when it is read."""
    assert problems(tmp_path, GUARD.format(line)) == []


ACTIONS = {
    'return Done({"state": 1, "order": 2})': "gives 'order', which it does not declare to set",
    'return Done(data={"order": 2})': "gives 'order', which it does not declare to set",
    'return Done({"state": call.data["wrods"]})': "reads 'wrods', which is not a datum; did you mean 'words'?",
    'raise ApiError("no", "intrenal")': "unknown error class 'intrenal'; did you mean 'internal'?",
    'raise ApiError("no", kind="declined")': "unknown error class 'declined'",
}


@pytest.mark.parametrize("line", ACTIONS)
def test_an_actions_constants(tmp_path: Path, line: str) -> None:
    """A name that it may not set, read or raise: behind a paid call it would be doubt."""
    found = problems(tmp_path, ACTION.format(line))
    assert len(found) == 1 and ACTIONS[line] in found[0], found


MARKS = {
    '@action(effect="onec")': "unknown effect 'onec'; did you mean 'once'?",
    '@action(effect="Once")': "unknown effect 'Once'",
    '@action(effect="")': "unknown effect ''",
    "@action(effect=None)": "unknown effect 'None'",
    "@action(effect=True)": "unknown effect 'True'",
    '@action(effect=["once"])': "unknown effect",
    '@action(effect="once", sets="order")': "`sets` is a list of names of data, not 'order'",
    '@action(effect="once", sets=[1])': "`sets` is a list of names of data",
}


@pytest.mark.parametrize("mark", MARKS)
def test_a_mark_that_is_none(tmp_path: Path, mark: str) -> None:
    """An unknown word does not load, with file and line: neither gate nor intent would be asked for."""
    found = problems(tmp_path, f"{mark}\ndef pay(call: Call) -> Done:\n    return Done()\n")
    assert [each for each in found if each.startswith("phases/odd.py:9:1: ") and MARKS[mark] in each], found


@pytest.mark.parametrize("effect", ["onec", "", "READ", "repeatable ", None])
def test_an_effect_that_is_none_is_never_repeated(effect: Any) -> None:
    """What no mark let through, such as one that was kept by another program, counts as paid for."""

    def perform(call: Call) -> Done:
        raise AssertionError(call)

    assert Action("odd", effect, frozenset(), perform).once


def test_a_guards_reads_are_a_list(tmp_path: Path) -> None:
    """One text would be taken for its letters."""
    found = problems(tmp_path, GUARD.format("return PASSES").replace('["words"]', '"words"'))
    assert [each for each in found if "`reads` is a list of names of data, not 'words'" in each], found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("effect: once", "effect: onec"),
        ("effect: read", "effect: looks"),
        ("method: POST", "method: PSOT"),
        ("words: text", "words: txet"),
        ("gates: {agreed: {subject: [words]}", "gates: {agreed: {subject: [words], strength: askd}"),
        ("end: done", "end: dnoe"),
        ("then: a.asking", "then: a.askign"),
        ("trouble: {internal: cannot_tell", "trouble: {internal: cannot_tlel"),
        ("never_without: {order: [agreed]", "never_without: {order: [agred]"),
        ("never_without: {order: [agreed]", "never_without: {ordre: [agreed]"),
        ("approve: a.choosing", "aprove: a.choosing"),
        ("{mine: a.asking", "{mnie: a.asking"),
        ("{datum: order, set: false}", "{datum: ordre, set: false}"),
        ("{datum: order, set: false}", "{datum: order, est: false}"),
        ("on: {cancel:", "on: {cancle:"),
        ("failed: a.asking", "failed: {declined: a.asking, else: a.asking}"),
        ("lost: {gate: told}", "lost: {gate: tolt}"),
        ("start: {input: [words]}", "start: {input: [wrods]}"),
        ("brief: watching", "brief: wacthing"),
        ("languages: [en]", "languages: [english!]"),
    ],
)
def test_every_free_word_of_the_yaml_is_known(tmp_path: Path, old: str, new: str) -> None:
    """A slip in a word on which something hangs is an error with its line when the bundle loads."""
    folder = write(tmp_path / "bundle", "then", "return PASSES")
    assert find_problems(folder) == []
    yaml = folder / "workflow.yaml"
    text = yaml.read_text()
    assert old in text
    yaml.write_text(text.replace(old, new, 1))
    assert find_problems(folder) != []
