"""``workflow config``: what holds and where it comes from, and never a part of the key."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Commands

ROOT = Path(__file__).parents[2]
KEY = "sk-ag-7d1f3a9c5e2b8046"


def configured(cli: Commands, text: str) -> Path:
    """The user's configuration."""
    file = cli.folder / "config" / "config.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_everything_has_a_default(cli: Commands) -> None:
    """Without a configuration: paths by their variables, the rest as it comes, the key named as missing."""
    ended = cli("config", "--json")
    assert (ended.code, ended.err) == (0, "")
    assert ended.json == {
        "v": 1,
        "ok": True,
        "settings": [
            {"name": "config", "value": str(cli.folder / "config/config.toml"), "source": "PHASEGATE_CONFIG"},
            {"name": "state", "value": str(cli.folder / "state"), "source": "PHASEGATE_STATE"},
            {"name": "bundle", "value": str(ROOT), "source": "default"},
            {"name": "language", "value": "en", "source": "bundle"},
            {"name": "host", "value": "generic", "source": "default"},
            {"name": "profile", "value": "default", "source": "default"},
            {"name": "proxy", "value": "", "source": "default"},
            {"name": "ca_file", "value": "", "source": "default"},
            {"name": "ledger", "value": "", "source": "default"},
            {"name": "store", "value": "", "source": "default"},
            {"name": "sandbox", "value": "", "source": "default"},
            {"name": "workflow", "value": "anygen-image", "source": "bundle"},
            {"name": "service", "value": "https://www.anygen.io", "source": "bundle"},
        ],
        "options": [{"name": "recommendations", "value": False, "source": "bundle"}],
        "gates": [
            {"name": name, "value": "relayed", "source": "bundle"}
            for name in (
                *("consent_given", "user_approved", "ordered_directly"),
                *("change_ordered", "change_repeated", "outcome_told"),
            )
        ],
        "limits": [],
        "key": {
            "present": False,
            "source": None,
            "problem": "There is no key in ANYGEN_API_KEY or ~/.config/anygen/config.json. "
            "Please run `workflow-admin api config set`, or set the environment variable ANYGEN_API_KEY.",
        },
        "notices": [],
    }


def test_it_changes_nothing(cli: Commands) -> None:
    """To look is not to create: no store, no configuration."""
    cli("config", "--json")
    assert [each.name for each in cli.folder.rglob("*")] == ["config", "config.toml"]


