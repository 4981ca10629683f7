"""Answers from the page: each is a turn of the engine, bound to what was shown, of the person who is signed in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.page.conftest import Browser, Site
from workflow.local.browsers import AUDITOR
from workflow.model.session import Turn


def waiting(site: Site, **given: Any) -> str:
    """A report that erin has submitted: it waits for a manager, or with ``big`` for two of the board."""
    name = site.begin(**given).session or ""
    assert site.browser("erin").answer(name, "submit").status_code == 303
    site.settled(name)
    return name


def evidence(site: Site, name: str) -> list[Mapping[str, Any]]:
    """All that counted as somebody's answer."""
    return [each for entry in site.journal(name, "event", "partial") for each in (entry.body or {})["evidence"]]


def form_of(browser: Browser, name: str, event: str) -> dict[str, str]:
    """The form of one answer, as it is shown now."""
    (form,) = [each for each in browser.asked(name) if each["event"] == event]
    return form


def test_a_whole_approval_from_the_page(site: Site) -> None:
    """The employee submits, the manager approves: each is recorded with the person, the channel and the browser."""
    name = site.begin().session or ""
    erin, mona = site.browser("erin"), site.browser("mona")
    assert name in erin.get("/").text and name not in mona.get("/").text
    assert erin.answer(name, "submit", words="It is mine").status_code == 303
    site.settled(name)
    assert name in mona.get("/").text and name not in erin.get("/").text
    came = mona.answer(name, "approve")
    assert came.status_code == 303 and came.headers["location"] == site.place(name, "?noted=1")
    assert "is recorded" in mona.get(came.headers["location"]).text
    given = evidence(site, name)
    assert [(each["approver"], each["role"], each["strength"], each["channel"]) for each in given] == [
        ("erin", "employee", "asked", "page"),
        ("mona", "manager", "asked", "page"),
    ]
    assert given[0]["quote"] == "It is mine" and given[1]["client"].startswith("browser ")
    assert site.settled(name).status == "done" and len(site.sandbox.requests) == 1


def test_the_question_says_what_it_lets_happen(site: Site) -> None:
    """Word for word what the role is told, the call and its cost, what leaves and where to, who asks, until when."""
    name = waiting(site)
    page = site.browser("mona").get(site.place(name, "/question")).text
    assert "The report Trip to Bonn over 420 of your employee: do you approve it?" in page.replace(
        "“Trip to Bonn”", "Trip to Bonn"
    )
    assert "pay: costs something, and is made at most once" in page
    assert "<code>POST /payments</code>" in page and site.sandbox.url.removeprefix("http://") in page
    assert "amount: “420”" in page
    assert "openclaw" in page and "Answer by 2027-" in page and "sandbox: nothing real happens" in page
    assert "A no sends “Reject”, with your reason." in page


def test_what_was_handed_over_is_recorded_by_the_answer(site: Site) -> None:
    """Opening the question writes nothing; the entry of the answer has the wording that was shown."""
    name = waiting(site)
    before, mona = site.journal(name), site.browser("mona")
    form = form_of(mona, name, "approve")
    assert site.journal(name) == before
    mona.send(name, form)
    (told,) = (site.journal(name, "event")[-1].body or {})["told"]
    assert "do you approve it?" in told["text"]


def test_the_next_turn_of_the_conversation_hears_the_news(chat: Site) -> None:
    """The page has said nothing to the agent: what the answer brought is offered to its next turn."""
    name = chat.start(amount=420).session or ""
    engine = chat.engine()
    engine.confirm(engine.advance(name, Turn()))
    assert chat.browser("mona").answer(name, "sign_ann").status_code == 303
    chat.settled(name)
    engine = chat.engine()
    assert [said.text for said in engine.advance(name, Turn()).say] == ["Pay 420?"]
    assert any(option.event == "pay" for option in engine.status(name).next)


def test_a_no_sends_its_event_with_the_reason(site: Site) -> None:
    """The bundle asks for a reason: a no without one is not taken, and what was typed stays."""
    name = waiting(site)
    mona = site.browser("mona")
    form = form_of(mona, name, "approve")
    empty = mona.send(name, form, answer="no", reason=" ")
    assert empty.status_code == 422 and "A no needs a reason" in empty.text
    assert mona.send(name, form, answer="no", reason="The hotel is missing").status_code == 303
    body = site.journal(name, "event")[-1].body or {}
    assert body["event"] == "reject" and body["given"]["input"] == {"reason": "The hotel is missing"}
    assert [(each["approver"], each["channel"]) for each in body["declined"]] == [("mona", "page")]
    assert site.settled(name).state == "a.rejected" and not site.sandbox.requests


