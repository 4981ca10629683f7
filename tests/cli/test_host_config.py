"""``--print-config``: what each host is told, so that its server finds what the user has set here."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Commands, cli
from workflow.cli.agent.host_config import ALL, HOSTS, NAME, SHELL, TOKEN, command
from workflow.local.settings import carried, read_settings
from workflow.machine.hosts import check_host
from workflow.model.errors import CredentialsError, UsageError
from workflow.service.key import read_key

__all__ = ["cli"]
KEY = "ag_key_of_the_user_0123456789"
SANDBOX = "http://127.0.0.1:8765"
PLAIN = {
    "PHASEGATE_STATE": "/srv/pg/state",
    "PHASEGATE_BUNDLE": "/srv/pg/bundle",
    "PHASEGATE_LANGUAGE": "zh-CN",
    "PHASEGATE_PROFILE": "work",
    "PHASEGATE_PROXY": "http://127.0.0.1:3128",
    "PHASEGATE_CA_FILE": "/srv/pg/ca.pem",
    "PHASEGATE_LEDGER": "/srv/pg/ledger",
    "PHASEGATE_STORE": "postgresql://pg.example/phasegate",
    "PHASEGATE_SANDBOX": SANDBOX,
}


@pytest.fixture(autouse=True)
def own_home(cli: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own surroundings are none of these tests' business."""
    for name in (*PLAIN, "ANYGEN_API_KEY", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(cli.folder))


def parsed(host: str, text: str) -> tuple[list[str], dict[str, str]]:
    """The command and the variables that an entry names, as the host reads them."""
    if host == "codex":
        words = shlex.split(text)
        return words[words.index("--") + 1 :], pairs(words, "--env")
    if host == "gemini-cli":
        words = shlex.split(text)
        return words[words.index(NAME) + 1 :], pairs(words, "--env")
    entry = entry_of(host, text)
    return [entry["command"], *entry["args"]], entry.get("env", {})


def entry_of(host: str, text: str) -> dict[str, Any]:
    """The JSON of an entry."""
    found: dict[str, Any] = json.loads(shlex.split(text)[-1] if HOSTS[host].place == SHELL else text)
    return found.get("mcpServers", {NAME: found})[NAME]  # type: ignore[no-any-return]


def pairs(words: list[str], option: str) -> dict[str, str]:
    """What follows each ``option`` on a line."""
    given = [words[at + 1] for at, word in enumerate(words) if word == option]
    return dict(each.split("=", 1) for each in given)


