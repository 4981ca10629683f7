"""The expense bundle: who must approve what, in which order, until when; and one payment, whatever is lost."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.contract.journals import pay
from tests.examples.expense_terms import unkept
from tests.playing import HandClock, player
from tests.roles import People
from workflow.bundle import find_problems, open_bundle
from workflow.history import audit
from workflow.history.proof import prove
from workflow.history.replay import replay
from workflow.model.brakes import Limit
from workflow.model.reply import Reply
from workflow.store.sqlite import SqliteStore

EXPENSE = Path(os.environ.get("PHASEGATE_EXPENSE_UNDER_TEST") or Path(__file__).parents[2] / "examples" / "expense")
HOUR, DAY = 3600.0, 86_400.0
TINY = "2026-11-02; meals; 18.50; Lunch with the customer\n2026-11-02; travel; 31.50; Taxi"
SMALL = "2026-11-02; travel; 950.00; Hotel\n2026-11-03; meals; 50; Dinner"
LARGE = "2026-11-02; equipment; 1000.01; A desk"
WHO = {
    "employee": ("erin", "max", "dora"),
    "manager": ("max", "mona"),
    "director": ("dora", "dirk", "mona"),
    "accounting": ("ann", "erin"),
}
"""Some hold two roles; Max and Dora hand in reports of their own."""
PAY = "POST /v1/payments"


class Expense(People):
    """A report on its way, with the books that it goes to."""

    def __init__(self, folder: Path, books: Any, **options: Any) -> None:
        self.books, self.clock = books, HandClock()
        super().__init__(player(folder, EXPENSE, books.url, clock=self.clock, **options), WHO)

    def begin(self, lines: str = TINY, **options: Any) -> Expense:
        """A report that is listed."""
        self.play.start({"lines": lines}, **options)
        return self

    def submitted(self, lines: str = SMALL, by: str = "erin", **options: Any) -> Expense:
        """A report that was handed in."""
        self.begin(lines, **options).answer(by, "submit")
        return self

    def to_director(self, by: str = "mona") -> Expense:
        """A large report that its manager has approved."""
        self.submitted(LARGE).answer(by, "approve")
        assert self.state == "review.directing"
        return self

    def escalated(self, lines: str = SMALL) -> Expense:
        """A report that the manager has not answered for two days."""
        self.submitted(lines)
        self.later(2 * DAY)
        assert self.state == "review.escalated"
        return self

    def change(self, lines: str) -> Reply:
        """The employee corrects the report."""
        return self.play.send("change", {"lines": lines})

    def later(self, seconds: float) -> Reply:
        """Time passes, then somebody looks."""
        self.clock.pass_(seconds)
        return self.play.send(None)

    @property
    def state(self) -> str:
        """Where it stands."""
        return self.play.engine.stored(self.play.name).state

    @property
    def paid(self) -> list[float]:
        """What the bank was asked to pay, oldest first."""
        return [each.json["amount"] for each in self.books.requests if each.path == "/v1/payments"]

    def signed(self) -> dict[str, str]:
        """Who answered what, as the proof has it of the one payment; the log is sound and would be decided alike."""
        engine, name = self.play.engine, self.play.name
        assert not audit.fault(engine, name) and replay(engine, name).differences == ()
        proof = prove(engine, name)
        assert proof.holds
        (claim,) = [each for each in proof.claims if "'pay_" in each.text]
        return {answer.gate: answer.how[2] for answer in claim.by}


@pytest.fixture
def books() -> Iterator[Any]:
    """The books' offline twin."""
    with open_bundle(EXPENSE).module("phases.books.sandbox").Sandbox() as running:
        yield running


@pytest.fixture
def expense(tmp_path: Path, books: Any) -> Expense:
    """A report about to be handed in."""
    return Expense(tmp_path, books)


def refused(reply: Reply) -> str:
    """Why an answer was refused."""
    assert reply.error is not None, "it was accepted"
    return reply.error.message


