"""Gates by elicitation: one answer to one question, and nothing else opens a gate."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

import anyio
import pytest
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS, ElicitResult, ErrorData, InputRequiredResult

from tests.mcp.conftest import Place, talk
from tests.mcp.host import CLIENT, Filled, Host, Person, agree, answer_of, connected, decline
from workflow.machine.foreign import TRANSLATED
from workflow.mcp_server import elicitation as asking
from workflow.model.session import Turn

Form = Mapping[str, Any]
MODERN, BEFORE = "2026-07-28", "2025-11-25"
DAY = 86_400.0


def filled(**content: Any) -> ElicitResult:
    """A form that was sent with this in it."""
    return ElicitResult(action="accept", content=content)


def not_agreeing(place: Place, era: str, person: Person | None) -> tuple[str, dict[str, Any]]:
    """The session and the reply of an `approve` that this person does not agree to; nothing may come of it."""
    replies: list[dict[str, Any]] = []

    async def run() -> None:
        async with connected(place.server(), era, person) as host:
            await host.start()
            replies.append(await host.advance("approve"))

    anyio.run(run)
    (reply,) = replies
    name = reply["session"]
    assert reply["error"]["type"] == "refused" and reply["state"] == "confirm.presenting" and reply["revision"] == 1
    assert place.created() == 0 and all(not body["evidence"] for body in place.journal(name, "event"))
    return name, reply


@pytest.mark.parametrize(
    ("fills", "why"),
    [
        (decline, "declined"),
        (lambda form: ElicitResult(action="cancel"), "left"),
        (lambda form: filled(), "without an answer"),
        (lambda form: filled(answer=form["answer"]["enum"][0]), "gave no answer"),
        (lambda form: filled(answer="approve"), "without an answer"),
        (lambda form: filled(answer="approve AAAA-AAAA", words="yes"), "without an answer"),
        (lambda form: filled(answer=True), "without an answer"),
        (lambda form: filled(words="yes, go ahead"), "without an answer"),
    ],
)
def test_what_is_no_answer_is_no_evidence(quick: Place, era: str, fills: Any, why: str) -> None:
    """It is recorded as no answer, the question stays open, and the form or a terminal can still answer it."""
    name, reply = not_agreeing(quick, era, Person(fills))
    assert why in reply["error"]["message"] and "the form is shown again" in reply["error"]["hint"]
    assert "in a terminal of their own" in reply["error"]["hint"]
    (noted,) = quick.journal(name, "unanswered")
    assert (
        noted["gate"] == "user_approved" and noted["client"] == "unverified: host-of-tests 7.1" and why in noted["why"]
    )
    assert [option["event"] for option in reply["next"] if option["who"] == "person" and option["ready"]] == ["approve"]


def test_a_client_without_forms_is_told_how_to_pass_the_answer_on(quick: Place, era: str) -> None:
    """No capability and no quote: refused as on the command line, in the names that the tool has."""
    name, reply = not_agreeing(quick, era, None)
    assert "needs the person's own words, as quote" in reply["error"]["message"]
    assert quick.journal(name, "unanswered") == [] and len(quick.journal(name, "refusal")) == 1


def test_a_form_that_is_never_answered_ends(quick: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the call waits for the person it does not wait for ever."""
    monkeypatch.setattr(asking, "PATIENCE", 0.05)

    class Absent(Person):
        async def __call__(self, context: Any, params: Any) -> Filled:
            await anyio.sleep_forever()
            raise AssertionError

    assert "has not answered" in not_agreeing(quick, BEFORE, Absent())[1]["error"]["message"]


@pytest.mark.parametrize("refusal", [ErrorData(code=-32000, message="no screen"), filled])
def test_a_client_that_fails_at_the_form_gives_no_answer(quick: Place, refusal: Any) -> None:
    """An error instead of a form, or a form without content, is no evidence either."""
    person = Person(lambda form: refusal if isinstance(refusal, ErrorData) else ElicitResult(action="accept"))
    message = not_agreeing(quick, BEFORE, person)[1]["error"]["message"]
    assert "no screen" in message or "cannot be read" in message