def test_a_no_that_moves_nothing_is_recorded(chat: Site) -> None:
    """The gate names no event for it: the journal has it, and the question stays open."""
    name = chat.start(amount=420).session or ""
    mona = chat.browser("mona")
    came = mona.answer(name, "sign_ann", answer="no", reason="Too much")
    assert came.status_code == 303 and "Your no is recorded" in mona.get(came.headers["location"]).text
    (noted,) = chat.journal(name, "unanswered")
    body = noted.body or {}
    assert (body["why"], body["channel"]) == ("mona said no: “Too much”", "page")
    assert form_of(mona, name, "sign_ann") and not evidence(chat, name)


def test_two_of_the_board_answer_one_after_the_other(site: Site) -> None:
    """The first answer is kept, leaves her inbox and says that one more is needed; the second pays."""
    name = waiting(site, big=True)
    ada, bob = site.browser("ada"), site.browser("bob")
    form = form_of(bob, name, "sign")
    assert ada.answer(name, "sign").status_code == 303
    assert site.settled(name).state == "a.boarding" and not site.sandbox.requests
    assert name not in ada.get("/").text and name in bob.get("/").text
    assert "It waits for 1 of 2 answers" in ada.get(site.place(name, "/question")).text
    assert bob.send(name, form).status_code == 303, "the answer of another changes no question"
    assert site.settled(name).status == "done" and len(site.sandbox.requests) == 1


def test_decided_elsewhere_it_says_by_whom_and_when(site: Site) -> None:
    """Two managers have the question open: the second is told who decided it, and nothing happens again."""
    name = waiting(site)
    mona, max_ = site.browser("mona"), site.browser("max")
    form = form_of(mona, name, "approve")
    assert max_.answer(name, "approve").status_code == 303
    site.settled(name)
    late = mona.send(name, form)
    assert late.status_code == 409
    assert "It was decided elsewhere" in late.text and "“Approve” was decided 2027-01-15 08:00 UTC by max." in late.text
    assert "by max" in mona.get(site.place(name, "/question")).text, "and whoever looks again"
    assert len(site.sandbox.requests) == 1 and len(evidence(site, name)) == 2


def test_a_plan_that_changed_between_look_and_answer(site: Site) -> None:
    """The agent changes the report while the manager reads: nothing of the old one is approved."""
    name = waiting(site)
    mona = site.browser("mona")
    form = form_of(mona, name, "approve")
    engine = site.engine()
    engine.advance(name, Turn("change", {"report": "Trip to Rome", "amount": 9000}, seen=engine.status(name).seen))
    assert site.browser("erin").answer(name, "submit").status_code == 303
    site.settled(name)
    late = mona.send(name, form)
    assert late.status_code == 409 and "Your answer was not taken" in late.text
    assert "9000" in late.text and not site.sandbox.requests
    assert mona.send(name, form_of(mona, name, "approve")).status_code == 303
    assert site.settled(name).status == "done"


def test_what_is_different_from_the_plan_that_was_refused(site: Site) -> None:
    """After a no and another report, the lines that are new and those that are gone; at first there is nothing."""
    name = waiting(site)
    mona = site.browser("mona")
    assert "What is different" not in mona.get(site.place(name, "/question")).text
    assert mona.answer(name, "approve", answer="no", reason="The hotel is missing").status_code == 303
    site.settled(name)
    engine = site.engine()
    engine.advance(name, Turn("change", {"report": "Trip to Rome", "amount": 420}, seen=engine.status(name).seen))
    assert site.browser("erin").answer(name, "submit").status_code == 303
    site.settled(name)
    page = mona.get(site.place(name, "/question")).text
    assert "from what was asked before, and not approved, until 2027-01-15 08:00 UTC" in page
    new, gone = (page.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0] for tag in ("ins", "del"))
    assert "Trip to Rome" in new and "Trip to Bonn" in gone


def test_the_same_form_twice_counts_once(site: Site) -> None:
    """A second click ends where the first one did."""
    name = waiting(site)
    mona = site.browser("mona")
    form = form_of(mona, name, "approve")
    assert mona.send(name, form).status_code == 303
    site.settled(name)
    again = mona.send(name, form)
    assert again.status_code == 303 and again.headers["location"] == site.place(name, "?noted=1")
    assert len(site.sandbox.requests) == 1


FORGED: list[dict[str, str]] = [
    {"code": "A" * 27},
    {"code": ""},
    {"at": ""},
    {"mark": ""},
    {"mark": "0" * 64},
    {"at": "bnVsbA"},
    {"event": "pay"},
    {"event": "reject"},
    {"event": "cancel"},
]


@pytest.mark.parametrize("change", FORGED, ids=str)
def test_a_form_that_the_page_did_not_make_answers_nothing(site: Site, change: dict[str, str]) -> None:
    """The code is of this question, this moment and this browser, and no event but its own is sent."""
    name = waiting(site)
    mona, before = site.browser("mona"), site.journal(name)
    came = mona.send(name, {**form_of(mona, name, "approve"), **change})
    assert came.status_code == 409 and site.journal(name) == before and not site.sandbox.requests


