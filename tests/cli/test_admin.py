"""``workflow-admin``: a person answers on a terminal, settles what is in doubt, or calls the service directly."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from phases.anygen.sandbox import SANDBOX_KEY, Sandbox
from tests.cli import terminals
from tests.cli.conftest import Commands
from workflow.local.clock import SystemClock
from workflow.model.frozen import replace
from workflow.show.times import size

ROOT = Path(__file__).parents[2]
COURIER = Path(__file__).parent.parent / "courier"
AGREED = "? (y = yes, n = no, Enter = later)"
WHICH = "Which of these?"
WORDS = "in your own words"


def evidence(cli: Commands, session: str) -> list[dict[str, Any]]:
    """All evidence in the log, oldest first."""
    entries = [json.loads(line) for line in cli("audit", "log", session, "--json").out.splitlines()]
    return [each for entry in entries if entry["kind"] == "event" for each in entry["body"]["evidence"]]


def posts(sandbox: Sandbox, path: str) -> int:
    """How often the service was asked to do this."""
    return sum(1 for request in sandbox.requests if request.method == "POST" and request.path == path)


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Types lines at a terminal that this process takes for one."""

    def type_(*lines: str) -> None:
        monkeypatch.setattr("workflow.cli.console.interactive", lambda: True)
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))

    return type_


def test_approval_on_a_terminal_is_asked_not_relayed(cli: Commands, sandbox: Sandbox) -> None:
    """The plan is shown in full, the words are the person's own, and the run goes on by them."""
    plan = cli.planned()
    terminal = terminals.admin("approve", plan["session"])
    terminal.expect("Here is the design plan:")
    terminal.expect("approve (answers the gate user_approved)")
    terminal.answer(AGREED, "y")
    terminal.answer(WORDS, "yes, that is the one")
    terminal.expect("I've started generating your image")
    assert terminal.end() == 0
    given = evidence(cli, plan["session"])
    assert [(each["gate"], each["strength"], each["channel"], each["quote"]) for each in given] == [
        ("user_approved", "asked", "terminal", "yes, that is the one")
    ]
    assert posts(sandbox, "/v1/openapi/tasks") == 1


def test_a_gate_that_was_raised_opens_on_a_terminal_only(cli: Commands, sandbox: Sandbox) -> None:
    """Where the configuration asks for `asked`, an agent's report is refused, and the terminal is not."""
    (cli.folder / "config" / "config.toml").write_text('[gates]\nuser_approved = "asked"\n', encoding="utf-8")
    plan = cli.planned()
    assert cli.approved(plan)["error"]["type"] == "refused"
    terminal = terminals.admin("approve", plan["session"])
    terminal.answer(AGREED, "yes")
    terminal.answer(WORDS, "")
    assert terminal.end() == 0
    assert posts(sandbox, "/v1/openapi/tasks") == 1


def test_leaving_sends_nothing_and_names_the_way_back(cli: Commands, sandbox: Sandbox) -> None:
    """Ctrl-C behind the yes leaves with 130 and no evidence, and says which command asks again."""
    plan = cli.planned()
    terminal = terminals.admin("approve", plan["session"])
    terminal.answer(AGREED, "7")
    terminal.answer(AGREED, "y")
    terminal.expect(WORDS)
    assert terminal.interrupt() == 130
    assert f"approve {plan['session']}` asks again" in " ".join(terminal.shown.split())
    assert evidence(cli, plan["session"]) == [] and posts(sandbox, "/v1/openapi/tasks") == 0


def test_consent_can_be_given_for_one_file_of_two(cli: Commands, sandbox: Sandbox) -> None:
    """Files are numbered; consent to one lets only that one leave, and the other is declined."""
    offered = []
    for name in ("cat.png", "dog.png"):
        (cli.folder / name).write_bytes(name.encode())
        offered.append({"path": name, "description": f"the {name[:3]}"})
    reply = cli.turn("start", input={"words": "A poster", "references": offered})
    terminal = terminals.admin("approve", reply["session"])
    terminal.expect("dog.png")
    terminal.answer(AGREED, "y")
    terminal.expect("the dog")
    terminal.answer("For which files?", "3")
    terminal.answer("For which files?", "2")
    terminal.answer(WORDS, "the dog, not the cat")
    assert terminal.end() == 0
    uploads = [request for request in sandbox.requests if request.path.endswith("/files/upload")]
    assert [part.filename for each in uploads for part in each.files] == ["dog.png"]
    assert cli("status", reply["session"]).json["state"] == "confirm.presenting"


