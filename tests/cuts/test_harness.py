"""The harness of `make cuts`: its table has every tool, and its oracle sees what it is there to see."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cuts.cells import AGAIN, ERAS, KINDS, LIVES, SESSIONS, TRANSPORTS, cells
from tests.cuts.oracle import LOST, OFFERED, ONCE, TWICE, judge, told
from workflow.mcp_server.tools import tools


def reply(*marks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A reply that says one message per set of marks."""
    return {"ok": True, "say": [{"id": "ready", "text": "Your image is ready!", **each} for each in marks], **more}


def test_every_tool_of_the_server_is_cut() -> None:
    """A new tool is a new row of the table, or fails here and in each cell."""
    assert {kind.tool for kind in KINDS} == {tool.name for tool in tools()}


def test_the_table_has_every_combination() -> None:
    """Each kind × cut × client and era × transport × life × next call once, but for cuts that cannot be."""
    every = list(cells())
    assert len(set(map(str, every))) == len(every) == 1932
    for kind in KINDS:
        assert {(each.transport, each.life) for each in every if each.kind == kind} == {
            (transport, life) for transport in TRANSPORTS for life in LIVES
        }
    spoken = {(each.client, each.era) for each in every}
    assert spoken == {("sdk1", ERAS[0]), *((client, era) for client in ("sdk2", "python") for era in ERAS)}


def test_a_turn_is_sent_again_in_the_table() -> None:
    """Every call with a turn id is followed by itself; a start also by a client that only sees the list."""
    assert all(AGAIN in kind.nexts for kind in KINDS if kind.turn)
    assert SESSIONS in KINDS[0].nexts


@pytest.mark.parametrize(
    ("read", "paid", "expected"),
    [
        ([reply({})], 1, {ONCE: 1, OFFERED: 0, LOST: 0, TWICE: 0}),
        ([reply({}), reply({"maybe_said": True})], 1, {ONCE: 0, OFFERED: 1, LOST: 0, TWICE: 0}),
        ([reply({}), reply({}, replayed=True)], 1, {ONCE: 0, OFFERED: 1, LOST: 0, TWICE: 0}),
        ([reply({}), reply({"repeat": True})], 1, {ONCE: 1, OFFERED: 0, LOST: 0, TWICE: 0}),
        ([reply({"maybe_said": True})], 1, {ONCE: 1, OFFERED: 0, LOST: 0, TWICE: 0}),
        ([], 1, {ONCE: 0, OFFERED: 0, LOST: 1, TWICE: 0}),
        ([reply({"repeat": True})], 1, {ONCE: 0, OFFERED: 0, LOST: 1, TWICE: 0}),
        ([reply({"unsaid": True}), reply({})], 1, {ONCE: 1, OFFERED: 0, LOST: 0, TWICE: 0}),
        ([reply({"unsaid": True})], 1, {ONCE: 0, OFFERED: 0, LOST: 1, TWICE: 0}),
        ([reply({}), reply({})], 1, {ONCE: 0, OFFERED: 0, LOST: 0, TWICE: 1}),
        ([reply({}), reply({}), reply({"maybe_said": True})], 1, {ONCE: 0, OFFERED: 1, LOST: 0, TWICE: 1}),
        ([reply({})], 3, {ONCE: 1, OFFERED: 0, LOST: 0, TWICE: 2}),
    ],
)
def test_the_oracle_counts_what_clients_read(read: list[dict[str, Any]], paid: int, expected: dict[str, int]) -> None:
    """Unmarked is said, marked is offered again, unread is lost, unmarked again and paid again are twice."""
    counts, why = judge(read, {"ready"}, paid, 1)
    assert dict(counts) == expected
    assert bool(why) == bool(expected[LOST] or expected[TWICE])


def test_a_message_without_its_text_is_none() -> None:
    """A message whose text is gone is no saying, whatever its marks."""
    empty = {"say": [{"id": "ready", "text": " ", "maybe_said": True}]}
    with pytest.raises(AssertionError, match="the text of ready is gone"):
        told([empty])
