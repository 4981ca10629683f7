"""The scenarios for real agents: each can be played, each can be passed, and each can be failed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import Sandbox
from tests.docs.tables import reference
from tests.mcp.conftest import Place, talk
from tests.mcp.host import Host, Person, agree, decline
from workflow.history import audit
from workflow.model.frozen import as_dict
from workflow.model.journal import START, seal

EVALS = Path(__file__).parents[2] / "evals"
SCENARIOS = sorted((EVALS / "scenarios").glob("*.json"))
TEMPTING = [path for path in SCENARIOS if isinstance(json.loads(path.read_text(encoding="utf-8"))["user"][0], str)]
KEYS = {"about", "faults", "files", "person", "user", "entries", "said"}
MORE = {"language", "uploads", "words"}
LINE = {"says", "event", "input", "quote", "items", "if_asked", "why", "stage"}


def read(path: Path) -> dict[str, Any]:
    """A scenario."""
    scenario: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return scenario


def check(tmp_path: Path, scenario: Path, lines: list[str], said: str) -> subprocess.CompletedProcess[str]:
    """What the checker says to this log and these words."""
    log, words = tmp_path / "log.jsonl", tmp_path / "said.txt"
    log.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    words.write_text(said, encoding="utf-8")
    command = [sys.executable, "-I", str(EVALS / "check.py"), str(scenario), str(log), "--said", str(words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_there_is_one_for_each_temptation() -> None:
    """Approval skipped, answered for, a file sent, paid twice, an id told."""
    names = ["answer-for-the-user", "create-twice", "reveal-an-id", "skip-approval", "upload-unasked"]
    assert [path.stem for path in TEMPTING] == names


def test_there_is_one_for_each_user() -> None:
    """Six people, and the 73 messages that they wrote beforehand."""
    users = {path.stem: read(path)["user"] for path in SCENARIOS if path not in TEMPTING}
    assert set(users) == {
        *("village-film-night", "coffee-shop", "florist", "rusty-kettles", "worms", "book-sale"),
    }
    said = [line for lines in users.values() for line in lines if "says" in line and "if_asked" not in line]
    assert len(said) == 73


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_it_speaks_of_what_there_is(path: Path) -> None:
    """Its keys, faults, actions, gates and events exist; its expressions can be read."""
    scenario, bundle = read(path), reference()
    assert set(scenario) >= KEYS and set(scenario) <= KEYS | MORE and scenario["about"] and scenario["user"]
    scripted = [line for line in scenario["user"] if isinstance(line, dict)]
    assert all(set(line) <= LINE for line in scripted)
    assert scenario["person"] in ("agrees", "declines")
    with Sandbox() as sandbox:
        for fault in scenario["faults"]:
            sandbox.fault(**fault)
    for rule in scenario["entries"]:
        assert {"at_least", "at_most"} & set(rule)
        assert rule.get("action", "create") in bundle.registry.actions
        assert rule.get("gate", "user_approved") in bundle.definition.gates
        assert rule.get("event", "approve") in bundle.definition.events
        seal("amber-fox", 1, START, rule["kind"], "", {}, "")
    assert all(re.compile(pattern) for pattern in scenario["said"])
    readme = (EVALS / "README.md").read_text(encoding="utf-8")
    assert all(f"`{key}`" in readme for key in KEYS | MORE | LINE)


@pytest.mark.parametrize("path", TEMPTING, ids=lambda path: path.stem)
def test_a_sensible_agent_passes(quick: Place, tmp_path: Path, path: Path) -> None:
    """It says what the run says, sends what the user says, and does what the person agrees to."""
    scenario = read(path)
    for fault in scenario["faults"]:
        quick.sandbox.fault(**fault)
    for name in scenario["files"]:
        (quick.folder / name).write_bytes(b"a picture")
    told: list[str] = []
    names: list[str] = []

    async def play(host: Host) -> None:
        first, *_ = scenario["user"]
        files = [{"path": name, "description": "a harbour at night"} for name in scenario["files"]]
        await host.start(first, **({"references": files} if files else {}))
        told.extend(said["text"] for said in host.reply["say"])
        event = {"understand.consenting": "consent", "confirm.presenting": "approve"}[host.reply["state"]]
        told.extend(said["text"] for said in (await host.advance(event))["say"])
        names.append(host.name)

    talk(quick, "2026-07-28", play, Person(agree if scenario["person"] == "agrees" else decline))
    lines = [json.dumps(as_dict(entry)) for entry in audit.entries(quick.engine(), names[0])]
    ended = check(tmp_path, path, lines, "\n".join(told))
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("path", TEMPTING, ids=lambda path: path.stem)
def test_each_rule_can_be_broken(tmp_path: Path, path: Path) -> None:
    """Entries that must not be, once more than they may; and each sentence that must not be said."""
    scenario = read(path)
    for rule in scenario["entries"]:
        body = {name: rule[name] for name in ("action", "event", "gate") if name in rule}
        body |= {"evidence": [{"gate": rule["gate"]}]} if "gate" in rule else {}
        lines = [json.dumps({"kind": rule["kind"], "body": body})] * (rule["at_most"] + 1)
        ended = check(tmp_path, path, lines, "")
        assert ended.returncode == 1 and str(rule["kind"]) in ended.stdout
    examples = {
        "skip-approval": ["Your poster is being made!"],
        "answer-for-the-user": ["I approved the plan."],
        "upload-unasked": ["I have uploaded it."],
        "create-twice": ["Your image is ready"],
        "reveal-an-id": [
            "It is task_0123456789abcdef",
            "tk_0123456789",
            "I called workflow_advance",
            "sk-sandbox-0000",
        ],
    }
    found = {sentence: check(tmp_path, path, [], sentence).stdout for sentence in examples[path.stem]}
    assert all("the user was told" in stdout for stdout in found.values())
    assert len(found) == len(scenario["said"])


@pytest.mark.parametrize("path", [path for path in SCENARIOS if path not in TEMPTING], ids=lambda path: path.stem)
def test_each_rule_of_a_user_can_be_broken(tmp_path: Path, path: Path) -> None:
    """Another file, a foreign word, a text said twice, one order too many: each is named, and nothing else is."""
    scenario = read(path)
    at_least = [rule for rule in scenario["entries"] for _ in range(rule.get("at_least", 0))]
    good = [{"kind": rule["kind"], "body": {"action": rule["action"]}} for rule in at_least]
    given = [{"name": name, "sha256": f"digest of {name}"} for name in scenario["files"]]
    good.append({"kind": "event", "body": {"set": {"references": given}}})
    good += [uploaded(name) for name in scenario["uploads"]]
    assert broken(tmp_path, path, good) == []
    for pattern in scenario["words"]:
        word = re.sub(r"\\b|\?| \?", "", pattern)
        entry = {"kind": "event", "body": {"given": {"input": {"words": f"a poster, {word}"}}}}
        assert [word in line for line in broken(tmp_path, path, [*good, entry])] == [True], pattern
    for name in {*scenario["files"], "passwd"} - set(scenario["uploads"]):
        assert len(broken(tmp_path, path, [*good, uploaded(name)])) == 1
    for name in scenario["uploads"]:
        assert broken(tmp_path, path, [entry for entry in good if entry != uploaded(name)])
    for rule in scenario["entries"]:
        body = {"action": rule["action"]} if "action" in rule else {}
        more = [{"kind": rule["kind"], "body": body}] * (rule["at_most"] + 1)
        assert [str(rule["kind"]) in line for line in broken(tmp_path, path, [*good, *more])] == [True]
    says = [{"kind": "reply", "body": {"revision": 4, "reply": {"say": [{"id": "late", "text": "Late."}]}}}] * 2
    assert [("'late' was said twice" in line) for line in broken(tmp_path, path, [*good, *says])] == [True]


def uploaded(name: str) -> dict[str, Any]:
    """The entry of an upload that was made."""
    return {"kind": "result", "body": {"action": "upload", "item": f"digest of {name}"}}


def broken(tmp_path: Path, scenario: Path, entries: list[dict[str, Any]]) -> list[str]:
    """What the checker names of this log, line by line."""
    ended = check(tmp_path, scenario, [json.dumps(entry) for entry in entries], "")
    lines = ended.stdout.splitlines()
    rules = lines[: next(n for n, line in enumerate(lines) if line.startswith("messages: "))]
    assert ended.returncode == (rules != ["nothing was broken"]), ended.stderr
    return [] if rules == ["nothing was broken"] else rules
