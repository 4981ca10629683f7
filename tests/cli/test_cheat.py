"""The demo of an agent that cheats: everything is stopped, it is proved, and what is not stopped is reported."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as xml
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Commands
from workflow.cli import console
from workflow.cli.demo import cheat
from workflow.cli.demo.attempts import ACTS, DECOY, MADE_UP, Act, Attempt, End, Scene
from workflow.cli.demo.cheat import Found, Judged, judge
from workflow.cli.demo.person import SCRIPTS
from workflow.cli.demo.picture import harbour
from workflow.cli.demo.proof import CREATE, UPLOAD, Claim, claims
from workflow.cli.demo.screenshot import WIDTH, screenshot
from workflow.model.frozen import replace
from workflow.model.reply import EXIT_CODES, Failure, Reply, Said

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 60.0
LARGEST = 250 * 1024
"""Bytes of a picture that a page is to load."""
SVG = "{http://www.w3.org/2000/svg}"
STEPS = [step for act in (*ACTS, MADE_UP) for step in act.steps if isinstance(step, Attempt)]
NAMES = [step.name for step in STEPS]
STOPPED = [step.name for step in STEPS if step.end is not End.PASSES]
WANTED = {
    "environment",
    "key_file",
    "own_store",
    "skipped_consent",
    "swapped_file",
    "unseen_plan",
    "silent_approval",
    "changed_plan",
    "repeated_turn",
    "second_order",
    "service_event",
    "shown_id",
    "other_words",
    "made_up",
    "made_up_again",
}
"""What a reader is promised to see tried."""
STOOD = Reply(session="amber-fox", state="confirm.presenting", revision=4, say=(Said("plan", "…", "en", None, ()),))


def played(*arguments: str) -> tuple[int, str]:
    """The exit code and the output of the demo in a pipe."""
    done = subprocess.run(
        [sys.executable, "-m", "workflow", "demo", "--try-to-cheat", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=LIMIT,
        check=False,
    )
    return done.returncode, done.stdout.decode()


def test_every_attempt_is_told_and_stopped() -> None:
    """In a pipe: each attempt with its reason and a tick, then the proof; 80 columns, no colours, no key.

    The one that passes by default is told as that, with the line of configuration that stops it.
    """
    code, out = played()
    assert code == 0, out
    assert out.count("✓ stopped · exit code") == len(STOPPED) == len(NAMES) - 1
    assert "NOT STOPPED" not in out and out.count("✗") == 1
    assert len(re.findall(r"exit code \d · requests at the service: still \d+$", out, re.MULTILINE)) == len(STOPPED)
    assert re.search(r"✗ passes under relayed · exit code 0 · requests at the service: 8 → 9$", out, re.MULTILINE)
    flat = " ".join(out.split())
    for reason in (
        "'references' cannot be used: 'environ': files of this folder are never read",
        "'answer' is not possible in understand.consenting",
        "The file has changed since you agreed to the upload, or it's gone, so I didn't upload it.",
        "the gate 'user_approved' needs the person's own words",
        "`seen` is of another reply than the one that asks this now",
        "only the service can say 'task_completed'",
        "The message 'recommend_suite' was withheld: it held an internal id.",
        "'words' is not in evidence.quote as it is",
        "1 sandbox call, on the agent's word alone.",
        "the gate 'user_approved' takes no answer that is only 'relayed'; it needs 'asked'",
    ):
        assert reason in flat, reason
    assert re.search(r"^1 +POST /v1/openapi/tasks +$", out, re.MULTILINE)
    assert re.search(r"✓ [a-z-]+ \(sandbox\) holds: \d+:[0-9a-f]{24}$", out, re.MULTILINE)
    told = (
        f"{len(STOPPED)} of {len(STOPPED)} attempts were stopped; 1 passes under `relayed`: an approval that the agent"
    )
    assert f"{told} makes up." in flat and flat.endswith('below [gates]: user_approved = "asked"')
    assert "\x1b" not in out and DECOY not in out
    assert max(map(len, out.splitlines())) <= 80


def test_the_summary_in_another_language_and_the_kept_log(tmp_path: Path) -> None:
    """With --json, in Chinese: no attempt costs a request, one order, one file; the kept log holds the refusals."""
    folder = tmp_path / "kept"
    code, out = played("--json", "--language", "zh-CN", "--keep", str(folder))
    assert code == 0, out
    summary = json.loads(out)
    assert summary.keys() == {"v", "ok", "session", "attempts", "requests", "verified"}
    assert summary["ok"] is summary["verified"] is True
    assert [each["name"] for each in summary["attempts"]] == NAMES
    for each in summary["attempts"]:
        requests = {"requests_before", "requests_after"}
        assert each.keys() == {"name", "stopped", "reason", "exit_code", "passes_under"} | requests
        passes = each["name"] == "made_up"
        assert each["reason"] and each["stopped"] is not passes, each
        assert each["passes_under"] == ("relayed" if passes else None)
        assert each["requests_after"] - each["requests_before"] == passes, each
    assert summary["requests"]["POST /v1/openapi/tasks"] == 1
    assert summary["requests"]["POST /v1/openapi/files/upload"] == 1
    assert "POST /v1/openapi/tasks/…/messages" not in summary["requests"]
    log = subprocess.run(
        [sys.executable, "-m", "workflow", "audit", "log", "--json", summary["session"]],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PHASEGATE_STATE": str(folder / "state")},
        capture_output=True,
        timeout=LIMIT,
        check=True,
    )
    entries = [json.loads(line) for line in log.stdout.splitlines()]
    refused = [each["body"]["given"]["event"] for each in entries if each["kind"] == "refusal"]
    assert len(refused) == sum(each["exit_code"] != 0 for each in summary["attempts"][3:-2])
    assert {"answer", "approve", "consent", "task_completed", "modify"} == set(refused)
    assert {each["body"]["language"] for each in entries if each["kind"] == "started"} == {"zh-CN"}


def test_the_script_tries_what_is_promised() -> None:
    """The attempts that the documentation names are there, each under a name of its own."""
    assert set(NAMES) >= WANTED
    assert len(set(NAMES)) == len(NAMES) == cheat.TRIED + cheat.PASSING
    assert cheat.PASSING == 1


def honest_start(scene: Scene) -> Mapping[str, Any]:
    """A turn that nobody has a reason to refuse."""
    return {"input": {"words": scene.script.start}}


GOT_THROUGH = (Act("Harmless", (Attempt("harmless", "It just begins", "start", honest_start, pictured=True),)),)


@pytest.fixture
def harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A script whose one attempt is an honest step, which nothing stops."""
    monkeypatch.setattr(cheat, "ACTS", GOT_THROUGH)
    monkeypatch.setattr(cheat, "TRIED", 1)