@pytest.mark.parametrize("host", HOSTS)
def test_an_entry_starts_this_installation_with_what_is_set(
    cli: Commands, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """The whole path of the command, the host's own name, and each variable that decides something."""
    monkeypatch.setenv("PHASEGATE_STATE", "~/moved")
    ended = cli("mcp", "--print-config", host, "--sandbox", SANDBOX)
    assert ended.code == 0, ended.out
    started, env = parsed(host, ended.out)
    assert Path(started[0]).is_absolute() and started[: len(command())] == list(command())
    assert started[len(command()) :] == ["mcp", *(["--host", host] if host != "generic" else [])]
    assert env["PHASEGATE_STATE"] == str(cli.folder / "moved") and env["PHASEGATE_SANDBOX"] == SANDBOX
    assert "sandbox at" in ended.err and check_host(host)


@pytest.mark.parametrize("host", HOSTS)
def test_a_key_goes_by_name_alone(cli: Commands, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """Its value is never printed; a host that does not hand it on is said to, with what to do."""
    monkeypatch.setenv("ANYGEN_API_KEY", KEY)
    ended = cli("mcp", "--print-config", host)
    assert KEY not in ended.out + ended.err and "is real: its calls reach https://" in " ".join(ended.err.split())
    passed = parsed(host, ended.out)[1].get("ANYGEN_API_KEY")
    known, told = HOSTS[host], " ".join(ended.err.split())
    assert passed == (known.refers.format("ANYGEN_API_KEY") or None)
    if passed or known.hands_on == ALL:
        assert "The key is read from ANYGEN_API_KEY." in told and "hands ANYGEN_API_KEY on" in told
    else:
        assert "There is no key in ANYGEN_API_KEY or " in told and "workflow-admin api config set" in told


def test_a_sandbox_needs_no_key(cli: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the entry does not name its variable."""
    monkeypatch.setenv("ANYGEN_API_KEY", KEY)
    assert "ANYGEN_API_KEY" not in cli("mcp", "--print-config", "openclaw", "--sandbox", SANDBOX).out


def test_all_variables_behind_the_settings_are_carried(tmp_path: Path) -> None:
    """With them alone, another process reads the same settings; paths are whole."""
    for name in PLAIN:
        assert carried({name: PLAIN[name]}) == {name: PLAIN[name]}
    home = {"HOME": str(tmp_path)}
    assert read_settings({**home, **PLAIN}) == read_settings({**home, **carried(PLAIN)})
    written = {"PHASEGATE_BUNDLE": "~/tea", "PHASEGATE_STATE": "~/s", "XDG_STATE_HOME": "x", "PHASEGATE_HOST": "codex"}
    whole = {"PHASEGATE_BUNDLE": f"{tmp_path}/tea", "PHASEGATE_STATE": f"{tmp_path}/s"}
    assert carried({**home, **written}) == whole
    assert carried({"XDG_STATE_HOME": "/srv/x"}) == {"XDG_STATE_HOME": "/srv/x"}


def test_every_setting_has_a_variable_here() -> None:
    """A new setting is carried over, or fails here."""
    tables = {"file", "settings", "gates", "limits", "sources"}
    texts = set(read_settings({"HOME": "/nowhere"}).__annotations__) - tables
    assert {f"PHASEGATE_{name.upper()}" for name in texts} == {*PLAIN, "PHASEGATE_HOST"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PHASEGATE_PROXY", "http://me:secret@127.0.0.1:3128"),
        ("PHASEGATE_STORE", "postgresql://me:secret@pg.example/phasegate"),
        ("PHASEGATE_STORE", "postgresql://pg.example/phasegate?password=secret"),
    ],
)
def test_a_login_is_not_written_into_another_programs_file(
    cli: Commands, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """The way out is named."""
    monkeypatch.setenv(name, value)
    why = cli("mcp", "--print-config", "codex").why
    assert name in why and "config.toml" in why and "secret" not in why


@pytest.mark.parametrize("value", ["/srv/$HOME/x", "/srv/a\nb"])
def test_what_a_host_would_change_is_not_printed(cli: Commands, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """A dollar sign is a variable there, and a line break ends the line."""
    monkeypatch.setenv("PHASEGATE_STATE", value)
    assert "cannot stand in an entry" in cli("mcp", "--print-config", "cursor").why


@pytest.mark.parametrize("name", [*PLAIN, "PHASEGATE_CONFIG"])
def test_a_placeholder_that_nobody_filled_in_is_no_setting(name: str) -> None:
    """Hosts hand on `${NAME}` as it stands where they know no such variable."""
    with pytest.raises(UsageError, match=f"{name} is .*did not fill in"):
        read_settings({"HOME": "/nowhere", name: f"${{{name}}}"})


def test_a_placeholder_that_nobody_filled_in_is_no_key(tmp_path: Path) -> None:
    """It is not sent, and a file beside it is not taken instead without a word."""
    with pytest.raises(CredentialsError, match="ANYGEN_API_KEY is a placeholder"):
        read_key("ANYGEN_API_KEY", "~/key.json", {"ANYGEN_API_KEY": "${ANYGEN_API_KEY}"}, tmp_path)


@pytest.mark.parametrize("host", HOSTS)
def test_an_entry_calls_a_broker_with_a_token_by_name(cli: Commands, host: str) -> None:
    """Each host is told the transport, where it would take another one by itself."""
    ended = cli("serve", "--port", "8761", "--print-config", host)
    assert ended.code == 0 and TOKEN in ended.err and "http://127.0.0.1:8761/mcp" in ended.out
    if host == "codex":
        assert shlex.split(ended.out)[-2:] == ["--bearer-token-env-var", TOKEN]
    elif host == "gemini-cli":
        assert "--transport http" in ended.out and f"Bearer ${{{TOKEN}}}" in ended.out
    else:
        entry = entry_of(host, ended.out)
        assert entry["type"] == "http" and TOKEN in entry["headers"]["Authorization"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("--bind", "::1"), "http://[::1]:8760/mcp"),
        (("--bind", "0.0.0.0", "--allow-host", "broker.example"), "http://broker.example:8760/mcp"),
    ],
)
def test_the_address_is_the_one_that_clients_call(cli: Commands, given: tuple[str, ...], expected: str) -> None:
    """A further name counts before an address that only the server uses."""
    assert expected in cli("serve", *given, "--print-config", "generic").out


@pytest.mark.parametrize("given", [("--bind", "0.0.0.0"), ("--port", "0")])
def test_an_address_that_nobody_can_call_is_not_printed(cli: Commands, given: tuple[str, ...]) -> None:
    """The way out is named."""
    why = cli("serve", *given, "--print-config", "generic").why
    assert "--allow-host" in why or "with --port" in why


def test_a_sandbox_alone_is_for_the_entry(cli: Commands) -> None:
    """A server reads it from its environment."""
    assert "PHASEGATE_SANDBOX" in cli("mcp", "--sandbox", SANDBOX).why


def test_the_command_is_the_one_that_was_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By its whole path; where it was started otherwise, this Python, whose working directory is no code."""
    script = tmp_path / "workflow"
    script.write_text("#!/bin/sh\n", encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["./workflow"])
    assert command() == (str(script),)
    monkeypatch.setattr(sys, "argv", ["/somewhere/__main__.py"])
    assert command() == (sys.executable, "-P", "-m", "workflow")
