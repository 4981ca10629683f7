"""Texts as editors, shells and models write them: every reader takes each form alike, or says what to do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from phases.anygen.sandbox import Sandbox
from tests.cli.conftest import Commands
from tests.cli.conftest import cli as cli
from tests.cli.conftest import sandbox as sandbox
from workflow.author import scenario_file
from workflow.bundle import content, open_bundle
from workflow.bundle.loader import read as read_yaml
from workflow.cli.agent.turns import make_turn
from workflow.local.settings import read_settings
from workflow.machine.language import of_locale
from workflow.model.errors import UsageError, WorkflowError
from workflow.model.strict_json import JsonError, read_json
from workflow.service.key import read_key

ROOT = Path(__file__).parents[2]
MARK = "\ufeff"
FORMS: dict[str, Callable[[str], bytes]] = {
    "plain": lambda text: text.encode(),
    "a mark": lambda text: (MARK + text).encode(),
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "both": lambda text: (MARK + text.replace("\n", "\r\n")).encode(),
}
WIDE: dict[str, Callable[[str], bytes]] = {
    "UTF-16": lambda text: (MARK + text).encode("utf-16-le"),
    "UTF-16, big": lambda text: (MARK + text).encode("utf-16-be"),
}


def yaml(folder: Path, form: Callable[[str], bytes]) -> object:
    """``workflow.yaml``."""
    return read_yaml(form((ROOT / "workflow.yaml").read_text(encoding="utf-8")), "workflow.yaml").document


def prompts(folder: Path, form: Callable[[str], bytes]) -> object:
    """The messages of a bundle, all of them."""
    bundle = ROOT / "prompts" / "en"
    found = {f"prompts/en/{each.name}": form(each.read_text(encoding="utf-8")) for each in bundle.glob("*.md")}
    return content.Files(path=folder, content=found).texts()


def configuration(folder: Path, form: Callable[[str], bytes]) -> object:
    """``config.toml``."""
    (folder / "config.toml").write_bytes(form('language = "zh-CN"\n[gates]\nuser_approved = "asked"\n'))
    found = read_settings({"PHASEGATE_CONFIG": str(folder / "config.toml"), "HOME": str(folder)})
    return found.language, found.gates


def turn(folder: Path, form: Callable[[str], bytes]) -> object:
    """A turn's JSON, from standard input or a file."""
    return make_turn("answer", form('{\n"input": {"words": "Blue"}\n}\n'))


def scenario(folder: Path, form: Callable[[str], bytes]) -> object:
    """A scenario."""
    text = (ROOT / "scenarios" / "declined-file.yaml").read_text(encoding="utf-8")
    return scenario_file.parse("declined", form(text), "scenarios/declined.yaml").document


def key(folder: Path, form: Callable[[str], bytes]) -> object:
    """The key's file."""
    (folder / "key.json").write_bytes(form('{\n"api_key": "sk-0123456789abcdef"\n}\n'))
    (folder / "key.json").chmod(0o600)
    return read_key(None, str(folder / "key.json"), {}, folder).value


READERS = (yaml, prompts, configuration, turn, scenario, key)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_reads_the_same(tmp_path: Path, reader: Callable[..., object], form: str) -> None:
    """A byte order mark and CRLF change nothing: not a wording, not a value."""
    plain, other = tmp_path / "plain", tmp_path / "other"
    for each in (plain, other):
        each.mkdir()
    found = reader(other, FORMS[form])
    assert found == reader(plain, FORMS["plain"])
    assert MARK not in repr(found) and "\\r" not in repr(found)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
@pytest.mark.parametrize("form", WIDE)
def test_what_is_not_utf_8_says_what_to_do(tmp_path: Path, reader: Callable[..., object], form: str) -> None:
    """It is named as what it is, and repeats nothing of it."""
    with pytest.raises(WorkflowError, match="UTF-16, not UTF-8; save it as UTF-8"):
        reader(tmp_path, WIDE[form])


def test_json_of_bytes_alone_may_begin_with_a_mark() -> None:
    """Within a text the mark is a character that no JSON begins with."""
    assert read_json(b"\xef\xbb\xbf{}") == {}
    for text in (MARK + "{}", (MARK * 2 + "{}").encode()):
        with pytest.raises(JsonError, match="line 1, column 1"):
            read_json(text)


def test_a_bundle_of_crlf_is_the_same_procedure(tmp_path: Path) -> None:
    """A checkout that ends its lines otherwise has the same machine and the same texts."""
    shutil.copytree(ROOT / "examples" / "release", tmp_path / "release")
    before = open_bundle(tmp_path / "release")
    for file in (tmp_path / "release").rglob("*"):
        if file.suffix in (".yaml", ".md"):
            file.write_bytes(FORMS["both"](file.read_text(encoding="utf-8")))
    after = open_bundle(tmp_path / "release")
    assert after.definition == before.definition


@pytest.mark.parametrize("words", [{"references": None}, {}])
def test_null_is_left_out(cli: Commands, sandbox: Sandbox, words: dict[str, None]) -> None:
    """Models write null for an input that they leave out; one that is needed is still needed."""
    reply = cli.turn("start", input={"words": "A poster for a jazz night", **words})
    assert reply["ok"] and reply["state"] == "confirm.presenting"
    refused = cli.turn("advance", reply["session"], "adjust", input={"words": None}, seen=reply["seen"])
    assert "'adjust' needs 'words'" in refused["error"]["message"]
    unknown = cli.turn("advance", reply["session"], "adjust", input={"words": "Blue", "colour": None})
    assert "does not take 'colour'" in unknown["error"]["message"]


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("zh_CN.UTF-8", "zh-CN"), ("zh_CN", "zh-CN"), ("en_GB.utf8", "en-GB"), ("C", "en"), ("C.UTF-8", "en"),
        ("POSIX", "en"), ("de_DE@euro", "de-DE"), ("sr_RS@latin", "sr-Latn-RS"), ("sr_RS.UTF-8@latin", "sr-Latn-RS"),
        ("zh_Hant_TW", "zh-Hant-TW"), ("pt-br", "pt-BR"), ("en", "en"),
    ],
)  # fmt: skip
def test_a_locale_names_a_language(name: str, tag: str) -> None:
    """As LANG has it, and as a phone does."""
    assert of_locale(name) == tag


@pytest.mark.parametrize("name", ["", "english", "zh CN", "UTF-8", "c", "_CN", "en_GB.UTF-8.UTF-8", "zh_CN;rm"])
def test_what_names_no_language_is_repeated_in_the_refusal(name: str) -> None:
    """As it was typed, not as it was taken apart."""
    with pytest.raises(UsageError) as refused:
        of_locale(name)
    assert repr(name) in refused.value.message


def test_a_session_begins_in_the_language_of_a_locale(cli: Commands, sandbox: Sandbox) -> None:
    """The whole way: the messages are those of the language."""
    file = cli.write({"input": {"words": "一张爵士之夜的海报"}})
    reply = cli("start", "--language", "zh_CN.UTF-8", "--input-file", file).json
    assert reply["ok"] and any("\u4e00" <= char <= "\u9fff" for char in json.dumps(reply["say"], ensure_ascii=False))