@pytest.mark.usefixtures("harmless")
def test_an_attempt_that_is_not_stopped_is_reported(cli: Commands) -> None:
    """What gets through the real commands makes the summary say so: not ok, exit code 1, the requests it cost."""
    ended = cli("demo", "--try-to-cheat", "--json")
    assert ended.code == 1
    (attempt,) = ended.json["attempts"]
    assert attempt["stopped"] is False
    assert (attempt["requests_before"], attempt["requests_after"]) == (0, 1)
    assert ended.json["verified"] is False
    assert ended.error["message"] == "not stopped: harmless"


@pytest.mark.usefixtures("harmless")
def test_what_is_not_stopped_is_shown_and_drawn(cli: Commands, tmp_path: Path) -> None:
    """For people a red cross, on the screen and in the picture of it."""
    file = tmp_path / "cheat.svg"
    ended = cli("demo", "--try-to-cheat", "--picture", str(file))
    assert ended.code == 1
    assert "✗ NOT STOPPED · exit code 0 · requests at the service: 0 → 1" in ended.out
    assert "0 of 1 attempts were stopped; the rest is not tried." in ended.out
    assert "✗ NOT STOPPED" in drawn(file)


def refused(kind: str = "refused") -> Reply:
    """A refusal that leaves the run where it stood."""
    return replace(STOOD, say=(), error=Failure(kind, "'approve' is refused: no", ""))


def tried(end: End) -> Attempt:
    """An attempt that is to be stopped like this."""
    return Attempt("some", "tries", "approve", lambda scene: {}, end)


