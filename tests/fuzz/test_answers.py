"""Answers of the service that hold anything: a failed call or doubt, never another step, a second order or a leak."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phases.anygen.sandbox import Request
from tests.conduct import before, begin, check_promises, reach
from tests.fuzz.values import JSON, mutated
from tests.playing import Player
from tests.walks.engines import engine_with
from tests.walks.line import ADDRESS, Fate, Line, silent_sandbox
from workflow.model.ports import Response
from workflow.store.memory import MemoryStore

BUNDLE = Path(__file__).parents[2]
PREPARED = {"understand.preparing", "understand.rewording", "understand.asking", "confirm.presenting"}
FROM = {
    "upload": ("understand.consenting", {"understand.consenting", "understand.uploading", *PREPARED}),
    "prepare": ("understand.asking", PREPARED),
    "create": ("confirm.presenting", {"confirm.presenting", "create.unsure", "deliver.generating"}),
    "task": ("deliver.generating", {"deliver.generating", "deliver.ready", "deliver.no_image"}),
    "send": ("deliver.ready", {"revise.unchanged", "revise.unsure", "revise.applying"}),
    "messages": ("revise.applying", {"revise.applying", "revise.changed", "revise.unchanged"}),
}
"""Call → the state before the turn that makes it, and where that turn may lead, whatever is answered."""

EACH = pytest.mark.parametrize("call", FROM)
SOME = settings(max_examples=settings().max_examples // 5)
STATUSES = st.sampled_from([200, 200, 200, 200, 201, 204, 302, 400, 401, 404, 429, 500, 502])


class Strange(Line):
    """A service whose answers are made into others, once it is told so."""

    change: Callable[[Response], Response] | None = None

    def _answer(self, request: Request) -> Response:
        right = super()._answer(request)
        return self.change(right) if self.change else right


@EACH
@SOME
@given(data=st.data(), status=STATUSES)
def test_an_answer_with_another_value_in_it(data: st.DataObject, status: int, call: str) -> None:
    """One value of a true answer is replaced, missing or new, the same for every call of the turn."""

    def change(right: Response) -> Response:
        other = data.draw(mutated(json.loads(right.body)))
        return Response(status, right.headers, json.dumps(other).encode(), right.request_id)

    _play(call, change)


@EACH
@SOME
@given(value=JSON, status=STATUSES)
def test_an_answer_of_any_json(value: Any, status: int, call: str) -> None:
    """Something else altogether."""
    _play(call, lambda right: Response(status, {}, json.dumps(value).encode(), None))


@EACH
@SOME
@given(content=st.binary(max_size=300), cut=st.integers(0, 400), status=STATUSES)
def test_an_answer_of_any_bytes(content: bytes, cut: int, status: int, call: str) -> None:
    """No JSON, or the beginning of some."""
    _play(call, lambda right: Response(status, {}, right.body[:cut] + content, None))


def _play(call: str, change: Callable[[Response], Response]) -> None:
    """The turn leads nowhere that it may not, at most one order leaves, and the run can be gone on with."""
    state, allowed = FROM[call]
    with tempfile.TemporaryDirectory() as folder:
        sandbox = silent_sandbox()
        line = Strange(sandbox, Fate())
        play = Player(engine_with(MemoryStore(), Path(folder), line), str(BUNDLE), ADDRESS)
        begin(play, Path(folder))
        if play.reply.state != state:
            reach(play, state)
        line.change = change
        reply = before(call)[1](play)
        assert reply.state in allowed
        assert reply.error is None or reply.error.type in ("service", "credentials")
        check_promises(play, sandbox)
        line.change = None
        assert play.send(None).error is None or play.send("retry").ok
        check_promises(play, sandbox)