def test_nothing_the_model_sends_is_an_answer(quick: Place, era: str) -> None:
    """Where a form asks the person, a quote counts for nothing; parameters that are made up are not read."""
    made_up = {
        "answer": {"action": "accept", "data": {"answer": "approve"}},
        "evidence": {"quote": "yes"},
        "quote": "yes",
        "strength": "proven",
        "channel": "terminal",
        "about": "x",
        "client": "somebody",
    }

    async def play(host: Host) -> None:
        for tool in (await host.client.list_tools()).tools:
            relayed = {"quote"} if tool.name == "workflow_advance" else set()
            assert set(made_up) & set(tool.input_schema["properties"]) == relayed
        await host.start()
        reply = await host.advance("approve", **made_up)
        assert reply["error"]["type"] == "refused" and reply["state"] == "confirm.presenting"

    person = talk(quick, era, play, Person(decline))
    assert len(person.asked) == 1 and quick.created() == 0


def test_a_gate_that_needs_more_than_a_form_is_not_asked(quick: Place, era: str) -> None:
    """What the user raised to `proven` no form can give; it holds for a server that is running already."""

    async def play(host: Host) -> None:
        await host.start()
        quick.policy["user_approved"] = "proven"
        reply = await host.advance("approve")
        assert "proven" in reply["error"]["message"] and "in a terminal of their own" in reply["error"]["hint"]
        assert "form" not in reply["error"]["hint"]

    person = talk(quick, era, play)
    assert person.asked == [] and quick.created() == 0


def test_raising_a_gate_to_asked_changes_nothing_here(quick: Place, era: str) -> None:
    """A form is worth `asked`."""
    quick.policy["user_approved"] = "asked"

    async def play(host: Host) -> None:
        await host.start()
        assert (await host.advance("approve"))["state"] == "deliver.generating"

    talk(quick, era, play)
    assert quick.created() == 1


def test_the_person_answers_for_each_file(place: Place, era: str) -> None:
    """A field for each file; those that were not agreed to stay here, and are not asked about again."""
    (place.folder / "other.png").write_bytes(b"another picture")
    files = [{"path": name, "description": "a picture"} for name in ("ref.png", "other.png")]

    async def play(host: Host) -> None:
        await host.start(references=files)
        assert (await host.advance("consent"))["state"] == "understand.asking"

    person = talk(
        place, era, play, Person(lambda form: filled(answer=form["answer"]["enum"][1], file_1=True, file_2=False))
    )
    assert {"file_1", "file_2"} < set(person.forms[0]) and "ref.png" in person.forms[0]["file_1"]["title"]
    uploaded = [part.filename for each in place.sandbox.requests for part in each.files]
    assert uploaded == ["ref.png"]


def test_files_of_one_name_are_chosen_by_form_as_well(place: Place, era: str) -> None:
    """Their folders tell them apart, and only the one that the person ticked leaves."""
    files = []
    for folder in ("drafts", "final"):
        (place.folder / folder).mkdir()
        (place.folder / folder / "ref.png").write_bytes(folder.encode())
        files.append({"path": f"{folder}/ref.png", "description": "a picture"})

    async def play(host: Host) -> None:
        await host.start(references=files)
        assert (await host.advance("consent"))["state"] == "understand.asking"

    talk(place, era, play, Person(lambda form: filled(answer=form["answer"]["enum"][1], file_1=False, file_2=True)))
    sent = [part.sha256 for each in place.sandbox.requests for part in each.files]
    assert sent == [sha256(b"final").hexdigest()]