def test_the_bundle_has_no_problems() -> None:
    """Roles, alternatives, terms and timers in one bundle, without a warning."""
    assert find_problems(EXPENSE) == []


def test_the_bundle_declares_what_the_prose_demands() -> None:
    """Lint proves what stands there: the people of each amount, one payment, and the present listing."""
    assert list(unkept(open_bundle(EXPENSE).definition)) == []


# --- the straight ways ---


def test_up_to_50_it_is_paid_at_once(expense: Expense) -> None:
    """The employee sees the numbered, totalled listing, hands it in by themselves, and nobody else is asked."""
    expense.begin(TINY)
    assert expense.play.says() == ["listing"] and "1. 2026-11-02 meals 18.50 EUR" in expense.play.texts()[0]
    assert "Total: 50.00 EUR" in expense.told("submit")
    assert expense.play.send("submit", quote="Yes, hand it in").exit_code == 3, "not by the agent"
    assert expense.answer("erin", "submit").state == "over.paid"
    assert expense.paid == [50] and expense.signed() == {"submitted": "erin"}


def test_up_to_1000_the_manager_approves(expense: Expense) -> None:
    """The manager sees the present listing, and is enough."""
    expense.submitted(SMALL)
    assert (expense.state, expense.play.says()) == ("review.managing", ["with_manager"])
    assert "Total: 1000.00 EUR" in expense.told("approve")
    assert expense.answer("mona", "approve").state == "over.paid"
    assert expense.paid == [1000] and expense.signed() == {"submitted": "erin", "manager_ok": "mona"}


def test_above_it_a_director_signs_as_well_and_sees_who_approved_and_when(expense: Expense) -> None:
    """First the manager, then a director; each was handed the listing."""
    expense.to_director()
    told = expense.told("sign")
    assert "Total: 1000.01 EUR" in told and "approved on 30 November 2026 by the manager" in told
    assert expense.paid == []
    assert expense.answer("dora", "sign").state == "over.paid"
    assert expense.paid == [1000.01]
    assert expense.signed() == {"submitted": "erin", "manager_ok": "mona", "director_ok": "dora"}


@pytest.mark.parametrize(
    ("total", "state"),
    [("0.01", "over.paid"), ("50", "over.paid"), ("50.01", "review.managing"), ("1000.01", "review.managing")],
)
def test_the_total_decides_who_is_asked(expense: Expense, total: str, state: str) -> None:
    """To the cent."""
    assert expense.submitted(f"2026-11-02; other; {total}; A thing").state == state


@pytest.mark.parametrize(
    ("total", "state"), [("50.01", "over.paid"), ("1000", "over.paid"), ("1000.01", "review.directing")]
)
def test_the_total_decides_how_many(expense: Expense, total: str, state: str) -> None:
    """To the cent."""
    expense.submitted(f"2026-11-02; other; {total}; A thing")
    assert expense.answer("mona", "approve").state == state


# --- what the books take ---


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("2026-12-01; travel; 10; Tomorrow", "lies in the future"),
        ("2026-08-31; travel; 10; Long ago", "more than 90 days ago"),
        ("2026-02-30; travel; 10; Never", "is not a day"),
        ("2026-11-02; gifts; 10; A book", "Line 1 is not"),
        ("2026-11-02; meals; 0; Nothing", "Line 1 is not"),
        ("2026-11-02; meals; 10", "Line 1 is not"),
        ("\n".join(["2026-11-02; meals; 1; Coffee"] * 51), "this one has 51"),
    ],
)
def test_the_books_refuse_lines_and_the_employee_corrects_them(expense: Expense, lines: str, why: str) -> None:
    """They say why, nobody is asked, and the corrected report is listed."""
    reply = expense.play.start({"lines": lines})
    assert (reply.state, expense.play.says()) == ("report.correcting", ["problems"])
    assert why in expense.play.texts()[0]
    assert expense.change("2026-09-01; travel; 10; 90 days ago").state == "report.showing"
    assert "Report R-1001" in expense.play.texts()[0]


