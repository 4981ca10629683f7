"""A "no" that is sent as the person's yes opens nothing that costs money or sends a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from phases.anygen.sandbox import Sandbox
from tests.conduct import answer, begin, reach
from tests.playing import Player
from tests.promises.journeys import creates


@pytest.mark.parametrize("quote", ["No", "stop", "Okay, wait, don't do that", "不要", "取消", "?"])
def test_a_no_pays_for_nothing(play: Player, sandbox: Sandbox, tmp_path: Path, quote: str) -> None:
    """It is refused, and the question stays as open as before."""
    begin(play, tmp_path)
    reach(play, "confirm.presenting")
    reply = play.send("approve", quote=quote)
    assert reply.error and reply.error.type == "refused" and reply.state == "confirm.presenting"
    assert creates(sandbox) == []
    assert play.send("approve", quote="没问题").state == "deliver.generating"


def test_the_second_no_names_the_way_without_the_agent(play: Player, sandbox: Sandbox, tmp_path: Path) -> None:
    """No refusal says which words would pass; an accepted event forgets how often there was a "no"."""
    begin(play, tmp_path)
    reach(play, "confirm.presenting")
    hints = [(play.send("approve", quote=quote).error or pytest.fail()).hint for quote in ("no", "stop", "never")]
    assert ["workflow-admin approve" in hint for hint in hints] == [False, True, True]
    assert not any(word in hint for hint in hints for word in ("yes", "go ahead"))
    answer(play, "adjust")
    reach(play, "confirm.presenting")
    assert "workflow-admin" not in (play.send("approve", quote="no").error or pytest.fail()).hint


def test_a_word_that_decides_nothing_paid_may_be_a_no(play: Player, sandbox: Sandbox, tmp_path: Path) -> None:
    """Whether a call happened is reported in any words; so is a decline, which has no gate."""
    sandbox.fault("drop-after", on="create")
    begin(play, tmp_path)
    reach(play, "confirm.presenting")
    assert play.send("approve", quote="yes").state == "create.unsure"
    assert play.send("did_not_happen", quote="No").state == "confirm.presenting"
