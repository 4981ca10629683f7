"""Commands that walk over sessions: whatever is wrong with one is its own line, and the others are listed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from tests.cli.conftest import Commands, Ended
from tests.guarded import CANNOT_TELL, write
from workflow.bundle import open_bundle
from workflow.engine import speak
from workflow.machine.messages import fill
from workflow.service.sandbox.table import Answers

Fault = Callable[[Path, str, pytest.MonkeyPatch], None]


def _snapshot(bundle: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    file = bundle.parent / "state" / "phasegate.db"
    with apsw.Connection(str(file)) as connection:
        connection.execute("UPDATE sessions SET snapshot = '{\"broken\"' WHERE name = ?", (name,))
    connection.close()


def _missing(bundle: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(bundle)


def _broken(bundle: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (bundle / "workflow.yaml").write_text("format: 1\nformat: [")


def _python(bundle: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (bundle / "phases" / "odd.py").write_text("raise SystemExit(3)")


def _message(bundle: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def filled(template: str, *rest: Any) -> Any:
        if "WEDGED" in str(rest[-1].get("words")):
            raise RecursionError("sk-secret")
        return fill(template, *rest)

    monkeypatch.setattr(speak, "fill", filled)


def _guard(bundle: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write(bundle, "say", CANNOT_TELL["raises"])


FAULTS: dict[str, Fault] = {
    "snapshot damaged": _snapshot,
    "bundle missing": _missing,
    "bundle broken": _broken,
    "bundle's code broken": _python,
    "message raising": _message,
    "guard raising": _guard,
}
HIDES = ("message raising", "guard raising")
"""Faults that a session can be shown with."""


@pytest.fixture
def two(cli: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """Two sessions that ask a person, each of a bundle of its own: a sound one, and one that a fault comes over."""
    sound, struck = (write(tmp_path / name, "say", "return because('no')") for name in ("sound", "struck"))
    sandbox = Answers(open_bundle(sound).definition)
    sandbox.start()
    monkeypatch.setenv("PHASEGATE_SANDBOX", sandbox.url)
    try:
        names = [
            cli.turn("start", "--bundle", str(folder), input={"words": words})["session"]
            for folder, words in ((sound, "a poster"), (struck, "WEDGED"))
        ]
        yield names[0], names[1]
    finally:
        sandbox.stop()


LISTS: dict[str, Callable[[Commands], Ended]] = {
    "sessions": lambda cli: cli("sessions", "--json"),
    "sessions --live": lambda cli: cli("sessions", "--live", "--json"),
    "approve": lambda cli: cli.admin("approve", "--json"),
    "resolve": lambda cli: cli.admin("resolve", "--json"),
    "upgrade-check": lambda cli: cli("upgrade-check", "--json"),
    "doctor": lambda cli: cli("doctor", "--json"),
    "watch --all": lambda cli: cli("watch", "--all", "--json"),
    "audit log": lambda cli: cli("audit", "log", "--json"),
}
"""Every command that walks over sessions."""
SILENT = ("watch --all", "resolve", "doctor")
"""Those that have nothing to tell of a session that is well and waits for a person."""


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("command", LISTS)
def test_one_sessions_fault_is_one_line(
    cli: Commands,
    two: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    fault: str,
) -> None:
    """The command ends as ever, names the sound session, and of the other says what is wrong, not what it raised."""
    sound, struck = two
    FAULTS[fault](tmp_path / "struck", struck, monkeypatch)
    ended = LISTS[command](cli)
    assert "internal fault" not in ended.out + ended.err and "sk-secret" not in ended.out + ended.err
    assert ended.code in ((0, 3) if command == "upgrade-check" else (0, 1) if command == "doctor" else (0,))
    assert sound in ended.out or command in SILENT
    if command in ("approve", "resolve") and fault not in HIDES:
        (told,) = ended.json["faults"]
        assert told["session"] == struck and told["why"]
    if command == "upgrade-check" and fault not in HIDES:
        by_name = {each["session"]: each for each in ended.json["sessions"]}
        assert by_name[struck]["outcome"] == "stops" and by_name[struck]["problems"]
        assert by_name[sound]["outcome"] == "same"
    if command == "doctor":
        (store,) = (each for each in ended.json["checks"] if each["name"] == "store")
        assert "2 live" in store["what"] and (struck in store["what"]) == (fault not in HIDES)


def test_a_session_in_doubt_that_cannot_be_read_is_listed(
    cli: Commands, two: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether somebody is in its call cannot be told: it stands there as it is kept, and so does the other."""
    sound, struck = two
    _snapshot(tmp_path / "struck", struck, monkeypatch)
    with apsw.Connection(str(tmp_path / "state" / "phasegate.db")) as connection:
        connection.execute("UPDATE sessions SET status = 'in_doubt' WHERE name = ?", (struck,))
    connection.close()
    ended = cli("sessions", "--json")
    listed = {each["name"]: each["status"] for each in ended.json["sessions"]}
    assert (ended.code, listed[struck]) == (0, "in_doubt") and sound in listed


@pytest.mark.parametrize("fault", FAULTS)
def test_the_approvers_list_shows_both(
    cli: Commands,
    two: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    fault: str,
) -> None:
    """On a terminal too, in the same table."""
    request.getfixturevalue("terminal")  # the two sessions were begun without one
    FAULTS[fault](tmp_path / "struck", two[1], monkeypatch)
    ended = cli.admin("approve", "--json")
    assert ended.code == 0 and all(name in ended.out for name in two)


@pytest.mark.parametrize("fault", HIDES)
def test_cancel_and_status_do_not_depend_on_a_text(
    cli: Commands, two: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """A session whose messages cannot be made is shown, and cancelled: with a sign, and a notice that says why."""
    FAULTS[fault](tmp_path / "struck", two[1], monkeypatch)
    shown = cli("status", two[1], "--json").json
    assert shown["ok"] and shown["say"][-1]["text"] == "…" and "withheld" in "".join(shown["notices"])
    ended = cli("advance", two[1], "cancel", "--json").json
    assert (ended["ok"], ended["status"]) == (True, "cancelled")
    assert ended["say"][-1]["text"] == ("…" if fault == "message raising" else "It is bye.")