# --- who ---


def test_nobody_approves_their_own_report(expense: Expense) -> None:
    """Max is a manager and Dora a director; what they hand in somebody else approves."""
    expense.submitted(SMALL, by="max")
    assert "who did not answer 'submitted', and 'max' did" in refused(expense.answer("max", "approve"))
    assert expense.answer("mona", "approve").state == "over.paid" and expense.paid == [1000]


@pytest.mark.parametrize("event", ["stand_in", "sign"])
def test_no_director_approves_their_own_report(expense: Expense, event: str) -> None:
    """Neither in the manager's place nor as the second."""
    expense.submitted(LARGE, by="dora")
    if event == "sign":
        expense.answer("mona", "approve")
    else:
        expense.later(2 * DAY)
    assert "'dora' did" in refused(expense.answer("dora", event))
    assert expense.answer("dirk", event).ok


def test_the_second_signature_is_of_another_person(expense: Expense) -> None:
    """Mona is a manager and a director; she signs once."""
    expense.to_director("mona")
    assert "who did not answer 'manager_ok', and 'mona' did" in refused(expense.answer("mona", "sign"))
    assert expense.answer("dirk", "sign").state == "over.paid"


@pytest.mark.parametrize("event", ["approve", "stand_in", "sign"])
def test_only_who_holds_the_role_now(expense: Expense, event: str) -> None:
    """Nobody without the role can answer, and who lost it does not count when the call leaves."""
    if event == "sign":
        expense.to_director()
    elif event == "stand_in":
        expense.escalated()
    else:
        expense.submitted()
    role = "manager" if event == "approve" else "director"
    assert f"does not hold the role '{role}'" in refused(expense.answer("ann", event))
    assert "by themselves" in refused(expense.play.send(event, quote="yes"))
    assert expense.paid == []


def test_an_approver_who_lost_the_role_meanwhile_pays_nothing(expense: Expense) -> None:
    """Mona approved and is no manager any more: the call does not leave, and all are asked again."""
    expense.to_director()
    expense.people = {**expense.people, "manager": ("max",)}
    assert expense.answer("dora", "sign").state == "report.showing" and expense.paid == []
    assert expense.play.reply.say[0].id == "ask_again"


# --- when nobody answers ---


def test_the_manager_is_reminded_once_a_day(expense: Expense) -> None:
    """It moves nothing, and is said once each day, also after a director may answer."""
    expense.submitted()
    expense.later(DAY - 1)
    assert "reminded" not in expense.play.says()
    expense.later(1)
    assert expense.play.says()[:1] == ["reminded"] and expense.state == "review.managing"
    expense.later(DAY)
    assert expense.state == "review.escalated"
    for _ in range(3):
        expense.later(DAY)
        assert "reminded_again" in expense.play.says() and expense.state == "review.escalated"
    assert [entry.body["timer"] for entry in expense.play.journal("due") if entry.body] == [
        "remind",
        "after",
        "remind",
        "remind",
        "remind",
    ]


def test_before_two_days_no_director_stands_in(expense: Expense) -> None:
    """The event is not possible yet."""
    expense.submitted()
    expense.later(2 * DAY - 1)
    assert expense.state == "review.managing"
    assert not [each for each in expense.question().options if each.event == "stand_in"]


def test_after_two_days_a_director_may_answer_and_the_manager_still(expense: Expense) -> None:
    """Up to 1,000 either is enough."""
    expense.escalated()
    assert expense.play.says() == ["escalated"] and "in their place" in expense.told("stand_in")
    assert expense.told("approve") and "Total: 1000.00 EUR" in expense.told("stand_in")
    assert expense.answer("dora", "stand_in").state == "over.paid"
    assert expense.signed() == {"submitted": "erin", "stand_in_ok": "dora"}


def test_the_manager_answers_late(expense: Expense) -> None:
    """The question of two days ago is a new one; the answer to it counts."""
    expense.escalated()
    assert expense.answer("mona", "approve").state == "over.paid"


