"""The refund bundle, YAML and Python mixed: policy, two people, one payment, and a lost answer that is looked up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.playing import HandClock, Player, player
from tests.roles import People
from workflow.bundle import find_problems, open_bundle
from workflow.engine.blotting import ID
from workflow.engine.preview import KEY, preview
from workflow.history.proof import prove
from workflow.model.brakes import Limit
from workflow.model.frozen import replace
from workflow.model.reply import Reply
from workflow.model.session import Turn
from workflow.store.sqlite import SqliteStore

REFUND = Path(__file__).parents[2] / "examples" / "refund"
SMALL = {"order": "A-1001", "email": "ada@example.org", "amount": 25, "reason": "It arrived broken"}
LARGE = {**SMALL, "amount": 180.5}
PAY = "POST /v1/payments/*"
WHO = {"supervisor": ("sue",), "accounting": ("ann",)}


@pytest.fixture
def bank() -> Iterator[Any]:
    """The payments service's offline twin."""
    with open_bundle(REFUND).module("phases.payments.sandbox").Sandbox() as running:
        yield running


@pytest.fixture
def play(tmp_path: Path, bank: Any) -> Player:
    """A session about to start."""
    return player(tmp_path, REFUND, bank.url)


def paid(bank: Any) -> list[Any]:
    """Every request for a refund, oldest first."""
    return [each for each in bank.requests if each.method == "POST"]


def test_the_bundle_has_no_problems() -> None:
    """Actions of both kinds and guards of both kinds, in one bundle."""
    assert find_problems(REFUND) == []


def test_a_small_refund_is_agreed_to_and_made_once(play: Player, bank: Any) -> None:
    """Looked up, shown, agreed to, paid with exactly what was shown, and the customer told."""
    play.start(SMALL)
    assert (play.reply.state, play.says()) == ("decide.offering", ["offer"])
    assert "A-1001 was paid by Ada Byron. 25 EUR would be paid back" in play.texts()[0]
    assert play.send("agree", quote="Yes, pay it back").status == "done"
    (request,) = paid(bank)
    assert request.path == "/v1/payments/pay_8c1f0a/refunds"
    assert request.json == {
        "amount": 25,
        "currency": "EUR",
        "metadata": {"order": "A-1001", "reason": "It arrived broken"},
    }
    (intent,) = play.journal("intent")
    assert intent.body and request.headers["idempotency-key"] == intent.body["call"]
    assert bank.noticed == {"re_5d0000": "ada@example.org"}
    assert "ada@example.org" not in "".join(play.texts()) and "pay_8c1f0a" not in "".join(play.texts())


def test_an_amount_that_cannot_be_paid_is_refused(play: Player, bank: Any) -> None:
    """The guard of the event looks at what comes with it: nothing is asked of the service, and all stays as it was."""
    play.start(SMALL)
    asked, revision = len(bank.requests), play.reply.revision
    refused = play.send("correct", {**SMALL, "amount": 10.005})
    assert refused.error is not None and "at most two decimals" in refused.error.message
    assert (refused.state, refused.revision, len(bank.requests)) == ("decide.offering", revision, asked)


def refused(reply: Reply) -> str:
    """Why an answer was refused."""
    assert reply.error is not None, "it was accepted"
    return reply.error.message


def test_above_the_limit_a_supervisor_allows_it_by_themselves(play: Player, bank: Any) -> None:
    """Nothing that the agent passes on is enough, whatever strength it has, and nobody without the role is."""
    people = People(play, WHO)
    play.start(LARGE)
    assert (play.reply.state, play.says()) == ("decide.supervising", ["with_supervisor"])
    assert "Do you allow it?" in people.told("grant") and "It arrived broken" in people.told("grant")
    assert play.send("agree", quote="Yes").exit_code == 3
    for strength in ("relayed", "asked", "proven"):
        assert "by themselves" in refused(play.send("grant", quote="Granted", strength=strength))
    assert "does not hold the role 'supervisor'" in refused(people.answer("ann", "grant"))
    assert paid(bank) == []
    assert people.answer("sue", "grant").status == "done"
    assert paid(bank)[0].json["amount"] == 180.5


def test_the_proof_shows_who_allowed_it_in_which_role_how_strong_until_when_and_what_they_read(
    play: Player, bank: Any
) -> None:
    """Everything that the payment left by, from the log alone."""
    people = People(play, WHO)
    play.start(LARGE)
    people.answer("sue", "grant")
    proof = prove(play.engine, play.name)
    assert proof.holds
    (claim,) = [each for each in proof.claims if "'refund'" in each.text]
    (answer,) = claim.by
    assert (answer.gate, answer.person, answer.role, answer.strength) == (
        "second_person",
        "sue",
        "supervisor",
        "proven",
    )
    given, until = (datetime.fromisoformat(str(time)) for time in (answer.given, answer.until))
    assert until - given == timedelta(days=2)
    assert "asks you to allow a refund of 180.5 EUR" in (answer.text or "")


