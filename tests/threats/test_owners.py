"""Files and folders that somebody else owns, can write, or could exchange: one check, for each of them alike."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from phases.anygen.config import Config
from phases.anygen.sandbox import Sandbox
from tests.playing import HandClock, configuration
from tests.promises.conftest import REFERENCE
from tests.promises.conftest import sandbox as sandbox
from workflow.cli.agent import doctor
from workflow.cli.agent.check import Check
from workflow.cli.app import run, workflow
from workflow.local import private
from workflow.local.approvers import Approvers
from workflow.local.private import check_folder, private_folder
from workflow.local.secret import secret
from workflow.local.settings import read_settings
from workflow.local.tokens import Tokens
from workflow.model.errors import StoreError, UsageError, WorkflowError
from workflow.service.http import tls_context
from workflow.service.key import read_key
from workflow.store.sqlite import SqliteStore

ROOT = Path(__file__).resolve().parents[2]
SOMEBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")


class Guarded(NamedTuple):
    """A file that is checked: how it is made, how it is used, and whether root may own it for another user."""

    make: Callable[[Path], Path]
    use: Callable[[Path], object]
    links: bool = True
    """Whether a link to it is followed."""


def _written(folder: Path, name: str, content: str) -> Path:
    file = folder / name
    file.write_text(content, encoding="utf-8")
    file.chmod(0o600)
    return file


def _token(folder: Path) -> Path:
    Tokens(folder).new("real", "agent", "2027-01-15T08:00:00.000Z")
    return folder / "tokens.json"


def _secret(folder: Path) -> Path:
    secret(folder, "mcp.key")
    return folder / "mcp.key"


def _store(folder: Path) -> Path:
    SqliteStore(folder).close()
    return folder / "phasegate.db"


def _certificates(folder: Path) -> Path:
    import certifi

    return _written(folder, "own.pem", Path(certifi.where()).read_text(encoding="utf-8"))


def _key(folder: Path) -> Path:
    (folder / ".config" / "anygen").mkdir(parents=True)
    return _written(folder / ".config" / "anygen", "config.json", '{"api_key": "sk-of-the-user"}')


GUARDED: Mapping[str, Guarded] = {
    "configuration": Guarded(configuration, lambda file: read_settings({"PHASEGATE_CONFIG": str(file)})),
    "certificates": Guarded(_certificates, lambda file: tls_context(str(file))),
    "approvers": Guarded(
        lambda folder: _written(folder, "approvers.json", '{"v": 1, "approvers": {}}'),
        lambda file: Approvers(file.parent, HandClock()).known(),
    ),
    "tokens": Guarded(_token, lambda file: Tokens(file.parent).listed(), links=False),
    "secret": Guarded(_secret, lambda file: secret(file.parent, file.name), links=False),
    "key": Guarded(_key, lambda file: read_key(None, str(file), {}, file.parent)),
    "key, to change it": Guarded(_key, lambda file: Config(file.parents[2]).get("other", {})),
    "database": Guarded(_store, lambda file: SqliteStore(file.parent).close(), links=False),
}


def _by_somebody(file: Path) -> None:
    os.chown(file, SOMEBODY, SOMEBODY)


def _instead(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def replace(file: Path) -> None:
        file.unlink()
        make(file)

    return replace


def _in_an_open_folder(mode: int, owner: int = 0) -> Callable[[Path], None]:
    def open_it(file: Path) -> None:
        file.parent.chmod(mode)
        if owner:
            os.chown(file.parent, owner, owner)

    return open_it


HARM: Mapping[str, tuple[Callable[[Path], None], str]] = {
    "writable by all": (lambda file: file.chmod(0o666), "can be written by other users (mode 666)"),
    "writable by the group": (lambda file: file.chmod(0o660), "can be written by other users (mode 660)"),
    "writable by others alone": (lambda file: file.chmod(0o602), "can be written by other users (mode 602)"),
    "a dangling link": (_instead(lambda file: file.symlink_to("/nonexistent/file")), ""),
    "a loop of links": (_instead(lambda file: file.symlink_to(file)), ""),
    "a pipe": (_instead(os.mkfifo), "is not a "),
    "a folder": (_instead(os.mkdir), "is not a "),
    "in a folder that is writable by all": (_in_an_open_folder(0o777), "can be written by other users (mode 777)"),
}
HARM_BY_ROOT: Mapping[str, tuple[Callable[[Path], None], str]] = {
    "somebody else's": (_by_somebody, "belongs to another user (uid 65534)"),
    "in somebody else's folder": (_in_an_open_folder(0o755, SOMEBODY), "belongs to another user (uid 65534)"),
    "in somebody else's folder with the sticky bit": (_in_an_open_folder(0o1777, SOMEBODY), "another user"),
}


@pytest.mark.parametrize("name", GUARDED)
def test_each_is_used_where_it_is_the_users_own(tmp_path: Path, name: str) -> None:
    """The control: nothing is wrong with what the user made, nor with a copy that only they and root can read."""
    guarded = GUARDED[name]
    guarded.use(guarded.make(tmp_path))


@pytest.mark.parametrize("harm", HARM)
@pytest.mark.parametrize("name", GUARDED)
def test_what_somebody_else_could_have_written_stops(tmp_path: Path, name: str, harm: str) -> None:
    """Each file, with each thing that can be wrong with it: an error with the reason and a next step."""
    _check_refused(tmp_path, GUARDED[name], *HARM[harm])


@as_root
@pytest.mark.parametrize("harm", HARM_BY_ROOT)
@pytest.mark.parametrize("name", GUARDED)
def test_what_belongs_to_somebody_else_stops(tmp_path: Path, name: str, harm: str) -> None:
    """Whatever its mode: its owner can change it at any time."""
    _check_refused(tmp_path, GUARDED[name], *HARM_BY_ROOT[harm])


def _check_refused(folder: Path, guarded: Guarded, harm: Callable[[Path], None], reason: str) -> None:
    file = guarded.make(folder)
    harm(file)
    before = os.lstat(file)
    with pytest.raises(WorkflowError) as caught:
        guarded.use(file)
    assert reason in caught.value.message and caught.value.hint, caught.value
    after = os.lstat(file)
    assert (before.st_mode, before.st_uid, before.st_ino) == (after.st_mode, after.st_uid, after.st_ino)


@pytest.mark.parametrize("name", [name for name, each in GUARDED.items() if each.links])
def test_a_link_of_the_users_own_is_followed(tmp_path: Path, name: str) -> None:
    """People keep their settings elsewhere: link and target are both looked at."""
    guarded = GUARDED[name]
    file = guarded.make(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    file.rename(elsewhere / "file")
    file.symlink_to("elsewhere/file" if file.parent == tmp_path else elsewhere / "file")
    guarded.use(file)
    elsewhere.chmod(0o777)
    with pytest.raises(WorkflowError, match="elsewhere"):
        guarded.use(file)


def test_a_folder_of_everybody_leaves_each_file_to_its_owner(tmp_path: Path) -> None:
    """The sticky bit, as on the folder of temporary files: nobody can exchange another's entry."""
    file = configuration(tmp_path / "mine")
    tmp_path.chmod(0o1777)
    assert read_settings({"PHASEGATE_CONFIG": str(file)}).file == file


