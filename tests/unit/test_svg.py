"""The picture of a machine: well-formed, whole, and no name in it is markup."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from tests.unit.test_graph import NASTY, SMALL
from workflow.bundle import open_bundle
from workflow.machine.definition import Definition
from workflow.machine.messages import visible
from workflow.show.graph import LEGEND, Graph, Step, Walk, draw
from workflow.show.svg import ANYWHERE, MARKS, picture, svg

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"


def texts(drawn: str) -> list[str]:
    """All that can be read in a picture; what is no XML fails."""
    return [element.text or "" for element in ElementTree.fromstring(drawn).iter(f"{SVG}text")]


def lines(drawn: str, kind: str = "") -> list[ElementTree.Element]:
    """The lines of a kind."""
    found = ElementTree.fromstring(drawn).iter(f"{SVG}path")
    return [line for line in found if {"move", *kind.split()} <= set(line.get("class", "").split())]


def small(way: Walk | None = None) -> Graph:
    """The shop of the other drawings."""
    return draw(Definition.from_document(SMALL), {"find": "read", "pay": "once"}, way)


def test_the_picture_holds_everything() -> None:
    """Each phase, state, note, label and meaning of the reference bundle; no line from a state to itself."""
    bundle = open_bundle(ROOT)
    graph = draw(bundle.definition, {name: action.effect for name, action in bundle.registry.actions.items()})
    drawn = svg(graph)
    told = texts(drawn)
    assert {*graph.titles.values(), *LEGEND.values(), *MARKS.values(), ANYWHERE} <= set(told)
    for node in graph.nodes:
        assert told.count(node.short) >= 1 and (not node.note or node.note in told)
    words = " ".join(told)
    moves = [move for move in graph.moves if move.source != move.target]
    assert all(name.strip("[]") in words for move in moves for name in re.split(r", | ", move.text))
    ends = {(move.source, move.target, move.how in ("failed", "doubt", "late")) for move in moves}
    assert len(lines(drawn)) == len(ends) and len(lines(drawn, "grave")) == sum(grave for *_, grave in ends)


def test_no_name_is_markup() -> None:
    """Elements, attributes, entities and line breaks in titles and names are text, letter by letter."""
    document = {
        **SMALL,
        "title": NASTY,
        "events": {**SMALL["events"], NASTY: {}},
        "on": {NASTY: "over.done"},
        "phases": {**SMALL["phases"], "<script>": {NASTY: {"do": NASTY, "then": {NASTY: "over.done"}}}},
    }
    drawn = picture(draw(Definition.from_document(document), {}), lambda name: f"#{name}").markup
    assert "<script" not in drawn and "<b>" not in drawn
    assert visible(NASTY) in [text.replace("\n", "\\u{a}") for text in texts(drawn)]
    links = [element.get("href", "") for element in ElementTree.fromstring(drawn).iter(f"{SVG}a")]
    assert f"#<script>.{NASTY}".replace("\n", " ") in [link.replace("\n", " ") for link in links]


def test_every_state_is_a_link_only_where_it_leads_somewhere() -> None:
    """In a page each state leads to its text; a file of its own has no links."""
    graph = small()
    linked = ElementTree.fromstring(picture(graph, lambda name: f"#{name}").markup)
    assert {element.get("href") for element in linked.iter(f"{SVG}a")} == {f"#{node.name}" for node in graph.nodes}
    assert "<a" not in svg(graph)


def test_the_way_of_a_session_is_marked() -> None:
    """What was passed is thick, where it stands is marked, and a move that was made twice says so."""
    looking, offering = "buy.looking", "buy.offering"
    steps = [Step(looking, offering, "then"), Step(offering, "buy.paying", "on", "pay")]
    back = Step("buy.paying", offering, "failed")
    drawn = svg(small(Walk("amber-fox", looking, (*steps, back, *steps[1:], back))))
    assert len(lines(drawn, "taken")) == 3 and len(lines(drawn, "taken grave")) == 1
    assert drawn.count("visited current") == 1 and "[agreed] ×2" in texts(drawn)
    assert "×3, now" in texts(drawn)


def test_a_picture_can_be_cut_between_phases() -> None:
    """A cut a phase, from the top down, within the picture."""
    found = picture(small())
    assert list(found.cuts) == sorted(found.cuts) and len(found.cuts) == 2 and found.cuts[-1] < found.height
