"""AgMI's edits T1–T9 on the store, at each door, on short and long sessions, naively and by someone who can seal."""

from __future__ import annotations

import pytest
from agmi import check
from agmi.attacks.at_rest import AT_REST_ATTACKS_WITH_SNAPSHOT

from tests.agmi import adapter
from tests.agmi.doors import ALL, DOORS, EDITS


def verdicts(asked: adapter.StoreAdapter) -> dict[str, str]:
    """What the suite says of each edit."""
    return {row["edit"].split()[0]: row["verdict"] for row in check.run(asked)}


def expected(door: str) -> dict[str, str]:
    """What the page says of each edit."""
    return {edit: "REJECTED" if edit in DOORS[door][1] else "ACCEPTED" for edit in EDITS}


def asked(door: str, entries: int, *, clever: bool = False, meta: str = "time") -> adapter.StoreAdapter:
    """The adapter of a door."""
    made = getattr(adapter, door)()
    made.entries, made.clever, made.meta = entries, clever, meta
    assert isinstance(made, adapter.StoreAdapter)
    return made


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("clever", [False, True], ids=["naive", "sealed again"])
def test_each_door_refuses_what_the_page_says(door: str, clever: bool) -> None:
    """No less, and no more: each edit landed, and the same store without it was let through twice."""
    assert verdicts(asked(door, 20, clever=clever, meta="turn" if clever else "time")) == expected(door)


@pytest.mark.parametrize("door", DOORS)
def test_a_long_session_is_no_exception(door: str) -> None:
    """Five thousand entries, at each door."""
    assert verdicts(asked(door, 5000)) == expected(door)


def test_the_command_of_the_suite_passes(capsys: pytest.CaptureFixture[str]) -> None:
    """With a receipt that is kept elsewhere: 9 of 9."""
    assert check.main(["--adapter", "tests.agmi.adapter:WithReceipt"]) == 0
    assert capsys.readouterr().out.count("REJECTED") == 9


def test_the_page_knows_every_edit_of_the_suite() -> None:
    """A later suite with more edits fails here until each door's answer is known."""
    labels = [check.LABELS[each.name].split()[0] for each in AT_REST_ATTACKS_WITH_SNAPSHOT]
    assert tuple(labels) == ALL
    adapters = {
        name
        for name, each in vars(adapter).items()
        if isinstance(each, type) and adapter.StoreAdapter in each.__bases__
    }
    assert adapters == set(DOORS)
