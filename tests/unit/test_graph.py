"""Drawings of machines: what they show, that no name becomes syntax, and the way of a session."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from workflow.bundle import open_bundle
from workflow.machine.definition import Definition
from workflow.model.journal import START, Entry, seal
from workflow.show.formats import FORMATS, as_text, ascii_lines, dot, mermaid
from workflow.show.graph import LEGEND, Graph, Step, Walk, draw, walk

ROOT = Path(__file__).parents[2]
NASTY = 'a"]; end%%\n<b>&amp;`x`#35;\\" -->|{c}| 图'

SMALL: Mapping[str, Any] = {
    "format": 1,
    "workflow": "shop",
    "title": "A small shop",
    "languages": ["en"],
    "service": {"base_url": "https://shop.example", "sandbox": "phases.sandbox"},
    "events": {
        "start": {},
        "pay": {"gate": "agreed"},
        "told": {"gate": "outcome"},
        "check": {},
        "stop": {},
        "thank": {"say": "thanks"},
    },
    "gates": {"agreed": {}, "outcome": {}},
    "trouble": {"else": "sorry"},
    "start": "buy.looking",
    "on": {"stop": "over.stopped"},
    "phases": {
        "buy": {
            "looking": {"do": "find", "then": {"found": "buy.offering", "sold_out": "over.none", "else": "over.none"}},
            "offering": {"say": "offer", "on": {"pay": "buy.paying"}},
            "paying": {
                "do": "charge",
                "then": "buy.sending",
                "failed": {"refused": "buy.offering", "else": "over.none"},
                "doubt": "buy.unsure",
            },
            "unsure": {"say": "unsure", "on": {"told": "buy.offering"}},
            "sending": {
                "say": "sent",
                "watch": {
                    "do": "track",
                    "every": "5s",
                    "within": "90m",
                    "then": {"arrived": "over.done"},
                    "no_news": "wait",
                    "late": "buy.lost",
                    "brief": "tracking",
                },
            },
            "lost": {"say": "lost", "on": {"check": "buy.sending"}},
        },
        "over": {
            "done": {"say": "bye", "end": "done"},
            "none": {"say": "none", "end": "failed"},
            "stopped": {"say": "stopped", "end": "cancelled"},
        },
    },
}
EFFECTS = {"find": "read", "charge": "once", "track": "read"}


@pytest.fixture
def small() -> Graph:
    """A machine with one state of each kind."""
    return draw(Definition.from_document(SMALL), EFFECTS)


def journal(*told: tuple[str, Mapping[str, Any]]) -> list[Entry]:
    """Entries of these kinds and bodies, chained."""
    entries: list[Entry] = []
    for seq, (kind, body) in enumerate(told, 1):
        previous = entries[-1].hash if entries else START
        entries.append(seal("amber-fox", seq, previous, kind, "2025-01-01T00:00:00.000Z", body, "n"))
    return entries


def test_each_state_has_its_kind(small: Graph) -> None:
    """Work, a paid call, a gate, waiting, watching, doubt and the ends can be told apart."""
    kinds = {node.name: node.kind for node in small.nodes}
    assert kinds == {
        "buy.looking": "working",
        "buy.offering": "gate",
        "buy.paying": "paid",
        "buy.unsure": "doubt",
        "buy.sending": "watching",
        "buy.lost": "waiting",
        "over.done": "end",
        "over.none": "end",
        "over.stopped": "end",
    }
    assert set(kinds.values()) == set(LEGEND)
    assert [node.name for node in small.nodes if node.start] == ["buy.looking"]
    assert small.phases == ("buy", "over") and small.answers == ("thank",)


def test_each_move_has_its_label(small: Graph) -> None:
    """Events with their gates, guards, error classes, doubt and lateness; outcomes with one target are one move."""
    told = {(move.source, move.target, move.how): move.text for move in small.moves}
    assert told == {
        ("buy.looking", "buy.offering", "then"): "found",
        ("buy.looking", "over.none", "then"): "sold_out, else",
        ("buy.offering", "buy.paying", "on"): "pay [agreed]",
        ("buy.paying", "buy.sending", "then"): "",
        ("buy.paying", "buy.offering", "failed"): "failed: refused",
        ("buy.paying", "over.none", "failed"): "failed: else",
        ("buy.paying", "buy.unsure", "doubt"): "in doubt",
        ("buy.unsure", "buy.offering", "on"): "told [outcome]",
        ("buy.sending", "buy.sending", "look"): "check: a look now",
        ("buy.sending", "over.done", "look"): "arrived",
        ("buy.sending", "buy.lost", "late"): "late, after 90m",
        ("buy.lost", "buy.sending", "on"): "check",
        ("", "over.stopped", "on"): "stop",
    }


def test_the_reference_machine_is_drawn_whole() -> None:
    """Every state and every declared move of the packaged bundle is in each of the formats."""
    bundle = open_bundle(ROOT)
    graph = draw(bundle.definition, {name: action.effect for name, action in bundle.registry.actions.items()})
    assert [node.name for node in graph.nodes] == list(bundle.definition.states)
    drawn = {(move.source, move.target) for move in graph.moves}
    for state in bundle.definition.states.values():
        assert {(state.name, target) for target in state.on.values()} <= drawn
        for choice in (state.then, state.failed, state.watch and state.watch.then):
            assert {(state.name, target) for target in (choice.targets if choice else ())} <= drawn
    paid = [node.name for node in graph.nodes if node.kind == "paid"]
    assert paid == ["create.creating", "revise.sending"]
    for form in FORMATS:
        text = as_text(graph, form)
        assert all(node.short in text for node in graph.nodes)
        assert all(meaning in text.replace("#58;", ":") for meaning in LEGEND.values())


def test_plain_text_fits_eighty_columns_and_is_ascii() -> None:
    """The tree of the packaged bundle can be read on any terminal."""
    bundle = open_bundle(ROOT)
    effects = {name: action.effect for name, action in bundle.registry.actions.items()}
    way = Walk("amber-fox", "understand.receiving", (Step("understand.receiving", "understand.preparing", "then"),))
    for drawn in (draw(bundle.definition, effects), draw(bundle.definition, effects, way)):
        text = as_text(drawn, "ascii")
        assert text.isascii() and max(map(len, text.splitlines())) <= 80
    assert max(len(line.text) for line in ascii_lines(drawn, 50)) <= 70  # names are not broken


def test_plain_text_is_a_tree(small: Graph) -> None:
    """Phases are headings, states their branches, moves the twigs; targets in the same phase are short."""
    lines = as_text(small, "ascii").splitlines()
    assert lines[:7] == [
        "shop: A small shop",
        "",
        "1 buy",
        "|-- . looking  start; find (read)",
        "|     |-- found -> offering",
        "|     `-- sold_out, else -> over.none",
        "|-- ? offering  asks agreed",
    ]
    assert "|     |-- then -> sending" in lines
    assert "      `-- check -> sending" in lines  # below the last state of a phase
    assert lines[lines.index("wherever the session waits") + 1 :][:2] == [
        "|-- stop -> over.stopped",
        "`-- thank: answered; nothing moves",
    ]


def test_long_lines_are_folded_between_words(small: Graph) -> None:
    """What does not fit goes on below, further in."""
    for line in ascii_lines(small, 30):
        assert len(line.text) <= 30 or " " not in line.text.strip()


def test_mermaid_groups_styles_and_edges(small: Graph) -> None:
    """A subgraph a phase and one for the legend, a class a kind, a line a move; failures are dashed."""
    lines = mermaid(small).splitlines()
    assert lines[:4] == ["---", 'title: "shop: A small shop"', "---", "flowchart TB"]
    assert [line.strip() for line in lines if "subgraph" in line] == [
        'subgraph p0["buy"]',
        'subgraph p1["over"]',
        'subgraph legend["legend"]',
    ]
    assert sum(line.strip() == "end" for line in lines) == 3
    assert [line.split()[1] for line in lines if "classDef" in line] == [f"{kind}State" for kind in LEGEND]
    edges = [line for line in lines if re.search(r"(-->|-\.->|==>)", line)]
    assert len(edges) == len(small.moves)
    assert '  s_buy_paying -.->|"failed: refused"| s_buy_offering' in edges
    assert '  anywhere -->|"stop"| s_over_stopped' in edges
    dashed = [number for number, line in enumerate(edges) if "-.->" in line]
    assert [int(line.split()[1]) for line in lines if "linkStyle" in line] == dashed


def test_dot_is_balanced_and_quoted(small: Graph) -> None:
    """A cluster a phase; every name in quotes; braces in balance."""
    text = dot(small)
    assert text.startswith('digraph "shop: A small shop" {\n') and text.endswith("}\n")
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)
    assert bare.count("{") == bare.count("}") == 4
    assert re.findall(r"subgraph (\w+) ", text) == ["cluster_0", "cluster_1", "cluster_legend"]
    assert '"buy.offering" -> "buy.paying" [label="pay [agreed]", style=solid];' in text
    assert bare.count(" -> ") == len(small.moves)


def test_no_name_becomes_syntax() -> None:
    """Quotes, brackets, comments, entities, line breaks and HTML in names and titles stay text, in every format."""
    document = {
        **SMALL,
        "title": NASTY,
        "events": {**SMALL["events"], NASTY: {}},
        "start": f"end.{NASTY}",
        "on": {NASTY: "over.done"},
        "phases": {**SMALL["phases"], "end": {NASTY: {"do": NASTY, "then": {NASTY: "over.done"}}}},
    }
    graph = draw(Definition.from_document(document), {})
    for line in mermaid(graph).splitlines()[3:]:
        bare = re.sub(r'"[\w .,:()/\'+=?!#;-]*(?:<br/>[\w .,:()/\'+=?!#;-]*)*"', "Q", line)
        assert re.fullmatch(
            r"(flowchart TB| +subgraph \w+\[Q\]| +end| +\w+(\[|\(|\{|>)+Q(\]|\)|\})+"
            r"| +\w+ (-->|-\.->|==>)(\|Q\|)? \w+| +(classDef|class|linkStyle) [\w,.:# -]+)",
            bare,
        ), line
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', dot(graph))
    assert "\\" not in bare and bare.count('"') % 2 == 0 and "&amp;amp;" in dot(graph)
    tree = as_text(graph, "ascii")
    assert "\\u{a}" in tree and '"]; end%%' in tree


def test_alike_names_stay_apart_in_mermaid() -> None:
    """Names that differ only where Mermaid allows no character keep ids of their own."""
    document = {**SMALL, "phases": {**SMALL["phases"], "a_b": {"c": {"end": "done", "say": "x"}}}}
    document["phases"]["a"] = {"b_c": {"end": "done", "say": "x"}}
    graph = draw(Definition.from_document(document), {})
    ids = re.findall(r"^    (s_a_b_c\w*)\(", mermaid(graph), re.MULTILINE)
    assert len(ids) == len(set(ids)) == 2


def test_a_journal_tells_the_way() -> None:
    """Moves in order with how they came about; refusals, replies, stays and `retry` are none."""
    entries = journal(
        ("started", {"state": "buy.looking"}),
        ("event", {"event": "start", "to": None}),
        ("failure", {"action": "find", "kind": "upstream", "to": None}),
        ("event", {"event": "retry", "to": "buy.looking"}),
        ("move", {"why": "then", "to": "buy.offering"}),
        ("refusal", {"reasons": []}),
        ("event", {"event": "pay", "to": "buy.paying"}),
        ("failure", {"kind": "refused", "to": "buy.offering"}),
        ("event", {"event": "pay", "to": "buy.paying"}),
        ("doubt", {"to": "buy.unsure"}),
        ("move", {"why": "no news", "to": None}),
    )
    way = walk(entries)
    assert way == Walk(
        "amber-fox",
        "buy.looking",
        (
            Step("buy.looking", "buy.offering", "then"),
            Step("buy.offering", "buy.paying", "on", "pay"),
            Step("buy.paying", "buy.offering", "failed"),
            Step("buy.offering", "buy.paying", "on", "pay"),
            Step("buy.paying", "buy.unsure", "doubt"),
        ),
    )
    assert way.current == "buy.unsure"


def test_the_way_and_the_place_of_a_session_are_marked() -> None:
    """States with visits, moves with how often they were taken, and one current state, in every format."""
    pay = Step("buy.offering", "buy.paying", "on", "pay")
    steps = (Step("buy.looking", "buy.offering", "then"), pay, Step("buy.paying", "buy.offering", "failed"), pay)
    graph = draw(Definition.from_document(SMALL), EFFECTS, Walk("amber-fox", "buy.looking", steps))
    assert {node.name: node.visits for node in graph.nodes if node.visits} == {
        "buy.looking": 1,
        "buy.offering": 2,
        "buy.paying": 2,
    }
    assert [node.name for node in graph.nodes if node.current] == ["buy.paying"]
    assert {move.text: move.taken for move in graph.moves if move.taken} == {
        "found": 1,
        "pay [agreed]": 2,
        "failed: refused": 1,
    }
    tree = as_text(graph, "ascii").splitlines()
    assert tree[:2] == ["shop: A small shop", "amber-fox is now in buy.paying"]
    assert ">> |-- $ paying  charge (once); 2 times" in tree
    assert " * |-- . looking  start; find (read)" in tree
    assert " * |     `-- pay [agreed] -> paying  (2 times)" in tree
    assert "   |-- ~ lost" not in tree and "   `-- ~ lost" in tree
    drawn = mermaid(graph)
    assert '  s_buy_offering ==>|"pay #91;agreed#93; x2"| s_buy_paying' in drawn
    assert "  class s_buy_paying current" in drawn
    assert "  class s_buy_looking,s_buy_offering,s_buy_paying visited" in drawn
    assert re.search(r'"buy\.paying" \[.*now.*penwidth=5\]', dot(graph))


def test_a_move_that_holds_everywhere_is_drawn_where_it_was_taken() -> None:
    """`stop` is drawn once for all, and once more from the state that the session left by it."""
    steps = (Step("buy.looking", "buy.offering", "then"), Step("buy.offering", "over.stopped", "on", "stop"))
    graph = draw(Definition.from_document(SMALL), EFFECTS, Walk("amber-fox", "buy.looking", steps))
    stops = [(move.source, move.taken) for move in graph.moves if move.label == "stop"]
    assert stops == [("", 0), ("buy.offering", 1)]


def test_a_machine_without_moves_that_hold_everywhere_has_no_such_place() -> None:
    """Nothing is drawn for what is not there, in any format."""
    events = {name: body for name, body in SMALL["events"].items() if name != "thank"}
    graph = draw(Definition.from_document({**SMALL, "on": {}, "events": events}), EFFECTS)
    for form in FORMATS:
        assert "wherever" not in as_text(graph, form)


def test_a_way_through_a_changed_bundle_is_marked_as_far_as_it_is_there() -> None:
    """States that are gone from the bundle are left out; nothing fails."""
    steps = (Step("buy.looking", "buy.gone", "then"), Step("buy.gone", "buy.offering", "on", "old"))
    graph = draw(Definition.from_document(SMALL), EFFECTS, Walk("amber-fox", "buy.looking", steps))
    assert [node.name for node in graph.nodes if node.current] == ["buy.offering"]
    assert not any(move.taken for move in graph.moves)


def test_erased_entries_tell_nothing() -> None:
    """What was forgotten is not on the way."""
    erased = [Entry("amber-fox", 1, "started", "", START, "d", "h", None)]
    assert walk(erased) == Walk("", "")
