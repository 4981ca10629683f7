"""Paths from outside: variables, configuration, command line and turns, each with every way to write one."""

from __future__ import annotations

import ast
import pwd
import re
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from workflow.cli.paths import TypedPath
from workflow.compose import bundle_folder
from workflow.local.files import offer
from workflow.local.paths import home_folder
from workflow.local.settings import Settings, read_settings, without_file
from workflow.model.errors import UsageError

ROOT = Path(__file__).parents[2]
HOME = "/somewhere/home"
ROOTS = pwd.getpwuid(0).pw_dir
STRANGER = "no-such-user-here"
VARIABLES = {
    "PHASEGATE_STATE": lambda settings: settings.state,
    "PHASEGATE_BUNDLE": lambda settings: settings.bundle,
    "PHASEGATE_CA_FILE": lambda settings: settings.ca_file,
    "PHASEGATE_LEDGER": lambda settings: settings.ledger,
}
KEYS = ("bundle", "ca_file", "ledger")
WHOLE = {"~": HOME, "~/a b": f"{HOME}/a b", "~root/x": f"{ROOTS}/x", "/x/~": "/x/~", "/x": "/x"}
RELATIVE = ("x", "./x", "../x", "./~", "x/~/y", " ~/x")
ASKS_FOR_HOME = re.compile(r".*(expanduser|Path\.home)\(.*|.*(get|getenv)\('HOME'.*", re.DOTALL)
NOWHERE = (f"~{STRANGER}", f"~{STRANGER}/x")


def settings(**environ: str) -> Settings:
    """What these variables make of a user whose home is somewhere."""
    return read_settings({"HOME": HOME, **environ})


def configured(tmp_path: Path, key: str, path: str, **environ: str) -> str:
    """The path under this key of a configuration in ``tmp_path``."""
    file = tmp_path / "config.toml"
    file.write_text(f"{key} = '{path}'\n", encoding="utf-8")
    return str(getattr(read_settings({"PHASEGATE_CONFIG": str(file), **environ}), key))


@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize("path", [*WHOLE, *RELATIVE, *NOWHERE])
def test_a_path_in_a_variable(variable: str, path: str) -> None:
    """A home is put in; what is relative, or leads nowhere, is refused with the variable's name and the way out."""
    if path in WHOLE:
        assert str(VARIABLES[variable](settings(**{variable: path}))) == WHOLE[path]
        return
    with pytest.raises(UsageError) as refused:
        settings(**{variable: path})
    assert refused.value.message.startswith(variable) and path in refused.value.message
    assert "whole path" in refused.value.hint or f"./{path}" in refused.value.hint
    assert VARIABLES[variable](without_file({"HOME": HOME, variable: path})) in (
        "",
        Path(HOME, ".local/state/phasegate"),
        None,
    )


@pytest.mark.parametrize("path", [*RELATIVE, *NOWHERE])
def test_the_configuration_is_named_by_a_whole_path(path: str) -> None:
    """A relative PHASEGATE_CONFIG would be another one in each folder."""
    with pytest.raises(UsageError, match="^PHASEGATE_CONFIG"):
        settings(PHASEGATE_CONFIG=path)
    assert without_file({"HOME": HOME, "PHASEGATE_CONFIG": path}).file is None


def test_a_tilde_names_a_configuration(tmp_path: Path) -> None:
    """A host hands the variable on as it was written."""
    (tmp_path / "mine.toml").write_text("language = 'zh-CN'\n", encoding="utf-8")
    found = read_settings({"HOME": str(tmp_path), "PHASEGATE_CONFIG": "~/mine.toml"})
    assert (found.file, found.language) == (tmp_path / "mine.toml", "zh-CN")


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("path", [*WHOLE, *RELATIVE, *NOWHERE])
def test_a_path_in_the_configuration(tmp_path: Path, key: str, path: str) -> None:
    """A home is put in; what is relative starts from the folder of the configuration, wherever one stands."""
    if path in NOWHERE:
        with pytest.raises(UsageError, match=f"config.toml: '{key}'"):
            configured(tmp_path, key, path, HOME=HOME)
    else:
        assert configured(tmp_path, key, path, HOME=HOME) == WHOLE.get(path, str(tmp_path / path))


@pytest.mark.parametrize("way", ["an option", "a bundle"])
@pytest.mark.parametrize("path", [*WHOLE, *RELATIVE, *NOWHERE])
def test_a_path_that_is_typed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: str, path: str) -> None:
    """A home is put in; what is relative starts from the folder one stands in."""
    monkeypatch.setenv("HOME", HOME)
    monkeypatch.chdir(tmp_path)
    ways: dict[str, Callable[[], Path]] = {
        "an option": lambda: TypedPath(path_type=Path).convert(path, None, None),
        "a bundle": lambda: bundle_folder(path, Settings(file=None, state=None)),
    }
    if path in NOWHERE:
        with pytest.raises(UsageError, match="no user"):
            ways[way]()
    else:
        assert ways[way]().absolute().resolve() == (tmp_path / WHOLE.get(path, path)).resolve()


def test_a_path_in_a_turn(tmp_path: Path) -> None:
    """A person's file: at home, of another user, or from the folder one stands in; and what leads nowhere says why."""
    (tmp_path / "logo.png").write_bytes(b"the logo")
    known = {"base": tmp_path, "home": tmp_path, "forbidden": ()}
    for path in ("~/logo.png", "logo.png", "./logo.png", str(tmp_path / "logo.png")):
        assert not isinstance(offer(path, **known), str)  # type: ignore[arg-type]
    assert offer("~/logo.png", base=tmp_path, forbidden=()) == "this user has no home folder"
    assert "no user" in str(offer(f"~{STRANGER}/logo.png", **known))  # type: ignore[arg-type]
    assert offer("~", **known) == "it is a folder"  # type: ignore[arg-type]


@pytest.mark.parametrize("home", [None, "", "relative", "."])
def test_without_a_home_of_its_own_the_system_is_asked(monkeypatch: pytest.MonkeyPatch, home: str | None) -> None:
    """HOME counts if it is a whole path; else what the system has for the user, and that may be nothing."""
    environ = {} if home is None else {"HOME": home}
    entry = pwd.struct_passwd(("me", "x", 1, 1, "", "/home/me", ""))
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: entry)
    assert home_folder(environ) == Path("/home/me")

    def unknown(uid: int) -> NoReturn:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert home_folder(environ) is None
    found = read_settings(environ)
    assert (found.file, found.state) == (None, None)
    for use, variable in (("state_folder", "PHASEGATE_STATE"), ("own_folder", "PHASEGATE_CONFIG")):
        with pytest.raises(UsageError) as refused:
            getattr(found, use)
        assert refused.value.hint.startswith(f"Set {variable} to")
    with pytest.raises(UsageError, match="no home folder"):
        read_settings({**environ, "PHASEGATE_STATE": "~/x"})


def test_one_function_knows_where_home_is() -> None:
    """Nobody else asks for a home folder, in the engine or in the reference bundle."""
    asked = []
    for file in sorted([*(ROOT / "workflow").rglob("*.py"), *(ROOT / "phases").rglob("*.py")]):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ASKS_FOR_HOME.fullmatch(ast.unparse(node)):
                asked.append(file.relative_to(ROOT).as_posix())
    assert asked == ["workflow/local/paths.py"]
