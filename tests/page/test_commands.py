"""The commands of the page: what they print, what they serve, and how they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.cli.conftest import Commands, cli
from workflow.local.approvers import Approvers
from workflow.local.browsers import Browsers
from workflow.local.clock import SystemClock
from workflow.local.tokens import Tokens
from workflow.web.front import POLICY

__all__ = ["cli"]
ROOT = Path(__file__).parents[2]


@contextmanager
def running(folder: Path, *command: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A command that serves, and the first line that it prints."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT)}
    started = [sys.executable, "-W", "error", "-m", "workflow", *command, "--port", "0"]
    process = subprocess.Popen(started, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ)
    try:
        assert process.stdout is not None and process.stderr is not None
        line = process.stdout.readline()
        yield process, line.strip() or process.stderr.read()
    finally:
        process.kill()
        process.communicate()


def test_the_page_of_one_user(tmp_path: Path) -> None:
    """It prints a link, which signs one browser in; the inbox is empty; a signal ends it with 0."""
    with running(tmp_path, "page") as (process, line):
        assert line.startswith("open http://localhost:"), line
        link = line.removeprefix("open ")
        base = link.partition("/pair")[0]
        with httpx2.Client(trust_env=False, base_url=base) as browser:
            assert "workflow page" in browser.get("/").text
            assert "signs this browser in" in browser.get(link).text
            came = browser.post("/pair", data={"link": link.partition("=")[2]}, headers={"origin": base})
            assert came.status_code == 303 and "Nothing waits for you" in browser.get("/").text
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "") and "Ctrl-C ends it" in err and "page:" not in err


def test_the_broker_serves_it_beside_its_tools(tmp_path: Path) -> None:
    """One address: the tools need their token as before, and the page shows a stranger how to sign in."""
    Tokens(tmp_path / ".config/phasegate").new("agent", "agent", "2026-01-01T00:00:00.000Z")
    with running(tmp_path, "serve") as (_, line):
        url = line.removeprefix("serving ")
        base = url.removesuffix("/mcp")
        with httpx2.Client(trust_env=False, base_url=base) as client:
            assert client.get("/health").json() == {"ok": True}
            assert client.post("/mcp").status_code == 401
            door = client.get("/")
            assert door.status_code == 200 and "workflow-admin page --approver NAME" in door.text
            assert door.headers["content-security-policy"] == POLICY["content-security-policy"]
            assert client.get("/anything").status_code == 403


def test_a_link_is_made_for_an_approver(cli: Commands) -> None:
    """It is printed alone on standard output; whose it is stands beside it."""
    Approvers(cli.folder / "config", SystemClock()).add("alice", "correct horse battery", "2026-01-01T00:00:00.000Z")
    made = cli.admin("page", "--approver", "alice", "--at", "https://gate.example/")
    assert made.code == 0 and made.out.startswith("https://gate.example/pair?link=") and "alice" in made.err
    link = Browsers(cli.folder / "config", SystemClock()).link(made.out.strip().partition("=")[2])
    assert link is not None and (link.person, link.scope) == ("alice", "approver")
    assert "localhost:8760" in cli.admin("page", "--approver", "alice").out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "nobody is named who would answer"),
        (("--approver", "bob"), "there is no approver 'bob'"),
        (("--scope", "auditor", "--at", "gate.example"), "is not the address of a page"),
        (("--scope", "auditor", "--at", "https://x@gate.example"), "is not the address of a page"),
        (("--scope", "auditor", "--at", "https://gate.example/x"), "is not the address of a page"),
    ],
    ids=str,
)
def test_a_link_that_cannot_be_made(cli: Commands, arguments: tuple[str, ...], why: str) -> None:
    """Nobody in particular, somebody unknown, and an address that is none."""
    ended = cli.admin("page", *arguments)
    assert ended.code == 2 and why in ended.why


def test_browsers_are_listed_and_revoked(cli: Commands) -> None:
    """By id; one that is not there is named."""
    known = Browsers(cli.folder / "config", SystemClock())
    assert "No browser is signed in" in cli.admin("browser", "list").out
    _, paired = known.pair(known.invite("alice"), "Phone\u202e 1") or ("", None)
    assert paired is not None
    listed = cli.admin("browser", "list").out
    assert paired.id in listed and "\u202e" not in listed
    assert cli.admin("browser", "revoke", paired.id).code == 0 and known.listed() == ()
    gone = cli.admin("browser", "revoke", paired.id)
    assert gone.code == 2 and "is signed in" in gone.why


def test_without_its_packages_it_says_how_to_get_them(cli: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named, by both commands."""
    for module in [name for name in sys.modules if name.startswith(("workflow.web", "segno", "jinja2"))]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    monkeypatch.setitem(sys.modules, "segno", None)
    for ended in (cli("page", "--port", "0"), cli.admin("page", "--scope", "auditor")):
        assert ended.code == 2 and "as the extra 'web': `" in ended.why