@pytest.mark.parametrize(
    "left_out", [{}, {"file_1": True}, {"file_1": False, "file_2": False}, {"file_1": 1, "file_2": 1}]
)
def test_files_that_nobody_answered_for_are_not_sent(place: Place, era: str, left_out: dict[str, Any]) -> None:
    """A yes without the files, with some of them missing, or for none of them, uploads nothing."""
    (place.folder / "other.png").write_bytes(b"another picture")
    files = [{"path": name, "description": "a picture"} for name in ("ref.png", "other.png")]

    async def play(host: Host) -> None:
        await host.start(references=files)
        assert (await host.advance("consent"))["error"]["type"] == "refused"

    talk(place, era, play, Person(lambda form: filled(answer=form["answer"]["enum"][1], **left_out)))
    assert not [each for each in place.sandbox.requests if each.files]


def test_a_plan_that_changed_meanwhile_is_asked_about_anew(quick: Place, era: str) -> None:
    """Between question and answer somebody asks for another plan: the old answer counts for nothing."""
    names: list[str] = []
    person = Person()

    def fills(form: Form) -> ElicitResult:
        if len(person.asked) == 1:  # a turn beside this one
            turn = Turn("adjust", {"words": "Larger letters"}, expect_revision=1)
            assert quick.engine().advance(names[0], turn).revision == 2
        return agree(form)

    async def play(host: Host) -> None:
        await host.start()
        names.append(host.name)
        reply = await host.call("workflow_advance", session=host.name, event="approve")
        assert reply["state"] == "deliver.generating"

    person.fills = fills
    talk(quick, era, play, person)
    before, after = person.asked
    assert before != after and "Larger letters" in after
    (event,) = [body for body in quick.journal(names[0], "event") if body["evidence"]]
    assert event["given"]["quote"] == person.forms[1]["answer"]["enum"][1] and quick.created() == 1


def test_an_answer_to_an_older_revision_is_not_asked_about_again(quick: Place, era: str) -> None:
    """Where the agent said which revision it means, a change in between ends the turn; nothing is paid for."""
    names: list[str] = []

    def fills(form: Form) -> ElicitResult:
        quick.engine().advance(names[0], Turn("adjust", {"words": "Larger letters"}, expect_revision=1))
        return agree(form)

    async def play(host: Host) -> None:
        await host.start()
        names.append(host.name)
        assert (await host.advance("approve"))["ok"] is False

    person = talk(quick, era, play, Person(fills))
    assert len(person.asked) == 1 and quick.created() == 0


async def question(host: Host, name: str, **more: Any) -> InputRequiredResult:
    """The question that an `approve` brings back, in the era where the client calls again with the answer."""
    arguments = {"session": name, "event": "approve", **more}
    found = await host.client.session.call_tool("workflow_advance", arguments, allow_input_required=True)
    assert isinstance(found, InputRequiredResult)
    return found


async def call_again(
    host: Host, asked: InputRequiredResult, name: str, *, state: str | None = None, **more: Any
) -> dict[str, Any] | InputRequiredResult:
    """The same call with the person's agreement to what ``asked`` was."""
    assert asked.input_requests
    answers = {}
    for key, request in asked.input_requests.items():
        answers[key] = agree(request.params.requested_schema["properties"])  # type: ignore[union-attr]
    found = await host.client.session.call_tool(
        "workflow_advance",
        {"session": name, "event": "approve", **more},
        input_responses=answers,  # type: ignore[arg-type]
        request_state=state or asked.request_state,
        allow_input_required=True,
    )
    return found if isinstance(found, InputRequiredResult) else answer_of(found)


def test_an_answer_that_was_used_does_not_pay_again(quick: Place) -> None:
    """The service refuses, the same plan is open once more: the old answer, replayed, brings the question back."""
    quick.sandbox.fault("credits", on="create")

    async def play(host: Host) -> None:
        name = (await host.start())["session"]
        asked = await question(host, name)
        reply = await call_again(host, asked, name)
        assert isinstance(reply, dict) and reply["state"] == "confirm.presenting" and quick.created() == 1
        again = await call_again(host, asked, name)
        assert isinstance(again, InputRequiredResult) and quick.created() == 1
        assert again.input_requests != asked.input_requests
        assert isinstance(await call_again(host, again, name), dict) and quick.created() == 2
        for used in (asked, again):
            reply = await call_again(host, used, name)
            assert isinstance(reply, dict) and reply["state"] == "deliver.generating" and not reply["ok"]

    talk(quick, MODERN, play)
    assert quick.created() == 2


