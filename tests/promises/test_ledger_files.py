"""The ledger's files: nothing is paid unless it can be written down, and whatever is odd about them stops the call."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from phases.anygen.sandbox import Sandbox
from tests.playing import HandClock, Player
from tests.promises.journeys import creates
from tests.promises.places import approve, duplicate, like, payments, planned, set_back, settled
from workflow.history import proof
from workflow.history.adopt import survey
from workflow.history.forget import forget
from workflow.local.settings import read_settings
from workflow.model.errors import UsageError
from workflow.model.frozen import replace
from workflow.model.ledger import Payment, read
from workflow.model.reply import Reply
from workflow.store import ledger as files
from workflow.store import payments as paying
from workflow.store.ledger import BESIDE, LedgerFile

SECRET = "sk-raised-0123456789"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The state folder."""
    return tmp_path / "state"


@pytest.fixture
def play(tmp_path: Path, sandbox: Sandbox, clock: HandClock) -> Player:
    """A session whose next answer pays."""
    return planned(tmp_path, sandbox, clock)


def unwritten(reply: Reply, sandbox: Sandbox, paid: int = 0) -> bool:
    """The ledger could not be told: nothing was paid, and the approval is kept."""
    assert reply.error is not None and (reply.error.kind, reply.error.type) == ("ledger", "store"), reply
    return len(creates(sandbox)) == paid


