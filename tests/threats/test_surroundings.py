"""What surrounds a process: poisoned variables and files of the user's, and umasks; in real processes."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from phases.anygen.sandbox import Sandbox
from tests.playing import configuration
from tests.promises.conftest import copied as copied
from tests.promises.conftest import sandbox as sandbox
from workflow.compose import connect
from workflow.local.settings import read_settings

ROOT = Path(__file__).parents[2]
KEY = "sk-ag-7f3a9c2e11aa4b66d0"
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
AUTHORITIES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "PIP_CERT")


class Thief:
    """Listens, and counts who came."""

    def __init__(self) -> None:
        self.came: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            line, _ = self._socket.accept()
            with line:
                line.settimeout(1)
                said = line.recv(65536)
            if said == b"end":
                return
            self.came.append(said)

    def close(self) -> None:
        """Stop listening."""
        with socket.create_connection(self._socket.getsockname()) as line:
            line.sendall(b"end")
        self._thread.join()
        self._socket.close()


@pytest.fixture
def thief() -> Iterator[Thief]:
    """A listener where nobody has any business."""
    listening = Thief()
    yield listening
    listening.close()


def environ(home: Path, **more: str) -> dict[str, str]:
    """What a process gets to see, and nothing of the one that runs the tests."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG")}
    return {**kept, "HOME": str(home), "PYTHONPATH": str(ROOT), "PHASEGATE_STATE": str(home / "state"), **more}


def command(
    *arguments: str,
    home: Path,
    program: str = "workflow",
    umask: int = -1,
    stdin: str = "",
    variables: Mapping[str, str] | None = None,
) -> str:
    """The standard output of a command in a process of its own."""
    start = "import sys; from workflow.cli.{} import main; sys.argv[0] = '{}'; main()"
    module = "people.admin" if program == "workflow-admin" else "app"
    ended = subprocess.run(
        [sys.executable, "-c", start.format(module, program), *arguments],
        input=stdin.encode(),
        capture_output=True,
        env=environ(home, **(variables or {})),
        cwd=home,
        timeout=60,
        umask=umask,
    )
    assert b"Traceback" not in ended.stderr
    return ended.stdout.decode()


@pytest.mark.rule("R7", "R8")
def test_poisoned_netrc_proxy_and_authorities(tmp_path: Path, copied: Path, sandbox: Sandbox, thief: Thief) -> None:
    """Every variable and file that other clients heed leads to a thief: the service alone is asked, with our key."""
    host = thief.url.removeprefix("http://")
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login thief password stolen\ndefault login a password b\n")
    (tmp_path / ".netrc").chmod(0o600)
    (tmp_path / ".curlrc").write_text(f"proxy = {host}\n")
    (tmp_path / "none.pem").write_text("")
    poison = {**dict.fromkeys(PROXIES, thief.url), **dict.fromkeys(AUTHORITIES, str(tmp_path / "none.pem"))}
    poison |= {"NETRC": str(tmp_path / ".netrc"), "SSLKEYLOGFILE": str(tmp_path / "secrets"), "NO_PROXY": ""}
    poison |= {"REQUESTS_METHOD": "GET", "PYTHONHTTPSVERIFY": "0", "ANYGEN_BASE_URL": thief.url}
    given = json.dumps({"input": {"words": "A poster"}})
    poison |= {"ANYGEN_API_KEY": KEY}
    out = command("start", "--bundle", str(copied), "--input", "-", home=tmp_path, stdin=given, variables=poison)
    assert json.loads(out)["state"] == "understand.asking"
    assert thief.came == []
    assert [each.headers["authorization"] for each in sandbox.requests] == [f"Bearer {KEY}"]
    assert not (tmp_path / "secrets").exists()


def test_proxy_and_authorities_by_our_own_settings_alone(
    tmp_path: Path, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`proxy` and `ca_file` of the configuration count for the service, and never for a sandbox."""
    from workflow.bundle import open_bundle

    for name in (*PROXIES, *AUTHORITIES):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    bundle = open_bundle(copied)
    file = configuration(tmp_path)
    variables = {"HOME": str(tmp_path), "PHASEGATE_CONFIG": str(file), "ANYGEN_API_KEY": KEY}

    def made(sandboxed: str | None) -> tuple[object, object]:
        service = connect(bundle, sandboxed, read_settings(variables), variables).service
        return vars(service)["_proxy"], vars(service)["_ca_file"]

    assert made(None) == (None, None)
    file.write_text('proxy = "http://proxy.example:3128"\nca_file = "/etc/own.pem"\n', encoding="utf-8")
    assert made(None) == ("http://proxy.example:3128", "/etc/own.pem")
    assert made("http://127.0.0.1:8765") == (None, None)
    variables["PHASEGATE_PROXY"] = "http://other.example:3128"
    assert made(None)[0] == "http://other.example:3128"


@pytest.mark.rule("R5")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_file_modes_under_any_umask(tmp_path: Path, copied: Path, sandbox: Sandbox, umask: int) -> None:
    """What a run and the setting of a key leave behind can be read by their owner alone, folders included."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    given = json.dumps({"input": {"words": "A poster"}})
    command("api", "--bundle", str(copied), "config", "set", "api_key", home=home, program="workflow-admin",
            umask=umask, stdin=KEY)  # fmt: skip
    out = command("start", "--bundle", str(copied), "--input", "-", home=home, umask=umask, stdin=given)
    assert json.loads(out)["state"] == "understand.asking"
    command("status", json.loads(out)["session"], home=home, umask=umask)
    made = {path.relative_to(home).as_posix(): stat.S_IMODE(path.lstat().st_mode) for path in home.rglob("*")}
    ours = {name: mode for name, mode in made.items() if not name.startswith((".cache", ".config/phasegate"))}
    assert {".config/anygen/config.json", "state/phasegate.db"} <= set(ours)
    wide = {name: oct(mode) for name, mode in ours.items() if mode & 0o077 and name != ".config"}
    assert wide == {}