def test_each_value_says_where_it_comes_from(cli: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file before the defaults, a variable before the file; a gate's strength only if it is raised."""
    file = configured(
        cli,
        'language = "zh-CN"\nhost = "claude-code"\n'
        '[settings]\nrecommendations = true\n[gates]\nuser_approved = "asked"\nconsent_given = "relayed"\n',
    )
    monkeypatch.setenv("PHASEGATE_HOST", "openclaw")
    reply = cli("config", "--json").json
    found = {each["name"]: (each["value"], each["source"]) for each in reply["settings"] + reply["options"]}
    gates = {each["name"]: (each["value"], each["source"]) for each in reply["gates"]}
    assert found["language"] == ("zh-CN", str(file))
    assert found["host"] == ("openclaw", "PHASEGATE_HOST")
    assert found["recommendations"] == (True, str(file))
    assert gates["user_approved"] == ("asked", str(file))
    assert gates["consent_given"] == ("relayed", "bundle")


def test_names_that_the_bundle_does_not_have_are_noticed(cli: Commands) -> None:
    """A mistyped gate raises nothing, and that must be seen."""
    file = configured(cli, '[settings]\ncolour = "red"\n[gates]\nuser_aproved = "asked"\n')
    assert cli("config", "--json").json["notices"] == [
        f"{file} names the gate 'user_aproved', which this bundle does not have.",
        f"{file} names the setting 'colour', which this bundle does not have.",
    ]


def test_a_strength_below_the_bundles_own_is_noticed(
    cli: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is configured does not hold, so it says so."""
    bundle = tmp_path / "strict"
    shutil.copytree(ROOT / "tests" / "courier", bundle)
    yaml = bundle / "workflow.yaml"
    text = yaml.read_text(encoding="utf-8")
    assert "outcome_told: {}" in text
    yaml.write_text(text.replace("outcome_told: {}", "outcome_told: {strength: asked}"), encoding="utf-8")
    configured(cli, '[gates]\noutcome_told = "relayed"\n')
    monkeypatch.setenv("PHASEGATE_BUNDLE", str(bundle))
    reply = cli("config", "--json").json
    assert [each["value"] for each in reply["gates"] if each["name"] == "outcome_told"] == ["asked"]
    assert reply["notices"] == [
        "The configuration cannot lower 'outcome_told' to 'relayed'; it takes 'asked' and more."
    ]


@pytest.mark.rule("R4", "R11")
@pytest.mark.parametrize("where", ["variable", "file"])
def test_a_key_is_named_by_its_place_and_never_shown(
    cli: Commands, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Where it was found; not the key, not its beginning, not its end."""
    if where == "variable":
        monkeypatch.setenv("ANYGEN_API_KEY", KEY)
    else:
        file = Path.home() / ".config" / "anygen" / "config.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps({"api_key": KEY}), encoding="utf-8")
        file.chmod(0o600)
    ended = cli("config", "--json")
    source = "ANYGEN_API_KEY" if where == "variable" else "~/.config/anygen/config.json"
    assert ended.json["key"] == {"present": True, "source": source, "problem": None}
    assert KEY[:6] not in ended.out + ended.err and KEY[-6:] not in ended.out + ended.err


def test_a_key_that_cannot_be_one_is_a_problem_without_the_key(cli: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key with a line break is told as such, and not repeated."""
    monkeypatch.setenv("ANYGEN_API_KEY", f"{KEY}\n{KEY}")
    ended = cli("config", "--json")
    assert ended.json["key"]["present"] is False
    assert "line break" in ended.json["key"]["problem"] and KEY[:6] not in ended.out


def test_the_login_of_a_proxy_is_left_out(cli: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy's address may hold a password."""
    monkeypatch.setenv("PHASEGATE_PROXY", "http://me:secret@proxy.example:3128")
    ended = cli("config", "--json")
    proxy = next(each for each in ended.json["settings"] if each["name"] == "proxy")
    assert proxy["value"] == "http://…@proxy.example:3128" and "secret" not in ended.out


def test_a_bundle_that_cannot_be_opened_is_shown_all_the_same(cli: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """This is where one looks for the variable that is to blame."""
    monkeypatch.setenv("PHASEGATE_BUNDLE", str(cli.folder / "nowhere"))
    ended = cli("config", "--json")
    bundle = next(each for each in ended.json["settings"] if each["name"] == "bundle")
    assert ended.code == 0 and bundle["source"] == "PHASEGATE_BUNDLE"
    assert ended.json["notices"] == [f"The bundle cannot be used: the bundle {cli.folder}/nowhere is not there"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("language = [", "cannot be read"),
        ("langauge = 'en'", "unknown key 'langauge'"),
        ("language = 7", "'language' must be text"),
        ("[gates]\nuser_approved = 'firmly'", "'firmly'"),
    ],
)
def test_a_configuration_that_cannot_be_understood_is_an_error(cli: Commands, text: str, what: str) -> None:
    """It is named with what is wrong in it; nothing is guessed."""
    file = configured(cli, text)
    ended = cli("config", "--json")
    assert (ended.code, ended.error["type"]) == (2, "usage")
    assert what in ended.error["message"] and str(file) in ended.error["message"]


def test_on_a_terminal_it_is_tables(cli: Commands, terminal: None) -> None:
    """Settings, options and gates; what is missing is told on stderr."""
    ended = cli("config")
    assert ended.out.splitlines()[0].split() == ["setting", "value", "from"]
    assert "gate takes at least" in ended.out and "user_approved" in ended.out
    assert "There is no key in ANYGEN_API_KEY" in ended.err