def test_a_payment_is_written_down_before_it_leaves(
    play: Player, state: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line names the call and nothing of its content; the file is its owner's alone."""
    known: list[int] = []
    write = LedgerFile._write

    def wrote(self: LedgerFile, file: int, lines: Any) -> None:
        known.append(len(creates(sandbox)))
        write(self, file, lines)

    monkeypatch.setattr(LedgerFile, "_write", wrote)
    approve(play)
    assert known == [0, 0] and len(creates(sandbox)) == 1
    (line,) = payments(state)
    (intent,) = play.journal("intent")
    assert (line.session, line.action, line.entry) == (play.name, "create", intent.receipt)
    assert line.call == (intent.body or {})["call"]
    text = (state / BESIDE).read_text()
    assert "poster" not in text and (state / BESIDE).stat().st_mode & 0o777 == 0o600


def _raise(*values: object, **named: object) -> NoReturn:
    raise RuntimeError(SECRET)


def _full(*values: object, **named: object) -> NoReturn:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _short(file: int, content: bytes) -> int:
    return _write(file, content[:7])


_write = os.write
CHECKS: list[tuple[object, str, Callable[..., object]]] = [
    (paying, "check_own", _raise),
    (paying, "store_id", _raise),
    (paying, "_intents", _raise),
    (paying, "_gone", _raise),
    (paying, "_lost", _raise),
    (files, "read", _raise),
    (files, "read_up_to", _full),
    (files, "open_trusted", _raise),
    (LedgerFile, "_open", _raise),
    (os.path, "realpath", _raise),
]
WRITES: list[tuple[object, str, Callable[..., object]]] = [
    (LedgerFile, "append", _raise),
    (files, "written", _raise),
    (os, "write", _full),
    (os, "write", _short),
    (os, "fsync", _full),
]


@pytest.mark.parametrize(("owner", "name", "fault"), CHECKS, ids=lambda each: getattr(each, "__name__", str(each)))
@pytest.mark.parametrize("first", [True, False])
def test_a_check_that_raises(
    tmp_path: Path,
    play: Player,
    sandbox: Sandbox,
    clock: HandClock,
    monkeypatch: pytest.MonkeyPatch,
    owner: object,
    name: str,
    fault: Callable[..., object],
    first: bool,
) -> None:
    """It raises here: nothing is paid, and without the fault the same approval pays once."""
    if not first or name == "read":  # before the first payment there is nothing to read
        approve(planned(tmp_path, sandbox, clock))
    before = len(creates(sandbox))
    with monkeypatch.context() as raising:
        raising.setattr(owner, name, fault)
        try:
            reply = approve(play)
            assert reply.error is not None
        except Exception as error:
            assert SECRET not in str(error) or name == "realpath"
    assert len(creates(sandbox)) == before
    assert SECRET not in str([entry.body for entry in play.journal()])
    play.send("retry", revision=None)
    assert len(creates(sandbox)) == before + 1


@pytest.mark.parametrize(("owner", "name", "fault"), WRITES, ids=lambda each: getattr(each, "__name__", str(each)))
def test_a_ledger_that_cannot_be_written(
    tmp_path: Path,
    play: Player,
    state: Path,
    sandbox: Sandbox,
    clock: HandClock,
    monkeypatch: pytest.MonkeyPatch,
    owner: object,
    name: str,
    fault: Callable[..., object],
) -> None:
    """Before the intent or behind it: the call certainly did not happen, and a retry makes it under the same name."""
    approve(planned(tmp_path, sandbox, clock))
    with monkeypatch.context() as raising:
        raising.setattr(owner, name, fault)
        assert unwritten(approve(play), sandbox, 1)
        assert unwritten(play.send("retry", revision=None), sandbox, 1)
    assert play.engine.status(play.name).status == "waiting"
    assert play.send("retry", revision=None).state == "deliver.generating"
    assert len(creates(sandbox)) == 2
    intents = play.journal("intent")
    assert len({(each.body or {})["call"] for each in intents}) == 1 and len(intents) == 3
    assert payments(state)[-1].entry == intents[-1].receipt
    assert SECRET not in str([entry.body for entry in play.journal()])
    proved = proof.prove(play.engine, play.name)
    assert proved.holds and sum(proved.calls.values()) == 1, "a call that never left is none"


def test_an_approval_that_is_kept_is_not_kept_twice(
    play: Player, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the call was made it is spent, and nothing is left of it."""
    with monkeypatch.context() as raising:
        raising.setattr(os, "fsync", _full)
        approve(play)
    play.send("retry", revision=None)
    assert play.engine.stored(play.name).evidence == ()


def test_a_ledger_that_another_process_keeps_locked(
    play: Player, state: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call does not leave, the approval is kept, and the session can be cancelled; nobody waits without an end."""
    monkeypatch.setattr(files, "PATIENCE", 0.05)
    (state / BESIDE).touch(mode=0o600)
    with (state / BESIDE).open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert unwritten(approve(play), sandbox)
        assert play.send("cancel").state == "over.cancelled"
    assert creates(sandbox) == []


def test_a_last_line_without_its_line_break_is_kept(
    tmp_path: Path, play: Player, state: Path, sandbox: Sandbox, clock: HandClock
) -> None:
    """An editor took it away: the line still stops an older store, and the next one is written after it."""
    approve(play)
    file = state / BESIDE
    file.write_bytes(file.read_bytes().rstrip(b"\n"))
    assert len(payments(state)) == 1
    approve(planned(tmp_path, sandbox, clock))
    assert len(payments(state)) == 2 and read(file.read_bytes()).torn == 0


def test_a_ledger_that_was_lost(tmp_path: Path, play: Player, state: Path, sandbox: Sandbox, clock: HandClock) -> None:
    """The store has made paid calls and no ledger knows it: nothing is paid until a person adopts it."""
    approve(play)
    kept = payments(state)
    (state / BESIDE).unlink()
    other = planned(tmp_path, sandbox, clock)
    assert set_back(approve(other), sandbox)
    assert "was lost" in survey(other.engine).reasons[0]
    settled(other)
    assert payments(state) == kept
    other.send("retry", revision=None)
    other.send("approve", quote="Yes, now")
    assert len(creates(sandbox)) == 2


@pytest.mark.parametrize("spoil", [lambda old: b"", lambda old: old[:-30], lambda old: old + b'{"call": "x'])
def test_a_ledger_that_was_emptied_or_torn(
    tmp_path: Path, play: Player, state: Path, sandbox: Sandbox, clock: HandClock, spoil: Callable[[bytes], bytes]
) -> None:
    """An empty one was lost; an unfinished last line is completed by the next payment."""
    approve(play)
    whole = (state / BESIDE).read_bytes()
    (state / BESIDE).write_bytes(spoil(whole))
    other = planned(tmp_path, sandbox, clock)
    reply = approve(other)
    if spoil(whole):
        assert reply.state == "deliver.generating" and len(creates(sandbox)) == 2
        assert payments(state)[-1].session == other.name
    else:
        assert set_back(reply, sandbox)


def test_a_damaged_line_stops_every_payment(
    tmp_path: Path, play: Player, state: Path, sandbox: Sandbox, clock: HandClock
) -> None:
    """The reason names it; adopting keeps the damaged file aside, and writes a whole one from the journals."""
    approve(play)
    kept = payments(state)
    text = (state / BESIDE).read_text()
    (state / BESIDE).write_text(text.replace('"create"', '"crated"'))
    other = planned(tmp_path, sandbox, clock)
    assert set_back(approve(other), sandbox)
    assert "line 2 of the ledger" in (other.journal("failure")[-1].body or {})["message"]
    done = settled(other)
    assert done.moved == (f"{state / BESIDE}.damaged-1",) and "crated" in Path(done.moved[0]).read_text()
    assert payments(state) == kept


def _anothers(file: Path) -> None:
    file.touch()
    os.chown(file, 65534, -1)


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(lambda file: file.mkdir(), id="a folder"),
        pytest.param(lambda file: os.mkfifo(file), id="a pipe"),
        pytest.param(lambda file: file.symlink_to(file.with_name("gone")), id="a link to nothing"),
        pytest.param(lambda file: (file.with_name("x").touch(), file.symlink_to(file.with_name("x"))), id="a link"),
        pytest.param(lambda file: (file.touch(), file.chmod(0o666)), id="writable for all"),
        pytest.param(_anothers, id="another user's"),
    ],
)
def test_what_is_in_the_ledgers_place_is_checked(
    play: Player, state: Path, sandbox: Sandbox, odd: Callable[[Path], object]
) -> None:
    """By the check that every file of the user's own passes."""
    if os.geteuid() and odd is _anothers:
        pytest.skip("only root can give a file away")
    odd(state / BESIDE)
    assert unwritten(approve(play), sandbox)