def test_a_form_that_was_declined_still_asks_the_same_question(quick: Place) -> None:
    """Sent away, it is answered by nobody; agreed to after all, it is an answer to the plan that it shows, once."""

    async def play(host: Host) -> None:
        name = (await host.start())["session"]
        asked = await question(host, name)
        sent = {key: ElicitResult(action="decline") for key in asked.input_requests or ()}
        reply = await host.client.session.call_tool(
            "workflow_advance",
            {"session": name, "event": "approve"},
            input_responses=sent,  # type: ignore[arg-type]
            request_state=asked.request_state,
        )
        assert "declined" in answer_of(reply)["error"]["message"]
        for ok in (True, False):
            again = await call_again(host, asked, name)
            assert isinstance(again, dict) and again["ok"] is ok

    talk(quick, MODERN, play)
    assert quick.created() == 1


def test_an_answer_finds_its_question_after_a_restart(quick: Place) -> None:
    """The server is another process by then; what it needs is in the store and beside it."""

    async def run() -> None:
        async with connected(quick.server(), MODERN, Person()) as host:
            name = (await host.start())["session"]
            asked = await question(host, name)
        async with connected(quick.server(), MODERN, Person()) as host:
            reply = await call_again(host, asked, name)
            assert isinstance(reply, dict) and reply["state"] == "deliver.generating"

    anyio.run(run)
    assert quick.created() == 1


@pytest.mark.parametrize(("passed", "paid"), [(0, 1), (6 * DAY, 1), (7.1 * DAY, 0), (13 * DAY, 0)])
def test_an_old_form_pays_for_nothing(quick: Place, era: str, passed: float, paid: int) -> None:
    """Filled in after its term it is no answer, in both eras; the next form is one, and pays once."""
    ages = iter([passed, 0.0])

    def fills(form: Form) -> ElicitResult:
        quick.clock.pass_(next(ages, 0.0))
        return agree(form)

    async def play(host: Host) -> None:
        await host.start()
        reply = await host.advance("approve")
        assert quick.created() == paid and (reply["error"] is None) is bool(paid)
        if not paid:
            assert reply["error"]["type"] in ("stale", "refused") and reply["state"] == "confirm.presenting"
            assert (await host.advance("approve"))["state"] == "deliver.generating"

    person = talk(quick, era, play, Person(fills))
    assert "\nAnswer by 2027-01-" in person.asked[0] and quick.created() == 1


def test_a_form_of_long_ago_is_put_again(quick: Place, era: str) -> None:
    """One that nobody remembers is no answer: it takes a form of today, which is put at once, or by the next turn."""
    ages = iter([60 * DAY])

    def fills(form: Form) -> ElicitResult:
        quick.clock.pass_(next(ages, 0.0))
        return agree(form)

    async def play(host: Host) -> None:
        await host.start()
        await host.advance("approve")
        if era == BEFORE:
            assert quick.created() == 0
            await host.advance("approve")

    person = talk(quick, era, play, Person(fills))
    assert len(person.asked) == 2 and person.forms[0] != person.forms[1] and quick.created() == 1


@pytest.mark.parametrize(("passed", "taken"), [(6 * DAY, True), (8 * DAY, False)])
def test_the_term_of_a_form_outlives_a_restart(quick: Place, passed: float, taken: bool) -> None:
    """When it was shown is in its own code; no process has to remember it."""

    async def run() -> None:
        async with connected(quick.server(), MODERN, Person()) as host:
            name = (await host.start())["session"]
            asked = await question(host, name)
        quick.clock.pass_(passed)
        async with connected(quick.server(), MODERN, Person()) as host:
            reply = await call_again(host, asked, name)
            assert isinstance(reply, dict) and (reply["state"] == "deliver.generating") is taken
            assert taken or "its term is 7d" in reply["error"]["message"]

    anyio.run(run)
    assert quick.created() == taken