def test_a_supervisors_no_is_told_word_for_word(play: Player, bank: Any) -> None:
    """It needs a reason, and the offer is over; what is corrected is asked again."""
    people = People(play, WHO)
    play.start(LARGE)
    assert play.send("refuse", {"objection": "so"}).exit_code == 3, "not by the agent"
    assert not people.decline("sue", "second_person", "").ok
    why = "That isn't *our* lamp; see the picture."
    assert people.decline("sue", "second_person", why).state == "decide.refused"
    assert why in play.texts()[0] and paid(bank) == []
    assert play.send("correct", {**LARGE, "amount": 120}).state == "decide.supervising"
    assert people.answer("sue", "grant").status == "done" and paid(bank)[0].json["amount"] == 120


@pytest.mark.parametrize(("days", "state"), [(2 - 1 / 24, "over.refunded"), (2, "over.expired")])
def test_an_offer_that_nobody_answers_expires(tmp_path: Path, bank: Any, days: float, state: str) -> None:
    """After two days, whoever looks first; a yes that comes later pays nothing."""
    clock = HandClock()
    people = People(player(tmp_path, REFUND, bank.url, clock=clock), WHO)
    people.play.start(LARGE)
    asked = people.question()
    clock.pass_(days * 86_400)
    people.answer("sue", "grant", asked)
    assert people.play.engine.stored(people.play.name).state == state
    assert len(paid(bank)) == (state == "over.refunded")


def test_a_yes_is_good_for_two_days(tmp_path: Path, bank: Any) -> None:
    """It waited for a limit of the user's; then it is too old, and the supervisor is asked once more."""
    clock, store, limits = HandClock(), SqliteStore(tmp_path / "state"), {"refund": Limit(3 * 86_400.0, 1)}
    for number in range(2):
        people = People(player(tmp_path, REFUND, bank.url, clock=clock, store=store, limits=limits), WHO)
        people.play.start({**LARGE, "amount": 110 + number})
        people.answer("sue", "grant")
    assert len(paid(bank)) == 1 and people.play.says() == ["limited"]
    clock.pass_(3 * 86_400 + 1)
    assert people.play.send("retry").state == "decide.supervising" and "ask_again" in people.play.says()
    assert len(paid(bank)) == 1
    assert people.answer("sue", "grant").status == "done" and len(paid(bank)) == 2


def test_who_lost_the_role_does_not_count_when_the_call_leaves(play: Player, bank: Any) -> None:
    """Between the answer and the call."""
    people = People(play, WHO)
    play.start(LARGE)
    question = people.question()
    people.people = {**people.people, "supervisor": ()}
    assert "does not hold the role" in refused(people.answer("sue", "grant", question))
    assert paid(bank) == []


def test_accounting_says_whether_it_was_made_and_never_who_allowed_it(play: Player, bank: Any) -> None:
    """Sue holds both roles; Ann looks."""
    people = People(play, {**WHO, "accounting": ("sue", "ann")})
    play.start(LARGE)
    bank.fault("server-error", on=PAY)
    assert people.answer("sue", "grant").state == "pay.unsure"
    assert "Is the refund there?" in people.told("not_refunded")
    assert "by themselves" in refused(play.send("not_refunded", quote="No"))
    assert "'sue' did" in refused(people.answer("sue", "not_refunded"))
    assert people.answer("ann", "not_refunded").state == "pay.refused"


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"amount": 240.5}, "decide.outside"),
        ({"order": "A-1003", "amount": 10}, "decide.outside"),
        ({"order": "A-1002", "amount": 35.5}, "decide.offering"),
        ({"amount": 100}, "decide.offering"),
        ({"amount": 100.01}, "decide.supervising"),
        ({"order": "A-9999"}, "identify.correcting"),
        ({"email": "eve@example.org"}, "identify.correcting"),
        ({"order": "../A-1001"}, "identify.correcting"),
    ],
)
def test_the_policy_decides_the_way(play: Player, change: dict[str, Any], state: str) -> None:
    """What is left of the payment, its age, the limit, and whose payment it is."""
    assert play.start({**SMALL, **change}).state == state