def test_a_ledger_elsewhere_knows_a_folder_that_was_set_back(
    tmp_path: Path, state: Path, sandbox: Sandbox, clock: HandClock
) -> None:
    """Its own ledger was set back with it; the other one was not."""
    elsewhere = tmp_path / "elsewhere.jsonl"
    play = planned(tmp_path, sandbox, clock, ledger=elsewhere)
    play.engine.world.store.close()
    duplicate(state, tmp_path / "saved")
    play = like(play, tmp_path, sandbox, clock, ledger=elsewhere)
    approve(play)
    paid = play.journal("intent")[-1].receipt
    assert read(elsewhere.read_bytes()) == read((state / BESIDE).read_bytes())
    state.rename(tmp_path / "gone")
    (tmp_path / "saved").rename(state)
    after = like(play, tmp_path, sandbox, clock, ledger=elsewhere)
    assert set_back(approve(after), sandbox)
    assert [line.payment.entry for line in survey(after.engine).open] == [paid]


@pytest.mark.parametrize("missing", ["its folder", "the right to write", "its owner's care", "a link's end"])
def test_a_ledger_that_was_named_has_to_be_usable(
    tmp_path: Path, sandbox: Sandbox, clock: HandClock, missing: str
) -> None:
    """It was named, so that nothing is paid without it."""
    (tmp_path / "other").mkdir()
    named = tmp_path / "other" / "ledger"
    if missing == "its folder":
        named = tmp_path / "nowhere" / "ledger"
    elif missing == "the right to write":
        named.mkdir()
    elif missing == "its owner's care":
        (tmp_path / "other").chmod(0o777)
    else:
        named.symlink_to(tmp_path / "gone")
    play = planned(tmp_path, sandbox, clock, ledger=named)
    reply = approve(play)
    assert reply.error and reply.error.kind in ("set_back", "ledger") and creates(sandbox) == []


def test_a_ledger_that_is_new_to_a_store_that_has_paid(
    tmp_path: Path, play: Player, sandbox: Sandbox, clock: HandClock
) -> None:
    """It cannot be told from one that was lost: a person adopts the store once, and then it knows every payment."""
    approve(play)
    elsewhere = tmp_path / "elsewhere.jsonl"
    after = planned(tmp_path, sandbox, clock, ledger=elsewhere)
    assert set_back(approve(after), sandbox)
    settled(after)
    assert [each.session for each in read(elsewhere.read_bytes()).payments] == [play.name]


def test_the_setting_is_an_absolute_path(tmp_path: Path) -> None:
    """A relative one would be another ledger in each folder."""
    environ = {"HOME": str(tmp_path), "PHASEGATE_LEDGER": "ledger.jsonl"}
    with pytest.raises(UsageError, match="is the relative path"):
        read_settings(environ)
    assert read_settings({**environ, "PHASEGATE_LEDGER": "/var/ledger"}).ledger == "/var/ledger"


def test_forgetting_keeps_the_ledger(
    tmp_path: Path, play: Player, state: Path, sandbox: Sandbox, clock: HandClock
) -> None:
    """It holds no content; a session that was forgotten is no unknown payment, and others go on paying."""
    approve(play)
    play.send("cancel")
    before = (state / BESIDE).read_bytes()
    forget(play.engine, play.name)
    assert (state / BESIDE).read_bytes() == before
    assert survey(play.engine).reasons == ()
    assert approve(planned(tmp_path, sandbox, clock)).state == "deliver.generating"


def test_many_append_at_once(tmp_path: Path) -> None:
    """Lines of several processes and threads never mix, and none is lost."""
    line = Payment("s" * 32, "c" * 32, "amber-fox", "create", "8:" + "a" * 24, "2026-11-30T09:00:00.000Z")

    def append(owner: int) -> None:
        file = LedgerFile(tmp_path / "ledger", links=False)
        for number in range(25):
            file.append([replace(line, session=f"s{owner}", entry=f"{number}:").as_json()])

    children = [_child(append, 8), _child(append, 9)]
    threads = [threading.Thread(target=append, args=(owner,)) for owner in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    found = read((tmp_path / "ledger").read_bytes()).payments
    assert {(each.session, each.entry) for each in found} == {
        (f"s{owner}", f"{number}:") for owner in (0, 1, 2, 8, 9) for number in range(25)
    }
    assert len(found) == 125


def _child(append: Callable[[int], None], owner: int) -> int:
    child = os.fork()
    if child == 0:
        try:
            append(owner)
            os._exit(0)
        finally:
            os._exit(1)
    return child