@pytest.mark.parametrize(
    ("real", "told", "boot_id", "taken"),
    [
        (6 * DAY, 6 * DAY, "boot-1", True),
        (DAY, DAY - 60, "boot-1", True),  # set right by a minute
        (8 * DAY, 0, "boot-1", False),  # set back by what has passed
        (8 * DAY, -DAY, "boot-1", False),
        (0, 8 * DAY, "boot-1", False),  # set forward
        (0, -8 * DAY, "boot-1", False),
        (DAY, DAY, "boot-2", False),  # whether the wall was set over the reboot, nothing tells
    ],
)
def test_a_form_is_as_old_as_either_clock_says(
    quick: Place, real: float, told: float, boot_id: str, taken: bool
) -> None:
    """One that a clock was set over is put again; it pays for nothing until it was answered anew."""

    async def run() -> None:
        async with connected(quick.server(), MODERN, Person()) as host:
            name = (await host.start())["session"]
            asked = await question(host, name)
        quick.clock.pass_(real)
        quick.clock.wall += told - real
        quick.clock.boot_id = boot_id
        async with connected(quick.server(), MODERN, Person()) as host:
            await call_again(host, asked, name)

    anyio.run(run)
    assert quick.created() == taken


def test_what_was_asked_under_another_secret_is_not_taken(quick: Place) -> None:
    """Another installation's question, or one from before the secret was removed, is refused as such."""

    async def run() -> None:
        async with connected(quick.server(), MODERN, Person()) as host:
            name = (await host.start())["session"]
            asked = await question(host, name)
        other = replace(quick, secret=b"another secret of 32 bytes, also")
        async with connected(other.server(), MODERN, Person()) as host:
            await refused(host, asked, name)

    anyio.run(run)
    assert quick.created() == 0


async def refused(host: Host, asked: InputRequiredResult, name: str, **more: Any) -> None:
    """The answer is turned away before anything looks at it."""
    with pytest.raises(MCPError) as error:
        await call_again(host, asked, name, **more)
    assert error.value.code == INVALID_PARAMS and "requestState" in error.value.message


def test_a_state_that_was_tampered_with_is_refused(quick: Place) -> None:
    """Cut, changed, made up, or of the same question to another session or with other arguments."""

    async def play(host: Host) -> None:
        name = (await host.start())["session"]
        other = (await host.start())["session"]
        asked = await question(host, name)
        state = asked.request_state or ""
        for made in (state[:-2], state[:20] + ("A" if state[20] != "A" else "B") + state[21:], "v1.AAAA", "x"):
            await refused(host, asked, name, state=made)
        await refused(host, asked, other)
        await refused(host, asked, name, language="zh-CN")

    talk(quick, MODERN, play)
    assert quick.created() == 0