@as_root
def test_a_link_that_somebody_else_made_is_not_followed(tmp_path: Path) -> None:
    """Whoever owns a link in a folder of everybody decides where it leads."""
    file = configuration(tmp_path / "mine")
    tmp_path.chmod(0o1777)
    link = tmp_path / "link.toml"
    link.symlink_to(file)
    os.lchown(link, SOMEBODY, SOMEBODY)
    with pytest.raises(UsageError, match="belongs to another user"):
        read_settings({"PHASEGATE_CONFIG": str(link)})


@as_root
@pytest.mark.parametrize("name", GUARDED)
def test_root_is_believed_about_the_configuration_alone(name: str) -> None:
    """An administrator may write a user's configuration and certificates; what only its owner reads is the owner's."""
    with tempfile.TemporaryDirectory() as made:  # pytest's own folders are closed to others
        folder = Path(made)
        file = GUARDED[name].make(folder)
        GUARDED[name].use(file)  # imports what it needs while it may
        for place in (folder, *folder.rglob("*")):
            os.chown(place, SOMEBODY, SOMEBODY)
        os.chown(file, 0, 0)
        file.chmod(0o644)
        told = _as_somebody(lambda: GUARDED[name].use(file))
    if name in ("configuration", "certificates"):
        assert told == ""
    else:
        assert "belongs to another user (uid 0)" in told


