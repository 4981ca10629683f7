"""Scenarios: those that are shipped pass, and one that does not come as it says is told with its place."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pytest

from workflow.author.compare import Seen, differences
from workflow.author.junit import as_junit
from workflow.author.play import Played, play, play_file
from workflow.author.scenario_file import find, parse
from workflow.author.scenario_grammar import ThenTable
from workflow.author.stand import Candidate, candidate
from workflow.model.errors import BundleFaults, UsageError
from workflow.model.reply import Reply

ROOT = Path(__file__).parents[2]
COURIER = ROOT / "tests" / "courier"
SHIPPED = [ROOT, COURIER, ROOT / "workflow" / "author" / "scaffold" / "starter"]
TURN = """\
scenario: A parcel
when:
  - send: start
    input: {address: 12 Harbour Lane, weight: 4}
    then: {%s}
"""


class Request(NamedTuple):
    """A request as a sandbox keeps it."""

    method: str
    path: str
    json: Any


@cache
def tried(folder: Path) -> Candidate:
    """Each bundle is checked once."""
    return candidate(folder)


def played(text: str) -> Played:
    """A scenario of the courier."""
    return play(parse("parcel", text, "scenarios/parcel.yaml"), tried(COURIER))


@pytest.mark.parametrize(
    "file",
    [file for folder in SHIPPED for file in find(folder)],
    ids=lambda file: f"{file.parents[1].name}-{file.stem}",
)
def test_every_shipped_scenario_comes_as_it_says(file: Path) -> None:
    """The bundles that come along do what their scenarios say."""
    found = play_file(file, tried(file.parents[1]))
    assert found.passed, "\n".join(found.transcript())


def test_the_scenarios_of_the_reference_bundle_reach_every_phase() -> None:
    """They double as its documentation: no phase and no gate is left out."""
    definition = tried(ROOT).bundle.definition
    text = "\n".join(file.read_text(encoding="utf-8") for file in find(ROOT))
    for phase in {state.phase for state in definition.states.values()} - {"over"}:
        assert f"{phase}." in text, phase
    gated = [event.name for event in definition.events.values() if event.gate]
    assert [name for name in gated if f"send: {name}\n" not in text] == []


BODIES = ({"to": "12 Harbour Lane", "parcel": {"kg": 4, "fragile": True, "tags": ["a", 7]}}, {"to": "Quay 1", "kg": 5})
"""What a service got, in two requests."""


@pytest.mark.parametrize(
    ("part", "there"),
    [
        ("Harbour", True),
        ("harbour", False),
        ("4", True),  # a text is a part of what was sent, however it was written
        (4, True),
        (4.0, True),
        (7, True),
        (1, False),  # not the 1 of a text, and not a flag
        (True, True),
        (False, False),
        ({"to": "Quay 1"}, True),
        ({"to": "Quay"}, False),
        ({"to": "Quay 1", "kg": 5}, True),
        ({"to": "12 Harbour Lane", "kg": 5}, False),  # of two requests
        ({"parcel.kg": 4}, True),
        ({"parcel.kg": "4"}, False),
        ({"parcel.fragile": True}, True),
        ({"parcel.fragile": 1}, False),
        ({"parcel.kg.more": 4}, False),
        ({"kg": 4}, False),
        ({"none": 4}, False),
        ({}, False),
    ],
)
def test_what_was_sent_is_found_by_text_by_value_and_by_field(part: Any, there: bool) -> None:
    """A table is true of one request as a whole, and a value is not a part of another."""
    requests = tuple(Request("POST", "/bookings", body) for body in BODIES)
    found = list(differences(ThenTable(sent=[part]), Seen(Reply(), requests, ())))
    assert ([what for what, _, _ in found] == []) == there, found


@pytest.mark.parametrize("wrong", ["{to: [1]}", "{to: {kg: 4}}", "[1]", "null"])
def test_what_can_match_nothing_is_refused(wrong: str) -> None:
    """Lists and tables in tables are no parts of a request."""
    with pytest.raises(BundleFaults, match="must be text, or a number"):
        parse("parcel", TURN % f"sent: [{wrong}]", "scenarios/parcel.yaml")


@pytest.mark.parametrize(
    ("then", "what", "expected", "got"),
    [
        ("state: order.pricing", "state", "order.pricing", "order.offering"),
        ("status: done", "status", "done", "waiting"),
        ("say: [correct]", "say", "correct", "offer"),
        ("text: [a moon]", "text", "'a moon'", "12 Harbour Lane"),
        ("no_text: [Harbour]", "no_text", "nothing that holds 'Harbour'", "12 Harbour Lane"),
        ("next: [accept]", "next", "accept", "accept, change, stop"),
        ("refused: weight", "refused", "a refusal that says 'weight'", "no refusal"),
        ("trouble: upstream", "trouble", "upstream", "no failed call"),
        ("requests: {POST *: 1}", "requests", "1 × POST *", "0, among: GET /price"),
        ("sent: [Harbour]", "sent", '"Harbour"', "nothing"),
        ("sent: [4]", "sent", "4", "nothing"),
        ("sent: [{to: 12 Harbour Lane}]", "sent", '{"to": "12 Harbour Lane"}', "nothing"),
        ("log: [result price, event start]", "log", "result price · event start", "no event start in"),
    ],
)
def test_what_is_not_as_expected_is_told(then: str, what: str, expected: str, got: str) -> None:
    """Each key of `then` can fail, with the line that it stands in, and what was there instead."""
    (found,) = played(TURN % then).mismatches
    assert (found.place.rpartition(":")[0], found.what) == ("scenarios/parcel.yaml:5", what)
    assert found.expected == expected and got in found.got


def test_a_refusal_that_nobody_expects_fails() -> None:
    """A typing error in a scenario cannot make it pass."""
    (found,) = played("scenario: x\nwhen:\n  - send: start\n    input: {address: x, weight: 31}\n").mismatches
    assert (found.place, found.what) == ("scenarios/parcel.yaml:3:5", "refused")
    assert "at most 30 kg" in found.got


def test_a_failed_call_that_nobody_expects_fails() -> None:
    """A fault of the service does not pass in silence."""
    text = TURN % "state: order.pricing"
    broken = text.replace("when:", "given: {faults: [{fault: server-error, times: 0}]}\nwhen:")
    assert [each.what for each in played(broken).mismatches] == ["trouble"]


def test_the_end_is_looked_at_too() -> None:
    """The last table is about the whole run."""
    text = (TURN % "status: waiting") + "  - send: stop\nthen:\n  requests: {GET /price: 2}\n"
    (found,) = played(text).mismatches
    assert (found.place, found.expected) == ("scenarios/parcel.yaml:8:3", "2 × GET /price")


def test_a_transcript_ends_with_what_went_wrong() -> None:
    """What was done, what came of it, what was expected instead."""
    lines = played(TURN % "state: order.pricing").transcript()
    assert lines[1] == "  1. start {address: 12 Harbour Lane, weight: 4}"
    assert "       → order.offering (waiting)" in lines and "       asked GET /price" in lines
    assert lines[-3:] == [
        "     ✗ scenarios/parcel.yaml:5:12: state",
        "         expected order.pricing",
        "         got      order.offering",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("scenario: x\nwhen: []\n", "s.yaml:2:7: 'when' has no step"),
        ("scenario: x\nwhen:\n- {quote: yes}\n", "s.yaml:3:3: the step does nothing"),
        ("scenario: x\nwhen:\n- {send: start, look: 1}\n", "s.yaml:3:3: the step does send and look"),
        ("scenario: x\nwhen:\n- {pass: soon}\n", "s.yaml:3:10: 'pass' must be a duration"),
        ("scenario: x\nwhen:\n- {send: a, thn: {}}\n", "s.yaml:3:13: unknown key 'thn'; did you mean 'then'?"),
        ("scenario: x\nwhen:\n- {send: a, then: {stat: b}}\n", "unknown key 'stat'; did you mean 'state'?"),
        ("scenario: x\ngiven: {files: {a: {sise: 1}}}\nwhen:\n- {send: a}\n", "did you mean 'size'?"),
        ("scenario: x\nwhen:\n- &a {send: a}\n", "anchors (&) are not allowed"),
        ("when:\n- {send: a}\n", "s.yaml:1:1: 'scenario' is missing"),
    ],
)
def test_a_scenario_is_read_strictly(text: str, fault: str) -> None:
    """As `workflow.yaml` is: with line and column, and what was probably meant."""
    with pytest.raises(BundleFaults) as found:
        parse("s", text, "s.yaml")
    assert fault in str(found.value)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("sandbox: {speed: 3}", "the sandbox cannot be made with {'speed': 3}"),
        ("faults: [{fault: earthquake}]", "unknown fault 'earthquake'"),
        ("files: {../up.png: x}", "'../up.png' is outside of the working folder"),
        ("host: abacus", "abacus"),
    ],
)
def test_what_cannot_be_given_fails_the_scenario(tmp_path: Path, given: str, why: str) -> None:
    """It is told as a failure of this scenario, and ends no other."""
    file = tmp_path / "parcel.yaml"
    file.write_text((TURN % "status: waiting").replace("when:", f"given: {{{given}}}\nwhen:"), encoding="utf-8")
    found = play_file(file, tried(COURIER))
    assert not found.passed and why in "\n".join(found.transcript())


def test_an_unknown_scenario_is_a_usage_error() -> None:
    """It says which there are, and which is near."""
    with pytest.raises(UsageError) as found:
        find(COURIER, ("to-the-dor",))
    assert "did you mean 'to-the-door'?" in found.value.message


def test_junit_is_read_by_others() -> None:
    """A failure has its message and the transcript; what XML cannot hold is replaced."""
    bad = played(TURN % 'text: ["\\x07"]')
    good = played(TURN % "status: waiting")
    root = ElementTree.fromstring(as_junit("courier", [(bad, 0.25), (good, 0.5)], 0.0))
    (suite,) = root
    assert (suite.get("tests"), suite.get("failures"), suite.get("time")) == ("2", "1", "0.750")
    first, second = suite.iter("testcase")
    failure = first.find("failure")
    assert failure is not None and "start" in (failure.text or "")
    assert second.find("failure") is None
