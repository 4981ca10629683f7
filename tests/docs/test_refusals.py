"""The page about refusals shows every kind that there is."""

from __future__ import annotations

import re

import pytest

from tests.docs.refusals import KINDS, Kind, patterns, refused

UNSEEN = (
    "what the gate 'user_approved' asks has changed since the person answered",
    "there is nothing left to ask for",
    "whether evidence.quote is a copy of the question cannot be told; ask the person again, in few words",
)
"""What has no way here: the first comes of a form that was open meanwhile, the second of no state of this bundle, the
third of a question that cannot be rendered."""


def test_every_reason_of_the_engine_is_shown() -> None:
    """Each text by which `decide` refuses is in an answer of the page; what it cannot bring about is named here."""
    told = [(refused(kind).error or pytest.fail(kind.name)).message for kind in KINDS]
    found = list(patterns())
    missing = [(line, form) for line, form in found if not any(re.search(form, message) for message in told)]
    assert [[reason for reason in UNSEEN if re.search(form, reason)] for _, form in missing] == [
        [each] for each in UNSEEN
    ]
    assert len(found) > 15


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_refusal_says_why_and_what_next(kind: Kind) -> None:
    """A reason, a next step, the position as it was, and the exit code of its type."""
    reply = refused(kind)
    assert reply.error is not None and reply.error.message and reply.error.hint
    assert reply.error.type in ("refused", "stale") and reply.exit_code in (3, 6)
    assert reply.state and not reply.ok