@pytest.mark.parametrize("amount", [0, -5, 10.005, 1e9])
def test_an_amount_that_is_none_is_refused(play: Player, bank: Any, amount: float) -> None:
    """Before anything is asked of the service."""
    reply = play.start({**SMALL, "amount": amount})
    assert reply.exit_code == 3 and bank.requests == []


def test_another_amount_needs_another_answer(play: Player, bank: Any) -> None:
    """Agreed to 25, then corrected: what was agreed to is void, and the larger one is another person's."""
    play.start(SMALL)
    play.send("correct", LARGE)
    assert play.reply.state == "decide.supervising"
    assert play.send("agree", quote="Yes").exit_code == 3 and paid(bank) == []


def test_a_lost_answer_is_reconciled_by_the_name_of_the_call(play: Player, bank: Any) -> None:
    """It was paid and the answer lost: the refund is found, nobody is asked, and nothing is paid twice."""
    play.start(SMALL)
    bank.fault("drop-after", on=PAY)
    assert play.send("agree", quote="Yes").status == "done"
    (search,) = [each for each in bank.requests if each.path == "/v1/refunds"]
    assert search.query["idempotency_key"] == [paid(bank)[0].headers["idempotency-key"]]
    assert len(bank.refunds) == 1 and bank.noticed == {"re_5d0000": "ada@example.org"}
    assert [each.kind for each in play.journal("intent", "doubt", "result")][1:3] == ["intent", "doubt"]


def test_what_is_not_found_is_asked_and_then_looked_for_again(play: Player, bank: Any) -> None:
    """Nothing was paid: the run is in doubt, still looks for the same call, and pays again only when agreed to anew."""
    people = People(play, WHO)
    play.start(SMALL)
    bank.fault("server-error", on=PAY)
    reply = play.send("agree", quote="Yes")
    assert (reply.state, reply.status, reply.exit_code) == ("pay.unsure", "in_doubt", 7)
    assert people.answer("ann", "refunded").state == "pay.unsure"
    searched = [each.query["idempotency_key"] for each in bank.requests if each.path == "/v1/refunds"]
    assert searched == [[paid(bank)[0].headers["idempotency-key"]]] * 2
    assert people.answer("ann", "not_refunded").state == "pay.refused"
    play.send("correct", SMALL)
    assert play.send("agree", quote="Yes, again").status == "done"
    first, second = paid(bank)
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]
    assert len(bank.refunds) == 1


def test_a_crash_in_the_call_is_reconciled_by_the_next_turn(play: Player, bank: Any) -> None:
    """The program dies with the intent recorded: whoever comes next looks for that very call."""
    play.start(SMALL)
    bank.fault("drop-after", on=PAY)
    connect = play.engine.world.connect

    class Killed(BaseException):
        """Nothing catches it, as nothing catches a kill."""

    def dying(bundle: Any, session: Any) -> Any:
        real = connect(bundle, session)

        class Service:
            def call(self, method: str, path: str, **options: Any) -> Any:
                try:
                    return real.service.call(method, path, **options)
                finally:
                    if method == "POST":
                        raise Killed

        return replace(real, make_service=Service)

    world = play.engine.world
    play.engine.world = replace(world, connect=dying)
    with pytest.raises(Killed):
        play.send("agree", quote="Yes")
    play.engine.world = world
    assert play.send(None).status == "done"
    assert len(paid(bank)) == len(bank.refunds) == 1


def test_a_service_that_declines_is_no_doubt(play: Player, bank: Any) -> None:
    """By a field of its answer: nothing was done, and the person hears it."""
    play.start(SMALL)
    bank.refunds["other"] = {"id": "re_other", "payment": "pay_8c1f0a", "amount": 230}
    assert play.send("agree", quote="Yes").state == "pay.refused"
    assert play.says() == ["declined", "not_refunded"] and not play.journal("doubt")


def test_it_speaks_spanish(play: Player) -> None:
    """The other language is whole."""
    play.start(SMALL, language="es")
    assert play.texts()[0].startswith("El pedido A-1001 lo pagó Ada Byron. Se devolverían 25 EUR")


def test_a_dry_run_shows_the_request_without_ids(play: Player, bank: Any) -> None:
    """The very fields that would leave; in place of the key, of ids and of the call's own name, what they are."""
    play.start(SMALL)
    turn = Turn("agree", quote="Yes", expect_revision=play.reply.revision, seen=play.reply.seen)
    request = preview(play.engine, play.name, turn).request
    assert request is not None
    assert request["headers"] == {"Idempotency-Key": ID, "Authorization": f"Bearer {KEY}"}
    assert request["url"] == f"{bank.url}/v1/payments/{ID}/refunds"
    assert request["json"]["amount"] == 25 and paid(bank) == []
