"""What an action and a guard are given is on the page for authors, and the action that sends a file works."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.pages import DOCS, blocks
from tests.playing import player
from workflow.machine.registry import Call, Facts
from workflow.model.digest import sha256
from workflow.twin import Answer, Request, Twin

PAGE = DOCS / "authors.md"
YAML = """
format: 1
workflow: sending
languages: [en]
service: {base_url: 'http://127.0.0.1:9', sandbox: phases.twin, sandbox_key: twin-key}
data: {pictures: files, uploads: internal}
gates: {agreed: {each: pictures, until: uploads}}
never_without: {upload: [agreed]}
events:
  start: {when: At first., input: [pictures]}
  agree: {when: They agree., gate: agreed}
  cancel: {when: No more.}
trouble: {else: failed}
start: a.asking
on: {cancel: over.cancelled}
phases:
  a:
    title: A
    asking: {say: ask, on: {agree: a.sending}}
    sending: {do: upload, then: over.sent, failed: a.asking}
  over:
    sent: {say: sent, end: done}
    cancelled: {say: cancelled, end: cancelled}
"""
IMPORTS = "from workflow import Call, Done, Upload, action, result_of\n\n\n"
TWIN = """
from workflow.twin import Twin


class Sandbox(Twin):
    def answer(self, request):
        return 200, {"token": f"token-{len(self.requests):08}"}
"""


class Files(Twin):
    """Gives each file a token, and keeps what it got."""

    def answer(self, request: Request) -> Answer:
        """A token for each upload."""
        return 200, {"token": f"token-{len(self.requests):08}"}


def sending(folder: Path) -> Path:
    """A bundle with the page's action, which sends each file that was agreed to."""
    (action,) = [block for block in blocks(PAGE, "python") if block.note == "action"]
    for file, text in {
        "workflow.yaml": YAML,
        "phases/files.py": IMPORTS + action.text,
        "phases/twin.py": TWIN,
        "prompts/en/ask.md": "May I send these?\n\n$pictures",
        "prompts/en/sent.md": "They are sent.",
        "prompts/en/failed.md": "Not now.",
        "prompts/en/cancelled.md": "As you wish.",
    }.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text, encoding="utf-8")
    return folder


def test_every_field_is_on_the_page() -> None:
    """Those of the classes, no more and no less."""
    named = set(re.findall(r"`((?:call|facts)\.\w+)`", PAGE.read_text(encoding="utf-8").partition("| field |")[2]))
    there = {f"call.{name}" for name in Call._names} | {f"facts.{name}" for name in Facts._names}
    assert there <= named
    assert named <= there


def test_the_action_that_sends_a_file_sends_the_bytes_that_were_agreed_to(tmp_path: Path) -> None:
    """Both files, by what `call.item` says of each, and each settled by its digest; a changed one is not sent."""
    folder = sending(tmp_path / "sending")
    for name in ("one.png", "two.png"):
        (tmp_path / name).write_bytes(name.encode())
    pictures = [{"path": "one.png", "description": "front"}, {"path": "two.png"}]
    with Files() as files:
        play = player(tmp_path, folder, files.url)
        play.start({"pictures": pictures})
        (tmp_path / "two.png").write_bytes(b"another")
        reply = play.send("agree", quote="yes, both", items=["one.png", "two.png"])
        assert (reply.state, len(files.requests)) == ("a.asking", 1)
        reply = play.send("agree", quote="yes, that one", items=["two.png"])
        assert reply.state == "over.sent" and len(files.requests) == 2
    kept = play.engine.data(play.name)["uploads"]
    assert set(kept) == {sha256(b"one.png"), sha256(b"another")}
    described = {item["name"]: item["description"] for item in play.engine.data(play.name)["pictures"]}
    assert described == {"one.png": "front", "two.png": ""}
    fields = {"name", "folder", "path", "size", "sha256", "description"}
    assert all(fields <= item.keys() for item in play.engine.data(play.name)["pictures"])