def _as_somebody(act: Callable[[], object]) -> str:
    """What refused it to another user, empty if nothing did; in a child, which gives root up."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        told = ""
        try:
            os.setresuid(SOMEBODY, SOMEBODY, SOMEBODY)
            act()
        except BaseException as error:
            told = repr(error)
        finally:
            os.write(theirs, told.encode())
            os._exit(0)
    os.close(theirs)
    os.waitpid(child, 0)
    with open(ours, encoding="utf-8") as said:
        return said.read()


NAMED = ["nowhere.toml", "nowhere/config.toml", "config.toml/below", "/dev/null", "."]


@pytest.mark.parametrize("named", NAMED)
def test_a_configuration_that_was_named_is_there(tmp_path: Path, named: str) -> None:
    """A mistyped name must not open a gate that its user raised."""
    configuration(tmp_path)
    with pytest.raises(UsageError) as caught:
        read_settings({"PHASEGATE_CONFIG": str(tmp_path / named), "HOME": str(tmp_path)})
    assert str(tmp_path / named) in caught.value.message and caught.value.hint


def test_a_configuration_that_nobody_named_may_be_absent(tmp_path: Path) -> None:
    """Most users have none: the defaults apply."""
    assert read_settings({"HOME": str(tmp_path)}).gates == {}


@pytest.mark.parametrize("link", ["config.toml", "phasegate", ".config"])
def test_a_default_that_is_a_dangling_link_is_not_absent(tmp_path: Path, link: str) -> None:
    """The disk with the configuration is not mounted: its gates count all the same, so that everything stops."""
    place = tmp_path / ".config" / "phasegate" / "config.toml"
    way = {"config.toml": place, "phasegate": place.parent, ".config": place.parent.parent}[link]
    way.parent.mkdir(parents=True, exist_ok=True)
    way.symlink_to("/nonexistent/disk")
    with pytest.raises(UsageError, match="which does not exist"):
        read_settings({"HOME": str(tmp_path)})


def test_a_state_folder_behind_a_dangling_link_is_not_made(tmp_path: Path) -> None:
    """A new store in its place would forget what was paid."""
    (tmp_path / "state").symlink_to(tmp_path / "unmounted")
    with pytest.raises(StoreError, match="which does not exist"):
        SqliteStore(tmp_path / "state")
    assert not (tmp_path / "unmounted").exists()


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_state_folder_that_others_can_write_stops(tmp_path: Path, mode: int) -> None:
    """What is in it may be theirs; it is neither used nor closed."""
    state = tmp_path / "state"
    state.mkdir()
    state.chmod(mode)
    for act in (lambda: SqliteStore(state), lambda: private_folder(state), lambda: check_folder(state)):
        with pytest.raises(StoreError, match="can be written by other users") as caught:
            act()
        assert f"chmod go-w {state}" in caught.value.hint
    assert list(state.iterdir()) == [] and stat.S_IMODE(state.stat().st_mode) == mode


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_no_token_is_made_where_others_can_write(tmp_path: Path, mode: int) -> None:
    """They could exchange the file for one with a token of their own."""
    config = tmp_path / "config"
    config.mkdir()
    config.chmod(mode)
    with pytest.raises(StoreError, match="can be written by other users"):
        _token(config)
    assert list(config.iterdir()) == [] and stat.S_IMODE(config.stat().st_mode) == mode


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
def test_a_log_that_others_can_write_stops_the_store(tmp_path: Path, suffix: str) -> None:
    """SQLite would play it back into the database."""
    planted = _store(tmp_path).with_name(f"phasegate.db{suffix}")
    planted.write_bytes(b"")
    planted.chmod(0o666)
    with pytest.raises(StoreError, match="can be written by other users"):
        SqliteStore(tmp_path)


def test_a_copy_that_is_the_same_file_stops_both(tmp_path: Path) -> None:
    """Linked instead of copied, a database gets a log for each name, and what one acknowledged the other would lose."""
    own, copy = tmp_path / "own", tmp_path / "copy"
    SqliteStore(own).close()
    shutil.copytree(own, copy, copy_function=os.link)
    for folder in (own, copy):
        with pytest.raises(StoreError, match=r"is known by 2 names \(hard links\)"):
            SqliteStore(folder)
    shutil.rmtree(copy)
    SqliteStore(own).close()


def test_an_owner_outside_of_the_user_namespace_is_no_neighbour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a rootless container ``/`` belongs to nobody who could act there; an unreadable table decides nothing."""
    rows = tmp_path / "uid_map"
    rows.write_text("      1000       1000          1\n")
    monkeypatch.setattr(private, "_UID_MAP", str(rows))
    assert private._outside(SOMEBODY) and not private._outside(1000)
    rows.write_text("nonsense\n")
    assert not private._outside(SOMEBODY)
    rows.unlink()
    assert not private._outside(SOMEBODY)