def test_two_different_directors_where_one_stood_in(expense: Expense) -> None:
    """Dora stood in, so Dirk has to sign, and sees that she did and when."""
    expense.escalated(LARGE)
    assert expense.answer("dora", "stand_in").state == "review.directing"
    assert "by the director in the manager's place" in expense.told("sign")
    assert "who did not answer" in refused(expense.answer("dora", "sign"))
    assert "'dora' did" in refused(expense.play.reply) and expense.paid == []
    assert expense.answer("dirk", "sign").state == "over.paid"
    assert expense.signed() == {"submitted": "erin", "stand_in_ok": "dora", "director_ok": "dirk"}


@pytest.mark.parametrize(
    "where", ["showing", "correcting", "managing", "escalated", "directing", "rejected", "refused"]
)
def test_a_report_that_nobody_finished_is_closed_after_30_days(expense: Expense, books: Any, where: str) -> None:
    """Wherever it waits, and the employee is told."""
    if where == "showing":
        expense.begin()
    elif where == "correcting":
        expense.begin("nothing")
    elif where == "escalated":
        expense.escalated()
    elif where == "directing":
        expense.to_director()
    else:
        expense.submitted()
    if where == "rejected":
        expense.decline("mona", "manager_ok")
    if where == "refused":
        books.decline = True
        expense.answer("mona", "approve")
    assert expense.state.endswith(where)
    expense.later(30 * DAY - (2 * DAY if where == "escalated" else 0) - 1)
    assert expense.state != "over.late"
    expense.later(1)
    assert (expense.state, expense.play.reply.status, expense.play.says()[-1]) == ("over.late", "cancelled", "late")


# --- changes, rejections, terms ---


@pytest.mark.parametrize("lines", [LARGE.replace("A desk", "A chair"), LARGE], ids=["changed", "the same again"])
def test_a_changed_line_voids_every_approval(expense: Expense, lines: str) -> None:
    """Handed in once more, the manager is asked again before the director is."""
    expense.to_director()
    asked = expense.question()
    assert expense.change(lines).state == "report.showing"
    assert not expense.answer("dora", "sign", asked).ok
    expense.answer("erin", "submit")
    assert expense.state == "review.managing" and expense.paid == []
    assert lines.rpartition("; ")[2] in expense.told("approve")
    expense.answer("max", "approve")
    assert expense.answer("dora", "sign").state == "over.paid"
    assert expense.signed() == {"submitted": "erin", "manager_ok": "max", "director_ok": "dora"}


@pytest.mark.parametrize(("gate", "person"), [("manager_ok", "mona"), ("stand_in_ok", "dora"), ("director_ok", "dirk")])
def test_a_rejection_is_told_word_for_word(expense: Expense, books: Any, gate: str, person: str) -> None:
    """By whoever is asked, with their reason; the report can be changed then."""
    if gate == "director_ok":
        expense.to_director()
    elif gate == "stand_in_ok":
        expense.escalated()
    else:
        expense.submitted()
    assert refused(expense.play.send("reject", {"rejection": "so"})), "not by the agent"
    why = "The hotel cost €950; that isn't *one* night."
    assert expense.decline(person, gate, why).state == "review.rejected"
    assert why in expense.play.texts()[0] and books.rejections["R-1001"].popitem()[1] == why
    assert not expense.play.send("submit", quote="again").ok
    assert expense.change(TINY).state == "report.showing"


def test_a_rejection_needs_a_reason(expense: Expense) -> None:
    """Nothing is no reason."""
    expense.submitted()
    assert not expense.decline("mona", "manager_ok", "").ok and expense.state == "review.managing"