def test_a_state_that_is_too_old_is_refused(quick: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """After half an hour the person is asked again."""

    async def play(host: Host) -> None:
        name = (await host.start())["session"]
        asked = await question(host, name)
        later = time.time() + asking.PATIENCE + 1
        monkeypatch.setattr("mcp.server.request_state.time.time", lambda: later)
        await refused(host, asked, name)

    talk(quick, MODERN, play)
    assert quick.created() == 0


def test_nobody_is_asked_what_would_be_refused_anyway(quick: Place, era: str) -> None:
    """A stale revision, missing input, an event that is not possible: the person is not bothered."""

    async def play(host: Host) -> None:
        await host.start()
        for event, more in (("approve", {"expect_revision": 9}), ("modify", {}), ("found", {}), ("nonsense", {})):
            arguments = {"session": host.name, "event": event, **more}
            assert (await host.call("workflow_advance", **arguments))["ok"] is False

    assert talk(quick, era, play).asked == []


def test_text_of_the_service_cannot_draw_in_the_form(quick: Place, era: str) -> None:
    """Escapes, zero-width and turning characters in the plan are written out."""
    quick.sandbox.fault("terminal-escapes", on="prepare", field="prompt")

    async def play(host: Host) -> None:
        await host.start()
        await host.advance("approve")

    (text,) = talk(quick, era, play, Person(decline)).asked
    assert all(char == "\n" or char.isprintable() for char in text) and "\\u{1b}" in text


def test_words_of_their_own_are_the_quote(quick: Place, era: str) -> None:
    """Who writes something is quoted with it, else with the choice."""
    names: list[str] = []

    async def play(host: Host) -> None:
        await host.start()
        names.append(host.name)
        await host.advance("approve")

    talk(quick, era, play, Person(lambda form: filled(answer=form["answer"]["enum"][1], words=" Yes, lovely! ")))
    (event,) = [body for body in quick.journal(names[0], "event") if body["evidence"]]
    assert [each["quote"] for each in event["evidence"]] == ["Yes, lovely!"]


def test_doubt_is_settled_by_the_person(quick: Place, era: str) -> None:
    """Whether a paid call whose answer was lost has happened is asked by a form as well."""
    quick.sandbox.fault("drop-after", on="create")

    async def play(host: Host) -> None:
        await host.start()
        assert (await host.advance("approve"))["status"] == "in_doubt"
        assert (await host.advance("did_not_happen"))["state"] == "confirm.presenting"

    person = talk(quick, era, play)
    assert [form["answer"]["enum"][1].rpartition(" ")[0] for form in person.forms] == ["approve", "did not happen"]
    assert quick.created() == 1


def test_an_own_words_gate_is_about_the_words_that_are_shown(quick: Place, era: str) -> None:
    """A change is sent in the words that stood in the form, not in others with the same answer."""

    async def play(host: Host) -> None:
        await host.start()
        await host.advance("approve")
        await host.call("workflow_watch", session=host.name)
        assert (await host.advance("modify", input={"words": "Make it blue"}))["state"] == "revise.applying"

    person = talk(quick, era, play)
    assert "words: “Make it blue”" in person.asked[-1]
    sent = [
        each.json["content"] for each in quick.sandbox.requests if each.method == "POST" and "messages" in each.path
    ]
    assert sent == ["Make it blue"]


def test_a_client_cannot_name_itself_like_a_token(quick: Place, era: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no token vouches for says so first, whatever name the client gives itself."""
    monkeypatch.setattr(CLIENT, "name", "token alice: host")
    name, _ = not_agreeing(quick, era, Person(decline))
    (noted,) = quick.journal(name, "unanswered")
    assert noted["client"] == "unverified: token alice: host 7.1"


def test_the_form_shows_the_agents_translation_and_the_answer_keeps_it(quick: Place, era: str) -> None:
    """Below the original and marked as the agent's; what the form showed is what the log says that was read."""
    french = "Voici le plan.\nOn y va ?"
    names: list[str] = []

    async def play(host: Host) -> None:
        host.reply = await host.call("workflow_start", input={"words": "Une affiche"}, language="fr")
        names.append(host.name)
        (approve,) = [option for option in host.reply["next"] if option["event"] == "approve"]
        assert "translation" in approve["how"]
        assert (await host.advance("approve", translation=french))["ok"]

    (text,) = talk(quick, era, play).asked
    assert text.index("asks you, not the agent") < text.index(f"{TRANSLATED[1:]}:\n│ Voici le plan.\n│ On y va ?")
    (event,) = [body for body in quick.journal(names[0], "event") if body["evidence"]]
    assert [(each["strength"], each["translation"]) for each in event["evidence"]] == [("asked", french)]


def test_an_answer_to_one_translation_is_none_to_another(quick: Place) -> None:
    """The agent cannot put other words under the person's answer afterwards."""

    async def play(host: Host) -> None:
        name = (await host.start())["session"]
        asked = await question(host, name)
        with pytest.raises(MCPError):
            await call_again(host, asked, name, translation="On y va ?")

    talk(quick, MODERN, play)
    assert quick.created() == 0
