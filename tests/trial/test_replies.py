"""Replies are short: an agent pays for each word of them."""

from __future__ import annotations

import pytest

from tests.trial.replies import bare, main, played, size

MOST = 700
"""Bytes of a reply without the text of its messages, on average over the scenarios of the reference bundle."""


def test_the_mean_reply_is_short(capsys: pytest.CaptureFixture[str]) -> None:
    """Over all scenarios of the reference bundle it is within its limit, as the page about replies says."""
    told = [size(bare(reply)) for reply in played()]
    assert len(told) > 100 and sum(told) / len(told) <= MOST
    main()
    assert capsys.readouterr().out.startswith(f"{len(told)} replies, on average {sum(told) / len(told):.0f} bytes")