def test_the_third_rejection_is_for_good(expense: Expense, books: Any) -> None:
    """The employee hears why, and nothing can be sent any more; a call that was repeated counts once."""
    expense.submitted()
    for count in range(2):
        books.fault("drop-after", on="PUT */rejection")
        assert expense.decline("mona", "manager_ok", f"No {count}").state == "review.rejected"
        expense.change(SMALL)
        expense.answer("erin", "submit")
    assert expense.decline("max", "manager_ok", "And no").state == "over.refused"
    assert expense.play.reply.status == "failed" and "And no" in expense.play.texts()[0]
    assert [option.event for option in expense.play.reply.next] == []
    assert not expense.change(TINY).ok and expense.paid == []


@pytest.mark.parametrize(("days", "state"), [(7 - 1 / 24, "over.paid"), (7 + 1 / 24, "report.showing")])
def test_an_approval_is_good_for_a_week(expense: Expense, days: float, state: str) -> None:
    """The manager's, until the director signs: after it nothing is paid, and all are asked again."""
    expense.to_director()
    expense.later(days * DAY)
    assert expense.answer("dora", "sign").state == state
    assert bool(expense.paid) is (state == "over.paid")


def test_who_handed_it_in_is_not_asked_again_after_a_week(expense: Expense) -> None:
    """That the employee did is good as long as the report is open."""
    expense.submitted()
    expense.later(20 * DAY)
    assert expense.answer("mona", "approve").state == "over.paid"


def test_a_two_month_old_approval_pays_nothing(expense: Expense, books: Any) -> None:
    """The report is over, whoever looks first and whatever they send."""
    expense.to_director()
    asked = expense.question()
    expense.clock.pass_(60 * DAY)
    assert not expense.answer("dora", "sign", asked).ok
    assert expense.state == "over.late" and expense.paid == []


# --- the bank ---


def test_a_lost_answer_of_the_bank_is_found(expense: Expense, books: Any) -> None:
    """It was paid; the books know, nobody is asked, nothing is paid twice."""
    expense.submitted()
    books.fault("drop-after", on=PAY)
    assert expense.answer("mona", "approve").state == "over.paid"
    assert len(expense.paid) == len(books.payments) == 1


@pytest.mark.parametrize("lines", [TINY, SMALL, LARGE], ids=["tiny", "small", "large"])
@pytest.mark.parametrize("there", [True, False])
def test_what_is_not_found_accounting_says(expense: Expense, books: Any, lines: str, there: bool) -> None:
    """In doubt until somebody of accounting has looked, who did not hand the report in; only a no lets it go again."""
    books.fault("drop-before", on=PAY)
    _sign(expense.submitted(lines))
    assert (expense.state, expense.play.reply.status) == ("pay.unsure", "in_doubt")
    assert "Was this report paid?" in expense.told("paid")
    for event in ("paid", "not_paid"):
        assert "by themselves" in refused(expense.play.send(event, quote="it is"))
        assert "'erin' did" in refused(expense.answer("erin", event))
    expense.later(40 * DAY)
    assert expense.state == "pay.unsure", "no time settles a doubt"
    state = expense.answer("ann", "paid" if there else "not_paid").state
    assert state == ("over.paid" if there else "pay.refused") and len(expense.paid) == 1


def test_after_accountings_no_it_is_paid_once(expense: Expense, books: Any) -> None:
    """Changed, handed in and approved once more, under another key."""
    books.fault("drop-before", on=PAY)
    _sign(expense.submitted())
    expense.answer("ann", "not_paid")
    expense.change(SMALL)
    expense.answer("erin", "submit")
    assert expense.answer("mona", "approve").state == "over.paid"
    assert len(books.payments) == 1 and len(expense.paid) == 2


def test_a_bank_that_declines_is_no_doubt(expense: Expense, books: Any) -> None:
    """Nothing was paid, and the employee hears it."""
    books.decline = True
    _sign(expense.submitted())
    assert expense.state == "pay.refused" and expense.play.says() == ["declined", "not_paid"]
    assert not expense.play.journal("doubt")


