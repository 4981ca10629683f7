"""Every check of the engine is made to raise: what it guards does not happen, and the session is not stuck for it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import pytest

from phases.anygen.sandbox import Sandbox
from tests.guarded import REFUSES, Guarded
from tests.playing import Player, player
from workflow.history import audit
from workflow.model.reply import Reply

SECRET = "sk-raised-0123456789"
ROOT = Path(__file__).parents[2]


class Check(NamedTuple):
    """A check by its module and name; ``cancel`` says whether it has no part in an event that only ends the run."""

    module: str
    name: str
    cancel: bool = True

    def fail(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """From now on it raises."""
        owner: Any = importlib.import_module(self.module)
        *path, name = self.name.split(".")
        for each in path:
            owner = getattr(owner, each)
        monkeypatch.setattr(owner, name, _raise)


def _raise(*values: Any, **named: Any) -> NoReturn:
    raise RuntimeError(SECRET)


APPROVING = (
    Check("workflow.engine.work", "approvals.best"),
    Check("workflow.machine.approvals", "approval"),
    Check("workflow.machine.approvals", "fitting"),
    Check("workflow.machine.terms", "age", cancel=False),
    Check("workflow.machine.decide", "_late"),
    Check("workflow.engine.work", "_check_evidence"),
    Check("workflow.engine.work", "Run.check_journal"),
    Check("workflow.engine.work", "_check_place"),
    Check("workflow.engine.work", "enter"),
    Check("workflow.engine.intent", "name_of"),
    Check("workflow.store.memory", "MemoryStore.check_paying"),
    Check("workflow.store.memory", "MemoryStore.begin_ledger"),
    Check("workflow.store.memory", "MemoryStore.identity"),
    Check("workflow.store.memory", "MemoryStore.enter"),
    Check("workflow.machine.gates", "needed", cancel=False),
    Check("workflow.machine.gates", "subject", cancel=False),
    Check("workflow.machine.gates", "was_shown", cancel=False),
    Check("workflow.machine.gates", "of_own_words", cancel=False),
    Check("workflow.machine.decide", "_identity", cancel=False),
    Check("workflow.machine.decide", "_gate"),
    Check("workflow.machine.decide", "_relayed"),
    Check("workflow.machine.decide", "_evidence"),
    Check("workflow.machine.decide", "_translation", cancel=False),
    Check("workflow.machine.decide", "text_fault"),
    Check("workflow.machine.decide", "wordless"),
    Check("workflow.machine.decide", "copied"),
    Check("workflow.machine.decide", "judge", cancel=False),
    Check("workflow.machine.decide", "_input", cancel=False),
    Check("workflow.machine.decide", "at_least", cancel=False),
    Check("workflow.machine.decide", "possible_events", cancel=False),
    Check("workflow.engine.observe", "speak.wording"),
    Check("workflow.engine.observe", "copyable"),
    Check("workflow.engine.turns", "decide", cancel=False),
    Check("workflow.engine.turns", "observe", cancel=False),
    Check("workflow.engine.intake", "redact", cancel=False),
    Check("workflow.engine.intake", "keep_key_out", cancel=False),
    Check("workflow.service.declared_calls", "_path"),
    Check("workflow.service.declared_calls", "harmless"),
)
"""What stands between an approval and the paid call."""


@pytest.mark.parametrize("check", APPROVING, ids=lambda each: f"{each.module.rpartition('.')[2]}.{each.name}")
def test_a_check_before_a_paid_call_that_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: Check) -> None:
    """No request leaves; what was raised is in no entry; the run can be cancelled, in the end without the fault."""
    with Guarded(tmp_path, "end", REFUSES) as guarded:
        play = guarded.play
        play.start({"words": "a poster"})
        with monkeypatch.context() as raising:
            check.fail(raising)
            said = _attempt(lambda: play.send("approve", quote="yes, please, go ahead with all of it as it stands now"))
            assert guarded.paid == 0
            assert said is None or said.error is not None or said.status == "in_doubt"
            if check.cancel:
                assert _cancelled(play)
        if not check.cancel:
            assert _cancelled(play)
        assert guarded.paid == 0
        assert SECRET not in str([entry.body for entry in play.journal()])
        assert audit.verify(play.engine, play.name).entries == len(play.journal())


SAYING = (
    Check("workflow.engine.speak", "leaks.find"),
    Check("workflow.engine.speak", "leaks.values_of"),
    Check("workflow.engine.speak", "secrets"),
    Check("workflow.machine.leaks", "secrets_of"),
    Check("workflow.engine.speak", "Run.known_key", cancel=False),
    Check("workflow.engine.speak", "fill"),
    Check("workflow.engine.speak", "nearest"),
    Check("workflow.engine.speak", "_presented"),
)
"""What stands between a text and the person."""


@pytest.mark.parametrize("check", SAYING, ids=lambda each: each.name)
def test_a_check_of_a_message_that_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: Check) -> None:
    """The text is not said, so that its question cannot be answered; status and cancel work without it."""
    with Guarded(tmp_path, "end", REFUSES) as guarded:
        play = guarded.play
        play.engine.world.open_bundle(str(guarded.folder))  # lint looks for leaks as well, and was there before
        with monkeypatch.context() as raising:
            if check.cancel:
                check.fail(raising)
            play.start({"words": "a poster of a fox"})
            if not check.cancel:
                check.fail(raising)
                assert _attempt(lambda: play.send("approve", quote="yes")) is None
            else:
                assert "a poster of a fox" not in str(play.reply.as_json()["say"])
                assert "withheld" in "".join(play.reply.notices)
                assert play.engine.status(play.name).state == "a.asking"
                refused = play.send("approve", quote="yes, please")
                assert refused.error is not None and guarded.paid == 0
                assert _cancelled(play)
        assert guarded.paid == 0 and SECRET not in str([entry.body for entry in play.journal()])


SENDING = (
    Check("workflow.engine.work", "approvals.consented"),
    Check("workflow.machine.approvals", "item_subject", cancel=False),
    Check("workflow.engine.work", "files.take"),
    Check("workflow.engine.work", "_check_place"),
    Check("workflow.store.memory", "MemoryStore.check_own"),
    Check("workflow.engine.work", "_check_evidence"),
    Check("workflow.engine.run", "Run.forbidden"),
)
"""What stands between a consent and the bytes of a file."""


@pytest.mark.parametrize("check", SENDING, ids=lambda each: each.name)
def test_a_check_before_an_upload_that_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: Check) -> None:
    """No byte leaves, whatever else the turn does."""
    with Sandbox(rounds=1, looks=1) as sandbox:
        play = player(tmp_path, ROOT, sandbox.url)
        (tmp_path / "ref.png").write_bytes(b"a picture")
        play.start({"words": "A poster", "references": [{"path": "ref.png", "description": "warm"}]})
        assert play.reply.state == "understand.consenting"
        with monkeypatch.context() as raising:
            check.fail(raising)
            _attempt(lambda: play.send("consent", quote="yes"))
            assert sandbox.requests == []
            assert not check.cancel or _cancelled(play)
        assert SECRET not in str([entry.body for entry in play.journal()])
        assert sandbox.requests == []


WISHING = (
    Check("workflow.machine.decide", "wishes.fulfilled", cancel=False),
    Check("workflow.machine.decide", "wishes.agreed"),
    Check("workflow.machine.decide", "wishes.unanswerable"),
    Check("workflow.machine.decide", "gates.not_quoted"),
    Check("workflow.machine.wishes", "first", cancel=False),
    Check("workflow.machine.gates", "holds_words"),
)
"""What stands between a yes to a kept wish and the words that are sent for it."""


@pytest.mark.parametrize("check", WISHING, ids=lambda each: each.name)
def test_a_check_of_a_kept_wish_that_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: Check) -> None:
    """Nothing is ordered, and the run can be cancelled, in the end without the fault."""
    with Sandbox(rounds=1, looks=1) as sandbox:
        play = player(tmp_path, ROOT, sandbox.url)
        play.start({"words": "A poster"})
        play.send("approve", quote="yes")
        play.send("note", {"words": "Make it blue", "for": "modify"})
        assert play.send("check").state == "deliver.ready"
        asked = len(sandbox.requests)
        with monkeypatch.context() as raising:
            check.fail(raising)
            said = _attempt(lambda: play.send("modify", {"words": "Make it blue"}, quote="yes please"))
            assert said is None or said.error is not None
            assert len(sandbox.requests) == asked
            assert not check.cancel or _cancelled(play)
        assert check.cancel or _cancelled(play)
        assert len(sandbox.requests) == asked
        assert SECRET not in str([entry.body for entry in play.journal()])


def _attempt(turn: Callable[[], Reply]) -> Reply | None:
    """The turn's reply; None where it raised, which every surface answers with an internal fault."""
    try:
        return turn()
    except RuntimeError:
        return None


def _cancelled(play: Player) -> bool:
    """Whether the run can be cancelled as it stands."""
    play.reply = play.engine.status(play.name)
    return play.send("cancel").status == "cancelled"