def test_the_form_of_another_person_or_session_answers_nothing(site: Site) -> None:
    """A code is of one browser and one session, also of two sessions that ask the same."""
    name, other = waiting(site), waiting(site)
    mona, max_ = site.browser("mona"), site.browser("max")
    theirs = {**form_of(max_, name, "approve"), "form": form_of(mona, name, "approve")["form"]}
    assert mona.send(name, theirs).status_code == 409
    assert mona.send(other, form_of(mona, name, "approve")).status_code == 409
    assert [site.settled(each).state for each in (name, other)] == ["a.managing", "a.managing"]


def test_an_old_form_is_asked_again(site: Site) -> None:
    """The term counts from when the page was shown; a clock that was set back makes no form younger."""
    name = waiting(site)
    mona = site.browser("mona")
    form = form_of(mona, name, "approve")
    site.clock.pass_(8 * 86400)
    late = mona.send(name, form)
    assert late.status_code == 409 and "and its term is 7d" in late.text and not site.sandbox.requests
    assert mona.send(name, form_of(mona, name, "approve")).status_code == 303


def test_only_whoever_holds_the_role_may_answer(site: Site) -> None:
    """Others see nothing; a role that is taken away counts no more, also for a page that was open."""
    name = waiting(site)
    mona = site.browser("mona")
    form = form_of(mona, name, "approve")
    assert site.browser("ada").get(site.place(name, "/question")).status_code == 404
    site.people["mona"] = ()
    assert mona.send(name, form).status_code in (404, 409)
    assert site.settled(name).state == "a.managing" and not site.sandbox.requests


def test_who_submitted_cannot_approve(site: Site) -> None:
    """`other_than`: max holds both roles, and is told why his answer is not taken."""
    name = site.begin().session or ""
    max_ = site.browser("max")
    assert max_.answer(name, "submit").status_code == 303
    site.settled(name)
    came = max_.answer(name, "approve")
    assert came.status_code == 409 and "did not answer &#39;submitted&#39;" in came.text
    assert site.settled(name).state == "a.managing" and not site.sandbox.requests


def test_a_gate_that_is_raised_is_answered_elsewhere(site: Site) -> None:
    """The user's configuration asks for a passphrase: the page says so, and takes no answer, whatever form is sent."""
    name = waiting(site)
    mona = site.browser("mona")
    form = form_of(mona, name, "approve")
    site.policy["manager_ok"] = "proven"
    page = mona.get(site.place(name, "/question")).text
    assert "takes only answers that are &#39;proven&#39;" in page and "workflow-admin approve" in page
    assert mona.send(name, form).status_code == 409 and not site.sandbox.requests


def test_an_auditor_sees_everything_and_answers_nothing(site: Site) -> None:
    """Every question, no form for it, and none that could be sent."""
    name = waiting(site)
    mona, auditor = site.browser("mona"), site.browser("", AUDITOR)
    assert name in auditor.get("/").text and name in auditor.get("/sessions").text
    assert "An auditor answers nothing" in auditor.get(site.place(name, "/question")).text
    assert auditor.asked(name) == []
    token = form_of(mona, name, "approve")
    own = auditor.get("/browsers").text.partition('name="form" value="')[2].partition('"')[0]
    assert auditor.send(name, {**token, "form": own}).status_code == 404
    assert site.settled(name).state == "a.managing"


@pytest.mark.parametrize(("event", "paid"), [("lost", 2)])
def test_a_doubt_is_settled_on_the_page(site: Site, event: str, paid: int) -> None:
    """Nobody knows whether it was paid: whoever may say so says so here, and what was lost is asked again."""
    name = waiting(site)
    site.sandbox.fault("drop-after")
    mona = site.browser("mona")
    assert mona.answer(name, "approve").status_code == 303
    assert site.settled(name).status == "in_doubt"
    assert "in doubt" in mona.get("/").text
    assert mona.answer(name, event, words="The bank shows nothing").status_code == 303
    assert site.settled(name).state == "a.managing"
    assert site.browser("max").answer(name, "approve").status_code == 303
    assert site.settled(name).status == "done" and len(site.sandbox.requests) == paid


def test_who_had_it_open_is_told_that_it_changed(site: Site) -> None:
    """The report was changed and waits for the employee again: the manager sees no session, but hears why."""
    name = waiting(site)
    mona = site.browser("mona")
    form = form_of(mona, name, "approve")
    engine = site.engine()
    engine.advance(name, Turn("change", {"report": "Trip to Rome", "amount": 9000}, seen=engine.status(name).seen))
    late = mona.send(name, form)
    assert late.status_code == 409 and "What is asked has changed since you opened it" in late.text
    assert mona.get(site.place(name, "/question")).status_code == 404
    assert mona.send(name, {**form, "at": ""}).status_code == 404