@pytest.mark.parametrize("lines", [TINY, SMALL, LARGE], ids=["tiny", "small", "large"])
def test_at_most_40_reports_are_paid_a_day(expense: Expense, books: Any, lines: str) -> None:
    """By whichever payment: the 41st waits with its approvals, and leaves when a day has passed since the first."""
    store, clock = expense.play.engine.world.store, expense.clock
    for number, action in enumerate(("pay_tiny", "pay_small", "pay_large") * 13):
        pay(store, f"fox-{number}", workflow="expense", sandbox=books.url, action=action, now=clock.now())
    clock.pass_(HOUR)
    pay(store, "red-elk", workflow="expense", sandbox=books.url, action="pay_small", now=clock.now())
    _sign(expense.submitted(lines))
    assert (expense.paid, expense.play.says()[-1]) == ([], "limited")
    assert "40 calls of 'pay_tiny', 'pay_small', 'pay_large' count together" in refused(expense.play.reply)
    expense.clock.pass_(DAY - HOUR - 1)
    assert not expense.play.send("retry").ok and expense.paid == []
    expense.clock.pass_(2)
    assert expense.play.send("retry").state == "over.paid" and len(expense.paid) == 1


def test_a_user_can_lower_what_counts_together(tmp_path: Path, books: Any) -> None:
    """By the name of the bundle's limit, over the same payments; nobody can raise it."""
    mine, store = {"payments": Limit(DAY, 2)}, SqliteStore(tmp_path / "state")
    for number, lines in enumerate((TINY, SMALL, TINY)):
        expense = Expense(tmp_path, books, store=store, limits=mine)
        assert not [each for each in expense.begin(lines).play.reply.notices if "configuration" in each]
        expense.answer("erin", "submit")
        _sign(expense)
        assert len(expense.paid) == min(number + 1, 2)
    assert "2 calls of 'pay_tiny', 'pay_small', 'pay_large' count together" in refused(expense.play.reply)
    raised = Expense(tmp_path, books, limits={"payments": Limit(DAY, 41)}).begin().play.reply.notices
    assert any("cannot raise the limit of 'payments' to 41 in 1d" in each for each in raised)


def _sign(expense: Expense) -> None:
    """Whoever has to approve does."""
    for person, event in (("mona", "approve"), ("dora", "sign")):
        if any(option.event == event for option in expense.question().options):
            expense.answer(person, event)


# --- languages ---


def test_the_employee_is_spoken_to_in_german_and_the_managers_read_english(expense: Expense) -> None:
    """Each in their own language."""
    expense.begin(LARGE, language="de")
    assert expense.play.texts()[0].startswith("So steht deine Abrechnung in den Büchern")
    assert expense.told("submit").startswith("Du reichst diese Abrechnung")
    expense.answer("erin", "submit")
    assert expense.told("approve").startswith("An employee asks you to approve")
    expense.answer("mona", "approve")
    assert expense.told("sign").startswith("This report over")
    assert expense.play.texts()[0].startswith("Deine Abrechnung über 1000.01 EUR ist freigegeben")


# --- whatever is sent, by whomever, and whatever is lost ---

EVERYBODY = sorted({person for people in WHO.values() for person in people})
ANSWERS = ("submit", "approve", "stand_in", "sign", "paid", "not_paid")
GOOD = {
    "report.showing": ("answer", "erin", "submit"),
    "report.correcting": ("change", LARGE),
    "review.managing": ("answer", "mona", "approve"),
    "review.escalated": ("answer", "dora", "stand_in"),
    "review.directing": ("answer", "dirk", "sign"),
    "review.rejected": ("change", LARGE),
    "pay.refused": ("change", LARGE),
    "pay.unsure": ("answer", "ann", "paid"),
}
"""What leads on, so that a walk comes far."""
SOME = settings().max_examples // 8


