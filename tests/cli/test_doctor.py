"""``workflow doctor``: each thing that can be wrong is found, and comes with its next step."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import socket
import sys
from pathlib import Path
from typing import Any, NamedTuple

import certifi
import pytest

from phases.anygen.sandbox import Sandbox
from tests.cli.conftest import Commands
from tests.guarded import HOLDS, write
from tests.playing import HandClock, gone, settings_in
from workflow.cli.agent import doctor
from workflow.history.clients import Client
from workflow.local import approvers
from workflow.local.network import AUTHORITIES, PROXIES, ignored
from workflow.model.evidence import WORTH
from workflow.model.frozen import replace

KEY = "sk-ag-7d1f3a9c5e2b8046"
NAMES = [
    "python",
    "version",
    "package",
    "config",
    "disk",
    "sqlite",
    "store",
    "bundle",
    "key",
    "gates",
    "host",
    "clients",
    "terminal",
]


class Usage(NamedTuple):
    """What ``shutil.disk_usage`` gives."""

    total: int
    used: int
    free: int


@pytest.fixture(autouse=True)
def no_network_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxies and authorities of whoever runs the tests play no part in them."""
    for name in (*PROXIES, *AUTHORITIES):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def no_other_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is installed where the tests run has no package of our name."""
    monkeypatch.setattr(importlib.metadata, "packages_distributions", lambda: {"workflow": ["phasegate"]})
    others = {place.parent for place in doctor._elsewhere()} | {place.parent.parent for place in doctor._elsewhere()}
    monkeypatch.setattr(sys, "path", [each for each in sys.path if Path(each or ".").resolve() not in others])


def check(cli: Commands, name: str) -> dict[str, str]:
    """What is said of one thing; the exit code is 1 exactly if anything is bad."""
    ended = cli("doctor", "--json")
    checks = ended.json["checks"]
    bad = any(each["state"] == "bad" for each in checks)
    assert (ended.code, ended.json["ok"], ended.err) == (int(bad), not bad, "")
    assert all(each["hint"] for each in checks if each["state"] != "ok")
    found = next(each for each in checks if each["name"] == name)
    assert isinstance(found, dict)
    return found


def test_on_a_sound_machine_nothing_is_bad(cli: Commands) -> None:
    """Every check is there, in order; only the key is missing; and to look has created nothing."""
    ended = cli("doctor", "--json")
    assert (ended.code, ended.json["ok"], ended.json["v"]) == (0, True, 1)
    assert [each["name"] for each in ended.json["checks"]] == NAMES
    assert [each["name"] for each in ended.json["checks"] if each["state"] != "ok"] == ["key"]
    assert [each.name for each in cli.folder.rglob("*")] == ["config", "config.toml"]


def test_on_a_terminal_each_line_has_its_mark(cli: Commands, terminal: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """✓, ! or ✗, with an arrow to the next step below."""
    monkeypatch.setenv("PHASEGATE_HOST", "elsewhere")
    ended = cli("doctor")
    lines = ended.out.splitlines()
    assert ended.code == 1 and any(line.split()[:2] == ["python", "✓"] for line in lines)
    assert any(line.split()[:2] == ["key", "!"] for line in lines)
    at = next(number for number, line in enumerate(lines) if line.split()[:2] == ["host", "✗"])
    assert any(line.strip().startswith("→ Known: generic") for line in lines[at : at + 3])
    assert max(map(len, lines)) <= 80


def test_an_old_python_is_bad(cli: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is needed is named."""
    monkeypatch.setattr(doctor, "OLDEST", (99, 1))
    found = check(cli, "python")
    assert found["state"] == "bad" and "99.1" in found["hint"]


@pytest.mark.parametrize(("shared", "state"), [(True, "bad"), (False, "warning")])
def test_another_distribution_with_our_package_is_found(
    cli: Commands, monkeypatch: pytest.MonkeyPatch, shared: bool, state: str
) -> None:
    """One that writes into our folder breaks it; one elsewhere can be lived with."""
    folder = doctor.PACKAGE.parent if shared else cli.folder

    class Other:
        def locate_file(self, path: str) -> Path:
            return folder / path

    monkeypatch.setattr(importlib.metadata, "packages_distributions", lambda: {"workflow": ["phasegate", "flows"]})
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: Other())
    found = check(cli, "package")
    assert found["state"] == state
    assert "flows" in found["what"] and "remove flows" in found["hint"]