@pytest.mark.parametrize(
    ("end", "reply"),
    [
        (End.REFUSED, refused()),
        (End.STALE, refused("stale")),
        (End.REPLAYED, replace(STOOD, replayed=True)),
        (End.ASKED_AGAIN, replace(STOOD, revision=5, say=(Said("changed_since", "…", "en", None, ()), *STOOD.say))),
        (
            End.WITHHELD,
            replace(
                STOOD,
                revision=5,
                say=(Said("plain", "…", "en", None, (), withheld=True),),
                notices=("withheld: an id",),
            ),
        ),
    ],
)
def test_stopped_means_just_as_it_was_to_be(end: End, reply: Reply) -> None:
    """Each end counts as stopped with its own reply, and not if the run moved on or a request was made."""
    code = EXIT_CODES[reply.error.type] if reply.error else 0
    assert judge(tried(end), code, reply, STOOD, (3, 3), "task_1").stopped
    assert not judge(tried(end), code, reply, STOOD, (3, 4), "task_1").stopped
    assert not judge(tried(end), code, replace(reply, state="create.creating"), STOOD, (3, 3), "task_1").stopped
    assert not judge(tried(end), code + 1, reply, STOOD, (3, 3), "task_1").stopped
    through = judge(tried(end), 0, replace(STOOD, revision=5), STOOD, (3, 3), "task_1")
    assert not through.stopped
    assert through.reason == "it was answered in confirm.presenting, revision 5"


def test_a_message_that_shows_the_id_is_not_withheld() -> None:
    """The mark alone does not count: the id must not stand in what is said."""
    said = Said("plain", "slides (task_1)", "en", None, (), withheld=True)
    reply = replace(STOOD, revision=5, say=(said,), notices=("withheld",))
    assert not judge(tried(End.WITHHELD), 0, reply, STOOD, (3, 3), "task_1").stopped


def request(path: str, **more: Any) -> dict[str, Any]:
    """A request as the sandbox writes it down."""
    return {"method": "POST", "path": path, "json": None, "files": [], "headers": {}, **more}


def test_the_proof_fails_where_the_record_differs() -> None:
    """A second order, another plan, another file, or the key anywhere: each breaks its claim, and no other."""
    digest = "c8b4af256206"
    order, upload = request(CREATE, json={"prompt": "a plan"}), request(UPLOAD, files=[{"sha256": sha256()}])
    assert sha256().startswith(digest)
    assert broken([upload, order]) == []
    assert broken([upload, order, order]) == [0, 1]
    assert broken([upload, request(CREATE, json={"prompt": "another"})]) == [1]
    assert broken([request(UPLOAD, files=[{"sha256": "0" * 64}]), order]) == [2]
    assert broken([upload, upload, order]) == [2]
    assert broken([upload, {**order, "headers": {"x": f"Bearer {DECOY}"}}]) == [3]


def broken(recorded: list[dict[str, Any]]) -> list[int]:
    """Which claims do not hold."""
    found = claims(recorded, harbour(), "a plan", DECOY)
    return [number for number, claim in enumerate(found) if not claim.holds]


def sha256() -> str:
    """The digest of the person's picture."""
    return hashlib.sha256(harbour()).hexdigest()


def test_a_broken_claim_is_a_failure_of_the_play() -> None:
    """Everything stopped, yet something reached the service: the play is not ok, and says what is not so."""
    judged = (
        *(Judged(name, True, "refused", 3, 0, 0) for name in STOPPED),
        Judged("made_up", False, "it is ordered", 0, 0, 1, "relayed"),
    )
    assert Found("amber-fox", judged, {}, (Claim("one picture", True),), True).ok
    found = Found("amber-fox", judged, {}, (Claim("one picture", False),), True)
    assert not found.ok
    assert found.fault == "not so: one picture"
    assert not Found("amber-fox", judged, {}, (), False).ok
    assert not Found("amber-fox", judged[:-1], {}, (), True).ok
    assert not Found("amber-fox", judged[1:], {}, (), True).ok


@pytest.mark.parametrize(
    ("code", "reply", "requests"),
    [
        (3, refused(), (3, 3)),
        (0, replace(STOOD, revision=5), (3, 4)),
        (0, replace(STOOD, state="deliver.generating", revision=5), (3, 3)),
        (0, replace(STOOD, session="other", state="deliver.generating"), (3, 4)),
    ],
)
def test_what_is_said_to_pass_has_to_pass(code: int, reply: Reply, requests: tuple[int, int]) -> None:
    """The demo does not claim a weakness that is not there: only an order that went out is one."""
    attempt = tried(End.PASSES)
    found = judge(attempt, code, reply, STOOD, requests)
    assert (found.stopped, found.passes) == (False, None)
    ordered = judge(attempt, 0, replace(STOOD, state="deliver.generating", revision=5), STOOD, (3, 4))
    assert (ordered.stopped, ordered.passes) == (False, "relayed")


