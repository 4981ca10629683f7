"""The schema in the real YAML language server, where it is installed.

`npm install yaml-language-server` in any folder, and NODE_PATH set to its `node_modules`.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workflow.bundle import known_names, loader
from workflow.bundle.editor_schema import for_editors

ROOT = Path(__file__).parents[2]
NODE = shutil.which("node")
FIND = "console.log(require.resolve('yaml-language-server/bin/yaml-language-server'))"


class Editor:
    """An editor that has one file open, over JSON-RPC."""

    def __init__(self, server: str, folder: Path) -> None:
        assert NODE
        self._process = subprocess.Popen([NODE, server, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._file = (folder / "workflow.yaml").as_uri()
        self._count = 0
        self._ask("initialize", {"processId": None, "rootUri": folder.as_uri(), "capabilities": {}})
        self._tell("initialized", {})
        settings = {"validate": True, "completion": True, "hover": True, "schemaStore": {"enable": False}}
        self._tell("workspace/didChangeConfiguration", {"settings": {"yaml": settings}})
        document = {"uri": self._file, "languageId": "yaml", "version": 0, "text": "# yet empty\n"}
        self._tell("textDocument/didOpen", {"textDocument": document})
        self._heard("textDocument/publishDiagnostics")

    def findings(self, text: str) -> list[str]:
        """What is underlined in this text."""
        self._count += 1
        document = {"uri": self._file, "version": self._count}
        self._tell("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})
        return [each["message"] for each in self._heard("textDocument/publishDiagnostics")["params"]["diagnostics"]]

    def offers(self, text: str) -> list[str]:
        """What is offered where the text has a `|`."""
        before, _, after = text.partition("|")
        self.findings(before + after)
        place = {"line": before.count("\n"), "character": len(before) - before.rfind("\n") - 1}
        found = self._ask("textDocument/completion", {"textDocument": {"uri": self._file}, "position": place})
        return [each["label"] for each in found["items"]]

    def close(self) -> None:
        """Done."""
        self._process.kill()
        self._process.communicate()

    def _ask(self, method: str, params: dict[str, Any]) -> Any:
        self._count += 1
        number = self._count
        self._send({"id": number, "method": method, "params": params})
        while (message := self._next()).get("id") != number or "method" in message:
            pass
        return message["result"]

    def _tell(self, method: str, params: dict[str, Any]) -> None:
        self._send({"method": method, "params": params})

    def _heard(self, method: str) -> dict[str, Any]:
        while (message := self._next()).get("method") != method:
            pass
        return message

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin
        content = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(content) + content)
        self._process.stdin.flush()

    def _next(self) -> dict[str, Any]:
        """The next message; a question of the server's own is answered with nothing."""
        assert self._process.stdout
        length = 0
        while line := self._process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        assert length, "the server is gone"
        message: dict[str, Any] = json.loads(self._process.stdout.read(length))
        if "method" in message and "id" in message:
            items = message.get("params", {}).get("items")
            self._send({"id": message["id"], "result": [None for _ in items] if items else None})
        return message


@pytest.fixture(scope="module")
def server() -> str:
    """Where the language server is."""
    found = subprocess.run([NODE, "-e", FIND], capture_output=True, text=True, timeout=60) if NODE else None
    if found is None or found.returncode:
        pytest.skip("node does not find yaml-language-server")
    return found.stdout.strip()


@pytest.fixture
def editor(server: str, tmp_path: Path) -> Iterator[Editor]:
    """An editor in a folder that has the schema for one, with the names of the reference bundle."""
    schema = for_editors(loader.schema(), known_names(ROOT))
    (tmp_path / "bundle.schema.json").write_text(json.dumps(schema), encoding="utf-8")
    opened = Editor(server, tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "folder", [".", "examples/expense", "examples/refund", "examples/release", "workflow/author/scaffold/starter"]
)
def test_a_shipped_bundle_is_read_with_the_published_schema(server: str, folder: str) -> None:
    """In its own place: no finding where it is sound, and faults are found, so that the schema was found as well."""
    opened = Editor(server, ROOT / folder)
    try:
        text = (ROOT / folder / "workflow.yaml").read_text(encoding="utf-8")
        assert opened.findings(text) == []
        assert opened.findings(f"{text}\nstats: 1\n") == ["Property stats is not allowed."]
        (found,) = opened.findings(re.sub(r"^start: .*$", "start: nowhere", text, flags=re.MULTILINE))
        assert found.startswith("String does not match the pattern")
    finally:
        opened.close()


def test_an_editor_checks_and_completes(editor: Editor) -> None:
    """No finding in the reference bundle, our words for faults, and names where they fit."""
    text = (ROOT / "workflow.yaml").read_text(encoding="utf-8")
    text = text.replace("$schema=workflow/schemas/bundle.json", "$schema=bundle.schema.json")
    assert editor.findings(text) == []
    assert editor.findings(text.replace("every: 3s", "every: soon", 1)) == [
        "A duration is written like 3s, 20m, 1h30m or 7d"
    ]
    assert "Property thne is not allowed." in editor.findings(text.replace("then: deliver.gen", "thne: deliver.gen", 1))
    assert editor.findings(text.replace("doubt: create.unsure", "doubt: unsure", 1)) == [
        "A state is named in full: phase.state"
    ]
    both = editor.findings(text.replace("say: reword", "say: reword\n      do: look", 1))
    assert "A state that says something waits or ends, and has no `do`" in both
    assert "deliver.ready" in editor.offers(text.replace("then: deliver.generating", "then: |", 1))
    assert "upload" in editor.offers(text.replace("do: upload", "do: |", 1))
    keys = editor.offers(text.replace("    asking:\n", "    asking:\n      |\n", 1))
    assert {"do", "failed", "watch", "end"} <= set(keys)