def test_a_change_takes_the_persons_words_once(cli: Commands, sandbox: Sandbox, typed: Any) -> None:
    """Where the words are what is sent, they are asked for once, and are the evidence as well."""
    plan = cli.planned()
    cli.approved(plan)
    assert cli("advance", plan["session"], "check").json["state"] == "deliver.ready"
    typed("y", "a little darker, please")
    ended = cli.admin("approve", plan["session"], "--json")
    assert ended.code == 0 and "revise.applying" in ended.out
    assert evidence(cli, plan["session"])[-1]["quote"] == "a little darker, please"
    sent = [request.json for request in sandbox.requests if request.method == "POST" and "messages" in request.path]
    assert sent == [{"content": "a little darker, please"}]


def test_a_kept_wish_is_ordered_with_enter(cli: Commands, sandbox: Sandbox, typed: Any) -> None:
    """The words that were kept are shown with the question, and nobody has to type them again."""
    plan = cli.planned()
    cli.approved(plan)
    kept = cli.turn("advance", plan["session"], "note", input={"words": "a little darker", "for": "modify"})
    assert kept["ok"]
    assert cli("advance", plan["session"], "check").json["state"] == "deliver.ready"
    typed("y", "")
    ended = cli.admin("approve", plan["session"], "--json")
    assert ended.code == 0 and "Earlier you said" in ended.out and "revise.applying" in ended.out
    assert evidence(cli, plan["session"])[-1]["quote"] == "a little darker"
    sent = [request.json for request in sandbox.requests if request.method == "POST" and "messages" in request.path]
    assert sent == [{"content": "a little darker"}]


@pytest.mark.parametrize("lines", [("",), ("later",), ("1", "yes, please", "L"), ("9", "x", "")])
def test_no_answer_is_no_evidence(cli: Commands, sandbox: Sandbox, typed: Any, lines: Sequence[str]) -> None:
    """Enter is no yes, nor is anything but y: nothing is recorded."""
    plan = cli.planned()
    typed(*lines)
    ended = cli.admin("approve", plan["session"], "--json")
    assert ended.code == 0 and "No answer was given" in ended.out
    assert cli("status", plan["session"]).json["receipt"] == plan["receipt"]


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (("n", "too expensive"), "the person said no: “too expensive”"),
        (("NO", ""), "the person said no"),
        (("perhaps", "no", "x"), "the person said no: “x”"),
    ],
)
def test_a_no_is_recorded_with_its_reason_and_opens_nothing(
    cli: Commands, sandbox: Sandbox, typed: Any, lines: Sequence[str], why: str
) -> None:
    """The log says who declined what; the session stands where it stood, and a later yes is possible."""
    plan = cli.planned()
    typed(*lines)
    ended = cli.admin("approve", plan["session"])
    assert ended.code == 0 and "Your no to 'approve' is recorded" in ended.out
    entries = [json.loads(line) for line in cli("audit", "log", plan["session"], "--json").out.splitlines()]
    body = entries[-1]["body"]
    assert (entries[-1]["kind"], body["gate"], body["channel"]) == ("unanswered", "user_approved", "terminal")
    assert body["why"] == why and why in " ".join(cli("audit", "log", plan["session"]).out.replace("│", " ").split())
    assert evidence(cli, plan["session"]) == [] and posts(sandbox, "/v1/openapi/tasks") == 0
    assert cli("status", plan["session"]).json["revision"] == plan["revision"]
    typed("y", "")
    assert cli.admin("approve", plan["session"]).code == 0
    assert posts(sandbox, "/v1/openapi/tasks") == 1


def test_the_prompt_says_what_a_yes_does(cli: Commands, sandbox: Sandbox, typed: Any) -> None:
    """The call and what it costs, the request and where it goes, and until when it can be given."""
    plan = cli.planned()
    typed("")
    told = " ".join(cli.admin("approve", plan["session"]).out.split())
    assert "lets create: it costs something, and is made at most once" in told
    assert "sends POST /v1/openapi/tasks" in told
    assert f"to {sandbox.url.removeprefix('http://')} (a sandbox: nothing is paid)" in told
    assert "'approve' can be answered until " in told and "y = yes, n = no, Enter = later" in told
    assert posts(sandbox, "/v1/openapi/tasks") == 0