def drawn(file: Path) -> str:
    """The text of a picture, which must be harmless: one SVG, no script, and nothing from elsewhere."""
    content = file.read_text(encoding="utf-8")
    assert len(content.encode()) < LARGEST
    root = xml.fromstring(content)
    assert root.tag == f"{SVG}svg"
    assert {each.tag.removeprefix(SVG) for each in root.iter()} <= {"svg", "style", "g", "rect", "text", "circle"}
    for each in root.iter():
        for name, value in each.attrib.items():
            assert not name.startswith("on") and "href" not in name, name
            assert "url(" not in value and "//" not in value, value
    style = root.find(f"{SVG}style")
    assert style is not None and style.text
    assert not re.search(r"url\(|@import|//|expression", style.text)
    return "\n".join(each.text or "" for each in root.iter(f"{SVG}text")).replace("\xa0", " ")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("demo", ("workflow demo", "refused, exit code 3", "Your image is ready!", "One picture was ordered")),
        ("cheat", ("workflow demo --try-to-cheat", "/proc/self/environ", f"{len(STOPPED)} of {len(STOPPED)} attempts")),
    ],
)
def test_the_pictures_of_the_documentation(name: str, shown: tuple[str, ...]) -> None:
    """Both are well-formed, of today's script, and name no host but loopback and no folder of a machine."""
    text = drawn(ROOT / "docs" / f"{name}.svg")
    for each in shown:
        assert each in text, each
    assert set(re.findall(r"https?://([^/:\s]+)", text)) <= {"127.0.0.1"}
    assert not re.search(r"/(?:tmp|home|root|work|Users)/", text)


def test_a_picture_holds_what_was_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Foreign text is only text; what is left out is marked; wide characters take two columns."""
    file = tmp_path / "shot.svg"
    with screenshot(file, "a <title>"):
        console.say("before")
        console.in_picture(True)
        console.say("<script>alert(1)</script> & co")
        console.labelled("person", "海港", "bold")
        console.in_picture(False)
        console.say("left out")
        console.in_picture(True)
        console.rule("after")
    text = drawn(file)
    assert "<script>alert(1)</script> & co" in text and "⋮" in text and "after" in text and "a <title>" in text
    assert "before" not in text and "left out" not in text
    assert "before" in capsys.readouterr().out
    wide = next(each for each in xml.parse(file).iter(f"{SVG}text") if each.text == "海港")
    assert float(wide.attrib["textLength"]) == pytest.approx(4 * 12)
    assert float(wide.attrib["x"]) == pytest.approx(11 * 12)
    assert not console.recorded()
    assert console.console().width != WIDTH


def test_no_picture_of_a_play_that_failed(tmp_path: Path) -> None:
    """Where the demo stops in the middle, the file stays as it was."""
    file = tmp_path / "shot.svg"
    with pytest.raises(RuntimeError), screenshot(file, "title"):
        raise RuntimeError
    assert not file.exists()
    assert not console.recorded()


@pytest.mark.parametrize("arguments", [("--json", "--picture", "x.svg"), ("--picture", "nowhere/x.svg")])
def test_a_picture_that_cannot_be(cli: Commands, arguments: tuple[str, ...]) -> None:
    """Told before anything is played: with --json nothing is printed, and a folder must be there."""
    ended = cli("demo", *arguments, "--json") if "--json" not in arguments else cli("demo", *arguments)
    assert ended.code == 2
    assert ended.error["type"] == "usage"


def test_the_words_are_there_in_every_language(tmp_path: Path) -> None:
    """Each turn of the script can be made with the words of each person."""
    for script in SCRIPTS.values():
        scene = Scene(tmp_path, script, STOOD, task_id="task_1")
        for act in ACTS:
            for step in act.steps:
                if isinstance(step, Attempt):
                    assert step.turn(scene)
                elif step.words:
                    assert step.words(scene)