def _any(chance: random.Random) -> tuple[Any, ...]:
    """What somebody may do at any time, allowed or not."""
    person, event = chance.choice(EVERYBODY), chance.choice(ANSWERS)
    gate = chance.choice(("manager_ok", "stand_in_ok", "director_ok"))
    return chance.choice(
        (
            ("answer", person, event),
            ("late", person, event),
            ("agent", event, chance.choice(("relayed", "asked", "proven"))),
            ("decline", person, gate),
            ("change", chance.choice((TINY, SMALL, LARGE, LARGE.replace("desk", "chair")))),
            ("pass", chance.choice((HOUR, DAY, 2 * DAY, 8 * DAY))),
            ("lose", chance.choice(("manager", "director")), person),
            ("fault", chance.choice(("drop-before", "drop-after", "server-error"))),
        )
    )


def test_nothing_is_paid_that_not_enough_people_were_shown_and_every_report_ends() -> None:
    """Answers dropped, doubled, late and out of order; lines changed between, people swapped, roles taken away."""
    sandbox = open_bundle(EXPENSE).module("phases.books.sandbox").Sandbox
    paid: list[float] = []
    for seed in range(SOME):
        with tempfile.TemporaryDirectory() as folder, sandbox() as books:
            chance = random.Random(seed)
            expense = Expense(Path(folder), books).begin(chance.choice((SMALL, LARGE, LARGE)))
            _walk(expense, chance)
            books.clear()
            _check(expense)
            for _ in range(3):
                if expense.state == "pay.unsure":
                    expense.answer("ann", "paid" if books.payments else "not_paid")
                expense.later(31 * DAY)
            assert expense.state.startswith("over."), (seed, expense.state)
            _check(expense)
            paid += [each["amount"] for each in books.payments.values()]
    assert any(amount > 1000 for amount in paid) and any(amount <= 1000 for amount in paid), paid


def _walk(expense: Expense, chance: random.Random) -> None:
    """Up to 16 steps, every other one leads on."""
    before = expense.question()
    for _ in range(16):
        if expense.state.startswith("over."):
            return
        now = expense.question()
        _take(expense, GOOD[expense.state] if chance.random() < 0.5 else _any(chance), before)
        before = now


def _take(expense: Expense, step: tuple[Any, ...], before: Any) -> None:
    """One step; accounting says what is true."""
    kind, *what = step
    if kind in ("answer", "late"):
        person, event = what
        if event in ("paid", "not_paid"):
            event = "paid" if expense.books.payments else "not_paid"
        expense.answer(person, event, before if kind == "late" else None)
    elif kind == "agent":
        expense.play.send(what[0], quote="yes", strength=what[1])
    elif kind == "decline":
        expense.decline(*what)
    elif kind == "change":
        expense.change(*what)
    elif kind == "pass":
        expense.later(*what)
    elif kind == "lose":
        role, person = what
        expense.people = {**expense.people, role: tuple(each for each in expense.people[role] if each != person)}
    else:
        expense.books.fault(*what, on=PAY)


def _check(expense: Expense) -> None:
    """The bank was asked for nothing without the people whom the amount needs, each shown this listing in time."""
    engine, name = expense.play.engine, expense.play.name
    assert not audit.fault(engine, name) and replay(engine, name).differences == ()
    assert len(expense.books.payments) <= 1
    proof = prove(engine, name)
    assert proof.holds
    calls = [claim for claim in proof.claims if "'pay_" in claim.text and claim.by]
    assert len(calls) == len(expense.paid)
    for claim, amount in zip(calls, expense.paid, strict=True):
        people = {answer.gate: answer.person for answer in claim.by}
        approvers = [person for gate, person in people.items() if gate != "submitted"]
        assert len(approvers) == (2 if amount > 1000 else 1 if amount > 50 else 0)
        assert len({*people.values()}) == len(people) == len(claim.by), "each is another person"
        listings = {(answer.text or "").partition("Report R-")[2].partition(" EUR\n\n")[0] for answer in claim.by}
        assert len(listings) == 1 and listings.pop().endswith(f"Total: {amount:.2f}")
        called = datetime.fromisoformat(expense.play.journal()[claim.seq - 1].time)
        for answer in claim.by:
            term = timedelta(30 if answer.gate == "submitted" else 7)
            assert called - datetime.fromisoformat(answer.given) < term