# --- the check itself raises ---------------------------------------------------------------------------

PLACES = ["look_along", "_check_parent", "check_file", "_check_folder"]


@pytest.mark.parametrize("raised", [RuntimeError("here"), MemoryError(), ValueError("here"), KeyError("here")])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", GUARDED)
def test_a_check_that_raises_lets_nothing_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, place: str, raised: Exception
) -> None:
    """It raises here: then what it guards is not used, whatever it is that was raised."""
    file = GUARDED[name].make(tmp_path)

    def fail(*given: object, **named: object) -> bool:
        raise raised

    used = _uses(name, place)
    monkeypatch.setattr(private, place, fail)
    if not used:
        return
    with pytest.raises((WorkflowError, type(raised))):
        GUARDED[name].use(file)


def _uses(name: str, place: str) -> bool:
    """Whether this part of the check has anything to do for this file."""
    return place != "_check_folder" or name in ("database", "secret")


@pytest.mark.parametrize("place", PLACES)
def test_a_turn_whose_check_raises_opens_and_pays_nothing(
    tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    """The whole command: an error without a traceback, no gate, no call; afterwards the session is as it was."""
    environ = {"PHASEGATE_STATE": tmp_path / "state", "PHASEGATE_SANDBOX": sandbox.url}
    environ["PHASEGATE_CONFIG"] = configuration(tmp_path / "config")
    for name, value in environ.items():
        monkeypatch.setenv(name, str(value))

    def turn(*words: str, content: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        file = tmp_path / "turn.json"
        file.write_text(json.dumps(content), encoding="utf-8")
        code = run(workflow, [*words, "--json", "--input-file", str(file)], "workflow")
        return code, json.loads(capsys.readouterr().out)

    _, begun = turn("start", "--bundle", str(REFERENCE), content={"input": {"words": "A poster"}})
    sent = [request.path for request in sandbox.requests]
    evidence = {"evidence": {"quote": "yes, go ahead"}, "seen": begun["seen"]}

    def fail(*given: object, **named: object) -> bool:
        raise RuntimeError("here")

    with monkeypatch.context() as broken:
        broken.setattr(private, place, fail)
        code, reply = turn("advance", begun["session"], "approve", content=evidence)
    assert code != 0 and not reply["ok"] and [request.path for request in sandbox.requests] == sent
    run(workflow, ["status", begun["session"], "--json"], "workflow")
    assert json.loads(capsys.readouterr().out)["receipt"] == begun["receipt"]


# --- what doctor says ----------------------------------------------------------------------------------


def _doctor(environ: Mapping[str, Any]) -> dict[str, Check]:
    return {check.name: check for check in doctor.examine({name: str(value) for name, value in environ.items()})}


@as_root
def test_doctor_never_says_that_a_foreign_store_is_closed(tmp_path: Path) -> None:
    """The folder is open to its owner whatever we do; before there is a store as well as afterwards."""
    state = tmp_path / "state"
    environ = {"HOME": tmp_path, "PHASEGATE_STATE": state}
    for make in (state.mkdir, lambda: _store(state)):
        make()
        os.chown(state, SOMEBODY, SOMEBODY)
        check = _doctor(environ)["store"]
        assert check.state == "bad" and "belongs to another user" in check.what and "closed" not in check.hint
        os.chown(state, 0, 0)


def test_doctor_names_a_store_that_others_can_read(tmp_path: Path) -> None:
    """It changes nothing: the next turn closes the folder."""
    _store(tmp_path / "state")
    (tmp_path / "state").chmod(0o755)
    check = _doctor({"HOME": tmp_path, "PHASEGATE_STATE": tmp_path / "state"})["store"]
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o755
    assert check.state == "warning" and "755" in check.what, check.what


@pytest.mark.parametrize(("name", "place"), [("tokens", "config"), ("secret", "state")])
def test_doctor_looks_at_tokens_and_the_secret(tmp_path: Path, name: str, place: str) -> None:
    """Sound; readable by others, which it closes; writable by others, which it leaves as it is and calls bad."""
    file = GUARDED[name].make(tmp_path / place)
    environ = {"HOME": tmp_path, "PHASEGATE_STATE": tmp_path / "state"}
    environ["PHASEGATE_CONFIG"] = configuration(tmp_path / "config")
    assert _doctor(environ)[name].state == "ok"
    file.chmod(0o644)
    check = _doctor(environ)[name]
    assert (check.state, stat.S_IMODE(file.stat().st_mode)) == ("warning", 0o600) and "mode 644" in check.what
    file.chmod(0o666)
    check = _doctor(environ)[name]
    assert (check.state, stat.S_IMODE(file.stat().st_mode)) == ("bad", 0o666)


def test_doctor_knows_no_gates_without_the_configuration(tmp_path: Path) -> None:
    """It must not say that all take a relayed answer where the file that raises them cannot be read."""
    found = _doctor({"HOME": tmp_path, "PHASEGATE_STATE": tmp_path / "s", "PHASEGATE_CONFIG": tmp_path / "typo"})
    assert found["config"].state == found["gates"].state == "bad" and "not known" in found["gates"].what


def test_doctor_looks_at_the_certificates(tmp_path: Path) -> None:
    """A file that was named and cannot be relied on is told before the first connection."""
    configured = configuration(tmp_path)
    configured.write_text(f'ca_file = "{tmp_path / "none.pem"}"\n', encoding="utf-8")
    environ = {"HOME": tmp_path, "PHASEGATE_STATE": tmp_path / "state", "PHASEGATE_CONFIG": configured}
    assert _doctor(environ)["ca_file"].state == "bad"
    _certificates(tmp_path).rename(tmp_path / "none.pem")
    assert _doctor(environ)["ca_file"].state == "ok"


# --- modules and descriptors ---------------------------------------------------------------------------

LIBRARY = ["json", "re", "typing", "dataclasses", "hashlib", "click", "apsw", "requests", "tomllib", "workflow_twin"]
"""Names that a working directory could offer instead of what the package imports; ``-m`` itself imports others."""


COMMANDS = [("-m", "workflow"), ("-mworkflow",), ("-Bmworkflow",), ("-W", "error", "-m", "workflow")]
INSTALLED = Path(sys.executable).with_name("workflow")
if INSTALLED.exists():
    COMMANDS.append((str(INSTALLED),))


@pytest.mark.parametrize("command", COMMANDS)
def test_no_module_is_taken_from_the_working_directory(tmp_path: Path, command: tuple[str, ...]) -> None:
    """A folder that somebody unpacked is not code to run."""
    for name in LIBRARY:
        (tmp_path / f"{name}.py").write_text("raise SystemExit('taken from the working directory')\n")
    configuration(tmp_path / "home" / ".config" / "phasegate")
    environ = {"HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"]}
    environ["PYTHONPATH"] = str(ROOT)
    ended = subprocess.run(
        [sys.executable, *command, "sessions", "--json"],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "") and json.loads(ended.stdout)["ok"]


@pytest.mark.parametrize("most", range(4, 13))
def test_few_descriptors_are_an_error_in_words(tmp_path: Path, most: int) -> None:
    """Wherever they run out: no traceback, and at last an answer. Python itself needs two to begin."""
    code = "import sys; sys.path[:0] = sys.argv.pop(1).split(':'); from workflow.cli import main; main()"
    places = ":".join(each for each in [str(ROOT), *sys.path] if each)
    environ = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    words = [
        "bash",
        "-c",
        f'ulimit -n {most}; exec "$@"',
        "-",
        sys.executable,
        "-S",
        "-c",
        code,
        places,
        "sessions",
        "--json",
    ]
    ended = subprocess.run(words, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Traceback" not in ended.stderr + ended.stdout
    assert ended.returncode in (0, 1) and (ended.stdout + ended.stderr).strip()
    if ended.returncode == 0:
        assert json.loads(ended.stdout)["sessions"] == []