def test_the_yes_is_the_words_where_nobody_adds_any(cli: Commands, sandbox: Sandbox, typed: Any) -> None:
    """What was typed is what is recorded."""
    plan = cli.planned()
    typed("Yes", "")
    assert cli.admin("approve", plan["session"], "--json").code == 0
    assert evidence(cli, plan["session"])[-1]["quote"] == "Yes"


def test_an_answer_cannot_be_piped_in(cli: Commands, sandbox: Sandbox) -> None:
    """Without a terminal on both ends it is a usage error, before anything is shown, and no flag changes that."""
    plan = cli.planned()
    script = [sys.executable, "-c", "from workflow.cli.people.admin import main; main()", "approve", plan["session"]]
    ended = subprocess.run(script, input=b"1\nyes\n", capture_output=True, cwd=ROOT, check=False)
    assert (ended.returncode, ended.stdout) == (2, b"") and b"must be a terminal" in b" ".join(ended.stderr.split())
    assert (
        cli.admin("approve", plan["session"], "--yes", "--json").error["message"].startswith("No such option '--yes'")
    )
    assert cli("status", plan["session"]).json["receipt"] == plan["receipt"]


def test_what_changed_while_the_person_thought_is_not_approved(cli: Commands, sandbox: Sandbox) -> None:
    """The answer is bound to the revision that was shown: a plan that was adjusted meanwhile stays unapproved."""
    plan = cli.planned()
    session = plan["session"]
    terminal = terminals.admin("approve", session)
    terminal.answer(AGREED, "y")
    terminal.expect(WORDS)
    cli.turn("advance", session, "adjust", input={"words": "in blue"}, expect_revision=plan["revision"])
    terminal.type("yes")
    terminal.expect("was meant for revision 1")
    assert terminal.end() == 6
    assert posts(sandbox, "/v1/openapi/tasks") == 0


def test_a_question_that_was_put_in_other_words_is_not_answered(
    cli: Commands, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, typed: Any
) -> None:
    """If what is shown now is not what was shown then, evidence would be bound to another text."""
    plan = cli.planned()
    monkeypatch.setattr("workflow.engine.question.digest", lambda text: "other")
    typed("y", "yes")
    ended = cli.admin("approve", plan["session"], "--json")
    reply = json.loads(ended.out.splitlines()[-1])
    assert (ended.code, reply["error"]["type"]) == (3, "refused")
    assert "was put in other words" in reply["error"]["message"]


def test_a_gate_that_needs_proof_is_not_asked_for_here(cli: Commands, sandbox: Sandbox, typed: Any) -> None:
    """Nobody types words that could not be taken."""
    (cli.folder / "config" / "config.toml").write_text('[gates]\nuser_approved = "proven"\n', encoding="utf-8")
    plan = cli.planned()
    typed("y", "yes")
    ended = cli.admin("approve", plan["session"], "--json")
    assert ended.code == 3 and "takes only answers that are 'proven'" in ended.out


def test_a_session_that_asks_nothing_says_so(cli: Commands, sandbox: Sandbox, typed: Any) -> None:
    """A run that has ended or waits for the service has no question for a person."""
    plan = cli.planned()
    cli("advance", plan["session"], "cancel")
    typed("y", "yes")
    ended = cli.admin("approve", plan["session"], "--json")
    assert (ended.code, ended.error["type"]) == (3, "refused")
    assert "asks nothing of a person" in ended.error["message"]


def test_approve_lists_what_waits_for_a_person(cli: Commands, sandbox: Sandbox) -> None:
    """Live sessions with an event that only a person can send; others are left out."""
    plan, over = cli.planned(), cli.planned()
    cli("advance", over["session"], "cancel")
    waiting = cli.admin("approve", "--json").json["waiting"]
    assert [(each["session"], each["state"], each["status"], each["events"]) for each in waiting] == [
        (plan["session"], "confirm.presenting", "waiting", ["approve"])
    ]


def test_the_lists_are_tables_on_a_terminal(cli: Commands, sandbox: Sandbox, terminal: None) -> None:
    """A person sees which sessions wait, and how to answer."""
    assert "Nothing waits for a person in " in cli.admin("approve").out
    assert "Nothing is in doubt in " in cli.admin("resolve").out
    file = cli.folder / "turn.json"
    file.write_text('{"input": {"words": "A poster"}}', encoding="utf-8")
    cli("start", "--input-file", str(file))
    out = cli.admin("approve").out
    assert "a person may say" in out and "workflow-admin approve SESSION" in out