@pytest.mark.parametrize("file", ["workflow/__init__.py", "workflow.py"])
def test_another_package_on_the_path_is_found(cli: Commands, monkeypatch: pytest.MonkeyPatch, file: str) -> None:
    """A folder or a module of our name from which Python may import."""
    (cli.folder / file).parent.mkdir(exist_ok=True)
    (cli.folder / file).touch()
    monkeypatch.setattr(sys, "path", [*sys.path, str(cli.folder)])
    found = check(cli, "package")
    assert found["state"] == "warning" and str(cli.folder / file) in found["what"]


def test_a_broken_configuration_is_bad_and_hides_nothing(cli: Commands) -> None:
    """It is named with what is wrong; the checks behind it are made without it."""
    file = cli.folder / "config" / "config.toml"
    file.write_text("language = [")
    found = check(cli, "config")
    assert found["state"] == "bad" and str(file) in found["what"]
    assert [each["name"] for each in cli("doctor", "--json").json["checks"]] == NAMES


def test_little_space_is_a_warning_and_none_is_bad(cli: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """Measured on the disk of the store, also before there is one."""
    for free, state in ((10**9, "ok"), (10**8, "warning"), (10**6, "bad")):
        monkeypatch.setattr(shutil, "disk_usage", lambda folder, free=free: Usage(0, 0, free))
        assert check(cli, "disk")["state"] == state


def test_a_store_is_checked_and_counted(cli: Commands, sandbox: Sandbox) -> None:
    """A sound one is named with its live sessions; it is as it was."""
    assert check(cli, "store")["what"].startswith("none yet")
    name = cli.planned()["session"]
    before = cli("audit", "log", name, "--json").out
    found = check(cli, "store")
    assert (
        found["state"] == "ok" and ", 1 of 1 session verified in " in found["what"] and found["what"].endswith("1 live")
    )
    assert cli("audit", "log", name, "--json").out == before


def test_a_store_that_others_can_read_is_named_until_a_turn_closes_it(cli: Commands, sandbox: Sandbox) -> None:
    """What is open is named with its mode; to look changes nothing."""
    name = cli.planned()["session"]
    (cli.folder / "state").chmod(0o755)
    (cli.folder / "state" / "phasegate.db").chmod(0o644)
    found = check(cli, "store")
    assert found["state"] == "warning" and "phasegate.db (mode 644)" in found["what"] and "(mode 755)" in found["what"]
    assert "phasegate.db (mode 644)" in check(cli, "store")["what"]
    cli("advance", name)
    assert check(cli, "store")["state"] == "ok"


def test_an_old_sqlite_is_a_warning(cli: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the version that mends it."""
    monkeypatch.setattr(doctor, "LIBRARY", "3.51.2")
    found = check(cli, "sqlite")
    assert found["state"] == "warning" and found["what"] == "3.51.2" and "3.51.3" in found["hint"]


def test_a_store_that_is_none_is_bad(cli: Commands) -> None:
    """A file in its place, or a damaged one, is told with the next step."""
    (cli.folder / "state").mkdir(mode=0o700)
    (cli.folder / "state" / "phasegate.db").write_bytes(b"not a database, but long enough to be read as one" * 100)
    found = check(cli, "store")
    assert found["state"] == "bad" and "is not a database" in found["what"]


def test_a_damaged_store_is_bad(cli: Commands, sandbox: Sandbox) -> None:
    """Pages that were overwritten are found by the store's own check."""
    for _ in range(3):
        cli.planned()
    file = cli.folder / "state" / "phasegate.db"
    content = bytearray(file.read_bytes())
    for start in range(4096 * 2, len(content), 4096):
        content[start : start + 200] = b"\xff" * 200
    for suffix in ("-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    file.write_bytes(content)
    found = check(cli, "store")
    assert found["state"] == "bad" and "damaged" in found["what"] and "backup" in found["hint"]


def test_a_folder_that_cannot_be_written_is_bad(cli: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first start: the nearest folder that is there; root may write anywhere, so it is said for it."""
    monkeypatch.setattr(os, "access", lambda folder, mode: False)
    found = check(cli, "store")
    assert found["state"] == "bad" and str(cli.folder) in found["what"]


def test_a_bundle_with_faults_is_bad(cli: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first fault with its place, and how many more there are."""
    bundle = cli.folder / "bundle"
    bundle.mkdir()
    (bundle / "workflow.yaml").write_text("format: 1\nstart: x\n")
    monkeypatch.setenv("PHASEGATE_BUNDLE", str(bundle))
    found = check(cli, "bundle")
    assert found["state"] == "bad" and "workflow.yaml:1:1" in found["what"] and "more" in found["what"]
    assert "`workflow lint`" in found["hint"]
    assert "key" not in [each["name"] for each in cli("doctor", "--json").json["checks"]]


def test_a_key_is_found_and_never_shown(cli: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the variable, or from the file with its mode; an open file is closed, and that is said."""
    monkeypatch.setenv("ANYGEN_API_KEY", KEY)
    assert check(cli, "key") == {"name": "key", "state": "ok", "what": "present, from ANYGEN_API_KEY", "hint": ""}
    monkeypatch.delenv("ANYGEN_API_KEY")
    file = Path(os.environ["HOME"]) / ".config" / "anygen" / "config.json"
    file.parent.mkdir(parents=True)
    file.write_text(f'{{"api_key": "{KEY}"}}')
    file.chmod(0o644)
    found = check(cli, "key")
    assert found["state"] == "warning" and "(mode 644)" in found["what"] and "its mode is now 600" in found["hint"]
    found = check(cli, "key")
    assert found["state"] == "ok" and found["what"] == "present, from ~/.config/anygen/config.json (mode 600)"
    assert KEY[:10] not in cli("doctor", "--json").out


def test_a_key_that_cannot_be_one_is_bad(cli: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told what is wrong with it, and none of it."""
    monkeypatch.setenv("ANYGEN_API_KEY", f"{KEY} {KEY}")
    found = check(cli, "key")
    assert found["state"] == "bad" and KEY[:10] not in str(found)


def test_a_sandbox_is_reached_or_not(cli: Commands, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that runs answers; a free port, and an address that is none, are bad."""
    assert check(cli, "sandbox")["state"] == "ok"
    assert "sandbox sessions need none" in check(cli, "key")["hint"]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("PHASEGATE_SANDBOX", f"http://127.0.0.1:{port}")
    found = check(cli, "sandbox")
    assert (
        found["state"] == "bad"
        and "does not answer" in found["what"]
        and f"`workflow sandbox --port {port}`" in found["hint"]
    )
    monkeypatch.setenv("PHASEGATE_SANDBOX", "https://example.com")
    assert check(cli, "sandbox")["state"] == "bad"


def test_hosts_are_told_by_what_they_can(cli: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that can watch, one that cannot, and one that is unknown."""
    told: dict[str, Any] = {"openclaw": "in the background", "generic": "on request"}
    for host, words in told.items():
        monkeypatch.setenv("PHASEGATE_HOST", host)
        found = check(cli, "host")
        assert found["state"] == "ok" and words in found["what"]
    monkeypatch.setenv("PHASEGATE_HOST", "nowhere")
    found = check(cli, "host")
    assert found["state"] == "bad" and "PHASEGATE_HOST" in found["what"]


def test_gates_are_told_with_who_can_open_them(cli: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing set, something raised, nobody to prove it, somebody who can; never a part of a passphrase."""
    config = cli.folder / "config" / "config.toml"
    assert check(cli, "gates")["what"] == "all take what an agent relays"
    config.write_text('[gates]\nuser_approved = "proven"\n')
    found = check(cli, "gates")
    assert found["state"] == "warning" and "user_approved takes 'proven'; there is no approver" in found["what"]
    assert "workflow-admin approver add" in found["hint"]
    monkeypatch.setattr(approvers, "COST", 2**4)
    known = approvers.Approvers(config.parent, HandClock())
    known.add("alice", "harbour lamp on water", "2027-01-15T08:00:00.000Z")
    found = check(cli, "gates")
    assert (found["state"], found["what"]) == ("ok", f"user_approved takes 'proven'; approvers: alice. {WORTH}")
    known.file.chmod(0o644)
    assert "mode is now 600" in check(cli, "gates")["hint"]
    known.file.write_text("{")
    assert check(cli, "gates")["state"] == "bad"


def test_a_policy_that_changes_nothing_is_a_warning(cli: Commands) -> None:
    """A mistyped gate raises nothing."""
    (cli.folder / "config" / "config.toml").write_text('[gates]\nuser_aproved = "asked"\n')
    found = check(cli, "gates")
    assert (
        found["state"] == "warning" and "not a gate of this bundle" in found["what"] and "config.toml" in found["hint"]
    )


def test_clients_are_told_by_what_they_last_did_with_a_question(
    cli: Commands, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None without a store, none in a log without any; else each with its name and when that was."""
    assert check(cli, "clients")["what"] == "no MCP client seen yet"
    cli.planned()
    assert check(cli, "clients")["what"] == "no MCP client seen yet"
    found = [
        Client("newer 2.0", "2027-01-15T08:00:00.000Z", "a form was answered"),
        Client("older 1.0", "2027-01-14", "none"),
    ]
    monkeypatch.setattr(doctor, "seen", lambda entries: found if list(entries) else [])
    assert (
        check(cli, "clients")["what"]
        == "newer 2.0: a form was answered (2027-01-15 08:00 UTC); older 1.0: none (2027-01-14 UTC)"
    )


@pytest.mark.parametrize("name", [*PROXIES, *AUTHORITIES])
def test_a_variable_that_is_not_used_is_named_with_the_setting_that_counts(
    cli: Commands, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Its value is not shown, for it may hold a password; with the setting, nothing is said any more."""
    setting, value = ("proxy", "http://u:pass@127.0.0.1:3128") if name in PROXIES else ("ca_file", certifi.where())
    monkeypatch.setenv(name, value)
    found = check(cli, "network")
    assert (found["state"], found["what"]) == ("warning", f"{name} is set and not used")
    file = cli.folder / "config" / "config.toml"
    assert found["hint"] == f"Set `{setting}` in {file}, or PHASEGATE_{setting.upper()}."
    assert "pass@" not in cli("doctor", "--json").out
    file.write_text(f'{setting} = "{value}"\n', encoding="utf-8")
    assert "network" not in [each["name"] for each in cli("doctor", "--json").json["checks"]]
    file.write_text("", encoding="utf-8")
    monkeypatch.setenv(f"PHASEGATE_{setting.upper()}", value)
    assert "network" not in [each["name"] for each in cli("doctor", "--json").json["checks"]]


def test_variables_of_one_kind_are_one_line(cli: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the two kinds are two."""
    for name in ("HTTPS_PROXY", "ALL_PROXY", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, "x")
    found = [each["what"] for each in cli("doctor", "--json").json["checks"] if each["name"] == "network"]
    assert found == ["HTTPS_PROXY and ALL_PROXY are set and not used", "SSL_CERT_FILE is set and not used"]


def test_the_sandboxes_of_live_sessions_are_asked_for(
    cli: Commands, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also without PHASEGATE_SANDBOX: a session keeps the address that it began with."""
    cli.planned()
    monkeypatch.delenv("PHASEGATE_SANDBOX")
    assert check(cli, "sandbox")["what"] == f"{sandbox.url} of 1 live session answers"
    with gone(sandbox):
        found = check(cli, "sandbox")
    assert (found["state"], found["what"]) == ("warning", f"{sandbox.url} of 1 live session does not answer")
    assert found["hint"] == f"Start it with `workflow sandbox --port {sandbox.url.rpartition(':')[2]}`."


def test_without_a_file_of_settings_the_variable_is_named(tmp_path: Path) -> None:
    """A user without a home has none."""
    (found,) = ignored({"ALL_PROXY": "x"}, replace(settings_in(tmp_path), file=None))
    assert found.remedy == "Set PHASEGATE_PROXY."


def test_nothing_misses_a_key_that_is_not_needed(
    cli: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`doctor` and `config` say that none is sent, and warn of nothing."""
    folder = write(tmp_path / "guarded", "then", HOLDS)
    monkeypatch.setenv("PHASEGATE_BUNDLE", str(folder))
    found = check(cli, "key")
    assert (found["state"], found["what"]) == ("ok", "the bundle names none: requests to its service carry no key")
    assert cli("config", "--json").json["key"]["problem"] is None