@pytest.fixture
def doubtful(cli: Commands, sandbox: Sandbox) -> str:
    """A session whose paid call was done, but never answered."""
    plan = cli.planned()
    sandbox.fault("drop-after", on="create")
    reply = cli.approved(plan)
    assert (reply["status"], reply["state"]) == ("in_doubt", "create.unsure")
    return str(plan["session"])


def test_resolve_lists_what_is_in_doubt(cli: Commands, doubtful: str) -> None:
    """Only sessions in doubt, with what a person may say about them."""
    cli.planned()
    waiting = cli.admin("resolve", "--json").json["waiting"]
    assert [(each["session"], each["events"]) for each in waiting] == [(doubtful, ["found", "did_not_happen"])]


def test_what_was_found_is_resolved_with_its_link(cli: Commands, sandbox: Sandbox, doubtful: str) -> None:
    """The person names the link; the run adopts the task, and nothing is created twice."""
    link = f"{sandbox.url}/task/{_task_id(sandbox)}"
    terminal = terminals.admin("resolve", doubtful)
    terminal.expect("I can't tell whether it was started")
    terminal.answer(WHICH, "7")
    terminal.answer(WHICH, "1")
    terminal.answer("task url (the full link)", link)
    terminal.answer(WORDS, "   ")
    terminal.expect("It must not be empty")
    terminal.answer(WORDS, "I see it in my account")
    assert terminal.end() == 0
    reply = cli("status", doubtful).json
    assert reply["state"] in ("deliver.generating", "deliver.ready") and reply["status"] != "in_doubt"
    assert posts(sandbox, "/v1/openapi/tasks") == 1


def test_what_did_not_happen_goes_back_to_the_plan(cli: Commands, sandbox: Sandbox, doubtful: str, typed: Any) -> None:
    """A fresh approval is needed: the old one was spent."""
    typed("2", "there is nothing in my account")
    ended = cli.admin("resolve", doubtful, "--json")
    assert ended.code == 0 and "confirm.presenting" in ended.out
    assert cli("status", doubtful).json["status"] == "waiting"
    assert posts(sandbox, "/v1/openapi/tasks") == 1


def test_resolve_refuses_what_is_not_in_doubt(cli: Commands, sandbox: Sandbox) -> None:
    """A session that knows where it stands has nothing to resolve."""
    plan = cli.planned()
    ended = cli.admin("resolve", plan["session"], "--json")
    assert (ended.code, ended.error["type"]) == (3, "refused")
    assert "nothing is in doubt" in ended.error["message"]


@pytest.mark.parametrize("command", ["approve", "resolve"])
def test_an_unknown_session_is_not_found(cli: Commands, typed: Any, command: str) -> None:
    """Exit code 5."""
    typed()
    ended = cli.admin(command, "amber-fox", "--json")
    assert (ended.code, ended.error["type"]) == (5, "not_found")


def test_the_raw_client_is_the_bundles_own(cli: Commands, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its commands run against the sandbox with the sandbox's key, never the user's."""
    monkeypatch.setenv("ANYGEN_API_KEY", "sk-ag-real-key-of-the-user")
    (cli.folder / "cat.png").write_bytes(b"cat")
    ended = cli.admin("api", "upload", "--file", "cat.png")
    assert ended.code == 0 and ended.out.startswith("File Token: tk_")
    keys = {request.headers.get("authorization") for request in sandbox.requests}
    assert keys == {f"Bearer {SANDBOX_KEY}"}


def test_the_raw_client_needs_a_key_outside_the_sandbox(cli: Commands) -> None:
    """Without a key nothing leaves; exit code 4."""
    (cli.folder / "cat.png").write_bytes(b"cat")
    ended = cli.admin("api", "upload", "--file", "cat.png")
    assert ended.code == 4 and "There is no key in ANYGEN_API_KEY" in ended.why


def test_a_bundle_without_a_raw_client_says_so(cli: Commands) -> None:
    """The convention is a module beside the sandbox; without one there is nothing to call."""
    ended = cli.admin("api", "--bundle", str(COURIER), "upload")
    assert ended.code == 2 and "has no raw client (phases.api)" in ended.why


def _task_id(sandbox: Sandbox) -> str:
    """What a person would see in their account; the service has no call for it."""
    return str(next(iter(sandbox._service.tasks)))


def test_to_forget_asks_first(cli: Commands, sandbox: Sandbox) -> None:
    """On a terminal a person sees what it is about, and may think better of it."""
    name = cli.planned()["session"]
    terminal = terminals.admin("forget", name)
    terminal.expect(f"{name}: confirm.presenting, waiting")
    terminal.answer("Erase it?", "n")
    terminal.expect("Nothing was erased")
    assert terminal.end() == 0
    assert cli("status", name).code == 0
    terminal = terminals.admin("forget", name)
    terminal.answer("Erase it?", "y")
    terminal.expect("was erased at")
    assert terminal.end() == 0
    assert cli("status", name).code == 5


def test_to_forget_needs_somebody_who_says_so(cli: Commands, sandbox: Sandbox) -> None:
    """Without a terminal only --yes is an answer; the reply says what was erased."""
    plan = cli.planned()
    ended = cli.admin("forget", plan["session"], "--json")
    assert (ended.code, ended.error["type"]) == (2, "usage") and "--yes" in ended.error["hint"]
    ended = cli.admin("forget", plan["session"], "--yes", "--json")
    reply = ended.json
    assert (ended.code, reply["ok"], reply["session"], reply["fault"]) == (0, True, plan["session"], None)
    assert reply["entries"] == int(plan["receipt"].partition(":")[0])
    assert cli.admin("forget", plan["session"], "--yes", "--json").json == reply
    assert cli("status", plan["session"]).error["type"] == "not_found"


def test_to_prune_lists_asks_and_erases(cli: Commands, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dry run changes nothing, only --yes is an answer without a terminal, and no live session is on the list."""
    live, name = cli.planned()["session"], cli.planned()["session"]
    assert cli("advance", name, "cancel").code == 0
    old = ("prune", "--older-than", "90d")
    assert cli.admin(*old, "--dry-run", "--json").json["sessions"] == []
    now = SystemClock.now
    monkeypatch.setattr(SystemClock, "now", lambda clock: replace(now(clock), wall=now(clock).wall + 91 * 86_400))
    listed = cli.admin(*old, "--dry-run", "--json").json
    assert [each["name"] for each in listed["sessions"]] == [name] and listed["size"] > 0
    assert f"would erase {size(listed['size'])} of 1 session" in _size(cli)
    assert name in cli.admin(*old, "--dry-run").out
    refused = cli.admin(*old, "--json")
    assert (refused.code, refused.error["type"]) == (2, "usage") and "--yes" in refused.error["hint"]
    done = cli.admin(*old, "--yes", "--json").json
    assert done["forgotten"] == [name] and done["left"] == []
    assert cli("status", name).code == 5 and cli("status", live).code == 0
    assert cli.admin(*old, "--yes", "--json").json["forgotten"] == [] and "would erase" not in _size(cli)
    assert cli.admin("prune", "--older-than", "soon", "--json").error["type"] == "usage"


def _size(cli: Commands) -> str:
    """What the doctor says of the store's size."""
    [told] = [each["what"] for each in cli("doctor", "--json").json["checks"] if each["name"] == "size"]
    assert isinstance(told, str) and "database " in told
    return told


@pytest.mark.parametrize("name", ["amber-fox", "../etc", "\udcff"])
def test_what_is_not_there_cannot_be_forgotten(cli: Commands, name: str) -> None:
    """Exit code 5; no lock is made for it."""
    assert cli.admin("forget", name, "--yes", "--json").error["type"] == "not_found"
    assert cli.admin("forget", name, "--json").error["type"] == "not_found"
    assert not list((cli.folder / "state" / "holds").iterdir())


def test_what_is_in_doubt_is_not_forgotten(cli: Commands, sandbox: Sandbox) -> None:
    """The person is sent to settle it first; exit code 3."""
    plan = cli.planned()
    sandbox.fault("drop-after", on="create")
    cli.approved(plan)
    ended = cli.admin("forget", plan["session"], "--yes", "--json")
    assert (ended.code, ended.error["type"]) == (3, "refused")
    assert f"workflow-admin resolve {plan['session']}" in ended.error["hint"]
